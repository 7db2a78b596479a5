"""Where an adverse fact can be: alone, among many others of its kind, in a list that lies, or in another guise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from release_state.demo.loopback import Reply, Request

Side = Literal["newer", "older"]
Lie = Literal["counts more", "counts fewer", "no Link", "left out", "moves"]


@dataclass(frozen=True)
class Place:
    """Where a fact is put."""

    name: str
    others: int = 0
    """How many others of its kind are there."""
    side: Side = "newer"
    """Whether the fact is newer or older than they are: lists begin with the newest."""
    lie: Lie | None = None
    guise: str | None = None
    """Another form of the same fact; None: the plain one."""
    kept: bool = False
    """Whether an earlier run kept the answers of the time before."""
    late: bool = False
    """Whether it comes while a run that takes longer than a minute is at work, after all was looked at once."""


PLACES: Mapping[str, Place] = {
    place.name: place
    for place in (
        Place("alone"),
        Place("after a run that kept its answers", kept=True),
        Place("during a run of more than a minute", late=True),
        Place("before 30 others", 30),
        Place("behind 30 others", 30, "older"),
        Place("last of 100, no further page", 99, "older"),
        Place("behind 100 others", 100, "older"),
        Place("before 1,000 others", 1000),
        Place("behind 1,000 others", 1000, "older"),
        Place("a count above what the list holds", 130, "older", "counts more"),
        Place("a count below what the list holds", 130, "older", "counts fewer"),
        Place("a full page without its link to the next", 130, "older", "no Link"),
        Place("counted, and not in the list", 130, "older", "left out"),
        Place("moves to a page that was read", 300, "older", "moves"),
        Place("other spelling", guise="spelling"),
        Place("other zeros", guise="zeros"),
        Place("fewer numbers", guise="fewer"),
        Place("other workflow", guise="workflow"),
        Place("other event", guise="event"),
        Place("other app", guise="app"),
        Place("older address", guise="address"),
        Place("other channel", guise="channel"),
        Place("other version", guise="version"),
        Place("other branch", guise="branch"),
        Place("other remote", guise="remote"),
        Place("a fork's", guise="fork"),
        Place("newer than a good one", guise="newer"),
        Place("older than a good one", guise="older"),
    )
}

NOT_FOR: Mapping[str, str] = {
    "spelling": "only tags, branches, GitHub Releases and files are named after a version",
    "zeros": "only tags, branches, GitHub Releases and files are named after a version",
    "fewer": "only tags and GitHub Releases are moved along under fewer numbers",
    "workflow": "only runs, and checks that come of them, have a workflow",
    "event": "only runs, and checks that come of them, are started by an event",
    "app": "only check runs and statuses come from different apps",
    "address": "only check runs of Actions have two forms of address",
    "channel": "it belongs to no channel",
    "version": "it belongs to no version",
    "branch": "it is of no branch, or of one alone",
    "remote": "it is not in git",
    "fork": "only pull requests and their runs come from forks",
    "newer": "there is one of it at a time",
    "older": "there is one of it at a time",
}
"""Why a fact that does not say how it looks in a guise cannot have it."""


@dataclass(frozen=True)
class Kind:
    """What a list of such facts is like."""

    name: str
    path: str | None = None
    """GitHub's path of the list, a regular expression; None: it comes from elsewhere, or alone."""
    key: str | None = None
    """What holds the items in an answer; None: the answer is the list."""
    many: bool = True
    """Whether there can be others beside it."""

    def why_not(self, place: Place) -> str | None:
        """Why a place is impossible for this kind; None where it is possible."""
        if place.others and not self.many:
            return "there is one of it at a time"
        if place.lie in ("no Link", "moves") and self.path is None:
            return "its source has no pages"
        if place.lie in ("counts more", "counts fewer", "left out") and self.key is None:
            return "its source tells no count"
        return None


CHECK = Kind("check run", r"/commits/[^/]+/check-runs$", "check_runs")
STATUS = Kind("status", r"/commits/[^/]+/status$", "statuses")
RUN = Kind("run of CI", r"/actions/runs$", "workflow_runs")
RELEASE_RUN = Kind("release run", r"/actions/workflows/[^/]+/runs$", "workflow_runs")
PULL = Kind("pull request", r"/pulls$")
DRAFT = Kind("draft", r"/releases$")
RULESET = Kind("ruleset", r"/rulesets$")
RELEASE, BRANCH, TAG, FILE, PATH = Kind("GitHub Release"), Kind("branch"), Kind("tag"), Kind("file"), Kind("path")
SINGLE = Kind("single", many=False)


class Liar:
    """Rewrites the answers of one kind of list; `ids` are the fact's own items, `remove` takes an other one away."""

    def __init__(self, kind: Kind, lie: Lie, ids: frozenset[int], remove: Callable[[], None]) -> None:
        self.path = re.compile(f"/repos(itories)?/.*{kind.path}")
        self.kind, self.lie, self.ids, self.remove = kind, lie, ids, remove
        self._moved = False

    def __call__(self, request: Request, reply: Reply) -> Reply:
        """What is sent instead of the true answer."""
        if reply.status != 200 or not self.path.fullmatch(request.path):
            return reply
        if self.lie == "moves":
            if request.query.get("page", "1") == "1" and not self._moved:
                self._moved = True
                self.remove()
            return reply
        headers = dict(reply.headers)
        body: Any = json.loads(reply.body)
        items = body if self.kind.key is None else body[self.kind.key]
        if self.lie == "counts more":
            body["total_count"] += 1
        elif self.lie == "counts fewer":
            body["total_count"] = min(body["total_count"], int(request.query.get("per_page", "30")))
        elif self.lie == "no Link":
            headers.pop("Link", None)
        else:
            kept = [item for item in items if item["id"] not in self.ids]
            items[:] = kept
        headers.pop("ETag", None)
        return Reply(reply.status, headers, json.dumps(body).encode())
