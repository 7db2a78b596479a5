"""The pushes to a branch, and which workflows a push starts.

Sources: https://docs.github.com/rest/repos/repos#list-repository-activities, and
https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#push
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from release_state.facts.workflow.triggers import BOT, PushTrigger, find_skip_marker
from release_state.model.snapshot import Push
from release_state.observe.git.workflow_files import MOST_CHANGED
from release_state.observe.github.api import Fields, GitHubApi, failure
from release_state.observe.github.lists import GitHubList

_MOST = 30
"""How many of the newest pushes to the branch are read."""

Changed = Callable[[str, str], "tuple[str, ...] | None"]
"""Returns the paths that differ between two commits; None if they cannot be read."""


@dataclass(frozen=True)
class PushLog:
    """The newest pushes to a branch, each by the head commit that it left."""

    pushes: Mapping[str, Push]

    def of(self, sha: str) -> tuple[Push | None, str]:
        """The push that made a commit the head; or None and why it is unknown."""
        push = self.pushes.get(sha)
        return push, "" if push else f"GitHub's log of activities does not list the push of {sha[:12]}"


def read_push_log(api: GitHubApi, place: str, branch: str, deadline: float) -> PushLog:
    """The newest pushes to a branch. Raises LookupFailed."""
    ref, asked_at = f"refs/heads/{branch}", list[datetime]()

    def enough(page: list[Fields], date: datetime) -> bool:
        asked_at.append(date)
        return True

    found = GitHubList(
        api,
        f"{place}/activity",
        "activities",
        params={"ref": ref, "per_page": _MOST},
        deadline=deadline,
        enough=enough,
        newest_first="timestamp",
    ).read()
    pushes: dict[str, Push] = {}
    for item in found:
        if item.text("ref") != ref:
            raise failure(f"requested the activities of {ref}, GitHub gave one of {item.text('ref')}")
        push = Push(
            before=item.sha("before"),
            at=item.moment("timestamp"),
            by=item.login("actor"),
            kind=item.text("activity_type"),
            asked_at=asked_at[0],
        )
        pushes.setdefault(item.text("after"), push)  # a commit can be the head several times: the last one counts
    return PushLog(pushes)


@dataclass(frozen=True)
class StartState:
    """Whether a push starts a workflow ("starts", "kept away" or "unknown"), and why."""

    state: str
    why: str


def predict_start(
    trigger: PushTrigger | None, sha: str, message: str, log: Callable[[], PushLog], changed: Changed, branch: str
) -> StartState:
    """Say whether the push of a head commit starts a workflow that is triggered by pushes to the branch.

    `trigger` is None if the workflow's file cannot be read. The push log is read only if the message does not decide.
    """
    if skip := find_skip_marker(message):
        return StartState("kept away", f"the commit message says {skip}")
    push, why = log().of(sha)
    if push and push.by == BOT:
        return StartState("kept away", f"{BOT} pushed it, and its pushes start no workflow")
    if trigger is None:
        return StartState("unknown", "its file cannot be read")
    if not trigger.has_paths:
        return StartState("starts", f"starts on a push to {branch}")
    if push is None:
        return StartState("unknown", f"it depends on the changed files, and the push is unknown: {why}")
    paths = changed(push.before, sha)
    if paths is None:
        return StartState("unknown", "it depends on the changed files, and they could not be read")
    if len(paths) > MOST_CHANGED:
        return StartState("unknown", f"it depends on the changed files, and the push changed {len(paths)}")
    if trigger.takes(paths):
        return StartState("starts", f"starts on a push to {branch} that changes these files")
    return StartState("kept away", f"its path filter excludes all {len(paths)} files that the push changed")
