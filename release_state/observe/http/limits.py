"""What one service said about asking too much, shared by all that ask it with the same token: also by processes.

A run over many projects spends one budget. Once GitHub says that it is used up, or asks for a pause, nobody of the run
sends another request before the time that it names: asking on would be refused, and can end in a longer ban.
Source: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path

from release_state.common import disk
from release_state.observe.http.refusal import get_header, parse_epoch, read_date, to_local_clock

_FILE = "limit.json"
_LONGEST = 3 * 3600
"""Seconds; what is named beyond is taken for a mistake of the clock."""


class SharedLimit:
    """The limit of one run, kept in a private folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._until, self._seen = 0.0, -1

    def note_response(self, status: int, headers: Mapping[str, str]) -> None:
        """Take what an answer says of the limit."""
        now = time.time()
        until = 0.0
        if (get_header(headers, "X-RateLimit-Remaining") or "").strip() == "0":
            reset = parse_epoch(get_header(headers, "X-RateLimit-Reset"))
            until = to_local_clock(reset, read_date(headers)).timestamp() if reset else 0.0
        retry = (get_header(headers, "Retry-After") or "").strip()
        if status in (403, 429) and retry.isdecimal():
            until = max(until, now + int(retry[:6]))
        if now < until < now + _LONGEST and until > self._until:
            self._until = until
            with suppress(OSError):  # the folder goes with the end of the run
                disk.write_atomically(self._path, json.dumps(until))

    def until(self) -> datetime | None:
        """Until when nothing is to be asked; None where nothing stands in the way."""
        with suppress(OSError, ValueError):
            changed = self._path.stat().st_mtime_ns
            if changed != self._seen:
                self._until = max(self._until, float(json.loads(self._path.read_text(encoding="utf-8"))))
                self._seen = changed
        return datetime.fromtimestamp(self._until, timezone.utc) if self._until > time.time() else None


PAUSES = (0.25, 1.0)
"""Seconds before the second and the third try, where the service names no other time."""


class Stage(Enum):
    """When a look-up can begin, and the share of the time by which it has to end.

    A source that does not answer must leave time for what is asked after it of other sources.
    """

    FIRST = 0.5
    """It needs no other answer."""
    SECOND = 0.75
    """It needs answers of the first."""
    LAST = 1.0
    """It needs answers of the second, or the phase."""


_stage: ContextVar[Stage] = ContextVar("stage", default=Stage.LAST)


class TimeLeft:
    """One deadline for all that is asked in a round; safe to use from many threads.

    `seconds` are for the whole round; what is asked within `of` a stage has until the end of that.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.begin()

    def begin(self) -> None:
        """Start anew: the next round."""
        self._began = time.monotonic()

    @contextmanager
    def of(self, stage: Stage) -> Iterator[None]:
        """What is asked meanwhile, in this thread, belongs to this stage."""
        before = _stage.set(stage)
        try:
            yield
        finally:
            _stage.reset(before)

    @property
    def limit(self) -> float:
        """Seconds from the beginning of the round to the end of the stage."""
        return self.seconds * _stage.get().value

    @property
    def ends(self) -> float:
        """The end of the stage, on the clock of `time.monotonic`."""
        return self._began + self.limit

    @property
    def left(self) -> float:
        """Seconds; less than nothing once it is over."""
        return self.ends - time.monotonic()
