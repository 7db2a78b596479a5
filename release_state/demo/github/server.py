"""The stand-in for GitHub's REST API as a server on the loopback interface."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import urlencode

from release_state.demo.github import (  # noqa: F401 - importing the routes registers them
    routes,
    routes_actions,
    routes_checks,
)
from release_state.demo.github.handler import Limits, Listener, token_of
from release_state.demo.github.model import Answer, Json, RecordedRequest, Reply, When, moment, utcnow
from release_state.demo.github.render import Renderer, number_of
from release_state.demo.github.routing import ApiError, Call, Result, find_route, not_found
from release_state.demo.github.state import GitHubState

_LOGINS = {"admin": "octo-admin", "write": "octo-dev", "read": "octo-reader", "none": "octo-stranger"}


class GitHubServer(GitHubState):
    """GitHub's REST API for one repository, live from a bare git repository; a context manager.

    Attributes:
        url: the API's root, what ``GITHUB_API_URL`` would be; known once started.
        requests: every request received, in the order of arrival.
        tokens: right by token: ``admin``, ``write``, ``read`` or ``none``. A token that begins with ``ghp_`` is a
            classic one (with ``X-OAuth-Scopes``), ``ghs_`` that of a workflow, any other a fine-grained one.
        scopes: the scopes of classic tokens; ``repo, workflow`` by default.
        intercept: called before each answer; a `Reply` that it returns is sent instead. For tests of faults.
        rewrite: called with each of the server's own answers; what it returns is sent. For tests of servers that lie.
        on_answer: called with every answer after it is made.

    """

    def __init__(
        self,
        git_dir: Path,
        repository: str = "example-org/orbit",
        default_branch: str = "main",
        private: bool = False,
        now: Callable[[], datetime] = utcnow,
        *,
        web_url: str = "https://github.com",
    ) -> None:
        super().__init__(git_dir, repository, default_branch, private, now)
        self.web_url = web_url.rstrip("/")
        self.requests: list[RecordedRequest] = []
        self.tokens: dict[str, str] = {}
        self.scopes: dict[str, str] = {}
        self.intercept: Callable[[RecordedRequest], Reply | None] | None = None
        self.rewrite: Callable[[RecordedRequest, Reply], Reply] | None = None
        self.on_answer: list[Callable[[Answer], None]] = []
        self.limits = Limits()
        self.front: str | None = None
        """The root that clients know the server by, where something stands in front of it: a relay, a proxy."""
        self.clock_ahead = 0.0
        """Seconds that its clock, as answers tell it, is ahead of this machine's."""
        self._listener: Listener | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The API's root address, without a slash at its end.

        Raises:
            RuntimeError: the server is not running.

        """
        if self._listener is None:
            raise RuntimeError("the server is not running")
        return self.front or f"http://127.0.0.1:{self._listener.server_address[1]}"

    def start(self) -> None:
        """Listen on a free port of the loopback interface."""
        if self._listener is not None:
            raise RuntimeError("the server is running already")
        self._listener = Listener(self.answer, lambda: time.time() + self.clock_ahead)
        self._thread = threading.Thread(target=ThreadingHTTPServer.serve_forever, args=(self._listener, 0.02),
                                        name="github-stand-in", daemon=True)  # fmt: skip
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and wait for every thread; stopping twice does nothing."""
        listener, thread = self._listener, self._thread
        if listener is not None and thread is not None:
            listener.shutdown()
            thread.join()
            listener.close_all()
        self._listener = self._thread = None  # until here, answers that are under way name the address

    def __enter__(self) -> GitHubServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:  # fmt: skip
        self.stop()

    def set_rate_limit(self, remaining: int, *, token: str | None = None, reset: When = None) -> None:
        """Set how many requests a caller has left (None: the anonymous one), and when its hour ends."""
        with self.lock:
            budget = self.limits.of(token, self.now())
            budget.remaining = remaining
            budget.reset = moment(reset) if reset is not None else budget.reset

    # ------------------------------------------------------------------ answering

    def answer(self, request: RecordedRequest, authorization: str | None, body: bytes) -> Reply:
        """The answer to one request, recorded and shown to the hooks."""
        with self.lock:
            self.requests.append(request)
        intercept = self.intercept
        # Outside the lock: a test may let its answer wait.
        reply = intercept(request) if intercept else None
        intercepted = reply is not None
        if reply is None:
            with self.lock:
                reply = self._own_answer(request, authorization, body)
            if self.rewrite is not None:
                own, reply = reply, self.rewrite(request, reply)
                intercepted = reply is not own
        request.status = reply.status
        shown = Answer(request.method, request.path, reply.status, reply.headers, reply.body, intercepted)
        for hook in self.on_answer:
            hook(shown)
        return reply

    def _own_answer(self, request: RecordedRequest, authorization: str | None, body: bytes) -> Reply:
        token = token_of(authorization)
        known = token is None or token in self.tokens
        stored = request.path.startswith(("/_logs/", "/_assets/"))
        budget = self.limits.of(token if known else None, self.now())
        headers = self._common_headers(token if known else None)
        request_id = headers["X-GitHub-Request-Id"]
        # The limits' own route is free, and the storage of logs and assets is not GitHub's API at all.
        free = stored or request.path == "/rate_limit"
        try:
            if "user-agent" not in request.headers:
                raise ApiError(403, "Request forbidden by administrative rules. Please make sure your request has a "
                                    "User-Agent header.")  # fmt: skip
            if not free and budget.remaining <= 0:
                raise _limit_reached(token if known else None, self._login(token), request_id)
            if not free:
                budget.remaining -= 1
            if not known and not stored:
                raise ApiError(401, "Bad credentials")
            result = self._route(request, token, body, headers)
        except ApiError as error:
            result = Result(error.body, error.status)
            location = error.body.get("url") if error.status in (301, 307) else None
            headers |= {"Location": str(location)} if location else {}
        reply = _encode(result, headers)
        if _not_modified(request, token, reply):
            reply = Reply(304, {name: text for name, text in reply.headers.items() if name != "Content-Type"})
            # Only an authorized caller gets it for nothing.
            budget.remaining += 0 if free or token is None else 1
        reply.headers |= {} if stored else budget.headers()
        return reply

    def _common_headers(self, token: str | None) -> dict[str, str]:
        headers = {
            "Server": "github.com",
            "X-GitHub-Request-Id": uuid.uuid4().hex[:20].upper(),
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Api-Version-Selected": "2022-11-28",
            "Cache-Control": f"{'public' if token is None else 'private'}, max-age=60, s-maxage=60",
            "Vary": "Accept, Authorization, Cookie, X-GitHub-OTP",
        }
        if (token or "").startswith("ghp_"):
            headers |= {"X-OAuth-Scopes": self.scopes.get(token or "", "repo, workflow"), "X-Accepted-OAuth-Scopes": ""}
        return headers

    def _login(self, token: str | None) -> str:
        if (token or "").startswith("ghs_"):
            return "github-actions[bot]"
        return _LOGINS[self.tokens.get(token or "", "none")]

    def _route(self, request: RecordedRequest, token: str | None, body: bytes, headers: dict[str, str]) -> Result:
        # The real gh comes here by a socket and takes it for GitHub itself: to what has another host it sends no token.
        by_name = request.headers.get("host") == "api.github.com"
        render = Renderer(self, "https://api.github.com" if by_name else self.url, self.web_url)
        if request.path == "/rate_limit":
            return Result(self._show_limits(token))
        found = find_route(request.method, request.path)
        if found is None:
            raise not_found()
        route, parameters = found
        right = self.tokens.get(token or "", "none")
        if "repo" in parameters or "repository_id" in parameters:
            if self.private and right == "none":
                raise not_found()
            self._check_repository(request, parameters)
        if route.permission and token and not token.startswith("ghp_"):
            headers["X-Accepted-GitHub-Permissions"] = route.permission
        call = Call(self, render, request, right, token, self._login(token), _json_of(request, body), parameters)
        if route.right != "none":
            call.demand(route.right)
        return route.handler(call)

    def _check_repository(self, request: RecordedRequest, parameters: dict[str, str]) -> None:
        """Refuse another repository; redirect from an older name.

        Source: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
        """
        if "repository_id" in parameters:
            if parameters["repository_id"] != str(self.repository_id):
                raise not_found()
            return
        name = f"{parameters['owner']}/{parameters['repo']}".lower()
        if name == self.repository.lower():
            return
        if name not in {old.lower() for old in self.renamed_from}:
            raise not_found()
        rest = "/".join(request.path.split("/")[4:])
        target = f"{self.url}/repositories/{self.repository_id}" + (f"/{rest}" if rest else "")
        query = urlencode(request.query)
        reading = request.method in ("GET", "HEAD")
        docs = "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects"
        raise ApiError(301 if reading else 307, "Moved Permanently" if reading else "Temporary Redirect", docs=docs,
                       url=target + (f"?{query}" if query else ""))  # fmt: skip

    def _show_limits(self, token: str | None) -> Json:
        core = self.limits.of(token, self.now()).show()
        search = core | {"limit": 30, "used": 0, "remaining": 30}
        return {"resources": {"core": core, "search": search, "graphql": core}, "rate": core}


def _limit_reached(token: str | None, login: str, request_id: str) -> ApiError:
    docs = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"
    if token is None:
        comfort = (
            "(But here's the good news: Authenticated requests get a higher rate limit. "
            "Check out the documentation for more details.)"
        )
        return ApiError(403, f"API rate limit exceeded for 127.0.0.1. {comfort}", docs=docs)
    comfort = f"If you reach out to GitHub Support for help, please include the request ID {request_id}."
    return ApiError(403, f"API rate limit exceeded for user ID {number_of(login)}. {comfort}", docs=docs)


def _json_of(request: RecordedRequest, body: bytes) -> Json:
    if not body or request.method == "GET":
        return {}
    try:
        parsed = json.loads(body)
    except ValueError as error:
        raise ApiError(400, "Problems parsing JSON") from error
    if not isinstance(parsed, dict):
        raise ApiError(400, "Body should be a JSON object")
    return parsed


def _encode(result: Result, headers: dict[str, str]) -> Reply:
    if result.status == 204:
        return Reply(204, {**headers, **result.headers})
    if isinstance(result.body, bytes):
        return Reply(result.status, {**headers, **result.headers}, result.body)
    body = json.dumps(result.body, ensure_ascii=False).encode()
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Reply(result.status, {**headers, **kind, **result.headers}, body)


def _not_modified(request: RecordedRequest, token: str | None, reply: Reply) -> bool:
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
