"""Judge the CI of one commit: red, green, pending, missing or none (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from release_state.model.observation import NotObserved, Problem
from release_state.model.snapshot import CICheck, CommitChecks, ExpectedCI

BEGINS_WITHIN = timedelta(minutes=10)
"""How long after a push its workflow runs may still be about to start."""


@dataclass(frozen=True)
class JudgedCI:
    """The state of a commit's CI, and the results behind it."""

    state: str
    """"red", "pending", "not begun", "missing", "green", "none" (no CI at all) or "idle" (only skipped or neutral)."""
    results: tuple[CICheck, ...] = ()
    """The red ones, the pending ones, or all."""
    missing: tuple[str, ...] = ()
    """Expected CI without a result, in words."""
    pushed: str = ""
    """When and by whom the commit was pushed, in words; empty if not looked up."""
    by_ancestor: bool = False
    """Whether every green result is from an ancestor."""


def judge_ci(checks: CommitChecks) -> JudgedCI:
    """Judge a commit's CI. Raises NotObserved if the verdict depends on the expected CI and that is unknown."""
    for state, word in (("failure", "red"), ("pending", "pending")):
        if found := tuple(result for result in checks.results if result.state == state):
            return JudgedCI(word, found)
    expected = checks.expected
    if expected is None:
        raise NotObserved(Problem(source="GitHub", why="the expected CI was not looked up"))
    if missing := tuple(_missing(checks, expected)):
        push = expected.push
        fresh = push is not None and push.asked_at - push.at <= BEGINS_WITHIN
        return JudgedCI("not begun" if fresh else "missing", checks.results, missing, _pushed(expected))
    for state, word in (("failure", "red"), ("pending", "pending")):
        if found := tuple(result for result in checks.nearest_results if result.state == state):
            return JudgedCI(word, found)
    own, carried = checks.results, checks.nearest_results
    if any(map(expected.is_vouched_by, own)):
        return JudgedCI("green", (*own, *carried))
    if any(map(expected.is_vouched_by, carried)):
        return JudgedCI("green", carried, by_ancestor=True)
    return JudgedCI("idle" if any(map(expected.is_of_ci, (*own, *carried))) else "none", (*own, *carried))


def explain_missing(checks: CommitChecks, judged: JudgedCI, page: str) -> NotObserved:
    """The NotObserved for expected CI without a result; `page` is where a person starts runs."""
    return NotObserved(
        Problem(
            source="GitHub",
            why=f"no result on {checks.sha[:12]} of {'; '.join(judged.missing)}{judged.pushed}",
            remedy=f"run it on this commit, then check again: {page}",
        )
    )


def _missing(checks: CommitChecks, expected: ExpectedCI) -> list[str]:
    """Expected CI that neither the commit nor its stand-in ancestor has."""
    stands_in = checks.nearest_results if expected.skip or expected.kept_away else ()
    apps = checks.apps | {result.app for result in stands_in}
    names = {result.name for result in (*checks.results, *stands_in)}
    found = [
        f"{workflow.file} ({workflow.why})"
        for workflow in expected.workflows
        if workflow.state in ("starts", "unknown") and workflow.file not in checks.ran
    ]
    nobody = checks.nearest is None and bool(checks.results)
    found += [
        f"{workflow.file} ({workflow.why}, and no recent ancestor has complete CI)"
        for workflow in expected.kept_away
        if nobody and not workflow.filtered
    ]
    if checks.nearest is None and not checks.results and expected.kept_away:
        return found  # no CI anywhere: nothing stands in
    commits = f"seen on each of the last {len(expected.apps_of)} commits"
    found += [f"{app} ({commits})" for app in expected.apps if app not in apps]
    return found + [f"{name} (required)" for name in expected.required if name not in names]


def _pushed(expected: ExpectedCI) -> str:
    push = expected.push
    if push is None:
        return f"; the time of the push is unknown: {expected.push_unknown}" if expected.push_unknown else ""
    minutes = int((push.asked_at - push.at).total_seconds() // 60)
    return f"; pushed {push.at:%Y-%m-%d %H:%M} UTC, {minutes} min before" + (f", by {push.by}" if push.by else "")
