"""What a job may do and how long it may run (pure).

Sources: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#permissions and
https://docs.github.com/actions/how-tos/reuse-automations/reuse-workflows
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from graphlib import CycleError, TopologicalSorter

from release_state.facts.workflow.model import Permissions, Workflow, find_called_path
from release_state.model.snapshot import WorkflowRun

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


def measure_runs(runs: Iterable[WorkflowRun], limit: int) -> tuple[RunTime, ...]:
    """The last five runs that ended well, or were cancelled when their time was up; newest first."""
    times = []
    for run in runs:
        minutes = (run.updated_at - (run.started_at or run.created_at)) / timedelta(minutes=1)
        time = RunTime(run, minutes, minutes / limit if limit else 0.0)
        if run.is_finished and (run.conclusion == "success" or (run.conclusion in _CANCELLED and time.part >= 1)):
            times.append(time)
    return tuple(times[:_LAST])


def select_near_limit(times: Sequence[RunTime], limit: int) -> tuple[RunTime, ...]:
    """Those that took 80 % of the limit or more."""
    return tuple(time for time in times if limit and time.part >= NEAR)


def compute_longest(
    path: str, read: Callable[[str], Workflow | None], known: dict[str, int | None] | None = None
) -> int | None:
    """Minutes: the limits of jobs that wait for each other, added up.

    None where that cannot be told: an expression sets a limit, or a job calls a workflow that `read` does not give.
    """
    known = {} if known is None else known
    if path not in known:
        known[path] = None  # as long as it is worked out: one that calls itself has no end
        known[path] = _longest(read(path), read, known)
    return known[path]


def _longest(
    workflow: Workflow | None, read: Callable[[str], Workflow | None], known: dict[str, int | None]
) -> int | None:
    if workflow is None:
        return None
    jobs = {job.id: job for job in workflow.jobs}
    try:
        order = list(TopologicalSorter({job.id: job.needs for job in workflow.jobs}).static_order())
    except CycleError:
        return None
    ends: dict[str, int] = {}
    for name in order:
        if (job := jobs.get(name)) is None:
            return None
        own = compute_longest(find_called_path(job.uses), read, known) if job.uses else job.limit
        if own is None:
            return None
        ends[name] = own + max((ends[other] for other in job.needs), default=0)
    return max(ends.values(), default=0)


RIGHTS = (
    "actions", "attestations", "checks", "contents", "deployments", "discussions", "id-token", "issues", "models",
    "packages", "pages", "pull-requests", "repository-projects", "security-events", "statuses",
)  # fmt: skip
_LEVELS = ("none", "read", "write")


def derive_from_setting(setting: str | None) -> Permissions | None:
    """What a workflow may do that names no permissions; None where the repository's setting is not known."""
    if setting == "write":
        return Permissions({"id-token": "none"}, other="write")
    return Permissions({"contents": "read", "packages": "read"}) if setting == "read" else None


def derive_ceiling(rights: Permissions) -> Permissions:
    """The same as a ceiling of what is called: of one owner, a generous setting lets it ask for `id-token` too."""
    return replace(rights, levels={**rights.levels, "id-token": "write"}) if rights.other == "write" else rights


def limit_rights(block: Permissions | None, ceiling: Permissions | None) -> Permissions | None:
    """What is left of a block below a ceiling; None where it is not known."""
    if block is None or ceiling is None:
        # A block that gives nothing gives nothing below any ceiling.
        return block if block is not None and all(block.of(right) == "none" for right in RIGHTS) else ceiling
    return Permissions({right: min(block.of(right), ceiling.of(right), key=_rank) for right in RIGHTS})


def find_excesses(asked: Permissions, allowed: Permissions) -> Iterator[tuple[str, str, str]]:
    """Right, level asked for and level allowed, where more is asked for."""
    for right in RIGHTS:
        if _rank(asked.of(right)) > _rank(allowed.of(right)):
            yield right, asked.of(right), allowed.of(right)


def _rank(level: str) -> int:
    return _LEVELS.index(level) if level in _LEVELS else 0
