"""The health of what a release relies on: the CI of a commit, and the services by their status pages (pure)."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from msgspec import Struct

from release_state.common.text import join_items
from release_state.model.observation import NotObserved, Problem
from release_state.model.snapshot import CICheck, CommitChecks, ExpectedCI, ServiceStatus, Snapshot
from release_state.model.target import Target

BEGINS_WITHIN = timedelta(minutes=10)
"""The time after a push in which its workflow runs may still start."""
_GIT = ("git remote", "git history", "published commit")


class JudgedCI(Struct, frozen=True):
    """The state of a commit's CI, and the results behind it: the red ones, the pending ones, or all."""

    state: str
    """"red", "pending", "not begun", "missing", "green", "none" (no CI at all) or "idle" (only skipped or neutral)."""
    results: tuple[CICheck, ...] = ()
    missing: tuple[str, ...] = ()
    """Expected CI without a result, in words."""
    pushed: str = ""
    """Time and author of the push, in words; empty if not looked up."""
    by_ancestor: bool = False
    """Whether every green result is from an ancestor."""


def judge_ci(checks: CommitChecks) -> JudgedCI:
    """Judge a commit's CI. Raises NotObserved if that depends on the expected CI, and it is unknown."""
    if judged := _find_bad(checks.results):
        return judged
    expected = checks.expected
    if expected is None:
        raise NotObserved(Problem(source="GitHub", why="the expected CI was not looked up"))
    if missing := tuple(_list_missing(checks, expected)):
        push = expected.push
        is_fresh = push is not None and push.asked_at - push.at <= BEGINS_WITHIN
        return JudgedCI("not begun" if is_fresh else "missing", checks.results, missing, _describe_push(expected))
    if judged := _find_bad(checks.nearest_results):
        return judged
    own, ancestor = checks.results, checks.nearest_results
    if any(map(expected.is_vouched_by, own)):
        return JudgedCI("green", (*own, *ancestor))
    if any(map(expected.is_vouched_by, ancestor)):
        return JudgedCI("green", ancestor, by_ancestor=True)
    return JudgedCI("idle" if any(map(expected.is_of_ci, (*own, *ancestor))) else "none", (*own, *ancestor))


def _find_bad(results: tuple[CICheck, ...]) -> JudgedCI | None:
    for state, word in (("failure", "red"), ("pending", "pending")):
        if found := tuple(result for result in results if result.state == state):
            return JudgedCI(word, found)
    return None


def explain_missing(checks: CommitChecks, judged: JudgedCI, page: str) -> NotObserved:
    """The NotObserved for missing CI; `page` is where a person starts runs."""
    why = f"no result on {checks.sha[:12]} of {'; '.join(judged.missing)}{judged.pushed}"
    return NotObserved(Problem(source="GitHub", why=why, remedy=f"run it on this commit, then check again: {page}"))


def _list_missing(checks: CommitChecks, expected: ExpectedCI) -> list[str]:
    """Expected CI that neither the commit nor its stand-in ancestor has."""
    stands_in = checks.nearest_results if expected.skip or expected.kept_away else ()
    apps = checks.apps | {result.app for result in stands_in}
    names = {result.name for result in (*checks.results, *stands_in)}
    missing = [
        f"{workflow.file} ({workflow.why})"
        for workflow in expected.workflows
        if workflow.state in ("starts", "unknown") and workflow.file not in checks.ran
    ]
    missing += [
        f"{workflow.file} ({workflow.why}, and no recent ancestor has complete CI)"
        for workflow in expected.kept_away
        if checks.nearest is None and checks.results and not workflow.filtered
    ]
    if checks.nearest is None and not checks.results and expected.kept_away:
        return missing  # no CI anywhere
    commits = f"seen on each of the last {len(expected.apps_of)} commits"
    missing += [f"{app} ({commits})" for app in expected.apps if app not in apps]
    return missing + [f"{name} (required)" for name in expected.required if name not in names]


def _describe_push(expected: ExpectedCI) -> str:
    push = expected.push
    if push is None:
        return f"; the time of the push is unknown: {expected.push_unknown}" if expected.push_unknown else ""
    minutes = int((push.asked_at - push.at).total_seconds() // 60)
    return f"; pushed {push.at:%Y-%m-%d %H:%M} UTC, {minutes} min before" + (f", by {push.by}" if push.by else "")


def describe_trouble(status: ServiceStatus) -> str:
    """The degraded components and the incidents with their pages; empty if there are none."""
    levels = [f"{component.name}: {component.level}" for component in status.components if not component.is_well]
    incidents = [f"{incident.title} ({incident.link or status.url})" for incident in status.incidents]
    return join_items([*levels, *incidents], most=6)


def explain_by_status(snapshot: Snapshot, problem: Problem) -> str:
    """The trouble on the status page of the failed service, as a reason to wait; empty if there is none."""
    name = _find_service(problem, snapshot.target)
    status = snapshot.services[name].value if name in snapshot.services else None
    if status is None or status.is_well:
        return ""
    return f"{name}'s status page reports trouble: wait, then run this again: {describe_trouble(status)}"


def _find_service(problem: Problem, target: Target) -> str:
    """The service of a problem's source; empty for this machine and other services."""
    if problem.source.startswith("GitHub"):
        return "GitHub"
    if problem.source.startswith("index "):
        # PyPI's status says nothing about a private index of another channel.
        channel = target.find_channel(problem.source.removeprefix("index "))
        has_page = channel is not None and (channel.is_public_index or channel.name == target.channel.name)
        return "PyPI" if has_page else ""
    host = urlsplit(target.remote_url).hostname or target.remote_url.rpartition("@")[2].partition(":")[0]
    on_github = host == urlsplit(target.github_web).hostname
    return "GitHub" if on_github and problem.source in _GIT else ""
