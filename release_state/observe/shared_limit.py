"""What one service said about asking too much, shared by all that ask it with the same token: also by processes.

A run over many projects spends one budget. Once GitHub says that it is used up, or asks for a pause, nobody of the run
sends another request before the time that it names: asking on would be refused, and can end in a longer ban.
Source: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from release_state import whole
from release_state.observe.refusal import date_of, epoch, header, on_our_clock

_FILE = "limit.json"
_LONGEST = 3 * 3600
"""Seconds; what is named beyond is taken for a mistake of the clock."""


class SharedLimit:
    """The limit of one run, kept in a private folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._until, self._seen = 0.0, -1

    def told(self, status: int, headers: Mapping[str, str]) -> None:
        """Take what an answer says of the limit."""
        now = time.time()
        until = 0.0
        if (header(headers, "X-RateLimit-Remaining") or "").strip() == "0":
            reset = epoch(header(headers, "X-RateLimit-Reset"))
            until = on_our_clock(reset, date_of(headers)).timestamp() if reset else 0.0
        retry = (header(headers, "Retry-After") or "").strip()
        if status in (403, 429) and retry.isdecimal():
            until = max(until, now + int(retry[:6]))
        if now < until < now + _LONGEST and until > self._until:
            self._until = until
            with suppress(OSError):  # the folder goes with the end of the run
                whole.write(self._path, json.dumps(until))

    def until(self) -> datetime | None:
        """Until when nothing is to be asked; None where nothing stands in the way."""
        with suppress(OSError, ValueError):
            changed = self._path.stat().st_mtime_ns
            if changed != self._seen:
                self._until = max(self._until, float(json.loads(self._path.read_text(encoding="utf-8"))))
                self._seen = changed
        return datetime.fromtimestamp(self._until, timezone.utc) if self._until > time.time() else None
