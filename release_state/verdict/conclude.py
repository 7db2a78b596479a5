"""Turn the end of a check into its result (pure)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from release_state.common.errors import format_error
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import CheckResult, Outcome, Statement
from release_state.verdict.check import CheckInfo

REMEDY = "run without the pytest plugin that did this: -p no:NAME"
"""The fix where a plugin hides how a check ended."""

ADVICE = "advice"
"""The name under which findings that do not block are counted."""
COUNTED = [
    word for each in Outcome for word in ([each.words, ADVICE] if each is Outcome.ACTION_NEEDED else [each.words])
]
"""The names under which checks are counted, in the order of the summary."""


def conclude(
    info: CheckInfo,
    error: BaseException | None,
    target: str,
    *,
    seconds: float,
    where: str,
    explain: Callable[[Problem], str] = lambda problem: "",
) -> CheckResult:
    """The result of a check that ended with an exception, or with none.

    `where` is the check's place in a defect's words; `explain` adds a likely cause of a failed look-up.
    """
    fields: dict[str, Any] = {}
    blocking = info.blocking
    if error is None:
        outcome = Outcome.HOLDS
    elif isinstance(error, Statement):
        outcome = error.outcome
        fields = {"expected": error.expected, "found": error.found, "why": error.why, "steps": error.steps}
        blocking = error.decides(blocking)
    elif isinstance(error, NotObserved):
        outcome, problem = Outcome.UNKNOWN, error.problem
        fields = {
            "expected": info.title,
            "found": f"could not read {problem.source}: {problem.why}",
            "why": "; ".join(filter(None, [problem.remedy, explain(problem)])),
            "retry_at": problem.retry_at.isoformat() if problem.retry_at else None,
        }
    elif isinstance(error, pytest.skip.Exception):
        # Some plugin's skip: a check never skips itself, it says that it is not applicable.
        outcome, fields = Outcome.UNKNOWN, {"expected": info.title, "found": f"skipped: {error}", "why": REMEDY}
    else:
        outcome, fields = Outcome.DEFECT, {"found": f"{format_error(error)} ({where})"}
    return CheckResult(
        id=info.id,
        title=info.title,
        source=info.source,
        blocking=blocking,
        outcome=outcome,
        target=target,
        scenario=info.scenario,
        seconds=round(seconds, 4),
        **fields,
    )
