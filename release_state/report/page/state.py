"""The state matrix of the page. Its parts carry their roles: browsers forget them where a table is shown as cards."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from release_state.matrix import Row
from release_state.report.page.parts import badge, link, slug, text

_LONGEST = 300
"""Characters of a cell; what is longer stands with its check."""
_COLUMNS = ("Trace", "Expected", "Observed", "State", "See it")


def matrix_table(rows: Sequence[Row], anchor: str, name: str) -> str:
    """One line for each trace, with a link to look at it with one's own eyes."""
    head = "".join(f'<th role="columnheader" scope="col">{column}</th>' for column in _COLUMNS)
    body = "".join(_row(row, anchor) for row in rows)
    return (
        f'<table class="matrix" role="table" aria-label="{text(name)}">'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table>'
    )


def _row(row: Row, anchor: str) -> str:
    kind = f"row outcome-{slug(row.state)}" if row.state else "row nothing"
    checks = [*row.decided_by, *(f"{name} (advice)" for name in row.advice)]
    named = ", ".join(f'<a href="#{anchor}{escape(name.split()[0])}">{escape(name)}</a>' for name in checks)
    return (
        f'<tr role="row" class="{kind}"><th role="rowheader" scope="row">{text(row.name)}</th>'
        f'<td role="cell" data-label="Expected">{text(row.expected, _LONGEST)}</td>'
        f'<td role="cell" data-label="Observed">{text(row.observed, _LONGEST)}</td>'
        f'<td role="cell" data-label="State">{badge(row.state)}{f" <small>{named}</small>" if named else ""}</td>'
        f'<td role="cell" data-label="See it">{_see(row)}</td></tr>'
    )


def _see(row: Row) -> str:
    return link(row.link, "open", f"open: {row.name}") if row.link else "-"
