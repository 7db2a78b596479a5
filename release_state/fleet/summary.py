"""What a run over many projects shows on the terminal, and its annotations and step summary in a workflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from release_state.common.text import sanitize
from release_state.fleet.projects import ProjectRow, find_worst
from release_state.fleet.report import describe_verdict
from release_state.model.outcome import Exit
from release_state.model.plan import Step
from release_state.report.actions import StepReport, annotation, errors_first
from release_state.report.markdown import cut, escape, fence
from release_state.report.screen import Ending, Screen

if TYPE_CHECKING:
    import pytest

_RED = (Exit.ACTION_NEEDED, Exit.DEFECT)
_MOST = 10
"""Findings of a project in annotations and in the step summary; its own report has all of them."""
_SHOWN = 3
"""Findings and commands of a project on the terminal; the report has all of them."""


def header(listed: Path, total: int, audit: str | None, github_api: str, token_source: str | None) -> list[str]:
    """The lines above the run: what is checked, and the source of each fact."""
    what = f"audit, versions: {audit}" if audit else "a gate of each"
    return [
        f"{total} projects of {sanitize(str(listed))}: {what}",
        f"  GitHub  {github_api}, {f'token from {token_source}' if token_source else 'no token'}",
    ]


def summarise(reporter: pytest.TerminalReporter, rows: Sequence[ProjectRow], total: int, ending: Ending) -> None:
    """Print the end of the run: the projects with findings, and the verdict over all."""
    screen = Screen(reporter)
    # One defect can hit many projects: its traceback is shown once.
    found: dict[str, str] = {}
    for row in rows:
        for trace, where in row.tracebacks.items():
            found.setdefault(trace, f"{where}, of {row.project}")
    screen.tracebacks(found)
    if rows:
        for row in rows:
            if row.exit is not Exit.OK and not screen.is_quiet:
                _show(screen, row)
        code = find_worst(rows)
        colour = "green" if code is Exit.OK and len(rows) == total else "red" if code in _RED else "yellow"
        screen.line()
        screen.line(describe_verdict(rows, total), bold=True, **{colour: True})
        counts = Counter(row.verdict for row in rows)
        screen.line(", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()), 2, 2)
    screen.end(ending)


def _show(screen: Screen, row: ProjectRow) -> None:
    screen.finding(f"{row.verdict}: {row.project} ({row.repository})", (), is_red=row.exit in _RED)
    for line in row.findings[:_SHOWN]:
        screen.line(sanitize(line), 4, 2)
    if len(row.findings) > _SHOWN:
        screen.line(f"and {len(row.findings) - _SHOWN} more", 4)
    if row.retry_at:
        screen.line(f"retry after {row.retry_at}", 4)
    # One command can fix several findings.
    lines = list(dict.fromkeys(line for step in row.steps for line in step.lines()))
    for line in lines[:_SHOWN]:
        screen.command(line, 4)
    if len(lines) > _SHOWN:
        screen.line(f"and {len(lines) - _SHOWN} more commands: see the report", 4)


def step_report(rows: Sequence[ProjectRow], total: int, html: str) -> StepReport:
    """What a run over many projects reports to its workflow."""
    wrong = [row for row in rows if row.exit is not Exit.OK]
    return StepReport(
        verdict=describe_verdict(rows, total),
        phase="fleet",
        annotations=lambda: errors_first(map(_annotation, wrong)),
        summary=lambda room: cut(_blocks(rows, wrong, total), html, room),
    )


def _blocks(rows: Sequence[ProjectRow], wrong: Sequence[ProjectRow], total: int) -> Iterator[str]:
    yield f"## {find_worst(rows).symbol} {escape(describe_verdict(rows, total))}\n\n"
    yield "| project | verdict | checked | findings |\n|---|---|---|---|\n"
    for row in sorted(rows, key=lambda row: (row.exit is Exit.OK, row.project)):
        checked = "; ".join(part.summary for part in row.parts)
        name = f"{row.exit.symbol} {escape(row.project)}"
        yield f"| {name} | {escape(row.verdict)} | {escape(checked, 300)} | {len(row.findings)} |\n"
    yield "\n"
    yield from map(_block, wrong)


def _block(row: ProjectRow) -> str:
    lines = [f"- {escape(line)}\n" for line in row.findings[:_MOST]]
    if len(row.findings) > _MOST:
        lines.append(f"- and {len(row.findings) - _MOST} more\n")
    if row.retry_at:
        lines.append(f"- retry after {escape(row.retry_at)}\n")
    steps = "".join(map(_commands, row.steps))
    head = f"**{row.exit.symbol} {escape(row.project)}** ({escape(row.repository)}): {escape(row.verdict)}"
    return f"{head}\n\n{''.join(lines)}\n{steps}"


def _commands(step: Step) -> str:
    withheld = f"No command: {escape(step.withheld)}\n\n" if step.withheld else ""
    return f"{escape(step.title)}\n\n{withheld}" + (f"{fence(step.lines())}\n" if step.commands else "")


def _annotation(row: ProjectRow) -> str:
    steps = (f"fix: {step.title}" for step in row.steps[:_MOST])
    return annotation(row.exit in _RED, (*row.findings[:_MOST], *steps), f"{row.verdict}: {sanitize(row.project)}")
