"""Moments that strangers write."""

from __future__ import annotations

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
