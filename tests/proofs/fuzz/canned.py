"""Services and a git that answer whatever they are told to: the parsers behind them are the ones of a run."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from release_state.observe.git.command import Git, GitOutput
from release_state.observe.git.store import Store
from release_state.observe.http.client import HttpClient
from release_state.observe.http.response import Response

API = "https://api.github.example"
JSON = {"Content-Type": "application/json; charset=utf-8"}


class CannedClient(HttpClient):
    """A client in front of no network: every GET is answered by a function of its URL, with status 200."""

    def __init__(self, body: Callable[[str], bytes], headers: dict[str, str] | None = None) -> None:
        super().__init__(5, token="t", token_host=API)
        self._body, self._sent = body, JSON if headers is None else headers

    def get(self, url: str, **options: Any) -> Response:
        """The answer."""
        return Response(200, self._sent, self._body(url), url)


@dataclass(frozen=True)
class CannedGit(Git):
    """A git that prints the same whatever it is asked."""

    output: bytes = b""

    def run(self, *arguments: str, **options: Any) -> GitOutput:
        """The answer."""
        return GitOutput(0, self.output, "")


@cache
def _git() -> Git:
    return Git(5)


def store(output: bytes) -> Store:
    """A repository whose git prints this."""
    return Store(CannedGit(5, output=output), Path("/nonexistent"), {}, persistent=False)


class Wire:
    """A server on loopback that sends the same bytes to everybody, whatever they ask."""

    def __init__(self) -> None:
        self.sent = b""
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=8)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, name="fuzz-wire", daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            with connection, suppress(OSError):
                connection.settimeout(2)
                connection.recv(2**16)
                connection.sendall(self.sent)


@cache
def _wire() -> tuple[Wire, HttpClient]:
    wire = Wire()
    # Less time than a pause takes: nothing is asked twice.
    return wire, HttpClient(0.24, token="t" * 20, token_host=wire.url)


def asked_over(data: bytes) -> tuple[object, Response]:
    """
    What a client makes of these bytes, as they come over the wire.

    Raises LookupFailed.
    """
    wire, client = _wire()
    wire.sent = data.replace(b"PORT", wire.url.rpartition(":")[2].encode())
    return client.get_json(f"{wire.url}/x", allow_status={404})
