"""The reports over many projects, with a row for each: a JSON document and a page that loads nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from pydantic import AwareDatetime, Field

from release_state import __version__
from release_state.audit.report.page import render_fix, render_frame
from release_state.fleet.projects import Part, ProjectRow, find_worst
from release_state.model.observation import Model
from release_state.model.outcome import Exit
from release_state.report.document import build_model_schema
from release_state.report.page.parts import text

FORMAT = 1


def describe_verdict(rows: Sequence[ProjectRow], total: int) -> str:
    """The verdict over all projects: the worst one, and how many projects have it."""
    code = find_worst(rows)
    if code is Exit.OK and len(rows) < total:
        return f"PARTIAL {len(rows)} of {total}"
    alike = [row for row in rows if row.exit is code]
    verdicts = list(dict.fromkeys(row.verdict for row in alike))
    shown = verdicts[0] if len(verdicts) == 1 else "EVERY PROJECT HOLDS"
    return f"{shown}: {len(alike)} of {total} projects"


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
        "projects": [
            {"verdict": row.verdict, "exit_code": int(row.exit), **row.model_dump(mode="json", exclude={"tracebacks"})}
            for row in rows
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=True).replace("\x7f", "\\u007f") + "\n"


def render_page(rows: Sequence[ProjectRow], total: int, exit_code: int, started_at: datetime, folder: str) -> str:
    """The page: the verdict, the number of projects by verdict, and the table."""
    title, code = describe_verdict(rows, total), int(find_worst(rows))
    verdicts = Counter(row.verdict for row in rows)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    kinds = sorted({kind for row in rows for part in row.parts for kind in part.kinds})
    order = {each: number for number, each in enumerate((3, 1, 6, 8, 5, 0))}
    table = "".join(
        _row(row, folder) for row in sorted(rows, key=lambda row: (order.get(int(row.exit), 9), row.project))
    )
    columns = ("Project", "Verdict", "Checked", "Seconds", "Found", "Fix")
    head = "".join(f"<th>{column}</th>" for column in columns)
    return render_frame(
        title,
        code,
        (
            f'<section class="audit"><p><strong>{len(rows)} of {total} projects</strong>: {text(counts)}.</p>',
            '<div class="filters"><label>Text <input type="search"></label>',
            f"<label>Verdict <select>{_options(verdicts)}</select></label>",
            f"<label>Kind <select>{_options(kinds)}</select></label>",
            f'<span class="shown" data-what="projects">{len(rows)} of {len(rows)} projects</span></div>',
            f'<table class="fleet"><thead><tr>{head}</tr></thead><tbody>{table}</tbody></table></section>',
        ),
        started_at,
    )


def _options(values: Sequence[str] | Counter[str]) -> str:
    return '<option value="">any</option>' + "".join(f"<option>{text(value)}</option>" for value in values)


def _row(row: ProjectRow, folder: str) -> str:
    kinds = " ".join(kind for part in row.parts for kind in part.kinds)
    checked = "<br>".join(f"{text(_what_of(part.key))}: {text(part.summary)}" for part in row.parts)
    found = "".join(f"<li>{text(line)}</li>" for line in row.findings)
    again = f"<p>Retry after {text(row.retry_at)}.</p>" if row.retry_at else ""
    steps = "".join(map(render_fix, row.steps))
    count = f"{len(row.steps)} step{'s' * (len(row.steps) != 1)}"
    steps = f"<details><summary>{count}</summary>{steps}</details>" if steps else ""
    name = text(row.project)
    link = f'<a href="{escape(folder)}/{escape(row.report)}">{name}</a>' if row.report else name
    return (
        f'<tr data-o="{text(row.verdict)}" data-k="{text(kinds)}"><td>{link}<br><span class="small">'
        f'{text(row.repository)}</span><td class="exit-{int(row.exit)}">{text(row.verdict)}<td>{checked}'
        f"<td>{row.seconds:.1f}<td><ul class='facts'>{found}</ul>{again}<td>{steps}"
    )


def _what_of(key: str) -> str:
    """The channel, or version and channel; the package has its own column."""
    package, is_version, rest = key.partition("==")
    return rest if is_version else package.partition("@")[2]


class ProjectReport(Model):
    """One project of a list: its `ProjectRow` with verdict and exit code."""

    verdict: str
    exit_code: int
    project: str
    repository: str
    parts: tuple[Part, ...]
    seconds: float
    observed_by: int
    report: str | None
    defect: str | None


class FleetReport(Model):
    """The document of a run over many projects."""

    release_state_fleet: int = Field(description="format of this document")
    release_state: str = Field(description="version of the suite")
    started_at: AwareDatetime
    exit_code: int
    verdict: str
    projects_listed: int
    reports: str
    """Folder of the projects' own reports, beside this document."""
    projects: tuple[ProjectReport, ...]


def build_schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return build_model_schema(FleetReport, "release-state report over many projects")
