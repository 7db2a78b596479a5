"""Find out whether a version missing from its index was published before: from earlier reports and release runs.

PyPI hides the files of a quarantined release without saying so; a deletion looks the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path

from release_state.facts.logs.attribution import (
    Attribution,
    attribute_jobs,
    attribute_log,
    attribute_run,
    is_dry_log,
    is_dry_name,
)
from release_state.facts.logs.lines import parse_log
from release_state.model.observation import Observation
from release_state.model.record import Record
from release_state.model.snapshot import Witness, WorkflowRun, WorkflowRuns
from release_state.model.target import Target
from release_state.observe.earlier_reports import find_newest
from release_state.observe.github.run_log import MOST_RUNS, LoggedJob, RunLogs
from release_state.observe.http.client import observe

_PUBLISHES = re.compile(r"publish|pypi|twine|\bupload(?:ing)? to\b", re.IGNORECASE)
_SOMETHING_ELSE = re.compile(
    r"artifact|asset|github|docker|image|container|\bnpm\b|docs|pages|coverage|results?\b|report|sbom|notes|"
    r"check|test(?![-_ ]?pypi)|dry|wait|announce|draft",
    re.IGNORECASE,
)
"""Steps with such words publish something else, or nothing, so their success says nothing about the index."""
_REHEARSAL = re.compile(r"test[-_. ]?pypi|\brehears", re.IGNORECASE)
"""Words for TestPyPI, whose name contains that of PyPI."""


def observe_witness(target: Target, ask_for_run: Callable[[], WorkflowRun | None]) -> Observation[Witness]:
    """Return what says that the version was published; known and None: nothing does.

    Earlier reports come first: they cost no request. Unavailable if GitHub does not answer. Never raises.
    """

    def ask() -> Witness | None:
        if found := find_report_of(target):
            return found
        run = ask_for_run()
        if run is None:
            return None
        what = f"release run #{run.number} published it, by its own steps"
        return Witness(what=what, at=run.updated_at, html_url=run.html_url)

    return observe(ask)


def find_publishing_run(
    logs: RunLogs, repository: str, target: Target, runs: WorkflowRuns, tags: Collection[str]
) -> WorkflowRun | None:
    """Return the newest finished run that published this version to this channel; None if no such run is known.

    `tags` are the version's own tags: a run that one of them started is for this version. Asks about three runs at
    most, and reads a log only with a token. Raises LookupFailed.
    """
    asked_runs = 0
    for run in runs.runs:
        attribution = attribute_run(run, runs.runs, target)
        if run.event in ("push", "release", "create") and run.head_branch in tags:
            attribution = attribution.combine(Attribution(version=True, by=("tag",)))
        if not run.is_finished or attribution.is_other or is_dry_name(run.title):
            continue
        if asked_runs == MOST_RUNS:
            return None
        asked_runs += 1
        lookup = logs.of_run(repository, target, run)
        jobs = [job for job in lookup.jobs() if _has_published(job, target)]
        if not jobs or any(is_dry_name(job.name) for job in jobs):
            continue
        attribution = attribution.combine(attribute_jobs([job.name for job in jobs], target))
        if not attribution.is_ours and not attribution.is_other and logs.has_token:
            lines = parse_log(lookup.log(jobs[-1]))
            attribution = attribution.combine(attribute_log(lines, target))
            if is_dry_log(lines, published_nothing=False):
                continue
        if attribution.is_ours:
            return run
    return None


def _has_published(job: LoggedJob, target: Target) -> bool:
    """Return whether the job published to the target's index: a step for it succeeded, and none failed."""
    # Two steps of a job may share the name of the action, and the first may be for TestPyPI.
    rehearses = bool(_REHEARSAL.search(f"{target.channel.name} {target.channel.index_url}"))

    def is_for_it(name: str) -> bool:
        return rehearses or not _REHEARSAL.search(name)

    if not is_for_it(job.name):
        return False
    steps = [step for step in job.steps if _PUBLISHES.search(step[0]) and not _SOMETHING_ELSE.search(step[0])]
    ended = {conclusion for name, conclusion in steps if is_for_it(name)}
    return "success" in ended and ended <= {"success", "skipped"}


def find_report_of(target: Target) -> Witness | None:
    """Return the newest report that saw this version on this index; None if there is none."""
    if target.reports_dir is None:
        return None

    def saw_it(seen: Record) -> bool:
        looked = seen.target
        ours = looked and (looked.index_url, looked.repository) == (target.channel.index_url, target.repository)
        return bool(ours) and seen.diagnosis.presence("index") == "present"

    try:
        run = find_newest(Path(target.reports_dir), target.key, saw_it)
    except OSError:
        return None
    return Witness(what=f"the report {run.path.name[:200]} saw it on the index", at=run.started_at) if run else None
