"""The jobs of a workflow run: which of them a job of a file becomes, and which wait for another one (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection

from release_state.facts.workflow.document import NotReadable
from release_state.facts.workflow.model import Workflow, WorkflowJob, parse_workflow
from release_state.model.process import Publisher
from release_state.model.snapshot import OwnRun
from release_state.model.target import Target

_EVEN_AFTER_FAILURE = re.compile(r"\b(?:always|cancelled|failure)\s*\(")

_OWN_NAME = "release-state"


def find_own_publishers(target: Target, run: OwnRun) -> tuple[Publisher, ...]:
    """Return the jobs of the run's workflow that publish."""
    return tuple(each for each in target.process.publishers if each.workflow == run.workflow)


def is_job_of(listed: str, name: str) -> bool:
    """Return whether a listed job is the one of this name, a part of its matrix, or of the workflow that it calls."""
    return listed == name or listed.startswith((f"{name} (", f"{name} / "))


def find_needed_jobs(text: str, job: str) -> frozenset[str]:
    """Return the names of the jobs that must have ended before a job starts; empty if the file does not say.

    Without those whose name is an expression.
    """
    workflow = _parse(text)
    needed = _find_needs(workflow, job)
    return frozenset(_name(each) for each in workflow.jobs if each.id in needed and "${{" not in each.name)


def find_gated_jobs(text: str, job: str) -> frozenset[str] | None:
    """Return the names of the jobs that start only once a job has succeeded; None if the file has no such job."""
    workflow = _parse(text)
    asking = next((each for each in workflow.jobs if each.id == job), None)
    if asking is None:
        return None
    if asking.may_fail or any(step.may_fail and _OWN_NAME in f"{step.run} {step.uses}" for step in asking.steps):
        return frozenset()  # it counts as a success whatever the gate says
    gated, before = {job}, set[str]()
    while gated != before:
        before = set(gated)
        gated |= {each.id for each in workflow.jobs if gated.intersection(each.needs) and _needs_success(each, gated)}
    return frozenset(_name(each) for each in workflow.jobs if each.id in gated - {job})


def _needs_success(job: WorkflowJob, gated: Collection[str]) -> bool:
    """Whether a job starts only if a gated one that it needs has succeeded, as jobs do unless their `if` says more."""
    if not _EVEN_AFTER_FAILURE.search(job.condition):
        return True
    asked = re.findall(r"needs\.([\w-]+)\.result\s*==\s*'success'", job.condition)
    return "||" not in job.condition and not set(asked).isdisjoint(gated)


def _parse(text: str) -> Workflow:
    try:
        return parse_workflow(text)
    except NotReadable:
        return Workflow()


def _name(job: WorkflowJob) -> str:
    return job.name or job.id


def _find_needs(workflow: Workflow, job: str) -> Collection[str]:
    """The IDs of all jobs that a job needs, directly or through others."""
    needs = {each.id: each.needs for each in workflow.jobs}
    found, new = set[str](), set(needs.get(job, ()))
    while new:
        found |= new
        new = {each for one in new for each in needs.get(one, ())} - found
    return found
