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
from release_state.observe.git.objects import GitObject, Objects
from release_state.observe.git.store import Store
from release_state.observe.http.client import HttpClient
from release_state.observe.http.response import Response

REF = "a" * 40
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


class CannedObjects(Objects):
    """A repository with one commit: its object is the given one, or its tree, or its files."""

    def __init__(self, data: bytes, kind: str) -> None:
        super().__init__(Path("/nonexistent"), {})
        self._kind, (self._data, _, self._content) = kind, data.partition(b"\n--\n")

    def read(self, git: Git, name: str, most: int = 2**20) -> GitObject | None:
        """The object."""
        if self._kind != "tree":
            return GitObject(self._kind, self._data[:most])
        if name == REF:
            return GitObject("commit", b"tree " + b"b" * 40 + b"\n\n")
        return GitObject("tree", self._data) if name == "b" * 40 else GitObject("blob", self._content[:most])


def store(output: bytes, kind: str = "commit") -> Store:
    """A repository whose git prints this."""
    return Store(CannedGit(5, output=output), Path("/nonexistent"), {}, False, CannedObjects(output, kind))


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
