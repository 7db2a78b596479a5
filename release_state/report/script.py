"""The plan as a commented shell script: it stops at the first error and asks before each step that destroys."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from release_state.common import exact
from release_state.common.text import plain
from release_state.model.plan import Step
from release_state.plan.steps.commands import suite
from release_state.report.together import Placed, Section, sections
from release_state.verdict.verdict import TargetVerdict

_HEAD = """#!/bin/sh
# Written by release-state. Read it before you run it: nothing in it was run.
# It stops at the first error. It asks before each step that destroys something, that is right only on a condition or
# that may be left undone.
set -eu
GIT_PAGER=cat GH_PAGER=cat
export GIT_PAGER GH_PAGER

say() {
    printf '%s\\n' "$1"
}
agreed() {
    printf '%s [y/N] ' "$1"
    read -r answer || answer=
    [ "$answer" = y ]
}
ask() {
    agreed "$1" || { say "stopped"; exit 1; }
}
"""


def script(verdicts: Sequence[TargetVerdict]) -> str:
    """The script of every target's plan, for a POSIX shell."""
    parts, arranged = [_HEAD], sections(verdicts)
    for section in arranged:
        plan, target = section.verdict.plan, section.verdict.target
        words = section.verdict.words
        parts.append(f"# {plain(target.key)}: {words}; the plan: {plan.direction}\n# {plain(plan.reason)}")
        way = plan.way_to_folder()
        if way and any(placed.step.commands and not placed.instead for placed in section.steps):
            parts.append(way)
        parts += map(_placed, section.steps)
        if not plan.steps:
            parts.append("# nothing is to be done")
    parts += _started(arranged)
    for section in arranged:
        again = shlex.quote(f"now verify: {exact.quoted_or_why(suite(section.verdict.target))}")
        parts += [f"\nsay {again}"] if section.verdict.plan.steps else []
    return "\n".join(parts) + "\n"


def _placed(placed: Placed) -> str:
    if not placed.instead:
        return _step(placed.number, placed.step)
    return f"\n# {placed.number}. {plain(placed.step.title)}\n#    left out here: {plain(placed.instead)}"


def _started(arranged: Sequence[Section]) -> list[str]:
    """What starts a release again, at the end: of several, each only once the one before has ended."""
    last = [(section, placed) for section in arranged for placed in section.last]
    parts = []
    for at, (section, placed) in enumerate(last):
        if len(arranged) > 1:
            parts.append(f"\n# {plain(section.verdict.target.key)}, once all of the above is done")
        if at:
            parts.append("ask 'Only if the run that was started before has ended. Go on?'")
        parts.append(_placed(placed))
    return parts


def _step(number: int, step: Step) -> str:
    title = f"{number}. {plain(step.title)}"
    lines = ["", f"# {title}"]
    if step.reason:
        lines.append(f"#    {plain(step.reason)}")
    if step.precondition:
        lines.append(f"#    only if {plain(step.precondition)}")
    lines.append(f"say {shlex.quote(title)}")
    if step.destroys:
        lines.append(f"#    DESTROYS {plain(step.destroys)}")
        if step.saves:
            lines.append(f"#    {plain(step.saves)}")
    return "\n".join([*lines, *_asked(step, _commands(step))])


def _asked(step: Step, commands: list[str]) -> list[str]:
    """The commands behind the question that they need: no is the end, but for what may be left undone."""
    if not step.commands:
        withheld = f" No command is given: {plain(step.withheld)}." if step.withheld else ""
        where = f"By hand:{f' {plain(step.link)}' if step.link else ''}{withheld}"
        return [f"say {shlex.quote(where)}" if step.advice else f"ask {shlex.quote(f'{where} Done?')}"]
    asked = [
        *([f"This destroys {plain(step.destroys)}."] if step.destroys else []),
        *([f"Only if {plain(step.precondition)}."] if step.precondition else []),
    ]
    if step.advice:
        question = " ".join(["This may be left undone.", *asked, "Do it?"])
        return [f"if agreed {shlex.quote(question)}; then", *commands, "fi"]
    return [*([f"ask {shlex.quote(' '.join([*asked, 'Go on?']))}"] if asked else []), *commands]


def _commands(step: Step) -> list[str]:
    lines = step.lines()
    # The suite itself is no verification half-way: it would stop the script while anything is still wrong.
    lines += [line for line in step.verify_lines() if not line.startswith("release-state ")]
    if step.in_empty_folder:
        # Each a line of its own: a failure in the midst of a list, or of a substitution, would not stop the script.
        return ["(", "folder=$(mktemp -d)", 'cd "$folder"', "pwd", *lines, ")"]
    return lines
