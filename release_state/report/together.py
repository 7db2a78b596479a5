"""The plans of several targets as one script: in an order in which none is in the way of another (pure).

Each target's steps stay together, and what two of them want is done once. What is another target's own is left to its
plan. The workflow is started in the end: nothing is deleted while it works.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from release_state.facts.shared import Shared, sharing
from release_state.model.plan import Plan, Step
from release_state.model.target import Target
from release_state.plan.steps.publication import starts_run
from release_state.verdict.verdict import TargetVerdict

_SHARED: dict[str, Shared] = {
    "tag": "tag",
    "release": "release",
    "draft": "release",
    "branch": "branch",
    "pull-request": "branch",
}
"""What a step mends, by what channels can share."""
_KEEPS = ("complete", "nothing", "wait", "find out", "tidy up")
"""Directions of a plan that leave what there is, or build on it."""


@dataclass(frozen=True)
class Placed:
    """A step of a target's plan, by its number there; or why it is not done in its place."""

    number: int
    step: Step
    instead: str = ""


@dataclass
class Section:
    """What is done about one target, and what starts its release again, which comes after all sections."""

    verdict: TargetVerdict
    steps: list[Placed] = field(default_factory=list)
    last: list[Placed] = field(default_factory=list)


def sections(verdicts: Sequence[TargetVerdict]) -> list[Section]:
    """The sections of a script, in the order of the targets."""
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
            if starts_run(step) and is_held:
                why = "not before what was left out above is settled"
            if not why and key in done and done[key] != verdict.target.key:
                why = f"it is done for {done[key]}"
            if not why:
                done.setdefault(key, verdict.target.key)
            # Who may leave it undone is not alone: for another target it has to be done.
            placed = Placed(number, step.model_copy(update={"advice": key not in needed}) if step.advice else step, why)
            (section.last if starts_run(step) and not why else section.steps).append(placed)
        found.append(section)
    return found


def _key(step: Step) -> tuple[object, ...]:
    """What a step does; by hand, what it says."""
    return (step.commands, step.in_empty_folder) if step.commands else (step.title, step.link)


def _left_to(step: Step, others: Sequence[TargetVerdict]) -> str:
    """Which other target's plan decides on the branch that a step is about; empty where none does."""
    if step.mends != "other-branches":
        return ""
    for other in others:
        target = other.target
        ref, asks = f"refs/heads/{target.release_branch}", ("--version", target.version, "--channel")
        for command in step.commands:
            named = any(word in (ref, f":{ref}") for word in command)
            if named or (command[0] == "release-state" and command[1:5] == (*asks, target.channel.name)):
                return f"the plan of {target.key} says what becomes of it"
    return ""


def _held_back(step: Step, target: Target, others: Sequence[TargetVerdict]) -> str:
    """Which other target builds on what a step destroys; empty where none does."""
    trace = _SHARED.get(step.mends or "")
    if step.destroys is None or trace is None:
        return ""
    shared = {channel.name for channel in sharing(target, trace)}
    for other in others:
        same = other.target.version == target.version and other.target.channel.name in shared
        if same and _keeps(other.plan, step):
            return f"{other.target.key} is to keep it; settle that one first, then look at this one again"
    return ""


def _keeps(plan: Plan, step: Step) -> bool:
    return plan.direction in _KEEPS and not any(_key(each) == _key(step) for each in plan.steps)
