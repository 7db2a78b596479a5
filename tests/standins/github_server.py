"""GitHub's REST API with what the demo world's requests never meet: callers without rights, limits, refusals."""

from __future__ import annotations

import base64
import binascii
import uuid

from release_state.demo import github
from release_state.demo.github.model import Json
from release_state.demo.github.routing import ApiError, Call, Result, find_route, not_found
from release_state.demo.github.server import WEB_URL, encode, not_modified
from release_state.demo.loopback import Reply, Request
from tests.standins.github_fields import number_of

_LOGINS = {"admin": "octo-admin", "write": "octo-dev", "read": "octo-reader", "none": "octo-stranger"}


class StrictServer(github.GitHubServer):
    """Answers each caller by its token.

    A token that begins with `ghp_` is a classic one, with the scopes of `scopes` (by default `repo, workflow`), `ghs_`
    that of a workflow, any other a fine-grained one.
    """

    scopes: dict[str, str]

    def _answer(self, request: Request) -> Reply:
        token = token_of(request.authorization)
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
            result = self._route_with(request, token, headers)
        except ApiError as error:
            result = Result(error.body, error.status)
            location = error.body.get("url") if error.status in (301, 307) else None
            headers |= {"Location": str(location)} if location else {}
        reply = Reply(204, dict(result.headers)) if result.status == 204 else encode(result)
        reply.headers = {**headers, **reply.headers}
        if not_modified(request, token, reply):
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

    def _route_with(self, request: Request, token: str | None, headers: dict[str, str]) -> Result:
        # The real gh comes here by a socket and takes it for GitHub itself: to what has another host it sends no token.
        by_name = request.headers.get("host") == "api.github.com"
        render = self.renderer(self, "https://api.github.com" if by_name else self.url, WEB_URL)
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
            self.check_repository(request, parameters)
        if route.permission and token and not token.startswith("ghp_"):
            headers["X-Accepted-GitHub-Permissions"] = route.permission
        call = Call(self, render, request, right, token, parameters, self._login(token))
        return route.handler(call)

    def _show_limits(self, token: str | None) -> Json:
        core = self.limits.of(token, self.now()).show()
        search = core | {"limit": 30, "used": 0, "remaining": 30}
        return {"resources": {"core": core, "search": search, "graphql": core}, "rate": core}


def _limit_reached(token: str | None, login: str, request_id: str) -> ApiError:
    docs = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"
    who = f"user ID {number_of(login)}. If you reach out to GitHub Support for help, please include the request ID "
    who += f"{request_id}."
    if token is None:
        who = "127.0.0.1. (But here's the good news: Authenticated requests get a higher rate limit. "
        who += "Check out the documentation for more details.)"
    return ApiError(403, f"API rate limit exceeded for {who}", docs=docs)


def token_of(authorization: str | None) -> str | None:
    """The token of an `Authorization` header: `Bearer T`, `token T` or Basic with T as the password."""
    if not authorization:
        return None
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return value.strip()
    try:
        return base64.b64decode(value).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
