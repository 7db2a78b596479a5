"""Release runs that are not finished: who started them, since when, and whether one is stuck (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from release_state.outcome import ActionNeeded, InProgress
from release_state.plan import Step
from release_state.release import Release
from release_state.release_workflow import minutes_of
from release_state.snapshot import WorkflowRun
from release_state.steps.runs import is_stuck
from release_state.words import age, listing

_WORDS = {
    "in_progress": "in progress",
    "waiting": "waiting for approval",
    "pending": "held back by its concurrency group",
}


def unfinished_runs(release: Release, why: str, steps: Sequence[Step]) -> None:
    """Judge the unfinished runs of the release workflow, of whatever channel: GitHub keeps no inputs of a run.

    Raises ActionNeeded where one of them has worked for longer than it may: it is stuck; InProgress where one is
    unfinished.
    """
    runs = release.unfinished_runs
    if not runs:
        return
    observed, minutes = release.snapshot.observed_at, minutes_of(release)
    found = listing(described(run, observed) for run in runs)
    if stuck := [run for run in runs if is_stuck(run, release.snapshot, minutes)]:
        numbers = ", ".join(f"#{run.number}" for run in stuck)
        raise ActionNeeded(
            expected="no unfinished release run",
            found=f"{found}; {numbers} is stuck: older than its own limit of {minutes} minutes",
            why=f"{why}, and this one will not end by itself as it should",
            steps=steps,
        )
    raise InProgress(expected="no unfinished release run", found=found, why=why, steps=steps)


def described(run: WorkflowRun, observed_at: datetime) -> str:
    """A run in words: its number, what it does, since when, who started it, and where to see it."""
    since = run.started_at or run.created_at
    who = f", started by {run.actor}" if run.actor else ""
    old = age((observed_at - since) / timedelta(minutes=1))
    word = _WORDS.get(run.status, run.status)
    return f"#{run.number} {word} since {since:%Y-%m-%d %H:%M} UTC ({old}){who}: {run.html_url}"
