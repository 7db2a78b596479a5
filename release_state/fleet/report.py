"""The report over many projects: a row for each, in a page that loads nothing and in a JSON document."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from pydantic import AwareDatetime, Field

from release_state import __version__
from release_state.audit.report.page import resource, step_of
from release_state.common.text import sanitize
from release_state.fleet.projects import Part, ProjectRow, worst
from release_state.model.observation import Model
from release_state.model.outcome import Exit
from release_state.report.document import schema_of

FORMAT = 1


def words(rows: Sequence[ProjectRow], total: int) -> str:
    """The verdict over all: that of the project that decides, and of how many."""
    code = worst(rows)
    if code is Exit.OK and len(rows) < total:
        return f"PARTIAL {len(rows)} of {total}"
    alike = [row for row in rows if row.exit is code]
    verdicts = list(dict.fromkeys(row.verdict for row in alike))
    shown = verdicts[0] if len(verdicts) == 1 else "EVERY PROJECT HOLDS"
    return f"{shown}: {len(alike)} of {total} projects"


def document(rows: Sequence[ProjectRow], total: int, exit_code: int, started_at: datetime, folder: str) -> str:
    """The document of a run, as JSON in ASCII alone."""
    content = {
        "release_state_fleet": FORMAT,
        "release_state": __version__,
        "started_at": started_at.isoformat(),
        "exit_code": exit_code,
        "verdict": words(rows, total),
        "projects_listed": total,
        "reports": folder,
        "projects": [
            {"verdict": row.verdict, "exit_code": int(row.exit), **row.model_dump(mode="json", exclude={"tracebacks"})}
            for row in rows
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=True).replace("\x7f", "\\u007f") + "\n"


def page(rows: Sequence[ProjectRow], total: int, exit_code: int, started_at: datetime, folder: str) -> str:
    """The page: the verdict, how many ended how, and the table."""
    title, code = words(rows, total), int(worst(rows))
    verdicts = Counter(row.verdict for row in rows)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    kinds = sorted({kind for row in rows for part in row.parts for kind in part.kinds})
    order = {each: number for number, each in enumerate((3, 1, 6, 8, 5, 0))}
    table = "".join(
        _row(row, folder) for row in sorted(rows, key=lambda row: (order.get(int(row.exit), 9), row.project))
    )
    columns = ("Project", "Verdict", "Looked at", "Seconds", "What is wrong", "What to do")
    head = "".join(f"<th>{column}</th>" for column in columns)
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(title)}</title><style>{resource('audit_page.css')}</style></head><body><main>",
            f'<h1 class="exit-{code}">{_text(title)}</h1><section class="audit">',
            f"<p><strong>{len(rows)} of {total} projects</strong>: {_text(counts)}.</p>",
            '<div class="filters"><label>Text <input type="search"></label>',
            f"<label>Verdict <select>{_options(verdicts)}</select></label>",
            f"<label>Kind <select>{_options(kinds)}</select></label>",
            f'<span class="shown" data-what="projects">{len(rows)} of {len(rows)} projects</span></div>',
            f'<table class="fleet"><thead><tr>{head}</tr></thead><tbody>{table}</tbody></table></section>',
            f'<p class="small">release-state {__version__}, {started_at:%Y-%m-%d %H:%M:%S} UTC</p></main>',
            f"<script>{resource('audit_page.js')}</script></body></html>\n",
        )
    )


def _options(values: Sequence[str] | Counter[str]) -> str:
    return '<option value="">any</option>' + "".join(f"<option>{_text(value)}</option>" for value in values)


def _row(row: ProjectRow, folder: str) -> str:
    kinds = " ".join(kind for part in row.parts for kind in part.kinds)
    looked = "<br>".join(f"{_text(_what_of(part.key))}: {_text(part.summary)}" for part in row.parts)
    found = "".join(f"<li>{_text(line)}</li>" for line in row.findings)
    again = f"<p>Ask again at {_text(row.retry_at)}.</p>" if row.retry_at else ""
    steps = "".join(map(step_of, row.steps))
    count = f"{len(row.steps)} step{'s' * (len(row.steps) != 1)}"
    steps = f"<details><summary>{count}</summary>{steps}</details>" if steps else ""
    name = _text(row.project)
    link = f'<a href="{escape(folder)}/{escape(row.report)}">{name}</a>' if row.report else name
    return (
        f'<tr data-o="{_text(row.verdict)}" data-k="{_text(kinds)}"><td>{link}<br><span class="small">'
        f'{_text(row.repository)}</span><td class="exit-{int(row.exit)}">{_text(row.verdict)}<td>{looked}'
        f"<td>{row.seconds:.1f}<td><ul class='facts'>{found}</ul>{again}<td>{steps}"
    )


def _what_of(key: str) -> str:
    """The channel, or version and channel: the package has a column of its own."""
    package, is_version, rest = key.partition("==")
    return rest if is_version else package.partition("@")[2]


def _text(text: str) -> str:
    return escape(sanitize(text))


class ProjectReport(Model):
    """One project of a list: its `ProjectRow`, and what that comes to."""

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


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return schema_of(FleetReport, "release-state report over many projects")
