"""Routes of GitHub Actions, of the caller's account and of its limits.

Source: https://docs.github.com/rest/actions, /rest/users, /rest/rate-limit
"""

from __future__ import annotations

import io
import zipfile
from datetime import datetime, timedelta, timezone

from release_state.demo.github import render_actions
from release_state.demo.github.model import Job, Json, Run, Workflow, moment
from release_state.demo.github.routing import ApiError, Call, Result, not_found, route

SEARCH_ENDS_AT = 1000
"""How many runs GitHub lists of those that a filter finds."""


@route("GET", "/actions/workflows", permission="actions=read")
def workflows(call: Call) -> Result:
    """All workflows."""
    found = list(call.state.workflows.values())
    return call.page(found, lambda item: render_actions.workflow(call.render, item), "workflows")


@route("GET", "/actions/workflows/{workflow}", permission="actions=read")
def workflow(call: Call) -> Result:
    """One workflow by its id or file name."""
    return Result(render_actions.workflow(call.render, _workflow(call)))


@route("GET", "/actions/workflows/{workflow}/runs", permission="actions=read")
def workflow_runs(call: Call) -> Result:
    """The runs of one workflow."""
    wanted = _workflow(call).id
    return _runs(call, [run for run in call.state.workflow_runs.values() if run.workflow_id == wanted])


@route("POST", "/actions/workflows/{workflow}/dispatches", right="write", permission="actions=write")
def dispatch(call: Call) -> Result:
    """Start a workflow by hand: what then happens is up to ``on_dispatch``."""
    found = _workflow(call)
    ref = call.body.get("ref")
    if not ref:
        raise ApiError(422, 'Invalid request.\n\n"ref" wasn\'t supplied.')
    if call.state.git.resolve(str(ref)) is None:
        raise ApiError(422, f"No ref found for: {ref}")
    if call.state.on_dispatch:
        call.state.on_dispatch(found.file, str(ref), call.body.get("inputs") or {})
    return Result(status=204)


def _workflow(call: Call) -> Workflow:
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


@route("GET", "/actions/runs/{run}", permission="actions=read")
def run(call: Call) -> Result:
    """One run."""
    return Result(render_actions.run(call.render, _run(call)))


@route("GET", "/actions/runs/{run}/jobs", permission="actions=read")
def jobs(call: Call) -> Result:
    """The jobs of a run's latest attempt."""
    found = _run(call)
    return call.page(found.jobs, lambda item: render_actions.job(call.render, found, item), "jobs")


def _run(call: Call) -> Run:
    found = call.state.workflow_runs.get(call.number("run"))
    if found is None:
        raise not_found()
    return found


def _job(call: Call) -> tuple[Run, Job]:
    number = call.number("job")
    for found in call.state.workflow_runs.values():
        for item in found.jobs:
            if item.id == number:
                return found, item
    raise not_found()


@route("GET", "/actions/jobs/{job}", permission="actions=read")
def job(call: Call) -> Result:
    """One job."""
    return Result(render_actions.job(call.render, *_job(call)))


@route("POST", "/actions/runs/{run}/cancel", right="write", permission="actions=write")
def cancel(call: Call) -> Result:
    """Cancel a run that is not finished."""
    found = _run(call)
    if found.status == "completed":
        raise ApiError(409, "Cannot cancel a workflow run that is completed.")
    found.status, found.conclusion, found.updated_at = "completed", "cancelled", moment(call.state.now())
    return Result({}, 202)


# ---------------------------------------------------------------------- logs


@route("GET", "/actions/runs/{run}/logs", permission="actions=read")
def run_logs(call: Call) -> Result:
    """A redirect to an archive of the run's logs."""
    found = _run(call)
    return _download(call, found, found.status, f"runs/{found.id}.zip")


@route("GET", "/actions/jobs/{job}/logs", permission="actions=read")
def job_logs(call: Call) -> Result:
    """A redirect to a job's log."""
    found, item = _job(call)
    return _download(call, found, item.status, f"jobs/{item.id}.txt")


def _download(call: Call, found: Run, status: str, name: str) -> Result:
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
    return Result(render_actions.log_text(*_job(call)).encode(), headers={"Content-Type": "text/plain"})


@route("GET", "/_logs/runs/{run}.zip", root=True)
def run_log(call: Call) -> Result:
    """The archive of a run's logs, one file for each job."""
    found = _run(call)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, item in enumerate(found.jobs):
            name = zipfile.ZipInfo(f"{index}_{item.name.replace('/', '_')}.txt")
            archive.writestr(name, render_actions.log_text(found, item))
    return Result(buffer.getvalue(), headers={"Content-Type": "application/zip"})


# ---------------------------------------------------------------------- settings, limits and the caller


@route("GET", "/actions/permissions/workflow", permission="administration=read")
def workflow_permissions(call: Call) -> Result:
    """What the token of a workflow may do by default; for administrators."""
    call.demand("admin")
    return Result(call.state.workflow_permissions)


@route("GET", "/user", root=True)
def user(call: Call) -> Result:
    """The caller's account."""
    if call.token is None:
        raise ApiError(401, "Requires authentication")
    if call.token.startswith("ghs_"):
        raise ApiError(403, "Resource not accessible by integration")
    more: Json = {
        "name": None, "company": None, "blog": "", "location": None, "email": None, "hireable": None, "bio": None,
        "twitter_username": None, "notification_email": None, "public_repos": 1, "public_gists": 0, "followers": 0,
        "following": 0, "created_at": "2020-01-02T03:04:05Z", "updated_at": "2024-01-02T03:04:05Z",
    }  # fmt: skip
    return Result(call.render.user(call.login) | more)
