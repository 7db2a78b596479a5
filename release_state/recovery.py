"""From the diagnosis to one plan: which steps, in which order (pure).

A person follows the steps from the first to the last. Saving comes before destroying; what a later step needs is made
by an earlier one; what could not be observed is replaced by the step that finds it out, and nothing destructive that
hangs on it follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from release_state.diagnosis import Diagnosis, builds_another_version, diagnose
from release_state.model import NotObserved
from release_state.outcome import CheckResult, Outcome, Phase
from release_state.plan import Direction, Mends, Plan, Step, Wanted, step
from release_state.release import Release
from release_state.snapshot import Branch
from release_state.steps import branches, publication, pulls, releases, tags
from release_state.steps.commands import find_out, suite


class Recovery:
    """The way out of the state that a release is in."""

    def __init__(self, release: Release, wanted: Wanted = "auto") -> None:
        self.release = release
        self.wanted = wanted

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """The state that the steps lead out of."""
        return diagnose(self.release.snapshot)

    def steps_for(self, *traces: Mends) -> tuple[Step, ...]:
        """The plan's steps that mend a trace; the whole plan where none mends it alone."""
        steps = self.plan.steps
        return tuple(each for each in steps if each.mends in traces) or steps

    @cached_property
    def plan(self) -> Plan:
        """The ordered steps; empty where nothing is to be done."""
        diagnosis = self.diagnosis
        direction: Direction = diagnosis.direction
        if self.wanted != "auto":
            direction = "complete" if self.wanted == "complete" else "roll back"  # force recovery withdraws too
        steps: list[Step]
        if running := self._try("whether a release run is working", self._wait):
            direction, steps = "wait", running
        elif self.wanted == "force-recovery":
            steps = self._force()
        elif direction == "roll back":
            steps = self._roll_back_and_start_again()
        elif direction == "complete":
            steps = self._complete()
        elif direction == "next version":
            withdrawn = self.release.snapshot.phase == Phase.ROLLBACK
            steps = self._roll_back() if withdrawn else [publication.unyank(self.release), self._next(diagnosis.reason)]
        elif direction == "find out":
            steps = self._find_out()
        else:
            # Every trace is there: what is wrong with one of them (a flag, a draft, a branch) is mended all the same.
            steps = self._complete() if diagnosis.established and not self._is_empty() else []
            direction = "complete" if steps else "nothing"
        if direction != "wait" and self.wanted != "force-recovery" and (obstacles := self._obstacles()):
            steps += obstacles
            direction = "tidy up" if direction == "nothing" else direction
        return Plan(
            direction=direction,
            reason=diagnosis.reason,
            folder=self.release.target.clone,
            steps=_once(steps),
            other_way=self._other_way(direction) if steps else (),
        )

    def _other_way(self, direction: Direction) -> tuple[str, ...]:
        """How to see the plan of the other direction: unpublished traces can be withdrawn, published ones yanked."""
        if direction == "complete":
            return (*suite(self.release.target), "--plan", "rollback")
        if direction == "roll back" and self.wanted == "rollback":
            return (*suite(self.release.target), "--plan", "complete")
        return ()

    def _try(self, decision: str, make: Callable[[], Iterable[Step]]) -> list[Step]:
        """The steps, or the one that finds out what they hang on."""
        try:
            return list(make())
        except NotObserved as missing:
            return [find_out(self.release, missing, decision)]

    def _wait(self) -> list[Step]:
        try:
            return [branches.wait(self.release)] if self.release.unfinished_runs else []
        except NotObserved:
            return []  # Every destructive step asks again, and finds that it is not known.

    def _find_out(self) -> list[Step]:
        release, decisions = self.release, []
        if self.diagnosis.direction == "find out":
            asked = {
                "whether it is published": lambda: [release.files],
                "whether it is tagged": lambda: [release.tag],
                "whether there is a GitHub Release": lambda: [release.github_release],
                "whether there is a pull request": lambda: [release.pull],
            }
            for decision, ask in asked.items():
                decisions += [step for step in self._try(decision, _nothing_from(ask)) if step]
        return decisions

    def _complete(self) -> list[Step]:
        leaves = self.release.channel.leaves
        if self._is_empty():
            # Nothing to complete from: the workflow does not resume, it starts again.
            return self._roll_back_and_start_again()
        steps = self._try("what to publish", self._publish)
        if "tag" in leaves:
            steps += self._try("how to tag it", self._tag)
        if "pull-request" in leaves:
            steps += self._try("whether a pull request is needed", self._pull)
        if "release" in leaves:
            steps += self._try("whether a GitHub Release is missing", self._release)
        return [*steps, *self._try("whether its branch can go", self._left_branch)]

    def _is_empty(self) -> bool:
        try:
            return not self.release.is_published and not self.release.version_tags
        except NotObserved:
            return False

    def _publish(self) -> list[Step]:
        release = self.release
        yanked = [publication.unyank(release)] if any(file.yanked for file in release.files) else []
        coming = [publication.wait_for_index(release)] if release.catching_up else []
        if not release.missing_kinds:
            return [*coming, *yanked]
        why = f"missing: {', '.join(release.missing_kinds)}, and no tag says what they were built from"
        if release.version_tags:
            tag = release.version_tags[0]
            if not builds_another_version(release, tag):
                return [*publication.publish_from_tag(release, tag), *yanked]
            why = f"missing: {', '.join(release.missing_kinds)}, and {tag.name} is on a commit of another version"
        return [self._next(why), *yanked]

    def _tag(self) -> list[Step]:
        release = self.release
        if release.tag is None:
            return tags.create(release)
        local = release.local_tag if release.snapshot.clone.is_known else None
        differs = local is not None and local.object != release.tag.object
        return [tags.refresh_local(release, local, release.tag)] if local and differs else []

    def _pull(self) -> list[Step]:
        release = self.release
        if release.pull is None:
            return pulls.create(release)
        return [pulls.recreate_head(release, release.pull)] if release.pull.is_open and not release.branch else []

    def _release(self) -> list[Step]:
        release = self.release
        if release.github_release is None:
            return releases.create(release) if release.tag or release.is_published else []
        steps = releases.mend(release, release.github_release)
        if release.snapshot.drafts.is_known:
            steps += [step for draft in release.drafts for step in releases.delete(release, draft)]
        return steps

    def _left_branch(self) -> list[Step]:
        release = self.release
        branch, has_pulls = release.branch, "pull-request" in release.channel.leaves
        if branch is None or (has_pulls and not (release.pull and release.pull.merged)):
            return []
        return branches.delete(release, branch)

    def _roll_back(self) -> list[Step]:
        release = self.release
        leaves = release.channel.leaves
        try:
            steps = publication.yank(release)
        except NotObserved as missing:
            # Whether it was published decides what may go at all: nothing goes before that is known.
            return [find_out(release, missing, "whether it was published")]
        closing: tuple[int, ...] = ()
        if "pull-request" in leaves and release.snapshot.pulls.is_known:
            closing = tuple(pull.number for pull in release.open_pulls)
            steps += [pulls.close(release, pull) for pull in release.open_pulls]
        if "release" in leaves:
            steps += self._try("whether a GitHub Release has to go", self._withdraw_releases)
        if branch := self._known_branch():
            steps += branches.delete(release, branch, closing=closing)
        if "tag" in leaves:
            steps += self._try("whether the tag has to go", self._withdraw_tags)
        return steps

    def _force(self) -> list[Step]:
        """Every branch that parses as a release branch, each saved before it is deleted; none with an open PR."""

        def steps() -> list[Step]:
            release = self.release
            own = branches.delete(release, release.branch) if release.branch else []
            others = [(other.branch, other.state == "in use") for other in release.other_branches]
            kept = [branch for branch, in_use in others if not in_use]
            return [*own, *(step for branch in kept for step in branches.delete(release, branch, "other-branches"))]

        return self._try("which release branches can go", steps)

    def _known_branch(self) -> Branch | None:
        return self.release.branch if self.release.snapshot.remote.is_known else None

    def _withdraw_releases(self) -> list[Step]:
        release = self.release
        found = [release.github_release] if release.github_release else []
        drafts = release.drafts if release.snapshot.drafts.is_known else ()
        return [step for one in (*found, *drafts) for step in releases.delete(release, one)]

    def _withdraw_tags(self) -> list[Step]:
        release = self.release
        # Another spelling may be another project's habit, or somebody else's tag: it is shown, never deleted.
        steps = [tags.look(release, tag, "it equals the version too") for tag in release.other_tags_exactly]
        if release.tag and release.tag_may_go:
            steps += [tags.keep_object(release, release.tag), *tags.delete(release, release.tag)]
        return steps

    def _roll_back_and_start_again(self) -> list[Step]:
        steps = self._roll_back()
        if any(step.mends in ("all", "run") for step in steps):
            return steps  # what is still to be found out or waited for may stand in the way of a new run
        return [*steps, *self._start_again()]

    def _start_again(self) -> list[Step]:
        if self.wanted == "rollback":
            return []
        return self._try("whether to start again", self._run_again)

    def _run_again(self) -> list[Step]:
        """Start the workflow; with a tag or a file of the version left, it would work out another version."""
        release = self.release
        if release.is_published:
            return []
        if release.version_tags and "tag" not in release.channel.leaves:
            return []  # the tag is another channel's
        staying = [tag.name for tag in release.version_tags if tag != release.tag or not release.tag_may_go]
        if staying:
            local = self._tag() if release.tag else []
            return [*local, self._next(f"{', '.join(staying)} stays, and a new run counts from it")]
        return [publication.run_workflow(release)]

    def _next(self, reason: str) -> Step:
        return publication.next_version(self.release, reason)

    def _obstacles(self) -> list[Step]:
        """What stands in the way of any release: other branches that nobody uses, tags that only the clone has."""
        steps: list[Step] = []
        try:
            steps += branches.others(self.release)
            known = {tag.name for tag in self.release.remote.tags}
            local = [tag for tag in self.release.local_tags if tag.name not in known]
            withdrawing = self.wanted == "rollback" or self.release.snapshot.phase == Phase.ROLLBACK
            if self.release.is_published and not (withdrawing and self.release.all_yanked):
                local = []  # published: it may be the very tag that is missing on the remote
            steps += [tags.delete_local(self.release, tag) for tag in local]
        except NotObserved:
            pass  # The check that needs the fact says that it is unknown; no step can rest on it.
        return steps


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
    unknown = [result for result in blocking if result.outcome is Outcome.UNKNOWN]
    if not any(step.mends == "all" for step in steps):
        steps += [_observe_again(recovery, found, same) for found, same in _by_cause(unknown).items()]

    # Starting again fails on whatever is left, and who asks to withdraw a release that is whole means it: no step of
    # a roll-back may be left undone then.
    asked = recovery.wanted == "rollback" and recovery.release.snapshot.phase == Phase.POST_RECOVERY
    all_of_it = recovery.plan.direction == "roll back" and (asked or bool(blocking))
    whole = set(recovery.plan.steps) if all_of_it else set()

    def is_advice(step: Step) -> bool:
        finds_out = step.mends == "all" and bool(unknown)
        return step not in called_for | whole and not finds_out and (step in advised or not blocking)

    marked = tuple(step.model_copy(update={"advice": is_advice(step)}) for step in _once(steps))
    direction = "tidy up" if marked and recovery.plan.direction == "nothing" else recovery.plan.direction
    return recovery.plan.model_copy(update={"steps": marked, "direction": direction})


def _by_cause(unknown: Sequence[CheckResult]) -> dict[str, list[CheckResult]]:
    causes: dict[str, list[CheckResult]] = {}
    for result in unknown:
        causes.setdefault(result.found, []).append(result)
    return causes


def _observe_again(recovery: Recovery, found: str, results: Sequence[CheckResult]) -> Step:
    when = max(result.retry_at or "" for result in results)
    return step(
        f"Observe again what could not be observed: {', '.join(result.id for result in results)}",
        suite(recovery.release.target),
        mends="all",
        reason="; ".join(filter(None, [found, results[0].why, f"ask again at {when}" if when else ""])),
    )


def _nothing_from(ask: Callable[[], object]) -> Callable[[], list[Step]]:
    def asked() -> list[Step]:
        ask()
        return []

    return asked


def _once(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(dict.fromkeys(steps))
