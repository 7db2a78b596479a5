"""The annotations and the step summary of an audit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from release_state.audit.report.document import habits, notes, ranges
from release_state.audit.verdict import AuditVerdict
from release_state.model.outcome import CheckResult, Exit, Outcome
from release_state.report.actions import StepReport, annotation
from release_state.report.markdown import cut, step_block, text
from release_state.report.page.parts import SYMBOL

RED = (Exit.ACTION_NEEDED, Exit.DEFECT)


def of_audit(verdicts: Sequence[AuditVerdict], html: str) -> StepReport:
    """What an audit hands on; the outputs are those of the channel that decides."""
    code = Exit.worst([verdict.exit for verdict in verdicts])
    decisive = next(verdict for verdict in verdicts if verdict.exit is code)

    def blocks() -> Iterator[str]:
        for verdict in verdicts:
            yield from _audit(verdict)

    return StepReport(
        verdict=decisive.words,
        phase="audit",
        annotations=lambda: errors_first([line for verdict in verdicts for line in _annotations(verdict)]),
        summary=lambda room: cut(blocks(), html, room),
    )


def errors_first(lines: list[str]) -> list[str]:
    # A runner shows ten of each kind and step.
    return sorted(lines, key=lambda line: not line.startswith("::error"))


def symbol(code: Exit) -> str:
    return "✓" if code is Exit.OK else "✗" if code in RED else "?"


def _audit(verdict: AuditVerdict) -> Iterator[str]:
    audit, target = verdict.audit, verdict.audit.target
    count = len(audit.judgements)
    yield (
        f"## {symbol(verdict.exit)} {text(verdict.words)}: {text(target.package)} on {target.channel.name}\n\n"
        f"**{count} version{'s' * (count != 1)}** ({text(audit.history.selection)}): "
        + (", ".join(f"{count} {outcome.value}" for outcome, count in verdict.counts.items()) or "none")
        + "\n\n"
    )
    yield "".join(f"- {text(line)}\n" for line in (*habits(audit), *notes(audit))) + "\n"
    yield "".join(f"**{SYMBOL[Outcome.DEFECT]} A look-up broke**: {text(what)}\n\n" for what in verdict.broken)
    for result in verdict.findings:
        yield _finding(result)
    for kind, judged in verdict.by_kind.items():
        level = "" if kind.blocking else " (advice)"
        yield (
            f"**{len(judged)} {text(kind.id)}{level}**: {text(kind.title)}\n\n"
            f"- versions: {text(ranges(judged, audit.judgements))}\n- why: {text(kind.why)}\n\n"
        )
        yield step_block(1, verdict.plans[kind])


def _finding(result: CheckResult) -> str:
    level = "" if result.blocking else " (advice)"
    facts = {"expected": result.expected, "found": result.found, "why": result.why}
    lines = "".join(f"- {name}: {text(said)}\n" for name, said in facts.items() if said)
    steps = "".join(step_block(number, step) for number, step in enumerate(result.steps, 1))
    head = f"{SYMBOL[result.outcome]} {text(result.id)} {result.outcome.value}{level}"
    return f"**{head}**: {text(result.title)}\n\n{lines}\n{steps}"


def _annotations(verdict: AuditVerdict) -> Iterator[str]:
    target, everyone = verdict.audit.target, verdict.audit.judgements
    where = f"{target.package} on {target.channel.name}"
    for what in verdict.broken:
        yield annotation(True, (what, "a bug of the suite: please report it"), f"A look-up broke: {where}")
    for result in verdict.findings:
        red = result.blocking and result.outcome in (Outcome.ACTION_NEEDED, Outcome.DEFECT)
        lines = (result.title, f"found: {result.found}", *(f"next: {step.title}" for step in result.steps))
        yield annotation(red, lines, f"{result.id} {result.outcome.value}: {where}")
    for kind, judged in verdict.by_kind.items():
        lines = (kind.title, f"versions: {ranges(judged, everyone)}", f"next: {verdict.plans[kind].title}")
        yield annotation(kind.blocking, lines, f"{len(judged)} {kind.id}: {where}")
