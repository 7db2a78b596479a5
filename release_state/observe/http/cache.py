"""Responses with an ETag, cached for the next run, which asks whether they still hold and never uses them unasked.

GitHub does not count a 304 against the rate limit, and a long page need not be sent again.
Only its owner can read the folder: it holds responses about private repositories. Source: RFC 9110, 13.1.2, 15.4.5.
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
from release_state.observe.http.response import get_header, parse_http_date

_MOST = 300
_MOST_BYTES = 64 * 2**20
_LARGEST = 16 * 2**20
"""Bytes of one body."""
_HEADERS = ("content-type", "etag")
"""Stored with the body; all other headers come with the 304."""


@dataclass(frozen=True)
class CachedResponse:
    """A complete response with status 200."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def etag(self) -> str:
        """The ETag to ask with."""
        return self.headers["etag"]


class ResponseCache:
    """The folder of cached responses: `folder`, or one below the user's caches. Threads and processes may share it."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(platformdirs.user_cache_dir("release-state")) / "answers"

    def get(self, key: tuple[str, ...]) -> CachedResponse | None:
        """The response cached under a key; None if no complete one is."""
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
        """Store a response that has an ETag; if it cannot be written, the next run fetches it again."""
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
        """Whether nobody else can read the folder or write into it."""
        there = self._folder.lstat()
        return there.st_uid == os.getuid() and not there.st_mode & 0o077

    def _limit(self) -> None:
        """Remove the least recently used responses beyond the limits."""
        held = sorted(
            ((path.stat(), path) for path in self._folder.glob("*.answer")), key=lambda each: -each[0].st_mtime
        )
        total = 0
        for number, (there, path) in enumerate(held):
            total += there.st_size
            if number >= _MOST or total > _MOST_BYTES:
                path.unlink(missing_ok=True)


OLDEST = timedelta(minutes=5)
"""The oldest response that counts as current; GitHub lets caches keep one for a minute."""
_STALE = re.compile(r"\b11[012] ")
"""In the `Warning` header: stale, not revalidated, disconnected."""


def explain_staleness(headers: Mapping[str, str]) -> str | None:
    """Say how a response shows that it came from a cache unasked; None if it does not.

    The `Date` header does not count: a clock may be wrong, and a cache has to send the age.
    """
    age = get_header(headers, "Age") or ""
    if age.strip().isdecimal() and int(age.strip()[:9]) > OLDEST.total_seconds():
        return f"answered from a cache with a response that is {int(age.strip()[:9])} s old"
    if _STALE.search(get_header(headers, "Warning") or ""):
        return "answered from a cache that did not revalidate it"
    return None


def is_revalidated(headers: Mapping[str, str], etag: str) -> bool:
    """Whether a `304` confirms that the response with this ETag still holds.

    One that seems old does not, even if this machine's clock is wrong: fetching the whole costs little.
    """
    told, given = get_header(headers, "ETag"), parse_http_date(get_header(headers, "Date"))
    if told is None or _opaque(told) != _opaque(etag) or explain_staleness(headers):
        return False
    return given is None or datetime.now(timezone.utc) - given <= OLDEST


def _opaque(etag: str) -> str:
    """The ETag as a weak comparison sees it."""
    return etag.strip().removeprefix("W/")


_MOST_REMEMBERED = 200
"""Results that are kept; the oldest are removed first."""


def remember(folder: Path, key: object, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result for a key (plain data), computed where it is not in the folder yet.

    A folder that cannot be written or a file that cannot be read only costs the time to compute it again.
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
