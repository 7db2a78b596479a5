"""Moments that strangers write."""

from __future__ import annotations

from datetime import datetime


def is_sane(moment: datetime) -> bool:
    """Whether it can be shown in every zone and counted with: the first and the last year of the calendar cannot."""
    return 1 < moment.year < 9999
