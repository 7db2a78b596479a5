"""Turn the end of a check into its result (pure)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from release_state.common.errors import format_error
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import CheckResult, Outcome, Statement
from release_state.verdict.check import CheckInfo

REMEDY = "run without the pytest plugin that did this: -p no:NAME"
"""Against a plugin that keeps a check from saying how it ended."""

ADVICE = "advice"
"""What a check is counted as that needs action and does not block."""
COUNTED = [
    word for each in Outcome for word in ([each.words, ADVICE] if each is Outcome.ACTION_NEEDED else [each.words])
]
"""What checks are counted as, in the order in which the counts are told."""


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

    `where` names it if it is a defect; `explain` says what else may explain that something could not be observed.
    """
    given: dict[str, Any] = {}
    blocking = info.blocking
    if error is None:
        outcome = Outcome.HOLDS
    elif isinstance(error, Statement):
        outcome = error.outcome
        given = {"expected": error.expected, "found": error.found, "why": error.why, "steps": error.steps}
        blocking = error.decides(blocking)
    elif isinstance(error, NotObserved):
        outcome, problem = Outcome.UNKNOWN, error.problem
        given = {
            "expected": info.title,
            "found": f"could not read {problem.source}: {problem.why}",
            "why": "; ".join(filter(None, [problem.remedy, explain(problem)])),
            "retry_at": problem.retry_at.isoformat() if problem.retry_at else None,
        }
    elif not isinstance(error, Exception):
        # pytest's skip: no check skips itself, it says that it is not applicable.
        outcome, given = Outcome.UNKNOWN, {"expected": info.title, "found": f"skipped: {error}", "why": REMEDY}
    else:
        outcome, given = Outcome.DEFECT, {"found": f"{format_error(error)} ({where})"}
    return CheckResult(
        id=info.id,
        title=info.title,
        source=info.source,
        blocking=blocking,
        outcome=outcome,
        target=target,
        scenario=info.scenario,
        seconds=round(seconds, 4),
        **given,
    )
