"""Sentences that several checks share."""

from __future__ import annotations

from collections.abc import Iterable


def listing(items: Iterable[str], most: int = 5, total: int | None = None) -> str:
    """The items in one line, the first few and how many more there are."""
    items = list(items)
    more = (total or len(items)) - min(len(items), most)
    return "; ".join(items[:most]) + (f"; and {more} more" if more > 0 else "")


def commits(count: int) -> str:
    """`1 commit`, `2 commits`."""
    return f"{count} commit{'' if count == 1 else 's'}"


def age(minutes: float) -> str:
    """A duration in words, in the unit that fits: `5 min`, `3 h`, `12 days`."""
    whole = max(int(minutes), 0)
    if whole < 120:
        return f"{whole} min"
    return f"{whole // 60} h" if whole < 2880 else f"{whole // 1440} days"
