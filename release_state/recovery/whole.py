"""The plan of a run: the recovery's steps, and what single findings call for besides (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from release_state.outcome import CheckResult, Phase, remedies_of, retry_of, unknown_by_cause
from release_state.plan import Plan, Step, step
from release_state.steps.commands import run_once, suite

if TYPE_CHECKING:
    from release_state.recovery import Recovery


def whole_plan(recovery: Recovery, results: Sequence[CheckResult]) -> Plan:
    """The plan of a run: the recovery's steps, then what single findings call for besides.

    Those are the clone, CI, metadata, and what could not be observed. A step is advice where no finding that blocks
    calls for it; a plan that holds more than advice is never beside a green verdict, nor the other way round.
    """
    findings = [result for result in results if result.is_finding]
    blocking = [result for result in findings if result.blocking]
    called_for = {step for result in blocking for step in result.steps}
    advised = {step for result in findings if not result.blocking for step in result.steps}
    found = [step for result in findings for step in result.steps]
    deleted = {
        word[1:] for step in recovery.plan.steps for command in step.commands for word in command if word[:1] == ":"
    }
    # What a finding wants to be looked at is looked at before it is deleted.
    first = [step for step in found if any(deleted.intersection(command) for command in step.commands)]
    first = [step for step in first if step not in recovery.plan.steps]
    steps = [*first, *recovery.plan.steps, *found]
    unknown = unknown_by_cause(blocking)
    if not any(step.mends == "all" for step in steps):
        steps += run_once([_observe_again(recovery, found, same) for found, same in unknown.items()])

    # Starting again fails on whatever is left, and who asks to withdraw a release that is whole means it: no step of
    # a roll-back may be left undone then.
    asked = recovery.wanted == "rollback" and recovery.release.snapshot.phase == Phase.POST_RECOVERY
    back = recovery.plan.direction in ("roll back", "next version")
    whole = set(recovery.plan.steps) if back and (asked or bool(blocking)) else set()

    def is_advice(step: Step) -> bool:
        finds_out = step.mends == "all" and bool(unknown)
        return step.advice or (step not in called_for | whole and not finds_out and (step in advised or not blocking))

    marked = tuple(step.model_copy(update={"advice": is_advice(step)}) for step in once(steps))
    if recovery.plan.folder is None and any(_needs_a_repository(step) for step in marked):
        needed = [step for step in marked if _needs_a_repository(step)]
        marked = (_repository(recovery, advice=all(step.advice for step in needed)), *marked)
    direction = "tidy up" if marked and recovery.plan.direction == "nothing" else recovery.plan.direction
    return Plan.model_validate({**dict(recovery.plan), "steps": marked, "direction": direction})


_ANYWHERE = ("clone", "init", "ls-remote", "-C")


def _needs_a_repository(step: Step) -> bool:
    return any(command[0] == "git" and command[1] not in _ANYWHERE for command in (*step.commands, *step.verify))


def _repository(recovery: Recovery, *, advice: bool) -> Step:
    """Where to type git commands that fetch what they push, without a clone at hand."""
    target = recovery.release.target
    folder = f"{target.name}-{recovery.release.version}-recovery"
    return step(
        "Make an empty repository for the git commands, and type all of it there",
        ["git", "init", "--quiet", folder],
        ["cd", folder],
        reason="no clone was looked at; what the commands need they fetch",
        advice=advice,
    )


def _observe_again(recovery: Recovery, found: str, results: Sequence[CheckResult]) -> Step:
    when = retry_of(results)
    return step(
        f"Observe again what could not be observed: {', '.join(result.id for result in results)}",
        suite(recovery.release.target),
        mends="all",
        reason="; ".join(filter(None, [found, *remedies_of(results), f"ask again at {when}" if when else ""])),
    )


def once(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps without those that came before already."""
    return tuple(dict.fromkeys(steps))
