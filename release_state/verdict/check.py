"""What makes a pytest test a check: a stable ID, the look-ups it reads, its level."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from release_state.model.outcome import Phase, name_phase
from release_state.model.snapshot import LOOKUPS

Function = TypeVar("Function", bound=Callable[..., None])

MARKER = "release_state_check"


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
    scenario: str | None
    phases: tuple[Phase, ...]
    """Empty for a check of an audit or a fleet."""
    function: str
    file: str
    line: int

    @property
    def places(self) -> str:
        """The check's phases in words, or "audit" or "fleet"."""
        return ", ".join(name_phase(phase) for phase in self.phases) or self.id.partition("-")[0].lower()

    @property
    def source(self) -> str:
        """The check's trace, from the ID: `BRANCH-1` → "branch"."""
        return self.id.rpartition("-")[0].lower()


def check(
    check_id: str, *, reads: Sequence[str], advice: bool = False, scenario: str | None = None
) -> Callable[[Function], Function]:
    """Declare a test function as a check; `reads` names its look-ups, so that a narrowed run makes no others.

    Raises ValueError on a name that is no look-up.
    """
    if wrong := set(reads) - set(LOOKUPS):
        raise ValueError(f"{check_id} reads {sorted(wrong)}; the look-ups are {', '.join(LOOKUPS)}")
    marker: pytest.MarkDecorator = getattr(pytest.mark, MARKER)
    return marker(check_id, reads=tuple(reads), advice=advice, scenario=scenario)


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
        scenario=mark.kwargs["scenario"],
        phases=tuple(phase for phase in Phase if phase.marker in names),
        function=function.__name__,
        file=Path(inspect.getfile(function)).name,
        line=function.__code__.co_firstlineno,
    )


def select_phase(checks: Sequence[CheckInfo], phase: Phase, files: Collection[str] = ()) -> tuple[CheckInfo, ...]:
    """The checks of one phase; if a run names `files` (as `test_pre_release.py`), without the advice of other files."""
    return tuple(
        check for check in checks if phase in check.phases and (check.blocking or not files or check.file in files)
    )
