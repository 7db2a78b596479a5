"""The timeline of a release: what happened, and when, as far as a service or git recorded it (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal, get_args

from release_state.facts.logs.attribution import attribute_run
from release_state.facts.release import Release
from release_state.model.observation import AwareDatetime, Model, Observation
from release_state.model.outcome import Phase
from release_state.model.snapshot import WorkflowRun

Kind = Literal[
    "commit", "branch", "run", "upload", "tag", "pull-opened", "draft", "release", "pull-merged", "pull-closed"
]
"""What happened, in the order of events at the same time."""
State = Literal["done", "failed", "running", "withdrawn"]


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
    """Its result, or what `at` means: "in step Publish of job release"."""
    state: State = "done"
    link: str | None = None


class Timeline(Model):
    """The events: those with a time, oldest first, then those without."""

    events: tuple[Event, ...] = ()
    gaps: tuple[str, ...] = ()
    """Failed look-ups, whose events may be missing: "release runs: answered 503"."""


def build_timeline(release: Release) -> Timeline:
    """The known events of a release."""
    events = [*_refs(release), *_uploads(release), *_on_github(release)]
    events += _runs(release, [event.at for event in events if event.kind == "upload" and event.at])
    return Timeline(events=tuple(sorted(events, key=_place)), gaps=tuple(_gaps(release)))


def _place(event: Event) -> tuple[bool, float, int, str]:
    moment = event.at.timestamp() if event.at else 0.0
    return event.at is None, moment, get_args(Kind).index(event.kind), event.title


def _refs(release: Release) -> Iterator[Event]:
    remote, history = release.snapshot.remote.value, release.snapshot.history.value
    if remote is None:
        return
    commits = {commit.sha: commit for commit in history.commits} if history else {}
    marks: dict[str, str] = {}
    if release.snapshot.phase == Phase.PRE_RELEASE:  # later, the base's head has nothing to do with this release
        base = release.target.base_branch or remote.default_branch
        marks = {branch.sha: f"the head of {base}" for branch in remote.branches if branch.name == base}
    if branch := release.branch:
        for lineage in history.lineages if history else ():
            if lineage.sha == branch.sha:
                commits |= {commit.sha: commit for commit in lineage.unmerged}
                marks |= {commit.sha: f"on {branch.name} only" for commit in lineage.unmerged}
        # Git does not record when a branch was created. Where its head is known, that commit tells of the branch.
        if branch.sha in commits:
            marks.setdefault(branch.sha, f"the head of {branch.name}")
        else:
            yield Event(kind="branch", at=None, title=f"branch {branch.name} at {branch.sha[:12]}")
    for tag in release.version_tags:
        made = history.tag_dates.get(tag.object) if history else None
        if made is None and tag.commit in commits:  # nor when a lightweight tag was
            marks[tag.commit] = ", ".join(filter(None, (marks.get(tag.commit), f"tagged {tag.name}")))
            continue
        marks.setdefault(tag.commit, "")
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
        title = f"GitHub Release {found.tag} published"
        yield Event(kind="release", at=found.published_at, title=title, link=found.html_url)
    for draft in snapshot.drafts.value or ():
        title = f"draft of a GitHub Release for {draft.tag}"
        yield Event(kind="draft", at=draft.created_at, title=title, link=draft.html_url)
    for pull in snapshot.pulls.value or ():
        name, link = f"pull request #{pull.number}", pull.html_url
        yield Event(kind="pull-opened", at=pull.created_at, title=f"{name} opened", detail=pull.title, link=link)
        if pull.merged:
            title = f"{name} merged into {pull.base_branch}"
            yield Event(kind="pull-merged", at=pull.merged_at, title=title, link=link)
        elif not pull.is_open:
            title = f"{name} closed without a merge"
            yield Event(kind="pull-closed", at=pull.closed_at, title=title, state="withdrawn", link=link)


def _runs(release: Release, uploads: list[datetime]) -> list[Event]:
    """The release runs of this version: by their own words, or because a file was uploaded during one."""
    observed, last = release.snapshot.runs.value, release.snapshot.last_run.value
    runs = observed.runs if observed else ()
    runs_by_id = {last.run.id: last.run} if last else {}
    for run in runs:
        attribution = attribute_run(run, runs, release.target)
        end = run.updated_at if run.is_finished else None
        during = any(run.created_at <= moment and (end is None or moment <= end) for moment in uploads)
        if attribution.is_ours or (not attribution.is_other and (during or not run.is_finished)):
            runs_by_id.setdefault(run.id, run)
    return [_run(run) for run in runs_by_id.values()]


def _run(run: WorkflowRun) -> Event:
    state: State = "failed"
    words = (run.conclusion or "ended without a conclusion").replace("failure", "failed")
    if not run.is_finished:
        words, state = f"is {run.status.replace('_', ' ')}", "running"
    elif run.conclusion == "success":
        words, state = "succeeded", "done"
    return Event(
        kind="run",
        at=run.started_at or run.created_at,
        until=run.updated_at if run.is_finished else None,
        title=f"release run #{run.number} {words}",
        state=state,
        link=run.html_url,
    )


def _gaps(release: Release) -> Iterator[str]:
    snapshot = release.snapshot
    lookups: tuple[tuple[str, Observation[Any] | None], ...] = (
        ("branch and tag", snapshot.remote),
        ("uploads", snapshot.index.get(release.channel.name)),
        ("pull requests", snapshot.pulls),
        ("GitHub Release", snapshot.release),
        ("release runs", snapshot.runs),
    )
    for name, observed in lookups:
        if observed is None:
            yield f"{name}: not asked for"
        elif observed.unavailable:
            yield f"{name}: {observed.unavailable.why}"
