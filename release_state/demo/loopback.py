"""HTTP on loopback for the demo world: starts and ends at once, leaves no thread behind, plays faults on request."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass
class Request:
    """A request as it came in, and the status that it got (0 until it is answered, or when the line was cut)."""

    method: str
    path: str
    headers: Mapping[str, str]
    status: int = 0


@dataclass(frozen=True)
class Reply:
    """An answer; also what an `intercept` gives instead of the server's own."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds to wait before the answer; ends early when the server stops."""
    truncate: int | None = None
    """Send only so many bytes of the body that `Content-Length` announces, then cut the line."""
    drop: bool = False
    """Cut the line without any answer."""


class Service:
    """
    Something that answers HTTP requests on a free port of 127.0.0.1, in threads of its own.

    A context manager. `requests` records what was asked; `intercept` sees each request first and may answer it.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.intercept: Callable[[Request], Reply | None] | None = None
        self.front: str | None = None
        """The root that clients know the server by, where something stands in front of it: a relay, a proxy."""
        self.stopping = threading.Event()
        self.lock = threading.RLock()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def answer(self, request: Request) -> Reply:
        """What the service says to a request."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin to serve on a free port."""
        self.stopping.clear()
        self._server = _Server(self)
        # The default interval of half a second would be the time that each stop takes.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and cut what is still connected; harmless when it is not running."""
        if self._server is None or self._thread is None:
            return
        self.stopping.set()
        self._server.shutdown()
        self._server.cut_connections()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def url(self) -> str:
        """The root of the server, without a slash at its end."""
        if self._server is None:
            raise RuntimeError("the service is not running")
        return self.front or f"http://127.0.0.1:{self._server.server_port}"


class _Server(ThreadingHTTPServer):
    # The threads are waited for in server_close, so that none outlives the world.
    daemon_threads = False

    def __init__(self, service: Service) -> None:
        self.service = service
        self._connections: set[socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        # HTTPServer asks the resolver for the name of this host, which can take seconds where there is none.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def opened(self, connection: socket) -> None:
        with self._lock:
            self._connections.add(connection)
        # Accepted just before the stop: its thread would otherwise wait for a request that never comes.
        if self.service.stopping.is_set():
            self.cut_connections()

    def closed(self, connection: socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def cut_connections(self) -> None:
        """End idle keep-alive connections, whose threads would wait for the client."""
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "demo"
    sys_version = ""
    # Head and body leave in one packet; sent apart, delayed acknowledgement costs 40 ms each.
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        cast(_Server, self.server).opened(self.connection)

    def finish(self) -> None:
        cast(_Server, self.server).closed(self.connection)
        with suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: `requests` has it all."""

    def do_GET(self) -> None:
        """Answer and record."""
        service = cast(_Server, self.server).service
        request = Request(self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        with service.lock:
            service.requests.append(request)
        reply = (service.intercept(request) if service.intercept else None) or service.answer(request)
        stopped = service.stopping.wait(reply.delay) if reply.delay else False
        if reply.drop or stopped:
            self.close_connection = True
            return
        request.status = reply.status
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name in reply.headers):
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if reply.truncate is not None:
            self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(reply.body[: reply.truncate])

    do_HEAD = do_GET  # noqa: N815 - the base class's name


_PAGES = {
    "github": ("GitHub", ("Git Operations", "API Requests", "Actions", "Pull Requests", "Pages")),
    "pypi": ("Python Infrastructure", ("General", "Backends", "File hosting")),
}
"""What each page calls itself, and its components; those of `pypi` are in a group called PyPI."""


class StatusPages(Service):
    """
    Two status pages, `http://127.0.0.1:PORT/{github,pypi}`, on which all is well until a test says otherwise.

    A `Service`; may be changed while it serves. Source: https://www.githubstatus.com/api
    """

    def __init__(self) -> None:
        super().__init__()
        self.levels: dict[tuple[str, str], str] = {}
        """By page and component: `degraded_performance`, `partial_outage`, `major_outage`, `under_maintenance`."""
        self.incidents: dict[str, list[dict[str, Any]]] = {page: [] for page in _PAGES}

    def page_url(self, page: str) -> str:
        """The root of a page."""
        return f"{self.url}/{page}"

    def degrade(self, page: str, component: str, level: str) -> None:
        """Set the level of a component."""
        with self.lock:
            self.levels[page, component] = level

    def report(self, page: str, title: str, *components: str) -> str:
        """Open an incident about components; returns its link."""
        with self.lock:
            link = f"{self.page_url(page)}/incidents/{len(self.incidents[page]) + 1}"
            affected = [component for component in self._components(page) if component["name"] in components]
            self.incidents[page].append(
                {
                    "id": f"incident-{len(self.incidents[page]) + 1}",
                    "name": title,
                    "status": "investigating",
                    "impact": "minor",
                    "shortlink": link,
                    "components": affected,
                }
            )
            return link

    def answer(self, request: Request) -> Reply:
        """The summary of a page."""
        page, _, path = request.path.lstrip("/").partition("/")
        if page not in _PAGES or path != "api/v2/summary.json":
            return Reply(404, b"Not Found", {"Content-Type": "text/plain"})
        with self.lock:
            components = self._components(page)
            troubled = any(component["status"] != "operational" for component in components)
            summary = {
                "page": {"id": page, "name": _PAGES[page][0], "url": self.page_url(page), "time_zone": "Etc/UTC"},
                "components": components,
                "incidents": self.incidents[page],
                "scheduled_maintenances": [],
                "status": {
                    "indicator": "minor" if troubled else "none",
                    "description": "Partially Degraded Service" if troubled else "All Systems Operational",
                },
            }
        return Reply(200, json.dumps(summary).encode(), {"Content-Type": "application/json; charset=utf-8"})

    def _components(self, page: str) -> list[dict[str, Any]]:
        names = _PAGES[page][1]
        group = "group" if page == "pypi" else None
        found = [
            {
                "id": f"component-{number}",
                "name": name,
                "status": self.levels.get((page, name), "operational"),
                "group_id": group,
                "group": False,
                "only_show_if_degraded": False,
            }
            for number, name in enumerate(names)
        ]
        if group is None:
            return found
        children = [component["id"] for component in found]
        head = {"id": group, "name": "PyPI", "status": "operational", "group_id": None, "group": True}
        return [{**head, "only_show_if_degraded": False, "components": children}, *found]
