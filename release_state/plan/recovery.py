"""`Recovery`: from a diagnosis to ordered steps (pure).

A person follows the steps in order. A backup comes before what it saves is destroyed, and a prerequisite before the
step that needs it. A new look-up replaces the steps that depend on a failed one; nothing destructive follows it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial

from release_state.facts.origin import explain_closed
from release_state.facts.release import Release
from release_state.model.observation import NotObserved, value_or
from release_state.model.outcome import Phase
from release_state.model.plan import Direction, Mends, Plan, Step, Wanted
from release_state.plan.diagnosis import Diagnosis, diagnose
from release_state.plan.directions import complete, force, withdraw
from release_state.plan.steps import branches, conflicts, prerequisites, publication, start, tags
from release_state.plan.steps.commands import suite_command
from release_state.plan.steps.protection import put_permission_first


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
        if packages := self._packages_instead:
            named = prerequisites.name_package(self.release, packages)
            return Plan(direction="find out", folder=self.release.target.clone, steps=(named,))
        direction, steps = self._choose()
        is_tidied = direction != "wait" and self.wanted != "force-recovery" and not self._in_run
        obstacles = self._remove_obstacles() if is_tidied else []
        # The step that tags anew moves the clone's tag aside itself.
        obstacles = [one for one in obstacles if not any(set(one.commands) < set(each.commands) for each in steps)]
        if obstacles:
            if any(step.undecided for step in obstacles):
                steps = [step for step in steps if not step.starts_run]  # a run fails on what is to be looked up
            steps = sorted([*steps, *obstacles], key=lambda step: step.starts_run)
            direction = "tidy up" if direction == "nothing" else direction
        return Plan(
            direction=direction,
            reason=self.diagnosis.reason,
            folder=self.release.target.clone,
            steps=tuple(put_permission_first(self.release, prerequisites.merge_by_cause(dict.fromkeys(steps)))),
            other_way=self._other_way(direction) if steps else (),
        )

    @property
    def start(self) -> tuple[Step, ...]:
        """The steps that start a release of which nothing is there; empty if it starts otherwise."""
        if self._packages_instead:
            return self.steps
        return tuple(prerequisites.try_steps(self.release, "whether to start the release", self._start))

    @property
    def _packages_instead(self) -> tuple[str, ...]:
        return value_or((), lambda: self.release.packages_instead)

    @property
    def _in_rollback(self) -> bool:
        return self.release.snapshot.phase == Phase.ROLLBACK

    @property
    def _in_run(self) -> bool:
        """Whether this run is a step of the one that publishes, which does the rest itself."""
        return self.release.snapshot.phase == Phase.PRE_PUBLISH

    def _choose(self) -> tuple[Direction, list[Step]]:
        release = self.release
        # Unknown runs stop nothing here: every destructive step needs to know them.
        if waiting := value_or((), lambda: prerequisites.end_or_wait(release)):
            return "wait", [*waiting]
        if self.wanted == "force-recovery":
            return "roll back", force(release)
        direction = self.diagnosis.direction
        if self._in_run and value_or(False, lambda: release.is_published):
            return "complete", [publication.verify(release)]
        if self._in_run and self.wanted == "auto" and direction in ("nothing", "find out"):
            return direction, []  # the run does it, or its gate asks again
        if self.wanted == "complete":
            direction = "complete"
        elif self.wanted == "rollback":
            return "roll back", withdraw(release)
        elif self._in_rollback and (steps := withdraw(release)):
            return "roll back", steps  # a check that all is withdrawn does not say how to complete it
        if self._in_rollback and self.diagnosis.scenario == "superseded":
            return "nothing", []
        if direction == "tidy up" and (other := release.published_instead) and release.tag:
            return direction, prerequisites.try_steps(
                release, "whether to rename the tag", partial(tags.rename, release, release.tag, other)
            )
        if direction == "roll back":
            return direction, self._withdraw_and_start_again()
        if direction == "next version" and explain_closed(release):
            return direction, complete(release)  # the published files stay, and so do its other traces
        if direction == "next version":
            next_version = [] if self._in_rollback else [publication.next_version(release, self.diagnosis.reason)]
            return direction, [*withdraw(release), *next_version]
        if direction == "find out":
            return direction, self._find_out()
        is_empty = value_or(False, lambda: not release.is_published and not release.version_tags)
        if direction == "complete":
            # Nothing to complete from: the workflow does not resume, it starts again.
            return direction, self._withdraw_and_start_again() if is_empty else complete(release)
        if release.snapshot.phase == Phase.POST_RECOVERY and value_or(False, self._is_absent):
            # Only if that phase was asked for: a verification that comes before the release.
            return "complete", [*self.start]
        # Every trace exists: a wrong flag, a draft or a branch is fixed all the same.
        steps = complete(release) if self.diagnosis.established and not is_empty else []
        return ("complete" if steps else "nothing"), steps

    def _other_way(self, direction: Direction) -> tuple[str, ...]:
        """The command that shows the plan of the other direction."""
        target = self.release.target
        if direction == "complete" or (direction == "next version" and explain_closed(self.release)):
            return tuple(suite_command(target, plan="rollback"))
        withdraws = self.wanted == "rollback" or self._in_rollback
        if direction == "next version" or (direction == "roll back" and withdraws):
            return tuple(suite_command(target, plan="complete"))
        return ()

    def _find_out(self) -> list[Step]:
        release = self.release
        lookups: dict[str, Callable[[], object]] = {
            "whether it is published": lambda: release.is_published,
            "whether it is tagged": lambda: release.tag,
            "whether there is a GitHub Release": lambda: release.github_release,
            "whether there is a pull request": lambda: release.pull,
            "whether it can be completed": lambda: diagnose(release.snapshot, finds_out=False),
        }
        steps = []
        for decision, look in lookups.items():
            try:
                look()
            except NotObserved as missing:
                steps.append(prerequisites.find_out_first(release, missing, decision))
        return steps

    def _is_absent(self) -> bool:
        release = self.release
        tags = release.version_tags if "tag" in release.channel.leaves else ()
        return not (release.is_published or tags or release.branch)

    def _start(self) -> list[Step]:
        """Release from scratch by the workflow, or from another channel's tag."""
        return complete(self.release) if self.release.version_tags else self._run_again()

    def _withdraw_and_start_again(self) -> list[Step]:
        steps = withdraw(self.release)
        if any(step.mends in ("all", "run") for step in steps):
            return steps  # a new run may fail on what is still to look up, wait for or decide
        branch = self.release.branch
        commands = [command for step in steps for command in step.commands]
        if branch and not any(f":refs/heads/{branch.name}" in command for command in commands):
            return steps  # a run fails on a release branch of the version
        return [*steps, *prerequisites.try_steps(self.release, "whether to start again", self._run_again)]

    def _run_again(self) -> list[Step]:
        """Start the workflow; with a remaining tag or file, it would compute another version."""
        release = self.release
        if release.is_published:
            return []
        if release.version_tags and "tag" not in release.channel.leaves:
            return []  # the tag is another channel's
        if not release.version_tags and (others := release.find_dependents("tag")):
            why = "a run would create the tag, perhaps on another commit than the published one"
            return [prerequisites.ask_others_first(release, others, f"the tag {release.target.tag}", why)]
        staying = [tag.name for tag in release.version_tags if tag != release.tag or not release.is_tag_removable]
        if staying:
            local = tags.sync_local(release)
            reason = f"{', '.join(staying)} stays, and a new run would count from it"
            return [*local, publication.next_version(release, reason)]
        room = conflicts.make_room_for_branch(release)
        if "tag" in release.channel.leaves:
            room += conflicts.make_room_for_tag(release)
        again = start.begin_again(release) or [publication.run_workflow(release)]
        return conflicts.put_room_first(room, again)

    def _remove_obstacles(self) -> list[Step]:
        """Remove what blocks any release: unused release branches, and tags that only the clone has."""
        release = self.release
        steps: list[Step] = []
        try:
            steps += branches.tidy_others(release)
            if "tag" not in release.channel.leaves:
                return steps  # a tag in the clone is another channel's
            names = {tag.name for tag in release.remote.tags}
            local = [tag for tag in release.local_tags if tag.name not in names]
            is_withdrawn = (self.wanted == "rollback" or self._in_rollback) and release.all_yanked
            if (release.is_published and not is_withdrawn) or (local and release.find_dependents("tag")):
                local = []  # published: it may be the very tag that the remote lacks
            steps += [tags.delete_local(release, tag) for tag in local]
        except NotObserved:
            pass  # the check that needs the fact reports it as unknown; no step can depend on it
        return steps
