"""The HTTP side: connections that stay open, and a stop that leaves no thread behind."""

from __future__ import annotations

import base64
import binascii
import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from release_state.demo.github.model import Json, RecordedRequest, Reply, moment

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


ANONYMOUS_LIMIT = 60
TOKEN_LIMIT = 5000


@dataclass
class Budget:
    """One caller's requests in the present hour."""

    limit: int
    remaining: int
    reset: datetime

    @property
    def used(self) -> int:
        """How many were spent."""
        return self.limit - self.remaining

    def headers(self) -> dict[str, str]:
        """The rate-limit headers; the reset in seconds since 1970."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Used": str(self.used),
            "X-RateLimit-Reset": str(int(self.reset.timestamp())),
            "X-RateLimit-Resource": "core",
        }

    def show(self) -> Json:
        """The budget as ``/rate_limit`` shows it."""
        reset = int(self.reset.timestamp())
        return {"limit": self.limit, "used": self.used, "remaining": self.remaining, "reset": reset}


class Limits:
    """The budgets of all callers; None is the anonymous one."""

    def __init__(self) -> None:
        self._budgets: dict[str | None, Budget] = {}

    def of(self, token: str | None, now: datetime) -> Budget:
        """The caller's budget, a fresh one when its hour is over."""
        budget = self._budgets.get(token)
        if budget is None or moment(now) >= budget.reset:
            limit = ANONYMOUS_LIMIT if token is None else TOKEN_LIMIT
            budget = self._budgets[token] = Budget(limit, limit, moment(now) + timedelta(hours=1))
        return budget


def token_of(authorization: str | None) -> str | None:
    """The token of an ``Authorization`` header: ``Bearer T``, ``token T`` or Basic with T as the password."""
    if not authorization:
        return None
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return value.strip()
    try:
        return base64.b64decode(value).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
