"""The timeline on the page: an SVG with lanes, and beside it the same events in words, row by row.

Rows have the same height, however far apart the events are; words tell the gaps. The picture is stretched to the height
of the list. Dots and squares are lines of length zero with round or square ends, so stretching does not distort them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from release_state.common.text import sanitize
from release_state.report.page.parts import link, moment, span, text, utc
from release_state.verdict.timeline import Event, State, Timeline

_LANES = {"run": 0, "commit": 1, "branch": 1, "tag": 1, "upload": 2}
_GITHUB = 3
_X = (9, 25, 41, 57)
_WIDTH = 66
_GAP = 3600.0
"""Seconds between two events above which a row shows the time between them."""
_LONGEST = 300
_ALIKE = 4
"""The longest row of events of one kind that is shown one by one; a longer one becomes a count."""


@dataclass(frozen=True)
class Mark:
    """A row: the start or end of an event, or a gap in words."""

    words: str
    at: datetime | None = None
    lane: int | None = None
    kind: str = ""
    state: State = "done"
    detail: str = ""
    link: str | None = None
    run: str | None = None
    """Name of the run, on its first and its last row."""


def render_timeline(found: Timeline, anchor: str) -> str:
    """The picture and the list, or a sentence if no event is known."""
    gaps = f'<p class="gaps">May be incomplete, unknown: {text("; ".join(found.gaps))}</p>' if found.gaps else ""
    if not found.events:
        return f"<p>No known events for this version.</p>{gaps}"
    marks = list(_marks(found.events))
    rows = "".join(map(_row, marks))
    return (
        f'<div class="story">{_picture(marks, anchor)}<ol class="events">{rows}</ol></div>'
        '<p class="legend">Lanes, from the left: release runs, git, index, GitHub. Times in UTC.</p>' + gaps
    )


def _marks(events: Sequence[Event]) -> Iterator[Mark]:
    before: datetime | None = None
    dated = False
    for mark in _condensed(sorted(_ends(events), key=_moment)):
        if mark.at is None and dated:
            yield Mark("Time not recorded")
            dated = False
        elif mark.at and before and (seconds := (mark.at - before).total_seconds()) >= _GAP:
            yield Mark(f"{span(seconds)} later")
        if mark.at:
            before, dated = mark.at, True
        yield mark


def _moment(mark: Mark) -> tuple[bool, float]:
    return mark.at is None, mark.at.timestamp() if mark.at else 0.0


def _ends(events: Sequence[Event]) -> Iterator[Mark]:
    """The events as rows; a finished run has two."""
    last: list[Mark] = []
    for event in events:
        lane = _LANES.get(event.kind, _GITHUB)
        if event.kind != "run":
            yield Mark(event.title, event.at, lane, event.kind, event.state, event.detail, event.link)
            continue
        name = " ".join(event.title.split()[:3])
        if event.until is None or event.at is None:
            yield Mark(event.title, event.at, lane, "run", event.state, event.detail, event.link, run=name)
            continue
        yield Mark(f"{name} started", event.at, lane, "run", link=event.link, run=name)
        took = f"after {span((event.until - event.at).total_seconds())}"
        detail = f"{event.detail}, {took}" if event.detail else took
        last.append(Mark(event.title, event.until, lane, "run", event.state, detail, event.link, run=name))
    yield from last  # sorting is stable: an event in the last second of a run comes before the run's end


def _condensed(marks: Sequence[Mark]) -> Iterator[Mark]:
    """Join long rows of similar events into one."""
    group: list[Mark] = []
    for mark in [*marks, None]:
        if group and (mark is None or (mark.kind, mark.state) != (group[0].kind, group[0].state) or mark.kind == "run"):
            if len(group) > _ALIKE:
                first, last = group[0], group[-1]
                until = f", last at {utc(last.at)}" if last.at else ""
                noun = {"upload": "uploads", "commit": "commits"}.get(first.kind, "events")
                words = f"{len(group)} {noun}: {sanitize(first.words, 80)} and {len(group) - 1} more{until}"
                yield Mark(words, first.at, first.lane, first.kind, first.state)
            else:
                yield from group
            group = []
        if mark is not None:
            group.append(mark)


_WORDS: dict[State, str] = {"done": "", "failed": "✗ ", "running": "… ", "withdrawn": "⊘ "}


def _row(mark: Mark) -> str:
    if mark.lane is None:
        return f'<li class="gap">{escape(mark.words)}</li>'
    when = f'<span class="when">{moment(mark.at)}</span>' if mark.at else '<span class="when never">-</span>'
    detail = f', <span class="detail">{text(mark.detail, _LONGEST)}</span>' if mark.detail else ""
    symbol = f'<span aria-hidden="true">{_WORDS[mark.state]}</span>' if _WORDS[mark.state] else ""
    what = link(mark.link, mark.words, longest=_LONGEST)
    return f'<li class="{mark.state}">{when}<span class="what">{symbol}{what}{detail}</span></li>'


def _picture(marks: Sequence[Mark], anchor: str) -> str:
    words = "; ".join(map(_in_words, marks))
    return (
        f'<svg class="lanes" viewBox="0 0 {_WIDTH} {2 * len(marks)}" preserveAspectRatio="none" role="img" '
        f'aria-labelledby="{anchor}tl-title" aria-describedby="{anchor}tl-desc" fill="none" stroke="currentColor">'
        f'<title id="{anchor}tl-title">Timeline of the release</title>'
        f'<desc id="{anchor}tl-desc">{escape(words)}</desc>{"".join(_shapes(marks))}</svg>'
    )


def _in_words(mark: Mark) -> str:
    when = f"{utc(mark.at)} " if mark.at else ""
    detail = f" ({sanitize(mark.detail, 200)})" if mark.detail else ""
    return f"{when}{sanitize(mark.words, 200)}{detail}"


def _shapes(marks: Sequence[Mark]) -> Iterator[str]:
    for lane, x in enumerate(_X):
        rows = [number for number, mark in enumerate(marks) if mark.lane == lane]
        if lane and len(rows) > 1:
            yield _line("rail", x, rows[0], rows[-1])
    starts: dict[str, int] = {}
    for number, mark in enumerate(marks):
        if mark.lane is None:
            yield f'<path class="pause" d="M0 {2 * number + 1}H{_WIDTH}" vector-effect="non-scaling-stroke"/>'
        elif mark.run:
            if mark.run in starts:
                yield _line(f"bar {mark.state}", _X[0], starts[mark.run], number)
            starts.setdefault(mark.run, number)
    for number, mark in enumerate(marks):
        if mark.lane is not None:
            shape = "square" if mark.kind == "upload" or mark.state == "failed" else "round"
            yield (
                f'<path class="dot {mark.state} {mark.kind}" d="M{_X[mark.lane]} {2 * number + 1}h.01" '
                f'stroke-width="11" stroke-linecap="{shape}" vector-effect="non-scaling-stroke"/>'
            )


def _line(kind: str, x: int, first: int, last: int) -> str:
    width = 5 if kind.startswith("bar") else 2
    return (
        f'<path class="{kind}" d="M{x} {2 * first + 1}V{2 * last + 1}" stroke-width="{width}" '
        'vector-effect="non-scaling-stroke"/>'
    )
