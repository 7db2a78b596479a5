"""The jobs that upload to the channel's index, with what starts them and what they make (pure).

What the configuration says of a start, or of what a run makes, replaces what the workflow files say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import structs
from packaging.utils import canonicalize_name

from release_state.common.text import sanitize
from release_state.facts.workflow.calls import ReleaseWorkflow
from release_state.facts.workflow.document import FOLDER
from release_state.facts.workflow.making import builds_platform_wheels, find_made, find_tag_jobs, list_makers
from release_state.facts.workflow.publishing import Evidence, Upload, choose_surest, find_uploads
from release_state.facts.workflow.starts import find_starts, starts_only_uploads
from release_state.facts.workflow.triggers import is_taken
from release_state.model.process import Publisher, Start
from release_state.model.snapshot import Remote, WorkflowFiles, WorkflowRun
from release_state.model.target import Target

CONFIGURED = "as configured"
"""What a publisher runs that only the configuration knows."""
OVERRULES = ("started-by", "makes")
"""The settings that replace what is found out about a publisher."""
_PART = re.compile(r"package|project|component|library|module", re.IGNORECASE)
"""How an input is named that chooses one of several packages."""
_UNFINISHED = ("in_progress", "queued", "waiting", "pending", "requested")
_LONGEST_LINE = 300
_DOUBTS = {Evidence.KNOWN: "", Evidence.CREDENTIALS: ", by its credentials of an index", Evidence.NAME: ", by its name"}


def find_publishers(target: Target, files: WorkflowFiles) -> tuple[Publisher, ...]:
    """Return the jobs that upload to the channel's index; of the configured workflow, if there is one."""
    base = target.base_branch or files.branch
    uploads = [upload for upload in find_uploads(files.texts) if upload.may_be_to(target.channel.name)]
    own = canonicalize_name(target.package)
    uploads = [upload for upload in uploads if not upload.packages or own in upload.packages] or uploads
    uploads = [upload for upload in uploads if not _is_for_another(upload, target, files.texts, base)] or uploads
    # A command would take such a file for an option.
    uploads = [upload for upload in uploads if not upload.workflow.startswith(f"{FOLDER}/-")]
    if "workflow" in target.given:
        path = f"{FOLDER}/{target.workflow}"
        uploads = [upload for upload in uploads if upload.workflow == path]
        says_more = target.process_word.started_by or not set(target.given).isdisjoint(OVERRULES)
        if not uploads and path in files.texts and says_more:
            return (_make_publisher(target, ReleaseWorkflow(path, files.texts), base),)
    surest = [(upload, ReleaseWorkflow(upload.workflow, files.texts)) for upload in choose_surest(uploads)]
    surest = [each for each in surest if not _offers_only_others(each[1], own)] or surest
    return _choose([_make_publisher(target, workflow, base, upload) for upload, workflow in surest], target)


def _is_for_another(upload: Upload, target: Target, texts: Mapping[str, str], base: str) -> bool:
    """Whether only other tags and their GitHub Releases start an upload: in a monorepo, those of another package."""
    given = upload, texts.get(upload.workflow, ""), target.repository, base, target.tag
    return bool(find_starts(*given)) and not find_starts(*given, alone=True)


def _offers_only_others(workflow: ReleaseWorkflow, own: str) -> bool:
    """Whether a workflow that a person starts asks for a package, and offers others alone."""
    if set(workflow.file.triggers) != {"workflow_dispatch"}:
        return False
    offers = [each.options for each in workflow.file.inputs if len(each.options) > 1 and _PART.search(each.name)]
    # An option may be the last part of a name.
    return any(not any(canonicalize_name(option) in own for option in each) for each in offers)


def add_publishers_at_tag(target: Target, files: WorkflowFiles, known: Sequence[Publisher]) -> tuple[Publisher, ...]:
    """Return these publishers of the base branch, and those that the files at the version's tag have otherwise, or too.

    A run of the tag is of the files there, whatever the base branch has by now.
    """
    if files.at_tag is None:
        return tuple(known)
    found = find_publishers(target, structs.replace(files, files=files.at_tag))
    here, there = ({(each.workflow, each.starts) for each in every} for every in (known, found))
    # A guess counts where nothing better is found.
    sure = [each for each in found if not (known and each.is_guess)]
    names = {file.path.removeprefix(f"{FOLDER}/") for file in files.at_tag}

    def is_there(each: Publisher) -> bool:
        # Where no upload is seen at the tag, its file of that name tells nothing, and the base branch's more than that.
        is_doubtful = not sure and each.workflow in names
        return (each.workflow, each.starts) in there or is_doubtful or bool(files.unread)

    old = [structs.replace(each, is_at_tag=is_there(each)) for each in known]
    return (*old, *(each for each in sure if (each.workflow, each.starts) not in here))


def add_word(target: Target, publishers: Sequence[Publisher]) -> tuple[Publisher, ...]:
    """Return the publishers; where nothing is seen to start any of them, what the word for the process says starts all.

    Every run of their workflows counts then: which of them only test is not known either.
    """
    starts = tuple(Start(kind=kind, is_of_word=True) for kind in target.process_word.started_by)
    if not starts or any(each.starts for each in publishers):
        return tuple(publishers)
    return tuple(structs.replace(each, starts=starts, only_releases=True) for each in publishers)


def _make_publisher(target: Target, workflow: ReleaseWorkflow, base: str, upload: Upload | None = None) -> Publisher:
    """The publisher of an upload; without one, that which the configuration knows: nobody knows which job uploads."""
    text = workflow.texts.get(workflow.path, "")
    seen = find_starts(upload, text, target.repository, base, target.tag) if upload else ()
    starts = overrule_starts(target, seen)
    made = target.makes if "makes" in target.given else find_made(workflow, base)
    tag_jobs = find_tag_jobs(workflow) if "makes" not in target.given or "tag" in made else ()
    configured = Publisher(
        workflow=workflow.path.removeprefix(f"{FOLDER}/"),
        job="",
        job_name="",
        how=CONFIGURED,
        environment=target.channel.environment,
        starts=starts,
        only_releases=starts_only_uploads(starts, text, base),
        makes=made,
        tag_jobs=tuple(sanitize(name, _LONGEST_LINE) for name in tag_jobs),
        platform_wheels=builds_platform_wheels(workflow),
    )
    if upload is None:
        return configured
    named = upload.job.job.environment
    # GitHub is asked by this name: another spelling of it would be another environment.
    found = named if "${{" not in named and named == sanitize(named, _LONGEST_LINE) else None
    return structs.replace(
        configured,
        job=sanitize(upload.job.where, _LONGEST_LINE),
        job_name=sanitize(upload.job.listed_name, _LONGEST_LINE),
        how=sanitize(f"{upload.how}{_DOUBTS[upload.evidence]}", _LONGEST_LINE),
        is_guess=upload.evidence is not Evidence.KNOWN,
        environment=found if target.channel.environment is None else target.channel.environment,
        skips_existing=upload.skips_existing,
    )


def overrule_starts(target: Target, found: Sequence[Start]) -> tuple[Start, ...]:
    """Return the configured starts, with the patterns that the workflow file has for them; else those found."""
    if "started-by" not in target.given:
        return tuple(found)
    known = {kind: [start.filters for start in found if start.kind == kind] or [()] for kind in target.started_by}
    return tuple(Start(kind=kind, filters=filters) for kind, every in known.items() for filters in every)


def _choose(publishers: Sequence[Publisher], target: Target) -> tuple[Publisher, ...]:
    """The publishers of this package: in a monorepo, those whose tag patterns take its tags."""
    of_releases = [each for each in publishers if not _is_nightly(each)]
    if not target.parsed_version.is_prerelease and not all(each.is_guess for each in of_releases):
        publishers = of_releases
    by_tag = [each for each in publishers if each.starts and all(start.kind == "tag" for start in each.starts)]
    others = [each for each in by_tag if not takes_tag(each, target.tag)]
    # Beside one that something starts, a guess is left over, and another job of its workflow is of another package.
    reached = {each.workflow for each in publishers if each.starts}
    idle = [each for each in publishers if reached and not each.starts]
    others += [each for each in idle if each.is_guess or each.workflow in reached]
    ours = [each for each in publishers if each not in others]
    return tuple(dict.fromkeys(ours or publishers))


def _is_nightly(publisher: Publisher) -> bool:
    """Whether a publisher is of nightly versions for certain: a schedule alone starts it, and it makes no tag."""
    return {start.kind for start in publisher.starts} == {"schedule"} and not publisher.makes


def takes_tag(publisher: Publisher, tag: str) -> bool:
    """Return whether pushing a tag starts the upload."""
    tags = [start.filters for start in publisher.starts if start.kind == "tag"]
    return any(not patterns or is_taken(patterns, tag) for patterns in tags)


def takes_release(publisher: Publisher, target: Target) -> bool:
    """Return whether publishing the version's GitHub Release starts the upload, by the types that it waits for."""
    silent = {"released"} if target.parsed_version.is_prerelease else {"prereleased"}
    types = [set(start.filters) for start in publisher.starts if start.kind == "release"]
    return any(not each or each - silent for each in types)


def find_started(target: Target, by: Literal["tag", "release"], *, tags_anew: bool = False) -> Publisher | None:
    """Return the publisher that pushing the version's tag, or publishing its GitHub Release, starts.

    It is one of the tag's own files, unless the tag is made anew, on another commit.
    """
    for publisher in target.process.publishers:
        if not (publisher.is_at_tag or tags_anew):
            continue
        if takes_tag(publisher, target.tag) if by == "tag" else takes_release(publisher, target):
            return publisher
    return None


def describe_publisher(publisher: Publisher) -> str:
    """Return the workflow, the job, what it runs, in which environment, and what starts it."""
    environment = f", environment {publisher.environment}" if publisher.environment else ""
    runs = f"{publisher.job or 'a job'} runs {publisher.how}{environment}"
    return f"{publisher.workflow}, {runs}; started by {describe_starts(publisher)}"


def describe_makers(publishers: Sequence[Publisher], files: WorkflowFiles, base: str) -> tuple[str, ...]:
    """Return what the workflows of these jobs make besides the upload, a line for each step that makes something."""
    names = dict.fromkeys(publisher.workflow for publisher in publishers)
    workflows = {name: ReleaseWorkflow(f"{FOLDER}/{name}", files.texts) for name in names}
    makers = ((name, maker) for name, each in workflows.items() for maker in list_makers(each, base))
    return tuple(f"{', '.join(made)}, by {name}, {at.where}" for name, (at, made) in makers)


def list_run_filters(target: Target, workflow: str, base: str) -> tuple[dict[str, str], ...]:
    """Return GitHub's filters for the runs of a workflow that can be release runs of the version; one empty: all.

    Of a workflow that also tests, the finished runs of other versions are not read; the unfinished ones of all are.
    """
    publishers = [each for each in target.process.publishers if each.workflow == workflow]
    starts = [start for each in publishers for start in each.starts]
    if not starts or all(each.only_releases for each in publishers):
        return ({},)
    events = {"dispatch": "workflow_dispatch", "workflow": "workflow_run", "pull-request": "pull_request"}
    found: dict[str, dict[str, str]] = {}
    for start in starts:
        if start.kind in ("tag", "branch"):
            found[start.kind] = {"event": "push", "branch": target.tag if start.kind == "tag" else base}
        else:
            found[start.kind] = {"event": events.get(start.kind, start.kind)}
    return (*found.values(), *({"status": status} for status in _UNFINISHED))


def is_release_run(run: WorkflowRun, target: Target, remote: Remote | None) -> bool:
    """Return whether a run of a workflow that publishes can be a release run: not one that only tests."""
    publishers = [each for each in target.process.publishers if each.workflow == run.workflow]
    kinds = {start.kind for each in publishers for start in each.starts}
    if not kinds or all(each.only_releases for each in publishers):
        return True
    if run.event == "push":
        name = run.head_branch or ""
        is_branch = remote is not None and remote.branch(name) is not None
        # A branch and a tag may share a name, and a run does not say which of them was pushed.
        is_tag = not is_branch or (remote is not None and remote.tag(name) is not None)
        return ("branch" in kinds and is_branch) or ("tag" in kinds and is_tag)
    named = {"workflow_dispatch": "dispatch", "repository_dispatch": "dispatch", "workflow_run": "workflow"}
    kind = "pull-request" if run.event.startswith("pull_request") else named.get(run.event, run.event)
    return kind in kinds or kind not in ("release", "dispatch", "schedule", "workflow", "pull-request")


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
    of_word = ", as the setting process says" * any(start.is_of_word for start in publisher.starts)
    return (", ".join(dict.fromkeys(named)) or "what is not known") + of_word
