"""Sentences that several checks share."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from datetime import datetime

from release_state.outcome import ActionNeeded, InProgress, NotApplicable
from release_state.plan import step
from release_state.snapshot import CheckResult, CommitChecks


def listing(items: Iterable[str], most: int = 5, total: int | None = None) -> str:
    """The items in one line, the first few and how many more there are."""
    items = list(items)
    more = (total or len(items)) - min(len(items), most)
    return "; ".join(items[:most]) + (f"; and {more} more" if more > 0 else "")


def commits(count: int) -> str:
    """`1 commit`, `2 commits`."""
    return f"{count} commit{'' if count == 1 else 's'}"


def age(minutes: float) -> str:
    """A duration in words, in the unit that fits: `5 min`, `3 h`, `12 days`."""
    whole = max(int(minutes), 0)
    if whole < 120:
        return f"{whole} min"
    return f"{whole // 60} h" if whole < 2880 else f"{whole // 1440} days"


def ci_state(checks: CommitChecks, *, needed: bool, base: str, required: frozenset[str], observed_at: datetime) -> None:
    """Judge CI of one commit; `required` names the checks that the base branch requires, as far as is known.

    Raises ActionNeeded where it is red or absent, InProgress where it is pending, NotApplicable where the project has
    none and needs none.
    """
    own = bool(checks.results)
    results = checks.results or checks.nearest_results
    where = checks.sha[:12] if own else f"{(checks.nearest or '')[:12]} ({checks.nearest_distance} before the head)"
    named = functools.partial(_named, required=required, observed_at=observed_at)
    note = f" (left out: {listing(checks.left_out)})" if checks.left_out else ""
    if not results:
        if not needed:
            raise NotApplicable("no CI, and the project says that it needs none (ci-required)")
        raise ActionNeeded(
            expected=f"CI on {checks.sha[:12]} or on one of its latest ancestors",
            found=f"no check run and no status{note}",
            why="nobody has tested what would be released",
            steps=[step(f"Run CI on {base}, or set ci-required = false")],
        )
    if red := [result for result in results if result.state == "failure"]:
        raise ActionNeeded(
            expected=f"green CI on {where}",
            found=f"red: {listing(map(named, red))}{note}",
            why="what would be released does not pass its own tests",
            steps=[step("Mend it or run it again", link=red[0].html_url)],
        )
    if pending := [result for result in results if result.state == "pending"]:
        raise InProgress(
            expected=f"finished CI on {where}",
            found=f"pending: {listing(map(named, pending))}{note}",
            why="pending is not green",
            steps=[step("Wait for it, then run this again", link=pending[0].html_url)],
        )
    if not any(result.state == "success" for result in results):
        raise ActionNeeded(
            expected=f"CI that ran on {where}",
            found=f"only skipped or neutral: {listing(map(named, results))}{note}",
            why="not red, but nothing was tested either",
            advice=True,
        )
    if not own:
        raise ActionNeeded(
            expected=f"CI on exactly {checks.sha[:12]}",
            found=f"none on it; green on its ancestor {where}{note}",
            why="the head's CI was skipped, by a marker in its message or by its paths",
            advice=True,
        )


def _named(result: CheckResult, required: frozenset[str], observed_at: datetime) -> str:
    kind = ", required" if result.name in required else ", not required" if required else ""
    since = ""
    if result.since and result.state == "pending":
        minutes = (observed_at - result.since).total_seconds() / 60
        since = f" since {result.since:%Y-%m-%d %H:%M} UTC ({age(minutes)})"
    page = f" {result.html_url}" if result.html_url and result.state in ("failure", "pending") else ""
    return f"{result.name} ({result.conclusion or result.state}{kind}){since}{page}"
