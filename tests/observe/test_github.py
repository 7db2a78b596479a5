"""What is read from GitHub's API, against the stand-in and with answers of its in trouble."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from release_state.demo.github import Job
from release_state.demo.github.gitstore import GitStore
from release_state.demo.loopback import Request
from release_state.model.observation import Observation, Problem
from release_state.model.snapshot import Asset
from release_state.observe.github import lists as github_list
from release_state.observe.github.github import GitHub
from release_state.observe.http.client import HttpClient
from tests.observe.conftest import NOW
from tests.standins.github import GitHubServer
from tests.standins.services import Reply
from tests.support import openapi

BRANCH = "release/pypi-v0.2.0"
WRITE, READ = "wri", "rea"
JSON = {"Content-Type": "application/json; charset=utf-8"}
Look = Callable[[GitHub], Observation[Any]]

LOOKS: dict[str, Look] = {
    "repository": lambda github: github.repository(),
    "pulls": lambda github: github.pulls(BRANCH),
    "open_pulls": lambda github: github.open_release_pulls(lambda name: name.startswith("release/")),
    "release": lambda github: github.release_by_tag("v0.2.0"),
    "latest": lambda github: github.latest_release(),
    "drafts": lambda github: github.drafts("v0.2.0".__eq__),
    "checks": lambda github: github.checks(HEAD),
    "runs": lambda github: github.runs("release.yml"),
}
HEAD = ""


@pytest.fixture
def server(own_server: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> GitHubServer:
    own_server.tokens.update({WRITE: "write", READ: "read"})
    monkeypatch.setitem(globals(), "HEAD", head(own_server))
    return own_server


@pytest.fixture(scope="module")
def shared(template: Path) -> Iterator[GitHubServer]:
    with GitHubServer(template, now=lambda: NOW) as running:
        running.tokens[WRITE] = "write"
        yield running


@pytest.fixture
def untouched(shared: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubServer]:
    """A server that many tests share, because they change nothing of it but its `intercept`."""
    monkeypatch.setattr("release_state.observe.http.client.PAUSES", (0.01, 0.02))
    monkeypatch.setitem(globals(), "HEAD", head(shared))
    yield shared
    shared.intercept = None


def head(server: GitHubServer, name: str = "main") -> str:
    sha = server.git.resolve(name)
    assert sha
    return sha


def github(
    server: GitHubServer, token: str | None = WRITE, *, own: int | None = None, timeout: float = 5, **options: Any
) -> GitHub:
    client = HttpClient(timeout, token=token, token_host=server.url)
    name = options.pop("repository", "example-org/orbit")
    return GitHub(client, server.url, name, own_run_id=own, now=NOW)


def problem(observation: Observation[Any]) -> Problem:
    assert observation.unavailable is not None, observation
    assert observation.unavailable.source == "GitHub"
    return observation.unavailable


def asked(server: GitHubServer) -> list[str]:
    """The paths below the repository that were asked for."""
    return [request.path.removeprefix("/repos/example-org/orbit") for request in server.requests]


def answering(server: GitHubServer, fragment: str, reply: Callable[[Request], Reply | None] | Reply) -> None:
    """Answer every request whose path ends in the fragment."""

    def intercept(request: Request) -> Reply | None:
        if not request.path.endswith(fragment):
            return None
        return reply if isinstance(reply, Reply) else reply(request)

    server.intercept = intercept


def said(data: object, status: int = 200, **headers: str) -> Reply:
    return Reply(status, {**JSON, **headers}, json.dumps(data).encode())


def shown(server: GitHubServer, look: Look, change: Callable[[Any], None], fragment: str) -> Observation[Any]:
    """The look-up with a change to the JSON that the server gives for the fragment."""
    server.intercept = None

    def intercept(request: Request) -> Reply | None:
        if not request.path.endswith(fragment):
            return None
        server.intercept = None
        reply = server._answer(replace(request, authorization=f"Bearer {WRITE}"))
        server.intercept = intercept
        data = json.loads(reply.body)
        change(data)
        return said(data)

    server.intercept = intercept
    return look(github(server))


# ── The repository


def test_the_repository_as_the_token_sees_it(server: GitHubServer) -> None:
    found = github(server).repository().present()
    assert (found.full_name, found.default_branch, found.private, found.archived) == (
        "example-org/orbit", "main", False, False,
    )  # fmt: skip
    assert found.can_push is True
    assert found.html_url == "https://github.com/example-org/orbit"
    assert github(server, READ).repository().present().can_push is False
    assert github(server, None).repository().present().can_push is None
    request = server.requests[0]
    assert request.headers["x-github-api-version"] == "2022-11-28"
    assert request.headers["accept"] == "application/vnd.github+json"


def test_an_apps_token_is_not_told_its_rights(server: GitHubServer) -> None:
    def change(data: Any) -> None:
        data["permissions"] = dict.fromkeys(data["permissions"], False)

    assert shown(server, LOOKS["repository"], change, "/orbit").present().can_push is None


def test_the_repository_is_asked_for_once_whoever_asks(server: GitHubServer) -> None:
    one = github(server)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda look: look(one), [*LOOKS.values(), *LOOKS.values()]))
    assert asked(server).count("") == 1
    assert asked(server).count("/releases") == 1


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_what_cannot_be_seen_is_not_absent(server: GitHubServer, look: Look) -> None:
    found = problem(look(github(server, repository="example-org/nothing")))
    assert "not found, or the token may not see it" in found.why
    server.private = True
    found = problem(look(github(server, None)))
    assert "not found, or the token may not see it" in found.why
    assert "token" in (found.remedy or "")


def test_a_renamed_repository_is_followed(server: GitHubServer) -> None:
    server.renamed_from.add("old-org/orbit")
    server.add_pull(BRANCH, title="Release v0.2.0")
    one = github(server, repository="old-org/orbit")
    assert one.repository().present().full_name == "example-org/orbit"
    assert len(one.pulls(BRANCH).present()) == 1
    assert server.requests[-1].query["head"] == f"example-org:{BRANCH}"
    assert [request.status for request in server.requests] == [301, 200, 200]
    assert all(request.authorization for request in server.requests)


def test_what_was_asked_before_the_move_was_known_is_asked_anew(server: GitHubServer) -> None:
    server.renamed_from.add("old-org/orbit")
    server.add_pull(BRANCH, title="Release v0.2.0")
    one = github(server, repository="old-org/orbit")
    assert len(one.pulls(BRANCH).present()) == 1
    heads = [request.query["head"] for request in server.requests if "head" in request.query]
    assert heads == [f"old-org:{BRANCH}"] * 2 + [f"example-org:{BRANCH}"], "the first one was redirected"


# ── Trouble, for each look-up


TROUBLE = {
    "401": (Reply(401, JSON, b'{"message": "Bad credentials"}'), "401"),
    "403": (
        Reply(403, {**JSON, "X-Accepted-GitHub-Permissions": "x=read"}, b'{"message": "Resource not accessible"}'),
        "not permitted",
    ),
    "limit": (
        Reply(403, {**JSON, "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1900000000"}, b'{"message": "API rate limit exceeded"}'),  # noqa: E501
        "rate limit",
    ),
    "500": (Reply(500, JSON, b'{"message": "Server Error"}'), "500"),
    "502": (Reply(502, {"Content-Type": "text/html"}, b"<html>"), "502"),
    "cut": (Reply(200, {**JSON, "Content-Length": "9999"}, b'[{"id"'), "truncated|broke off"),
    "html": (Reply(200, {"Content-Type": "text/html"}, b"<html>Sign in"), "HTML instead of JSON"),
    "html 404": (Reply(404, {"Content-Type": "text/html"}, b"<html>"), "404"),
    "dropped": (Reply(0), "closed"),
    "text": (Reply(200, JSON, b'"fine"'), "unexpected shape"),
    "null": (Reply(200, JSON, b"null"), "unexpected shape"),
    "of nulls": (Reply(200, JSON, b"[null]"), "unexpected shape"),
    "empty object": (Reply(200, JSON, b"{}"), "unexpected shape"),
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("name", LOOKS)
def test_trouble_is_never_an_absence(untouched: GitHubServer, name: str, trouble: str) -> None:
    reply, words = TROUBLE[trouble]
    one = github(untouched)
    if name != "repository":
        one.repository()
    untouched.intercept = lambda _: reply
    found = problem(LOOKS[name](one))
    assert any(word in found.why for word in words.split("|")), found.why
    if trouble == "limit":
        assert found.retry_at == datetime.fromtimestamp(1900000000, timezone.utc)
    if trouble == "403":
        assert "x=read" in (found.remedy or "")


@pytest.mark.parametrize("name", LOOKS)
def test_trouble_that_passes_is_no_trouble(server: GitHubServer, name: str) -> None:
    failed: set[str] = set()

    def once(request: Request) -> Reply | None:
        first = request.path not in failed
        failed.add(request.path)
        return Reply(502) if first else None

    server.add_release("v0.1.0", draft=True)
    server.intercept = once
    assert LOOKS[name](github(server)).is_known


def test_a_bad_token_is_told_apart(server: GitHubServer) -> None:
    assert "401: Bad credentials" in problem(github(server, "unknown").repository()).why


def test_the_anonymous_limit(server: GitHubServer) -> None:
    server.set_rate_limit(1, reset=NOW + timedelta(minutes=30))
    one = github(server, None)
    assert one.repository().is_known
    found = problem(one.latest_release())
    assert found.retry_at == NOW + timedelta(minutes=30)
    assert "give a token" in (found.remedy or "")
    assert one.rate_limit().present().remaining == 0


# ── Pull requests


def test_pulls_of_exactly_the_branch(server: GitHubServer) -> None:
    first = server.add_pull(BRANCH, title="Old", state="closed", created_at="2026-01-01T00:00:00Z")
    merged = server.add_pull(BRANCH, title="Done", merged=True, created_at="2026-01-02T00:00:00Z")
    still = server.add_pull(BRANCH, title="Release v0.2.0", draft=True, created_at="2026-01-03T00:00:00Z")
    server.add_pull("conflict", title="Other")
    server.add_pull(BRANCH, title="Fork of the owner", head_repo="example-org/orbit-copy")
    server.add_pull(BRANCH, title="Deleted fork", head_repo=None)
    found = github(server).pulls(BRANCH).present()
    assert [pull.number for pull in found] == [still, merged, first]
    newest, done, old = found
    assert (newest.state, newest.is_open, newest.merged, newest.draft) == ("open", True, False, True)
    assert (newest.merge_commit, newest.merged_at, newest.closed_at) == (None, None, None)
    assert (newest.head_branch, newest.base_branch) == (BRANCH, "main")
    assert newest.head_sha == head(server, BRANCH)
    assert (newest.head_repository, newest.author) == ("example-org/orbit", "octo-dev")
    assert newest.html_url.endswith(f"/pull/{still}")
    assert (done.state, done.merged, done.merge_commit) == ("closed", True, head(server))
    assert (old.state, old.merged, old.merge_commit) == ("closed", False, None)
    assert asked(server) == ["/pulls", ""]


def test_no_pull_is_a_known_absence(server: GitHubServer) -> None:
    server.add_pull("conflict", title="Other")
    assert github(server).pulls(BRANCH).present() == ()


def test_a_filter_that_github_ignores_changes_nothing(server: GitHubServer) -> None:
    server.add_pull(BRANCH, title="Mine")
    server.add_pull("conflict", title="Other")
    one = github(server)
    one.repository()

    def unfiltered(request: Request) -> Reply | None:
        request.query.pop("head", None)
        return None

    server.intercept = unfiltered
    assert [pull.title for pull in one.pulls(BRANCH).present()] == ["Mine"]


def test_accounts_and_forks_that_are_gone(server: GitHubServer) -> None:
    server.add_pull(BRANCH, title="Fork", head_repo=None)

    def change(data: Any) -> None:
        data[0]["user"] = None
        data[0]["future"] = {"anything": 1}

    [pull] = shown(server, LOOKS["open_pulls"], change, "/pulls").present()
    assert (pull.author, pull.head_repository) == (None, None)


def test_open_release_pulls(server: GitHubServer) -> None:
    server.add_pull(BRANCH, title="Mine")
    server.add_pull("conflict", title="Other")
    server.add_pull("release/pypi-v0.1.0", title="Closed", state="closed", head_sha=head(server))
    server.add_pull("patch", BRANCH, title="Into it", head_repo="eve/orbit", head_sha=head(server))
    found = github(server).open_release_pulls(lambda name: name.startswith("release/")).present()
    assert {pull.title for pull in found} == {"Mine", "Into it"}


PULL_CHANGES: list[tuple[str, Any]] = [
    ("number", "1"), ("number", True), ("title", None), ("state", "ajar"), ("state", 1), ("created_at", "yesterday"),
    ("created_at", "2026-01-01T00:00:00"), ("head", None), ("base", []), ("merged_at", 5), ("html_url", None),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), PULL_CHANGES)
def test_a_pull_of_another_shape(server: GitHubServer, field: str, value: Any) -> None:
    server.add_pull(BRANCH, title="Mine")
    found = shown(server, LOOKS["pulls"], lambda data: data[0].update({field: value}), "/pulls")
    assert "unexpected shape" in problem(found).why


@pytest.mark.parametrize("field", ["merged_at", "closed_at", "head", "number"])
def test_a_pull_that_lacks_a_field(server: GitHubServer, field: str) -> None:
    server.add_pull(BRANCH, title="Mine", merged=True)
    found = shown(server, LOOKS["pulls"], lambda data: data[0].pop(field), "/pulls")
    assert f"{field} is missing" in problem(found).why


# ── Pages


def test_every_page_is_read(server: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_list, "PAGE_SIZE", 2)
    for number in range(5):
        server.add_pull(BRANCH if number % 2 else "conflict", title=str(number))
    assert len(github(server).open_release_pulls(lambda _: True).present()) == 5
    assert asked(server)[0] == "/pulls"
    # The first page again, to see whether something moved up.
    assert [request.query.get("page") for request in server.requests[:-1]] == [None, "2", "3", None]


def test_what_moves_up_while_pages_are_read_is_not_missed(
    server: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github_list, "PAGE_SIZE", 2)
    numbers = [server.add_pull(BRANCH, title=str(number)) for number in range(4)]

    def close_one(request: Request) -> None:
        if request.query.get("page") == "2":
            server.pulls[numbers[-1]].state = "closed"

    server.intercept = close_one
    found = github(server).open_release_pulls(lambda _: True).present()
    assert sorted(pull.number for pull in found) == numbers[:-1], "read once more: the second is on the first page now"


def _paging(server: GitHubServer, link: Callable[[int], str], item: Callable[[int], list[Any]]) -> list[int]:
    pages: list[int] = []

    def intercept(request: Request) -> Reply | None:
        if not request.path.endswith("/pulls"):
            return None
        page = int(request.query.get("page", "1"))
        pages.append(page)
        return said(item(page), Link=link(page))

    server.intercept = intercept
    return pages


def pull(server: GitHubServer, number: int) -> dict[str, Any]:
    return {
        "number": number, "title": "", "state": "open", "merged_at": None, "closed_at": None, "user": None,
        "head": {"ref": BRANCH, "sha": head(server), "repo": None}, "base": {"ref": "main"},
        "created_at": "2026-01-01T00:00:00Z", "html_url": "https://x",
    }  # fmt: skip


def test_pages_that_repeat(server: GitHubServer) -> None:
    pages = _paging(server, lambda page: f'<{server.url}/pulls?page={page + 1}>; rel="next"', lambda _: [])
    assert "pagination repeats" in problem(github(server).open_release_pulls(bool)).why
    assert pages == [1, 2]


def test_pages_that_lead_back(server: GitHubServer) -> None:
    other = {1: 2, 2: 3, 3: 2}
    pages = _paging(
        server,
        lambda page: f'<{server.url}/pulls?page={other[page]}>; rel="next"',
        lambda page: [pull(server, page)],
    )
    assert "pagination repeats" in problem(github(server).open_release_pulls(bool)).why
    assert pages == [1, 2, 3]


def test_pages_without_end(server: GitHubServer) -> None:
    pages = _paging(
        server,
        lambda page: f'<{server.url}/pulls?page={page + 1}>; rel="next"',
        lambda page: [pull(server, page)],
    )
    assert "more than 100 pages" in problem(github(server, timeout=60).open_release_pulls(bool)).why
    assert len(pages) == 100


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/pulls", "https://evil.example/", "http://[::1", "file:///x"])
def test_pages_on_another_host(server: GitHubServer, address: str) -> None:
    _paging(server, lambda _: f'<{address}>; rel="next"', lambda page: [pull(server, page)])
    assert "next page" in problem(github(server).open_release_pulls(bool)).why


def test_a_page_that_fails_makes_no_short_list(server: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_list, "PAGE_SIZE", 2)
    for _ in range(3):
        server.add_pull(BRANCH, title="x")
    server.intercept = lambda request: Reply(500, JSON) if request.query.get("page") == "2" else None
    assert "500" in problem(github(server).pulls(BRANCH)).why


def test_a_404_of_a_later_page_is_no_absence(server: GitHubServer) -> None:
    for _ in range(31):
        server.add_run(created_at=NOW)
    missing = said({"message": "Not Found"}, 404)
    server.intercept = lambda request: missing if request.query.get("page") == "2" else None
    assert "404" in problem(github(server).runs("release.yml")).why


def test_a_time_limit_is_one_for_all_pages(server: GitHubServer) -> None:
    def slow(page: int) -> list[Any]:
        time.sleep(0.15)
        return [pull(server, page)]

    _paging(server, lambda page: f'<{server.url}/pulls?page={page + 1}>; rel="next"', slow)
    begin = time.monotonic()
    assert "within 0.5 s" in problem(github(server, timeout=0.5).open_release_pulls(bool)).why
    assert time.monotonic() - begin < 4


# ── Releases


def test_the_release_of_a_tag(server: GitHubServer) -> None:
    number = server.add_release("v0.1.0", body="- all\n")
    found = github(server).release_by_tag("v0.1.0").present()
    assert (found.id, found.tag, found.name, found.has_notes) == (number, "v0.1.0", "v0.1.0", True)
    assert (found.draft, found.prerelease, found.immutable) == (False, False, False)
    assert found.published_at is not None
    assert found.assets == 0
    server.add_release("v0.1.5", assets={"orbit-0.1.5.tar.gz": b"data"})
    found = github(server).release_by_tag("v0.1.5").present()
    assert found.assets == 1
    digest = hashlib.sha256(b"data").hexdigest()
    assert found.attached == (Asset(name="orbit-0.1.5.tar.gz", sha256=digest),)
    release = next(each for each in server.releases.values() if each.tag == "v0.1.5")
    release.assets[0].state = "starter"
    assert not github(server).release_by_tag("v0.1.5").present().attached[0].is_uploaded
    assert github(server).release_by_tag("v0.2.0").known() is None


def test_a_tag_with_strange_characters(server: GitHubServer) -> None:
    for tag in ("pkg/v1.0", "orbit@1.0", "1.0+local", "v1#x", "v1%20"):
        server.git.set_ref(f"refs/tags/{tag}", head(server))
        server.add_release(tag)
        assert github(server).release_by_tag(tag).present().tag == tag


def test_another_tags_release_is_refused(server: GitHubServer) -> None:
    server.add_release("v0.1.0")

    def change(data: Any) -> None:
        data["tag_name"] = "v0.1"

    found = shown(server, lambda one: one.release_by_tag("v0.1.0"), change, "/v0.1.0")
    assert "that of v0.1" in problem(found).why


def test_a_release_without_author_notes_and_newer_fields(server: GitHubServer) -> None:
    server.add_release("v0.1.0", author=None, body="  \n")

    def change(data: Any) -> None:
        del data["immutable"]
        data["name"] = None

    found = shown(server, lambda one: one.latest_release(), change, "/latest").present()
    assert (found.author, found.immutable, found.name, found.has_notes) == (None, None, None, False)


def test_the_latest_release(server: GitHubServer) -> None:
    assert github(server).latest_release().known() is None
    server.add_release("v0.1.0")
    assert github(server).latest_release().present().tag == "v0.1.0"


def test_drafts_are_those_of_the_tag(server: GitHubServer) -> None:
    mine = server.add_release("v0.2.0", draft=True, author=None)
    server.add_release("v0.3.0", draft=True)
    server.add_release("v0.1.0")
    one = github(server)
    [found] = one.drafts("v0.2.0".__eq__).present()
    assert (found.id, found.draft, found.published_at) == (mine, True, None)
    assert one.drafts("v0.9.0".__eq__).present() == ()
    assert asked(server).count("/releases") == 1
    assert one.release_by_tag("v0.2.0").known() is None


def test_drafts_of_several_pages_that_changed_meanwhile_are_unknown(server: GitHubServer) -> None:
    """What is published moves a draft from one page onto the next: read side by side, both may lack it."""
    for number in range(250):
        server.add_release(f"v0.0.{number}")
    assert github(server).drafts("v0.2.0".__eq__).present() == ()

    def publish(request: Request) -> None:
        if request.query.get("page") == "3":
            server.add_release(f"v0.3.{len(server.releases)}")

    server.intercept = publish
    assert "changed while" in problem(github(server).drafts("v0.2.0".__eq__)).why


@pytest.mark.parametrize("token", [None, READ])
def test_drafts_are_not_asked_for_without_the_right(server: GitHubServer, token: str | None) -> None:
    server.add_release("v0.2.0", draft=True)
    found = problem(github(server, token).drafts("v0.2.0".__eq__))
    assert "push access" in found.why
    assert "contents=write" in (found.remedy or "")
    assert asked(server) == [""]


def test_drafts_for_an_apps_token_are_known_only_where_it_sees_one(server: GitHubServer) -> None:
    def change(data: Any) -> None:
        del data["permissions"]

    assert "does not say" in problem(shown(server, LOOKS["drafts"], change, "/orbit")).why
    server.add_release("v0.3.0", draft=True)
    assert shown(server, LOOKS["drafts"], change, "/orbit").present() == ()


# ── Checks


def states(observation: Observation[Any]) -> dict[str, str]:
    return {result.name: result.state for result in observation.present().results}


def test_check_runs_and_statuses_together(server: GitHubServer) -> None:
    sha = head(server)
    began = "2026-02-01T00:00:00Z"
    server.add_check_run(sha, "ok", started_at=began)
    server.add_check_run(sha, "running", status="in_progress", started_at=began)
    server.add_check_run(sha, "queued", status="queued")
    for conclusion in ("neutral", "skipped", "failure", "cancelled", "timed_out", "action_required", "stale"):
        server.add_check_run(sha, conclusion, conclusion=conclusion)
    for state in ("success", "failure", "error", "pending"):
        server.add_status(sha, f"ci/{state}", state, target_url="https://ci.example/1")
    server.add_check_run(head(server, "conflict"), "elsewhere")
    found = github(server).checks(sha)
    red = ("failure", "cancelled", "timed_out", "action_required", "stale", "ci/failure", "ci/error")
    assert states(found) == {
        "ok": "success", "running": "pending", "queued": "pending", "neutral": "neutral", "skipped": "skipped",
        "ci/success": "success", "ci/pending": "pending", **dict.fromkeys(red, "failure"),
    }  # fmt: skip
    results = {result.name: result for result in found.present().results}
    assert results["timed_out"].conclusion == "timed_out"
    assert results["ci/error"].conclusion == "error"
    assert results["ci/error"].html_url == "https://ci.example/1"
    assert results["running"].conclusion is None
    assert results["running"].since == results["ok"].since == datetime(2026, 2, 1, tzinfo=timezone.utc)
    assert len(asked(server)) == 4


@pytest.mark.parametrize(("old", "new"), [("success", "failure"), ("failure", "success"), ("success", None)])
def test_the_newest_of_a_name_counts(server: GitHubServer, old: str, new: str | None) -> None:
    sha = head(server)
    server.add_check_run(sha, "test", conclusion=old, check_suite=1)
    status = "completed" if new else "in_progress"
    server.add_check_run(sha, "test", status=status, conclusion=new, check_suite=2, started_at=NOW)
    assert states(github(server).checks(sha)) == {"test": new or "pending"}


def test_a_green_check_does_not_hide_a_red_status_of_its_name(server: GitHubServer) -> None:
    sha = head(server)
    server.add_status(sha, "test", "failure")
    server.add_check_run(sha, "test")
    server.add_check_run(sha, "test", app="other", conclusion="failure")
    results = github(server).checks(sha).present().results
    assert sorted((result.name, result.state) for result in results) == [
        ("test", "failure"), ("test", "failure"), ("test", "success"),
    ]  # fmt: skip


def test_the_run_that_asks_is_left_out_and_named(server: GitHubServer) -> None:
    sha = head(server)
    own = server.add_run(status="in_progress", head_sha=sha, created_at=NOW)
    past = server.add_run(head_sha=sha, created_at=NOW - timedelta(days=1))
    server.add_check_run(sha, "release", run_id=past, conclusion="failure", started_at=NOW)
    server.add_check_run(sha, "release", run_id=own, status="in_progress")
    server.add_check_run(sha, "foreign", run_id=own, app="other")
    server.add_check_run(sha, "test")
    one = github(server, own=own)
    found = one.checks(sha).present()
    assert states(one.checks(sha)) == {"release": "failure", "foreign": "success", "test": "success"}
    assert found.left_out == ("release",)
    assert {result.name: result.workflow_run for result in found.results}["release"] == past
    runs = one.runs("release.yml").present()
    assert [run.id for run in runs.runs] == [past]
    assert runs.left_out == (f"run {own} (number 1)",)
    assert "release" in states(github(server, own=None).checks(sha))


def test_another_run_whose_number_begins_alike_is_not_left_out(server: GitHubServer) -> None:
    sha = head(server)
    server.add_run(head_sha=sha, created_at=NOW)
    run = server.add_run(head_sha=sha, created_at=NOW)
    server.add_check_run(sha, "test", run_id=run)
    assert states(github(server, own=run // 10).checks(sha)) == {"test": "success"}


def test_a_green_job_does_not_hide_a_red_one_of_its_name_in_another_workflow(server: GitHubServer) -> None:
    sha, first = head(server), NOW - timedelta(hours=1)
    for workflow, conclusion in (("ci.yml", "success"), ("ci.yml", "failure"), ("docs.yml", "success")):
        first += timedelta(minutes=1)
        server.add_run(
            workflow, event="push", head_sha=sha, conclusion=conclusion, jobs=[Job("test")], created_at=first,
            check_runs=True,
        )  # fmt: skip
    pull = server.add_run("ci.yml", event="pull_request", head_branch="topic", head_sha=sha, created_at=NOW)
    server.add_check_run(sha, "test", run_id=pull)
    results = github(server).checks(sha, base="main").present().results
    assert sorted(result.state for result in results) == ["failure", "success", "success"]


@pytest.mark.parametrize(
    ("status", "conclusion", "state"),
    [
        ("queued", None, "pending"),
        ("pending", None, "pending"),
        ("completed", "startup_failure", "failure"),
        ("completed", "cancelled", "failure"),
        ("completed", "skipped", None),
    ],
)
def test_a_run_without_a_check_run_counts(
    server: GitHubServer, status: str, conclusion: str | None, state: str | None
) -> None:
    sha, past = head(server), NOW - timedelta(hours=1)
    server.add_run("ci.yml", event="push", head_sha=sha, conclusion="cancelled", created_at=past)
    server.add_run("ci.yml", event="push", head_sha=sha, status=status, conclusion=conclusion, created_at=NOW)
    server.add_run("pr.yml", event="pull_request", head_sha=sha, conclusion="action_required", created_at=NOW)
    server.add_status(sha, "docs")
    expected = {"docs": "success", **({"ci.yml, run #2": state} if state else {})}
    assert states(github(server).checks(sha, base="main")) == expected


def test_a_job_that_waits_for_another_one_counts(server: GitHubServer) -> None:
    sha = head(server)
    run = server.add_run("ci.yml", event="push", head_sha=sha, status="in_progress", created_at=NOW)
    server.add_check_run(sha, "lint", run_id=run)
    assert states(github(server).checks(sha, base="main")) == {"lint": "success", "ci.yml, run #1": "pending"}
    server.add_check_run(sha, "test", run_id=run, status="in_progress")
    assert states(github(server).checks(sha, base="main")) == {"lint": "success", "test": "pending"}


@pytest.mark.parametrize(
    ("event", "branch", "judges"),
    [
        ("push", "main", True),
        ("workflow_dispatch", "main", False),
    ],
)
def test_a_release_is_no_ci_but_where_its_file_tests_the_base_branch(
    server: GitHubServer, event: str, branch: str, judges: bool
) -> None:
    before = head(server)
    server.add_check_run(before, "test")
    tip = _line(server, 1)[0]
    server.add_run(event=event, head_sha=tip, head_branch=branch, conclusion="failure", created_at=NOW, check_runs=True)
    found = github(server).checks(tip, ("release.yml",), "main").present()
    assert [result.state for result in found.results] == (["failure"] if judges else [])
    assert found.ran == (("release.yml",) if judges else ())
    assert found.left_out == (() if judges else ("release (release workflow)",))


def _line(server: GitHubServer, length: int) -> list[str]:
    """Commits on top of main, each with one merged side commit; the newest first."""
    git: GitStore = server.git
    tree, tip, chain = git.text("rev-parse", "main^{tree}"), head(server), list[str]()
    environment = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
                   for what, value in (("NAME", "d"), ("EMAIL", "d@e"), ("DATE", "1767300000 +0000"))}  # fmt: skip
    for number in range(length):
        side = git.run("commit-tree", tree, "-p", tip, "-m", f"s{number}", env=environment).decode().strip()
        arguments = ["commit-tree", tree, "-p", tip, "-p", side, "-m", f"c{number}"]
        tip = git.run(*arguments, env=environment).decode().strip()
        chain.insert(0, tip)
    git.set_ref("refs/heads/main", tip)
    return chain


def test_checks_and_statuses_over_several_pages(server: GitHubServer) -> None:
    sha = head(server)
    for number in range(101):
        server.add_check_run(sha, f"check {number}")
        server.add_status(sha, f"status {number}")
    assert len(github(server).checks(sha).present().results) == 202


@pytest.mark.parametrize("part", ["/check-runs", "/status"])
def test_half_of_ci_is_not_ci(server: GitHubServer, part: str) -> None:
    server.add_check_run(head(server), "test")
    answering(server, part, Reply(403, JSON, b'{"message": "Resource not accessible by personal access token"}'))
    assert "403" in problem(LOOKS["checks"](github(server))).why


def test_an_unknown_commit(server: GitHubServer) -> None:
    assert "422: No commit found" in problem(github(server).checks("f" * 40)).why


@pytest.mark.parametrize("change", [{"conclusion": None}, {"status": None}, {"name": 1}, {"id": "1"}])
def test_a_check_run_of_another_shape(server: GitHubServer, change: dict[str, Any]) -> None:
    server.add_check_run(head(server), "test")
    found = shown(server, LOOKS["checks"], lambda data: data["check_runs"][0].update(change), "/check-runs")
    assert "unexpected shape" in problem(found).why


def test_check_runs_that_github_cuts_off(server: GitHubServer) -> None:
    for number in range(100):
        server.add_check_run(head(server), str(number))

    def change(data: Any) -> None:
        data["total_count"] = 1500

    assert "only 100 of 1500" in problem(shown(server, LOOKS["checks"], change, "/check-runs")).why


# ── Runs of the release workflow


def test_runs_newest_first(server: GitHubServer) -> None:
    old = server.add_run(conclusion="cancelled", created_at=NOW - timedelta(days=69), title="Release to pypi")
    server.add_run(created_at=NOW - timedelta(days=71))
    new = server.add_run(status="queued", created_at=NOW - timedelta(days=1), actor="me")
    server.add_run("ci.yml", created_at=NOW)
    found = github(server).runs("release.yml").present()
    assert (found.workflow, found.exists, found.left_out) == ("release.yml", True, ())
    assert [run.id for run in found.runs] == [new, old]
    newest, oldest = found.runs
    assert (newest.status, newest.conclusion, newest.is_finished, newest.actor) == ("queued", None, False, "me")
    assert (oldest.conclusion, oldest.is_finished, oldest.title) == ("cancelled", True, "Release to pypi")
    assert (oldest.event, oldest.head_branch, oldest.number) == ("workflow_dispatch", "main", 1)
    assert oldest.head_sha == head(server)
    assert oldest.started_at is not None
    assert oldest.updated_at > oldest.created_at


def test_runs_are_read_as_far_as_seventy_days_back(server: GitHubServer) -> None:
    for number in range(100):
        server.add_run(created_at=NOW - timedelta(days=number))
    assert len(github(server).runs("release.yml").present().runs) == 71
    assert [request.query.get("page") for request in server.requests[:-1]] == [None, "2", "3"]


def test_the_seventy_days_count_from_the_services_clock(server: GitHubServer) -> None:
    recent = server.add_run(created_at=datetime.now(timezone.utc) - timedelta(days=69))
    server.add_run(created_at=datetime.now(timezone.utc) - timedelta(days=71))
    client = HttpClient(5, token=WRITE, token_host=server.url)
    found = GitHub(client, server.url, "example-org/orbit").runs("release.yml").present()
    assert [run.id for run in found.runs] == [recent]


def test_a_workflow_that_does_not_exist(server: GitHubServer) -> None:
    server.add_run(created_at=NOW)
    found = github(server).runs("publish.yml").present()
    assert (found.exists, found.runs) == (False, ())
    assert github(server).runs("").present().exists is False
    server.add_workflow(".github/workflows/publish.yml")
    assert github(server).runs("publish.yml").present().exists is True


def test_a_run_with_nulls(server: GitHubServer) -> None:
    server.add_run(created_at=NOW)
    nulls = dict.fromkeys(("status", "head_branch", "actor", "triggering_actor", "display_title", "run_started_at"))

    def change(data: Any) -> None:
        data["workflow_runs"][0].update(nulls, conclusion=None)

    [run] = shown(server, LOOKS["runs"], change, "/runs").present().runs
    assert (run.status, run.is_finished, run.head_branch, run.actor) == ("unknown", False, None, None)
    assert run.title == "release"


def test_a_fork_is_told_with_where_it_comes_from(server: GitHubServer) -> None:
    assert github(server).repository().present().fork_of is None
    assert github(server).repository().present().pushed_at is not None
    server.fork_of = "upstream/orbit"
    with openapi.validated(server) as violations:
        assert github(server).repository().present().fork_of == "upstream/orbit"
    assert violations == []


# ── The rate limit, and what is asked in all


def test_the_rate_limit_costs_nothing(server: GitHubServer) -> None:
    one = github(server)
    assert "no response named" in problem(one.rate_limit()).why
    one.repository()
    found = one.rate_limit().present()
    assert (found.limit, found.remaining, found.resets_at) == (5000, 4999, NOW + timedelta(hours=1))
    assert found.spent == 1
    assert len(server.requests) == 1


def test_a_server_without_limits(server: GitHubServer) -> None:
    reply = said({})
    server.intercept = lambda _: reply
    one = github(server)
    assert "no response named" in problem(one.rate_limit()).why
    one.repository()
    assert one.rate_limit().known() is None


def test_everything_takes_ten_requests(server: GitHubServer) -> None:
    server.add_check_run(head(server), "test")
    one = github(server)
    for look in LOOKS.values():
        assert look(one).is_known
    assert len(server.requests) == 10, [request.path for request in server.requests]
    assert {request.method for request in server.requests} == {"GET"}
    assert urlencode(server.requests[-1].query) == "per_page=30&exclude_pull_requests=true"
