"""`Recovery` and the full plan: from a diagnosis to ordered steps (pure).

A person follows the steps from the first to the last. Saving comes before destroying; what a later step needs is made
by an earlier one; what could not be observed is replaced by the step that finds it out, and nothing destructive that
hangs on it follows. `forward` completes, `back` withdraws, `whole` adds what single findings call for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from release_state.facts.origin import explain_closed
from release_state.facts.release import Release
from release_state.model.observation import NotObserved
from release_state.model.outcome import CheckResult, Phase, collect_remedies, find_retry_time, group_unknown
from release_state.model.plan import Direction, Mends, Plan, Step, Wanted, step
from release_state.plan.complete import Completion
from release_state.plan.diagnosis import Diagnosis, diagnose
from release_state.plan.steps import branches, names, publication, runs, tags
from release_state.plan.steps.commands import (
    ask_others_first,
    drop_repeated_runs,
    merge_by_cause,
    suite_command,
    try_steps,
)
from release_state.plan.withdraw import Withdrawal, force

__all__ = ["Recovery", "make_full_plan"]


class Recovery:
    """The way out of a release's state."""

    def __init__(self, release: Release, wanted: Wanted = "auto") -> None:
        self.release = release
        self.wanted = wanted

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """The state of the release."""
        return diagnose(self.release.snapshot)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The plan's steps."""
        return self.plan.steps

    def steps_for(self, *traces: Mends) -> tuple[Step, ...]:
        """The plan's steps that fix a trace; all of them if none fixes it alone."""
        return tuple(step for step in self.steps if step.mends in traces) or self.steps

    @cached_property
    def plan(self) -> Plan:
        """The ordered steps; empty if there is nothing to do."""
        direction, steps = self._way()
        if direction != "wait" and self.wanted != "force-recovery" and (obstacles := self._obstacles()):
            steps = sorted([*steps, *obstacles], key=publication.starts_run)
            direction = "tidy up" if direction == "nothing" else direction
        return Plan(
            direction=direction,
            reason=self.diagnosis.reason,
            folder=self.release.target.clone,
            steps=tuple(merge_by_cause(drop_repeated(steps))),
            other_way=self._other_way(direction) if steps else (),
        )

    def _way(self) -> tuple[Direction, list[Step]]:
        """The direction, and its steps."""
        if running := self._wait():
            return "wait", running
        if self.wanted == "force-recovery":
            return "roll back", force(self.release)
        direction = self.diagnosis.direction
        if self.wanted == "complete":
            direction = "complete"
        elif self.wanted == "rollback":
            return "roll back", Withdrawal(self.release).steps()
        elif self.release.snapshot.phase == Phase.ROLLBACK and (steps := Withdrawal(self.release).steps()):
            return "roll back", steps  # whoever asks whether all is withdrawn is not told how to complete it
        if direction == "roll back":
            return direction, self._roll_back_and_start_again()
        if direction == "next version" and explain_closed(self.release):
            return direction, self._complete()  # what is published of it stays, and the rest of its traces belong to it
        if direction == "next version":
            return direction, [*Withdrawal(self.release).steps(), *self._next_version()]
        if direction == "find out":
            return direction, self._find_out()
        if direction == "complete":
            # Nothing to complete from: the workflow does not resume, it starts again.
            return direction, self._roll_back_and_start_again() if self._is_empty() else self._complete()
        if self.release.snapshot.phase == Phase.POST_RECOVERY and self._is_absent():
            # Only where that phase was asked for: a verification that comes before the release.
            return "complete", try_steps(self.release, "whether to start the release", self._release_it)
        # Every trace is there: what is wrong with one of them (a flag, a draft, a branch) is mended all the same.
        steps = self._complete() if self.diagnosis.established and not self._is_empty() else []
        return ("complete" if steps else "nothing"), steps

    def _complete(self) -> list[Step]:
        return Completion(self.release).steps()

    def _other_way(self, direction: Direction) -> tuple[str, ...]:
        """The command that shows the plan of the other direction."""
        target = self.release.target
        if direction == "complete" or (direction == "next version" and explain_closed(self.release)):
            return tuple(suite_command(target, plan="rollback"))
        withdraws = self.wanted == "rollback" or self.release.snapshot.phase == Phase.ROLLBACK
        if direction == "next version" or (direction == "roll back" and withdraws):
            return tuple(suite_command(target, plan="complete"))
        return ()

    def _wait(self) -> list[Step]:
        try:
            return runs.end_or_wait(self.release)
        except NotObserved:
            return []  # Every destructive step asks again, and finds that it is not known.

    def _find_out(self) -> list[Step]:
        release = self.release
        asked: dict[str, Callable[[], object]] = {
            "whether it is published": lambda: release.is_published,
            "whether it is tagged": lambda: release.tag,
            "whether there is a GitHub Release": lambda: release.github_release,
            "whether there is a pull request": lambda: release.pull,
            "whether it can be completed": lambda: diagnose(release.snapshot, finds_out=False),
        }

        def nothing_from(ask: Callable[[], object]) -> Callable[[], list[Step]]:
            def steps() -> list[Step]:
                ask()
                return []

            return steps

        return [step for decision, ask in asked.items() for step in try_steps(release, decision, nothing_from(ask))]

    def _is_empty(self) -> bool:
        try:
            return not self.release.is_published and not self.release.version_tags
        except NotObserved:
            return False

    def _is_absent(self) -> bool:
        """Whether the channel has no trace of the version."""
        release = self.release
        try:
            tags = release.version_tags if "tag" in release.channel.leaves else ()
            return not (release.is_published or tags or release.branch)
        except NotObserved:
            return False

    def _release_it(self) -> list[Step]:
        """Release from scratch by the workflow, or from another channel's tag."""
        return self._complete() if self.release.version_tags else self._run_again()

    def _roll_back_and_start_again(self) -> list[Step]:
        steps = Withdrawal(self.release).steps()
        if any(step.mends in ("all", "run") for step in steps) or not self._is_deleted(steps):
            return steps  # what is still to be found out, waited for or decided may stand in the way of a new run
        return [*steps, *try_steps(self.release, "whether to start again", self._run_again)]

    def _is_deleted(self, steps: Sequence[Step]) -> bool:
        """Whether these steps leave no release branch of the version: a run fails on one."""
        branch = self.release.branch
        return branch is None or any(f":refs/heads/{branch.name}" in line for each in steps for line in each.commands)

    def _run_again(self) -> list[Step]:
        """Start the workflow; with a remaining tag or file, it would compute another version."""
        release = self.release
        if release.is_published:
            return []
        if release.version_tags and "tag" not in release.channel.leaves:
            return []  # the tag is another channel's
        if not release.version_tags and (others := release.find_dependents("tag")):
            why = "a run would create the tag, perhaps on another commit than the published one"
            return [ask_others_first(release, others, f"the tag {release.target.tag}", why)]
        staying = [tag.name for tag in release.version_tags if tag != release.tag or not release.is_tag_removable]
        if staying:
            local = tags.sync_local(release)
            reason = f"{', '.join(staying)} stays, and a new run would count from it"
            return [*local, publication.next_version(release, reason)]
        room = names.make_room_for_branch(release)
        if "tag" in release.channel.leaves:
            room += names.make_room_for_tag(release)
        return names.put_room_first(room, [publication.run_workflow(release)])

    def _next_version(self) -> list[Step]:
        """Release the next version, if this one is used up and not withdrawn yet."""
        if self.release.snapshot.phase == Phase.ROLLBACK:
            return []
        return [publication.next_version(self.release, self.diagnosis.reason)]

    def _obstacles(self) -> list[Step]:
        """What blocks any release: unused release branches, and tags that only the clone has."""
        steps: list[Step] = []
        try:
            steps += branches.tidy_others(self.release)
            if "tag" not in self.release.channel.leaves:
                return steps  # a tag in the clone is another channel's
            known = {tag.name for tag in self.release.remote.tags}
            local = [tag for tag in self.release.local_tags if tag.name not in known]
            withdrawing = self.wanted == "rollback" or self.release.snapshot.phase == Phase.ROLLBACK
            is_withdrawn = withdrawing and self.release.all_yanked
            if (self.release.is_published and not is_withdrawn) or (local and self.release.find_dependents("tag")):
                local = []  # published: it may be the very tag that is missing on the remote
            steps += [tags.delete_local(self.release, tag) for tag in local]
        except NotObserved:
            pass  # The check that needs the fact says that it is unknown; no step can rest on it.
        return steps


def make_full_plan(recovery: Recovery, results: Sequence[CheckResult]) -> Plan:
    """The plan of a run: the recovery's steps, then the steps of single findings.

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
    unknown = group_unknown(blocking)
    if not any(step.mends == "all" for step in steps):
        steps += drop_repeated_runs([_observe_again(recovery, found, same) for found, same in unknown.items()])

    # Starting again fails on whatever is left, and who asks to withdraw a release that is whole means it: no step of
    # a roll-back may be left undone then.
    asked = recovery.wanted == "rollback" and recovery.release.snapshot.phase == Phase.POST_RECOVERY
    back = recovery.plan.direction in ("roll back", "next version")
    whole = set(recovery.plan.steps) if back and (asked or bool(blocking)) else set()

    def is_advice(step: Step) -> bool:
        finds_out = step.mends == "all" and bool(unknown)
        return step.advice or (step not in called_for | whole and not finds_out and (step in advised or not blocking))

    marked = tuple(step.model_copy(update={"advice": is_advice(step)}) for step in drop_repeated(steps))
    if recovery.plan.folder is None and any(_needs_a_repository(step) for step in marked):
        needed = [step for step in marked if _needs_a_repository(step)]
        marked = (_repository(recovery, advice=all(step.advice for step in needed)), *marked)
    direction = "tidy up" if marked and recovery.plan.direction == "nothing" else recovery.plan.direction
    return Plan.model_validate({**dict(recovery.plan), "steps": marked, "direction": direction})


_ANYWHERE = ("clone", "init", "ls-remote", "-C")


def _needs_a_repository(step: Step) -> bool:
    return any(command[0] == "git" and command[1] not in _ANYWHERE for command in (*step.commands, *step.verify))


def _repository(recovery: Recovery, *, advice: bool) -> Step:
    """Create a repository for git commands when there is no clone."""
    target = recovery.release.target
    folder = f"{target.name}-{recovery.release.version}-recovery"
    return step(
        "Create an empty repository, and run the git commands there",
        ["git", "init", "--quiet", folder],
        ["cd", folder],
        reason="no clone was checked; the commands fetch what they need",
        advice=advice,
    )


def _observe_again(recovery: Recovery, found: str, results: Sequence[CheckResult]) -> Step:
    when = find_retry_time(results)
    return step(
        f"Repeat the failed look-ups: {', '.join(result.id for result in results)}",
        suite_command(recovery.release.target),
        mends="all",
        reason="; ".join(filter(None, [found, *collect_remedies(results), f"retry at {when}" if when else ""])),
    )


def drop_repeated(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps without duplicates."""
    return tuple(dict.fromkeys(steps))
