"""What a run over many projects shows on the terminal, and its annotations and step summary in a workflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from release_state.audit.report.many import RED, errors_first, symbol
from release_state.common.text import sanitize
from release_state.fleet.projects import ProjectRow, worst
from release_state.fleet.report import words
from release_state.model.outcome import Exit
from release_state.model.plan import Step
from release_state.report.actions import StepReport, annotation
from release_state.report.markdown import cut, fenced, text
from release_state.report.screen import Ending, Screen

if TYPE_CHECKING:
    import pytest

_MOST = 10
"""Findings of a project in annotations and in the summary; its own report has all of them."""
_SHOWN = 3
"""Findings of a project, and commands of it, that are shown; the report has all of them."""


def header(listed: Path, total: int, audit: str | None, github_api: str, token_source: str | None) -> list[str]:
    """The lines above the run."""
    token = f"token from {token_source}" if token_source else "without a token"
    what = f"audit, versions: {audit}" if audit else "a gate of each"
    return [
        f"{total} projects of {sanitize(str(listed))}: {what}",
        f"  GitHub  {github_api}, {token}",
    ]


def summarise(reporter: pytest.TerminalReporter, rows: Sequence[ProjectRow], total: int, ending: Ending) -> None:
    """Print the end of the run."""
    # The same defect breaks many projects: its traceback is shown once.
    found: dict[str, str] = {}
    for row in rows:
        for trace, where in row.tracebacks.items():
            found.setdefault(trace, f"{where}, of {row.project}")
    Screen(reporter).tracebacks(found)
    if rows:
        for row in rows:
            if row.exit is not Exit.OK and reporter.config.option.verbose >= 0:
                _line(reporter, row)
        code = worst(rows)
        colour = "green" if code is Exit.OK and len(rows) == total else "yellow"
        colour = "red" if code in (Exit.ACTION_NEEDED, Exit.DEFECT) else colour
        reporter.write_line("")
        reporter.write_line(words(rows, total), bold=True, **{colour: True})
        counts = Counter(row.verdict for row in rows)
        reporter.write_line("  " + ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()))
    for note in ending.notes:
        reporter.write_line(f"note: {sanitize(note)}")
    if ending.trouble:
        reporter.write_line(sanitize(ending.trouble), red=True)
    elif ending.reports.written:
        Screen(reporter).reports(ending.reports)


def _line(reporter: pytest.TerminalReporter, row: ProjectRow) -> None:
    red = row.exit in (Exit.ACTION_NEEDED, Exit.DEFECT)
    reporter.write_line("")
    reporter.write_line(f"  {row.verdict}: {row.project} ({row.repository})", **{"red" if red else "yellow": True})
    for line in row.findings[:_SHOWN]:
        reporter.write_line(f"    {sanitize(line)}")
    if len(row.findings) > _SHOWN:
        reporter.write_line(f"    and {len(row.findings) - _SHOWN} more")
    if row.retry_at:
        reporter.write_line(f"    ask again at {row.retry_at}")
    # What is wrong in two ways can be mended by one command.
    lines = list(dict.fromkeys(line for step in row.steps for line in step.lines()))
    for line in lines[:_SHOWN]:
        Screen(reporter).command(line, 4)
    if len(lines) > _SHOWN:
        reporter.write_line(f"    and {len(lines) - _SHOWN} more commands: see the report")


def of_fleet(rows: Sequence[ProjectRow], total: int, html: str) -> StepReport:
    """What a run over many projects hands on."""
    wrong = [row for row in rows if row.exit is not Exit.OK]
    return StepReport(
        verdict=words(rows, total),
        phase="fleet",
        annotations=lambda: errors_first([_row_annotation(row) for row in wrong]),
        summary=lambda room: cut(_fleet(rows, wrong, total), html, room),
    )


def _fleet(rows: Sequence[ProjectRow], wrong: Sequence[ProjectRow], total: int) -> Iterator[str]:
    yield f"## {symbol(worst(rows))} {text(words(rows, total))}\n\n"
    yield "| project | verdict | looked at | wrong or unknown |\n|---|---|---|---|\n"
    for row in sorted(rows, key=lambda row: (row.exit is Exit.OK, row.project)):
        looked = "; ".join(part.summary for part in row.parts)
        name = f"{symbol(row.exit)} {text(row.project)}"
        yield f"| {name} | {text(row.verdict)} | {text(looked, 300)} | {len(row.findings)} |\n"
    yield "\n"
    for row in wrong:
        yield _row_block(row)


def _row_block(row: ProjectRow) -> str:
    lines = [f"- {text(line)}\n" for line in row.findings[:_MOST]]
    if len(row.findings) > _MOST:
        lines.append(f"- and {len(row.findings) - _MOST} more\n")
    if row.retry_at:
        lines.append(f"- ask again at {text(row.retry_at)}\n")
    steps = "".join(map(_commands, row.steps))
    head = f"**{symbol(row.exit)} {text(row.project)}** ({text(row.repository)}): {text(row.verdict)}"
    return f"{head}\n\n{''.join(lines)}\n{steps}"


def _commands(step: Step) -> str:
    withheld = f"No command is given: {text(step.withheld)}\n\n" if step.withheld else ""
    return f"{text(step.title)}\n\n{withheld}" + (f"{fenced(step.lines())}\n" if step.commands else "")


def _row_annotation(row: ProjectRow) -> str:
    steps = (f"next: {step.title}" for step in row.steps[:_MOST])
    return annotation(row.exit in RED, (*row.findings[:_MOST], *steps), f"{row.verdict}: {sanitize(row.project)}")
