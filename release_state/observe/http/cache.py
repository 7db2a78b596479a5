"""Caches responses with an ETag. The next run uses one only after the service confirms it with a 304.

GitHub does not count a 304 against the rate limit. Source: RFC 9110, 13.1.2, 15.4.5.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from math import inf
from pathlib import Path
from typing import Any

import platformdirs

from release_state.common import disk
from release_state.observe.http.response import Response, get_header, get_number, parse_http_date

_MOST = 300
_MOST_BYTES = 64 * 2**20
_LARGEST = 16 * 2**20
"""Bytes of one body."""
_HEADERS = ("content-type", "etag")
"""Stored with the body; all other headers come with the 304."""
_MOST_REMEMBERED = 200
OLDEST = timedelta(minutes=5)
"""The oldest response that counts as current; GitHub lets caches keep one for a minute."""
_STALE = re.compile(r"\b11[012] ")
"""In the `Warning` header: stale, not revalidated, disconnected."""


class ResponseCache:
    """The folder of cached responses: `folder`, or one below the user's caches. Threads and processes may share it.

    Only its owner can read it: it holds responses about private repositories.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(platformdirs.user_cache_dir("release-state")) / "answers"

    def get(self, key: tuple[str, ...]) -> Response | None:
        """The response cached under a key, without its address; None if no complete one is."""
        path = self._path(key)
        try:
            if not self._is_private():
                return None
            head, _, body = path.read_bytes().partition(b"\n")
            record = json.loads(head)
            headers = {name: str(record["headers"][name]) for name in _HEADERS}
            if record["question"] != path.stem or record["body"] != hashlib.sha256(body).hexdigest():
                return None
            os.utime(path)  # the least recently used is removed first
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return Response(200, headers, body, "")

    def put(self, key: tuple[str, ...], headers: Mapping[str, str], body: bytes) -> None:
        """Store a response that has an ETag; if it cannot be written, the next run fetches it again."""
        stored = {name.lower(): text for name, text in headers.items() if name.lower() in _HEADERS}
        if set(stored) != set(_HEADERS) or len(body) > _LARGEST:
            return
        path = self._path(key)
        head = {"question": path.stem, "headers": stored, "body": hashlib.sha256(body).hexdigest()}
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._is_private():
                disk.write_atomically(path, json.dumps(head).encode() + b"\n" + body, mode=0o600)
                _remove_old(self._folder, "*.answer", _MOST, _MOST_BYTES)

    def _path(self, key: tuple[str, ...]) -> Path:
        return self._folder / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()}.answer"

    def _is_private(self) -> bool:
        """Whether nobody else can read the folder or write into it."""
        status = self._folder.lstat()
        return status.st_uid == os.getuid() and not status.st_mode & 0o077


def _remove_old(folder: Path, pattern: str, most: int, most_bytes: float = inf) -> None:
    """Remove the least recently used files beyond the limits."""
    files = sorted(((path.stat(), path) for path in folder.glob(pattern)), key=lambda each: -each[0].st_mtime)
    total = 0
    for number, (status, path) in enumerate(files):
        total += status.st_size
        if number >= most or total > most_bytes:
            path.unlink(missing_ok=True)


def explain_staleness(headers: Mapping[str, str]) -> str | None:
    """Say how a response shows that it came from a cache unasked; None if it does not.

    The `Date` header does not count: a clock may be wrong, and a cache has to send the age.
    """
    age = get_number(headers, "Age") or 0
    if age > OLDEST.total_seconds():
        return f"answered from a cache with a response that is {age} s old"
    if _STALE.search(get_header(headers, "Warning") or ""):
        return "answered from a cache that did not revalidate it"
    return None


def is_revalidated(headers: Mapping[str, str], etag: str) -> bool:
    """Whether a `304` confirms that the response with this ETag still holds.

    One that seems old does not, even if this machine's clock is wrong: fetching the whole costs little.
    """
    confirmed, date = get_header(headers, "ETag"), parse_http_date(get_header(headers, "Date"))
    is_same = confirmed is not None and confirmed.strip().removeprefix("W/") == etag.strip().removeprefix("W/")
    if not is_same or explain_staleness(headers):
        return False
    return date is None or datetime.now(timezone.utc) - date <= OLDEST


def remember(folder: Path, key: object, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result for a key (plain data), computed where the folder has none that can be read."""
    digest = hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()
    path = folder / f"{digest}.json"
    with suppress(OSError, ValueError):
        result = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(result, dict):
            return result
    result = ask()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        _remove_old(folder, "*.json", _MOST_REMEMBERED - 1)
        disk.write_atomically(path, json.dumps(result))
    return result
