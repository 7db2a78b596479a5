"""The faults: what each does on the wire. What has to come of it is in `expected`."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import cache
from typing import Any

from tests.proofs.faults.gateway import Exchange, Player, Reply

PORTAL = (
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form action=/login>Welcome</form></body></html>"
)
"""A captive portal's page. In one line: git's own reader of old servers finds no fault with that."""
HUGE = 100 * 2**20
BOMB = 512 * 2**20
RESET = datetime(2030, 3, 17, 17, 46, 40, tzinfo=timezone.utc)
"""When the rate limit of the faults ends."""
LONG = 3600
"""Seconds of a `Retry-After` that no look-up can wait."""
_BLOCK = 2**20


@dataclass(frozen=True)
class Fault:
    """One kind of trouble."""

    name: str
    play: Player
    slow: bool = False
    """Whether a look-up that meets it uses up its time."""
    heavy: bool = False
    """Whether it is about memory: such runs follow one another, so that theirs can be measured."""
    address: str | None = None
    """The address that cannot be connected to, where that is the fault."""


FAULTS: dict[str, Fault] = {}


def _fault(
    name: str, *, slow: bool = False, heavy: bool = False, address: str | None = None
) -> Callable[[Player], Player]:
    def register(play: Player) -> Player:
        FAULTS[name] = Fault(name, play, slow, heavy, address)
        return play

    return register


def refused(exchange: Exchange, status: int, message: str, **headers: str) -> Reply:
    """A refusal as the service words it: GitHub as JSON with a message, others as plain text."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if exchange.asked.service == "github":
        body = json.dumps({"message": message, "documentation_url": "https://docs.github.com/rest"}).encode()
        return Reply(status, {"Content-Type": "application/json; charset=utf-8", **named}, body)
    return Reply(status, {"Content-Type": "text/plain; charset=utf-8", **named}, message.encode())


# ---- addresses that cannot be connected to: where a source begins, its own; for a later question, by redirect


def _sent_to(trouble: str) -> Player:
    def play(exchange: Exchange) -> None:
        target = exchange.visit.gateway.address(trouble) + exchange.asked.target
        exchange.send(Reply(307, {"Location": target}))

    return play


_fault("name not resolved", address="name")(_sent_to("name"))
_fault("connection refused", address="refused")(_sent_to("refused"))
_fault("connect time-out", slow=True, address="silent")(_sent_to("silent"))
_fault("TLS: untrusted certificate", address="tls")(_sent_to("tls"))


# ---- the line


@_fault("read time-out", slow=True)
def _silent(exchange: Exchange) -> None:
    exchange.stopping.wait(60)


@_fault("one byte a second", slow=True)
def _drip(exchange: Exchange) -> None:
    reply = exchange.true_reply()
    data = reply.head() + reply.body
    for position in range(len(data)):
        exchange.raw(data[position : position + 1])
        if exchange.stopping.wait(1):
            return


def _half_then_reset(exchange: Exchange) -> None:
    reply = exchange.true_reply()
    exchange.raw(reply.head() + reply.body[: len(reply.body) // 2])
    exchange.reset()


@_fault("reset in the middle")
def _reset(exchange: Exchange) -> None:
    _half_then_reset(exchange)


@_fault("reset once")
def _reset_once(exchange: Exchange) -> None:
    _half_then_reset(exchange) if exchange.number == 0 else exchange.send(exchange.true_reply())


@_fault("closed without an answer")
def _closed(exchange: Exchange) -> None:
    pass


@_fault("cut off against Content-Length")
def _cut(exchange: Exchange) -> None:
    reply = exchange.true_reply()
    exchange.raw(reply.head() + reply.body[: len(reply.body) * 2 // 3])


@_fault("cut off between chunks")
def _cut_chunks(exchange: Exchange) -> None:
    reply = exchange.true_reply()
    reply = Reply(reply.status, {**reply.headers, "Transfer-Encoding": "chunked"}, reply.body)
    half = reply.body[: max(1, len(reply.body) // 2)]
    head = b"\r\n".join(line for line in reply.head().split(b"\r\n") if not line.startswith(b"Content-Length"))
    exchange.raw(head + f"{len(half):x}\r\n".encode() + half + b"\r\n")


# ---- redirects


@_fault("301 to where it moved")
def _moved(exchange: Exchange) -> None:
    exchange.send(Reply(301, {"Location": exchange.here(moved=True)}))


@_fault("redirect to another host")
def _elsewhere(exchange: Exchange) -> None:
    exchange.send(Reply(302, {"Location": exchange.here(elsewhere=True)}))


@_fault("redirect loop")
def _loop(exchange: Exchange) -> None:
    exchange.send(Reply(302, {"Location": exchange.here()}))


# ---- refusals


def _says(status: int, message: str, **headers: str) -> Player:
    def play(exchange: Exchange) -> None:
        exchange.send(refused(exchange, status, message, **headers))

    return play


def _once(first: Player) -> Player:
    def play(exchange: Exchange) -> None:
        first(exchange) if exchange.number == 0 else exchange.send(exchange.true_reply())

    return play


_SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
_PRIMARY = "API rate limit exceeded for user ID 1."
_EPOCH = str(int(RESET.timestamp()))

_fault("401")(_says(401, "Bad credentials"))
_fault("403: lack of right")(
    _says(403, "Resource not accessible by personal access token", X_Accepted_GitHub_Permissions="contents=read")
)
_fault("403: limit used up, with reset")(_says(403, _PRIMARY, X_RateLimit_Remaining="0", X_RateLimit_Reset=_EPOCH))
_fault("403: limit used up, without reset")(_says(403, _PRIMARY, X_RateLimit_Remaining="0"))
_fault("403: secondary limit, an hour")(_says(403, _SECONDARY, Retry_After=str(LONG)))
_fault("403: secondary limit, no time named")(_says(403, _SECONDARY))
_fault("403: secondary limit, a second")(_once(_says(403, _SECONDARY, Retry_After="1")))
_fault("429: an hour")(_says(429, "Too many requests", Retry_After=str(LONG)))
_fault("429: no time named")(_says(429, "Too many requests"))
_fault("429: a second")(_once(_says(429, "Too many requests", Retry_After="1")))
_fault("404 in the service's own words")(_says(404, "Not Found"))
_fault("404 of a proxy")(
    lambda exchange: exchange.send(Reply(404, {"Content-Type": "text/html"}, b"<html><h1>Not Found</h1></html>\n"))
)
_fault("410")(_says(410, "Gone"))
_fault("451")(_says(451, "Repository access blocked"))
_fault("500")(_says(500, "Server Error"))
_fault("502")(_says(502, "Bad Gateway"))
_fault("502 once")(_once(_says(502, "Bad Gateway")))
_fault("503: an hour")(_says(503, "Unavailable", Retry_After=str(LONG)))


# ---- bodies


def _with(change: Callable[[Reply], Reply]) -> Player:
    def play(exchange: Exchange) -> None:
        exchange.send(change(exchange.true_reply()))

    return play


def _typed(reply: Reply, content_type: str) -> Reply:
    headers = {name: value for name, value in reply.headers.items() if name.lower() != "content-type"}
    return Reply(reply.status, {**headers, "Content-Type": content_type}, reply.body)


def _type_of(reply: Reply) -> str:
    return next((value for name, value in reply.headers.items() if name.lower() == "content-type"), "")


def _garbled(body: bytes) -> bytes:
    """A byte that is no UTF-8 within the first quoted text; at the beginning where nothing is quoted, as in a pack."""
    at = body.find(b'"') + 1
    return body[:at] + b"\xe9" + body[at:]


def _body(reply: Reply, body: bytes) -> Reply:
    """Another body, with 200: no absence and no redirect any more."""
    return Reply(200, reply.headers, body)


_fault("empty body")(_with(lambda reply: _body(reply, b"")))
_fault("truncated, Content-Length to match")(_with(lambda reply: _body(reply, reply.body[: len(reply.body) // 2])))
_fault("JSON of another shape")(
    _with(lambda reply: _body(_typed(reply, _type_of(reply) or "application/json"), b'{"answer": [42, null]}'))
)
_fault("JSON null")(_with(lambda reply: _body(_typed(reply, _type_of(reply) or "application/json"), b"null")))
_fault("captive portal: HTML with 200")(_with(lambda reply: _body(_typed(reply, "text/html; charset=utf-8"), PORTAL)))
_fault("captive portal, labelled as what was asked for")(_with(lambda reply: _body(reply, PORTAL)))
_fault("wrong content type")(_with(lambda reply: _typed(reply, "text/plain")))
_fault("wrong charset in the label")(
    _with(lambda reply: _typed(reply, f"{_type_of(reply).partition(';')[0] or 'text/plain'}; charset=utf-16"))
)
_fault("not UTF-8")(_with(lambda reply: Reply(reply.status, reply.headers, _garbled(reply.body) + b"\xe9")))
_fault("coding that was not asked for")(
    _with(lambda reply: Reply(reply.status, {**reply.headers, "Content-Encoding": "br"}, reply.body))
)


@cache
def bomb() -> bytes:
    """Half a gigabyte of spaces, as one gzip member: half a megabyte on the wire."""
    piece = b" " * 2**20
    packer = zlib.compressobj(9, wbits=-15)
    # After a full flush nothing refers back: the same bytes again are the same piece again.
    block, end = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH), packer.flush()
    count, checksum = BOMB // len(piece), 0
    for _ in range(count):
        checksum = zlib.crc32(piece, checksum)
    head = b"\x1f\x8b\x08" + bytes(7)
    return head + block * count + end + struct.pack("<II", checksum, BOMB)


@_fault("gzip bomb", heavy=True)
def _bomb(exchange: Exchange) -> None:
    reply = exchange.true_reply()
    exchange.send(Reply(reply.status, {**reply.headers, "Content-Encoding": "gzip"}, bomb()))


@_fault("100 MB, announced", heavy=True)
def _huge(exchange: Exchange) -> None:
    reply = exchange.true_reply()
    exchange.raw(Reply(reply.status, {**reply.headers, "Content-Length": str(HUGE)}).head())
    _pour(exchange)


@_fault("100 MB, not announced", heavy=True)
def _huge_stream(exchange: Exchange) -> None:
    reply = exchange.true_reply()
    head = Reply(reply.status, {**reply.headers, "Connection": "close"}).head()
    exchange.raw(b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")))
    _pour(exchange)


def _pour(exchange: Exchange) -> None:
    block = b" " * _BLOCK
    for _ in range(HUGE // _BLOCK):
        exchange.raw(block)


# ---- pages


_ONE_PAGE = re.compile(r"[?&](?:ref|sha)=")
"""Of the history and of the last pushes the first page is enough: there is no second request."""


def _linked(exchange: Exchange, reply: Reply, number: int) -> Reply:
    """The answer with a link to a page of this number behind it."""
    mark = "&" if "?" in exchange.asked.target else "?"
    link = f'<{exchange.here()}{mark}page={number}>; rel="next"'
    return Reply(reply.status, {**reply.headers, "Link": link}, reply.body)


@_fault("500 pages")
def _pages(exchange: Exchange) -> None:
    reply = exchange.true_reply()
    if exchange.number < 500:
        # Spaces behind it make each page another one.
        reply = Reply(reply.status, reply.headers, reply.body + b" " * exchange.number * _is_json(reply))
        reply = _linked(exchange, reply, exchange.number + 2)
    exchange.send(reply)


@_fault("pagination that repeats")
def _repeats(exchange: Exchange) -> None:
    exchange.send(_linked(exchange, exchange.true_reply(), 2))


def _is_json(reply: Reply) -> bool:
    return "json" in _type_of(reply)


@_fault("a page that changes between two requests")
def _changes(exchange: Exchange) -> None:
    """An item of the first page goes, and what follows moves up: the one that was first on the second page."""
    reply = exchange.true_reply()
    document: Any = json.loads(reply.body) if _is_json(reply) and exchange.asked.service == "github" else None
    is_keyed = isinstance(document, dict) and "total_count" in document
    key = next((name for name in document if isinstance(document[name], list)), None) if is_keyed else None
    items = document[key] if key else document
    if not isinstance(items, list) or not items or _ONE_PAGE.search(exchange.asked.target):
        exchange.send(reply)
        return
    second = "page" in exchange.asked.query
    gone = _other(items[0])
    shown = items[1:] if second else [gone] if exchange.number == 0 else items[:1]
    counted = document["total_count"] + (exchange.number == 0) if key else 0
    changed = {**document, key: shown, "total_count": counted} if key else shown
    reply = _body(reply, json.dumps(changed).encode())
    exchange.send(reply if second else _linked(exchange, reply, 2))


def _other(item: dict[str, Any]) -> dict[str, Any]:
    """An item of the same kind that the run is not about."""
    changed = {**item, "id": 999_999_999, "number": 999_999, "run_number": 999_999}
    if "head" in item:
        changed["head"] = {**item["head"], "ref": "something-else"}
    others = {"tag_name": "v0.0.1", "draft": False, "name": "something else", "context": "something else"}
    others |= {"enforcement": "disabled"}
    others |= {"steps": [], "conclusion": "success"} if "steps" in item else {}
    return {**changed, **{name: value for name, value in others.items() if name in item}}


# ---- clocks


def _clock(days: int) -> Player:
    def play(exchange: Exchange) -> None:
        reply = exchange.true_reply()
        moment = datetime.now(timezone.utc) + timedelta(days=days)
        exchange.send(Reply(reply.status, {**reply.headers, "Date": format_datetime(moment, usegmt=True)}, reply.body))

    return play


_fault("a clock a year ahead")(_clock(365))
_fault("a clock a year behind")(_clock(-365))


@_fault("a clock a year ahead, and a limit with reset")
def _clock_and_limit(exchange: Exchange) -> None:
    theirs = datetime.now(timezone.utc) + timedelta(days=365)
    reset = str(int((theirs + timedelta(seconds=LONG)).timestamp()))
    date = format_datetime(theirs, usegmt=True)
    message = _PRIMARY
    exchange.send(refused(exchange, 403, message, X_RateLimit_Remaining="0", X_RateLimit_Reset=reset, Date=date))


_fault("200 that uses the limit up")(
    _with(
        lambda reply: Reply(
            reply.status,
            {
                **{name: value for name, value in reply.headers.items() if not name.lower().startswith("x-ratelimit")},
                "X-RateLimit-Limit": "5000",
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": _EPOCH,
            },
            reply.body,
        )
    )
)
