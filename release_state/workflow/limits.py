"""How long a run of a workflow may work, by the time limits of its jobs."""

from __future__ import annotations

from collections.abc import Callable
from graphlib import CycleError, TopologicalSorter

from release_state.workflow.model import Workflow
from release_state.workflow.paths import path_of_call


def longest(
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
        own = longest(path_of_call(job.uses), read, known) if job.uses else job.limit
        if own is None:
            return None
        ends[name] = own + max((ends[other] for other in job.needs), default=0)
    return max(ends.values(), default=0)
