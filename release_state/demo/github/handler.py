"""The HTTP side: connections that stay open, and a stop that leaves no thread behind."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from release_state.demo.github.model import RecordedRequest, Reply

Answerer = Callable[[RecordedRequest, str | None, bytes], Reply]


class Handler(BaseHTTPRequestHandler):
    """Reads requests of one connection and writes what the server answers."""

    protocol_version = "HTTP/1.1"
    # Headers and body leave in two writes; without this each answer would wait for an acknowledgement.
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        authorization = headers.pop("authorization", None)
        length = int(headers.get("content-length") or 0)
        body = self.rfile.read(length) if length else b""
        request = RecordedRequest(
            self.command, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), 0,
            bool(authorization), headers,
        )  # fmt: skip
        reply = cast("Listener", self.server).answerer(request, authorization, body)
        if reply.status == 0:
            self.close_connection = True
            return
        self._write(reply)

    def _write(self, reply: Reply) -> None:
        names = {name.lower() for name in reply.headers}
        self.log_request(reply.status)
        self.send_response_only(reply.status)
        if "date" not in names:
            self.send_header("Date", self.date_time_string(cast("Listener", self.server).clock()))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        empty = reply.status in (204, 304)
        if "content-length" not in names and not empty:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD" and not empty:
            self.wfile.write(reply.body)
        announced = next((value for name, value in reply.headers.items() if name.lower() == "content-length"), None)
        if announced is not None and announced != str(len(reply.body)):
            # A truncated answer is only seen as one when the connection ends.
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _handle  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the inherited name
        """Print nothing: requests are recorded instead."""


class Listener(ThreadingHTTPServer):
    """A listener on a free port of the loopback interface that knows its connections."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answerer: Answerer, clock: Callable[[], float] = time.time) -> None:
        self.answerer, self.clock = answerer, clock
        self._open: dict[threading.Thread, socket.socket] = {}
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", 0), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread that `close_all` can find."""
        thread = threading.Thread(target=self._serve, args=(request, client_address), daemon=True)
        with self._guard:
            self._open[thread] = request
        thread.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._guard:
                self._open.pop(threading.current_thread(), None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent when the caller went away; anything else is a defect and is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def close_all(self) -> None:
        """Close the port and every connection, and wait for their threads."""
        self.server_close()
        with self._guard:
            threads = dict(self._open)
        for connection in threads.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(timeout=10)
