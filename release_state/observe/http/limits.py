"""What limits the look-ups of a run: the rate limit that its processes share, and the time of a round.

Source: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import TypeVar

from release_state.common import disk
from release_state.observe.http.response import get_header, get_number, read_date, read_reset, to_local_clock

T = TypeVar("T")
R = TypeVar("R")

_LONGEST = 3 * 3600
"""Seconds; a longer wait is taken for an error of the clock."""


class SharedLimit:
    """The rate limit of one token, in a private folder that the processes of a run share.

    Once GitHub says that it is used up, or asks for a pause, the run sends no request before the time that it names: a
    request would be refused, and can end in a longer ban.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "limit.json"
        self._until, self._seen = 0.0, -1

    def note_response(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the rate limit from a response."""
        now, until = time.time(), 0.0
        if (get_header(headers, "X-RateLimit-Remaining") or "").strip() == "0":
            reset = read_reset(headers)
            until = to_local_clock(reset, read_date(headers)).timestamp() if reset else 0.0
        if status in (403, 429) and (pause := get_number(headers, "Retry-After")) is not None:
            until = max(until, now + pause)
        if now < until < now + _LONGEST and until > self._until:
            self._until = until
            with suppress(OSError):  # the folder goes with the end of the run
                disk.write_atomically(self._path, json.dumps(until))

    def until(self) -> datetime | None:
        """Until when no request may be sent; None if one may be sent now."""
        with suppress(OSError, ValueError):
            changed = self._path.stat().st_mtime_ns
            if changed != self._seen:
                self._until = max(self._until, float(json.loads(self._path.read_text(encoding="utf-8"))))
                self._seen = changed
        return datetime.fromtimestamp(self._until, timezone.utc) if self._until > time.time() else None


PAUSES = (0.25, 1.0)
"""Seconds before the second and the third try, unless the service names a time."""


class Stage(Enum):
    """When a look-up can begin, and by which share of the time it has to end.

    A source that does not answer must leave time for the look-ups that come after it.
    """

    FIRST = 0.5
    """Needs no other look-up."""
    SECOND = 0.75
    """Needs results of the first stage."""
    LAST = 1.0
    """Needs results of the second stage, or the phase."""


_stage: ContextVar[Stage] = ContextVar("stage", default=Stage.LAST)


def map_in_threads(function: Callable[[T], R], items: Iterable[T], at_once: int, name: str) -> list[R]:
    """Call a function with each item in threads, within the caller's stage. Raises what the first call raised."""
    context = copy_context()
    with ThreadPoolExecutor(at_once, thread_name_prefix=f"release-state-{name}") as pool:
        return list(pool.map(lambda item: context.copy().run(function, item), items))


class TimeLeft:
    """One deadline for all look-ups of a round. Many threads may use it.

    `seconds` are for the whole round; a look-up `within(stage)` has until the end of that stage.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.begin()

    def begin(self) -> None:
        """Start the next round."""
        self._began = time.monotonic()

    @contextmanager
    def within(self, stage: Stage) -> Iterator[None]:
        """Give the look-ups of this thread, in the block, the time of this stage."""
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
        """Seconds until the end of the stage; negative after it."""
        return self.ends - time.monotonic()
