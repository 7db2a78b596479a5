"""The checks on the page: unknown ones first, by cause; then each source, blocking checks before advice."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from html import escape
from typing import Any

from release_state.common.text import format_step_numbers, sanitize
from release_state.model.outcome import CheckResult, Outcome, collect_remedies, find_retry_time, group_unknown
from release_state.report.page.parts import badge, fact, link, moment, render_terms, slug, span, text
from release_state.verdict.matrix import name_trace
from release_state.verdict.verdict import TargetVerdict


def render_checks(verdict: TargetVerdict, anchor: str, level: int) -> str:
    """A block for each source, with every check that ran."""
    groups: dict[str, list[CheckResult]] = defaultdict(list)
    for result in verdict.results:
        if result.outcome is not Outcome.UNKNOWN:
            groups[result.source].append(result)
    blocks = [_unknown(verdict, anchor, level)]
    # Sources with a finding come first: nobody should scroll past checks that hold.
    for source, results in sorted(groups.items(), key=lambda group: not any(r.is_finding for r in group[1])):
        ordered = sorted(results, key=lambda result: not result.blocking)
        items = "".join(_check(verdict, result, anchor) for result in ordered)
        blocks.append(f'<h{level}>{escape(name_trace(source))}</h{level}><ul class="checks">{items}</ul>')
    return "".join(blocks)


def _unknown(verdict: TargetVerdict, anchor: str, level: int) -> str:
    """Each cause once, with the checks that it leaves unknown and when to retry."""
    causes = group_unknown(verdict.results)
    if not causes:
        return ""
    items = []
    for found, results in causes.items():
        names = "".join(
            f'<li id="{anchor}{escape(r.id)}"><strong>{escape(r.id)}</strong> {fact(r.title)}{_level(r)}'
            f'<span class="took">{span(r.seconds)}</span></li>'
            for r in sorted(results, key=lambda result: not result.blocking)
        )
        retry_at = find_retry_time(results)
        again = f"{moment(datetime.fromisoformat(retry_at))} UTC" if retry_at else ""
        rows = [
            ("Found", text(found)),
            ("Fix", "<br>".join(map(text, collect_remedies(results)))),
            ("Retry after", again),
        ]
        advice = " advice" if not any(result.blocking for result in results) else ""
        items.append(
            f'<li class="check outcome-unknown{advice}"><p>{badge(Outcome.UNKNOWN)}</p>{render_terms(rows)}'
            f'<ul class="left-unknown" aria-label="Checks left unknown">{names}</ul></li>'
        )
    return f'<h{level}>Could not be checked</h{level}><ul class="checks unknown">{"".join(items)}</ul>'


def _check(verdict: TargetVerdict, result: CheckResult, anchor: str) -> str:
    advice = "" if result.blocking else " advice"
    return (
        f'<li id="{anchor}{escape(result.id)}" class="check outcome-{slug(result.outcome)}{advice}">'
        f'<p class="head">{badge(result.outcome)} <strong class="id">{escape(result.id)}</strong> '
        f'<span class="title">{fact(result.title)}{_reason(result)}</span>{_level(result)}'
        f'<span class="took">{span(result.seconds)}</span></p>{render_terms(_rows(verdict, result, anchor))}</li>'
    )


def _reason(result: CheckResult) -> str:
    if result.outcome is not Outcome.NOT_APPLICABLE:
        return ""
    return f' <span class="detail">{result.outcome.words}: {text(result.found)}</span>'


def _level(result: CheckResult) -> str:
    return ' <span class="level">advice</span>' if not result.blocking else ""


def _rows(verdict: TargetVerdict, result: CheckResult, anchor: str) -> list[tuple[str, str]]:
    if not result.is_finding:
        return []
    action = "; ".join(link(step.link, step.title) for step in result.steps)
    if numbers := verdict.find_step_numbers(result):
        action = f'<a href="#{anchor}step-{numbers[0]}">{format_step_numbers(numbers)} of the plan</a>'
    return [
        ("Expected", text(result.expected)),
        ("Found", text(result.found)),
        ("Why it matters", text(result.why)),
        ("Fix", action),
    ]


def header(cells: list[Any]) -> None:
    """Set the columns of pytest-html's table."""
    _, _, duration, *_ = cells
    cells[:] = [
        '<th class="sortable" data-column-type="outcome">Outcome</th>',
        '<th class="sortable" data-column-type="check">Check</th>',
        "<th>Fact</th>",
        "<th>Expected</th>",
        "<th>Found</th>",
        "<th>Fix</th>",
        duration,
        '<th class="sortable" data-column-type="result">pytest</th>',
    ]


def row(result: CheckResult, cells: list[Any]) -> None:
    """Fill the row of a check; an empty cell shows a dash."""
    first, _, duration, *_ = cells
    advice = "" if result.blocking else " advice"
    level = "" if result.blocking else " (advice)"
    steps = "; ".join(step.title for step in result.steps)
    target = result.target.rpartition("==")[2]
    found = result.found or ("as expected" if result.outcome is Outcome.HOLDS else "")
    cells[:] = [
        f'<td class="col-outcome outcome-{slug(result.outcome)}{advice}" data-label="Outcome">'
        f"{result.outcome.symbol} {result.outcome.words}{level}</td>",
        f'<td class="col-check" data-label="Check">{escape(result.id)}<br>{escape(target)}</td>',
        f'<td class="col-fact" data-label="Fact">{fact(result.title)}</td>',
        _cell("expected", result.expected),
        _cell("found", found),
        _cell("fix", steps or (result.why if result.is_finding else "")),
        _labelled(duration, "Duration"),
        _labelled(first, "pytest"),
    ]


def _cell(name: str, text: str) -> str:
    nothing = "" if text else " nothing"
    return (
        f'<td class="col-{name}{nothing}" data-label="{name.capitalize()}">{escape(sanitize(text)) or "&ndash;"}</td>'
    )


def _labelled(cell: object, label: str) -> str:
    """A cell of pytest-html with its column's name, for narrow screens."""
    return str(cell).replace("<td ", f'<td data-label="{label}" ', 1)


def other_row(cells: list[Any]) -> None:
    """Fill the row of a report that is not a check: setup, teardown or a collection error."""
    first, test, duration, *_ = cells
    empty = '<td class="nothing"></td>'
    cells[:] = ['<td class="other-row nothing"></td>', test, empty, empty, empty, empty, duration, first]
