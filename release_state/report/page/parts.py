"""Pieces of HTML: escaped text, badges, links and times; the plan, the matrix of traces and the changes since a run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timezone
from html import escape
from importlib.resources import files

from release_state.common.text import LONGEST, quote_command, sanitize
from release_state.model.outcome import Outcome
from release_state.model.plan import Plan, Step
from release_state.report.process import OVERRULED_BY, ProcessReport
from release_state.verdict.changes import Changes
from release_state.verdict.matrix import Row

_WORD = 40
"""Characters of a word in a command from which on a browser may break it."""
_LONG = 1_500
"""Characters above which a command's box scrolls, and so takes the keyboard focus."""
_CELL = 300
"""Characters of a cell; the check itself shows the whole text."""
_COLUMNS = ("Trace", "Expected", "Observed", "State", "Link")
_CODE = re.compile(r"`([^`]+)`")


def read_resource(name: str, package: str = "release_state.report.page") -> str:
    """The text of a file that is built into a page."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def text(value: str, longest: int = LONGEST) -> str:
    """Text escaped for the content of an element or a double-quoted attribute."""
    return escape(sanitize(value, longest))


def fact(title: str) -> str:
    """A check's title; text between backticks becomes code."""
    return _CODE.sub(r"<code>\1</code>", text(title))


def slug(outcome: Outcome) -> str:
    """The outcome as part of a CSS class."""
    return outcome.value.replace(" ", "-")


def badge(outcome: Outcome | None, words: str = "") -> str:
    """An outcome's symbol with its word, or with `words`, in its colour."""
    if outcome is None:
        return '<span class="badge nothing"><span aria-hidden="true">-</span> not checked</span>'
    return (
        f'<span class="badge outcome-{slug(outcome)}"><span aria-hidden="true">{outcome.symbol}</span> '
        f"{escape(words or outcome.words)}</span>"
    )


def link(url: str | None, label: str, name: str = "", longest: int = LONGEST) -> str:
    """A link for an HTTP(S) address, else the label alone. `name` is its accessible name."""
    if not url or not url.startswith(("https://", "http://")):
        return text(label, longest)
    named = f' aria-label="{text(name)}"' if name else ""
    return f'<a href="{text(url)}"{named} rel="noreferrer">{text(label, longest)}</a>'


def render_terms(rows: Sequence[tuple[str, str]], kind: str = "") -> str:
    """A list of terms and their values (HTML); empty values are left out."""
    shown = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in rows if value)
    return f"<dl{kind}>{shown}</dl>" if shown else ""


def moment(at: datetime) -> str:
    """A `time` element in UTC, to the second."""
    return f'<time datetime="{at.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}">{utc(at)}</time>'


def utc(at: datetime) -> str:
    """`2026-11-02 09:00:00`, in UTC."""
    return f"{at.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S}"


def span(seconds: float) -> str:
    """A duration as exact as a reader needs it: `12 ms`, `4.2 s`, `3 min 5 s`, `2 hours`, `3 days`."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    if seconds < 3600:
        return f"{int(seconds // 60)} min" + (f" {int(seconds % 60)} s" if seconds % 60 >= 1 else "")
    unit, size = next(
        (unit, size) for unit, size in (("year", 31_557_600), ("day", 86_400), ("hour", 3_600)) if seconds >= size
    )
    count = int(seconds // size)
    return f"{count} {unit}{'' if count == 1 else 's'}"


def render_changes(changes: Changes) -> str:
    """The earlier verdict, and what changed since or is still missing."""
    lists = {"Fixed": changes.mended, "New": changes.arisen, "Still failing": changes.remaining}
    lines = [text(words) for words in changes.traces]
    lines += [f"{name}: {escape(', '.join(ids))}" for name, ids in lists.items() if ids]
    same = "Nothing changed since" if changes.is_empty else "Changed since"
    items = "".join(f"<li>{line}</li>" for line in lines)
    return f"<p>The last run was at {moment(changes.since)} UTC: {text(changes.verdict_then)}. {same}" + (
        f":</p><ul>{items}</ul>" if items else ".</p>"
    )


def render_process(process: ProcessReport) -> str:
    """How the project releases: in a line, from what it was found out, and what overrules it."""
    items = "".join(f"<li>{text(line)}</li>" for line in process.lines)
    return f"<p>{text(process.summary)}</p><ul>{items}</ul>" + f'<p class="why">{fact(OVERRULED_BY)}</p>'


def render_plan(plan: Plan, anchor: str) -> str:
    """The steps of the plan, in order."""
    if not plan.steps:
        return "<p>Nothing to do.</p>"
    reason = f": {text(plan.reason)}" if plan.reason else ""
    parts = [f"<p>Direction: <strong>{escape(plan.direction)}</strong>{reason}.</p>"]
    if losing := [str(number) for number, step in enumerate(plan.steps, 1) if step.destroys]:
        parts.append(f'<p class="warning"><span aria-hidden="true">⚠</span> Destructive: step {", ".join(losing)}.</p>')
    lines = [command for step in plan.steps for command in (*step.commands, *step.verify)]
    if (way := plan.way_to_folder()) and any(command[0] in ("git", "sh") for command in lines):
        parts.append(f"<p>Run the git commands in the clone:</p>{commands([way], 'to go to the clone')}")
    steps = "".join(_step(number, step, anchor) for number, step in enumerate(plan.steps, 1))
    parts.append(f'<ol class="steps">{steps}</ol>')
    if plan.other_way:
        parts.append(f"<p>{plan.instead}:</p>{commands([quote_command(plan.other_way)], 'for the other plan')}")
    return "".join(parts)


def _step(number: int, step: Step, anchor: str) -> str:
    advice = '<span class="badge nothing">advice</span> ' if step.advice else ""
    parts = [f'<p class="step-title">{advice}<strong>{text(step.title)}</strong></p>']
    if step.reason:
        parts.append(f'<p class="reason">{text(step.reason)}</p>')
    if step.precondition:
        parts.append(f'<p class="only-if"><strong>Only if</strong> {text(step.precondition)}.</p>')
    if step.destroys:
        saved = f"<br>{text(step.saves[:1].upper() + step.saves[1:])}" if step.saves else ""
        parts.append(
            f'<p class="destroys"><strong><span aria-hidden="true">⚠</span> DESTROYS</strong> '
            f"{text(step.destroys)}{saved}</p>"
        )
    if step.withheld:
        parts.append(f'<p class="reason">No command: {text(step.withheld)}.</p>')
    lines = commands(step.lines(), f"of step {number}{', destructive' * bool(step.destroys)}")
    parts.append(f'<div class="destroying">{lines}</div>' if step.destroys and lines else lines)
    if step.link:
        parts.append(f'<p class="by-hand">{link(step.link, step.link)}</p>')
    if step.verify:
        parts.append('<p class="then">Verify:</p>')
        parts.append(commands(step.verify_lines(), f"that verifies step {number}"))
    kind = ' class="danger"' if step.destroys else ""
    return f'<li id="{anchor}step-{number}"{kind}>{"".join(parts)}</li>'


def commands(lines: Sequence[str], what: str) -> str:
    """Each command in its own box. The copy button stays hidden unless the script runs."""
    return "".join(
        _command(line, what if len(lines) == 1 else f"{number} of {len(lines)} {what}")
        for number, line in enumerate(lines, 1)
    )


def _command(line: str, what: str) -> str:
    scrolls = f' tabindex="0" role="group" aria-label="Command {text(what)}"' if len(line) > _LONG else ""
    return (
        f'<div class="command"><pre{scrolls}><code>{_words(line)}</code></pre>'
        f'<button type="button" class="copy" hidden aria-label="Copy command {text(what)}">Copy</button></div>'
    )


def _words(line: str) -> str:
    """The command with short words kept whole: a browser would break `--title` after its hyphens."""
    return "".join(
        f'<span class="word">{escape(word)}</span>' if "-" in word and len(word) < _WORD else escape(word)
        for word in re.split(r"(\s+)", line)
    )


def render_matrix(rows: Sequence[Row], anchor: str, name: str) -> str:
    """A row for each trace, with a link to its page."""
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
    opened = link(row.link, "open", f"open: {row.name}") if row.link else "-"
    named = ", ".join(f'<a href="#{anchor}{escape(name.split()[0])}">{escape(name)}</a>' for name in checks)
    return (
        f'<tr role="row" class="{kind}"><th role="rowheader" scope="row">{text(row.name)}</th>'
        f'<td role="cell" data-label="Expected">{text(row.expected, _CELL)}</td>'
        f'<td role="cell" data-label="Observed">{text(row.observed, _CELL)}</td>'
        f'<td role="cell" data-label="State">{badge(row.state)}{f" <small>{named}</small>" if named else ""}</td>'
        f'<td role="cell" data-label="Link">{opened}</td></tr>'
    )
