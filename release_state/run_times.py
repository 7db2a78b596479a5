"""How long runs of the release workflow took, against what they may take (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from release_state.snapshot import WorkflowRun

NEAR = 0.8
"""From which part of the limit on a run is near it."""
_LAST = 5
_CANCELLED = ("cancelled", "timed_out")


@dataclass(frozen=True)
class RunTime:
    """A finished run and the minutes from its start to its end."""

    run: WorkflowRun
    minutes: float
    part: float
    """Of the limit."""

    @property
    def text(self) -> str:
        """In words."""
        return f"#{self.run.number} {self.run.conclusion} after {self.minutes:.0f} min ({self.part:.0%} of the limit)"


def times_of(runs: Iterable[WorkflowRun], limit: int) -> tuple[RunTime, ...]:
    """The last five runs that ended well, or were cancelled when their time was up; newest first."""
    times = []
    for run in runs:
        minutes = (run.updated_at - (run.started_at or run.created_at)) / timedelta(minutes=1)
        time = RunTime(run, minutes, minutes / limit if limit else 0.0)
        if run.is_finished and (run.conclusion == "success" or (run.conclusion in _CANCELLED and time.part >= 1)):
            times.append(time)
    return tuple(times[:_LAST])


def near_limit(times: Sequence[RunTime], limit: int) -> tuple[RunTime, ...]:
    """Those that took 80 % of the limit or more."""
    return tuple(time for time in times if limit and time.part >= NEAR)
