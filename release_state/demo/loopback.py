"""HTTP on loopback for the demo world: its services start and stop at once and leave no thread behind."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass
class Request:
    """A request as it came in.

    `path` is percent-encoded and has no query; of a repeated parameter, `query` has the last value. The names of
    `headers` are lower case, and `authorization` stands beside them. `status` is the answer's, 0 until it is sent.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    authorization: str | None = field(default=None, repr=False)
    body: bytes = field(default=b"", repr=False)
    status: int = 0


@dataclass
class Reply:
    """An answer; the status 0 closes the connection without one, a `Content-Length` that is too large truncates it."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Service:
    """Answers HTTP requests on a free port of 127.0.0.1, in threads of its own; a context manager."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def answer(self, request: Request) -> Reply:
        """The answer to a request."""
        raise NotImplementedError

    def respond(self, request: Request) -> Reply:
        """Answer a request and note the status in it."""
        reply = self.answer(request)
        request.status = reply.status
        return reply

    def start(self) -> None:
        """Begin to serve on a free port; raises `RuntimeError` when it serves already."""
        if self._server is not None:
            raise RuntimeError("the service is running already")
        self._server = _Server(self)
        # The default interval of half a second would be the time that each stop takes.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and cut what is still connected; harmless when it is not running."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.close_all()
        self._server = self._thread = None  # until here, answers that are under way name the address

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
        """The root of the service, without a slash at its end; raises `RuntimeError` when it is not running."""
        if self._server is None:
            raise RuntimeError("the service is not running")
        return f"http://127.0.0.1:{self._server.server_port}"


class _Server(ThreadingHTTPServer):
    """A listener that knows its connections and their threads."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, service: Service) -> None:
        self.service = service
        self._connections: list[tuple[threading.Thread, socket.socket]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        # HTTPServer asks the resolver for the name of this host, which can take seconds without one.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread that `close_all` can find."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        thread.start()
        self._connections = [(thread, request), *(pair for pair in self._connections if pair[0].is_alive())]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent when the client went away; anything else is a defect and is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def close_all(self) -> None:
        """Close the port and every connection, and wait for their threads."""
        self.server_close()
        for _, connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread, _ in self._connections:
            thread.join(timeout=10)


class _Handler(BaseHTTPRequestHandler):
    """Reads the requests of one connection and writes what the service answers."""

    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet; sent apart, delayed acknowledgement costs 40 ms each.
    wbufsize = -1
    disable_nagle_algorithm = True

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()

    def _respond(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        authorization = headers.pop("authorization", None)
        body = self.rfile.read(int(headers.get("content-length") or 0))
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        request = Request(self.command, parts.path, query, headers, authorization, body)
        reply = cast(_Server, self.server).service.respond(request)
        if reply.status == 0:
            self.close_connection = True
            return
        length = str(len(reply.body))
        sent = {"Date": self.date_time_string()}
        if reply.status not in (204, 304):
            sent["Content-Length"] = length
        sent |= reply.headers
        self.send_response_only(reply.status)
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and reply.status not in (204, 304):
            self.wfile.write(reply.body)
        if sent.get("Content-Length", length) != length:
            # The client sees a truncated answer as one only when the connection ends.
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = _respond  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Print nothing."""


STATUS_PAGES = {
    "github": ("GitHub", ("Git Operations", "API Requests", "Actions", "Pull Requests", "Pages")),
    "pypi": ("Python Infrastructure", ("General", "Backends", "File hosting")),
}
"""The name of each page and its components; those of `pypi` are in a group named PyPI."""


class StatusPages(Service):
    """Two status pages, `http://127.0.0.1:PORT/{github,pypi}`. Source: https://www.githubstatus.com/api"""

    def page_url(self, page: str) -> str:
        """The root of a page."""
        return f"{self.url}/{page}"

    def answer(self, request: Request) -> Reply:
        """The summary of a page."""
        page, _, path = request.path.lstrip("/").partition("/")
        if page not in STATUS_PAGES or path != "api/v2/summary.json":
            return Reply(404, {"Content-Type": "text/plain"}, b"Not Found")
        body = json.dumps(self.summary(page)).encode()
        return Reply(200, {"Content-Type": "application/json; charset=utf-8"}, body)

    def summary(self, page: str) -> dict[str, Any]:
        """The summary of a page as its JSON shows it."""
        return {
            "page": {"id": page, "name": STATUS_PAGES[page][0], "url": self.page_url(page), "time_zone": "Etc/UTC"},
            "components": self.components(page),
            "incidents": [],
            "scheduled_maintenances": [],
            "status": {"indicator": "none", "description": "All Systems Operational"},
        }

    def components(self, page: str) -> list[dict[str, Any]]:
        """The components of a page, all operational."""
        group = "group" if page == "pypi" else None
        usual = {"status": "operational", "only_show_if_degraded": False}
        found: list[dict[str, Any]] = [
            {"id": f"component-{number}", "name": name, "group_id": group, "group": False, **usual}
            for number, name in enumerate(STATUS_PAGES[page][1])
        ]
        if group is None:
            return found
        children = [component["id"] for component in found]
        return [{"id": group, "name": "PyPI", "group_id": None, "group": True, "components": children, **usual}, *found]
