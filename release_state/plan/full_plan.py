"""The whole plan of a run: the recovery's steps, and those of single findings (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from release_state.model.outcome import CheckResult, Phase, collect_remedies, find_retry_time, group_unknown
from release_state.model.plan import Plan, Step, step
from release_state.plan.recovery import Recovery
from release_state.plan.steps import prerequisites, publication
from release_state.plan.steps.commands import gh, suite_command


def make_full_plan(recovery: Recovery, results: Sequence[CheckResult]) -> Plan:
    """The plan of a run: the recovery's steps, then the steps of single findings.

    Such findings are about the clone, CI, metadata and failed look-ups. A step is advice if no blocking finding needs
    it: a green verdict has a plan of advice alone, and no other verdict has one.
    """
    own = recovery.plan.steps
    findings = [result for result in results if result.is_finding]
    blocking = [result for result in findings if result.blocking]
    needed_steps = {step for result in blocking for step in result.steps}
    advised_steps = {step for result in findings if not result.blocking for step in result.steps}
    found_steps = [step for result in findings for step in result.steps]
    deleted_refs = {word[1:] for step in own for command in step.commands for word in command if word[:1] == ":"}
    # What a finding asks to look at comes before its deletion.
    first = [step for step in found_steps if any(deleted_refs.intersection(command) for command in step.commands)]
    steps = [*(step for step in first if step not in own), *own, *found_steps]
    unknown = group_unknown(blocking)
    if not any(step.mends == "all" for step in steps):
        again = [_observe_again(recovery, why, same) for why, same in unknown.items()]
        steps += prerequisites.drop_repeated_runs(again)

    # A new start fails on whatever is left, and a person who withdraws a whole release means it: then every step of a
    # rollback is needed.
    is_meant = recovery.wanted == "rollback" and recovery.release.snapshot.phase == Phase.POST_RECOVERY
    if recovery.plan.direction in ("roll back", "next version") and (is_meant or blocking):
        needed_steps |= set(own)

    def is_advice(step: Step) -> bool:
        finds_out = step.mends == "all" and bool(unknown)
        return step.advice or (step not in needed_steps and not finds_out and (step in advised_steps or not blocking))

    final_steps = tuple(structs.replace(step, advice=is_advice(step)) for step in dict.fromkeys(steps))
    final_steps = _add_repository(recovery, final_steps)
    direction = "tidy up" if final_steps and recovery.plan.direction == "nothing" else recovery.plan.direction
    return structs.replace(recovery.plan, steps=final_steps, direction=direction)


def make_start_plan(recovery: Recovery) -> Plan | None:
    """The plan that starts a release that is ready; None if nothing is to be done by a person, or something is lost."""
    steps = _add_repository(recovery, recovery.start)
    if not steps or any(step.destroys for step in steps):
        return None
    return Plan(direction="complete", folder=recovery.plan.folder, steps=steps)


def _add_repository(recovery: Recovery, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps, after one that makes a repository if they need one and no clone was checked."""
    in_repository = [step for step in steps if _needs_repository(step)]
    if recovery.plan.folder is not None or not in_repository:
        return steps
    return (_create_repository(recovery, advice=all(step.advice for step in in_repository)), *steps)


def _needs_repository(step: Step) -> bool:
    anywhere = ("clone", "init", "ls-remote", "-C")
    return any(command[0] == "git" and command[1] not in anywhere for command in (*step.commands, *step.verify))


def _create_repository(recovery: Recovery, *, advice: bool) -> Step:
    folder = f"{recovery.release.target.name}-{recovery.release.version}-recovery"
    return step(
        "Create an empty repository, and run the git commands there",
        ["git", "init", "--quiet", folder],
        ["cd", folder],
        reason="no clone was checked; the commands fetch what they need",
        advice=advice,
    )


def _observe_again(recovery: Recovery, why: str, results: Sequence[CheckResult]) -> Step:
    release, when = recovery.release, find_retry_time(results)
    run, jobs = release.snapshot.own_run.value, release.snapshot.own_jobs.value or ()
    if run and any(job.has_begun for job in jobs):
        return publication.verify(release)
    return step(
        f"Repeat the failed look-ups: {', '.join(result.id for result in results)}",
        # Outside of the run that it gates, the gate cannot be asked.
        gh(release, "run", "rerun", str(run.id), "--failed") if run else suite_command(release.target),
        mends="all",
        precondition="this run has ended, and its publishing job has not started" if run else "",
        reason="; ".join(filter(None, [why, *collect_remedies(results), f"retry at {when}" if when else ""])),
    )
