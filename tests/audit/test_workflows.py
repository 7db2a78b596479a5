"""The second look of an audit: which workflow publishes, whether a run of it is at work, and who makes releases."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec import structs

from release_state.audit import collect
from release_state.audit.audit import Audit
from release_state.audit.versions import AuditSnapshot
from release_state.model.observation import Observation, known
from release_state.model.outcome import Exit
from release_state.model.snapshot import WorkflowFile, WorkflowFiles, WorkflowRun, WorkflowRuns
from release_state.observe.github.github import GitHub
from release_state.observe.http.limits import TimeLeft
from release_state.settings.config import Arguments, RunConfig, load
from tests.support.histories import history, tagged, verdict_of, with_more
from tests.support.states import HEAD, failed, run, runs, target

ON_TAG = "on: {push: {tags: ['v*']}, pull_request: {}}\njobs: {up: {steps: [{run: uv publish}]}}\n"
MAKES = "on: {push: {tags: ['v*']}}\njobs: {up: {steps: [{run: uv publish}, {run: gh release create v1}]}}\n"
CI = "on: [push]\njobs: {test: {steps: [{run: pytest}]}}\n"
NO_RELEASES: dict[str, Any] = {"releases": known(()), "latest_release": known(None)}
UNASKED = failed("history")


class Asked:
    """Who was asked for what."""

    def __init__(self, *found: WorkflowRun) -> None:
        self.found, self.filters = found, dict[str, Sequence[Mapping[str, str]]]()

    def runs_of(self, filters: Mapping[str, Sequence[Mapping[str, str]]]) -> Observation[WorkflowRuns]:
        self.filters.update(filters)
        return runs(*self.found)


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    settings = {"repository": "octo/orbit", "package": "orbit"}
    return load(Arguments(audit="all", settings=settings), {}, tmp_path, lambda *_: None)


def files(**texts: str) -> Observation[WorkflowFiles]:
    found = tuple(WorkflowFile(path=f".github/workflows/{name}.yml", text=text) for name, text in texts.items())
    return known(WorkflowFiles(commit=HEAD, branch="main", files=found))


def look(
    found: AuditSnapshot,
    config: RunConfig,
    there: Observation[WorkflowFiles] | None,
    monkeypatch: pytest.MonkeyPatch,
    *at_work: WorkflowRun,
) -> tuple[AuditSnapshot, Asked]:
    """The history after the second look; None: no file may be read."""

    def read(_: object) -> Observation[WorkflowFiles]:
        assert there is not None, "nothing depends on the files"
        return there

    monkeypatch.setattr(collect, "observe_workflow_files", read)
    asked, time = Asked(*at_work), TimeLeft(10)
    found = structs.replace(found, runs=UNASKED)
    return collect.observe_workflows(found, config, cast("GitHub", asked), time, threading.Event()), asked


HALFWAY = with_more(tagged("v0.4.0"))


def test_a_whole_history_needs_no_second_look(config: RunConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    found, asked = look(history(), config, None, monkeypatch)

    assert not asked.filters and "runs" not in Audit(found).hints
    assert verdict_of(Audit(found)).exit is Exit.OK


def test_the_runs_of_the_workflow_that_publishes_are_asked_for(
    config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = run("in_progress", workflow="publish.yml", event="pull_request")
    upload = run("in_progress", workflow="publish.yml", event="push", head_branch="v0.4.0")
    there = files(publish=ON_TAG, ci=CI)

    found, asked = look(HALFWAY, config, there, monkeypatch, tests, upload)

    assert set(asked.filters) == {"publish.yml"}
    assert {"event": "push", "branch": "v0.4.0"} in asked.filters["publish.yml"]
    assert found.runs.present().runs == (upload,)
    assert verdict_of(Audit(found)).exit is Exit.IN_PROGRESS
    only_tests, _ = look(HALFWAY, config, there, monkeypatch, tests)
    assert verdict_of(Audit(only_tests)).exit is Exit.ACTION_NEEDED


@pytest.mark.parametrize("there", [files(ci=CI), failed("git")])
def test_where_no_workflow_is_known_the_runs_are_unknown(
    there: Observation[WorkflowFiles], config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, asked = look(HALFWAY, config, there, monkeypatch)
    verdict = verdict_of(Audit(found))

    assert not asked.filters and not found.runs.is_known
    assert verdict.exit is Exit.ACTION_NEEDED, "without a run that is seen at work, it is not in progress"
    assert any(result.id == "AUDIT-2" and not result.blocking for result in verdict.findings)


def test_a_configured_workflow_needs_no_file(config: RunConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    given = structs.replace(HALFWAY, target=target(version="0", clone=None, given=("workflow",)))

    assert look(given, config, None, monkeypatch)[1].filters == {"release.yml": ({},)}


@pytest.mark.parametrize(
    ("there", "made"),
    [(files(up=ON_TAG), False), (files(up=MAKES), True), (failed("git"), None), (files(ci=CI), False)],
)
def test_whether_anything_makes_github_releases(
    there: Observation[WorkflowFiles], made: bool | None, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, asked = look(history(**NO_RELEASES), config, there, monkeypatch)

    assert found.makes_releases.value is made and found.makes_releases.is_known is (made is not None)
    assert not asked.filters
    assert verdict_of(Audit(found)).exit is {False: Exit.OK, True: Exit.ACTION_NEEDED, None: Exit.UNKNOWN}[made]
