"""What the terminal shows: where facts are read from, the verdict, the state, what is wrong, and how to mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timezone
from typing import TYPE_CHECKING

from release_state.common import shell
from release_state.common.disk import NO_ROOM
from release_state.common.errors import format_error
from release_state.common.text import format_step_numbers, sanitize
from release_state.facts.release import Release
from release_state.model.outcome import (
    CheckResult,
    Exit,
    Outcome,
    Verdict,
    collect_remedies,
    find_retry_time,
    group_unknown,
)
from release_state.model.plan import Plan
from release_state.observe.defects import Defect, said, tracebacks
from release_state.report.screen import Ending, Screen
from release_state.verdict.conclude import ADVICE, COUNTED
from release_state.verdict.matrix import Row, build_matrix

if TYPE_CHECKING:
    import pytest

    from release_state.model.snapshot import Snapshot
    from release_state.settings.config import RunConfig
    from release_state.verdict.changes import Changes
    from release_state.verdict.verdict import TargetVerdict

_COLOUR = {
    Verdict.READY: "green",
    Verdict.VERIFIED: "green",
    Verdict.ROLLED_BACK: "green",
    Verdict.ACTION_NEEDED: "red",
    Verdict.DEFECT: "red",
}
_NAME, _STATE = 16, 18
"""Columns of the state: the trace, its outcome; what was observed has the rest."""


def header(config: RunConfig, token_source: str | None) -> list[str]:
    """The lines above the run: what is checked, and where each fact is read from."""
    target = config.targets[0]
    versions = ", ".join(dict.fromkeys(t.version for t in config.targets))
    channels = {t.channel.name: t.channel for t in config.targets}
    phase = "auto" if config.phase == "auto" else f"{config.phase}, as asked"
    indexes = ", ".join(f"{name} {channel.index_url}" for name, channel in channels.items())
    return [
        f"release state of {target.package} {versions} on {', '.join(channels)} (phase: {phase})",
        f"  git     {target.remote_url}",
        f"  clone   {sanitize(target.clone) if target.clone else 'none: what needs one is not applicable'}",
        f"  index   {indexes}",
        f"  GitHub  {target.repository} at {target.github_api}, "
        + (f"token from {token_source}" if token_source else "without a token"),
    ]


def summarise(
    reporter: pytest.TerminalReporter,
    verdicts: Sequence[TargetVerdict],
    observed: Mapping[str, Snapshot],
    changes: Mapping[str, Changes],
    ending: Ending,
) -> None:
    """Print the end of the run: for each target its verdict, its state, what is wrong and how to fix it."""
    screen = Screen(reporter)
    _defects(screen, ending.defects)
    if ending.broke is not None:
        reporter.section("release state", sep="=", red=True, bold=True)
        screen.line(f"the observation broke: {sanitize(format_error(ending.broke))}; {remedy_of(ending.broke)}")
        return
    for verdict in verdicts:
        _verdict(screen, verdict, observed[verdict.target.key], changes.get(verdict.target.key))
    screen.broken(said(ending.defects))
    for note in ending.notes:
        screen.line(f"note: {sanitize(note)}", yellow=True)
    if ending.trouble:
        screen.line(sanitize(ending.trouble), red=True)
    elif ending.reports.written:
        screen.reports(ending.reports)


def remedy_of(defect: BaseException) -> str:
    """What to do about what broke."""
    is_room = isinstance(defect, OSError) and defect.errno in NO_ROOM
    return "free space, or set TMPDIR" if is_room else "please report this"


def _defects(screen: Screen, defects: Sequence[Defect]) -> None:
    """Print the tracebacks of look-ups that broke, and of checks in the style of `--tb`."""
    screen.tracebacks(tracebacks(defects))
    for report in screen.reporter.stats.get("defect", ()):
        screen.reporter.section(f"defect in {sanitize(report.nodeid)}", sep="_", red=True)
        for line in report.longreprtext.splitlines():
            screen.verbatim(sanitize(line))


def _verdict(screen: Screen, verdict: TargetVerdict, snapshot: Snapshot, changes: Changes | None) -> None:
    target = verdict.target
    colour = {_COLOUR.get(verdict.verdict, "yellow"): True}
    screen.line()
    screen.line(
        f"{verdict.words}: {target.package} {target.version} on {target.channel.name} ({verdict.phase.value})",
        bold=True,
        **colour,
    )
    for line in verdict.not_verified:
        screen.line(sanitize(line), 2, 2, yellow=True)
    if screen.is_quiet:
        return
    if verdict.findings:
        screen.line(f"phase {verdict.phase.value}: {sanitize(verdict.phase_reason)}", 2, 2)
    nothing = "" if verdict.plan.steps or verdict.exit is not Exit.OK else "; nothing has to be done"
    screen.line(f"checks: {_counts(verdict) or 'none'}{nothing}", 2, 2)
    if changes:
        since = f"{changes.since.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC ({sanitize(changes.verdict_then)})"
        screen.line(f"since {since}: {sanitize(changes.words)}", 2, 2)
    if verdict.left_out:
        screen.line(f"left out, because it is asking: {sanitize(', '.join(verdict.left_out))}", 2, 2)
    for row in build_matrix(Release(snapshot), verdict):
        _row(screen, row)
    _findings(screen, verdict)
    if verdict.plan.steps:
        _plan(screen, verdict.plan)
    if verdict.verdict is Verdict.PARTIAL:
        screen.line(f"not run: {', '.join(verdict.not_run)}", 2, 2)


def _counts(verdict: TargetVerdict) -> str:
    """How many checks ended how; advice that needs action is counted by itself, as in pytest's last line."""
    ended = Counter(
        ADVICE if result.outcome is Outcome.ACTION_NEEDED and not result.blocking else result.outcome.value
        for result in verdict.results
    )
    return ", ".join(f"{ended[name]} {name}" for name in COUNTED if ended[name])


def _row(screen: Screen, row: Row) -> None:
    """A line of the state; what was expected too where that is something else."""
    words, markup = screen.outcome(row.state)
    observed = sanitize(row.observed)
    if row.decided_by:
        observed += f"; expected: {sanitize(row.expected)}"
    room = screen.width - _NAME - _STATE - 5
    if screen.wraps and len(observed) > room > 20:
        observed = f"{observed[: room - 3]}..."  # the finding below has all of it
    screen.reporter.write(f"  {row.name:{_NAME}} ")
    screen.reporter.write(f"{screen.shown(words):{_STATE}} ", **markup)
    screen.verbatim(observed)


def _findings(screen: Screen, verdict: TargetVerdict) -> None:
    for result in verdict.findings:
        if result.outcome is not Outcome.UNKNOWN:
            _finding(screen, verdict, result)
    for results in group_unknown(verdict.findings).values():
        _unknown(screen, results)


def _unknown(screen: Screen, results: Sequence[CheckResult]) -> None:
    """One cause, and every check that it left unknown."""
    screen.line()
    names = ", ".join(result.id + ("" if result.blocking else " (advice)") for result in results)
    screen.line(f"unknown: {names}", 2, 2, yellow=True)
    screen.line(sanitize(results[0].found), 4, 2)
    for remedy in collect_remedies(results):
        screen.line(f"next:     {sanitize(remedy)}", 4, 10)
    if retry_at := find_retry_time(results):
        screen.line(f"ask again at {retry_at}", 4)


def _finding(screen: Screen, verdict: TargetVerdict, result: CheckResult) -> None:
    level = "" if result.blocking else " (advice)"
    colour = {"red" if result.outcome is Outcome.ACTION_NEEDED and result.blocking else "yellow": True}
    screen.line()
    screen.line(f"{result.id} {result.outcome.value}{level}: {result.title}", 2, 2, **colour)
    if result.expected:
        screen.line(f"expected: {sanitize(result.expected)}", 4, 10)
    screen.line(f"found:    {sanitize(result.found)}", 4, 10)
    if result.why:
        screen.line(f"why:      {sanitize(result.why)}", 4, 10)
    if numbers := verdict.find_step_numbers(result):
        screen.line(f"next:     {format_step_numbers(numbers)} of the plan", 4)


def _plan(screen: Screen, plan: Plan) -> None:
    screen.line()
    screen.line(f"The plan: {plan.direction}" + (f" ({sanitize(plan.reason)})" if plan.reason else ""), 2, 2, bold=True)
    if plan.folder and any(step.commands for step in plan.steps):
        screen.line(f"git commands are for {shell.escape(plan.folder)}", 2)
        if way := plan.way_to_folder():
            screen.command(way, 5)
    for number, step in enumerate(plan.steps, 1):
        optional = "advice: " if step.advice else ""
        why = f" ({sanitize(step.reason)})" if step.reason else ""
        screen.line(f"{number}. {optional}{sanitize(step.title)}{why}", 2, 3)
        if step.precondition:
            screen.line(f"only if {sanitize(step.precondition)}", 5, 2)
        if step.destroys:
            saved = f"; {sanitize(step.saves)}" if step.saves else ""
            screen.line(f"DESTROYS {sanitize(step.destroys)}{saved}", 5, 2, red=True)
        for line in step.lines():
            screen.command(line, 5)
        if step.withheld:
            screen.line(f"no command is given: {sanitize(step.withheld)}", 5, 2)
        if step.link:
            screen.verbatim(sanitize(step.link), 5)
    if plan.other_way:
        screen.line("The other way:", 2)
        screen.command(shell.quote_command(plan.other_way), 5)
