"""What changed since the last run of the same version and channel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from release_state.common import exact
from release_state.model.plan import Plan, Step
from release_state.report.page.parts import badge, link, moment, slug, text
from release_state.verdict.changes import Changes
from release_state.verdict.matrix import Row


def changes_block(changes: Changes) -> str:
    """The verdict then, and each thing that came, went or is still missing."""
    lists = {"Mended": changes.mended, "New": changes.arisen, "Still not right": changes.remaining}
    lines = [text(words) for words in changes.traces]
    lines += [f"{name}: {escape(', '.join(ids))}" for name, ids in lists.items() if ids]
    same = "nothing changed" if changes.is_empty else "this is different now"
    items = "".join(f"<li>{line}</li>" for line in lines)
    return f"<p>The last run was at {moment(changes.since)} UTC: {text(changes.verdict_then)}. Since then {same}" + (
        f":</p><ul>{items}</ul>" if items else ".</p>"
    )


_WORD = 40
_LONG = 1_500
"""Characters of a command that is shown in a box of its own height, which then takes the keyboard to scroll."""


def plan_list(plan: Plan, anchor: str) -> str:
    """The ordered way out."""
    if not plan.steps:
        return "<p>Nothing is to be done.</p>"
    reason = f": {text(plan.reason)}" if plan.reason else ""
    parts = [f"<p>Direction: <strong>{escape(plan.direction)}</strong>{reason}.</p>"]
    if losing := [str(number) for number, step in enumerate(plan.steps, 1) if step.destroys]:
        parts.append(
            f'<p class="warning"><span aria-hidden="true">⚠</span> Destroys something: step {", ".join(losing)}.</p>'
        )
    if (way := plan.way_to_folder()) and any(_uses_git(step) for step in plan.steps):
        parts.append(f"<p>The git commands are for the clone:</p>{commands([way], 'to go to the clone')}")
    steps = "".join(_step(number, step, anchor) for number, step in enumerate(plan.steps, 1))
    parts.append(f'<ol class="steps">{steps}</ol>')
    if plan.other_way:
        parts.append(f"<p>The other way is shown by:</p>{commands([exact.quoted(plan.other_way)], 'of the other way')}")
    return "".join(parts)


def _uses_git(step: Step) -> bool:
    return any(command[0] in ("git", "sh") for command in (*step.commands, *step.verify))


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
        parts.append(f'<p class="reason">No command is given: {text(step.withheld)}.</p>')
    if step.destroys and step.commands:
        lines = commands(step.lines(), f"of step {number}, which destroys something")
        parts.append(f'<div class="destroying">{lines}</div>')
    else:
        parts.append(commands(step.lines(), f"of step {number}"))
    if step.link:
        parts.append(f'<p class="by-hand">{link(step.link, step.link)}</p>')
    if step.verify:
        parts.append('<p class="then">Then see whether it worked:</p>')
        parts.append(commands(step.verify_lines(), f"that verifies step {number}"))
    kind = ' class="danger"' if step.destroys else ""
    return f'<li id="{anchor}step-{number}"{kind}>{"".join(parts)}</li>'


def commands(lines: Sequence[str], what: str) -> str:
    """Each command in a box of its own with its button; the script shows the button, without it there is none."""
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
    """The command with its short words kept whole: a browser would break `--title` behind its hyphens."""
    return "".join(
        f'<span class="word">{escape(word)}</span>' if "-" in word and len(word) < _WORD else escape(word)
        for word in re.split(r"(\s+)", line)
    )


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
