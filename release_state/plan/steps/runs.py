"""Steps about runs of the release workflow that are at work: everything else waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from release_state.common.text import format_duration, join_items
from release_state.facts.release import Release
from release_state.facts.workflow.release_workflow import find_time_limit
from release_state.model.outcome import ActionNeeded, InProgress
from release_state.model.plan import Step, step
from release_state.model.snapshot import Snapshot, WorkflowRun
from release_state.plan.steps.commands import gh


def is_stuck(run: WorkflowRun, snapshot: Snapshot, minutes: int | None) -> bool:
    """Whether a run that is at work is older than it may get; a queue, or a person's approval, has no such limit.

    By GitHub's clock alone: where it told none, this machine's may be hours off, and no run is called stuck.
    """
    if run.status != "in_progress" or minutes is None or snapshot.clock_ahead is None:
        return False
    return snapshot.observed_at - (run.started_at or run.created_at) > timedelta(minutes=minutes)


def end_or_wait(release: Release) -> list[Step]:
    """End the runs that are stuck, else wait for the newest one that is unfinished; none where none is."""
    minutes, runs = find_time_limit(release), release.unfinished_runs
    stuck = [run for run in runs if is_stuck(run, release.snapshot, minutes)]
    return [_end(release, run) for run in stuck] or [_wait(release, run) for run in runs[:1]]


def _wait(release: Release, run: WorkflowRun) -> Step:
    return step(
        f"Wait for release run #{run.number} ({run.status}) to finish, or cancel it",
        gh(release, "run", "watch", str(run.id)),
        mends="run",
        reason="the result of a release in progress is not known yet",
        link=run.html_url,
    )


def _end(release: Release, run: WorkflowRun) -> Step:
    return step(
        f"Check run #{run.number}, then cancel it",
        gh(release, "run", "view", str(run.id)),
        gh(release, "run", "cancel", str(run.id)),
        reason="it is past its own time limit; after waiting for an approval it may still be working: check first",
        destroys=f"what run #{run.number} would still do",
        saves="what it pushed or published stays; run this again afterwards to see it",
        link=run.html_url,
        mends="run",
    )


_WORDS = {
    "in_progress": "in progress",
    "waiting": "waiting for approval",
    "pending": "queued by its concurrency group",
}


def judge_unfinished(release: Release, why: str, steps: Sequence[Step]) -> None:
    """Judge the unfinished runs of the release workflow, of whatever channel: GitHub keeps no inputs of a run.

    Raises ActionNeeded where one of them has worked for longer than it may: it is stuck; InProgress where one is
    unfinished.
    """
    runs = release.unfinished_runs
    if not runs:
        return
    observed, minutes = release.snapshot.observed_at, find_time_limit(release)
    found = join_items(describe_run(run, observed) for run in runs)
    if stuck := [run for run in runs if is_stuck(run, release.snapshot, minutes)]:
        numbers = ", ".join(f"#{run.number}" for run in stuck)
        raise ActionNeeded(
            expected="no unfinished release run",
            found=f"{found}; {numbers} is stuck: past its own limit of {minutes} minutes",
            why=f"{why}, and this one will not finish by itself",
            steps=steps,
        )
    raise InProgress(expected="no unfinished release run", found=found, why=why, steps=steps)


def describe_run(run: WorkflowRun, observed_at: datetime) -> str:
    """A run in words: its number, what it does, since when, who started it, and where to see it."""
    since = run.started_at or run.created_at
    who = f", started by {run.actor}" if run.actor else ""
    old = format_duration((observed_at - since) / timedelta(minutes=1))
    word = _WORDS.get(run.status, run.status)
    return f"#{run.number} {word} since {since:%Y-%m-%d %H:%M} UTC ({old}){who}: {run.html_url}"
