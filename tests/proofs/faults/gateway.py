"""What a run talks to instead of the demo world's services: passes their true answers on, or plays a fault.

Everything is on loopback. A visit is one run's view of the services, under a path of its own, so that many runs with
different faults can share one gateway at the same time.
"""

from __future__ import annotations

import itertools
import re
import shutil
import socket
import ssl
import struct
import subprocess
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from tests.standins.world import World

REASONS = {code: short for code, (short, _) in BaseHTTPRequestHandler.responses.items()}
PORTS = ("github", "storage", "index", "git", "status", "elsewhere", "tls")
"""Who listens: GitHub's API, the storage of its logs, the indexes, the remote, the status pages; another host; a server
that nobody trusts."""
LOGS = "/_logs/"
"""Where the demo world's GitHub keeps logs."""
MOVED = ".moved"
"""Behind a visit's name: the same services after they moved, without faults."""


@dataclass(frozen=True)
class Reply:
    """An answer; `Content-Length` and `Date` are added where they are not given."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def head(self, **more: str) -> bytes:
        """Status line and headers."""
        own = {"Date": formatdate(usegmt=True), "Content-Length": str(len(self.body))}
        names = {name.lower() for name in (*self.headers, *more)}
        headers = {name: value for name, value in own.items() if name.lower() not in names}
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'X')}"]
        lines += [f"{name}: {value}" for name, value in {**headers, **self.headers, **more}.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass(frozen=True)
class Asked:
    """A request: whom it was for, what it was, and whether it carried credentials; `row` once it is known."""

    service: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    elsewhere: bool = False
    """Whether it came to the other host."""
    row: str | None = None

    @property
    def path(self) -> str:
        """The path, without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


class Player(Protocol):
    """Plays a fault for one request."""

    def __call__(self, exchange: Exchange) -> None:
        """Write to the connection; it is closed afterwards unless `exchange.keep` was set."""


class Services:
    """The world's own services, asked once for each question: the world stands still meanwhile."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.urls = {
            "github": world.github.url,
            "storage": world.github.url,
            "index": world.index.url,
            "status": world.status.url,
        }
        self._git = shutil.which("git") or "git"
        self._known: dict[tuple[object, ...], Reply] = {}
        self._lock = threading.Lock()

    def ask(self, asked: Asked) -> Reply:
        """The true answer, with the services' own addresses in it."""
        telling = ("accept", "authorization", "git-protocol", "content-encoding")
        key = (asked.service, asked.target, asked.body, *(asked.headers.get(name) for name in telling))
        with self._lock:
            found = self._known.get(key)
        if found is None:
            found = self._ask_git(asked) if asked.service == "git" else self._ask_http(asked)
            with self._lock:
                self._known[key] = found
        return found

    def _ask_http(self, asked: Asked) -> Reply:
        connection = HTTPConnection(urlsplit(self.urls[asked.service]).netloc, timeout=60)
        try:
            headers = {name: value for name, value in asked.headers.items() if name not in ("host", "connection")}
            connection.request(asked.method, asked.target, asked.body or None, headers)
            response = connection.getresponse()
            hidden = ("date", "content-length", "connection", "server")
            told = {name: value for name, value in response.getheaders() if name.lower() not in hidden}
            return Reply(response.status, told, response.read())
        finally:
            connection.close()

    def _ask_git(self, asked: Asked) -> Reply:
        """As a web server that hosts git does: through git's own CGI program."""
        parts = urlsplit(asked.target)
        environment = {
            "PATH": "/usr/bin:/bin",
            "GIT_PROJECT_ROOT": str(self.world.remote.parent.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "uploadpack.allowFilter",
            "GIT_CONFIG_VALUE_0": "true",
            "GIT_CONFIG_KEY_1": "uploadpack.allowAnySHA1InWant",
            "GIT_CONFIG_VALUE_1": "true",
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": asked.method,
            "CONTENT_TYPE": asked.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(asked.body)),
            "HTTP_CONTENT_ENCODING": asked.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": asked.headers.get("git-protocol", ""),
        }
        done = subprocess.run([self._git, "http-backend"], env=environment, input=asked.body, capture_output=True)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line)
        return Reply(int(headers.pop("Status", "200").split()[0]), headers, body)


class Rows(Protocol):
    """Tells which row of the matrix a request belongs to."""

    def __call__(self, asked: Asked) -> str | None:
        """The row's name; None for a request that no row claims."""


class Visit:
    """One run's view of a world's services: its addresses, its faults, and what it asked."""

    def __init__(
        self, gateway: Gateway, name: str, services: Services, row_of: Rows, faults: Mapping[str, tuple[int, Player]]
    ) -> None:
        self.gateway, self.name, self.services, self.row_of, self.faults = gateway, name, services, row_of, faults
        self.asked: list[Asked] = []
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def url(self, service: str, *, elsewhere: bool = False, moved: bool = False) -> str:
        """The root of a service, without a slash at its end."""
        port = self.gateway.port("elsewhere" if elsewhere else service)
        return f"http://127.0.0.1:{port}/{self.name}{MOVED if moved else ''}/{service}"

    def number_of(self, asked: Asked, row: str | None) -> int:
        """Note a request; how many of the same row came before it."""
        with self._lock:
            self.asked.append(Asked(**{**asked.__dict__, "row": row}))
            self._counts[row or ""] += 1
            return self._counts[row or ""] - 1


@dataclass
class Exchange:
    """One request and the connection that it came on."""

    asked: Asked
    visit: Visit
    connection: socket.socket
    stopping: threading.Event
    number: int = 0
    """How many requests of the same row came before this one."""
    moved: bool = False
    keep: bool = False
    """Whether the connection stays open."""

    def true_reply(self, *, elsewhere: bool = False, moved: bool = False) -> Reply:
        """What the world's own service says, with the visit's addresses in it."""
        # Pages are the faults' own: the world has few of everything.
        target = re.sub(r"[?&]page=\d+$", "", self.asked.target)
        reply = self.visit.services.ask(Asked(**{**self.asked.__dict__, "target": target}))
        service = self.asked.service
        if service in ("git", "storage"):
            return reply
        own = self.visit.services.urls[service]
        ours = self.visit.url(service, elsewhere=elsewhere, moved=moved)
        # GitHub keeps its logs on another host.
        logs, storage = f"{own}{LOGS}", f"{self.visit.url('storage')}{LOGS}"
        headers = {name: value.replace(logs, storage).replace(own, ours) for name, value in reply.headers.items()}
        return Reply(reply.status, headers, reply.body.replace(own.encode(), ours.encode()))

    def send(self, reply: Reply) -> None:
        """Give a whole answer and keep the connection."""
        self.connection.sendall(reply.head() + reply.body)
        self.keep = True

    def raw(self, data: bytes) -> None:
        """Send bytes."""
        self.connection.sendall(data)

    def here(self, *, elsewhere: bool = False, moved: bool = False) -> str:
        """The address of this very question."""
        return self.visit.url(self.asked.service, elsewhere=elsewhere, moved=moved) + self.asked.target

    def reset(self) -> None:
        """End the connection with a reset (RST) instead of a proper end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Gateway:
    """Listens on `PORTS`; a context manager."""

    def __init__(self, certificate: Path | None = None) -> None:
        self._visits: dict[str, Visit] = {}
        self._names = itertools.count(1)
        self._stopping = threading.Event()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if certificate is not None:
            self._tls.load_cert_chain(certificate)
        self._listeners = {name: socket.create_server(("127.0.0.1", 0), backlog=128) for name in PORTS}
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        # Bound and not listening: refused, and nobody else can take the port meanwhile.
        self._refusing = socket.socket()
        self._refusing.bind(("127.0.0.1", 0))
        # A queue that is full: connecting neither succeeds nor fails.
        self._deaf = socket.create_server(("127.0.0.1", 0), backlog=0)
        self._waiting = [socket.socket() for _ in range(4)]
        for waiting in self._waiting:
            waiting.setblocking(False)
            waiting.connect_ex(self._deaf.getsockname())

    def __enter__(self) -> Gateway:
        """Start."""
        for name in self._listeners:
            threading.Thread(target=self._accept, args=(name,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and cut what is still connected."""
        self._stopping.set()
        for listener in self._listeners.values():
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for held in (self._refusing, self._deaf, *self._waiting):
            held.close()

    def visit(self, services: Services, row_of: Rows, faults: Mapping[str, tuple[int, Player]] | None = None) -> Visit:
        """A new view of the services; a fault has the number of the first request that it is played for."""
        visit = Visit(self, f"v{next(self._names)}", services, row_of, faults or {})
        self._visits[visit.name] = visit
        return visit

    def address(self, trouble: str) -> str:
        """The root of a server that cannot be connected to: for "name", "refused", "silent" or "tls"."""
        return {
            "name": "http://release-state.invalid",
            "refused": f"http://127.0.0.1:{self._refusing.getsockname()[1]}",
            "silent": f"http://127.0.0.1:{self._deaf.getsockname()[1]}",
            "tls": f"https://127.0.0.1:{self.port('tls')}",
        }[trouble]

    def port(self, name: str) -> int:
        """The port of one of `PORTS`."""
        return int(self._listeners[name].getsockname()[1])

    def _accept(self, name: str) -> None:
        listener = self._listeners[name]
        while not self._stopping.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._speak, args=(connection, name), daemon=True).start()

    def _speak(self, connection: socket.socket, name: str) -> None:
        with self._lock:
            self._open.add(connection)
        try:
            with connection, suppress(OSError, ssl.SSLError):
                if name == "tls":
                    self._tls.wrap_socket(connection, server_side=True).close()
                    return
                with connection.makefile("rb") as stream:
                    while self._serve(connection, stream, elsewhere=name == "elsewhere"):
                        pass
        finally:
            with self._lock:
                self._open.discard(connection)

    def _serve(self, connection: socket.socket, stream: BufferedReader, *, elsewhere: bool) -> bool:
        request = _read(stream)
        if request is None:
            return False
        method, target, headers, body = request
        _, name, service, *rest = target.split("/", 3)
        visit = self._visits[name.removesuffix(MOVED)]
        asked = Asked(service, method, f"/{rest[0] if rest else ''}", headers, body, elsewhere)
        row = visit.row_of(asked)
        moved = name.endswith(MOVED)
        first, fault = visit.faults.get(row or "", (0, None))
        number = visit.number_of(asked, row) - first
        exchange = Exchange(asked, visit, connection, self._stopping, number, moved)
        if fault is None or number < 0 or moved or elsewhere:
            exchange.send(exchange.true_reply(elsewhere=elsewhere, moved=moved))
        else:
            fault(exchange)
        return exchange.keep


def _read(stream: BufferedReader) -> tuple[str, str, dict[str, str], bytes] | None:
    """Method, target, headers and body of the next request; None where there is none."""
    line = stream.readline().decode("latin-1").split()
    if len(line) < 2:
        return None
    headers: dict[str, str] = {}
    while (text := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = text.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("transfer-encoding") == "chunked":
        chunks = []
        while size := int(stream.readline().split(b";")[0] or b"0", 16):
            chunks.append(stream.read(size))
            stream.readline()
        stream.readline()
        body = b"".join(chunks)
    else:
        body = stream.read(int(headers.get("content-length", "0")))
    return line[0], line[1], headers, body
