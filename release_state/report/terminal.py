"""What the terminal shows of a run over single versions: its sources, the verdict, the state, findings and plan."""

from __future__ import annotations

from collections import Counter
from datetime import timezone

from release_state.common.text import escape, format_step_numbers, quote_command, sanitize
from release_state.facts.hints import find_hints
from release_state.facts.release import Release
from release_state.model.outcome import (
    Exit,
    Outcome,
    Verdict,
    collect_remedies,
    find_retry_time,
    group_unknown,
    name_phase,
)
from release_state.model.plan import Plan
from release_state.model.snapshot import Snapshot
from release_state.report.process import summarize
from release_state.report.screen import Screen, list_rows
from release_state.settings.config import RunConfig
from release_state.verdict.changes import Changes
from release_state.verdict.conclude import ADVICE, COUNTED
from release_state.verdict.matrix import Row, build_matrix
from release_state.verdict.verdict import TargetVerdict

_COLOUR = {
    Verdict.READY: "green",
    Verdict.READY_TO_PUBLISH: "green",
    Verdict.VERIFIED: "green",
    Verdict.ROLLED_BACK: "green",
    Verdict.ACTION_NEEDED: "red",
    Verdict.DEFECT: "red",
}
_NAME, _STATE = 16, 18
"""Widths of the columns for the trace and its outcome; the observed state has the rest."""


def header(config: RunConfig, token_source: str | None) -> list[str]:
    """The lines above the run: what is checked, and the source of each fact."""
    target = config.targets[0]
    versions = ", ".join(dict.fromkeys(t.version for t in config.targets))
    channels = dict.fromkeys(t.channel.name for t in config.targets)
    phase = "auto" if config.phase == "auto" else f"{name_phase(config.phase)}, as given"
    return [
        f"release state of {target.package} {versions} on {', '.join(channels)} (phase: {phase})",
        *list_sources(config, token_source, "none: checks of a clone are skipped"),
    ]


def list_sources(config: RunConfig, token_source: str | None, no_clone: str = "none") -> list[str]:
    """A line for each source of facts: git, clone, index and GitHub."""
    target = config.targets[0]
    urls = {each.channel.name: each.channel.index_url for each in config.targets}
    return [
        f"  git     {target.remote_url}",
        f"  clone   {sanitize(target.clone) if target.clone else no_clone}",
        f"  index   {', '.join(f'{name} {url}' for name, url in urls.items())}",
        f"  GitHub  {target.repository} at {target.github_api}, "
        + (f"token from {token_source}" if token_source else "no token"),
    ]


def show_verdict(screen: Screen, verdict: TargetVerdict, snapshot: Snapshot, changes: Changes | None) -> None:
    """Print one target: its verdict, its state, what is wrong and how to fix it."""
    target = verdict.target
    screen.line()
    screen.line(
        f"{verdict.words}: {target.package} {target.version} on {target.channel.name} ({name_phase(verdict.phase)})",
        bold=True,
        **{_COLOUR.get(verdict.verdict, "yellow"): True},
    )
    for line in verdict.not_verified:
        screen.line(sanitize(line), 2, 2, yellow=True)
    for hint in find_hints(snapshot):
        screen.line(f"hint: {hint}", 2, 2, yellow=True)
    if screen.is_quiet:
        return
    if verdict.findings:
        screen.line(f"phase {name_phase(verdict.phase)}: {sanitize(verdict.phase_reason)}", 2, 2)
    nothing = "" if verdict.plan.steps or verdict.exit is not Exit.OK else "; nothing to do"
    screen.line(f"checks: {_counts(verdict) or 'none'}{nothing}", 2, 2)
    _process(screen, Release(snapshot))
    if changes:
        since = f"{changes.since.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC ({sanitize(changes.verdict_then)})"
        screen.line(f"since {since}: {sanitize(changes.words)}", 2, 2)
    if verdict.left_out:
        screen.line(f"ignored as part of this run: {sanitize(', '.join(verdict.left_out))}", 2, 2)
    for row in build_matrix(Release(snapshot), verdict):
        _row(screen, row)
    _findings(screen, verdict)
    if verdict.plan.steps:
        _plan(screen, verdict.plan)
    if verdict.verdict is Verdict.PARTIAL:
        screen.line(f"not run: {', '.join(verdict.not_run)}", 2, 2)


def _counts(verdict: TargetVerdict) -> str:
    """The number of checks by outcome; advice that needs action has its own count, as in pytest's last line."""
    counts = Counter(
        ADVICE if result.outcome is Outcome.ACTION_NEEDED and not result.blocking else result.outcome.words
        for result in verdict.results
    )
    return ", ".join(f"{counts[name]} {name}" for name in COUNTED if counts[name])


def _process(screen: Screen, release: Release) -> None:
    """Write how the project releases, in one row of a terminal; the report has all of it."""
    words, room = f"process: {summarize(release, briefly=bool(screen.wraps))}", screen.width - 3
    screen.verbatim(words if not screen.wraps or len(words) <= room else f"{words[: room - 3]}...", 2)


def _row(screen: Screen, row: Row) -> None:
    """Write a line of the state, with the expected value if it differs."""
    words, markup = screen.outcome(row.state, row.words)
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
        if result.outcome is Outcome.UNKNOWN:
            continue
        numbers = verdict.find_step_numbers(result)
        fix = f"{format_step_numbers(numbers)} of the plan" if numbers else ""
        is_red = result.outcome is Outcome.ACTION_NEEDED and result.blocking
        screen.finding(f"{result.heading}: {result.title}", [*list_rows(result), ("fix", fix)], is_red=is_red)
    for found, results in group_unknown(verdict.findings).items():
        names = ", ".join(result.id + ("" if result.blocking else " (advice)") for result in results)
        rows = [("found", found), *(("fix", remedy) for remedy in collect_remedies(results))]
        screen.finding(f"unknown: {names}", rows, is_red=False, retry_at=find_retry_time(results))


def _plan(screen: Screen, plan: Plan) -> None:
    screen.line()
    screen.line(f"Plan: {plan.direction}" + (f" ({sanitize(plan.reason)})" if plan.reason else ""), 2, 2, bold=True)
    if plan.folder and any(step.commands for step in plan.steps):
        screen.line(f"Run the git commands in {escape(plan.folder)}", 2)
        if way := plan.way_to_folder():
            screen.command(way, 5)
    for number, step in enumerate(plan.steps, 1):
        screen.step(step, f"{number}. {'advice: ' if step.advice else ''}", 2)
    if plan.other_way:
        screen.line(f"{plan.instead}:", 2)
        screen.command(quote_command(plan.other_way), 5)
