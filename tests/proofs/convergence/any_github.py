"""A GitHub that has whatever is asked for, to see which commands of gh reach it, and what they ask of it.

It takes REST and GraphQL, says what the fields of an answer hold by their names alone, and refuses what GitHub itself
has taken out of GraphQL. What was asked is kept.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]

API = "https://github.example/api/v3/repos/octo/orbit"
REMOVED = ("projectCards",)
"""Fields that GitHub's GraphQL no longer has: https://github.com/cli/cli/issues/11983."""
#: What a field holds, by its name; what is not here is an object or null, and a list of one where it is `nodes`.
VALUES: Json = {
    "id": "ID_1", "databaseId": 5, "number": 9, "totalCount": 1, "title": "Release v0.2.0", "body": "",
    "state": "OPEN", "url": "https://github.example/octo/orbit/pull/9", "name": "orbit", "login": "octo",
    "headRefName": "release/pypi-v0.2.0", "headRefOid": "a" * 40, "baseRefName": "main", "isDraft": False,
    "hasNextPage": False, "endCursor": "", "isCrossRepository": False, "createdAt": "2026-01-02T03:04:00Z",
    "updatedAt": "2026-01-02T03:04:00Z", "viewerPermission": "WRITE", "hasIssuesEnabled": True, "tagName": "v0.2.0",
    "mergeCommitAllowed": True, "squashMergeAllowed": True, "rebaseMergeAllowed": True, "isPrivate": False,
    "reviewDecision": "", "mergeable": "MERGEABLE", "mergeStateStatus": "CLEAN", "maintainerCanModify": True,
    "additions": 1, "deletions": 1, "closed": False, "merged": False, "parent": None, "status": None,
}  # fmt: skip
RUN: Json = {
    "id": 99, "name": "Release", "display_title": "Release", "workflow_id": 3, "run_number": 3, "run_attempt": 1,
    "status": "completed", "conclusion": "success", "event": "workflow_dispatch", "head_branch": "main",
    "head_sha": "b" * 40, "created_at": "2026-01-02T03:04:00Z", "updated_at": "2026-01-02T03:05:00Z",
    "run_started_at": "2026-01-02T03:04:00Z", "check_suite_id": 1, "pull_requests": [],
    "jobs_url": f"{API}/actions/runs/99/jobs", "artifacts_url": "", "url": "",
    "html_url": "https://github.example/octo/orbit/actions/runs/99", "head_commit": {"message": "Release"},
    "repository": {"name": "orbit", "owner": {"login": "octo"}},
}  # fmt: skip
RELEASE: Json = {
    "id": 5, "tag_name": "v0.2.0", "name": "v0.2.0", "draft": False, "prerelease": False, "body": "Notes.",
    "created_at": "2026-01-02T03:04:00Z", "published_at": "2026-01-02T03:04:00Z", "author": {"login": "octo"},
    "html_url": "https://github.example/octo/orbit/releases/v0.2.0", "target_commitish": "main", "upload_url": "",
    "assets": [{"id": 1, "name": "orbit.sbom", "size": 4, "state": "uploaded", "url": f"{API}/asset"}],
}  # fmt: skip
PULL: Json = {"number": 9, "state": "open", "title": "Release", "base": {"ref": "main"}, "node_id": "PR_9"}


@dataclass
class Asked:
    """One request."""

    host: str
    method: str
    path: str
    body: Any

    @property
    def changes(self) -> bool:
        """Whether it is one that changes something."""
        is_question = self.path == "/graphql" and not re.match(r"\s*mutation\b", self.body["query"])
        return self.method != "GET" and not is_question and not self.path.endswith("/generate-notes")


@dataclass
class AnyGitHub:
    """What was asked of it, and where it listens."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def any_github() -> Iterator[AnyGitHub]:
    """A server, until the end of the block."""
    hub = AnyGitHub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="any GitHub")
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: AnyGitHub

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length)
        body = json.loads(text) if text else None
        path = self.path.removeprefix("/api/v3").removeprefix("/api")
        asked = Asked(self.headers["Host"], self.command, path, body)
        self.hub.asked.append(asked)
        status, answer = graphql(body or {}) if path == "/graphql" else rest(asked)
        data = b"" if answer is None else json.dumps(answer, default=str).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("X-Oauth-Scopes", "repo, workflow")):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
        """Stay silent."""


def rest(asked: Asked) -> tuple[int, Any]:
    """The answer to a REST request, by its path."""
    path = asked.path.partition("?")[0].partition("/repos/octo/orbit/")[2]
    if asked.method == "DELETE":
        return 204, None
    if asked.method == "POST" and path.endswith("dispatches"):
        return 204, None
    if path == "releases/generate-notes":
        return 200, {"name": "v0.2.0", "body": "notes"}
    if path.endswith("/cancel"):
        return 202, {}
    if asked.method == "PUT" and path.endswith("/enable"):
        return 204, None
    answers: tuple[tuple[str, Any], ...] = (
        (r"pulls/\d+", PULL),
        (r"releases/(\d+|tags/.+)|releases", RELEASE),
        (r"actions/runs/\d+/jobs", {"total_count": 0, "jobs": []}),
        (r"actions/runs/\d+/artifacts", {"total_count": 0, "artifacts": []}),
        (r"actions/runs/\d+", RUN),
        (
            r"actions/workflows/[^/]+",
            {"id": 3, "name": "Release", "path": ".github/workflows/r.yml"},
        ),
        (r"check-suites/\d+/check-runs|check-runs/.*", {"total_count": 0, "check_runs": []}),
        (r"git/ref/tags/.+", {"ref": "refs/tags/v0.2.0", "object": {"sha": "d" * 40}}),
        (r"asset", "data"),
        ("", {"name": "orbit", "default_branch": "main", "installed_version": "3.20.0"}),
    )
    status = 201 if asked.method == "POST" else 200
    return next((status, answer) for pattern, answer in answers if re.fullmatch(pattern, path))


def graphql(body: Mapping[str, Any]) -> tuple[int, Json]:
    """The answer to a query: every field that it names, or GitHub's refusal of one that is gone."""
    query = str(body["query"])
    for name in REMOVED:
        if re.search(rf"\b{name}\b", query):
            message = f"Projects (classic) has been deprecated. (repository.pullRequest.{name})"
            return 200, {"data": None, "errors": [{"type": "NOT_FOUND", "path": [name], "message": message}]}
    return 200, {"data": _Reader(query).operation()}


class _Reader:
    """Reads a GraphQL document, and makes an answer of its form on the way."""

    def __init__(self, query: str) -> None:
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', query)
        self.tokens = re.findall(r"\.\.\.|[A-Za-z_]\w*|[{}()\[\]:,$!@=]|\S", bare)
        self.at = 0
        # Whoever asks this wants to make the first one.
        self.is_for_branch = "PullRequestForBranch" in self.tokens
        self.fragments: dict[str, Json] = {}
        # They may stand after what uses them.
        for number, word in enumerate(self.tokens):
            if word == "fragment":
                self.at = self.tokens.index("{", number)
                self.fragments[self.tokens[number + 1]] = self._fields()

    def operation(self) -> Json:
        """The answer to the operation."""
        depth = 0
        for number, word in enumerate(self.tokens):
            if depth == 0 and word in ("query", "mutation"):
                self.at = number
                break
            depth += {"{": 1, "}": -1}.get(word, 0)
        while self.tokens[self.at] != "{":
            self._skip_parentheses()
        return self._fields()

    def _skip_parentheses(self) -> None:
        """Go on by one token, or past a whole list of arguments."""
        depth = 0
        while True:
            depth += {"(": 1, ")": -1}.get(self.tokens[self.at], 0)
            self.at += 1
            if depth == 0:
                return

    def _fields(self) -> Json:
        self.at += 1
        found: Json = {}
        while self.tokens[self.at] != "}":
            word = self.tokens[self.at]
            self.at += 1
            if word == "...":
                self._fragment(found)
            elif word != ",":
                self._field(found, word)
        self.at += 1
        return found

    def _fragment(self, found: Json) -> None:
        if self.tokens[self.at] == "on":
            self.at += 2
            found.update(self._fields())
        elif self.tokens[self.at] == "{":
            found.update(self._fields())
        else:
            found.update(self.fragments.get(self.tokens[self.at], {}))
            self.at += 1

    def _field(self, found: Json, word: str) -> None:
        key = name = word
        if self.tokens[self.at] == ":":
            name = self.tokens[self.at + 1]
            self.at += 2
        while self.tokens[self.at] in ("(", "@"):
            self._skip_parentheses()
            if self.tokens[self.at - 1] == "@":
                self.at += 1
        if self.tokens[self.at] == "{":
            held = self._fields()
            several = name in ("nodes", "edges", "fields", "enumValues", "inputFields")
            # What a project, a team or a fork would add, this repository does not have.
            listed = [] if self.is_for_branch else [held]
            found[key] = listed if several else None if name in ("parent", "mergedBy", "milestone") else held
        else:
            found[key] = VALUES.get(name)
