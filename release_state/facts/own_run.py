"""The jobs of a workflow run: which of them a job of a file becomes, and which wait for another one (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from glob import escape

from msgspec import structs

from release_state.common.text import sanitize
from release_state.facts.workflow.calls import PlacedJob, ReleaseWorkflow
from release_state.facts.workflow.model import JobStep, Workflow, WorkflowJob
from release_state.model.outcome import Phase
from release_state.model.process import Publisher
from release_state.model.snapshot import OwnRun
from release_state.model.target import Target

_EVEN_AFTER_FAILURE = re.compile(r"\b(?:always|cancelled|failure)\s*\(")
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
_MATRIX = re.compile(r" \(.*\)$", re.DOTALL)
_LONGEST = 300
"""Characters of a job's name."""
_OWN_NAME = "release-state"
"""This suite in a step, and the ID of the job of its reusable workflow."""
_IGNORED = re.compile(r"\|\|\s*(?:true\b|:(?:\s|$)|echo\b|exit 0\b)|;\s*(?:true|exit 0)\b")
"""What makes a success of a failed command."""
_PIPE = re.compile(r"(?<!\|)\|(?!\|)")
_PIPEFAIL = re.compile(r"\bpipefail\b|^\s*(?:-\s*)?shell:\s*['\"]?bash['\"]?\s*$", re.MULTILINE)
_OWN_WORKFLOW = re.compile(r"[\w.-]+/[\w.-]+/\.github/workflows/release-state\.yml@\S+")


def find_own_publishers(target: Target, run: OwnRun) -> tuple[Publisher, ...]:
    """Return the jobs of the run's workflow that publish."""
    return tuple(each for each in target.process.publishers if each.workflow == run.workflow)


def is_job_of(listed: str, name: str) -> bool:
    """Return whether a listed job is the one of this name, a part of its matrix, or of the workflow that it calls.

    An expression in the name stands for any text. Either may be sanitized: an emoji of several characters is not kept.
    """
    listed, name = sanitize(listed, _LONGEST), sanitize(name, _LONGEST)
    pattern = "*".join(map(escape, _EXPRESSION.split(name)))
    spellings = (listed, " / ".join(_MATRIX.sub("", part) for part in listed.split(" / ")))
    return any(fnmatchcase(each, f"{pattern}{more}") for each in spellings for more in ("", " (*", " / *"))


def find_needed_jobs(path: str, texts: Mapping[str, str], job: str) -> frozenset[str]:
    """Return the names of the jobs that must have ended before a job starts; empty if the files do not say.

    Without those whose name is an expression.
    """
    asking, found = _find_asking(path, texts, job), set[str]()
    while asking is not None:
        needed = asking.workflow.find_needed(asking.job.id)
        placed = [structs.replace(asking, job=each) for each in asking.workflow.jobs if each.id in needed]
        found |= {sanitize(each.listed_name, _LONGEST) for each in placed}
        asking = asking.caller
    return frozenset(name for name in found if not _EXPRESSION.search(name))


def find_gated_jobs(path: str, texts: Mapping[str, str], job: str) -> frozenset[str] | None:
    """Return the names of the jobs that start only once a job has succeeded; None if it is not known which job it is.

    If it is in a called workflow, its failure is that of the job that calls. A name that another job has, too, is left
    out: nobody sees which of them a listed one is.
    """
    asking, found = _find_asking(path, texts, job), dict[str, str]()
    if asking is None:
        return None
    has_pipefail = _PIPEFAIL.search(texts.get(asking.file, "")) is not None
    if asking.job.may_fail or any(_ends_well(each, has_pipefail=has_pipefail) for each in asking.job.steps):
        return frozenset()  # it counts as a success whatever the gate says
    here: PlacedJob | None = asking
    while here is not None:
        placed = [structs.replace(here, job=each) for each in _find_gated(here.workflow, here.job.id)]
        found |= {each.where: sanitize(each.listed_name, _LONGEST) for each in placed}
        here = here.caller
    free = (each for each in ReleaseWorkflow(path, texts).jobs if found.keys().isdisjoint(_list_places(each)))
    return frozenset(found.values()) - {sanitize(each.listed_name, _LONGEST) for each in free}


def _list_places(placed: PlacedJob) -> list[str]:
    """Where a job is, and each job that calls it."""
    return [placed.where, *(_list_places(placed.caller) if placed.caller else ())]


def _ends_well(step: JobStep, *, has_pipefail: bool) -> bool:
    """Whether a step that runs this suite is a success whatever the suite says.

    A pipe has the exit code of its last command, unless the shell is named as `bash`.
    Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
    """
    if _OWN_NAME not in f"{step.run} {step.uses}":
        return False
    lines = (line.partition(_OWN_NAME) for line in step.run.replace("\\\n", " ").splitlines())
    # A line that only installs it, or speaks of it, is no gate.
    after = [rest for before, own, rest in lines if own and not re.match(r"\s*(?:#|echo\b)|.*\binstall\b", before)]
    is_ignored = any(_IGNORED.search(rest) for rest in after)
    return step.may_fail or is_ignored or (not has_pipefail and any(_PIPE.search(rest) for rest in after))


def is_gated(name: str, gated: Collection[str]) -> bool:
    """Return whether a job is one of these, or is in a workflow that one of these calls."""
    return any(name == each or name.startswith(f"{each} / ") for each in gated)


def _find_asking(path: str, texts: Mapping[str, str], job: str) -> PlacedJob | None:
    """The job with this ID, of the workflow or of one that it calls; None if there is none, or several.

    For a job of this suite's reusable workflow, which is a file of another repository, the job that calls it.
    """
    jobs = ReleaseWorkflow(path, texts).jobs
    found = [each for each in jobs if each.job.id == job and not each.job.uses]
    if not found and job == _OWN_NAME:
        # The verification after the upload may call it, too: only a literal phase says that it is not the one.
        calls = [each for each in jobs if _OWN_WORKFLOW.fullmatch(each.job.uses)]
        phases = [each.job.inputs.get("phase", "auto") for each in calls]
        found = [each for each, phase in zip(calls, phases, strict=True) if phase == Phase.PRE_PUBLISH or "${" in phase]
    return found[0] if len(found) == 1 else None


def _find_gated(workflow: Workflow, job: str) -> Iterator[WorkflowJob]:
    gated, before = {job}, set[str]()
    while gated != before:
        before = set(gated)
        gated |= {each.id for each in workflow.jobs if gated.intersection(each.needs) and _needs_success(each, gated)}
    return (each for each in workflow.jobs if each.id in gated - {job})


def _needs_success(job: WorkflowJob, gated: Collection[str]) -> bool:
    """Whether a job starts only if a gated one that it needs has succeeded, as jobs do unless their `if` says more."""
    if not _EVEN_AFTER_FAILURE.search(job.condition):
        return True
    asked = re.findall(r"needs\.([\w-]+)\.result\s*==\s*'success'", job.condition)
    return "||" not in job.condition and not set(asked).isdisjoint(gated)
