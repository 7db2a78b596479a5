"""Routes of GitHub Actions, of the caller's account and of its limits.

Source: https://docs.github.com/rest/actions, /rest/users, /rest/rate-limit
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from release_state.demo.github import render_actions
from release_state.demo.github.model import Job, Run, Workflow, moment
from release_state.demo.github.routing import ApiError, Call, Result, not_found, route

SEARCH_ENDS_AT = 1000
"""How many runs GitHub lists of those that a filter finds."""


@route("GET", "/actions/workflows", permission="actions=read")
def workflows(call: Call) -> Result:
    """All workflows."""
    found = list(call.state.workflows.values())
    return call.page(found, lambda item: render_actions.workflow(call.render, item), "workflows")


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
    is_search = bool({"actor", "branch", "check_suite_id", "created", "event", "head_sha", "status"} & set(query))
    if "check_suite_id" in query:
        found = [run for run in found if str(run.check_suite) == query["check_suite_id"]]
    for parameter in ("branch", "event", "actor", "head_sha"):
        if parameter in query:
            attribute = "head_branch" if parameter == "branch" else parameter
            found = [run for run in found if getattr(run, attribute) == query[parameter]]
    if "status" in query:
        # One parameter asks for a status or for a conclusion.
        found = [run for run in found if query["status"] in (run.status, run.conclusion)]
    if "created" in query:
        first, after = _span_of(query["created"])
        found = [run for run in found if first <= run.created_at < after]
    found.sort(key=lambda run: (run.created_at, run.id), reverse=True)
    return call.page(
        found, lambda run: render_actions.run(call.render, run), "workflow_runs", SEARCH_ENDS_AT if is_search else None
    )


def _span_of(wanted: str) -> tuple[datetime, datetime]:
    """GitHub's search syntax for dates (``>=D``, ``>D``, ``<=D``, ``<D``, ``D..D``, ``D``) as first and after the last.

    A date is its whole day. Source: https://docs.github.com/search-github/getting-started-with-searching-on-github
    """
    always, never = datetime.min.replace(tzinfo=timezone.utc), datetime.max.replace(tzinfo=timezone.utc)
    for sign in (">=", "<=", ">", "<"):
        if wanted.startswith(sign):
            first, after = _span(wanted.removeprefix(sign))
            return {">=": (first, never), "<=": (always, after), ">": (after, never), "<": (always, first)}[sign]
    start, dots, end = wanted.partition("..")
    early = always if start == "*" else _span(start)[0]
    return early, never if end == "*" else _span(end if dots else start)[1]


def _span(text: str) -> tuple[datetime, datetime]:
    try:
        if len(text) == 10:
            first = moment(f"{text}T00:00:00Z")
            return first, first + timedelta(days=1)
        # A blank stands for the plus sign of a zone that a client did not encode.
        return moment(text.replace(" ", "+")), moment(text.replace(" ", "+")) + timedelta(seconds=1)
    except ValueError as error:
        raise ApiError(422, "Validation Failed") from error


@route("GET", "/actions/runs/{run}/jobs", permission="actions=read")
def jobs(call: Call) -> Result:
    """The jobs of a run's latest attempt."""
    found = run_of(call)
    return call.page(found.jobs, lambda item: render_actions.job(call.render, found, item), "jobs")


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
    return Result(render_actions.log_text(*job_of(call)).encode(), headers={"Content-Type": "text/plain"})


# ---------------------------------------------------------------------- settings, limits and the caller


@route("GET", "/actions/permissions/workflow", permission="administration=read")
def workflow_permissions(call: Call) -> Result:
    """What the token of a workflow may do by default; for administrators."""
    call.demand("admin")
    return Result(call.state.workflow_permissions)
