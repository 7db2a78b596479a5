"""The plans of all targets as one commented shell script.

The script stops at the first error and asks before each step that destroys something. The steps of a target stay
together, and a step that two targets want is done once. A step that would destroy what another target needs is left to
that target's plan. The release workflow is started last: nothing is deleted while it runs.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from msgspec import Struct, structs

from release_state.common.text import quote_or_explain, sanitize
from release_state.facts.published import Shared, find_sharing
from release_state.model.plan import Step
from release_state.model.target import Target
from release_state.plan.steps.commands import suite_command
from release_state.verdict.verdict import TargetVerdict

_HEAD = """#!/bin/sh
# Written by release-state. Nothing in it was run. Read it before you run it.
# It stops at the first error. It asks before each step that destroys something, depends on a condition or is optional.
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


def render_script(verdicts: Sequence[TargetVerdict]) -> str:
    """The script for a POSIX shell."""
    parts, arranged = [_HEAD], arrange(verdicts)
    for section in arranged:
        plan, target = section.verdict.plan, section.verdict.target
        words = section.verdict.words
        parts.append(f"# {sanitize(target.key)}: {words}; plan: {plan.direction}\n# {sanitize(plan.reason)}")
        way = plan.way_to_folder()
        if way and any(placed.step.commands and not placed.instead for placed in section.steps):
            parts.append(way)
        parts += map(_placed, section.steps)
        if not plan.steps:
            parts.append("# nothing to do")
    parts += _started(arranged)
    for section in arranged:
        again = shlex.quote(f"verify: {quote_or_explain(suite_command(section.verdict.target))}")
        parts += [f"\nsay {again}"] if section.verdict.plan.steps else []
    return "\n".join(parts) + "\n"


def _placed(placed: PlacedStep) -> str:
    if not placed.instead:
        return _step(placed.number, placed.step)
    return f"\n# {placed.number}. {sanitize(placed.step.title)}\n#    skipped: {sanitize(placed.instead)}"


def _started(arranged: Sequence[Section]) -> list[str]:
    """The steps that start a release run; each waits until the one before has ended."""
    last = [(section, placed) for section in arranged for placed in section.last]
    parts = []
    for at, (section, placed) in enumerate(last):
        if len(arranged) > 1:
            parts.append(f"\n# {sanitize(section.verdict.target.key)}, after all of the above")
        if at:
            parts.append("ask 'Only if the previous release run has ended. Continue?'")
        parts.append(_placed(placed))
    return parts


def _step(number: int, step: Step) -> str:
    title = f"{number}. {sanitize(step.title)}"
    lines = ["", f"# {title}"]
    if step.reason:
        lines.append(f"#    {sanitize(step.reason)}")
    if step.precondition:
        lines.append(f"#    only if {sanitize(step.precondition)}")
    lines.append(f"say {shlex.quote(title)}")
    if step.destroys:
        lines.append(f"#    DESTROYS {sanitize(step.destroys)}")
        if step.saves:
            lines.append(f"#    {sanitize(step.saves)}")
        lines += [f"#    to restore it: {sanitize(line)}" for line in step.restore_lines()]
    return "\n".join([*lines, *_guard(step, _commands(step))])


def _guard(step: Step, commands: list[str]) -> list[str]:
    """The commands after the question that they need: "no" skips an optional step and stops at every other one."""
    if not step.commands:
        withheld = f" No command: {sanitize(step.withheld)}." if step.withheld else ""
        where = f"By hand:{f' {sanitize(step.link)}' if step.link else ''}{withheld}"
        return [f"say {shlex.quote(where)}" if step.advice else f"ask {shlex.quote(f'{where} Done?')}"]
    questions = [
        *([f"This destroys {sanitize(step.destroys)}."] if step.destroys else []),
        *([f"Only if {sanitize(step.precondition)}."] if step.precondition else []),
    ]
    if step.advice:
        question = " ".join(["Optional.", *questions, "Do it?"])
        return [f"if agreed {shlex.quote(question)}; then", *commands, "fi"]
    if not questions:
        return commands
    # What is to be judged is printed before the question.
    looks = 0 if step.in_empty_folder else len(list(takewhile(_only_shows, step.commands)))
    return [*commands[:looks], f"ask {shlex.quote(' '.join([*questions, 'Continue?']))}", *commands[looks:]]


def _only_shows(command: Sequence[str]) -> bool:
    """Whether a command prints something of GitHub, and changes nothing."""
    words = tuple(command[2:] if command[0] == "env" else command)
    reads = words[:2] == ("gh", "api") and "--method" not in words
    return reads or (words[:1] == ("gh",) and words[2:3] == ("view",))


def _commands(step: Step) -> list[str]:
    lines = step.lines()
    # Without the suite itself: half-way through, it would stop the script for what later steps fix.
    lines += [line for line in step.verify_lines() if not line.startswith("release-state ")]
    if step.in_empty_folder:
        # One command a line: `set -e` ignores a failure inside a list or a substitution.
        return ["(", "folder=$(mktemp -d)", 'cd "$folder"', "pwd", *lines, ")"]
    return lines


_SHARED: dict[str, Shared] = {
    "tag": "tag",
    "release": "release",
    "draft": "release",
    "branch": "branch",
    "pull-request": "branch",
}
"""The trace that a step fixes, and the kind of trace that channels can share."""
_KEEPS = ("complete", "nothing", "wait", "find out", "tidy up")
"""Directions of a plan that keep the traces that exist."""


class PlacedStep(Struct, frozen=True):
    """A step of a target's plan with its number; `instead` says why the script skips it."""

    number: int
    step: Step
    instead: str = ""


@dataclass
class Section:
    """The steps of one target; `last` start its release again, after all sections."""

    verdict: TargetVerdict
    steps: list[PlacedStep] = field(default_factory=list)
    last: list[PlacedStep] = field(default_factory=list)


def arrange(verdicts: Sequence[TargetVerdict]) -> list[Section]:
    """The sections of the script, in the order of the targets."""
    needed = {_key(step) for verdict in verdicts for step in verdict.plan.steps if not step.advice}
    done: dict[tuple[object, ...], str] = {}
    found = []
    for verdict in verdicts:
        others = [other for other in verdicts if other is not verdict]
        section = Section(verdict)
        is_held = False
        for number, step in enumerate(verdict.plan.steps, 1):
            key = _key(step)
            held = _held_back(step, verdict.target, others)
            is_held = is_held or bool(held)
            why = held or _left_to(step, others)
            if step.starts_run and is_held:
                why = "only after the steps skipped above are done"
            if not why and key in done and done[key] != verdict.target.key:
                why = f"already done for {done[key]}"
            if not why:
                done.setdefault(key, verdict.target.key)
            # Optional only if it is optional for every target.
            placed = PlacedStep(number, structs.replace(step, advice=key not in needed) if step.advice else step, why)
            (section.last if step.starts_run and not why else section.steps).append(placed)
        found.append(section)
    return found


def _key(step: Step) -> tuple[object, ...]:
    """What a step does: its commands, or its title and link if it is done by hand."""
    return (step.commands, step.in_empty_folder) if step.commands else (step.title, step.link)


def _left_to(step: Step, others: Sequence[TargetVerdict]) -> str:
    """Why the step's branch is left to another target's plan; empty if it is not."""
    if step.mends != "other-branches":
        return ""
    for other in others:
        target = other.target
        ref, asks = f"refs/heads/{target.release_branch}", ("--version", target.version, "--channel")
        for command in step.commands:
            named = any(word in (ref, f":{ref}") for word in command)
            if named or (command[0] == "release-state" and command[1:5] == (*asks, target.channel.name)):
                return f"the plan of {target.key} covers this branch"
    return ""


def _held_back(step: Step, target: Target, others: Sequence[TargetVerdict]) -> str:
    """Why a destructive step is held back for another target; empty if it is not."""
    trace = _SHARED.get(step.mends or "")
    if step.destroys is None or trace is None:
        return ""
    shared = {channel.name for channel in find_sharing(target, trace)}
    for other in others:
        same = other.target.version == target.version and other.target.channel.name in shared
        does_it_too = any(_key(each) == _key(step) for each in other.plan.steps)
        if same and other.plan.direction in _KEEPS and not does_it_too:
            return f"{other.target.key} keeps it; finish that target first, then run again for this one"
    return ""
