"""What the terminal shows: where facts are read from, the verdict, what is wrong, and the commands that mend it."""

from __future__ import annotations

import shlex
from datetime import timezone
from typing import TYPE_CHECKING

from release_state.outcome import CheckResult, Outcome, Verdict
from release_state.plan import Plan
from release_state.text import plain, plain_command, steps_in_words

if TYPE_CHECKING:
    import pytest

    from release_state.changes import Changes
    from release_state.config import RunConfig
    from release_state.run import Run
    from release_state.verdict import TargetVerdict

_COLOUR = {
    Verdict.READY: "green",
    Verdict.VERIFIED: "green",
    Verdict.ROLLED_BACK: "green",
    Verdict.ACTION_NEEDED: "red",
    Verdict.DEFECT: "red",
}


def header(config: RunConfig, token_source: str | None) -> list[str]:
    """The lines above the run: what is checked, and where each fact is read from."""
    target = config.targets[0]
    versions = ", ".join(dict.fromkeys(t.version for t in config.targets))
    channels = {t.channel.name: t.channel for t in config.targets}
    phase = "auto: taken from what is observed" if config.phase == "auto" else f"{config.phase}, as asked"
    indexes = ", ".join(f"{name} {channel.index_url}" for name, channel in channels.items())
    return [
        f"release state of {target.package} {versions} on {', '.join(channels)} (phase {phase})",
        f"  git     {target.remote_url}",
        f"  clone   {plain(target.clone) if target.clone else 'none: what needs one is not applicable'}",
        f"  index   {indexes}",
        f"  GitHub  {target.repository} at {target.github_api}, "
        + (f"token from {token_source}" if token_source else "without a token"),
    ]


def summarise(reporter: pytest.TerminalReporter, run: Run) -> None:
    """The end of the run: one verdict line for each target, then what is wrong and how to mend it."""
    if (defect := run.session.defect()) is not None:
        reporter.section("release state", sep="=", red=True, bold=True)
        reporter.write_line(f"the observation broke: {type(defect).__name__}: {plain(str(defect))}; please report this")
        return
    for verdict in run.session.verdicts() if run.executes else ():
        _verdict(reporter, verdict, run.changes.get(verdict.target.key))
    for note in run.notes:
        reporter.write_line(f"note: {plain(note)}", yellow=True)
    if run.trouble:
        reporter.write_line(plain(run.trouble), red=True)
    elif run.reports.written:
        reporter.write_line(f"reports: {run.reports.html} and {run.reports.json.name}")


def _verdict(reporter: pytest.TerminalReporter, verdict: TargetVerdict, changes: Changes | None) -> None:
    target = verdict.target
    quiet = reporter.config.option.verbose < 0
    colour = {_COLOUR.get(verdict.verdict, "yellow"): True}
    reporter.write_line("")
    reporter.write_line(
        f"{verdict.words}: {target.package} {target.version} on {target.channel.name} ({verdict.phase.value})",
        bold=True,
        **colour,
    )
    if quiet:
        return
    reporter.write_line(f"  phase {verdict.phase.value}: {plain(verdict.phase_reason)}")
    counts = {outcome: sum(result.outcome is outcome for result in verdict.results) for outcome in Outcome}
    shown = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items() if count)
    reporter.write_line(f"  checks: {shown or 'none'}")
    if changes:
        since = f"{changes.since.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC ({plain(changes.verdict_then)})"
        reporter.write_line(f"  since {since}: {plain(changes.words)}")
    if verdict.left_out:
        reporter.write_line(f"  left out, because it is asking: {plain(', '.join(verdict.left_out))}")
    unknown: dict[str, list[CheckResult]] = {}
    for result in verdict.decisive:
        if result.outcome is Outcome.UNKNOWN:
            unknown.setdefault(result.found, []).append(result)
        else:
            _finding(reporter, verdict, result)
    for results in unknown.values():
        _unknown(reporter, results)
    if verdict.plan.steps:
        _plan(reporter, verdict.plan)
    if verdict.verdict is Verdict.PARTIAL:
        reporter.write_line(f"  not run: {', '.join(verdict.not_run)}")


def _unknown(reporter: pytest.TerminalReporter, results: list[CheckResult]) -> None:
    """One cause, and every check that it left unknown."""
    reporter.write_line("")
    names = ", ".join(result.id + ("" if result.blocking else " (advice)") for result in results)
    reporter.write_line(f"  unknown: {names}", yellow=True)
    reporter.write_line(f"    {plain(results[0].found)}")
    for remedy in dict.fromkeys(result.why for result in results if result.why):
        reporter.write_line(f"    next:     {plain(remedy)}")
    if retry_at := max(result.retry_at or "" for result in results):
        reporter.write_line(f"    ask again at {retry_at}")


def _finding(reporter: pytest.TerminalReporter, verdict: TargetVerdict, result: CheckResult) -> None:
    level = "" if result.blocking else " (advice)"
    colour = {"red" if result.outcome is Outcome.ACTION_NEEDED and result.blocking else "yellow": True}
    reporter.write_line("")
    reporter.write_line(f"  {result.id} {result.outcome.value}{level}: {result.title}", **colour)
    if result.expected:
        reporter.write_line(f"    expected: {plain(result.expected)}")
    reporter.write_line(f"    found:    {plain(result.found)}")
    if result.why:
        reporter.write_line(f"    why:      {plain(result.why)}")
    if numbers := verdict.numbers(result):
        reporter.write_line(f"    next:     {steps_in_words(numbers)} of the plan")


def _plan(reporter: pytest.TerminalReporter, plan: Plan) -> None:
    reporter.write_line("")
    reporter.write_line(
        f"  The plan: {plan.direction}" + (f" ({plain(plan.reason)})" if plan.reason else ""), bold=True
    )
    if plan.folder and any(step.commands for step in plan.steps):
        reporter.write_line(f"  git commands are for {plain(plan.folder)}: cd {plain(shlex.quote(plan.folder))}")
    for number, step in enumerate(plan.steps, 1):
        optional = "advice: " if step.advice else ""
        why = f" ({plain(step.reason)})" if step.reason else ""
        reporter.write_line(f"  {number}. {optional}{plain(step.title)}{why}")
        if step.precondition:
            reporter.write_line(f"     only if {plain(step.precondition)}")
        if step.destroys:
            saved = f"; {plain(step.saves)}" if step.saves else ""
            reporter.write_line(f"     DESTROYS {plain(step.destroys)}{saved}", red=True)
        for line in step.lines():
            reporter.write_line(f"     $ {plain_command(line)}")
        if step.link:
            reporter.write_line(f"     {plain(step.link)}")
    if plan.other_way:
        reporter.write_line(f"  The other way: $ {plain(shlex.join(plan.other_way))}")
