"""The catalogue of all checks: their files, loaded once each."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import threading
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from release_state.verdict.check import CheckInfo, describe

_loading = threading.RLock()

OF_MANY = ("audit", "fleet")
"""The markers of checks that look at a whole history, or at many projects: they belong to no phase."""


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
