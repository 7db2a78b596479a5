"""From a true answer to one that nobody would give: a value of a JSON document exchanged, a piece of text doubled."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63, 10**40, 1.5, float("nan"), float("inf"), -0.0),
    *("", " ", "x", "\0", "\n", "-x", "é", "\ud800", "\u202e", "\x1b[31m", "0" * 5000, "9" * 5000, "x" * 300, "a" * 40),
    *("2026-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-13-01", "v0.2.0"),
    *("https://[", "https://h:99999999/", "javascript:x", "//h", "http://h.example/\r\nX: y", "https://\u2100.example"),
    *([], [[]], [None], {}, {"": {}}, ["x"], [{"name": None}]),
)  # fmt: skip
"""What a field of another type, or of no sense, holds."""
PIECES = (
    *(b"", b"\0", b"\n", b"\r\n", b"\x1f", b"\x01", b"\x02", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\t", b" "),
    *(b"<", b">", b"&", b'"', b"'", b"[", b"]", b"{", b"}", b"(", b"=", b":", b"\\", b"<!", b"<![", b"<!--", b"&#"),
    *(b"9" * 5000, b"[" * 500, b"{" * 500, b"-", b"*", b"&a", b"*a", b"!!python/object:x ", b"%", b"\x1b[", b"../"),
    *(b"1e999", b"nan", b"= 1" + b"0" * 5000, b'"""', b"0x", b"99999-99-99", b"::", b"##[", b"\xf0\x9f\x9a\x80"),
)
"""What breaks parsers of text."""
_MOST = 3


def mutated(data: bytes, random: Random, most: int = 2**16) -> bytes:
    """Another input, of `most` bytes at the most; the same for the same numbers."""
    for _ in range(random.randint(1, _MOST)):
        data = _in_json(data, random) if data[:1] in (b"{", b"[") and random.random() < 0.7 else _in_text(data, random)
    return data[:most]


def _in_json(data: bytes, random: Random) -> bytes:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return _in_text(data, random)
    places = list(_places(document))
    if not places:
        return _in_text(data, random)
    holder, key = places[random.randrange(len(places))]
    how = random.randrange(4)
    if how == 0:
        del holder[key]
    elif how == 1 and isinstance(holder, list):
        holder += [holder[key]] * random.choice((1, 2, 200))
    elif how == 2:
        holder[key] = [holder[key]]
    else:
        holder[key] = VALUES[random.randrange(len(VALUES))]
    try:
        return json.dumps(document, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return data


def _places(document: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    pending = [document]
    while pending:
        held = pending.pop()
        if isinstance(held, (dict, list)):
            keys = list(held) if isinstance(held, dict) else range(len(held))
            found += [(held, key) for key in keys]
            pending += [held[key] for key in keys]
    return found


def _in_text(data: bytes, random: Random) -> bytes:
    start, end = sorted((random.randint(0, len(data)), random.randint(0, len(data))))
    end = min(end, start + 64)
    changes: tuple[Callable[[], bytes], ...] = (
        lambda: data[:start] + data[end:],
        lambda: data[:start] + PIECES[random.randrange(len(PIECES))] + data[start:],
        lambda: data[:start] + PIECES[random.randrange(len(PIECES))] + data[end:],
        lambda: data[:end] + data[start:],
        lambda: data[:start] + data[start:end] * random.choice((2, 50)) + data[end:],
        lambda: data[:start] + bytes([random.randrange(256)]) + data[start + 1 :],
        lambda: data[:start],
    )
    return changes[random.randrange(len(changes))]()
