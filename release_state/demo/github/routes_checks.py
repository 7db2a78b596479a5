"""Routes of one commit: its check runs, statuses, pull requests, and itself.

Source: https://docs.github.com/rest/checks/runs, /rest/commits/statuses
"""

from __future__ import annotations

from itertools import islice

from release_state.demo.github import render_actions
from release_state.demo.github.model import Json, Status, stamp
from release_state.demo.github.render import node_id, number_of
from release_state.demo.github.routes import commit_of
from release_state.demo.github.routing import Call, Result, not_found, route
from release_state.demo.github.state_pushes import Activity


@route("GET", "/commits/{ref:path}/check-runs", permission="checks=read")
def check_runs(call: Call) -> Result:
    """The check runs of a commit; by default of each suite and name the newest only."""
    sha = commit_of(call).sha
    found = [check for check in call.state.check_runs if check.sha == sha]
    if call.query.get("filter", "latest") == "latest":
        found = list({(check.check_suite, check.app, check.name): check for check in found}.values())
    wanted = {"check_name": "name", "status": "status"}
    for parameter, attribute in wanted.items():
        if parameter in call.query:
            found = [check for check in found if getattr(check, attribute) == call.query[parameter]]
    if "app_id" in call.query:
        found = [c for c in found if str(render_actions.check_run(call.render, c)["app"]["id"]) == call.query["app_id"]]
    newest_first = sorted(found, key=lambda check: check.id, reverse=True)
    return call.page(newest_first, lambda check: render_actions.check_run(call.render, check), "check_runs")


def statuses_of(call: Call) -> tuple[str, list[Status]]:
    sha = call.state.git.resolve(call["ref"])
    if sha is None:
        raise not_found()
    return sha, [status for status in reversed(call.state.statuses) if status.sha == sha]


@route("GET", "/commits/{ref:path}/status", permission="statuses=read")
def combined_status(call: Call) -> Result:
    """The newest status of each context and what they come to together; it knows nothing of check runs."""
    sha, found = statuses_of(call)
    newest: dict[str, Status] = {}
    for status in found:
        newest.setdefault(status.context, status)
    shown = call.page(list(newest.values()), lambda status: status)
    body = render_actions.combined_status(call.render, sha, list(newest.values()))
    body["statuses"] = [render_actions.simple_status(call.render, status) for status in shown.body]
    return Result(body, headers=shown.headers)


_MOST = 500


@route("GET", "/activity", permission="contents=read")
def activity(call: Call) -> Result:
    """The pushes to one branch or to all, the newest first."""
    wanted = call.query.get("ref", "")
    refs = [ref.name for ref in call.state.git.refs("refs/heads/") if wanted in ("", ref.name, ref.name[11:])]
    found = [push for ref in refs for push in islice(call.state.activities(ref), _MOST)]
    for parameter, attribute in (("actor", "actor"), ("activity_type", "kind")):
        if parameter in call.query:
            found = [push for push in found if getattr(push, attribute) == call.query[parameter]]
    if not wanted:
        found.sort(key=lambda push: push.at, reverse=True)
    if call.query.get("direction") == "asc":
        found.reverse()
    return call.page(found, lambda push: _show(call, push))


def _show(call: Call, push: Activity) -> Json:
    number = number_of(f"{push.ref} {push.after}")
    return {
        "id": number, "node_id": node_id("PSH", number), "before": push.before, "after": push.after, "ref": push.ref,
        "timestamp": stamp(push.at), "activity_type": push.kind, "actor": call.render.user(push.actor),
    }  # fmt: skip
