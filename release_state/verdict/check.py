"""What makes a pytest test a check: a stable ID, the look-ups it reads, its level; and how its end becomes a result."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from release_state.common.errors import format_error
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import CheckResult, Outcome, Phase, Statement, name_phase
from release_state.model.snapshot import LOOKUPS

Function = TypeVar("Function", bound=Callable[..., None])

MARKER = "release_state_check"
DECLARED: list[Callable[..., None]] = []
"""Every function that was declared as a check in this process; loading compares what it finds with them."""


@dataclass(frozen=True)
class CheckInfo:
    """The declaration of a check."""

    id: str
    title: str
    """First paragraph of the docstring: a fact that should be true."""
    remedy: str
    """The rest of the docstring: what it means, what causes it, what to do."""
    reads: tuple[str, ...]
    blocking: bool
    may_block: tuple[Phase, ...]
    """The phases in which some of its advice blocks."""
    scenario: str | None
    phases: tuple[Phase, ...]
    """Empty for a check of an audit or a fleet."""
    function: str
    file: str
    """Its name; the whole path for a check of one's own."""
    line: int
    call: Callable[..., None] = field(compare=False, repr=False)
    """The function itself."""
    origin: str = ""
    """Where a check of one's own comes from, as `--checks` names it; empty for one of the suite."""

    @property
    def places(self) -> str:
        """The check's phases in words, or "audit" or "fleet"."""
        return ", ".join(name_phase(phase) for phase in self.phases) or self.id.partition("-")[0].lower()

    def decides_in(self, phase: Phase) -> bool:
        """Return whether the verdict of a phase may depend on it: it blocks, or some of its advice does."""
        return self.blocking or phase in self.may_block

    @property
    def source(self) -> str:
        """The check's trace, from the ID: `BRANCH-1` → "branch"."""
        return self.id.rpartition("-")[0].lower()


def check(
    check_id: str,
    *,
    reads: Sequence[str],
    advice: bool = False,
    may_block: Sequence[Phase] = (),
    scenario: str | None = None,
) -> Callable[[Function], Function]:
    """Declare a test function as a check; `reads` names its look-ups, so that a narrowed run makes no others.

    `may_block` names the phases in which some of its advice blocks: a run there that leaves it out is not green. Raises
    ValueError on a name that is no look-up, and TypeError if it does not stand above a function.
    """
    if wrong := set(reads) - set(LOOKUPS):
        raise ValueError(f"{check_id} reads {sorted(wrong)}; the look-ups are {', '.join(LOOKUPS)}")
    marker: pytest.MarkDecorator = getattr(pytest.mark, MARKER)
    mark = marker(check_id, reads=tuple(reads), advice=advice, may_block=tuple(may_block), scenario=scenario)

    def declare(function: Function) -> Function:
        if not inspect.isfunction(function):
            raise TypeError(f"{check_id} is declared on {function!r}, which is no function")
        DECLARED.append(function)
        return mark(function)

    return declare


def run_function(function: Callable[..., None], given: Mapping[str, Any]) -> None:
    """Call a check with its arguments. It speaks by raising: what it returns instead would be a verdict that is lost.

    Raises TypeError if it returns something, and RuntimeError if it tries to end the process.
    """
    try:
        returned: object = function(**given)  # type: ignore[func-returns-value]
    except SystemExit as error:
        raise RuntimeError(f"it called sys.exit({error.code!r})") from error
    if returned is not None:
        raise TypeError(f"it returned {type(returned).__name__}; a check raises what it found, and returns nothing")


def describe(function: Callable[..., None], module_marks: Sequence[pytest.MarkDecorator] = ()) -> CheckInfo | None:
    """The declaration of a test function; None if it is no check."""
    marks = {mark.name: mark for mark in getattr(function, "pytestmark", [])}
    if MARKER not in marks:
        return None
    names = set(marks) | {mark.name for mark in module_marks}
    mark = marks[MARKER]
    title, _, remedy = inspect.cleandoc(function.__doc__ or "").partition("\n\n")
    return CheckInfo(
        id=mark.args[0],
        title=" ".join(title.split()),
        remedy=remedy,
        reads=mark.kwargs["reads"],
        blocking=not mark.kwargs["advice"],
        may_block=mark.kwargs["may_block"],
        scenario=mark.kwargs["scenario"],
        phases=tuple(phase for phase in Phase if phase.marker in names),
        function=function.__name__,
        file=Path(inspect.getfile(function)).name,
        line=function.__code__.co_firstlineno,
        call=function,
    )


def list_marks(module: object) -> list[pytest.MarkDecorator]:
    """The markers that a module puts on all of its checks."""
    marks = getattr(module, "pytestmark", [])
    return marks if isinstance(marks, list) else [marks]


def select_phase(checks: Sequence[CheckInfo], phase: Phase, files: Collection[str] = ()) -> tuple[CheckInfo, ...]:
    """The checks of one phase; if a run names `files` (as `test_rollback.py`), without the advice of other files.

    Advice that may block and checks of one's own belong to every run.
    """
    return tuple(
        check
        for check in checks
        if phase in check.phases and (check.decides_in(phase) or not files or check.file in files or check.origin)
    )


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
