"""The runs of GitHub Actions on one commit: what its check runs alone do not tell.

A run that is queued or held back has no check run yet, nor has a job that waits for another one; and none ever has what
GitHub could not start (`startup_failure`) or what was cancelled before its first job. Check runs of one name may be
jobs of two workflows.

Source: https://docs.github.com/rest/actions/workflow-runs
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from release_state.observe.github_api import Fields, GitHubApi
from release_state.observe.github_held import hold_by_commit
from release_state.observe.github_shapes import runs_of
from release_state.snapshot import CheckResult, WorkflowRun
from release_state.snapshot.runs import ACTIONS

CALM = ("success", "neutral", "skipped")
"""Conclusions that are not red."""

_PER_PAGE = 30
"""A run has some ten thousand characters."""
_WINDOW = timedelta(days=70)
_OF_COMMITS = ("push", "merge_group", "schedule", "workflow_dispatch", "repository_dispatch")
"""Events whose runs are for the commit that they stand on; those of pull requests are for a merge on no branch. What
GitHub starts by itself ("dynamic": Pages, Dependabot) is seen by its check runs alone."""


@dataclass(frozen=True)
class RunsOfCommit:
    """The runs on one commit."""

    by_id: Mapping[int, WorkflowRun] = field(default_factory=dict)
    by_suite: Mapping[int, WorkflowRun] = field(default_factory=dict)

    def run(self, number: int | None, suite: int | None, numbered: Collection[int]) -> WorkflowRun | None:
        """The run whose job a check run is: by its suite, and by the number in its address, which older ones lack.

        What a workflow makes through the API is put into whatever suite GitHub Actions has on the commit, with an
        address of its own choice: it is no job of the suite's run. `numbered` are the suites of jobs with a number.
        """
        run = self.by_suite.get(suite or 0)
        if number is None:
            return None if suite in numbered else run
        if run is not None:
            return run if run.id == number else None
        return self.by_id.get(number)


def runs_of_commit(api: GitHubApi, place: str, sha: str, deadline: float) -> RunsOfCommit:
    """Every run on a commit, whatever branch or event it is of. Raises LookupFailed."""
    asked: dict[str, str | int] = {"head_sha": sha, "exclude_pull_requests": "true"}
    where, path = "workflow runs", f"{place}/actions/runs"
    found = api.all(path, where, params=asked, key="workflow_runs", deadline=deadline) or []
    for item in found:
        hold_by_commit(item, "head_sha", sha, "the workflow runs")
    runs = runs_of(found, place)
    suites = (item.optional_number("check_suite_id") for item in found)
    by_suite = {suite: run for suite, run in zip(suites, runs, strict=True) if suite is not None}
    return RunsOfCommit({run.id: run for run in runs}, by_suite)


def last_runs_on(
    api: GitHubApi, place: str, branch: str, is_wanted: Callable[[WorkflowRun], bool], most: int
) -> list[WorkflowRun]:
    """The newest wanted runs on a branch, `most` at the most; looked for 70 days back. Raises LookupFailed."""
    wanted: dict[int, WorkflowRun] = {}

    def enough(page: list[Fields], date: datetime) -> bool:
        runs = runs_of(page, place)
        wanted.update((run.id, run) for run in runs if run.head_branch == branch and is_wanted(run))
        return len(wanted) >= most or (bool(runs) and runs[-1].created_at < date - _WINDOW)

    asked: dict[str, str | int] = {"per_page": _PER_PAGE, "branch": branch, "exclude_pull_requests": "true"}
    where, path = "workflow runs", f"{place}/actions/runs"
    found = api.all(path, where, params=asked, key="workflow_runs", enough=enough, newest_first="created_at") or []
    listed = [wanted[run.id] for run in runs_of(found, place) if run.id in wanted]
    return sorted(listed, key=lambda run: (run.created_at, run.id), reverse=True)[:most]


def group_of(run: WorkflowRun | None) -> str:
    """Of what a check run is a job: in one group the newest of a name counts."""
    if run is None:
        return ""
    return f"{run.workflow} for pull requests" if run.event.startswith("pull_request") else run.workflow


def newest_of_each(runs: Iterable[WorkflowRun]) -> dict[str, WorkflowRun]:
    """The newest run of each workflow that is for the commit itself."""
    newest: dict[str, WorkflowRun] = {}
    for run in sorted(runs, key=lambda run: run.id):
        if run.event in _OF_COMMITS:
            newest[run.workflow] = run
    return newest


def unseen(newest: Iterable[WorkflowRun], results: Collection[CheckResult]) -> Iterator[CheckResult]:
    """What the newest run of each workflow says of the commit and no check run of it: unfinished, or ended badly."""
    for run in newest:
        if run.is_finished and run.conclusion in CALM:
            continue
        state = "failure" if run.is_finished else "pending"
        if not any(result.workflow_run == run.id and result.state in ("failure", state) for result in results):
            yield CheckResult(
                name=f"{run.workflow}, run #{run.number}",
                state=state,
                conclusion=(run.conclusion or "no conclusion") if run.is_finished else None,
                since=run.updated_at if run.is_finished else run.started_at or run.created_at,
                html_url=run.html_url,
                workflow_run=run.id,
                workflow=run.workflow,
                event=run.event,
                app=ACTIONS,
            )
