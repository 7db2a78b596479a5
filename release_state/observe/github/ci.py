"""The checks of a commit, and workflow runs: of the release workflow, on a commit, the last ones on a branch.

Sources: https://docs.github.com/rest/checks/runs, /rest/commits/statuses, /rest/actions/workflow-runs
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

from msgspec import Struct, field, structs

from release_state.facts.own_run import is_job_of
from release_state.model.snapshot import CICheck, CommitChecks, WorkflowRun, WorkflowRuns
from release_state.model.snapshot.runs import ACTIONS
from release_state.observe.github.api import Fields, GitHubApi, failure, require_commit, require_repository
from release_state.observe.github.lists import GitHubList

RUN_AGE = timedelta(days=70)
"""GitHub cancels a run after 35 days and lets it be re-run for 30: older ones cannot be unfinished."""
BRANCH_RUNS = 5
MOST_SUITES = 1000
"""GitHub lists the check runs of the newest suites of a commit, at most of so many."""
_CALM = ("success", "neutral", "skipped")
"""Conclusions that are not failures."""
_OF_COMMITS = ("push", "merge_group", "schedule", "workflow_dispatch", "repository_dispatch")
"""Events whose runs test the commit itself; those of pull requests test a merge that is on no branch. What
GitHub starts by itself ("dynamic": Pages, Dependabot) counts by its check runs alone."""
_PER_PAGE = 30
"""A run has some ten thousand characters."""
_RUN = re.compile(r"/actions/runs/(\d+)")


class Exclusions(Struct, frozen=True):
    """The runs that say nothing about a commit's CI: this very run, and runs that released it."""

    own_run_id: int | None = None
    workflows: tuple[str, ...] = ()
    """File names of the workflows that publish."""
    base: str = ""
    """The branch that the commit is on."""
    needed: frozenset[str] = frozenset()
    """The jobs of this very run that the job which asks `needs`: they count."""

    def note(self, number: int | None, run: WorkflowRun | None) -> str | None:
        """Why a run is excluded, as a suffix to the name of its job; None if it counts."""
        if self._is_own(number, run):
            return ""
        has_released = run is not None and run.workflow in self.workflows and not run.tests(self.base)
        return " (release workflow)" if has_released else None

    def is_needed_job(self, result: CICheck, number: int | None, run: WorkflowRun | None) -> bool:
        """Whether a result is a completed job of this very run that the asking job waited for."""
        is_complete = self._is_own(number, run) and result.conclusion is not None
        return is_complete and any(is_job_of(result.name, name) for name in self.needed)

    def _is_own(self, number: int | None, run: WorkflowRun | None) -> bool:
        return self.own_run_id is not None and self.own_run_id in (number, run.id if run else None)


class CommitRuns(Struct, frozen=True):
    """The runs on one commit."""

    by_id: Mapping[int, WorkflowRun] = field(default_factory=dict)
    by_suite: Mapping[int, WorkflowRun] = field(default_factory=dict)

    def find(self, number: int | None, suite: int | None, numbered: Collection[int]) -> WorkflowRun | None:
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


def look_up_checks(api: GitHubApi, place: str, sha: str, excluded: Exclusions) -> CommitChecks:
    """CI of exactly this commit; excluded results are named. Raises LookupFailed."""
    deadline = api.client.deadline()
    with ThreadPoolExecutor(2, thread_name_prefix="release-state-statuses") as pool:
        statuses = pool.submit(_read_statuses, api, place, sha, deadline)
        runs = pool.submit(_read_commit_runs, api, place, sha, deadline)
        checks = _read_check_runs(api, place, sha, deadline)
        return _select_results(sha, checks, statuses.result(), runs.result(), excluded)


def look_up_results(api: GitHubApi, place: str, sha: str, deadline: float) -> CommitChecks:
    """The results of a commit, without its runs: they show which apps report. Raises LookupFailed."""
    with ThreadPoolExecutor(1, thread_name_prefix="release-state-statuses") as pool:
        statuses = pool.submit(_read_statuses, api, place, sha, deadline)
        checks = _read_check_runs(api, place, sha, deadline)
        return _select_results(sha, checks, statuses.result(), CommitRuns(), Exclusions())


def _read_check_runs(api: GitHubApi, place: str, sha: str, deadline: float) -> list[Fields]:
    def ask() -> list[Fields]:
        path, latest = f"{place}/commits/{sha}/check-runs", {"filter": "latest"}
        checks = GitHubList(api, path, "check runs", params=latest, key="check_runs", deadline=deadline).read()
        for check in checks:
            require_commit(check, "head_sha", sha, "the check runs")
        if len({_parse_suite(check) for check in checks}) >= MOST_SUITES:
            raise failure(f"{sha[:12]} has {MOST_SUITES:,} check suites or more, and GitHub lists no more than that")
        return checks

    return api.once(f"check runs of {sha} of {place}", ask)


def _read_statuses(api: GitHubApi, place: str, sha: str, deadline: float) -> list[Fields]:
    def fits(combined: Fields) -> None:
        require_commit(combined, "sha", sha, "the statuses")

    path = f"{place}/commits/{sha}/status"
    statuses = GitHubList(api, path, "statuses", key="statuses", deadline=deadline, fits=fits)
    return api.once(f"statuses of {sha} of {place}", statuses.read)


def _read_commit_runs(api: GitHubApi, place: str, sha: str, deadline: float) -> CommitRuns:
    """Every run on a commit, of any branch and event."""
    items = _list_runs(api, f"{place}/actions/runs", {"head_sha": sha}, deadline=deadline).read()
    for item in items:
        require_commit(item, "head_sha", sha, "the workflow runs")
    runs = parse_runs(items, place)
    suites = (item.optional_number("check_suite_id") for item in items)
    by_suite = {suite: run for suite, run in zip(suites, runs, strict=True) if suite is not None}
    return CommitRuns({run.id: run for run in runs}, by_suite)


def _select_results(
    sha: str, checks: list[Fields], statuses: list[Fields], runs: CommitRuns, excluded: Exclusions
) -> CommitChecks:
    """The newest result of each name in a workflow, the workflows that ran, and the names of excluded results."""
    left_out: dict[str, None] = {}
    # GitHub keeps apart a check run and a status of one name, and check runs of two apps or workflows. One that passed
    # must not hide one that failed. Of the same app and workflow the newest counts, which has the highest number.
    newest: dict[tuple[str, str, str], tuple[int, CICheck]] = {}

    def keep_newest(kind: str, group: str, item: Fields, result: CICheck) -> None:
        key, number = (result.name, kind, group), item.number("id")
        if key not in newest or number > newest[key][0]:
            newest[key] = (number, result)

    numbered = {
        suite for check in checks if _parse_run_number(check) is not None and (suite := _parse_suite(check)) is not None
    }
    for check in checks:
        app = check.optional_child("app")
        slug = (app.optional_text("slug") if app else None) or ""
        number = _parse_run_number(check) if slug == ACTIONS else None
        run = runs.find(number, _parse_suite(check), numbered) if slug == ACTIONS else None
        if run is None and _parse_suite(check) in runs.by_suite:
            number = None  # it is no job of that run, whatever its address says
        result = _parse_check_run(check, slug, run, number)
        is_needed = excluded.is_needed_job(result, number, run)
        if not is_needed and (note := excluded.note(number, run)) is not None:
            left_out[f"{result.name}{note}"] = None
            continue
        result = structs.replace(result, is_needed=True) if is_needed else result
        workflow = run.workflow if run else ""
        is_of_pull = run is not None and run.event.startswith("pull_request")
        keep_newest(f"app {slug}", f"{workflow} for pull requests" if is_of_pull else workflow, check, result)
    for status in statuses:
        keep_newest("status", "", status, _parse_status(status))
    results = [result for _, (_, result) in sorted(newest.items(), key=lambda item: item[0])]
    counted = [run for run in sorted(runs.by_id.values(), key=lambda run: run.id) if excluded.note(run.id, run) is None]
    # The newest run of each workflow that is for the commit itself.
    ran = {run.workflow: run for run in counted if run.event in _OF_COMMITS}
    return CommitChecks(
        sha=sha,
        results=(*results, *_list_unreported(ran.values(), results)),
        ran=tuple(sorted(ran)),
        asking=next((run.workflow for run in runs.by_id.values() if run.id == excluded.own_run_id), ""),
        left_out=tuple(left_out),
    )


def _list_unreported(newest: Iterable[WorkflowRun], results: Collection[CICheck]) -> Iterator[CICheck]:
    """The newest runs that are unfinished or failed without a check run that says so, as results."""
    for run in newest:
        if run.is_finished and run.conclusion in _CALM:
            continue
        state = "failure" if run.is_finished else "pending"
        if not any(result.workflow_run == run.id and result.state in ("failure", state) for result in results):
            yield CICheck(
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


def look_up_workflow_runs(
    api: GitHubApi,
    place: str,
    workflow: str,
    own_run_id: int | None,
    now: datetime | None,
    filters: Mapping[str, str] | None = None,
) -> WorkflowRuns:
    """The runs of the workflow file in the last 70 days; `exists` is false where GitHub knows no such workflow.

    `filters` are GitHub's own, for a workflow that also runs for other reasons. Its `created` filter is not used: any
    filter goes through the search, which lags behind by seconds and ends at 1,000 runs. Raises LookupFailed.
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

    params: dict[str, str | int] = {"per_page": _PER_PAGE, **(filters or {})}
    items = _list_runs(api, path, params, absent=True, enough=enough, newest_first="created_at").read_or_none()
    if items is None:
        return WorkflowRuns(workflow=workflow, exists=False)
    recent = (run for run in parse_runs(items, place, workflow) if first is None or run.created_at >= first)
    runs = {run.id: run for run in recent}
    own = runs.pop(own_run_id, None) if own_run_id is not None else None
    left_out = (f"run {own.id} (number {own.number})",) if own else ()
    return WorkflowRuns(workflow=workflow, runs=_newest_first(runs.values()), left_out=left_out)


def merge_runs(asked: Sequence[WorkflowRuns]) -> WorkflowRuns:
    """Several lists of runs as one, newest first, each run once; the name is that of the first."""
    runs = {run.id: run for each in asked for run in each.runs}
    left_out = tuple(dict.fromkeys(note for each in asked for note in each.left_out))
    exists = any(each.exists for each in asked)  # one that GitHub does not know has no runs
    return WorkflowRuns(workflow=asked[0].workflow, exists=exists, runs=_newest_first(runs.values()), left_out=left_out)


def find_branch_runs(api: GitHubApi, place: str, branch: str, workflows: Collection[str]) -> tuple[WorkflowRun, ...]:
    """The last finished CI runs on a branch, newest first: at most `BRANCH_RUNS`, of the last 70 days.

    Release runs are not CI, and those of pull requests are of other branches, whatever their names.
    Raises LookupFailed.
    """
    wanted: dict[int, WorkflowRun] = {}

    def is_of_ci(run: WorkflowRun) -> bool:
        is_ours = run.head_branch == branch and (run.workflow not in workflows or run.tests(branch))
        return is_ours and run.is_finished and not run.event.startswith("pull_request")

    def enough(page: list[Fields], date: datetime) -> bool:
        runs = parse_runs(page, place)
        wanted.update((run.id, run) for run in runs if is_of_ci(run))
        return len(wanted) >= BRANCH_RUNS or (bool(runs) and runs[-1].created_at < date - RUN_AGE)

    params: dict[str, str | int] = {"per_page": _PER_PAGE, "branch": branch}
    items = _list_runs(api, f"{place}/actions/runs", params, enough=enough, newest_first="created_at").read()
    return _newest_first(wanted[run.id] for run in parse_runs(items, place) if run.id in wanted)[:BRANCH_RUNS]


def _list_runs(api: GitHubApi, path: str, params: Mapping[str, str | int], **options: Any) -> GitHubList:
    params = {**params, "exclude_pull_requests": "true"}
    return GitHubList(api, path, "workflow runs", params=params, key="workflow_runs", **options)


def _newest_first(runs: Iterable[WorkflowRun]) -> tuple[WorkflowRun, ...]:
    return tuple(sorted(runs, key=lambda run: (run.created_at, run.id), reverse=True))


def _parse_run_number(check: Fields) -> int | None:
    """The number of the run in a job's addresses; older jobs have none there."""
    urls = (check.optional_text("details_url"), check.optional_text("html_url"))
    match = next((match for url in urls if url and (match := _RUN.search(url))), None)
    return int(match[1]) if match else None


def _parse_suite(check: Fields) -> int | None:
    suite = check.optional_child("check_suite")
    return suite.optional_number("id") if suite else None


def _parse_check_run(check: Fields, slug: str, run: WorkflowRun | None, number: int | None) -> CICheck:
    conclusion = check.optional_text("conclusion")
    is_done = check.text("status") == "completed"
    if is_done and conclusion is None:
        raise failure("unexpected shape of the answer: a completed check run has no conclusion")
    state = "pending" if not is_done else str(conclusion) if conclusion in _CALM else "failure"
    return CICheck(
        name=check.text("name"),
        state=state,
        conclusion=conclusion if is_done else None,
        since=check.optional_moment("completed_at" if is_done else "started_at"),
        html_url=check.optional_text("html_url") or check.optional_text("details_url"),
        workflow_run=run.id if run else number,
        workflow=run.workflow if run else "",
        event=run.event if run else "",
        app=slug,
    )


def _parse_status(status: Fields) -> CICheck:
    state = status.text("state")
    return CICheck(
        name=status.text("context"),
        state=state if state in ("success", "pending") else "failure",
        conclusion=None if state == "pending" else state,
        since=status.optional_moment("updated_at"),
        html_url=status.optional_text("target_url"),
        app=status.text("context"),
    )


def parse_runs(items: Iterable[Fields], place: str, workflow: str = "") -> list[WorkflowRun]:
    """The runs of a list. Raises LookupFailed for one of another repository, or of another file than `workflow`."""
    runs = []
    for item in items:
        require_repository(item.child("repository"), place, "workflow runs")
        run = _parse_run(item)
        if workflow and run.workflow != workflow:
            raise failure(f"requested the runs of {workflow}, GitHub gave one of {run.workflow or 'no workflow'}")
        runs.append(run)
    return runs


def _parse_run(item: Fields) -> WorkflowRun:
    return WorkflowRun(
        id=item.number("id"),
        number=item.number("run_number"),
        title=item.optional_text("display_title") or item.optional_text("name") or "",
        # GitHub's own schema allows null: not "completed", and so not finished.
        status=item.optional_text("status") or "unknown",
        conclusion=item.optional_text("conclusion"),
        event=item.text("event"),
        head_branch=item.optional_text("head_branch"),
        head_sha=item.sha("head_sha"),
        created_at=item.moment("created_at"),
        started_at=item.optional_moment("run_started_at"),
        updated_at=item.moment("updated_at"),
        actor=item.login("triggering_actor") or item.login("actor"),
        html_url=item.text("html_url"),
        workflow=(item.optional_text("path") or "").partition("@")[0].rpartition("/")[2],
    )
