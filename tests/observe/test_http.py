"""The HTTP client against real sockets that behave badly, and the search for a token."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import pytest

from release_state import __version__
from release_state.common.errors import UsageProblem
from release_state.model.observation import Problem
from release_state.observe.http.client import HttpClient, LookupFailed, Response, observe
from release_state.observe.token import find_token

SECRET = "ghp_verysecret"
Script = Callable[[str, socket.socket], None]


class RawServer:
    """Hands each connection to a script by the path that was asked for, byte by byte as the script likes."""

    def __init__(self, certificate: Path | None = None) -> None:
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self.scripts: dict[str, list[Script] | Script] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.stopping = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> RawServer:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._speak, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _speak(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._serve(self._tls.wrap_socket(connection, server_side=True) if self._tls else connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as lines:
            line = lines.readline().decode("latin-1")
            headers = {}
            while (header := lines.readline().decode("latin-1").strip()) and ":" in header:
                name, _, value = header.partition(":")
                headers[name.lower()] = value.strip()
            if not line.startswith("GET "):
                return
            path = line.split()[1]
            self.requests.append((path, headers))
            script = self.scripts[path.partition("?")[0]]
            if isinstance(script, list):
                script = script.pop(0) if len(script) > 1 else script[0]
            script(path, connection)

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [path for path, _ in self.requests]


def reply(status: int = 200, body: bytes = b"{}", **headers: str) -> Script:
    """A whole answer; header names with `_` for `-`."""
    given = {"Content_Type": "application/json", "Content_Length": str(len(body)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items() if value)
    return lambda _, connection: connection.sendall(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body)


def github_error(status: int, message: str, **headers: str) -> Script:
    return reply(status, json.dumps({"message": message}).encode(), **headers)


def drop(_: str, connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer() as running:
        yield running


@pytest.fixture
def other() -> Iterator[RawServer]:
    with RawServer() as running:
        yield running


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release_state.observe.http.client.PAUSES", (0.01, 0.02))


def failure(client: HttpClient, url: str, **options: Any) -> Problem:
    with pytest.raises(LookupFailed) as caught:
        client.get_json(url, **options)
    problem = caught.value.problem
    assert SECRET not in msgspec.json.encode(problem).decode()
    assert "\n" not in problem.why
    return problem


def test_an_answer_has_status_headers_body_url_and_links(server: RawServer) -> None:
    server.scripts["/x"] = reply(body=b'{"a": 1}', Link='</x?page=2>; rel="next", <http://h/x>; rel="last"')
    client = HttpClient(5)
    data, answer = client.get_json(f"{server.url}/x", params={"q": "a b&c"}, headers={"X-Mine": "yes"})
    assert data == {"a": 1}
    assert (answer.status, answer.body, answer.url) == (200, b'{"a": 1}', f"{server.url}/x?q=a+b%26c")
    assert answer.links == {"next": f"{server.url}/x?page=2", "last": "http://h/x"}
    [(path, headers)] = server.requests
    assert path == "/x?q=a+b%26c"
    assert (headers["user-agent"], headers["x-mine"]) == (f"release-state/{__version__}", "yes")
    assert "authorization" not in headers
    assert client.service(server.url).limit == {}


class KeepingServer:
    """Answers any number of requests on each connection, but for `/first`, which waits until eight have been asked for.

    It closes a connection on which it is asked for `/broken`, without an answer.
    """

    def __init__(self) -> None:
        self.accepted: list[socket.socket] = []
        self.together = threading.Barrier(8)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> KeepingServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.together.abort()
        for each in (self._listener, *self.accepted):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.accepted.append(connection)
                threading.Thread(target=self._speak, args=(connection,), daemon=True).start()

    def _speak(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, threading.BrokenBarrierError), connection.makefile("rb") as lines:
            while request := lines.readline():
                while lines.readline().strip():
                    pass
                if b"/first" in request:
                    self.together.wait(5)
                if b"/broken" in request:
                    return
                connection.sendall(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]")


def ask_at_once(client: HttpClient, urls: list[str]) -> None:
    with ThreadPoolExecutor(len(urls)) as pool:
        assert all(data == [] for data, _ in pool.map(client.get_json, urls))


def test_connections_are_reused_by_many_threads() -> None:
    with KeepingServer() as server:
        client = HttpClient(5)
        with ThreadPoolExecutor(10) as pool:
            assert all(data == [] for data, _ in pool.map(client.get_json, [server.url] * 100))
        assert 1 <= len(server.accepted) <= 10


def test_eight_connections_that_have_answered_are_enough() -> None:
    with KeepingServer() as server:
        client = HttpClient(5)
        ask_at_once(client, [f"{server.url}/first"] * 8)
        assert len(server.accepted) == 8
        ask_at_once(client, [server.url] * 24)
        assert len(server.accepted) == 8


def test_connections_that_break_are_replaced() -> None:
    with KeepingServer() as server:
        client = HttpClient(5)
        ask_at_once(client, [f"{server.url}/first"] * 8)
        for _ in range(4):
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(partial(failure, client), [f"{server.url}/broken"] * 4))
            ask_at_once(client, [server.url])
        ask_at_once(client, [f"{server.url}/first"] * 8)  # eight are open at once
        assert len(server.accepted) > 16


# ── Where the token goes


def test_the_token_goes_to_its_host_and_to_no_other(server: RawServer, other: RawServer) -> None:
    server.scripts["/x"] = other.scripts["/x"] = reply()
    client = HttpClient(5, token=SECRET, token_host=f"{server.url}/api/v3")
    client.get(f"{server.url}/x")
    client.get(f"{other.url}/x")
    assert server.requests[0][1]["authorization"] == f"Bearer {SECRET}"
    assert "authorization" not in other.requests[0][1]
    assert client.has_token_for(f"{server.url}/y")
    assert not client.has_token_for(other.url)


def test_the_token_survives_a_rename_on_its_host(server: RawServer) -> None:
    server.scripts |= {"/old": reply(301, Location="/new"), "/new": reply(body=b"[1]")}
    client = HttpClient(5, token=SECRET, token_host=server.url)
    data, answer = client.get_json(f"{server.url}/old")
    assert (data, answer.url) == ([1], f"{server.url}/new")
    assert [headers["authorization"] for _, headers in server.requests] == [f"Bearer {SECRET}"] * 2


def test_the_token_is_dropped_on_the_way_to_another_port_and_stays_dropped(server: RawServer, other: RawServer) -> None:
    server.scripts |= {"/a": reply(302, Location=f"{other.url}/b"), "/c": reply()}
    other.scripts["/b"] = reply(302, Location=f"{server.url}/c")
    HttpClient(5, token=SECRET, token_host=server.url).get(f"{server.url}/a")
    assert "authorization" in server.requests[0][1]
    assert "authorization" not in other.requests[0][1]
    assert "authorization" not in server.requests[1][1]


def test_an_authorization_of_the_caller_is_dropped_too(server: RawServer, other: RawServer) -> None:
    server.scripts["/a"] = reply(307, Location=f"{other.url}/b")
    other.scripts["/b"] = reply()
    HttpClient(5).get(f"{server.url}/a", headers={"authorization": "Basic c2VjcmV0"})
    assert server.requests[0][1]["authorization"] == "Basic c2VjcmV0"
    assert "authorization" not in other.requests[0][1]


def test_passwords_of_netrc_urls_and_cookies_are_not_sent(
    server: RawServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.scripts["/x"] = reply(Set_Cookie="session=1; Path=/")
    client = HttpClient(5)
    client.get(f"{server.url}/x")
    answer = client.get(f"http://me:{SECRET}@127.0.0.1:{server.port}/x")
    assert answer.url == f"{server.url}/x"
    assert all("authorization" not in headers and "cookie" not in headers for _, headers in server.requests)


def test_a_token_needs_a_host() -> None:
    with pytest.raises(ValueError, match="host"):
        HttpClient(5, token=SECRET)


def test_a_service_that_repeats_the_token_does_not_get_it_printed(server: RawServer) -> None:
    server.scripts["/x"] = github_error(403, f"token {SECRET}\nis \x1b[31mbad")
    problem = failure(HttpClient(5, token=SECRET, token_host=server.url), f"{server.url}/x")
    assert "token *** is \\x1b[31mbad" in problem.why


def test_proxies_of_the_environment_are_used(server: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "")
    server.scripts["http://index.example/x"] = reply(body=b"[7]")
    assert HttpClient(5).get_json("http://index.example/x")[0] == [7]


def test_a_proxy_that_is_not_there_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://me:{SECRET}@127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    assert "proxy" in failure(HttpClient(5), "http://index.example/x").why


# ── Redirects


def test_redirects_in_a_loop(server: RawServer) -> None:
    server.scripts |= {"/a": reply(302, Location="/b"), "/b": reply(302, Location="/a")}
    assert "loop" in failure(HttpClient(5), f"{server.url}/a").why
    assert server.paths() == ["/a", "/b"]


def test_redirects_without_end(server: RawServer) -> None:
    server.scripts |= {f"/{n}": reply(302, Location=f"/{n + 1}") for n in range(8)}
    assert "more than 5" in failure(HttpClient(5), f"{server.url}/0").why
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    ("location", "word"),
    [("", "without a Location"), ("ftp://h/x", "http"), ("file:///etc/passwd", "http"), ("http://h:x/", "not a URL")],
)
def test_redirects_to_nowhere(server: RawServer, location: str, word: str) -> None:
    server.scripts["/a"] = reply(302, Location=location)
    assert word in failure(HttpClient(5), f"{server.url}/a").why


def test_the_body_of_a_redirect_is_bounded(server: RawServer) -> None:
    def endless(_: str, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 302 X\r\nLocation: /b\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    server.scripts |= {"/a": endless, "/b": reply()}
    assert HttpClient(5).get(f"{server.url}/a").status == 200


@pytest.mark.parametrize("url", ["", "orbit", "file:///etc/passwd", "http://", "http://[::1", "http://h:99999999/x"])
def test_addresses_that_are_none(url: str) -> None:
    failure(HttpClient(5), url)


# ── Time and size


def _slow_body(_: str, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
    _drip(connection)


def _slow_chunks(_: str, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n")
    _drip(connection)


def _slow_closing_body(_: str, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.0 200 X\r\nContent-Type: application/json\r\n\r\n")
    _drip(connection)


def _slow_headers(_: str, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 X\r\nX-A: ")
    _drip(connection)


def _slow_gzip(_: str, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 999\r\n\r\n")
    _drip(connection)


def _silent(_: str, connection: socket.socket) -> None:
    connection.recv(1)


def _drip(connection: socket.socket) -> None:
    for _ in range(400):
        time.sleep(0.05)
        connection.sendall(b"x")


@pytest.mark.parametrize("script", [_slow_body, _slow_chunks, _slow_closing_body, _slow_headers, _slow_gzip, _silent])
def test_a_server_that_drips_does_not_outlive_the_limit(server: RawServer, script: Script) -> None:
    server.scripts["/x"] = script
    begin = time.monotonic()
    problem = failure(HttpClient(0.5), f"{server.url}/x")
    assert time.monotonic() - begin < 4
    assert "no complete answer within 0.5 s" in problem.why
    assert len(server.requests) == 1
    assert_nothing_is_left()


def assert_nothing_is_left() -> None:
    """What asked is cut, not left behind."""
    until = time.monotonic() + 2
    while time.monotonic() < until and any(t.name == "release-state-http" for t in threading.enumerate()):
        time.sleep(0.02)
    assert not [t for t in threading.enumerate() if t.name == "release-state-http"]


def test_a_port_that_never_accepts() -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # fill the queue, so that further connections hang
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        begin = time.monotonic()
        failure(HttpClient(0.3), f"http://127.0.0.1:{listener.getsockname()[1]}/")
        assert time.monotonic() - begin < 4


def test_a_tls_server_that_never_shakes_hands() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        begin = time.monotonic()
        failure(HttpClient(0.3), f"https://127.0.0.1:{listener.getsockname()[1]}/")
        assert time.monotonic() - begin < 4
        # Python forgets to close a TLS socket whose peer resets the connection at this very moment.
        for thread in threading.enumerate():
            if thread.name == "release-state-http":
                thread.join(10)


def test_a_resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    # The one thing that no socket of ours can play: name resolution cannot be interrupted.
    released = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        released.wait(5)
        raise socket.gaierror(-2, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    begin = time.monotonic()
    failure(HttpClient(0.3), "http://slow.example/")
    assert time.monotonic() - begin < 4
    released.set()


def test_a_deadline_is_shared_by_several_requests(server: RawServer) -> None:
    server.scripts["/x"] = reply()
    client = HttpClient(0.2)
    deadline = client.deadline()
    client.get(f"{server.url}/x", deadline=deadline)
    time.sleep(0.25)
    failure(client, f"{server.url}/x", deadline=deadline)
    assert len(server.requests) == 1


def test_the_size_limit_holds_for_announced_and_for_unannounced_bodies(server: RawServer) -> None:
    server.scripts |= {
        "/announced": reply(body=b"x" * 1001),
        "/closing": reply(body=b"x" * 200_000, Content_Length=""),
        "/exact": reply(body=b"x" * 1000),
    }
    client = HttpClient(5)
    assert len(client.get(f"{server.url}/exact", max_bytes=1000).body) == 1000
    for path in ("/announced", "/closing"):
        assert "limit of 1000" in failure(client, server.url + path, max_bytes=1000).why


def test_gzip_is_undone_and_a_bomb_is_not(server: RawServer) -> None:
    server.scripts |= {
        "/fine": reply(body=gzip.compress(b"[1,") + gzip.compress(b"2]"), Content_Encoding="gzip"),
        "/bomb": reply(body=gzip.compress(b"0" * 50_000_000), Content_Encoding="gzip"),
        "/cut": reply(body=gzip.compress(b"[1, 2, 3, 4]")[:-6], Content_Encoding="gzip"),
        "/none": reply(body=b"[1]", Content_Encoding="gzip"),
        "/other": reply(body=b"[1]", Content_Encoding="br"),
        "/twice": reply(body=b"[1]", Content_Encoding="gzip, gzip"),
    }
    client = HttpClient(5)
    assert client.get_json(f"{server.url}/fine")[0] == [1, 2]
    assert "unpacks to more than" in failure(client, f"{server.url}/bomb", max_bytes=1_000_000).why
    assert "truncated" in failure(client, f"{server.url}/cut").why
    assert "not valid gzip" in failure(client, f"{server.url}/none").why
    assert "not requested" in failure(client, f"{server.url}/other").why
    assert "not requested" in failure(client, f"{server.url}/twice").why


# ── What is no answer


@pytest.mark.parametrize(
    ("script", "word"),
    [
        (reply(body=b'{"a": [1, 2', Content_Length="50"), "truncated|broke off"),
        (reply(body=b"3\r\n[1,", Content_Length="", Transfer_Encoding="chunked"), "broke off"),
        (reply(body=b'{"a": [1, 2', Content_Length=""), "not valid JSON"),
        (reply(body=b"[" * 100_000), "not valid JSON"),
        (reply(body=b""), "not valid JSON"),
        (reply(body=b"\xff\xfe\xff"), "not valid JSON"),
        (reply(body=b"<!DOCTYPE html><p>Welcome", Content_Type="text/html; charset=utf-8"), "captive portal"),
        (reply(body=b" <html>", Content_Type="application/json"), "captive portal"),
        (reply(body=b"[1]", Content_Type="text/plain"), "text/plain instead of JSON"),
        (reply(body=b"[1]", Content_Type=""), "no content type"),
        (reply(304, b""), "304"),
        (reply(203, b"[]"), "203"),
        (reply(404, b"<html>", Content_Type="text/html"), "404 without the service's error message"),
        (reply(404, b'{"error": 1}'), "404 without the service's error message"),
        (github_error(422, "No commit found"), "422: No commit found"),
        (github_error(500, "Server Error"), "500: Server Error"),
        (lambda _, connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n"), "connection failed"),
        (drop, "closed without an answer"),
    ],
)
def test_what_is_no_answer(server: RawServer, script: Script, word: str) -> None:
    server.scripts["/x"] = script
    problem = failure(HttpClient(5), f"{server.url}/x", allow_status={404})
    assert any(part in problem.why for part in word.split("|")), problem.why
    assert problem.source == f"127.0.0.1:{server.port}"


def test_a_404_is_an_answer_where_the_service_says_so(server: RawServer) -> None:
    server.scripts["/x"] = github_error(404, "Not Found")
    client = HttpClient(5)
    assert client.get_json(f"{server.url}/x", allow_status={404})[1].status == 404
    assert "404: Not Found" in failure(client, f"{server.url}/x").why


def test_nobody_listens() -> None:
    problem = failure(HttpClient(5), f"http://me:{SECRET}@127.0.0.1:1/x", source="GitHub")
    assert problem.why == "http://127.0.0.1:1/x: connection refused (3 tries)"
    assert problem.source == "GitHub"


def test_a_host_that_does_not_exist() -> None:
    assert "cannot be resolved" in failure(HttpClient(10), "http://no-such-host.invalid/").why


@pytest.fixture
def tls(certificate: Path) -> Iterator[RawServer]:
    with RawServer(certificate) as running:
        yield running


def test_tls_with_a_ca_bundle_of_the_environment(
    tls: RawServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls.scripts["/x"] = reply(body=b"[1]")
    assert "self-signed certificate" in failure(HttpClient(5), f"{tls.url}/x").why.replace("self signed", "self-signed")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert HttpClient(5).get_json(f"{tls.url}/x")[0] == [1]
    assert tls.paths() == ["/x"]


def test_a_redirect_from_https_to_http_is_not_followed(
    tls: RawServer, server: RawServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    tls.scripts["/x"] = reply(302, Location=f"{server.url}/x")
    assert "from https to http" in failure(HttpClient(5), f"{tls.url}/x").why
    assert server.requests == []


def test_a_redirect_from_http_to_https_drops_the_token(
    tls: RawServer, server: RawServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    server.scripts["/x"] = reply(302, Location=f"{tls.url}/x")
    tls.scripts["/x"] = reply(body=b"[1]")
    client = HttpClient(5, token=SECRET, token_host=server.url)
    assert client.get_json(f"{server.url}/x")[0] == [1]
    assert "authorization" not in tls.requests[0][1]


@pytest.mark.parametrize("script", [_slow_body, _slow_headers, _slow_closing_body])
def test_a_dripping_tls_server_is_cut_too(
    tls: RawServer, script: Script, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    tls.scripts["/x"] = script
    begin = time.monotonic()
    assert "no complete answer" in failure(HttpClient(0.5), f"{tls.url}/x").why
    assert time.monotonic() - begin < 4
    assert_nothing_is_left()


def test_a_server_without_tls(server: RawServer) -> None:
    server.scripts["/x"] = reply()
    problem = failure(HttpClient(5), f"https://127.0.0.1:{server.port}/x")
    assert "TLS" in problem.why or "connection" in problem.why


# ── Trying again


@pytest.mark.parametrize(
    "first", [reply(502), reply(503), reply(504), reply(429, b""), drop, reply(body=b"[", Content_Length="9")]
)
def test_trouble_that_passes(server: RawServer, first: Script) -> None:
    server.scripts["/x"] = [first, first, reply(body=b"[1]")]
    assert HttpClient(5).get_json(f"{server.url}/x")[0] == [1]
    assert len(server.requests) == 3


@pytest.mark.parametrize("script", [reply(503), drop])
def test_three_tries_and_no_more(server: RawServer, script: Script) -> None:
    server.scripts["/x"] = script
    assert "3 tries" in failure(HttpClient(5), f"{server.url}/x").why
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422, 500, 501])
def test_what_asking_again_does_not_better(server: RawServer, status: int) -> None:
    server.scripts["/x"] = github_error(status, "No")
    assert str(status) in failure(HttpClient(5), f"{server.url}/x").why
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [403, 429, 503])
def test_retry_after_is_obeyed_where_it_fits(server: RawServer, status: int) -> None:
    message = "You have exceeded a secondary rate limit"
    server.scripts["/x"] = [github_error(status, message, Retry_After="1"), reply(body=b"[1]")]
    begin = time.monotonic()
    assert HttpClient(5).get_json(f"{server.url}/x")[0] == [1]
    assert 1 <= time.monotonic() - begin < 5


@pytest.mark.parametrize("status", [403, 429, 503])
def test_retry_after_is_told_where_it_does_not_fit(server: RawServer, status: int) -> None:
    # The service's clock is an hour off: who waits looks at this machine's.
    server_time = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=1)
    stamp = format_datetime(server_time, usegmt=True)
    server.scripts["/x"] = github_error(status, "Slow down", Retry_After="600", Date=stamp)
    begin = time.monotonic()
    problem = failure(HttpClient(5), f"{server.url}/x")
    assert time.monotonic() - begin < 4
    assert problem.retry_at is not None
    assert 590 < (problem.retry_at - datetime.now(timezone.utc)).total_seconds() < 602
    assert len(server.requests) == 1


def test_retry_after_as_a_date_counts_from_the_services_clock(server: RawServer) -> None:
    server_time = datetime(2031, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
    headers = {name: format_datetime(moment, usegmt=True) for name, moment in (
        ("Date", server_time), ("Retry_After", server_time + timedelta(seconds=90)))}  # fmt: skip
    server.scripts["/x"] = reply(503, b"", **headers)
    retry_at = failure(HttpClient(5), f"{server.url}/x").retry_at
    assert retry_at is not None
    assert 80 < (retry_at - datetime.now(timezone.utc)).total_seconds() < 92


def test_a_reset_is_told_by_the_clock_of_this_machine(server: RawServer) -> None:
    service = datetime(2031, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
    limits = {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(int(service.timestamp()) + 90)}
    date = format_datetime(service, usegmt=True)
    server.scripts["/x"] = github_error(403, "API rate limit exceeded for 1.2.3.4.", Date=date, **limits)
    retry_at = failure(HttpClient(5), f"{server.url}/x").retry_at
    assert retry_at is not None
    assert 80 < (retry_at - datetime.now(timezone.utc)).total_seconds() < 92


@pytest.mark.parametrize("value", ["soon", "-5", "", "9" * 40, "Mon, 99 Foo 2020 00:00:00 GMT"])
def test_a_retry_after_that_cannot_be_read(server: RawServer, value: str) -> None:
    server.scripts["/x"] = reply(503, b"", Retry_After=value)
    assert "503" in failure(HttpClient(2), f"{server.url}/x").why


def test_a_secondary_limit_without_a_time_means_a_minute(server: RawServer) -> None:
    server.scripts["/x"] = github_error(403, "You have exceeded a secondary rate limit.")
    problem = failure(HttpClient(5), f"{server.url}/x")
    assert problem.retry_at is not None
    assert 50 < (problem.retry_at - datetime.now(timezone.utc)).total_seconds() < 61
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("reset", ["1900000000", "", "never"])
def test_a_primary_limit_is_not_asked_again(server: RawServer, status: int, reset: str) -> None:
    limits = {"X_RateLimit_Limit": "60", "X_RateLimit_Remaining": "0", "X_RateLimit_Reset": reset}
    server.scripts["/x"] = github_error(status, "API rate limit exceeded for 1.2.3.4.", **limits)
    client = HttpClient(5)
    problem = failure(client, f"{server.url}/x")
    assert "rate limit is used up" in problem.why
    assert problem.retry_at == (datetime.fromtimestamp(1900000000, timezone.utc) if reset.isdigit() else None)
    assert len(server.requests) == 1
    assert client.service(server.url).limit["x-ratelimit-limit"] == "60"


def test_a_missing_right_on_the_last_request_of_the_hour_is_no_limit(server: RawServer) -> None:
    server.scripts["/x"] = github_error(403, "Resource not accessible by integration", X_RateLimit_Remaining="0")
    assert "not permitted" in failure(HttpClient(5), f"{server.url}/x").why


@pytest.mark.parametrize(
    ("header", "value", "remedy"),
    [
        ("X_Accepted_GitHub_Permissions", "checks=read", "permission checks=read"),
        ("X_Accepted_OAuth_Scopes", "repo", "scopes repo"),
        ("X_GitHub_SSO", "required; url=https://x", "single sign-on"),
        ("X_Nothing", "", "give a token"),
    ],
)
def test_a_refusal_names_the_right_that_is_missing(server: RawServer, header: str, value: str, remedy: str) -> None:
    server.scripts["/x"] = github_error(403, "Resource not accessible", **{header: value})
    problem = failure(HttpClient(5), f"{server.url}/x")
    assert "403: Resource not accessible" in problem.why
    assert remedy in (problem.remedy or "")


def test_observed_tells_presence_absence_and_failure() -> None:
    def fail() -> int:
        raise LookupFailed(Problem(source="s", why="w"))

    def defect() -> int:
        raise ZeroDivisionError

    assert observe(lambda: 1).known() == 1
    assert observe(lambda: None).known() is None
    assert observe(fail).unavailable == Problem(source="s", why="w")
    with pytest.raises(ZeroDivisionError):
        observe(defect)


def test_headers_of_a_plain_mapping_are_read_in_any_case() -> None:
    answer = Response(200, {"link": '<b>; rel="next"', "DATE": "Wed, 21 Oct 2015 07:28:00 GMT"}, b"", "http://h/a/")
    assert answer.links == {"next": "http://h/a/b"}
    assert answer.date == datetime(2015, 10, 21, 7, 28, tzinfo=timezone.utc)
    assert Response(200, {"Link": "rubbish;;,<"}, b"", "http://h/").links == {}


# ── The token


API = "https://api.github.com"
GHES = "https://git.corp.example/api/v3"


def gh(folder: Path, body: str) -> str:
    """A `gh` on a PATH of its own."""
    program = folder / "gh"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o700)
    return f"{folder}:/usr/bin:/bin"


def test_the_environment_comes_first() -> None:
    assert find_token({"GH_TOKEN": "b", "GITHUB_TOKEN": "a"}, API) == ("a", "GITHUB_TOKEN")
    assert find_token({"GH_TOKEN": "b", "GITHUB_TOKEN": ""}, API) == ("b", "GH_TOKEN")
    assert find_token({"GH_TOKEN": "b"}, "https://api.tenant.ghe.com") == ("b", "GH_TOKEN")
    assert find_token({"GH_TOKEN": "b"}, "http://127.0.0.1:8000") == ("b", "GH_TOKEN")
    assert find_token({"PATH": "/nowhere", "GH_ENTERPRISE_TOKEN": "e"}, API) == (None, None)


def test_another_server_gets_its_own_token_only() -> None:
    mine = {"GITHUB_TOKEN": "a", "PATH": "/nowhere"}
    assert find_token(mine, GHES) == (None, None)
    assert find_token({**mine, "GITHUB_API_URL": GHES}, GHES) == ("a", "GITHUB_TOKEN")
    assert find_token({**mine, "GH_ENTERPRISE_TOKEN": "e"}, GHES) == ("e", "GH_ENTERPRISE_TOKEN")
    assert find_token({**mine, "GITHUB_ENTERPRISE_TOKEN": "f"}, GHES) == ("f", "GITHUB_ENTERPRISE_TOKEN")


@pytest.mark.parametrize("token", ["q b", "q\n", "a\r\nX-Evil: 1", "\x00", "tökén", "\ta"])
def test_a_token_that_cannot_be_one_is_named_and_not_shown(token: str) -> None:
    with pytest.raises(UsageProblem, match="GITHUB_TOKEN: the token has a space") as caught:
        find_token({"GITHUB_TOKEN": token}, API)
    assert token not in str(caught.value)


def test_gh_is_asked_for_the_host(tmp_path: Path) -> None:
    path = gh(tmp_path, 'test "$1 $2 $3" = "auth token --hostname" && echo "tok-$4"')
    assert find_token({"PATH": path}, API) == ("tok-github.com", "gh auth token")
    assert find_token({"PATH": path}, GHES) == ("tok-git.corp.example", "gh auth token")
    assert find_token({"PATH": path}, "http://localhost:1") == (None, None)


@pytest.mark.parametrize("body", ["echo secret; exit 1", "true", "echo no >&2; exit 4"])
def test_gh_without_a_token_is_silent(tmp_path: Path, body: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert find_token({"PATH": gh(tmp_path, body)}, API) == (None, None)
    assert capfd.readouterr() == ("", "")


def test_gh_that_hangs_is_stopped_with_its_helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release_state.observe.token._GH_SECONDS", 0.3)
    begin = time.monotonic()
    assert find_token({"PATH": gh(tmp_path, "sleep 30 & sleep 30")}, API) == (None, None)
    assert time.monotonic() - begin < 10


def test_a_gh_in_the_present_folder_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gh(tmp_path, "echo evil")
    monkeypatch.chdir(tmp_path)
    assert find_token({"PATH": "."}, API) == (None, None)
    assert find_token({"PATH": ":"}, API) == (None, None)
