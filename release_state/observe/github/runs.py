"""Runs of workflows: of the release workflow, on a commit, and the last ones on a branch.

| fact | requests |
|---|---|
| runs of a workflow | `GET …/actions/workflows/{file}/runs`, one for each 30 of the last 70 days |
| runs on a commit | `GET …/actions/runs?head_sha={sha}`, one for each 100 |
| the last runs on a branch | `GET …/actions/runs?branch={branch}`, one for each 30 until five are found |

Source: https://docs.github.com/rest/actions/workflow-runs
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

from release_state.model.snapshot import WorkflowRun, WorkflowRuns
from release_state.observe.github.api import Fields, GitHubApi, require_commit
from release_state.observe.github.lists import GitHubList
from release_state.observe.github.shapes import parse_runs

RUN_AGE = timedelta(days=70)
"""GitHub cancels a run after 35 days and lets it be re-run for 30: older ones cannot be unfinished."""
BRANCH_RUNS = 5
_PER_PAGE = 30
"""A run has some ten thousand characters."""


def look_up_workflow_runs(
    api: GitHubApi, place: str, workflow: str, own_run_id: int | None, now: datetime | None
) -> WorkflowRuns:
    """The runs of the workflow file in the last 70 days; `exists` is false where GitHub knows no such workflow.

    GitHub's `created` filter is not used: it goes through the search, which lags behind and ends at 1,000 runs.
    Raises LookupFailed.
    """
    if not workflow:
        return WorkflowRuns(workflow=workflow, exists=False)
    path = f"{place}/actions/workflows/{quote(workflow, safe='')}/runs"
    first = now

    def enough(page: list[Fields], date: datetime) -> bool:
        nonlocal first
        # By the earlier of two clocks: one that is ahead must not make an unfinished run look too old.
        first = (now or min(date, datetime.now(timezone.utc))) - RUN_AGE
        return bool(page) and page[-1].moment("created_at") < first

    found = _list_runs(
        api, path, {"per_page": _PER_PAGE}, absent=True, enough=enough, newest_first="created_at"
    ).read_or_none()
    if found is None:
        return WorkflowRuns(workflow=workflow, exists=False)
    ours = parse_runs(found, place, workflow)
    runs = {run.id: run for run in ours if first is None or run.created_at >= first}
    own = runs.pop(own_run_id, None) if own_run_id is not None else None
    return WorkflowRuns(
        workflow=workflow,
        runs=_sort(runs.values()),
        left_out=(f"run {own.id} (number {own.number})",) if own else (),
    )


def find_branch_runs(api: GitHubApi, place: str, branch: str, workflow: str) -> tuple[WorkflowRun, ...]:
    """The last finished CI runs on a branch, newest first: at most `BRANCH_RUNS`, of the last 70 days.

    Runs of the release workflow are not CI, and those of pull requests are of other branches, whatever their names.
    Raises LookupFailed.
    """
    wanted: dict[int, WorkflowRun] = {}

    def is_of_ci(run: WorkflowRun) -> bool:
        is_ours = run.head_branch == branch and run.workflow != workflow
        return is_ours and run.is_finished and not run.event.startswith("pull_request")

    def enough(page: list[Fields], date: datetime) -> bool:
        runs = parse_runs(page, place)
        wanted.update((run.id, run) for run in runs if is_of_ci(run))
        return len(wanted) >= BRANCH_RUNS or (bool(runs) and runs[-1].created_at < date - RUN_AGE)

    asked: dict[str, str | int] = {"per_page": _PER_PAGE, "branch": branch}
    found = _list_runs(api, f"{place}/actions/runs", asked, enough=enough, newest_first="created_at").read()
    return _sort(wanted[run.id] for run in parse_runs(found, place) if run.id in wanted)[:BRANCH_RUNS]


@dataclass(frozen=True)
class RunsOfCommit:
    """The runs on one commit."""

    by_id: Mapping[int, WorkflowRun] = field(default_factory=dict)
    by_suite: Mapping[int, WorkflowRun] = field(default_factory=dict)

    def run(self, number: int | None, suite: int | None, numbered: Collection[int]) -> WorkflowRun | None:
        """The run that a check run is a job of: by its suite, and by the number in its address, which older ones lack.

        A check run that a workflow creates through the API is in any suite that GitHub Actions has on the commit, with
        any address: it is no job of the suite's run. `numbered` are the suites of jobs with a number.
        """
        run = self.by_suite.get(suite or 0)
        if number is None:
            return None if suite in numbered else run
        if run is not None:
            return run if run.id == number else None
        return self.by_id.get(number)


def look_up_commit_runs(api: GitHubApi, place: str, sha: str, deadline: float) -> RunsOfCommit:
    """Every run on a commit, of any branch and event. Raises LookupFailed."""
    found = _list_runs(api, f"{place}/actions/runs", {"head_sha": sha}, deadline=deadline).read()
    for item in found:
        require_commit(item, "head_sha", sha, "the workflow runs")
    runs = parse_runs(found, place)
    suites = (item.optional_number("check_suite_id") for item in found)
    by_suite = {suite: run for suite, run in zip(suites, runs, strict=True) if suite is not None}
    return RunsOfCommit({run.id: run for run in runs}, by_suite)


def _list_runs(api: GitHubApi, path: str, params: Mapping[str, str | int], **options: Any) -> GitHubList:
    asked = {**params, "exclude_pull_requests": "true"}
    return GitHubList(api, path, "workflow runs", params=asked, key="workflow_runs", **options)


def _sort(runs: Iterable[WorkflowRun]) -> tuple[WorkflowRun, ...]:
    return tuple(sorted(runs, key=lambda run: (run.created_at, run.id), reverse=True))
