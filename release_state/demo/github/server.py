"""The stand-in for GitHub's REST API as a server on the loopback interface."""

from __future__ import annotations

import hashlib
import json

from release_state.demo.github import routes  # noqa: F401 - importing the routes registers them
from release_state.demo.github.render import Renderer
from release_state.demo.github.routing import ApiError, Call, Result, find_route, not_found
from release_state.demo.github.state import GitHubState
from release_state.demo.loopback import Reply, Request

WEB_URL = "https://github.com"


class GitHubServer(GitHubState):
    """GitHub's REST API for one repository, live from a bare git repository; a context manager."""

    renderer: type[Renderer] = Renderer

    def answer(self, request: Request) -> Reply:
        """The answer to one request, as GitHub gives it."""
        with self.lock:
            return self._answer(request)

    def _answer(self, request: Request) -> Reply:
        token = (request.authorization or "").partition(" ")[2] or None
        budget = self.limits.of(token, self.now())
        is_stored = request.path.startswith("/_logs/")  # the storage of logs is not GitHub's API
        budget.remaining -= 0 if is_stored else 1
        try:
            result = self._route(request, token)
        except ApiError as error:
            result = Result(error.body, error.status)
        reply = encode(result)
        if not_modified(request, token, reply):
            reply = Reply(304, {name: text for name, text in reply.headers.items() if name != "Content-Type"})
            budget.remaining += 1
        reply.headers |= {} if is_stored else budget.headers()
        return reply

    def _route(self, request: Request, token: str | None) -> Result:
        found = find_route(request.method, request.path)
        if found is None:
            raise not_found()
        route, parameters = found
        if "repo" in parameters:
            self.check_repository(request, parameters)
        render = self.renderer(self, self.url, WEB_URL)
        return route.handler(Call(self, render, request, self.tokens.get(token or "", "none"), token, parameters))

    def check_repository(self, request: Request, parameters: dict[str, str]) -> None:
        """Refuse another repository."""
        name = f"{parameters.get('owner')}/{parameters.get('repo')}".lower()
        if name != self.repository.lower() and parameters.get("repository_id") != str(self.repository_id):
            raise not_found()


def encode(result: Result) -> Reply:
    """What a route answers, as it is sent."""
    if isinstance(result.body, bytes):
        return Reply(result.status, dict(result.headers), result.body)
    body = json.dumps(result.body, ensure_ascii=False).encode()
    return Reply(result.status, {"Content-Type": "application/json; charset=utf-8", **result.headers}, body)


def not_modified(request: Request, token: str | None, reply: Reply) -> bool:
    """Give a successful answer its ``ETag``, and say whether the caller has this very answer already."""
    if request.method != "GET" or reply.status != 200:
        return False
    # The links are part of what a page says, so another number of pages is another answer; and each token has tags
    # of its own on GitHub, too.
    said = reply.body + f"{reply.headers.get('Link', '')} {token}".encode()
    digest = hashlib.sha256(said).hexdigest()
    reply.headers["ETag"] = f'W/"{digest}"'
    given = request.headers.get("if-none-match", "")
    return any(tag.strip().removeprefix("W/") == f'"{digest}"' for tag in given.split(","))
