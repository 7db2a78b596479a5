"""The timeline on the page: an SVG with lanes, and beside it the same events in words, row by row.

Rows have the same height, however far apart the events are; words tell the gaps. The picture is stretched to the height
of the list. Dots and squares are lines of length zero with round or square ends, so stretching does not distort them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from release_state.common.text import sanitize
from release_state.report.page.templates import format_span, format_utc
from release_state.verdict.timeline import Event, State, Timeline

_LANES = {"run": 0, "commit": 1, "branch": 1, "tag": 1, "upload": 2}
_GITHUB = 3
_X = (9, 25, 41, 57)
_WIDTH = 66
_GAP = 3600.0
"""Seconds between two events above which a row shows the time between them."""
_ALIKE = 4
"""The longest row of events of one kind that is shown one by one; a longer one becomes a count."""


class Mark(Struct, frozen=True):
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

    @property
    def symbol(self) -> str:
        """The state in one character; nothing for what is done."""
        return {"failed": "✗", "running": "…", "withdrawn": "⊘"}.get(self.state, "")

    @property
    def words_with_time(self) -> str:
        """The row in words, for who cannot see the picture."""
        when = f"{format_utc(self.at)} " if self.at else ""
        detail = f" ({sanitize(self.detail, 200)})" if self.detail else ""
        return f"{when}{sanitize(self.words, 200)}{detail}"


class Shape(Struct, frozen=True):
    """A path of the picture."""

    kind: str
    path: str
    width: int | None = None
    end: str = ""
    """The form of its ends."""


class Story(Struct, frozen=True):
    """The events in rows, and the picture beside them."""

    marks: tuple[Mark, ...]
    shapes: tuple[Shape, ...]
    gaps: tuple[str, ...]
    """What is unknown."""

    @property
    def events(self) -> int:
        """How many rows are no gap."""
        return sum(mark.lane is not None for mark in self.marks)

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The first and the last time; None if no time is known."""
        times = [mark.at for mark in self.marks if mark.at]
        return (min(times), max(times)) if times else None


def draw_timeline(found: Timeline) -> Story:
    """The rows and the picture of a timeline; both empty if no event is known."""
    marks = tuple(_marks(found.events))
    return Story(marks, tuple(_shapes(marks)), found.gaps)


def _marks(events: Sequence[Event]) -> Iterator[Mark]:
    before: datetime | None = None
    dated = False
    ends = sorted(_ends(events), key=lambda mark: (mark.at is None, mark.at.timestamp() if mark.at else 0.0))
    for mark in _condensed(ends):
        if mark.at is None and dated:
            yield Mark("Time not recorded")
            dated = False
        elif mark.at and before and (seconds := (mark.at - before).total_seconds()) >= _GAP:
            yield Mark(f"{format_span(seconds)} later")
        if mark.at:
            before, dated = mark.at, True
        yield mark


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
        took = f"after {format_span((event.until - event.at).total_seconds())}"
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
                until = f", last at {format_utc(last.at)}" if last.at else ""
                noun = {"upload": "uploads", "commit": "commits"}.get(first.kind, "events")
                words = f"{len(group)} {noun}: {sanitize(first.words, 80)} and {len(group) - 1} more{until}"
                yield Mark(words, first.at, first.lane, first.kind, first.state)
            else:
                yield from group
            group = []
        if mark is not None:
            group.append(mark)


def _shapes(marks: Sequence[Mark]) -> Iterator[Shape]:
    for lane, x in enumerate(_X):
        rows = [number for number, mark in enumerate(marks) if mark.lane == lane]
        if lane and len(rows) > 1:
            yield _line("rail", x, rows[0], rows[-1])
    starts: dict[str, int] = {}
    for number, mark in enumerate(marks):
        if mark.lane is None:
            yield Shape("pause", f"M0 {2 * number + 1}H{_WIDTH}")
        elif mark.run:
            if mark.run in starts:
                yield _line(f"bar {mark.state}", _X[0], starts[mark.run], number)
            starts.setdefault(mark.run, number)
    for number, mark in enumerate(marks):
        if mark.lane is not None:
            end = "square" if mark.kind == "upload" or mark.state == "failed" else "round"
            yield Shape(f"dot {mark.state} {mark.kind}", f"M{_X[mark.lane]} {2 * number + 1}h.01", 11, end)


def _line(kind: str, x: int, first: int, last: int) -> Shape:
    return Shape(kind, f"M{x} {2 * first + 1}V{2 * last + 1}", 5 if kind.startswith("bar") else 2)
