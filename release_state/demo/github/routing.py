"""How a request finds its route, and the answers that all routes share: errors, pages, required rights."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlencode

from release_state.demo.github.model import Json
from release_state.demo.loopback import Request

if TYPE_CHECKING:
    from release_state.demo.github.render import Renderer
    from release_state.demo.github.state import GitHubState

T = TypeVar("T")
DOCS = "https://docs.github.com/rest"
RIGHTS = ("none", "read", "write", "admin")


class ApiError(Exception):
    """An answer other than success, with GitHub's message."""

    def __init__(self, status: int, message: str, errors: Sequence[Json] = (), docs: str = DOCS, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"message": message}
        if errors:
            self.body["errors"] = list(errors)
        self.body |= {"documentation_url": docs, "status": str(status), **more}


def not_found(message: str = "Not Found") -> ApiError:
    """GitHub's answer to what does not exist, or what the caller must not know to exist."""
    return ApiError(404, message)


@dataclass
class Result:
    """What a route answers: a status, a body to send as JSON (or bytes as they are) and further headers."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """One request on its way through a route.

    `right` is the caller's right to the repository, one of `RIGHTS`, and `login` the caller's account. An anonymous
    caller has the right `none` and no token.
    """

    state: GitHubState
    render: Renderer
    request: Request
    right: str
    token: str | None
    parameters: dict[str, str]
    login: str = ""

    def __getitem__(self, name: str) -> str:
        return self.parameters[name]

    def number(self, name: str) -> int:
        """A path parameter that must be a number; anything else is no route of GitHub's."""
        if not self[name].isdigit():
            raise not_found()
        return int(self[name])

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters."""
        return self.request.query

    def may(self, right: str) -> bool:
        """Whether the caller has at least this right."""
        return RIGHTS.index(self.right) >= RIGHTS.index(right)

    def demand(self, right: str) -> None:
        """Refuse a caller who lacks the right, in GitHub's words: 401 for an anonymous one, else 403."""
        if self.may(right):
            return
        if self.token is None:
            raise ApiError(401, "Requires authentication")
        kind = "integration" if self.token.startswith("ghs_") else "personal access token"
        raise ApiError(403, f"Resource not accessible by {kind}")

    def page(
        self, items: Sequence[T], show: Callable[[T], Any], wrap: str | None = None, most: int | None = None
    ) -> Result:
        """One page of the items with GitHub's `Link` header; `wrap` names the list inside an object.

        Of more than `most` items the first ones are shown, and all are counted.

        Source: https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api
        """
        size = min(_positive(self.query.get("per_page"), 30), 100)
        page = _positive(self.query.get("page"), 1)
        reached = items[:most]
        last = max(1, -(-len(reached) // size))
        shown = [show(item) for item in reached[(page - 1) * size : page * size]]
        body: Any = shown if wrap is None else {"total_count": len(items), wrap: shown}
        targets: dict[str, int] = {}
        if page > 1:
            targets["prev"] = min(page - 1, last)
        if page < last:
            targets |= {"next": page + 1, "last": last}
        if page > 1:
            targets["first"] = 1
        links = [f'<{self._page_url(number)}>; rel="{rel}"' for rel, number in targets.items()]
        return Result(body, headers={"Link": ", ".join(links)} if links else {})

    def _page_url(self, number: int) -> str:
        # GitHub's own links name the repository by its id, whatever name the caller used.
        path = re.sub(r"^/repos/[^/]+/[^/]+", f"/repositories/{self.state.repository_id}", self.request.path)
        return f"{self.render.api}{path}?{urlencode({**self.query, 'page': str(number)})}"


Handler = Callable[[Call], Result]


@dataclass(frozen=True)
class Route:
    """One route: its pattern over the percent-encoded path, its handler and the permission it documents."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    permission: str


ROUTES: list[Route] = []


def route(method: str, path: str, *, permission: str = "", root: bool = False,
          ) -> Callable[[Handler], Handler]:  # fmt: skip
    """Register a handler for a path below the repository, or of the API itself with `root`.

    `{name}` is one segment; `{name:path}` may hold slashes, and the routes that were registered first win.
    """
    expression = re.sub(r"\\{(\w+):path\\}", r"(?P<\1>.+?)", re.escape(path))
    expression = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", expression)
    prefix = "" if root else "(?:/repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)|/repositories/(?P<repository_id>[^/]+))"

    def register(handler: Handler) -> Handler:
        ROUTES.append(Route(method, re.compile(prefix + expression), handler, permission))
        return handler

    return register


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a request with its decoded parameters."""
    method = "GET" if method == "HEAD" else method
    for candidate in ROUTES:
        match = candidate.pattern.fullmatch(path) if candidate.method == method else None
        if match:
            return candidate, {name: unquote(text) for name, text in match.groupdict().items() if text is not None}
    return None


def _positive(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() and int(text) > 0 else default
