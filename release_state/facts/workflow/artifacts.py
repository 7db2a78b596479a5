"""Artifacts between the jobs of a run: names that clash, that nobody made, or that end in other folders (pure).

Sources: https://github.com/actions/upload-artifact#breaking-changes,
https://github.com/actions/download-artifact#download-all-artifacts
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from release_state.facts.workflow.calls import LocatedStep, ReleaseWorkflow
from release_state.facts.workflow.model import JobStep
from release_state.facts.workflow.publishing import find_uploads_of, list_upload_jobs

_UPLOAD_ARTIFACT = "actions/upload-artifact@"
_MERGE_ARTIFACT = "actions/upload-artifact/merge@"
_DOWNLOAD_ARTIFACT = "actions/download-artifact@"
_NEW = 4
_NEWEST = 999
_CONTAINER = "pypa/gh-action-pypi-publish@"
_HARMLESS = ("actions/checkout@", "actions/setup-python@", "actions/attest")
"""Actions between a download and an upload that leave the files where they are."""


def find_artifact_clashes(workflow: ReleaseWorkflow) -> Iterator[str]:
    """Yield artifacts that two jobs of a run upload under one name, which version 4 of the action refuses."""
    counted = Counter[str]()
    for at in workflow.steps:
        number = _read_major(at, workflow)
        if not at.step.uses.startswith(_UPLOAD_ARTIFACT) or (number and number < _NEW):
            continue
        name = _name(at)
        if at.step.inputs.get("overwrite") == "true" or "${{" in name:
            continue
        if at.job.job.has_matrix:
            yield f"every job of the matrix of {at.job.where} uploads the artifact {name}"
        elif not at.is_conditional:
            counted[name] += 1
    yield from (f"{times} steps upload the artifact {name}" for name, times in counted.items() if times > 1)


def find_artifact_generations(workflow: ReleaseWorkflow) -> Iterator[str]:
    """Yield downloads that look for an artifact where no upload of this workflow puts it.

    From version 4 on, the actions keep artifacts elsewhere than before: each finds only its own generation's.
    Source: https://github.com/actions/download-artifact#breaking-changes
    """
    steps = [(at, _read_major(at, workflow)) for at in workflow.steps]
    uploads = [(_name(at), number) for at, number in steps if at.step.uses.startswith(_UPLOAD_ARTIFACT)]
    for at, number in steps:
        if not at.step.uses.startswith(_DOWNLOAD_ARTIFACT) or not number or "run-id" in at.step.inputs:
            continue
        name = at.step.inputs.get("name", "")
        # A name with an expression may be this one, and an upload of an unknown version may be of this generation.
        own = [each for named, each in uploads if named == name or "${{" in named]
        if any(named == name for named, _ in uploads) and all(
            each and (each < _NEW) != (number < _NEW) for each in own
        ):
            yield f"{at.where} downloads the artifact {name} by version {number}, uploaded by version {own[0]}"


def read_action_version(uses: str, text: str) -> tuple[int, int] | None:
    """Return an action's version by its tag, or by the comment behind its commit; None if neither says.

    A tag such as `v4` is the newest of that number.
    """
    found = re.search(r"@v(\d{1,3})(?:\.(\d{1,3}))?(?:\.|$)", uses)
    if found is None and uses:
        found = re.search(rf"{re.escape(uses)}['\"]?[ \t]+#[ \t]*v?(\d{{1,3}})(?:\.(\d{{1,3}})|\s)", f"{text}\n")
    return (int(found[1]), int(found[2] or _NEWEST)) if found else None


def _name(at: LocatedStep) -> str:
    """The name of the artifact that a step uploads."""
    return at.step.inputs.get("name", "artifact")


def _read_major(at: LocatedStep, workflow: ReleaseWorkflow) -> int | None:
    version = read_action_version(at.step.uses, workflow.texts.get(at.job.file, ""))
    return version[0] if version else None


def find_lost_artifacts(workflow: ReleaseWorkflow) -> Iterator[str]:
    """Yield downloads of jobs that publish which find nothing, or leave nothing where the upload looks."""
    made = {_name(at) for at in workflow.steps if at.step.uses.startswith((_UPLOAD_ARTIFACT, _MERGE_ARTIFACT))}
    # One upload per job of a matrix, of which the download names the common part.
    parts = {name.partition("${{")[0].rstrip("-_") for name in made if "${{" in name}
    for placed in list_upload_jobs(find_uploads_of(workflow)):
        for number, step in enumerate(placed.job.steps):
            if not step.uses.startswith(_DOWNLOAD_ARTIFACT) or {"run-id", "artifact-ids"} & step.inputs.keys():
                continue
            name, at = step.inputs.get("name", ""), LocatedStep(placed, step, is_conditional=False)
            if name and name in parts - made and not step.condition and not step.may_fail:
                yield f"{at.where} downloads the artifact {name}, and the uploads have longer names"
            elif not name and step.inputs.get("merge-multiple") != "true" and (_read_major(at, workflow) or 0) >= _NEW:
                folder = posixpath.normpath(step.inputs.get("path", "."))
                if _publishes_from(placed.job.steps[number + 1 :], folder):
                    yield f"{at.where} puts each artifact into a folder of its own in {folder}/"


def _publishes_from(steps: Sequence[JobStep], folder: str) -> bool:
    """Whether the publish action takes the files of a folder as the steps before it left them."""
    for step in steps:
        if step.uses.lower().startswith(_CONTAINER):
            return posixpath.normpath(step.inputs.get("packages-dir", "dist")) == folder
        if not step.uses.lower().startswith(_HARMLESS):
            return False
    return False
