"""pytest-html's own table: our columns in it, for its filters, its sorting and the tracebacks of defects.

The cell of the result stays as pytest names it, in the last column, because the page's own filters hide rows whose
result they do not know.
"""

from __future__ import annotations

from html import escape
from typing import Any

from release_state.outcome import CheckResult, Outcome
from release_state.report.page.parts import SYMBOL, fact, slug
from release_state.text import plain


def header(cells: list[Any]) -> None:
    """The columns of the table."""
    _, _, duration, *_ = cells
    cells[:] = [
        '<th class="sortable" data-column-type="outcome">Outcome</th>',
        '<th class="sortable" data-column-type="check">Check</th>',
        "<th>Fact</th>",
        "<th>Expected</th>",
        "<th>Found</th>",
        "<th>Action</th>",
        duration,
        '<th class="sortable" data-column-type="result">pytest</th>',
    ]


def row(result: CheckResult, cells: list[Any]) -> None:
    """One check's row: no cell of ours is left empty."""
    first, _, duration, *_ = cells
    advice = "" if result.blocking else " advice"
    level = "" if result.blocking else " (advice)"
    steps = "; ".join(step.title for step in result.steps)
    target = result.target.rpartition("==")[2]
    found = result.found or ("it holds" if result.outcome is Outcome.HOLDS else "")
    cells[:] = [
        f'<td class="col-outcome outcome-{slug(result.outcome)}{advice}" data-label="Outcome">'
        f"{SYMBOL[result.outcome]} {result.outcome.value}{level}</td>",
        f'<td class="col-check" data-label="Check">{escape(result.id)}<br>{escape(target)}</td>',
        f'<td class="col-fact" data-label="Fact">{fact(result.title)}</td>',
        _cell("expected", result.expected),
        _cell("found", found),
        _cell("action", steps or (result.why if result.is_finding else "")),
        _labelled(duration, "Duration"),
        _labelled(first, "pytest"),
    ]


def _cell(name: str, text: str) -> str:
    nothing = "" if text else " nothing"
    return f'<td class="col-{name}{nothing}" data-label="{name.capitalize()}">{escape(plain(text)) or "&ndash;"}</td>'


def _labelled(cell: object, label: str) -> str:
    """A cell of pytest-html with the name of its column, for narrow screens."""
    return str(cell).replace("<td ", f'<td data-label="{label}" ', 1)


def other_row(cells: list[Any]) -> None:
    """The row of a report that is no check's: setup and teardown, a collection error."""
    first, test, duration, *_ = cells
    empty = '<td class="nothing"></td>'
    cells[:] = ['<td class="other-row nothing"></td>', test, empty, empty, empty, empty, duration, first]
