"""Small pieces of HTML: escaped text, outcomes as badges, links, times."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from html import escape

from release_state.common.text import LONGEST, sanitize
from release_state.model.outcome import Outcome

_CODE = re.compile(r"`([^`]+)`")


def text(value: str, longest: int = LONGEST) -> str:
    """Text escaped for the content of an element or a double-quoted attribute."""
    return escape(sanitize(value, longest))


def fact(title: str) -> str:
    """A check's title; text between backticks becomes code."""
    return _CODE.sub(r"<code>\1</code>", text(title))


def slug(outcome: Outcome) -> str:
    """The outcome as part of a CSS class."""
    return outcome.value.replace(" ", "-")


def badge(outcome: Outcome | None, words: str = "") -> str:
    """An outcome's symbol with its word, or with `words`, in its colour."""
    if outcome is None:
        return '<span class="badge nothing"><span aria-hidden="true">-</span> not checked</span>'
    return (
        f'<span class="badge outcome-{slug(outcome)}"><span aria-hidden="true">{outcome.symbol}</span> '
        f"{escape(words or outcome.words)}</span>"
    )


def link(url: str | None, label: str, name: str = "", longest: int = LONGEST) -> str:
    """A link for an HTTP(S) address, else the label alone. `name` is its accessible name."""
    if not url or not url.startswith(("https://", "http://")):
        return text(label, longest)
    named = f' aria-label="{text(name)}"' if name else ""
    return f'<a href="{text(url)}"{named} rel="noreferrer">{text(label, longest)}</a>'


def moment(at: datetime) -> str:
    """A `time` element in UTC, to the second."""
    return f'<time datetime="{at.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}">{utc(at)}</time>'


def utc(at: datetime) -> str:
    """`2026-11-02 09:00:00`, in UTC."""
    return f"{at.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S}"


def span(seconds: float) -> str:
    """A duration as exact as a reader needs it: `12 ms`, `4.2 s`, `3 min 5 s`, `2 hours`, `3 days`."""
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
