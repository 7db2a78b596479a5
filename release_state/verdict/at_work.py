"""Judge what is missing while a release run is at work (pure)."""

from __future__ import annotations

from typing import Literal

from release_state.facts.beginning import find_beginning
from release_state.facts.logs.attribution import attribute_run
from release_state.facts.release import Release
from release_state.facts.release_workflow import find_time_limit
from release_state.model.observation import value_or
from release_state.model.outcome import ActionNeeded, InProgress, Statement
from release_state.model.snapshot import WorkflowRun
from release_state.model.target import Trace
from release_state.plan.steps.prerequisites import describe_run, is_stuck

Made = Trace | Literal["index", "branch"]


def judge_while_at_work(release: Release, trace: Made, finding: ActionNeeded) -> Statement:
    """Return the finding; as in progress while a release run is at work, or begins, that will still settle this."""
    if run := find_maker(release, trace):
        working = f"release run {describe_run(run, release.snapshot.observed_at)}"
    elif (beginning := value_or(None, lambda: find_beginning(release))) and _makes(release, beginning.workflow, trace):
        working = str(beginning)
    else:
        return finding
    return InProgress(
        expected=finding.expected,
        found=f"{finding.found}; {working}",
        why="the release run may still do it",
        steps=finding.steps,
    )


def find_maker(release: Release, trace: Made) -> WorkflowRun | None:
    """Return the unfinished run that may still make a trace of this version; None if there is none, or it is unknown.

    A run that is stuck makes nothing any more, and one that another tag started nothing of this version.
    """
    minutes, snapshot = find_time_limit(release), release.snapshot
    every = snapshot.runs.value.runs if snapshot.runs.value else ()
    for run in value_or((), lambda: release.unfinished_runs):
        is_other = attribute_run(run, every, release.target).is_other
        if not is_other and not is_stuck(run, snapshot, minutes) and _makes(release, run.workflow, trace):
            return run
    return None


def _makes(release: Release, workflow: str | None, trace: Made) -> bool:
    """Whether a run of the workflow makes the trace; it is believed to make all that a release leaves if unknown."""
    publishers = [each for each in release.target.process.publishers if each.workflow == workflow]
    if not publishers or trace in ("index", "branch"):
        return True
    made = {each for publisher in publishers for each in publisher.makes}
    return trace in made or (trace == "release" and "draft" in made)
