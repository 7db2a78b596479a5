"""What the terminal shows of a run over many projects: a line for each that needs a person, and the verdict."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from release_state.fleet.row import Row, worst
from release_state.outcome import Exit
from release_state.report.fleet_page import words
from release_state.report.screen import Screen
from release_state.text import plain

if TYPE_CHECKING:
    import pytest

    from release_state.fleet.run import FleetRun

_MOST = 3
"""Findings of a project, and commands of it, that are shown; the report has all of them."""


def header(run: FleetRun) -> list[str]:
    """The lines above the run."""
    target = run.projects[0].config.targets[0]
    token = f"token from {run.token_source}" if run.token_source else "without a token"
    what = f"audit, versions: {run.audit}" if run.audit else "a gate of each"
    return [
        f"{len(run.projects)} projects of {plain(str(run.listed))}: {what}",
        f"  GitHub  {target.github_api}, {token}",
    ]


def summarise(reporter: pytest.TerminalReporter, run: FleetRun) -> None:
    """The end of the run."""
    rows = run.session.rows() if run.executes else []
    # What is broken breaks for many projects alike.
    found: dict[str, str] = {}
    for row in rows:
        for text, where in row.tracebacks.items():
            found.setdefault(text, f"{where}, of {row.project}")
    Screen(reporter).tracebacks(found)
    if rows:
        for row in rows:
            if row.exit is not Exit.OK and reporter.config.option.verbose >= 0:
                _row(reporter, row)
        code = worst(rows)
        colour = "green" if code is Exit.OK and len(rows) == len(run.projects) else "yellow"
        colour = "red" if code in (Exit.ACTION_NEEDED, Exit.DEFECT) else colour
        reporter.write_line("")
        reporter.write_line(words(rows, len(run.projects)), bold=True, **{colour: True})
        counts = Counter(row.verdict for row in rows)
        reporter.write_line("  " + ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()))
    for note in run.notes:
        reporter.write_line(f"note: {plain(note)}")
    if run.trouble:
        reporter.write_line(plain(run.trouble), red=True)
    elif run.reports.written:
        Screen(reporter).reports(run.reports)


def _row(reporter: pytest.TerminalReporter, row: Row) -> None:
    red = row.exit in (Exit.ACTION_NEEDED, Exit.DEFECT)
    reporter.write_line("")
    reporter.write_line(f"  {row.verdict}: {row.project} ({row.repository})", **{"red" if red else "yellow": True})
    for line in row.findings[:_MOST]:
        reporter.write_line(f"    {plain(line)}")
    if len(row.findings) > _MOST:
        reporter.write_line(f"    and {len(row.findings) - _MOST} more")
    if row.retry_at:
        reporter.write_line(f"    ask again at {row.retry_at}")
    # What is wrong in two ways can be mended by one command.
    lines = list(dict.fromkeys(line for step in row.steps for line in step.lines()))
    for line in lines[:_MOST]:
        Screen(reporter).command(line, 4)
    if len(lines) > _MOST:
        reporter.write_line(f"    and {len(lines) - _MOST} more commands: see the report")
