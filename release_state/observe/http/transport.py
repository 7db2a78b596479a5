"""Sends one GET that another thread can cut, and reads its whole response within a size."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.client import HTTPException, RemoteDisconnected
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from release_state.observe.http.response import Response

_BLOCK = 64 * 2**10


class _WithoutQueries(logging.Filter):
    """Removes the query from what urllib3 logs: it holds the signature of a storage address."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args)
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutQueries())

_ENOUGH = 8
"""Connections to one service."""

ERROR_BODY = 64 * 2**10
"""Bytes of an error page that are read: enough for the service's message."""


class Interrupted(Exception):  # noqa: N818 - a statement about a connection; a retry may help
    """The connection failed or ended early. The text names neither URL nor credentials."""


class Unusable(Exception):  # noqa: N818 - a statement about a response; a retry does not help
    """The response is not usable: too large, in an encoding that was not requested, or from an untrusted server."""


class Cancellation:
    """The connection of one request, for another thread to cut."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: HTTPConnection | None = None
        self._socket: object = None
        self._is_cut = False

    def use(self, connection: HTTPConnection) -> None:
        """Remember the connection and its socket, which the connection drops when the server announces to close it."""
        with self._lock:
            self._connection, self._socket = connection, connection.sock
            if self._is_cut:
                raise TimeoutError("the time limit has passed")

    def cut(self) -> None:
        """End every wait of the request."""
        with self._lock:
            self._is_cut = True
            for held in (self._socket, self._connection and self._connection.sock):
                if isinstance(held, socket.socket):
                    with suppress(OSError):
                        # Not SSLSocket's own shutdown, which takes the TLS layer away from under the reading thread.
                        socket.socket.shutdown(held, socket.SHUT_RDWR)


_current = threading.local()


class _PlainConnection(HTTPConnection):
    """A connection that hands itself to the `Cancellation` of its thread."""

    def connect(self) -> None:
        self._hand_over()
        super().connect()

    def getresponse(self, *arguments: Any, **options: Any) -> Any:
        self._hand_over()
        return super().getresponse(*arguments, **options)

    def _hand_over(self) -> None:
        cancellation = getattr(_current, "cancellation", None)
        if cancellation is not None:
            cancellation.use(self)


class _TlsConnection(_PlainConnection, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    """The connections to one service. Once it has answered and there are enough, no further one is opened: one of them
    is free after a round trip, a new one after two, and then it still has to ask.
    """

    ConnectionCls = _PlainConnection
    _has_enough = False

    def _put_conn(self, conn: Any) -> None:
        super()._put_conn(conn)
        if conn is None or self.pool is None or self.num_connections < _ENOUGH:
            return
        with self.pool.mutex:
            if not self._has_enough:
                # Each None stands for a connection to open; later ones replace connections that broke.
                self._has_enough, self.pool.queue[:] = True, filter(None, self.pool.queue)


class _TlsPool(_PlainPool, HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager: Any = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
        return manager


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: to follow a redirect, requests would read its whole body, however large."""


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # As `auth`, it keeps requests from adding a password of ~/.netrc; the environment's proxies and CA bundles count.
    return request


def open_session() -> requests.Session:
    """A session without cookies, retries, redirects or passwords of its own."""
    session = _Session()
    session.auth = _no_credentials
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_connections=8, pool_maxsize=24, pool_block=True, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def send(
    session: requests.Session,
    cancellation: Cancellation,
    url: str,
    headers: Mapping[str, str],
    *,
    seconds: float,
    limit: int,
    wanted: frozenset[int],
    into: Path | None = None,
) -> Response:
    """Send one GET and read its response; the body of a status that is not `wanted` up to 64 KiB only.

    `seconds` limits each wait for the server, `limit` (bytes) the body before and after decompression. `into` is a file
    that takes the body of a wanted status, instead of memory. Raises Interrupted, Unusable; OSError of that file.
    """
    _current.cancellation = cancellation
    body = b""
    try:
        try:
            response = session.get(url, headers=headers, timeout=seconds, stream=True, allow_redirects=False)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise _describe_failure(error) from None
        with response:
            if response.status_code in wanted:
                body = _read_body(response, limit, into)
            else:
                with suppress(Interrupted, Unusable):
                    body = _read_body(response, ERROR_BODY)
        return Response(response.status_code, response.headers, body, url)
    finally:
        _current.cancellation = None


def _read_body(response: requests.Response, limit: int, into: Path | None = None) -> bytes:
    blocks = _read_blocks(response, limit)
    if into is None:
        return b"".join(blocks)
    with into.open("wb") as file:
        file.writelines(blocks)
    return b""


def _read_blocks(response: requests.Response, limit: int) -> Iterator[bytes]:
    """The body without its content encoding, block by block. Raises Interrupted at the end if it is not complete."""
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip"):
        raise Unusable(f"the answer has the encoding {coding[:40]!r}, which was not requested")
    blocks = _read_raw_blocks(response, limit)
    return _unpack(blocks, limit) if coding.endswith("gzip") else blocks


def _read_raw_blocks(response: requests.Response, limit: int) -> Iterator[bytes]:
    announced = response.headers.get("Content-Length", "")
    expected = int(announced) if announced.isdecimal() and "Transfer-Encoding" not in response.headers else None
    if expected is not None and expected > limit:
        raise Unusable(f"the answer has {expected} bytes, more than the limit of {limit}")
    received = 0
    while True:
        try:
            block = response.raw.read(_BLOCK, decode_content=False)
        except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as error:
            raise Interrupted(f"the answer broke off after {received} bytes ({_describe_failure(error)})") from None
        if not block:
            break
        received += len(block)
        if received > limit:
            raise Unusable(f"the answer is larger than the limit of {limit} bytes")
        yield block
    if expected is not None and received != expected:
        raise Interrupted(f"the answer is truncated: {received} of {expected} bytes came")


def _unpack(blocks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """Decompress gzip up to a limit. urllib3 does not tell a truncated stream from a complete one."""
    decoder, received, left = zlib.decompressobj(wbits=31), 0, limit
    for block in blocks:
        received += len(block)
        while block:
            if decoder.eof:
                decoder = zlib.decompressobj(wbits=31)  # a gzip file may have several members
            try:
                piece = decoder.decompress(block, left + 1)
            except zlib.error:
                raise Unusable("the answer is not valid gzip") from None
            left -= len(piece)
            if left < 0:
                raise Unusable(f"the answer unpacks to more than the limit of {limit} bytes")
            yield piece
            block = decoder.unconsumed_tail or decoder.unused_data
    if received and not decoder.eof:
        raise Interrupted(f"the compressed answer is truncated after {received} bytes")


def _describe_failure(error: BaseException) -> Interrupted | Unusable:
    """Describe the failure without the library's text, which can hold the URL, a proxy's password or a header."""
    causes = list(_list_causes(error))
    if any(isinstance(cause, requests.exceptions.ProxyError | urllib3.exceptions.ProxyError) for cause in causes):
        return Interrupted("the proxy could not be reached or refused the connection")
    for cause in reversed(causes):
        if isinstance(cause, ssl.SSLError):
            reason = getattr(cause, "verify_message", "") or cause.reason or "handshake failed"
            return Unusable(f"the TLS connection could not be made: {reason}")
        if isinstance(cause, socket.gaierror):
            return Interrupted("the host name cannot be resolved")
        if isinstance(cause, RemoteDisconnected):
            return Interrupted("the connection was closed without an answer")
        if isinstance(cause, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError):
            return Interrupted("no answer came in time")
        if isinstance(cause, OSError) and cause.strerror:
            return Interrupted(cause.strerror.lower())
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader | UnicodeError):
        return Unusable("the request cannot be sent: its address or a header is malformed")
    return Interrupted(f"the connection failed ({type(causes[-1]).__name__})")


def _list_causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps, outermost first."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [getattr(cause, "reason", None), *cause.args, cause.__cause__, cause.__context__]
