"""What GitHub says of CI: the checks of a commit, and the runs of the release workflow.

| fact | requests |
|---|---|
| checks of a commit | `GET …/commits/{sha}/check-runs` and `GET …/commits/{sha}/status`, one for each 100 results |
| its runs, and the last ones on a branch | `GET …/actions/runs?branch={branch}`, one page, for both |
| where it has none | `GET …/commits?sha={sha}`, and the two for each ancestor, nearest first, up to one that has CI |
| runs of a workflow | `GET …/actions/workflows/{file}/runs`, one for each 30 of the last 70 days |

Sources: https://docs.github.com/rest/checks/runs, /rest/commits/statuses, /rest/commits/commits,
/rest/actions/workflow-runs
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from release_state.observe.github_api import Fields, GitHubApi, failed
from release_state.observe.github_commit_runs import CALM, group_of, runs_on, unseen
from release_state.observe.github_held import hold_by_commit
from release_state.observe.github_shapes import runs_of
from release_state.snapshot import CheckResult, CommitChecks, WorkflowRun, WorkflowRuns

_RUN = re.compile(r"/actions/runs/(\d+)")
_ACTIONS = "github-actions"

ANCESTORS = 20
"""How far back an ancestor with CI is looked for with a token; each costs two requests."""
ANCESTORS_WITHOUT_TOKEN = 5
"""The same without one: the whole hour has sixty requests then."""

BEGINS_WITHIN = timedelta(minutes=3)
"""How long after a commit its CI can be taken to be on its way, where its ancestors have some."""
_SKIPS_CI = re.compile(r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]|^skip-checks: *true", re.M | re.I)

RUN_DAYS = 70
"""GitHub cancels a run after 35 days and lets it be re-run for 30: older ones cannot be unfinished."""
_RUNS_PER_PAGE = 30
BRANCH_RUNS = 5


@dataclass(frozen=True)
class LeftOut:
    """What does not judge a commit: the run that is asking, and runs that released it."""

    own_run_id: int | None = None
    workflow: str = ""
    """File name of the release workflow."""
    base: str = ""
    """The branch that the commit is the head of; empty: its runs are not asked for."""

    def note(self, number: int | None, run: WorkflowRun | None) -> str | None:
        """Why a run is left out, to stand behind the name of its job; None: it judges."""
        if number is not None and number == self.own_run_id:
            return ""
        released = run is not None and run.workflow == self.workflow and not run.tests(self.base)
        return " (release workflow)" if released else None


def commit_checks(api: GitHubApi, place: str, sha: str, left: LeftOut) -> CommitChecks:
    """
    CI of exactly this commit; what is left out is named.

    Raises LookupFailed, also where the search for an ancestor with CI fails: none found would not be true then.
    """
    deadline = api.client.deadline()
    results, left_out = _results(api, place, sha, left, deadline)
    if results:
        return CommitChecks(sha=sha, results=results, left_out=left_out)
    chain, made_lately = _first_parents(api, place, sha, deadline)
    for distance, ancestor in enumerate(chain, 1):
        nearest, _ = _results(api, place, ancestor, left, deadline)
        if nearest and made_lately:
            begins = CheckResult(name="CI that has not begun", state="pending", since=made_lately)
            return CommitChecks(sha=sha, results=(begins,), left_out=left_out)
        if nearest:
            return CommitChecks(
                sha=sha, left_out=left_out, nearest=ancestor, nearest_distance=distance, nearest_results=nearest
            )
    return CommitChecks(sha=sha, left_out=left_out)


def workflow_runs(
    api: GitHubApi, place: str, workflow: str, own_run_id: int | None, now: datetime | None
) -> WorkflowRuns:
    """
    The runs of the workflow file in the last 70 days; `exists` is false where GitHub knows no such workflow.

    Asks without GitHub's `created` filter, which goes through its search: that lags behind and ends at 1,000.
    Raises LookupFailed.
    """
    if not workflow:
        return WorkflowRuns(workflow=workflow, exists=False)
    path = f"{place}/actions/workflows/{quote(workflow, safe='')}/runs"
    first = now

    def enough(page: list[Fields], date: datetime) -> bool:
        nonlocal first
        # By the earlier of two clocks: one that is ahead must not make an unfinished run too old to be looked at.
        first = (now or min(date, datetime.now(timezone.utc))) - timedelta(days=RUN_DAYS)
        return bool(page) and page[-1].moment("created_at") < first

    asked: dict[str, str | int] = {"per_page": _RUNS_PER_PAGE, "exclude_pull_requests": "true"}
    found = api.all(
        path,
        "workflow runs",
        params=asked,
        key="workflow_runs",
        absent=True,
        enough=enough,
        newest_first="created_at",
    )
    if found is None:
        return WorkflowRuns(workflow=workflow, exists=False)
    ours = runs_of(found, place, workflow)
    runs = {run.id: run for run in ours if first is None or run.created_at >= first}
    own = runs.pop(own_run_id, None) if own_run_id is not None else None
    return WorkflowRuns(
        workflow=workflow,
        runs=tuple(sorted(runs.values(), key=lambda run: (run.created_at, run.id), reverse=True)),
        left_out=(f"run {own.id} (number {own.number})",) if own else (),
    )


def branch_runs(api: GitHubApi, place: str, branch: str, workflow: str) -> tuple[WorkflowRun, ...]:
    """
    The last finished runs of CI on a branch, newest first, `BRANCH_RUNS` at the most: pushes to it and schedules.

    Runs of the release workflow are no CI, and those of pull requests are of other branches, whatever their name.
    """
    runs = [run for run in runs_on(api, place, branch) if run.is_finished and run.head_branch == branch]
    of_ci = [run for run in runs if run.workflow != workflow and not run.event.startswith("pull_request")]
    return tuple(sorted(of_ci, key=lambda run: (run.created_at, run.id), reverse=True)[:BRANCH_RUNS])


def _results(
    api: GitHubApi, place: str, sha: str, left: LeftOut, deadline: float
) -> tuple[tuple[CheckResult, ...], tuple[str, ...]]:
    """The newest result of each name in a workflow, and the names of what is left out."""
    commit = f"{place}/commits/{sha}"
    latest = {"filter": "latest"}
    with ThreadPoolExecutor(2, thread_name_prefix="release-state-statuses") as beside:
        asked = beside.submit(
            api.all,
            f"{commit}/status",
            "statuses",
            key="statuses",
            deadline=deadline,
            fits=lambda combined: hold_by_commit(combined, "sha", sha, "the statuses"),
        )
        asked_runs = beside.submit(runs_on, api, place, left.base, deadline) if left.base else None
        checks = api.all(f"{commit}/check-runs", "check runs", params=latest, key="check_runs", deadline=deadline) or []
        statuses = asked.result() or []
        runs = {run.id: run for run in (asked_runs.result() if asked_runs else ()) if run.head_sha == sha}
    for check in checks:
        hold_by_commit(check, "head_sha", sha, "the check runs")
    left_out: dict[str, None] = {}
    # A check run and a status of one name are two things to GitHub, and so are check runs of two apps or workflows: a
    # green one must not hide a red one. Of one of them the newest counts, which has the highest number.
    newest: dict[tuple[str, str, str], tuple[int, CheckResult]] = {}
    for check in checks:
        app = check.optional_child("app")
        slug = (app.optional_text("slug") if app else None) or ""
        result = _check_result(check, is_actions=slug == _ACTIONS)
        run = runs.get(result.workflow_run or 0)
        if (note := left.note(result.workflow_run, run)) is not None:
            left_out[f"{result.name}{note}"] = None
            continue
        _keep_newest(newest, (result.name, f"app {slug}", group_of(run)), check.number("id"), result)
    for status in statuses:
        result = _status_result(status)
        _keep_newest(newest, (result.name, "status", ""), status.number("id"), result)
    results = [result for _, (_, result) in sorted(newest.items(), key=lambda item: item[0])]
    judged = {number: run for number, run in runs.items() if left.note(number, run) is None}
    return (*results, *unseen(judged, results)), tuple(left_out)


def _keep_newest(
    newest: dict[tuple[str, str, str], tuple[int, CheckResult]],
    key: tuple[str, str, str],
    number: int,
    result: CheckResult,
) -> None:
    if key not in newest or number > newest[key][0]:
        newest[key] = (number, result)


def _check_result(check: Fields, *, is_actions: bool) -> CheckResult:
    conclusion = check.optional_text("conclusion")
    urls = (check.optional_text("details_url"), check.optional_text("html_url"))
    run = next((found for url in urls if url and (found := _RUN.search(url))), None) if is_actions else None
    is_done = check.text("status") == "completed"
    if is_done and conclusion is None:
        raise failed("unexpected shape of the answer: a completed check run has no conclusion")
    state = "pending" if not is_done else str(conclusion) if conclusion in CALM else "failure"
    return CheckResult(
        name=check.text("name"),
        state=state,
        conclusion=conclusion if is_done else None,
        since=check.optional_moment("completed_at" if is_done else "started_at"),
        html_url=check.optional_text("html_url") or check.optional_text("details_url"),
        workflow_run=int(run[1]) if run else None,
    )


def _status_result(status: Fields) -> CheckResult:
    said = status.text("state")
    return CheckResult(
        name=status.text("context"),
        state=said if said in ("success", "pending") else "failure",
        conclusion=None if said == "pending" else said,
        since=status.optional_moment("updated_at"),
        html_url=status.optional_text("target_url"),
    )


def _first_parents(api: GitHubApi, place: str, sha: str, deadline: float) -> tuple[list[str], datetime | None]:
    """The ancestors by first parents, nearest first, as far as one page of the history shows them.

    And when the commit itself was made, where that is so lately that its CI may not have begun yet.
    """
    depth = ANCESTORS if api.has_token else ANCESTORS_WITHOUT_TOKEN
    dates: list[datetime] = []

    def enough(page: list[Fields], date: datetime) -> bool:
        dates.append(date)
        return True

    # One page: the list mixes in what was merged, and a hundred commits nearly always hold twenty first parents.
    page = api.all(f"{place}/commits", "commits", params={"sha": sha}, deadline=deadline, enough=enough) or []
    parents = {commit.sha("sha"): [parent.sha("sha") for parent in commit.objects("parents")] for commit in page}
    chain: list[str] = []
    while len(chain) < depth and (above := parents.get(chain[-1] if chain else sha)):
        chain.append(above[0])
    lately = (moment for commit in page if commit.text("sha") == sha and (moment := _made_lately(commit, dates[0])))
    return chain, next(lately, None)


def _made_lately(commit: Fields, now: datetime) -> datetime | None:
    """When a commit was made, if that is a moment ago and its message does not keep CI away."""
    said = commit.optional_child("commit")
    by = said.optional_child("committer") if said else None
    made = by.optional_moment("date") if by else None
    if said is None or made is None or abs(now - made) > BEGINS_WITHIN:
        return None
    return None if _SKIPS_CI.search(said.optional_text("message") or "") else made
