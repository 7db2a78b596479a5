"""Load checks of one's own, and hand them to pytest. Whatever is wrong with them ends the run before it begins.

A check that is left out makes a verdict greener than it is. So nothing that is declared is passed over.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from msgspec import Struct

from release_state.common.errors import UsageProblem, format_error
from release_state.settings.own_checks import OwnChecks
from release_state.verdict.check import DECLARED, CheckInfo, describe, list_marks

ARGUMENTS = ("target", "version", "channel", "snapshot", "release", "plan")
"""What a check can ask for."""
_ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*-[0-9]+")
_loading = threading.RLock()


class OwnFile(Struct, frozen=True, eq=False):
    """A loaded file of own checks."""

    module: ModuleType
    path: Path
    node_id: str
    """The file in pytest's IDs."""
    checks: Mapping[str, CheckInfo]
    """By the name in the module."""


def load_own_checks(places: Sequence[OwnChecks]) -> tuple[OwnFile, ...]:
    """Import each place once, with the files of its checks; safe from any thread.

    Raises UsageProblem if an import fails, a place has no check, or a check is not as it must be.
    """
    with _loading:
        loaded = {place: _load_place(place) for place in places}
    calls = {check.call for files, _ in loaded.values() for file in files for check in file.checks.values()}
    for place, (_, imported) in loaded.items():
        for function in imported:
            if function not in calls:
                raise UsageProblem(
                    f"--checks {place.option}: the check {function.__qualname__} is imported from "
                    f"{inspect.getfile(function)}: name that file with --checks, and import no check from it"
                )
    return tuple(file for files, _ in loaded.values() for file in files)


@cache
def _load_place(place: OwnChecks) -> tuple[tuple[OwnFile, ...], tuple[Callable[..., None], ...]]:
    """The files of a place, and the checks that it imports from elsewhere: these are to be those of another place."""
    before = len(DECLARED)
    try:
        modules = list(_import_modules(place))
    except (Exception, SystemExit) as error:
        raise UsageProblem(
            f"--checks {place.option} cannot be imported: {' '.join(format_error(error).split())}"
        ) from None
    try:
        found = tuple(_read_modules(place, modules))
        calls = {check.call for file in found for check in file.checks.values()}
        held = (value for module in modules for value in vars(module).values())
        checks = (value for value in held if inspect.isfunction(value) and describe(value))
        declared: dict[Callable[..., None], None] = dict.fromkeys((*DECLARED[before:], *checks))
        names = {module.__name__ for module in modules}
        imported = tuple(function for function in declared if function.__module__ not in names)
        for function in declared:
            if function not in calls and function not in imported:
                raise ValueError(
                    f"the check {function.__qualname__} is not at the top of a file, or another took its name"
                )
        if not calls and not imported:
            raise ValueError("it has no check: declare one with release_state.api.check")
    except ValueError as error:
        raise UsageProblem(f"--checks {place.option}: {error}") from None
    return found, imported


def _import_modules(place: OwnChecks) -> Iterator[ModuleType]:
    """Import every module of a place; a folder is a package under a name of its own, a file is its only module."""
    if place.module:
        root = importlib.import_module(place.module)
        folders = [Path(folder) for folder in getattr(root, "__path__", ())]
    else:
        root, folders = _import_path(Path(place.option))
    yield root
    for folder in folders:
        if links := [path for path in folder.rglob("*") if path.is_symlink() and path.is_dir()]:
            raise ImportError(f"{links[0]}: a folder that a link leads to is not read; name it with --checks as well")
        for path in sorted(folder.rglob("*.py")):
            if path.name == "conftest.py":
                raise ImportError(f"{path}: a conftest.py is not read beside own checks; remove it")
            parts = path.relative_to(folder).with_suffix("").parts
            if parts != ("__init__",) and not any(part.startswith(".") for part in parts):
                yield importlib.import_module(".".join((root.__name__, *parts)).removesuffix(".__init__"))


def _import_path(path: Path) -> tuple[ModuleType, list[Path]]:
    """The module of a file or folder, in `sys.modules` as dataclasses and relative imports need it."""
    name, folders = f"_release_state_own_{len(sys.modules)}_{re.sub(r'[^0-9A-Za-z_]', '_', path.stem)}", []
    file = path
    if path.is_dir():
        file, folders = path / "__init__.py", [path]
    loader = SourceFileLoader(name, str(file)) if file.exists() else None
    spec = ModuleSpec(name, loader, origin=str(file), is_package=bool(folders))
    spec.submodule_search_locations = [str(path)] if folders else None
    spec.has_location = loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    if loader:
        loader.exec_module(module)
    return module, folders


def _read_modules(place: OwnChecks, modules: Sequence[ModuleType]) -> Iterator[OwnFile]:
    """The files that have checks; a check belongs to the file that defines it, with its marks. Raises ValueError."""
    for module in modules:
        checks = {}
        for name, value in vars(module).items():
            if not inspect.isfunction(value) or value.__module__ != module.__name__:
                continue
            info = describe(value, list_marks(module))
            if info is not None:
                checks[name] = _examine(replace(info, origin=place.option, file=str(module.__file__)))
            elif name.startswith("test"):
                raise ValueError(f"{name} is not declared as a check: use release_state.api.check, or another name")
        if checks:
            path = str(module.__file__)
            yield OwnFile(module, Path(path), module.__name__ if place.module else path, checks)


def _examine(info: CheckInfo) -> CheckInfo:
    """The check, if it is complete; raises ValueError."""
    parameters = inspect.signature(info.call).parameters.values()
    wrong = [each.name for each in parameters if each.name not in ARGUMENTS or each.default is not each.empty]
    problems = {
        "its ID is not like ACME-1: words in capital letters, then a number": not _ID.fullmatch(info.id),
        "it has no docstring, whose first paragraph is its fact": not info.title,
        "it belongs to no phase: mark it with pre_release, pre_publish, post_recovery or rollback": not info.phases,
        f"it asks for {', '.join(wrong)}, but a check can have {', '.join(ARGUMENTS)}": wrong,
        "it asks for nothing that it could check": not parameters,
        "it is asynchronous or a generator, and nobody would run it": _is_deferred(info.call),
    }
    for why in (why for why, is_wrong in problems.items() if is_wrong):
        raise ValueError(f"{info.id} ({info.function}): {why}")
    return info


def _is_deferred(function: Callable[..., Any]) -> bool:
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    return any(is_kind(function) for is_kind in kinds)


def describe_origins(checks: Sequence[CheckInfo]) -> list[str]:
    """A line of the header for each place: its checks, and where it is."""
    places: dict[str, list[str]] = {}
    for check in checks:
        if check.origin:
            places.setdefault(check.origin, []).append(check.id)
    return [f"  checks  {', '.join(ids)} of {origin}" for origin, ids in places.items()]


class OwnModule(pytest.Module):
    """A file of own checks as pytest collects it: the module that is loaded already, and its checks alone."""

    def __init__(self, *, own: OwnFile, **more: Any) -> None:
        super().__init__(**more)
        self._own = own

    def _getobj(self) -> ModuleType:
        return self._own.module

    def istestclass(self, obj: object, name: str) -> bool:
        """No class holds a check."""
        return False

    def istestfunction(self, obj: object, name: str) -> bool:
        """Whether it is a check of this file."""
        check = self._own.checks.get(name)
        return check is not None and obj is check.call


def make_collectors(session: pytest.Session, places: Sequence[OwnChecks]) -> list[OwnModule]:
    """The files of own checks for a run; none if single checks were named."""
    if any("::" in argument for argument in session.config.args):
        return []
    return [
        OwnModule.from_parent(session, path=file.path, name=file.node_id, nodeid=file.node_id, own=file)
        for file in load_own_checks(places)
    ]
