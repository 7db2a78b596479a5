"""The plan as a commented shell script: it stops at the first error and asks before each step that destroys."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from release_state.plan import Step
from release_state.steps.commands import suite
from release_state.text import plain, plain_command
from release_state.verdict import TargetVerdict

_HEAD = """#!/bin/sh
# Written by release-state. Read it before you run it: nothing in it was run.
# It stops at the first error, and asks before each step that destroys something.
set -eu

ask() {
    printf '%s [y/N] ' "$1"
    read -r answer
    [ "$answer" = y ] || { echo "stopped"; exit 1; }
}
"""


def script(verdicts: Sequence[TargetVerdict]) -> str:
    """The script of every target's plan, for a POSIX shell."""
    parts = [_HEAD]
    for verdict in verdicts:
        plan, target = verdict.plan, verdict.target
        parts.append(f"# {plain(target.key)}: {verdict.words}; the plan: {plan.direction}\n# {plain(plan.reason)}")
        if plan.folder and any(step.commands for step in plan.steps):
            parts.append(f"cd {shlex.quote(plan.folder)}")
        parts += [_step(number, step) for number, step in enumerate(plan.steps, 1)]
        again = shlex.join(suite(target))
        parts.append(f"\necho {shlex.quote(f'now verify: {again}')}" if plan.steps else "# nothing is to be done")
    return "\n".join(parts) + "\n"


def _step(number: int, step: Step) -> str:
    lines = ["", f"# {number}. {plain(step.title)}"]
    if step.reason:
        lines.append(f"#    {plain(step.reason)}")
    if step.precondition:
        lines.append(f"#    only if {plain(step.precondition)}")
    lines.append(f"echo {shlex.quote(f'{number}. {plain(step.title)}')}")
    if step.destroys:
        lines.append(f"#    DESTROYS {plain(step.destroys)}")
        if step.saves:
            lines.append(f"#    {plain(step.saves)}")
        lines.append(f"ask {shlex.quote(f'This destroys {plain(step.destroys)}. Go on?')}")
    elif not step.commands:
        where = f" {plain(step.link)}" if step.link else ""
        lines.append(f"ask {shlex.quote(f'By hand:{where} Done?')}")
    lines += [plain_command(line) for line in step.lines()]
    # The suite itself is no verification half-way: it would stop the script while anything is still wrong.
    lines += [plain_command(line) for line in step.verify_lines() if not line.startswith("release-state ")]
    return "\n".join(lines)
