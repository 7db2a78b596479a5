"""The timeline of a release: what happened and when, as far as observed (pure).

A time is shown only if a service or git recorded it. Something that exists without a time is an event without a
time; a failed look-up is a gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import AwareDatetime

from release_state.facts.logs.attribution import attribute_run
from release_state.facts.release import Release
from release_state.model.observation import Model, Observation
from release_state.model.outcome import Phase
from release_state.model.snapshot import ExplainedRun, PullRequest, WorkflowRun

Kind = Literal[
    "commit", "branch", "tag", "upload", "release", "draft", "pull-opened", "pull-merged", "pull-closed", "run"
]
State = Literal["done", "failed", "running", "withdrawn"]

_ORDER: tuple[Kind, ...] = (
    "commit", "branch", "run", "upload", "tag", "pull-opened", "draft", "release", "pull-merged", "pull-closed",
)  # fmt: skip


class Event(Model):
    """One thing that happened."""

    kind: Kind
    at: AwareDatetime | None
    """UTC; None if nothing recorded it."""
    until: AwareDatetime | None = None
    """The end of a finished run."""
    title: str
    """A few words: "orbit-0.2.0.tar.gz uploaded". May hold remote text: escape it where it is shown."""
    detail: str = ""
    """Its result, or what `at` refers to if unclear: "in step Publish of job release"."""
    state: State = "done"
    link: str | None = None


class Timeline(Model):
    """The events: those with a time, oldest first, then those without."""

    events: tuple[Event, ...] = ()
    gaps: tuple[str, ...] = ()
    """Failed look-ups, whose events may be missing: "release runs: answered 503"."""


def build_timeline(release: Release) -> Timeline:
    """The known events of a release."""
    found = [*_refs(release), *_uploads(release), *_on_github(release)]
    found += _runs(release, found)
    return Timeline(events=tuple(sorted(found, key=_place)), gaps=tuple(_gaps(release)))


def _place(event: Event) -> tuple[bool, float, int, str]:
    moment = event.at.timestamp() if event.at else 0.0
    return event.at is None, moment, _ORDER.index(event.kind), event.title


def _refs(release: Release) -> Iterator[Event]:
    remote, history = release.snapshot.remote.value, release.snapshot.history.value
    if remote is None:
        return
    commits = {commit.sha: commit for commit in history.commits} if history else {}
    marks: dict[str, str] = {}
    if release.snapshot.phase == Phase.PRE_RELEASE:  # later on its head has nothing to do with this release
        for base in remote.branches:
            if base.name == (release.target.base_branch or remote.default_branch):
                marks[base.sha] = f"the head of {base.name}"
    if branch := release.branch:
        for lineage in history.lineages if history else ():
            if lineage.sha == branch.sha:
                commits |= {commit.sha: commit for commit in lineage.unmerged}
                marks |= {commit.sha: f"on {branch.name} only" for commit in lineage.unmerged}
        # Git does not record when a branch was made: not before its head was committed, if that is its first commit.
        head = commits.get(branch.sha)
        yield Event(
            kind="branch",
            at=head.committed_at if head else None,
            title=f"branch {branch.name} at {branch.sha[:12]}",
            detail="the time is that of its head" if head else "",
        )
    for tag in release.version_tags:
        if tag.commit in commits:
            marks[tag.commit] = f"tagged {tag.name}"
        made = history.tag_dates.get(tag.object) if history else None
        yield Event(kind="tag", at=made, title=f"tag {tag.name} at {tag.commit[:12]}")
    for sha, mark in marks.items():
        if commit := commits.get(sha):
            title = f"{sha[:12]} {commit.subject}"
            yield Event(kind="commit", at=commit.committed_at, title=title, detail=mark)


def _uploads(release: Release) -> Iterator[Event]:
    observed = release.snapshot.index.get(release.channel.name)
    for file in observed.value.files if observed and observed.value else ():
        reason = f": {file.yanked_reason}" if file.yanked_reason else ""
        yield Event(
            kind="upload",
            at=file.uploaded_at,
            title=f"{file.filename} uploaded",
            detail=f"yanked since then{reason}" if file.yanked else "",
            state="withdrawn" if file.yanked else "done",
        )


def _on_github(release: Release) -> Iterator[Event]:
    snapshot = release.snapshot
    if found := snapshot.release.value:
        yield Event(
            kind="release", at=found.published_at, title=f"GitHub Release {found.tag} published", link=found.html_url
        )
    for draft in snapshot.drafts.value or ():
        yield Event(
            kind="draft", at=draft.created_at, title=f"draft of a GitHub Release for {draft.tag}", link=draft.html_url
        )
    for pull in snapshot.pulls.value or ():
        yield from _pull(pull)


def _pull(pull: PullRequest) -> Iterator[Event]:
    name = f"pull request #{pull.number}"
    yield Event(kind="pull-opened", at=pull.created_at, title=f"{name} opened", detail=pull.title, link=pull.html_url)
    if pull.merged:
        yield Event(
            kind="pull-merged", at=pull.merged_at, title=f"{name} merged into {pull.base_branch}", link=pull.html_url
        )
    elif not pull.is_open:
        yield Event(
            kind="pull-closed",
            at=pull.closed_at,
            title=f"{name} closed without a merge",
            state="withdrawn",
            link=pull.html_url,
        )


def _runs(release: Release, others: list[Event]) -> list[Event]:
    """The release runs of this version: by their own words, or because a file was uploaded during one."""
    observed, last = release.snapshot.runs.value, release.snapshot.last_run.value
    runs = observed.runs if observed else ()
    chosen = {last.run.id: last.run} if last else {}
    uploads = [event.at for event in others if event.kind == "upload" and event.at]
    for run in runs:
        said = attribute_run(run, runs, release.target)
        end = run.updated_at if run.is_finished else None
        during = any(run.created_at <= moment and (end is None or moment <= end) for moment in uploads)
        if said.is_ours or (not said.is_other and (during or not run.is_finished)):
            chosen.setdefault(run.id, run)
    return [_run(run, last if last and last.run.id == run.id else None) for run in chosen.values()]


def _run(run: WorkflowRun, explained: ExplainedRun | None) -> Event:
    if not run.is_finished:
        words, state = f"is {run.status.replace('_', ' ')}", "running"
    elif run.conclusion == "success":
        words, state = "succeeded", "done"
    else:
        words, state = (run.conclusion or "ended without a conclusion").replace("failure", "failed"), "failed"
    detail = ""
    if explained and state == "failed":
        step = f"in step {explained.step}" if explained.step else ""
        job = f"{' of' if step else 'in'} job {explained.job}" if explained.job else ""
        detail = f"{step}{job}"
    return Event.model_validate(
        {
            "kind": "run",
            "at": run.started_at or run.created_at,
            "until": run.updated_at if run.is_finished else None,
            "title": f"release run #{run.number} {words}",
            "detail": detail,
            "state": state,
            "link": run.html_url,
        }
    )


def _gaps(release: Release) -> Iterator[str]:
    snapshot = release.snapshot
    asked: tuple[tuple[str, Observation[Any] | None], ...] = (
        ("branch and tag", snapshot.remote),
        ("uploads", snapshot.index.get(release.channel.name)),
        ("pull requests", snapshot.pulls),
        ("GitHub Release", snapshot.release),
        ("release runs", snapshot.runs),
    )
    for name, observed in asked:
        if observed is None:
            yield f"{name}: not asked for"
        elif observed.unavailable:
            yield f"{name}: {observed.unavailable.why}"
