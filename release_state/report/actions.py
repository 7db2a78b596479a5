"""Workflow commands of GitHub Actions: an annotation for each finding, and a guard for everything else printed.

A runner reads commands in what a step prints: a line that begins with `::name`, and `##[name]` anywhere in a line.
Remote text in our output must never be one. Sources: https://docs.github.com/actions/reference/workflows-and-actions/
workflow-commands; `toCommandProperties` and `escapeData` of actions/toolkit; `ActionCommand` of actions/runner.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from release_state.common.text import plain, steps_in_words
from release_state.model.outcome import Outcome, remedies_of, retry_of

if TYPE_CHECKING:
    from release_state.report.document import Check, RunReport, TargetReport

LONGEST = 4_000
"""Characters of one annotation's message."""


def in_workflow(environ: Mapping[str, str]) -> bool:
    """Whether a runner reads what is printed."""
    return environ.get("GITHUB_ACTIONS") == "true"


def command(name: str, message: str, **properties: str) -> str:
    """The line of a command: nothing in the message or a property can end it, or begin another one."""
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{name}{' ' if given else ''}{given}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


@contextmanager
def silenced(environ: Mapping[str, str]) -> Iterator[None]:
    """Print what the body prints without a line of it being a command; outside of a workflow nothing is added.

    Nobody who wrote a title or a log can know the word that ends it.
    """
    if not in_workflow(environ):
        yield
        return
    word = secrets.token_hex(20)
    _say(command("stop-commands", word))
    try:
        yield
    finally:
        _say(f"::{word}::")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def annotate(document: RunReport) -> list[str]:
    """One command for each finding, those that decide first: a runner shows ten of each kind and step.

    What needs action is an error if it decides, everything else a warning; a cause that left several checks unknown is
    one finding.
    """
    lines = [_annotation(target, found) for target in document.targets for found in target.findings]
    return sorted(lines, key=lambda line: not line.startswith("::error"))


def _annotation(target: TargetReport, found: Sequence[Check]) -> str:
    from release_state.report.document import heading

    first = found[0]
    is_error = first.decides and first.outcome in (Outcome.ACTION_NEEDED, Outcome.DEFECT)
    lines = [first.title if len(found) == 1 else f"{len(found)} checks could not be answered"]
    told = [("expected", "" if first.outcome is Outcome.UNKNOWN else first.expected), ("found", first.found)]
    told += [("why", why) for why in remedies_of(found)]
    lines += [f"{name}: {plain(text)}" for name, text in told if text]
    if first.plan_steps:
        titles = "; ".join(target.plan.steps[number - 1].title for number in first.plan_steps)
        lines.append(f"next: {steps_in_words(first.plan_steps)} of the plan: {plain(titles, 400)}")
    if retry_at := retry_of(found):
        lines.append(f"ask again at {retry_at}")
    facts = target.target
    return annotation(is_error, lines, f"{heading(found)}: {facts.package} {facts.version} on {facts.channel}")


def annotation(is_error: bool, lines: Sequence[str], title: str) -> str:
    """An annotation of a few lines, each of them plain, within what is shown of one."""
    message = "\n".join(map(plain, lines))
    return command(
        "error" if is_error else "warning",
        message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…",
        title=title,
    )
