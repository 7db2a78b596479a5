"""The jobs that upload to the channel's index, with what starts them and what they make (pure).

What the configuration says of a start, or of what a run makes, replaces what the workflow files say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from release_state.common.text import sanitize
from release_state.facts.workflow.calls import ReleaseWorkflow
from release_state.facts.workflow.document import FOLDER
from release_state.facts.workflow.making import builds_platform_wheels, find_made, find_tag_jobs
from release_state.facts.workflow.publishing import Evidence, Upload, choose_surest, find_uploads
from release_state.facts.workflow.starts import find_starts, starts_only_uploads
from release_state.facts.workflow.triggers import is_taken
from release_state.model.process import Made, Publisher, Start
from release_state.model.snapshot import WorkflowFiles
from release_state.model.target import Target

CONFIGURED = "as configured"
"""What a publisher runs that only the configuration knows."""
OVERRULES = ("started-by", "makes")
"""The settings that replace what is found out about a publisher."""
_LONGEST_LINE = 300
_DOUBTS = {
    Evidence.KNOWN: "",
    Evidence.CREDENTIALS: ", by its credentials of an index",
    Evidence.NAME: ", by its name",
}


def find_publishers(target: Target, files: WorkflowFiles) -> tuple[Publisher, ...]:
    """Return the jobs that upload to the channel's index; of the configured workflow, if there is one."""
    base = target.base_branch or files.branch
    uploads = [upload for upload in find_uploads(files.texts) if upload.may_be_to(target.channel.name)]
    # A command would take such a file for an option.
    uploads = [upload for upload in uploads if not upload.workflow.startswith(f"{FOLDER}/-")]
    if "workflow" in target.given:
        path = f"{FOLDER}/{target.workflow}"
        uploads = [upload for upload in uploads if upload.workflow == path]
        if not uploads and path in files.texts and not set(target.given).isdisjoint(OVERRULES):
            return (_make_configured(target, ReleaseWorkflow(path, files.texts), base),)
    return _choose([_publisher(upload, files.texts, target, base) for upload in choose_surest(uploads)], target)


def _publisher(upload: Upload, texts: Mapping[str, str], target: Target, base: str) -> Publisher:
    text = texts.get(upload.workflow, "")
    starts = overrule_starts(target, find_starts(upload, text, target.repository, base))
    workflow = ReleaseWorkflow(upload.workflow, texts)
    made, tag_jobs = _overrule_made(target, workflow)
    named = upload.job.job.environment
    # GitHub is asked by this name: another spelling of it would be another environment.
    found = named if "${{" not in named and named == sanitize(named, _LONGEST_LINE) else None
    return Publisher(
        workflow=upload.workflow.removeprefix(f"{FOLDER}/"),
        job=sanitize(upload.job.where, _LONGEST_LINE),
        job_name=sanitize(upload.job.listed_name, _LONGEST_LINE),
        how=sanitize(f"{upload.how}{_DOUBTS[upload.evidence]}", _LONGEST_LINE),
        is_guess=upload.evidence is not Evidence.KNOWN,
        environment=found if target.channel.environment is None else target.channel.environment,
        starts=starts,
        only_releases=starts_only_uploads(starts, text, base),
        makes=made,
        tag_jobs=tag_jobs,
        skips_existing=upload.skips_existing,
        platform_wheels=builds_platform_wheels(workflow),
    )


def _make_configured(target: Target, workflow: ReleaseWorkflow, base: str) -> Publisher:
    """The publisher that only the configuration knows: nobody knows which of the workflow's jobs uploads."""
    starts = overrule_starts(target, ())
    only = starts_only_uploads(starts, workflow.texts[workflow.path], base)
    made, tag_jobs = _overrule_made(target, workflow)
    return Publisher(
        workflow=target.workflow,
        job="",
        job_name="",
        how=CONFIGURED,
        environment=target.channel.environment,
        starts=starts,
        only_releases=only,
        makes=made,
        tag_jobs=tag_jobs,
        platform_wheels=builds_platform_wheels(workflow),
    )


def _overrule_made(target: Target, workflow: ReleaseWorkflow) -> tuple[tuple[Made, ...], tuple[str, ...]]:
    """What a workflow makes, and the jobs that push a tag: as configured, else as its file says."""
    made = target.makes if "makes" in target.given else find_made(workflow)
    names = find_tag_jobs(workflow) if "makes" not in target.given or "tag" in made else ()
    return made, tuple(sanitize(name, _LONGEST_LINE) for name in names)


def overrule_starts(target: Target, found: Sequence[Start]) -> tuple[Start, ...]:
    """Return the configured starts, with the patterns that the workflow file has for them; else those found."""
    if "started-by" not in target.given:
        return tuple(found)
    known = {kind: [start.filters for start in found if start.kind == kind] or [()] for kind in target.started_by}
    return tuple(Start(kind=kind, filters=filters) for kind, every in known.items() for filters in every)


def _choose(publishers: Sequence[Publisher], target: Target) -> tuple[Publisher, ...]:
    """The publishers of this package: in a monorepo, those whose tag patterns take its tags."""
    by_tag = [each for each in publishers if each.starts and all(start.kind == "tag" for start in each.starts)]
    others = [each for each in by_tag if not takes_tag(each, target.tag)]
    ours = [each for each in publishers if each not in others]
    return tuple(dict.fromkeys(ours or publishers))


def takes_tag(publisher: Publisher, tag: str) -> bool:
    """Return whether pushing a tag starts the upload."""
    tags = [start.filters for start in publisher.starts if start.kind == "tag"]
    return any(not patterns or is_taken(patterns, tag) for patterns in tags)


def find_started(target: Target, by: Literal["tag", "release"]) -> Publisher | None:
    """Return the publisher that pushing the version's tag, or publishing its GitHub Release, starts."""
    for publisher in target.process.publishers:
        by_release = any(start.kind == "release" for start in publisher.starts)
        if takes_tag(publisher, target.tag) if by == "tag" else by_release:
            return publisher
    return None


def describe_environment(publisher: Publisher) -> str:
    """Return the environment of the job that uploads, as a clause; empty without one, or where it is not known."""
    return f", environment {publisher.environment}" if publisher.environment else ""


def describe_starts(publisher: Publisher) -> str:
    """Return what starts the upload, in words."""
    words = {
        "tag": "a pushed tag",
        "release": "a GitHub Release",
        "dispatch": "hand",
        "branch": "a push to a branch",
        "pull-request": "a merged pull request",
        "schedule": "a schedule",
        "workflow": "another workflow",
    }
    named = [words[s.kind] + (f" ({', '.join(s.filters)})" if s.filters else "") for s in publisher.starts]
    return ", ".join(dict.fromkeys(named)) or "what is not known"
