"""Routes of commits and GitHub Actions: check runs, statuses, pushes, workflows, their runs and logs.

Sources: https://docs.github.com/rest/checks/runs, /rest/commits/statuses, /rest/actions
"""

from __future__ import annotations

from itertools import islice

from release_state.demo.github import render_items
from release_state.demo.github.model import Activity, Job, Json, Run, Workflow, stamp
from release_state.demo.github.render import node_id, number_of
from release_state.demo.github.routes import commit_of
from release_state.demo.github.routing import ApiError, Call, Result, not_found, route

SEARCH_ENDS_AT = 1000
"""How many runs GitHub lists of those that a filter finds."""


@route("GET", "/commits/{ref:path}/check-runs", permission="checks=read")
def check_runs(call: Call) -> Result:
    """The check runs of a commit; by default of each suite and name the newest only."""
    sha = commit_of(call).sha
    found = [check for check in call.state.check_runs if check.sha == sha]
    if call.query.get("filter", "latest") == "latest":
        found = list({(check.check_suite, check.app, check.name): check for check in found}.values())
    newest_first = sorted(found, key=lambda check: check.id, reverse=True)
    return call.page(newest_first, lambda check: render_items.check_run(call.render, check), "check_runs")


@route("GET", "/commits/{ref:path}/status", permission="statuses=read")
def combined_status(call: Call) -> Result:
    """The combined status of a commit; `pending`, because no service reports one here. It leaves out check runs."""
    sha = commit_of(call).sha
    api = f"{call.render.repo_api}/commits/{sha}"
    return Result(
        {
            "state": "pending", "statuses": [], "sha": sha, "total_count": 0, "commit_url": api, "url": f"{api}/status",
            "repository": call.render.minimal_repository(),
        }
    )  # fmt: skip


_MOST_PUSHES = 500


@route("GET", "/activity", permission="contents=read")
def activity(call: Call) -> Result:
    """The pushes to one branch or to all, the newest first."""
    wanted = call.query.get("ref", "")
    refs = [ref.name for ref in call.state.git.refs("refs/heads/") if wanted in ("", ref.name, ref.name[11:])]
    found = [push for ref in refs for push in islice(call.state.activities(ref), _MOST_PUSHES)]
    if not wanted:
        found.sort(key=lambda push: push.at, reverse=True)
    return call.page(found, lambda push: _show(call, push))


def _show(call: Call, push: Activity) -> Json:
    number = number_of(f"{push.ref} {push.after}")
    return {
        "id": number, "node_id": node_id("PSH", number), "before": push.before, "after": push.after, "ref": push.ref,
        "timestamp": stamp(push.at), "activity_type": push.kind, "actor": call.render.user(push.actor),
    }  # fmt: skip


# ---------------------------------------------------------------------- workflows


@route("GET", "/actions/workflows", permission="actions=read")
def workflows(call: Call) -> Result:
    """All workflows."""
    found = list(call.state.workflows.values())
    return call.page(found, lambda item: render_items.workflow(call.render, item), "workflows")


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
    return call.page(
        found, lambda run: render_items.run(call.render, run), "workflow_runs", SEARCH_ENDS_AT if is_search else None
    )


@route("GET", "/actions/runs/{run}/jobs", permission="actions=read")
def jobs(call: Call) -> Result:
    """The jobs of a run's latest attempt."""
    found = run_of(call)
    return call.page(found.jobs, lambda item: render_items.job(call.render, found, item), "jobs")


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
    return Result(render_items.log_text(*job_of(call)).encode(), headers={"Content-Type": "text/plain"})


# ---------------------------------------------------------------------- settings, limits and the caller


@route("GET", "/environments/{name}", permission="actions=read")
def environment(call: Call) -> Result:
    """A deployment environment, whatever the case of its name."""
    name, admitted = _find_environment(call)
    return Result(render_items.environment(call.render, name, admitted))


@route("GET", "/environments/{name}/deployment-branch-policies", permission="actions=read")
def environment_patterns(call: Call) -> Result:
    """The patterns of an environment with selected refs; others have none."""
    _, admitted = _find_environment(call)
    listed = list(enumerate(admitted if isinstance(admitted, list) else [], start=1))
    return call.page(listed, lambda item: {"id": item[0], "node_id": "", **item[1]}, "branch_policies")


def _find_environment(call: Call) -> tuple[str, list[Json] | bool | None]:
    for name, admitted in call.state.environments.items():
        if name.lower() == call["name"].lower():
            return name, admitted
    raise not_found()


@route("GET", "/actions/permissions/workflow", permission="administration=read")
def workflow_permissions(call: Call) -> Result:
    """What the token of a workflow may do by default; for administrators."""
    call.demand("admin")
    return Result(call.state.workflow_permissions)
