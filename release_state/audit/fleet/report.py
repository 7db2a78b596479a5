"""The reports over many projects, a row for each: JSON document, page, terminal and the summary of a workflow step."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from release_state import __version__
from release_state.audit.fleet.projects import ProjectRow, find_worst
from release_state.audit.report.page import render_frame
from release_state.common.text import sanitize
from release_state.model.outcome import Exit, Outcome
from release_state.model.plan import Step
from release_state.report.actions import StepReport, annotation, errors_first
from release_state.report.markdown import cut, fence
from release_state.report.markdown import escape as plain
from release_state.report.screen import Screen

FORMAT = 1
_RED = (Exit.ACTION_NEEDED, Exit.DEFECT)
_MOST = 10
"""Findings of a project in annotations and in the step summary; its own report has all of them."""
_SHOWN = 3
"""Findings and commands of a project on the terminal; the report has all of them."""


def describe_verdict(rows: Sequence[ProjectRow], total: int) -> str:
    """The verdict over all projects: the worst one, and how many projects have it."""
    code = find_worst(rows)
    if code is Exit.OK and len(rows) < total:
        return f"PARTIAL {len(rows)} of {total}"
    alike = [row for row in rows if row.exit is code]
    verdicts = list(dict.fromkeys(row.verdict for row in alike))
    shown = verdicts[0] if len(verdicts) == 1 else "EVERY PROJECT HOLDS"
    return f"{shown}: {len(alike)} of {total} projects"


def _count_verdicts(rows: Sequence[ProjectRow]) -> str:
    """The number of projects by verdict, the most common first."""
    return ", ".join(f"{count} {verdict}" for verdict, count in Counter(row.verdict for row in rows).most_common())


def build_document(rows: Sequence[ProjectRow], total: int, exit_code: int, started_at: datetime, folder: str) -> str:
    """The JSON document of a run, in ASCII."""
    content = {
        "release_state_fleet": FORMAT,
        "release_state": __version__,
        "started_at": started_at.isoformat(),
        "exit_code": exit_code,
        "verdict": describe_verdict(rows, total),
        "projects_listed": total,
        "reports": folder,
        "projects": list(map(_project, rows)),
    }
    return json.dumps(content, indent=1, ensure_ascii=True).replace("\x7f", "\\u007f") + "\n"


def _project(row: ProjectRow) -> dict[str, Any]:
    shown = {key: value for key, value in to_builtins(row).items() if key != "tracebacks"}
    return {"verdict": row.verdict, "exit_code": int(row.exit), **shown}


def render_page(rows: Sequence[ProjectRow], total: int, exit_code: int, started_at: datetime, folder: str) -> str:
    """The page: the verdict, the number of projects by verdict, and the table."""
    word, _, about = describe_verdict(rows, total).partition(": ")
    order = {each: number for number, each in enumerate((3, 1, 6, 8, 5, 0))}
    return render_frame(
        "audit/fleet/fleet.html",
        word,
        about or f"{total} projects",
        find_worst(rows),
        started_at,
        total=total,
        counts=_count_verdicts(rows),
        verdicts=dict.fromkeys(row.verdict for row in rows),
        kinds=sorted({kind for row in rows for part in row.parts for kind in part.kinds}),
        folder=folder,
        rows=[_make_row(row) for row in sorted(rows, key=lambda row: (order.get(int(row.exit), 9), row.project))],
    )


def _make_row(row: ProjectRow) -> dict[str, object]:
    """What the template shows of one project."""
    return {
        "project": row.project,
        "repository": row.repository,
        "report": row.report,
        "verdict": row.verdict,
        "code": int(row.exit),
        "symbol": row.exit.symbol,
        "kinds": " ".join(kind for part in row.parts for kind in part.kinds),
        "checked": [(_what_of(part.key), part.summary) for part in row.parts],
        "wrong": [line for line in row.findings if not _is_advice(line)],
        "advice": [line for line in row.findings if _is_advice(line)],
        "steps": [step for step in row.steps if not step.advice],
        "advised": [step for step in row.steps if step.advice],
        "retry_at": row.retry_at,
    }


def _is_advice(line: str) -> bool:
    """Whether a finding of a part is advice: its first words say so."""
    return line.partition(": ")[0].endswith(" (advice)")


def _what_of(key: str) -> str:
    """The channel, or version and channel; the package has its own column."""
    package, is_version, rest = key.partition("==")
    return rest if is_version else package.partition("@")[2]


def header(listed: Path, total: int, audit: str | None, github_api: str, token_source: str | None) -> list[str]:
    """The lines above the run: what is checked, and the source of each fact."""
    what = f"audit, versions: {audit}" if audit else "a gate of each"
    return [
        f"{total} projects of {sanitize(str(listed))}: {what}",
        f"  GitHub  {github_api}, {f'token from {token_source}' if token_source else 'no token'}",
    ]


def show_rows(screen: Screen, rows: Sequence[ProjectRow], total: int) -> None:
    """Print the projects with findings, and the number of projects by verdict."""
    for row in rows:
        if row.exit is not Exit.OK and not screen.is_quiet:
            _show(screen, row)
    screen.line()
    screen.line(f"{len(rows)} of {total} projects: {_count_verdicts(rows)}", 2, 2)


def _show(screen: Screen, row: ProjectRow) -> None:
    outcome = Outcome.ACTION_NEEDED if row.exit in _RED else Outcome.UNKNOWN
    screen.line()
    screen.finding(f"{row.verdict}: {row.project} ({row.repository})", (), outcome)
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
    yield f"## {find_worst(rows).symbol} {plain(describe_verdict(rows, total))}\n\n"
    yield "| project | verdict | checked | findings |\n|---|---|---|---|\n"
    for row in sorted(rows, key=lambda row: (row.exit is Exit.OK, row.project)):
        checked = "; ".join(part.summary for part in row.parts)
        name = f"{row.exit.symbol} {plain(row.project)}"
        yield f"| {name} | {plain(row.verdict)} | {plain(checked, 300)} | {len(row.findings)} |\n"
    yield "\n"
    yield from map(_block, wrong)


def _block(row: ProjectRow) -> str:
    lines = [f"- {plain(line)}\n" for line in row.findings[:_MOST]]
    if len(row.findings) > _MOST:
        lines.append(f"- and {len(row.findings) - _MOST} more\n")
    if row.retry_at:
        lines.append(f"- retry after {plain(row.retry_at)}\n")
    steps = "".join(map(_commands, row.steps))
    head = f"**{row.exit.symbol} {plain(row.project)}** ({plain(row.repository)}): {plain(row.verdict)}"
    return f"{head}\n\n{''.join(lines)}\n{steps}"


def _commands(step: Step) -> str:
    withheld = f"No command: {plain(step.withheld)}\n\n" if step.withheld else ""
    return f"{plain(step.title)}\n\n{withheld}" + (f"{fence(step.lines())}\n" if step.commands else "")


def _annotation(row: ProjectRow) -> str:
    steps = (f"fix: {step.title}" for step in row.steps[:_MOST])
    return annotation(row.exit in _RED, (*row.findings[:_MOST], *steps), f"{row.verdict}: {sanitize(row.project)}")
