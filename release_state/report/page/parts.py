"""Small pieces of the page: text from elsewhere made harmless, outcomes as badges, links."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from html import escape

from release_state.common.text import LONGEST, plain
from release_state.model.outcome import Outcome

_CODE = re.compile(r"`([^`]+)`")
SYMBOL = {
    Outcome.HOLDS: "✓",
    Outcome.ACTION_NEEDED: "✗",
    Outcome.IN_PROGRESS: "…",
    Outcome.UNKNOWN: "?",
    Outcome.NOT_APPLICABLE: "-",
    Outcome.DEFECT: "!",
}


def text(value: str, longest: int = LONGEST) -> str:
    """Text for the content of an element or for an attribute in double quotes."""
    return escape(plain(value, longest))


def fact(title: str) -> str:
    """A check's title, which is ours: what stands between backticks in it is code."""
    return _CODE.sub(r"<code>\1</code>", text(title))


def slug(outcome: Outcome) -> str:
    """The outcome in the name of a class."""
    return outcome.value.replace(" ", "-")


def badge(outcome: Outcome | None, words: str = "") -> str:
    """An outcome by its symbol, its word (or `words` with it) and its colour."""
    if outcome is None:
        return '<span class="badge nothing"><span aria-hidden="true">-</span> not judged</span>'
    return (
        f'<span class="badge outcome-{slug(outcome)}"><span aria-hidden="true">{SYMBOL[outcome]}</span> '
        f"{escape(words or outcome.value)}</span>"
    )


def link(url: str | None, label: str, name: str = "", longest: int = LONGEST) -> str:
    """A link where the address is one of the web; else the label alone. `name` says what it leads to."""
    if not url or not url.startswith(("https://", "http://")):
        return text(label, longest)
    named = f' aria-label="{text(name)}"' if name else ""
    return f'<a href="{text(url)}"{named} rel="noreferrer">{text(label, longest)}</a>'


def moment(at: datetime) -> str:
    """A moment in UTC, to the second."""
    return f'<time datetime="{at.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}">{utc(at)}</time>'


def utc(at: datetime) -> str:
    """`2026-11-02 09:00:00`, in UTC."""
    return f"{at.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S}"


def span(seconds: float) -> str:
    """`12 ms`, `4.2 s`, `3 min 5 s`, `2 hours`, `3 days`: as exact as a reader needs it."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    if seconds < 3600:
        return f"{int(seconds // 60)} min" + (f" {int(seconds % 60)} s" if seconds % 60 >= 1 else "")
    unit, size = next(
        (unit, size) for unit, size in (("year", 31_557_600), ("day", 86_400), ("hour", 3_600)) if seconds >= size
    )
    count = int(seconds // size)
    return f"{count} {unit}{'' if count == 1 else 's'}"
