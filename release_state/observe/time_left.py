"""The time that the look-ups of a run share."""

from __future__ import annotations

import time


class TimeLeft:
    """
    One deadline for all that is asked in a round; safe to use from many threads.

    A look-up that follows another has what that one left: two slow sources in a row take no more than one of them.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.begin()

    def begin(self) -> None:
        """Start anew: the next round."""
        self.ends = time.monotonic() + self.seconds
        """On the clock of `time.monotonic`."""

    @property
    def left(self) -> float:
        """Seconds; less than nothing once it is over."""
        return self.ends - time.monotonic()
