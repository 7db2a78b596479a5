"""A socket file that leads to a port of this machine, for the real GitHub CLI, which can be sent to a socket."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType


class UnixToPort:
    """Passes on what comes in at `path` to the port, and back; a context manager."""

    def __init__(self, path: Path, port: int) -> None:
        self._server = _Listener(str(path), _Connection)
        self._server.port = port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="relay")

    def __enter__(self) -> UnixToPort:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Listener(socketserver.ThreadingUnixStreamServer):
    port = 0


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """One connection, until the client ends it."""
        server = self.server
        assert isinstance(server, _Listener)
        with socket.create_connection(("127.0.0.1", server.port)) as there:
            back = threading.Thread(target=_pass_on, args=(there, self.request))
            back.start()
            _pass_on(self.request, there)
            back.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
