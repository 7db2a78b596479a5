"""Judge the CI of one commit for a check (pure)."""

from __future__ import annotations

import functools
from datetime import datetime

from release_state.common.text import format_duration, join_items
from release_state.facts.health import explain_missing, judge_ci
from release_state.model.outcome import ActionNeeded, InProgress, NotApplicable
from release_state.model.plan import step
from release_state.model.snapshot import CICheck, CommitChecks


def judge_commit(
    checks: CommitChecks, *, needed: bool, base: str, required: frozenset[str], observed_at: datetime, page: str
) -> None:
    """Judge CI of one commit; `required` are the required checks of the base branch, `page` shows its runs.

    Raises ActionNeeded if CI is red or absent, InProgress if it is pending or has not begun, NotObserved if an expected
    result never came, NotApplicable if the project has none and needs none.
    """
    ci = judge_ci(checks)
    describe = functools.partial(_describe, required=required, observed_at=observed_at)
    results = join_items(map(describe, ci.results))
    note = f" (left out: {join_items(checks.left_out)})" if checks.left_out else ""
    sha, ancestor = checks.sha[:12], f"{(checks.nearest or '')[:12]} ({checks.nearest_distance} before the head)"
    if not needed and (ci.state == "none" or (ci.state == "missing" and not checks.results)):
        raise NotApplicable("no CI, and the project requires none (ci-required)")
    if ci.state in ("red", "pending"):
        first = ci.results[0]
        where = ancestor if first.commit == checks.nearest else sha
        away = f"; it has no CI of its own: {_explain_absence(checks)}" if first.commit else ""
        if away and any(map(checks.expected.is_vouched_by, checks.results) if checks.expected else ()):
            away = f"; {sha} skips these jobs"
        found_words = f"{ci.state}: {results}{note}"
        if ci.state == "red":
            raise ActionNeeded(
                expected=f"green CI on {where}",
                found=found_words,
                why=f"the code to release does not pass its own tests{away}",
                steps=[step("Fix it, or run it again", link=first.html_url)],
            )
        raise InProgress(
            expected=f"finished CI on {where}",
            found=found_words,
            why=f"pending CI is not green{away}",
            steps=[step("Wait for it, then run this again", link=first.html_url)],
        )
    if ci.state == "not begun":
        raise InProgress(
            expected=f"finished CI on {sha}",
            found=f"not begun: {join_items(ci.missing)}{ci.pushed}{note}",
            why="CI starts within minutes of a push",
            steps=[step("Wait for it, then run this again", link=page)],
        )
    if ci.state == "missing":
        raise explain_missing(checks, ci, page)
    if ci.state == "none":
        others = f", but for {join_items(result.name for result in ci.results)}" if ci.results else ""
        off = checks.expected.switched_off if checks.expected else ()
        others += f"; {join_items(f'{workflow.file}: {workflow.why}' for workflow in off)}" if off else ""
        raise ActionNeeded(
            expected=f"CI on {sha} or on one of its latest ancestors",
            found=f"no check run and no commit status{others}{note}",
            why="nobody has tested the code to release",
            steps=[step(f"Run CI on {base}, or set ci-required = false")],
        )
    if ci.state == "idle":
        raise ActionNeeded(
            expected=f"CI that ran on {sha}",
            found=f"only skipped or neutral: {results}{note}",
            why="not red, but nothing was tested",
            advice=True,
        )
    if ci.by_ancestor:
        raise ActionNeeded(
            expected=f"CI on exactly {sha}",
            found=f"none on this commit; green on its ancestor {ancestor}{note}",
            why=_explain_absence(checks),
            advice=True,
        )


def _explain_absence(checks: CommitChecks) -> str:
    """Why no workflow started for a commit, if known."""
    expected = checks.expected
    if expected is None:
        return ""
    if expected.kept_away:
        return join_items(f"{workflow.file}: {workflow.why}" for workflow in expected.kept_away)
    if expected.skip:
        return f"the commit message says {expected.skip}"
    return "no workflow starts on a push to the base branch" if not expected.workflows else "none of its jobs ran"


def _describe(result: CICheck, required: frozenset[str], observed_at: datetime) -> str:
    kind = ", required" if result.name in required else ", not required" if required else ""
    since = ""
    if result.since and result.state == "pending":
        minutes = (observed_at - result.since).total_seconds() / 60
        since = f" since {result.since:%Y-%m-%d %H:%M} UTC ({format_duration(minutes)})"
    page = f" {result.html_url}" if result.html_url and result.state in ("failure", "pending") else ""
    at = f", on {result.commit[:12]}" if result.commit else ""
    return f"{result.name} ({result.conclusion or result.state}{kind}{at}){since}{page}"
