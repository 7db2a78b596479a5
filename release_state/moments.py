"""Moments that strangers write, and how long ago something was."""

from __future__ import annotations

import time
from datetime import datetime, timezone


def is_sane(moment: datetime) -> bool:
    """Whether it can be shown in every zone and counted with: the first and the last year of the calendar cannot."""
    return 1 < moment.year < 9999


def of_epoch(seconds: str | bytes) -> datetime | None:
    """The moment of so many seconds since 1970 (UTC); None for what is no number, or no sane moment."""
    try:
        moment = datetime.fromtimestamp(int(seconds), timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if is_sane(moment) else None


FRESH = 60.0
"""Seconds that what was observed may be old in the end: a commit or a tag can have been pushed meanwhile."""


def elapsed() -> float:
    """Seconds since some moment; those of a machine that sleeps or is suspended are among them where it counts them."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)  # Linux
    return time.monotonic() if clock is None else time.clock_gettime(clock)
