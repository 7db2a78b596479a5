"""Routes of the repository: itself, its branches, pull requests and GitHub Releases, its commits and GitHub Actions.

Sources: https://docs.github.com/rest/repos, /rest/branches, /rest/pulls/pulls, /rest/releases/releases,
/rest/checks/runs, /rest/commits/statuses, /rest/actions
"""

from __future__ import annotations

from release_state.demo.github.gitstore import Commit, Ref
from release_state.demo.github.model import Job, Pull, Release, Run, Workflow
from release_state.demo.github.render import log_text
from release_state.demo.github.routing import ApiError, Call, Result, not_found, route

SEARCH_ENDS_AT = 1000
"""How many runs GitHub lists of those that a filter finds."""


@route("GET", "", permission="metadata=read")
def repository(call: Call) -> Result:
    """The repository."""
    return Result(call.render.full_repository("read" if call.token and not call.may("read") else call.right))


# ---------------------------------------------------------------------- branches


@route("GET", "/branches/{branch:path}", permission="contents=read")
def branch(call: Call) -> Result:
    """One branch."""
    return Result(call.render.full_branch(branch_of(call)))


@route("GET", "/rulesets", permission="metadata=read")
def rulesets(call: Call) -> Result:
    """The repository's rulesets: none."""
    return call.page((), lambda item: item)


def branch_of(call: Call) -> Ref:
    found = call.state.git.ref(f"refs/heads/{call['branch']}")
    if found is None:
        raise not_found("Branch not found")
    return found


def commit_of(call: Call) -> Commit:
    """The commit that the route's `ref` names; raises GitHub's 422 for a name without a commit."""
    sha = call.state.git.resolve(call["ref"])
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {call['ref']}")
    return call.state.git.commit(sha)


@route("GET", "/pulls", permission="pull_requests=read")
def pulls(call: Call) -> Result:
    """The pull requests, only the open ones unless `state` says otherwise."""
    call.state.refresh_pulls()
    query = call.query
    state = query.get("state", "open")
    found = [pull for pull in call.state.pulls.values() if state in ("all", pull.state)]
    # A head without its owner is not refused: the filter is ignored and every pull request comes.
    if ":" in query.get("head", ""):
        found = [pull for pull in found if label_of(pull) == query["head"]]
    if query.get("base"):
        found = [pull for pull in found if pull.base_ref == query["base"]]
    key = query.get("sort", "created")
    usual = "desc" if key == "created" else "asc"
    found.sort(
        key=lambda pull: (pull.updated_at if key == "updated" else pull.created_at, pull.number),
        reverse=query.get("direction", usual) == "desc",
    )
    return call.page(found, lambda pull: call.render.pull(pull))


def label_of(pull: Pull) -> str | None:
    return f"{pull.head_repo.split('/')[0]}:{pull.head_ref}" if pull.head_repo else None


@route("GET", "/releases", permission="contents=read")
def releases(call: Call) -> Result:
    """The releases, newest first; drafts come first and only for callers who may push."""
    call.state.refresh_releases()
    found = [item for item in call.state.releases.values() if not item.draft or call.may("write")]
    found.sort(key=lambda item: (item.draft, item.created_at, item.id), reverse=True)
    return call.page(found, lambda item: call.render.release(item))


@route("GET", "/releases/latest", permission="contents=read")
def latest_release(call: Call) -> Result:
    """The release with the mark *Latest*; never a draft nor a pre-release."""
    found = call.state.find_latest_release()
    if found is None:
        raise not_found()
    return shown(call, found)


@route("GET", "/releases/tags/{tag:path}", permission="contents=read")
def release_of_tag(call: Call) -> Result:
    """The published release of a tag. A draft is not found here, whoever asks."""
    call.state.refresh_releases()
    for item in call.state.releases.values():
        if item.tag == call["tag"] and not item.draft:
            return shown(call, item)
    raise not_found()


def shown(call: Call, found: Release) -> Result:
    return Result(call.render.release(found))


# ---------------------------------------------------------------------- commits


@route("GET", "/commits/{ref:path}/check-runs", permission="checks=read")
def check_runs(call: Call) -> Result:
    """The check runs of a commit; by default of each suite and name the newest only."""
    sha = commit_of(call).sha
    found = [check for check in call.state.check_runs if check.sha == sha]
    if call.query.get("filter", "latest") == "latest":
        found = list({(check.check_suite, check.app, check.name): check for check in found}.values())
    newest_first = sorted(found, key=lambda check: check.id, reverse=True)
    return call.page(newest_first, lambda check: call.render.check_run(check), "check_runs")


@route("GET", "/commits/{ref:path}/status", permission="statuses=read")
def combined_status(call: Call) -> Result:
    """The combined status of a commit; `pending`, because no service reports one here. It leaves out check runs."""
    return Result({"state": "pending", "statuses": [], "sha": commit_of(call).sha, "total_count": 0})


# ---------------------------------------------------------------------- workflows


@route("GET", "/actions/workflows", permission="actions=read")
def workflows(call: Call) -> Result:
    """All workflows."""
    found = list(call.state.workflows.values())
    return call.page(found, lambda item: call.render.workflow(item), "workflows")


@route("GET", "/actions/workflows/{workflow}/runs", permission="actions=read")
def workflow_runs(call: Call) -> Result:
    """The runs of one workflow."""
    wanted = workflow_of(call).id
    return _runs(call, [run for run in call.state.workflow_runs.values() if run.workflow_id == wanted])


def workflow_of(call: Call) -> Workflow:
    found = call.state.find_workflow(call["workflow"])
    if found is None:
        raise not_found()
    return found


@route("GET", "/actions/runs", permission="actions=read")
def runs(call: Call) -> Result:
    """The runs of all workflows."""
    return _runs(call, list(call.state.workflow_runs.values()))


def _runs(call: Call, found: list[Run]) -> Result:
    query = call.query
    # What is asked with one of these goes through a search, which ends.
    is_search = bool({"branch", "event", "head_sha", "status"} & set(query))
    for parameter in ("branch", "event", "head_sha"):
        if parameter in query:
            attribute = "head_branch" if parameter == "branch" else parameter
            found = [run for run in found if getattr(run, attribute) == query[parameter]]
    if "status" in query:
        # One parameter asks for a status or for a conclusion.
        found = [run for run in found if query["status"] in (run.status, run.conclusion)]
    found.sort(key=lambda run: (run.created_at, run.id), reverse=True)
    return call.page(found, lambda run: call.render.run(run), "workflow_runs", SEARCH_ENDS_AT if is_search else None)


@route("GET", "/actions/runs/{run}/jobs", permission="actions=read")
def jobs(call: Call) -> Result:
    """The jobs of a run's latest attempt."""
    found = run_of(call)
    return call.page(found.jobs, lambda item: call.render.job(found, item), "jobs")


def run_of(call: Call) -> Run:
    found = call.state.workflow_runs.get(call.number("run"))
    if found is None:
        raise not_found()
    return found


def job_of(call: Call) -> tuple[Run, Job]:
    number = call.number("job")
    for found in call.state.workflow_runs.values():
        for item in found.jobs:
            if item.id == number:
                return found, item
    raise not_found()


# ---------------------------------------------------------------------- logs


@route("GET", "/actions/jobs/{job}/logs", permission="actions=read")
def job_logs(call: Call) -> Result:
    """A redirect to a job's log."""
    found, item = job_of(call)
    return redirect_to_log(call, found, item.status, f"jobs/{item.id}.txt")


def redirect_to_log(call: Call, found: Run, status: str, name: str) -> Result:
    if call.token is None:
        # Of a public repository too: logs are for callers with an account.
        raise ApiError(403, "Must have admin rights to Repository.")
    if found.log_expired:
        raise ApiError(410, "Gone")
    if status != "completed":
        raise not_found()
    return Result(b"", 302, {"Location": f"{call.render.api}/_logs/{name}?sig=signed", "Content-Type": "text/html"})


@route("GET", "/_logs/jobs/{job}.txt", root=True)
def job_log(call: Call) -> Result:
    """The job's log itself; the address is its own permission, as with GitHub's storage."""
    return Result(log_text(*job_of(call)).encode(), headers={"Content-Type": "text/plain"})


# ---------------------------------------------------------------------- settings, limits and the caller


@route("GET", "/actions/permissions/workflow", permission="administration=read")
def workflow_permissions(call: Call) -> Result:
    """What the token of a workflow may do by default; for administrators."""
    call.demand("admin")
    return Result(call.state.workflow_permissions)
