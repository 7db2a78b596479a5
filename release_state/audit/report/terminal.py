"""What the terminal shows of an audit: where facts are read from, the verdict, and the disagreements by kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_state.audit.kinds import Kind
from release_state.audit.report.document import habits, notes, ranges
from release_state.audit.verdict import AuditVerdict
from release_state.common.errors import format_error
from release_state.common.text import sanitize
from release_state.model.outcome import CheckResult, Outcome, Verdict
from release_state.model.plan import Step
from release_state.observe.defects import said, tracebacks
from release_state.report.screen import Ending, Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from release_state.settings.config import RunConfig

_COLOUR = {Verdict.AGREES: "green", Verdict.ACTION_NEEDED: "red", Verdict.DEFECT: "red"}
_SHOWN = 3
"""Commands of a step that are shown here; the reports hold all of them."""


def header(config: RunConfig, token_source: str | None) -> list[str]:
    """The lines above the run: what is audited, and where each fact is read from."""
    target = config.targets[0]
    indexes = ", ".join(f"{each.channel.name} {each.channel.index_url}" for each in config.targets)
    token = f"token from {token_source}" if token_source else "without a token"
    return [
        f"audit of {target.package}, versions: {config.audit}, on {', '.join(t.channel.name for t in config.targets)}",
        f"  git     {target.remote_url}",
        f"  clone   {sanitize(target.clone) if target.clone else 'none'}",
        f"  index   {indexes}",
        f"  GitHub  {target.repository} at {target.github_api}, {token}",
    ]


def summarise(reporter: pytest.TerminalReporter, verdicts: Sequence[AuditVerdict], ending: Ending) -> None:
    """Print the end of the run."""
    screen = Screen(reporter)
    screen.tracebacks(tracebacks(ending.defects))
    if ending.broke is not None:
        reporter.section("release state", sep="=", red=True, bold=True)
        reporter.write_line(f"the observation broke: {sanitize(format_error(ending.broke))}; please report this")
        return
    for verdict in verdicts:
        _verdict(reporter, verdict)
    screen.broken(said(ending.defects))
    for note in ending.notes:
        reporter.write_line(f"note: {sanitize(note)}")
    if ending.trouble:
        reporter.write_line(sanitize(ending.trouble), red=True)
    elif ending.reports.written:
        screen.reports(ending.reports)


def _verdict(reporter: pytest.TerminalReporter, verdict: AuditVerdict) -> None:
    audit, target = verdict.audit, verdict.audit.target
    count = len(audit.judgements)
    chosen = "" if audit.history.selection == "all" else f" {audit.history.selection}"
    reporter.write_line("")
    reporter.write_line(
        f"{verdict.words}: {target.package}{chosen} on {target.channel.name} ({count} version{'s' * (count != 1)})",
        bold=True,
        **{_COLOUR.get(verdict.verdict, "yellow"): True},
    )
    if reporter.config.option.verbose < 0:
        return
    shown = ", ".join(f"{count} {outcome.value}" for outcome, count in verdict.counts.items())
    reporter.write_line(f"  versions: {shown or 'none'}")
    for line in (*habits(audit), *notes(audit)):
        reporter.write_line(f"  {sanitize(line)}")
    for result in verdict.findings:
        _finding(reporter, result)
    for kind, judged in verdict.by_kind.items():
        _kind(reporter, kind, len(judged), ranges(judged, audit.judgements), verdict.plans[kind])
    if verdict.verdict is Verdict.PARTIAL:
        reporter.write_line(f"  not run: {verdict.expected - verdict.ran} of {verdict.expected} checks")


def _finding(reporter: pytest.TerminalReporter, result: CheckResult) -> None:
    level = "" if result.blocking else " (advice)"
    red = result.outcome is Outcome.ACTION_NEEDED and result.blocking
    reporter.write_line("")
    about = result.target.partition(": ")[2]
    reporter.write_line(
        f"  {result.id} {result.outcome.value}{level}{f', {about}' * bool(about)}: {result.title}",
        **{"red" if red else "yellow": True},
    )
    expected = result.expected if result.expected != result.title else ""
    for name, text in (("expected", expected), ("found", result.found), ("why", result.why)):
        if text:
            reporter.write_line(f"    {name + ':':9} {sanitize(text)}")
    if result.retry_at:
        reporter.write_line(f"    ask again at {result.retry_at}")
    for step in result.steps:
        _step(reporter, step)


def _kind(reporter: pytest.TerminalReporter, kind: Kind, count: int, versions: str, step: Step) -> None:
    level = "" if kind.blocking else " (advice)"
    reporter.write_line("")
    reporter.write_line(f"  {count} {kind.id}{level}: {kind.title}", **{"red" if kind.blocking else "yellow": True})
    reporter.write_line(f"    versions: {sanitize(versions)}")
    reporter.write_line(f"    why:      {kind.why}")
    _step(reporter, step)


def _step(reporter: pytest.TerminalReporter, step: Step) -> None:
    reason = f" ({sanitize(step.reason)})" if step.reason else ""
    reporter.write_line(f"    next:     {sanitize(step.title)}{reason}")
    lines = step.lines()
    for line in lines[-_SHOWN:]:
        Screen(reporter).command(line, 6)
    if len(lines) > _SHOWN:
        reporter.write_line(f"      and {len(lines) - _SHOWN} more, for older versions: see the reports")
    if step.withheld:
        reporter.write_line(f"      no command is given: {sanitize(step.withheld)}")
