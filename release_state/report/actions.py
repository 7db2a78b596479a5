"""What GitHub Actions reads of a run: annotations, the step summary and outputs, and nothing else that is printed.

A runner obeys commands in what a step prints: a line that begins with `::name`, and `##[name]` anywhere in a line.
Remote text in our output must never be one. Sources: https://docs.github.com/actions/reference/workflows-and-actions/
workflow-commands; `toCommandProperties` and `escapeData` of actions/toolkit; `ActionCommand` of actions/runner.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from release_state.common.text import format_step_numbers, sanitize
from release_state.model.outcome import Outcome, collect_remedies, find_retry_time

if TYPE_CHECKING:
    from release_state.report.document import CheckReport, RunReport, TargetReport

LONGEST = 4_000
"""Characters of one annotation's message."""
_RUNNER_TAKES = 2**20
"""Bytes of summary that a runner takes from one step; a larger file is dropped whole."""


def is_in_workflow(environ: Mapping[str, str]) -> bool:
    """Whether a runner reads what is printed."""
    return environ.get("GITHUB_ACTIONS") == "true"


def command(name: str, message: str, **properties: str) -> str:
    """The line of a command; nothing in the message or in a property can end it or begin another one."""
    given = ",".join(
        f"{key}={_data(value).replace(':', '%3A').replace(',', '%2C')}" for key, value in properties.items() if value
    )
    return f"::{name}{' ' if given else ''}{given}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


@contextmanager
def stop_commands(environ: Mapping[str, str]) -> Iterator[None]:
    """Keep the runner from reading commands in what the body prints; does nothing outside of a workflow.

    The word that ends the pause is random: no title or log can contain it.
    """
    if not is_in_workflow(environ):
        yield
        return
    word = secrets.token_hex(20)
    print(command("stop-commands", word), flush=True)
    try:
        yield
    finally:
        print(f"::{word}::", flush=True)


def annotation(is_error: bool, lines: Iterable[str], title: str) -> str:
    """The command for one annotation: each line plain, the whole cut to `LONGEST`."""
    message = "\n".join(map(sanitize, lines))
    message = message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…"
    return command("error" if is_error else "warning", message, title=title)


def errors_first(annotations: Iterable[str]) -> list[str]:
    """The annotations with the errors in front: a runner shows ten of each kind and step."""
    return sorted(annotations, key=lambda line: not line.startswith("::error"))


def build_annotations(document: RunReport) -> list[str]:
    """One annotation for each finding; what needs action and decides the verdict is an error, else a warning."""
    return errors_first(_annotation(target, found) for target in document.targets for found in target.findings)


def _annotation(target: TargetReport, found: Sequence[CheckReport]) -> str:
    from release_state.report.document import heading

    first, facts = found[0], target.target
    is_unknown = first.outcome is Outcome.UNKNOWN
    rows = [("expected", "" if is_unknown else first.expected), ("found", first.found)]
    rows += [("fix" if is_unknown else "why", why) for why in collect_remedies(found)]
    lines = [first.title if len(found) == 1 else f"{len(found)} checks are unknown"]
    lines += [f"{name}: {sanitize(text)}" for name, text in rows if text]
    if first.plan_steps:
        titles = "; ".join(target.plan.steps[number - 1].title for number in first.plan_steps)
        lines.append(f"fix: {format_step_numbers(first.plan_steps)} of the plan: {sanitize(titles, 400)}")
    if retry_at := find_retry_time(found):
        lines.append(f"retry after {retry_at}")
    return annotation(
        first.decides and first.outcome in (Outcome.ACTION_NEEDED, Outcome.DEFECT),
        lines,
        f"{heading(found)}: {facts.package} {facts.version} on {facts.channel}",
    )


class StepReport(Struct, frozen=True):
    """What a run reports to the workflow that it is a step of."""

    verdict: str
    phase: str
    annotations: Callable[[], list[str]]
    summary: Callable[[int], str]
    """Takes the number of bytes that there is room for, and returns Markdown."""


def step_report(document: RunReport) -> StepReport:
    """What a run over single versions reports to its workflow."""
    from release_state.report.markdown import render_summary

    return StepReport(
        document.verdict,
        document.phase,
        lambda: build_annotations(document),
        lambda room: render_summary(document, room),
    )


class WorkflowStep:
    """The workflow step that the environment describes, if any. Reads nothing but the names of the runner's files."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._summary = environ.get("GITHUB_STEP_SUMMARY")
        self._output = environ.get("GITHUB_OUTPUT")
        self._annotates = is_in_workflow(environ) or bool(self._summary)
        self.annotations: list[str] = []
        """Printed last of all, when the runner reads commands again."""

    def write(self, found: StepReport, report: Path) -> list[str]:
        """Write the summary and the outputs, and keep the annotations for later. `report` is the file to open.

        Returns a line for each file that could not be written; that changes no verdict.
        """
        if self._annotates:
            self.annotations = found.annotations()
        troubles = []
        if self._summary:
            troubles += _try("the step summary", lambda path: _append_summary(path, found), Path(self._summary))
        if self._output:
            values = {"verdict": found.verdict, "phase": found.phase, "report": str(report), "report-name": report.stem}
            text = "".join(_output(name, value) for name, value in values.items())
            troubles += _try("the step's outputs", lambda path: _append(path, text), Path(self._output))
        return troubles


def _output(name: str, value: str) -> str:
    """An output of one or more lines; its end is random, so that no value can contain it."""
    end = f"release-state-{secrets.token_hex(16)}"
    return f"{name}<<{end}\n{value}\n{end}\n"


def _append_summary(path: Path, found: StepReport) -> None:
    from release_state.report.markdown import MOST_BYTES

    written = path.stat().st_size if path.exists() else 0
    room = min(MOST_BYTES, _RUNNER_TAKES - written - 1)
    if room < 1_000:
        raise OSError(0, f"no room: the step has already written {written} bytes")
    _append(path, ("\n" if written else "") + found.summary(room))


def _append(path: Path, text: str) -> None:
    # O_NONBLOCK: opening a pipe without a reader would block forever.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o644), "a", encoding="utf-8") as file:
        file.write(text)


def _try(what: str, write: Callable[[Path], None], path: Path) -> list[str]:
    try:
        write(path)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte in it
        why = getattr(error, "strerror", None) or str(error)
        return [f"{what} could not be written to {sanitize(str(path), 200)}: {why}"]
    return []
