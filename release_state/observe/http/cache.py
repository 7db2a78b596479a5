"""Answers that came with an ETag, kept for the next run: to ask whether they still hold, never to use them unasked.

A service that says 304 has looked, and sends nothing: GitHub does not count it, and a long page need not be fetched.
Only its owner can read the folder: what private repositories answered is in it. Source: RFC 9110, 13.1.2 and 15.4.5.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import platformdirs

from release_state.common import disk
from release_state.observe.http.refusal import get_header, parse_http_date

_MOST = 300
_MOST_BYTES = 64 * 2**20
_LARGEST = 16 * 2**20
"""Bytes of one answer's body."""
_HEADERS = ("content-type", "etag")
"""What is kept beside the body: all else has to come with the 304."""


@dataclass(frozen=True)
class CachedResponse:
    """A whole answer of status 200."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def etag(self) -> str:
        """What to ask with."""
        return self.headers["etag"]


class ResponseCache:
    """The folder that they are in; `folder` replaces the one below the user's caches. Safe for many at once."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(platformdirs.user_cache_dir("release-state")) / "answers"

    def get(self, key: tuple[str, ...]) -> CachedResponse | None:
        """The response cached under a key; None where no whole one is."""
        path = self._path(key)
        try:
            if not self._is_private():
                return None
            head, _, body = path.read_bytes().partition(b"\n")
            found = json.loads(head)
            headers = {name: str(found["headers"][name]) for name in _HEADERS}
            if found["question"] != path.stem or found["body"] != hashlib.sha256(body).hexdigest():
                return None
            os.utime(path)  # what is used goes last
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return CachedResponse(headers, body)

    def put(self, key: tuple[str, ...], headers: Mapping[str, str], body: bytes) -> None:
        """Keep an answer that has an ETag. Best effort: what cannot be written costs the next run a whole answer."""
        kept = {name.lower(): text for name, text in headers.items() if name.lower() in _HEADERS}
        if set(kept) != set(_HEADERS) or len(body) > _LARGEST:
            return
        path = self._path(key)
        head = {"question": path.stem, "headers": kept, "body": hashlib.sha256(body).hexdigest()}
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._is_private():
                disk.write_atomically(path, json.dumps(head).encode() + b"\n" + body, mode=0o600)
                self._limit()

    def _path(self, key: tuple[str, ...]) -> Path:
        return self._folder / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()}.answer"

    def _is_private(self) -> bool:
        """Whether nobody else can read the folder, or put an answer into it."""
        there = self._folder.lstat()
        return there.st_uid == os.getuid() and not there.st_mode & 0o077

    def _limit(self) -> None:
        """Let go of those that were not used for the longest time."""
        held = sorted(
            ((path.stat(), path) for path in self._folder.glob("*.answer")), key=lambda each: -each[0].st_mtime
        )
        total = 0
        for number, (there, path) in enumerate(held):
            total += there.st_size
            if number >= _MOST or total > _MOST_BYTES:
                path.unlink(missing_ok=True)


OLDEST = timedelta(minutes=5)
"""How old an answer may be: GitHub lets caches keep one for a minute."""
_STALE = re.compile(r"\b11[012] ")
"""Of the header `Warning`: stale, not revalidated, disconnected."""


def explain_staleness(headers: Mapping[str, str]) -> str | None:
    """Why an answer is one that a cache kept; None where it does not say so.

    Its date says nothing: a clock may be wrong, and a cache has to send the age.
    """
    age = get_header(headers, "Age") or ""
    if age.strip().isdecimal() and int(age.strip()[:9]) > OLDEST.total_seconds():
        return f"answered from a cache with a response that is {int(age.strip()[:9])} s old"
    if _STALE.search(get_header(headers, "Warning") or ""):
        return "answered from a cache that did not revalidate it"
    return None


def is_revalidated(headers: Mapping[str, str], etag: str) -> bool:
    """Whether a `304` says that the answer with this ETag still holds.

    One that seems old does not, though this machine's clock may be wrong: asking for the whole costs little.
    """
    told, given = get_header(headers, "ETag"), parse_http_date(get_header(headers, "Date"))
    if told is None or _opaque(told) != _opaque(etag) or explain_staleness(headers):
        return False
    return given is None or datetime.now(timezone.utc) - given <= OLDEST


def _opaque(etag: str) -> str:
    """What is compared weakly."""
    return etag.strip().removeprefix("W/")


_MOST_REMEMBERED = 200
"""Answers that are kept; the oldest go first."""


def remember(folder: Path, key: object, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result for a key (plain data), computed where it is not in the folder yet.

    Best effort: a folder that cannot be written to, or a file that cannot be read, only costs the time to ask.
    """
    digest = hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()
    path = folder / f"{digest}.json"
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    answer = ask()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        kept = sorted(folder.glob("*.json"), key=lambda each: each.stat().st_mtime)
        for old in kept[: -_MOST_REMEMBERED + 1] if len(kept) >= _MOST_REMEMBERED else []:
            old.unlink(missing_ok=True)
        disk.write_atomically(path, json.dumps(answer))
    return answer
