"""The runs of GitHub Actions on one commit: what its check runs alone do not tell.

A run that is queued or held back has no check run yet, nor has a job that waits for another one; and none ever has what
GitHub could not start (`startup_failure`) or what was cancelled before its first job. Check runs of one name may be
jobs of two workflows.

Source: https://docs.github.com/rest/actions/workflow-runs
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from release_state.observe.github_api import GitHubApi
from release_state.observe.github_shapes import run_of
from release_state.snapshot import CheckResult, WorkflowRun

CALM = ("success", "neutral", "skipped")
"""Conclusions that are not red."""

_PER_PAGE = 30
"""A run has some ten thousand characters."""
_OF_COMMITS = ("push", "merge_group", "schedule", "workflow_dispatch", "repository_dispatch")
"""Events whose runs are for the commit that they stand on; those of pull requests are for a merge on no branch."""


def runs_on(api: GitHubApi, place: str, branch: str, deadline: float | None = None) -> tuple[WorkflowRun, ...]:
    """The newest runs on a branch, finished or not; asked once for all who want to know. Raises LookupFailed."""

    def ask() -> tuple[WorkflowRun, ...]:
        asked: dict[str, str | int] = {"per_page": _PER_PAGE, "branch": branch, "exclude_pull_requests": "true"}
        where, path = "workflow runs", f"{place}/actions/runs"
        found = api.all(path, where, params=asked, key="workflow_runs", deadline=deadline, enough=lambda *_: True)
        return tuple(map(run_of, found or []))

    return api.once(f"runs on {branch} of {place}", ask)


def group_of(run: WorkflowRun | None) -> str:
    """Of what a check run is a job: in one group the newest of a name counts."""
    if run is None:
        return ""
    return f"{run.workflow} for pull requests" if run.event.startswith("pull_request") else run.workflow


def unseen(runs: Mapping[int, WorkflowRun], results: Collection[CheckResult]) -> Iterator[CheckResult]:
    """What the newest run of each workflow says of the commit and no check run of it: unfinished, or ended badly."""
    newest: dict[str, WorkflowRun] = {}
    for _, run in sorted(runs.items()):
        if run.event in _OF_COMMITS:
            newest[run.workflow] = run
    for run in newest.values():
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
            )
