"""Steps about runs of the release workflow that are at work: everything else waits for them."""

from __future__ import annotations

from datetime import timedelta

from release_state.plan import Step, step
from release_state.release import Release
from release_state.release_workflow import minutes_of
from release_state.snapshot import Snapshot, WorkflowRun
from release_state.steps.commands import gh


def is_stuck(run: WorkflowRun, snapshot: Snapshot, minutes: int | None) -> bool:
    """Whether a run that is at work is older than it may get; a queue, or a person's approval, has no such limit.

    By GitHub's clock alone: where it told none, this machine's may be hours off, and no run is called stuck.
    """
    if run.status != "in_progress" or minutes is None or snapshot.clock_ahead is None:
        return False
    return snapshot.observed_at - (run.started_at or run.created_at) > timedelta(minutes=minutes)


def settle(release: Release) -> list[Step]:
    """End the runs that are stuck, else wait for the newest one that is unfinished; none where none is."""
    minutes, runs = minutes_of(release), release.unfinished_runs
    stuck = [run for run in runs if is_stuck(run, release.snapshot, minutes)]
    return [_end(release, run) for run in stuck] or [_wait(release, run) for run in runs[:1]]


def _wait(release: Release, run: WorkflowRun) -> Step:
    return step(
        f"Wait for release run #{run.number} ({run.status}) to end, or cancel it",
        gh(release, "run", "watch", str(run.id)),
        mends="run",
        reason="what a running release still does cannot be judged",
        link=run.html_url,
    )


def _end(release: Release, run: WorkflowRun) -> Step:
    return step(
        f"Look at run #{run.number}, then end it",
        gh(release, "run", "view", str(run.id)),
        gh(release, "run", "cancel", str(run.id)),
        reason="it is older than its own limit; after a wait for an approval it may still be at work: look first",
        destroys=f"what run #{run.number} would still have done",
        saves="what it has pushed or published by then stays; run this again afterwards to see what that is",
        link=run.html_url,
        mends="run",
    )
