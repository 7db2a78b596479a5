"""A run in Markdown for the summary page of a workflow run: state, findings and plan, within a limit of bytes.

Remote text stays text: no link, mention, picture or HTML. Commands stand in fenced blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from release_state.common.text import format_step_numbers, quote_command, sanitize
from release_state.model.outcome import Exit, Outcome, collect_remedies, find_retry_time, name_phase
from release_state.model.plan import Plan, Step
from release_state.report.document import CheckReport, RunReport, TargetReport, heading
from release_state.report.process import ProcessReport

MOST_BYTES = 256 * 2**10
"""Of one run's summary. A runner takes 1 MiB for everything that a step writes."""

#: Every character with a meaning in Markdown, HTML or on GitHub; a full stop has one only in an address.
_MEANS = re.compile(r"[!\"#$%&*+:<=>@\[\\\]^_`{|}~]|(?<=www)\.", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+")


def render_summary(document: RunReport, most_bytes: int = MOST_BYTES) -> str:
    """The summary of a run. One longer than `most_bytes` is cut after a block and says so."""
    return cut(_blocks(document), document.run.html, most_bytes)


def cut(blocks: Iterable[str], report: str | None, most_bytes: int) -> str:
    """The blocks that fit, then the name of the report, or a note that the rest is cut."""
    name = f" {escape(report)}" if report else ""
    left_out = f"\n> Cut here: the summary is too long for this page. The report has all of it{name and ':'}{name}\n"
    end = f"Report of this run:{name}\n" if report else ""
    parts: list[str] = []
    room = most_bytes - len(left_out.encode())
    for block in (*blocks, end):
        room -= len(block.encode())
        if room < 0:
            return "".join([*parts, left_out])
        parts.append(block)
    return "".join(parts)


def escape(said: str, longest: int = 1_000) -> str:
    """Remote text for Markdown, in one line: it shows as it is, and no part of it is markup."""
    # An invisible character after @: GitHub looks for accounts and mail addresses in the rendered text.
    return _MEANS.sub(lambda found: f"&#{ord(found[0])};" + "&#8288;" * (found[0] == "@"), sanitize(said, longest))


def fence(lines: Sequence[str]) -> str:
    """Commands in a fenced block; its fence is longer than any within."""
    shown = "\n".join(lines)
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", shown) or [""]))
    return f"{fence}sh\n{shown}\n{fence}\n"


def _blocks(document: RunReport) -> Iterator[str]:
    for target in document.targets:
        facts = target.target
        symbol = Exit(target.exit_code).symbol
        subject = f"{escape(facts.package)} {escape(facts.version)} on {facts.channel}"
        yield f"## {symbol} {escape(target.verdict)}: {subject}\n\n"
        for line in target.not_verified:
            yield f"**{escape(line)}**\n\n"
        for hint in target.process.hints:
            yield f"**Hint: {escape(hint)}**\n\n"
        yield f"Phase **{name_phase(target.phase)}**: {escape(target.phase_reason)}.\n\n"
        if changes := document.run.targets[target.key].changes:
            since = f"{changes.since:%Y-%m-%d %H:%M} UTC ({escape(changes.verdict_then)})"
            yield f"Since {since}: {escape(changes.words, 2_000)}.\n\n"
        yield from _matrix(target)
        for found in target.findings:
            yield _finding(found)
        if target.not_run:
            yield f"Not run: {escape(', '.join(target.not_run))}\n\n"
        yield from _plan(target.plan)
        yield from _process(target.process)


def _matrix(target: TargetReport) -> Iterator[str]:
    yield "| | state | expected | observed |\n|---|---|---|---|\n"
    found = {check.id: check.found for check in target.checks}
    for row in target.matrix:
        expected, observed = row.leave_out(found)
        observed = "; ".join(filter(None, [row.see, escape(observed, 300)]))
        state = f"{row.state.symbol} {row.words}" if row.state else row.words
        name = f"[{escape(row.name)}](<{row.link}>)" if row.link and _ADDRESS.fullmatch(row.link) else escape(row.name)
        yield f"| {name} | {state} | {escape(expected, 300)} | {observed} |\n"
    yield "\n"


def _finding(found: Sequence[CheckReport]) -> str:
    first = found[0]
    lines = [f"**{first.outcome.symbol} {escape(heading(found))}**"]
    if len(found) == 1:
        lines[0] += f": {escape(first.title)}"
    if first.outcome is not Outcome.UNKNOWN and first.expected:
        lines.append(f"- expected: {escape(first.expected)}")
    lines.append(f"- found: {escape(first.found)}")
    name = "fix" if first.outcome is Outcome.UNKNOWN else "why"
    lines += [f"- {name}: {escape(why)}" for why in collect_remedies(found)]
    if first.plan_steps:
        lines.append(f"- fix: {format_step_numbers(first.plan_steps)} of the plan")
    if retry_at := find_retry_time(found):
        lines.append(f"- retry after {escape(retry_at)}")
    return f"{lines[0]}\n\n" + "".join(f"{line}\n" for line in lines[1:]) + "\n"


def _plan(plan: Plan) -> Iterator[str]:
    if not plan.steps:
        return
    yield f"### Plan: {plan.direction}\n\n" + (f"{escape(plan.reason)}.\n\n" if plan.reason else "")
    if (way := plan.way_to_folder()) and any(step.commands for step in plan.steps):
        yield "Run the git commands in the clone:\n\n" + fence([way]) + "\n"
    for number, step in enumerate(plan.steps, 1):
        yield render_step(number, step)
    if plan.other_way:
        yield f"{plan.instead}:\n\n" + fence([quote_command(plan.other_way)]) + "\n"


def _process(process: ProcessReport) -> Iterator[str]:
    yield f"### How it releases\n\n{escape(process.summary)}\n\n"
    yield "".join(f"- {escape(line)}\n" for line in process.lines) + "\n"


def render_step(number: int, step: Step) -> str:
    """One step of a plan."""
    parts = [f"**{number}. {'advice: ' if step.advice else ''}{escape(step.title)}**"]
    if step.reason:
        parts[0] += f" - {escape(step.reason)}"
    if step.precondition:
        parts.append(f"Only if {escape(step.precondition)}.")
    if step.destroys:
        saved = f"; {escape(step.saves)}" if step.saves else ""
        parts.append(f"⚠ **Destroys** {escape(step.destroys)}{saved}")
    if step.restore:
        parts.append("To restore it:\n\n" + fence(step.restore_lines()).rstrip("\n"))
    if step.withheld:
        parts.append(f"No command: {escape(step.withheld)}.")
    if step.commands:
        parts.append(fence(step.lines()).rstrip("\n"))
    if step.verify:
        parts.append("Verify:\n\n" + fence(step.verify_lines()).rstrip("\n"))
    if step.link:
        parts.append(f"<{step.link}>" if _ADDRESS.fullmatch(step.link) else escape(step.link))
    return "\n\n".join(parts) + "\n\n"
