"""What an audit shows on the terminal, and its annotations and step summary in a workflow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from release_state.audit.report.history import describe, format_ranges
from release_state.audit.verdict import AuditVerdict
from release_state.common.text import format_count, sanitize
from release_state.model.outcome import CheckResult, Outcome, Verdict
from release_state.report.actions import StepReport, annotation, errors_first
from release_state.report.document import find_decisive
from release_state.report.markdown import cut, escape, render_step
from release_state.report.screen import Screen, list_rows
from release_state.report.terminal import list_sources
from release_state.settings.config import RunConfig

_COLOUR = {Verdict.AGREES: "green", Verdict.ACTION_NEEDED: "red", Verdict.DEFECT: "red"}
_SHOWN = 3
"""Commands of a step on the terminal; the reports have all of them."""


def header(config: RunConfig, token_source: str | None) -> list[str]:
    """The lines above the run: what is audited, and the source of each fact."""
    package, channels = config.targets[0].package, ", ".join(t.channel.name for t in config.targets)
    return [f"audit of {package}, versions: {config.audit}, on {channels}", *list_sources(config, token_source)]


def describe_ending(verdict: AuditVerdict) -> str:
    """The verdict on one channel, in a line."""
    audit, target = verdict.audit, verdict.audit.target
    count = len(audit.judgements)
    chosen = "" if audit.history.selection == "all" else f" {audit.history.selection}"
    return f"{verdict.words}: {target.package}{chosen} on {target.channel.name} ({format_count(count, 'version')})"


def show_verdict(screen: Screen, verdict: AuditVerdict, *, is_alone: bool) -> None:
    """Print one channel: its habits and the disagreements by kind, below its verdict if there are others."""
    audit = verdict.audit
    if not is_alone:
        screen.line()
        screen.line(describe_ending(verdict), bold=True, **{_COLOUR.get(verdict.verdict, "yellow"): True})
    if screen.is_quiet:
        return
    screen.line(f"versions: {verdict.counts_in_words}", 2, 2)
    for line in describe(audit, verdict.waived):
        screen.line(sanitize(line), 2, 2)
    for result in verdict.findings:
        about = result.target.partition(": ")[2]
        head = f"{result.heading}{f', {about}' * bool(about)}: {result.title}"
        screen.line()
        screen.finding(head, list_rows(result), result.outcome if result.blocking else None, result.retry_at)
        for step in result.steps:
            screen.step(step, "fix:      ", 4, _SHOWN)
    for kind, judged in verdict.by_kind.items():
        rows = [("versions", format_ranges(judged, audit.judgements)), ("why", kind.why)]
        screen.line()
        screen.finding(f"{len(judged)} {kind.heading}", rows, Outcome.ACTION_NEEDED if kind.blocking else None)
        screen.step(verdict.plans[kind], "fix:      ", 4, _SHOWN)
    if verdict.verdict is Verdict.PARTIAL:
        screen.line(f"not run: {verdict.expected - verdict.ran} of {verdict.expected} checks", 2, 2)


def step_report(verdicts: Sequence[AuditVerdict], html: str) -> StepReport:
    """What an audit reports to its workflow; the outputs are those of the channel that decides."""

    def blocks() -> Iterator[str]:
        for verdict in verdicts:
            yield from _blocks(verdict)

    return StepReport(
        verdict=find_decisive(verdicts).words,
        phase="audit",
        annotations=lambda: errors_first(line for verdict in verdicts for line in _annotations(verdict)),
        summary=lambda room: cut(blocks(), html, room),
    )


def _blocks(verdict: AuditVerdict) -> Iterator[str]:
    audit, target = verdict.audit, verdict.audit.target
    count = len(audit.judgements)
    yield (
        f"## {verdict.exit.symbol} {escape(verdict.words)}: {escape(target.package)} on {target.channel.name}\n\n"
        f"**{format_count(count, 'version')}** ({escape(audit.history.selection)}): {verdict.counts_in_words}\n\n"
    )
    lines = describe(audit, verdict.waived)
    yield "".join(f"- {escape(line)}\n" for line in lines) + "\n"
    yield "".join(f"**{Outcome.DEFECT.symbol} A look-up crashed**: {escape(what)}\n\n" for what in verdict.broken)
    for result in verdict.findings:
        yield _finding(result)
    for kind, judged in verdict.by_kind.items():
        yield (
            f"**{len(judged)} {escape(kind.heading)}**\n\n"
            f"- versions: {escape(format_ranges(judged, audit.judgements))}\n- why: {escape(kind.why)}\n\n"
        )
        yield render_step(1, verdict.plans[kind])


def _finding(result: CheckResult) -> str:
    lines = "".join(f"- {name}: {escape(value)}\n" for name, value in list_rows(result) if value)
    steps = "".join(render_step(number, step) for number, step in enumerate(result.steps, 1))
    return f"**{result.outcome.symbol} {escape(result.heading)}**: {escape(result.title)}\n\n{lines}\n{steps}"


def _annotations(verdict: AuditVerdict) -> Iterator[str]:
    target, everyone = verdict.audit.target, verdict.audit.judgements
    where = f"{target.package} on {target.channel.name}"
    for what in verdict.broken:
        yield annotation(True, (what, "a bug of the suite: please report it"), f"A look-up crashed: {where}")
    for result in verdict.findings:
        is_red = result.blocking and result.outcome in (Outcome.ACTION_NEEDED, Outcome.DEFECT)
        lines = (result.title, f"found: {result.found}", *(f"fix: {step.title}" for step in result.steps))
        yield annotation(is_red, lines, f"{result.id} {result.outcome.value}: {where}")
    for kind, judged in verdict.by_kind.items():
        lines = (kind.title, f"versions: {format_ranges(judged, everyone)}", f"fix: {verdict.plans[kind].title}")
        yield annotation(kind.blocking, lines, f"{len(judged)} {kind.id}: {where}")
