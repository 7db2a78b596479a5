"""States in which a release run is at work: what it will still make is in progress, and the rest is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec import structs

from release_state.model.observation import known
from release_state.model.outcome import Outcome
from release_state.model.process import Process, Publisher, Start
from release_state.model.snapshot import Snapshot, WorkflowRun
from tests.support import states as s

ACTION, PROGRESS = Outcome.ACTION_NEEDED, Outcome.IN_PROGRESS
RUNNING = s.run("in_progress")
STUCK = s.run("in_progress", created_at=s.NOW - timedelta(days=1))
BY_TAG = Publisher(
    workflow="release.yml",
    job="publish",
    job_name="publish",
    how="pypa/gh-action-pypi-publish",
    starts=(Start(kind="tag", filters=("v*",)),),
)
OF_TAG: dict[str, Any] = {"event": "push", "head_branch": "v0.2.0", "head_sha": s.HEAD, "workflow": "release.yml"}
MISSING: dict[str, dict[str, Any]] = {
    "INDEX-11": {"index": {"pypi": s.project()}},
    "INDEX-12": {"index": {"pypi": s.project(s.file("sdist"))}},
    "TAG-11": {"remote": s.remote()},
    "RELEASE-11": {"release": known(None)},
    "PULL-11": {"remote": s.remote(), "pulls": known(())},
}


def without(check: str, *runs: WorkflowRun, **changes: Any) -> Snapshot:
    """The released state without what a check looks for, and with these runs."""
    return s.released(**MISSING[check], runs=s.runs(*runs), **changes)


def by_tag(check: str, *makes: Any, **run: Any) -> Snapshot:
    """The same of a project whose tags start a workflow that makes this much, while such a run is at work."""
    process = Process(publishers=(structs.replace(BY_TAG, makes=makes),))
    return without(check, s.run("in_progress", **OF_TAG | run), target=s.target(process=process))


BY_RELEASE = structs.replace(BY_TAG, starts=(Start(kind="release", filters=("published",)),))
OF_RELEASE = without(
    "INDEX-11",
    s.run("in_progress", **OF_TAG | {"event": "release"}),
    target=s.target(process=Process(publishers=(BY_RELEASE,))),
)
ON_TESTPYPI = s.target(channel=s.TESTPYPI)
LEFT = s.remote(s.branch(ON_TESTPYPI.release_branch))

CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    *((check, "a run at work", without(check, RUNNING), PROGRESS) for check in MISSING),
    *((check, "a run that waits", without(check, s.run("waiting")), PROGRESS) for check in MISSING),
    *((check, "a stuck run", without(check, STUCK), ACTION) for check in MISSING if check != "PULL-11"),
    *((check, "runs unknown", structs.replace(without(check), runs=s.failed()), ACTION) for check in ("TAG-11",)),
    ("INDEX-11", "the run of its tag", by_tag("INDEX-11"), PROGRESS),
    ("INDEX-11", "the run of its GitHub Release", OF_RELEASE, PROGRESS),
    ("INDEX-11", "the run of another tag", by_tag("INDEX-11", head_branch="v0.3.0", head_sha=s.OTHER), ACTION),
    ("RELEASE-11", "a run that makes it", by_tag("RELEASE-11", "release"), PROGRESS),
    ("RELEASE-11", "a run that makes its draft", by_tag("RELEASE-11", "draft"), PROGRESS),
    ("RELEASE-11", "a run that does not make it", by_tag("RELEASE-11", "tag"), ACTION),
    ("TAG-11", "a run that does not make it", by_tag("TAG-11"), ACTION),
    (
        "BRANCH-12",
        "a run at work",
        s.released_on_testpypi(remote=LEFT, runs=s.runs(RUNNING)),
        PROGRESS,
    ),
]
