"""The route of a repository's activities: what was pushed to its branches.

Source: https://docs.github.com/rest/repos/repos#list-repository-activities
"""

from __future__ import annotations

from itertools import islice

from release_state.demo.github.model import Json, stamp
from release_state.demo.github.render import node_id, number_of
from release_state.demo.github.routing import Call, Result, route
from release_state.demo.github.state_pushes import Activity

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
