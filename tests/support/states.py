"""Snapshots written down by hand: the state of a release in a line, for tests of what is pure."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

from msgspec import structs

from release_state.model.observation import Observation, Problem, known, unavailable
from release_state.model.snapshot import (
    Branch,
    Candidate,
    CICheck,
    Clone,
    CommitChecks,
    Contents,
    ExpectedCI,
    ExplainedRun,
    GitHubRelease,
    History,
    IndexFile,
    IndexProject,
    IndexRelease,
    Installation,
    Lineage,
    Opened,
    Published,
    PullRequest,
    Push,
    PushedWorkflow,
    Remote,
    Repository,
    Snapshot,
    Tag,
    WorkflowRun,
    WorkflowRuns,
)
from release_state.model.target import Channel, Target
from tests.support.facts import WORKFLOW as WORKFLOW
from tests.support.facts import base_rules as base_rules
from tests.support.facts import build
from tests.support.facts import rule as rule
from tests.support.facts import ruleset as ruleset
from tests.support.facts import settings as settings

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc)
BASE = "b" * 40
HEAD = "a" * 40
OTHER = "c" * 40
TAG_OBJECT = "d" * 40
WEB = "https://github.example/octo/orbit"

PYPI = Channel(name="pypi", index_url="https://index.example/simple/", leaves=("tag", "release", "pull-request"))
TESTPYPI = Channel(name="testpypi", index_url="https://test.index.example/simple/")


def target(**changes: Any) -> Target:
    """Version 0.2.0 of `orbit`, on pypi unless said otherwise."""
    values: dict[str, Any] = {
        "package": "orbit",
        "repository": "octo/orbit",
        "version": "0.2.0",
        "channel": PYPI,
        "channels": (PYPI, TESTPYPI),
        "remote_url": "https://github.example/octo/orbit.git",
        "clone": "/home/me/orbit",
        "github_api": "https://api.github.example",
        "github_web": "https://github.example",
        **changes,
    }
    return build(Target, **values)


def remote(*refs: Branch | Tag, base: str = BASE) -> Observation[Remote]:
    """The remote with main and these refs."""
    branches = [Branch(name="main", sha=base), *(ref for ref in refs if isinstance(ref, Branch))]
    tags = [ref for ref in refs if isinstance(ref, Tag)]
    url = "https://github.example/octo/orbit.git"
    return known(Remote(url=url, default_branch="main", branches=tuple(branches), tags=tuple(tags)))


def tag(name: str = "v0.2.0", commit: str = HEAD, *, annotated: bool = True) -> Tag:
    """A tag; the object of an annotated one is not its commit."""
    return Tag(name=name, object=TAG_OBJECT if annotated else commit, commit=commit, annotated=annotated)


def branch(name: str = "release/pypi-v0.2.0", sha: str = HEAD) -> Branch:
    """A release branch."""
    return Branch(name=name, sha=sha)


def clone(**changes: Any) -> Observation[Clone]:
    """A clean clone on main, level with the remote."""
    values: dict[str, Any] = {"path": "/home/me/orbit", "branch": "main", "head": BASE, **changes}
    return known(build(Clone, **values))


def lineage(sha: str = HEAD, **changes: Any) -> Lineage:
    """A commit one ahead of main that declares the version."""
    values: dict[str, Any] = {"on_base": False, "ahead": 1, "behind": 0, "declared_version": "0.2.0", **changes}
    return build(Lineage, sha=sha, **values)


def history(*lineages: Lineage, ancestors: tuple[tuple[str, str], ...] = ()) -> Observation[History]:
    """The commits that were looked at, main's head among them, which declares the version."""
    own = () if any(each.sha == BASE for each in lineages) else (lineage(BASE, on_base=True, ahead=0),)
    return known(History(base_head=BASE, lineages=(*lineages, *own), ancestors=ancestors))


def file(kind: str = "wheel", **changes: Any) -> IndexFile:
    """A file of 0.2.0."""
    name = "orbit-0.2.0-py3-none-any.whl" if kind == "wheel" else "orbit-0.2.0.tar.gz"
    values: dict[str, Any] = {"version": "0.2.0", "kind": kind, "url": f"https://files.example/{name}", **changes}
    return build(IndexFile, filename=name, **values)


def project(*files: IndexFile, releases: dict[str, bool] | None = None, **changes: Any) -> Observation[IndexProject]:
    """The project's page: 0.1.0, these files of 0.2.0, and more releases (version: whether yanked)."""
    versions = {"0.1.0": False, **(releases or {})}
    if files:
        versions["0.2.0"] = all(file.yanked for file in files)
    listed = tuple(IndexRelease(version=v, file_count=2, yanked=yanked) for v, yanked in versions.items())
    values: dict[str, Any] = {"listed": True, "files": files, "releases": listed, **changes}
    return known(build(IndexProject, url="https://index.example/simple/orbit/", **values))


def candidate(sha: str = HEAD, *, equal: int = 8, **changes: Any) -> Candidate:
    """A commit that holds every file of the published sdist: the recorded head of the release pull request."""
    values: dict[str, Any] = {
        "ref": "refs/pull/7/head",
        "what": "the recorded head of pull request #7",
        "on_base": False,
        "declared_version": "0.2.0",
        **changes,
    }
    return build(Candidate, sha=sha, equal=equal, **values)


def published(*candidates: Candidate, **changes: Any) -> Observation[Published]:
    """What the sdist with its eight files says; candidates best first."""
    return known(
        build(Published, **{"sdist": "orbit-0.2.0.tar.gz", "compared": 8, "candidates": candidates, **changes})
    )


def pull(number: int = 7, **changes: Any) -> PullRequest:
    """The release pull request, merged."""
    values: dict[str, Any] = {
        "title": "🚀 Release v0.2.0 to PyPI",
        "state": "closed",
        "merged": True,
        "head_branch": "release/pypi-v0.2.0",
        "head_sha": HEAD,
        "head_repository": "octo/orbit",
        "base_branch": "main",
        "created_at": NOW,
        "html_url": f"{WEB}/pull/{number}",
        **changes,
    }
    return build(PullRequest, number=number, **values)


def open_pull(number: int = 7, **changes: Any) -> PullRequest:
    """The release pull request, open."""
    return pull(number, **{"state": "open", "merged": False, **changes})


def release(tag_name: str = "v0.2.0", **changes: Any) -> GitHubRelease:
    """The GitHub Release."""
    values: dict[str, Any] = {
        "id": 5,
        "name": tag_name,
        "draft": False,
        "prerelease": False,
        "immutable": False,
        "has_notes": True,
        "created_at": NOW,
        "published_at": NOW - timedelta(hours=1),
        "html_url": f"{WEB}/releases/tag/{tag_name}",
        **changes,
    }
    return build(GitHubRelease, tag=tag_name, **values)


def run(status: str = "completed", **changes: Any) -> WorkflowRun:
    """A run of the release workflow."""
    values: dict[str, Any] = {
        "id": 99,
        "number": 3,
        "title": "Release",
        "conclusion": "success" if status == "completed" else None,
        "event": "workflow_dispatch",
        "head_branch": "main",
        "head_sha": BASE,
        "created_at": NOW,
        "updated_at": NOW,
        "html_url": f"{WEB}/actions/runs/99",
        **changes,
    }
    return build(WorkflowRun, status=status, **values)


def runs(*found: WorkflowRun, exists: bool = True) -> Observation[WorkflowRuns]:
    """The release workflow's runs."""
    return known(WorkflowRuns(workflow="release.yml", exists=exists, runs=found))


FIX = "Back up what you need from the branch, delete it, and start the run again with the same inputs"


def explained(conclusion: str = "failure", **changes: Any) -> Observation[ExplainedRun]:
    """The last run of the version: one that failed on its release branch."""
    failed = {} if conclusion == "success" else {"step": "Create release branch", "scenario": "A"}
    values: dict[str, Any] = {
        "attributed_by": "log",
        "job": "release",
        "meaning": "The run could not create its release branch: the name exists." if failed else "",
        "fix": FIX if failed else "",
        "lines": ("fatal: a branch named 'release/pypi-v0.2.0' already exists",) if failed else (),
        **failed,
        **changes,
    }
    return known(build(ExplainedRun, run=run(conclusion=conclusion), **values))


def ci(*states: str, **changes: Any) -> Observation[CommitChecks]:
    """CI of main's head: one result for each state."""
    results = tuple(job(n, state) for n, state in enumerate(states))
    ran = ("ci.yml",) if states else ()
    workflows = (pushed_workflow(),) if states else ()
    values = {"sha": BASE, "results": results, "ran": ran, "expected": ExpectedCI(workflows=workflows), **changes}
    return known(build(CommitChecks, **values))


def job(number: int, state: str = "success", **changes: Any) -> CICheck:
    """A job of a run of ci.yml for a push."""
    values = {"workflow": "ci.yml", "event": "push", "app": "github-actions", "since": NOW, **changes}
    return build(CICheck, name=f"job {number}", state=state, **values)


def pushed_workflow(state: str = "starts", file: str = "ci.yml", **changes: Any) -> PushedWorkflow:
    """The workflow that a push to main starts."""
    return build(PushedWorkflow, file=file, state=state, **{"why": "starts on a push to main", **changes})


def push(minutes: float = 60, **changes: Any) -> Push:
    """The push of main's head, so many minutes ago."""
    values = {"before": OTHER, "at": NOW - timedelta(minutes=minutes), "by": "ada", "kind": "push", "asked_at": NOW}
    return build(Push, **{**values, **changes})


def repository(**changes: Any) -> Observation[Repository]:
    """The repository as an administrator's token sees it."""
    values = {"full_name": "octo/orbit", "default_branch": "main", "html_url": WEB, **changes}
    return known(build(Repository, **{"can_push": True, "can_administer": True, **values}))


def failed(source: str = "GitHub") -> Observation[Any]:
    """A look-up that failed."""
    return unavailable(source, "answered 503")


def failure(source: str = "GitHub") -> Problem:
    """Why it failed."""
    return Problem(source=source, why="answered 503")


@cache
def _nothing_of_it() -> Snapshot:
    return Snapshot(
        observed_at=NOW,
        target=target(),
        phase="pre-release",
        phase_reason="nothing of it exists",
        remote=remote(),
        clone=clone(),
        history=history(lineage(BASE, on_base=True, ahead=0)),
        index={"pypi": project(), "testpypi": project()},
        rehearsal=project(releases={"0.2.0rc1": False}),
        repository=repository(),
        pulls=known(()),
        open_pulls=known(()),
        release=known(None),
        latest_release=known(release("v0.1.0")),
        drafts=known(()),
        ci=ci("success"),
        runs=runs(run()),
        built=known(None),
        installation=known(Installation(attempted=False, detail="not tried")),
        last_run=known(None),
        rate_limit=known(None),
        workflow_files=WORKFLOW,
        rulesets=known(()),
        branch_rules=known(()),
        base_rules=base_rules(),
        actions_settings=settings(),
        environments=known(()),
        workflow_states=known(()),
        base_runs=known((run(workflow="ci.yml"),)),
    )


def ready(**changes: Any) -> Snapshot:
    """Nothing of 0.2.0 exists, and nothing stands in its way."""
    nothing = structs.asdict(_nothing_of_it())
    return build(Snapshot, **{**nothing, **changes})


def released(**changes: Any) -> Snapshot:
    """0.2.0 is released on pypi, its pull request squashed into main and its branch gone."""
    values: dict[str, Any] = {
        "phase": "post-recovery",
        "phase_reason": "it exists",
        "remote": remote(tag()),
        "clone": clone(tags=(tag(),)),
        "history": history(lineage(HEAD), ancestors=((HEAD, HEAD),)),
        "index": {"pypi": project(file(), file("sdist"))},
        "pulls": known((pull(),)),
        "release": known(release()),
        "latest_release": known(release()),
        "published": published(candidate()),
        "installation": known(Installation(attempted=True, succeeded=True, installed_version="0.2.0")),
        "opened": known(Opened()),
        "contents": known(Contents()),
        **changes,
    }
    return ready(**values)


def released_on_testpypi(**changes: Any) -> Snapshot:
    """0.2.0 is on testpypi, and its branch is gone."""
    values: dict[str, Any] = {
        "target": target(channel=TESTPYPI),
        "phase": "post-recovery",
        "phase_reason": "it exists",
        "index": {"testpypi": project(file(), file("sdist"))},
        "installation": known(Installation(attempted=True, succeeded=True, installed_version="0.2.0")),
        "opened": known(Opened()),
        "contents": known(Contents()),
        **changes,
    }
    return ready(**values)


def rolled_back(**changes: Any) -> Snapshot:
    """0.2.0 was published and withdrawn: every file is yanked, the rest is gone."""
    values: dict[str, Any] = {
        "phase": "rollback",
        "phase_reason": "withdrawn",
        "index": {"pypi": project(file(yanked=True), file("sdist", yanked=True))},
        "pulls": known((pull(merged=False),)),
        **changes,
    }
    return ready(**values)
