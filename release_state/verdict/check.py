"""What makes a pytest test a check: a stable ID, the facts it reads, its level; and the catalogue of all checks."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import pytest

from release_state.model.outcome import Phase
from release_state.model.snapshot import LOOKUPS

Function = TypeVar("Function", bound=Callable[..., None])

MARKER = "release_state_check"
_loading = threading.RLock()

OF_MANY = ("audit", "fleet")
"""The markers of checks that look at a whole history, or at many projects: they belong to no phase."""


@dataclass(frozen=True)
class CheckInfo:
    """A check as it is declared."""

    id: str
    title: str
    """First paragraph of the docstring: a fact that should be true."""
    remedy: str
    """The rest of the docstring: what it means, what causes it, what to do."""
    reads: tuple[str, ...]
    blocking: bool
    scenario: str | None
    phases: tuple[Phase, ...]
    """Empty for a check of many, which has no phase."""
    function: str
    file: str
    line: int

    @property
    def places(self) -> str:
        """Where it belongs, in words: its phases, or "audit" or "fleet"."""
        return ", ".join(phase.value for phase in self.phases) or self.id.partition("-")[0].lower()

    @property
    def source(self) -> str:
        """The trace that it looks at, from the ID: `BRANCH-1` → "branch"."""
        return self.id.rpartition("-")[0].lower()


def check(
    check_id: str, *, reads: Sequence[str], advice: bool = False, scenario: str | None = None
) -> Callable[[Function], Function]:
    """Declare a test function to be a check.

    `reads` names the look-ups (fields of the snapshot) that it needs, so that a narrowed run asks for no more.
    Raises ValueError on a name that is no look-up.
    """
    if wrong := set(reads) - set(LOOKUPS):
        raise ValueError(f"{check_id} reads {sorted(wrong)}; the look-ups are {', '.join(LOOKUPS)}")
    marker = getattr(pytest.mark, MARKER)(check_id, reads=tuple(reads), advice=advice, scenario=scenario)

    def declare(function: Function) -> Function:
        marked: Function = marker(function)
        return marked

    return declare


def describe(function: Callable[..., None], module_marks: Sequence[pytest.MarkDecorator] = ()) -> CheckInfo | None:
    """What a test function declares; None for a function that is no check."""
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


@cache
def catalogue(folder: Path) -> tuple[CheckInfo, ...]:
    """Every check of the folder's `test_*.py` files, in the order of the files and their lines.

    What a phase consists of is taken from here and not from what pytest collected: a run that was narrowed cannot
    pass for the whole phase. Raises ValueError where two checks share an ID or a check belongs to no phase.
    """
    found: dict[str, CheckInfo] = {}
    for path in sorted(folder.glob("test_*.py")):
        module = load(path)
        functions = [value for value in vars(module).values() if inspect.isfunction(value)]
        for info in filter(None, (describe(function, _marks_of(module)) for function in functions)):
            if info.id in found:
                raise ValueError(f"two checks are called {info.id}: {found[info.id].function} and {info.function}")
            if not info.phases and not of_many(module):
                raise ValueError(f"{info.id} belongs to no phase: mark it or its file")
            found[info.id] = info
    return tuple(found.values())


def load(path: Path) -> ModuleType:
    """A file of checks, imported once under a name of its own; from any thread.

    Raises ValueError where it cannot be.
    """
    with _loading:
        return _loaded(path)


@cache
def _loaded(path: Path) -> ModuleType:
    name = f"_release_state_catalogue_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module


def of_many(module: object) -> str | None:
    """Which of the markers of checks of many a file of checks carries."""
    names = {mark.name for mark in _marks_of(module)}
    return next((name for name in OF_MANY if name in names), None)


def _marks_of(module: object) -> list[pytest.MarkDecorator]:
    marks = getattr(module, "pytestmark", [])
    return marks if isinstance(marks, list) else [marks]


def of_phase(checks: Sequence[CheckInfo], phase: Phase, files: Collection[str] = ()) -> tuple[CheckInfo, ...]:
    """The checks that make up one phase.

    Where a run names `files` (as `test_pre_release.py`), advice of other files is no part of it; what blocks always is.
    """
    return tuple(
        check for check in checks if phase in check.phases and (check.blocking or not files or check.file in files)
    )
