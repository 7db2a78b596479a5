"""The time that the look-ups of a run share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum

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
    """
    One deadline for all that is asked in a round; safe to use from many threads.

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
