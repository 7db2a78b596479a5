"""The HTML report of single versions: one page that loads nothing, built into the page of pytest-html.

The verdict, the state, the plan, the timeline and every check are plain HTML and need no script. pytest-html's own
table follows at the end; its script fills it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from release_state.common.text import sanitize
from release_state.facts.release import Release
from release_state.model.outcome import CheckResult, Exit, Outcome, group_unknown, name_phase
from release_state.model.snapshot import Snapshot
from release_state.report.document import Origin, find_decisive
from release_state.report.page.checks import header, other_row, render_checks, row
from release_state.report.page.parts import (
    badge,
    link,
    moment,
    read_resource,
    render_changes,
    render_matrix,
    render_plan,
    render_process,
    render_terms,
    text,
)
from release_state.report.page.timeline import render_timeline
from release_state.report.process import build_process
from release_state.verdict.changes import Changes
from release_state.verdict.matrix import build_matrix
from release_state.verdict.timeline import build_timeline
from release_state.verdict.traces import repository_page
from release_state.verdict.verdict import TargetVerdict

__all__ = ["header", "other_row", "row", "summary", "title"]

_MOST = 4
_COLOUR = {Exit.OK: ("good", "✓"), Exit.ACTION_NEEDED: ("bad", "✗"), Exit.DEFECT: ("bad", "!")}


def title(verdicts: tuple[TargetVerdict, ...]) -> str:
    """The page's title: the verdict and its subject. pytest-html's template escapes it."""
    if not verdicts:
        return "Nothing was checked"
    worst = find_decisive(verdicts)
    more = f" and {len(verdicts) - 1} more" if len(verdicts) > 1 else ""
    return f"{worst.words}: {worst.target.package} {worst.target.version} on {worst.target.channel.name}{more}"


def summary(
    verdicts: tuple[TargetVerdict, ...],
    snapshots: Mapping[str, Snapshot],
    origin: Origin,
    changes: Mapping[str, Changes] | None = None,
) -> list[str]:
    """The HTML above pytest-html's table: style, script, and an article for each target."""
    changed = changes or {}
    worst = find_decisive(verdicts) if verdicts else None
    top = [
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{read_resource('page.css')}</style>",
        root(worst),
        f"<script>{read_resource('page.js')}</script>",
    ]
    only = len(verdicts) == 1
    blocks = "".join(
        _target(
            verdict,
            Release(snapshots[verdict.target.key]),
            origin,
            changed.get(verdict.target.key),
            "" if only else f"t{number}-",
            only=only,
        )
        for number, verdict in enumerate(verdicts, 1)
    )
    contents = "" if only or not verdicts else _contents(verdicts)
    return [*top, f'<main id="release" lang="en">{contents}{blocks}</main>']


def _contents(verdicts: tuple[TargetVerdict, ...]) -> str:
    lines = "".join(
        f'<li><a href="#t{number}-target">{_heading(verdict)}</a></li>' for number, verdict in enumerate(verdicts, 1)
    )
    return f'<nav aria-label="Targets"><ol class="targets">{lines}</ol></nav>'


def _heading(verdict: TargetVerdict) -> str:
    target = verdict.target
    return f"{escape(verdict.words)}: {text(target.package)} {text(target.version)} on {text(target.channel.name)}"


def _target(
    verdict: TargetVerdict, release: Release, origin: Origin, changes: Changes | None, anchor: str, *, only: bool
) -> str:
    level, process = 2 if only else 3, build_process(release)
    heading = "" if only else f'<h2 id="{anchor}target">{_heading(verdict)}</h2>'
    sections = (
        ("state", "State", render_matrix(build_matrix(release, verdict), anchor, f"State of {verdict.target.version}")),
        ("plan", "What to do", render_plan(verdict.plan, anchor)),
        *([("changes", "Changes since the last run", render_changes(changes))] if changes else []),
        ("process", "How it releases", render_process(process)),
        ("timeline", "Timeline", render_timeline(build_timeline(release), anchor)),
        ("checks", "Checks", render_checks(verdict, anchor, level + 1)),
    )
    shown = "".join(
        f'<section><h{level} id="{anchor}{name}">{words}</h{level}>{content}</section>'
        for name, words, content in sections
    )
    return (
        f'<article class="verdict {colour_of(verdict)[0]}{" only" if only else ""}">{heading}'
        f"{lead(verdict, anchor, process.hints)}"
        f"{facts(verdict, release, origin)}{shown}</article>"
    )


def colour_of(verdict: TargetVerdict | None) -> tuple[str, str]:
    """The name of the verdict's colour and the verdict's symbol."""
    code = verdict.exit if verdict else None
    return _COLOUR.get(code, ("wait", "…" if code is Exit.IN_PROGRESS else "?"))  # type: ignore[arg-type]


def root(verdict: TargetVerdict | None) -> str:
    """A style for pytest-html's own heading, which takes no class."""
    colour, symbol = colour_of(verdict)
    return (
        f"<style>:root {{ --verdict: var(--{colour}); --verdict-paper: var(--{colour}-paper); "
        f'--symbol: "{symbol}"; }}</style>'
    )


def lead(verdict: TargetVerdict, anchor: str, hints: Sequence[str] = ()) -> str:
    """What is wrong, in a few lines with links to the checks and the plan; else how many checks hold."""
    deciding = [r for r in verdict.findings if r.decides(verdict.block_on_advice)]
    lines = [_line(verdict, result, anchor) for result in deciding if result.outcome is not Outcome.UNKNOWN]
    for same in group_unknown(verdict.findings).values():
        if any(result in deciding for result in same):
            lines.append(_cause(verdict, same, anchor) if len(same) > 1 else _line(verdict, same[0], anchor))
    if len(lines) > _MOST:
        lines[_MOST:] = [f'<li><a href="#{anchor}checks">and {len(lines) - _MOST} more</a></li>']
    if not deciding:
        held = sum(result.outcome is Outcome.HOLDS for result in verdict.results)
        lines.append(f"<li>{held} check{'' if held == 1 else 's'} hold{'s' if held == 1 else ''}. Nothing blocks.</li>")
    if verdict.not_run:
        lines.append(f"<li>Not run: {escape(', '.join(verdict.not_run))}</li>")
    if verdict.left_out:
        lines.append(f"<li>Ignored as part of this run: {text(', '.join(verdict.left_out), 300)}</li>")
    said = (*verdict.not_verified, *(f"Hint: {hint}" for hint in hints))
    lines[:0] = [f"<li><strong>{text(line)}</strong></li>" for line in said]
    return f'<div class="lead">{_in_short(verdict)}<ul>{"".join(lines)}</ul></div>{_counts(verdict)}'


def _in_short(verdict: TargetVerdict) -> str:
    """The name of the state, and the direction and length of the plan."""
    steps = [step for step in verdict.plan.steps if not step.advice]
    way = f" Plan: {verdict.plan.direction}, {len(steps)} step{'' if len(steps) == 1 else 's'}." if steps else ""
    return f"<p><strong>{text(verdict.diagnosis.title)}.</strong>{escape(way)}</p>"


def _line(verdict: TargetVerdict, result: CheckResult, anchor: str) -> str:
    way = ""
    if numbers := verdict.find_step_numbers(result):
        way = f' <a class="way" href="#{anchor}step-{numbers[0]}">see step {numbers[0]}</a>'
    return (
        f'<li><a href="#{anchor}{escape(result.id)}">{escape(result.id)}</a> '
        f'<span class="said">{_sentence(result)}</span>{way}</li>'
    )


def _cause(verdict: TargetVerdict, same: Sequence[CheckResult], anchor: str) -> str:
    """One cause and the checks that it leaves unknown: the ones that decide by ID, advice as a count."""
    deciding = [result for result in same if result.decides(verdict.block_on_advice)]
    names = ", ".join(f'<a href="#{anchor}{escape(result.id)}">{escape(result.id)}</a>' for result in deciding)
    if advice := [result for result in same if result not in deciding]:
        names += f' and <a href="#{anchor}{escape(advice[0].id)}">{len(advice)} advice</a>'
    found = f'<strong class="said">{escape(sanitize(same[0].found, 240))}</strong>'
    return f'<li class="cause">{found}. This leaves {len(same)} checks unknown: {names}</li>'


def _sentence(result: CheckResult) -> str:
    found = f"<strong>{escape(sanitize(result.found, 240))}</strong>"
    if result.outcome is Outcome.UNKNOWN or not result.expected:
        return f"{text(result.title)} {found}"
    return f"expected {escape(sanitize(result.expected, 160))}, found: {found}"


def _counts(verdict: TargetVerdict) -> str:
    parts = []
    for outcome in Outcome:
        for advice in (False, True):
            count = sum(r.outcome is outcome and (r.is_finding and not r.blocking) == advice for r in verdict.results)
            if count:
                words = f"{count} {outcome.words}{' (advice)' if advice else ''}"
                parts.append(f"<li{' class=advice' if advice else ''}>{badge(outcome, words)}</li>")
    return f'<ul class="counts" aria-label="Checks by outcome">{"".join(parts)}</ul>'


def facts(verdict: TargetVerdict, release: Release, origin: Origin) -> str:
    """What was checked, when and by whom."""
    target, snapshot = verdict.target, release.snapshot
    local = snapshot.observed_at.astimezone()
    zone = f" · {local:%H:%M:%S} {local.tzname()}" if local.utcoffset() else ""
    who = f"{origin.user} on {origin.host}" if origin.user else origin.host
    rows = [
        ("Package", text(target.package)),
        ("Version", text(target.version)),
        ("Channel", text(target.channel.name)),
        ("Phase", escape(name_phase(verdict.phase))),
        ("Observed", f'<span class="observed">{moment(snapshot.observed_at)} UTC{escape(zone)}</span>'),
        ("By", text(who)),
        ("CI run", link(origin.run_url, origin.run_name or "") if origin.run_url else ""),
        ("Repository", link(repository_page(release), target.repository)),
    ]
    why = f"Why this phase: {verdict.phase_reason}." if verdict.phase_reason else ""
    facts_list = render_terms(rows, ' class="facts"')
    return f'{facts_list}<p class="why">{text(why)}</p>'
