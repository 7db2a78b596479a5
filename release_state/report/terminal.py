"""What the terminal shows of a run over single versions: its sources, the verdict, the state, findings and plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from datetime import timezone
from functools import partial

from release_state.common.text import escape, format_step_numbers, sanitize
from release_state.facts.hints import find_hints
from release_state.facts.release import Release
from release_state.model.outcome import (
    CheckResult,
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
from release_state.report.screen import ADVICE as SIGN
from release_state.report.screen import Screen, list_rows
from release_state.settings.config import RunConfig
from release_state.verdict.changes import Changes
from release_state.verdict.check import ADVICE, COUNTED
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
_CLOSING = 5
"""Rows below the plan: the verdict, the exit code and the report, a blank one, and the line to type in."""
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


def describe_ending(verdict: TargetVerdict) -> str:
    """The verdict on one target, in a line."""
    target = verdict.target
    return f"{verdict.words}: {target.package} {target.version} on {target.channel.name} ({name_phase(verdict.phase)})"


def show_verdict(
    screen: Screen, verdict: TargetVerdict, snapshot: Snapshot, changes: Changes | None, *, is_alone: bool
) -> None:
    """Print one target, below its verdict if there are others: its state, what is wrong and how to fix it.

    What decides least comes first: a long report leaves the last screen to what blocks, and to the plan.
    """
    if not is_alone:
        screen.line()
        screen.line(describe_ending(verdict), bold=True, **{_COLOUR.get(verdict.verdict, "yellow"): True})
    if not screen.is_quiet:
        advised = [result for result in verdict.findings if not result.decides(verdict.block_on_advice)]
        fixing = {number for result in advised for number in verdict.find_step_numbers(result)}
        shown = {number for number in fixing if verdict.plan.steps[number - 1].advice}  # with the advice that needs it
        plan = partial(_plan, plan=verdict.plan, needed=_find_needed(verdict), shown=shown)
        findings = partial(_findings, verdict=verdict)
        room = screen.height - screen.count_rows(plan) - _CLOSING
        briefly = screen.wraps and is_alone and screen.count_rows(findings) > room
        _state(screen, verdict, Release(snapshot), changes, briefly=briefly)
        _advice(screen, verdict, advised, shown)
        _findings(screen, verdict, briefly=briefly)
        plan(screen)
        if verdict.start:
            _start(screen, verdict.start)
        if verdict.verdict is Verdict.PARTIAL:
            screen.line(f"not run: {', '.join(verdict.not_run)}", 2, 2)
    for line in verdict.not_verified:
        screen.line(sanitize(line), 2, 2, yellow=True)
    for hint in find_hints(snapshot):
        screen.line(f"hint: {hint}", 2, 2, yellow=True)


def _state(screen: Screen, verdict: TargetVerdict, release: Release, changes: Changes | None, *, briefly: bool) -> None:
    """Write the state; `briefly` if the findings below do not say what they found."""
    screen.line(f"phase {name_phase(verdict.phase)}: {sanitize(verdict.phase_reason)}", 2, 2)
    nothing = "" if verdict.plan.steps or verdict.start or verdict.exit is not Exit.OK else "; nothing to do"
    screen.line(f"checks: {_counts(verdict) or 'none'}{nothing}", 2, 2)
    _process(screen, release)
    if changes:
        since = f"{changes.since.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC ({sanitize(changes.verdict_then)})"
        screen.line(f"since {since}: {sanitize(changes.words)}", 2, 2)
    if verdict.left_out:
        screen.line(f"ignored as part of this run: {sanitize(', '.join(verdict.left_out))}", 2, 2)
    found = {} if briefly else {result.id: result.found for result in verdict.results}
    for row in build_matrix(release, verdict):
        _row(screen, row, found)


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


def _row(screen: Screen, row: Row, found: Mapping[str, str]) -> None:
    """Write a line of the state: the findings that say what is wrong with it, and what else was observed."""
    words, markup = screen.outcome(row.state, row.words)
    observed = "; ".join(filter(None, [row.see, sanitize(row.leave_out(found)[1])]))
    room = screen.width - _NAME - _STATE - 5
    if screen.wraps and len(observed) > room > 20:
        observed = f"{observed[: room - 3]}..."  # the findings below and the report have all of it
    name = screen.linked(row.name, row.link) if row.link else row.name
    screen.reporter.write(f"  {name}{' ' * (_NAME - len(row.name))} ")
    screen.reporter.write(f"{screen.shown(words):{_STATE}} ", **markup)
    screen.verbatim(observed)


def _advice(screen: Screen, verdict: TargetVerdict, found: Sequence[CheckResult], steps: Set[int]) -> None:
    """Write what decides nothing, each with its steps; they have their numbers where the plan below has others."""
    left = set(steps)
    numbered = bool(_find_needed(verdict))
    if found:
        screen.line()
    if any(verdict.plan.steps[number - 1].commands for number in steps):
        _folder(screen, verdict.plan)
    for result in found:
        if result.outcome is Outcome.UNKNOWN:
            continue
        _finding(screen, verdict, result)
        for number in sorted(left.intersection(verdict.find_step_numbers(result))):
            head = f"fix ({number}):" if numbered else "fix:"
            screen.step(verdict.plan.steps[number - 1], f"{head:9} ", 4)
            left.remove(number)
    _unknown(screen, [result for result in found if result.outcome is Outcome.UNKNOWN], None)


def _findings(screen: Screen, verdict: TargetVerdict, *, briefly: bool = False) -> None:
    """Write what blocks; briefly, a line each, if the plan leaves no room for more."""
    found = [result for result in verdict.findings if result.decides(verdict.block_on_advice)]
    if found:
        screen.line()
    _unknown(screen, [result for result in found if result.outcome is Outcome.UNKNOWN], Outcome.UNKNOWN)
    for result in found:
        if result.outcome is not Outcome.UNKNOWN:
            _finding(screen, verdict, result, briefly=briefly)


def _finding(screen: Screen, verdict: TargetVerdict, result: CheckResult, *, briefly: bool = False) -> None:
    """Write a finding in two lines, with the steps that fix it unless all do; without any, why it matters."""
    needed = _find_needed(verdict)
    numbers = [number for number in verdict.find_step_numbers(result) if number in needed]
    decides = result.decides(verdict.block_on_advice)
    expected, _, why = list_rows(result)
    words = f"{result.found}; expected: {expected[1]}" if expected[1] else result.found
    fix = f", fixed by {format_step_numbers(numbers)}" if numbers and not (decides and set(numbers) == needed) else ""
    screen.finding(
        f"{result.id} {result.outcome.value if decides else 'advice'}{fix}: {result.title}",
        [] if briefly and numbers else [("found", words), *([] if numbers else [why])],
        result.outcome if decides else None,
    )


def _unknown(screen: Screen, results: Sequence[CheckResult], outcome: Outcome | None) -> None:
    for found, alike in group_unknown(results).items():
        rows = [("found", found), *(("fix", remedy) for remedy in collect_remedies(alike))]
        head = f"unknown{'' if outcome else ' (advice)'}: {', '.join(result.id for result in alike)}"
        screen.finding(head, rows, outcome, find_retry_time(alike))


def _find_needed(verdict: TargetVerdict) -> set[int]:
    """The numbers of the plan's steps that the verdict needs."""
    steps = enumerate(verdict.plan.steps, 1)
    return {number for number, step in steps if verdict.block_on_advice or not step.advice}


def _folder(screen: Screen, plan: Plan) -> None:
    """Write how to get to the folder of the git commands."""
    if way := plan.way_to_folder():
        screen.command(way, 5)
    elif plan.folder:
        screen.line(f"Run the git commands in {escape(plan.folder)}", 2)


def _start(screen: Screen, plan: Plan) -> None:
    screen.line()
    screen.line("Next:", 2, bold=True)
    if any(command[0] in ("git", "sh") for step in plan.steps for command in step.commands):
        _folder(screen, plan)
    for number, step in enumerate(plan.steps, 1):
        screen.step(step, f"{number}. ", 2)


def _plan(screen: Screen, plan: Plan, needed: Set[int], shown: Set[int]) -> None:
    """Write the steps of the plan; those that are advice have a sign instead of a number."""
    left = [(number, step) for number, step in enumerate(plan.steps, 1) if number in needed or number not in shown]
    if left:
        screen.line()
        reason = f" ({sanitize(plan.reason)})" if plan.reason else ""
        screen.line(f"Plan: {plan.direction}{reason}" if needed else "Advice:", 2, 2, bold=True)
    if any(step.commands for _, step in left):
        _folder(screen, plan)
    for number, step in left:
        if number in needed:
            screen.step(step, f"{number}. ", 2)
        else:
            screen.step(step, f"{screen.sign(SIGN)} advice: ", 2)
    if plan.other_way:
        screen.line(f"{plan.instead}: {' '.join(plan.other_option)}", 2)
