"""Checks of one's own: what `--checks`, `RELEASE_STATE_CHECKS` and installed packages name. Imports none of them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_name

from release_state.common.errors import UsageProblem
from release_state.model.target import parse_repository
from release_state.settings.options import OWN_CHECKS
from release_state.settings.sources import COMMAND_LINE, ENVIRONMENT, FindRepository, LocalRepository, Value
from release_state.settings.validate import shown

GROUP = "release_state.checks"
"""The group of entry points in which a package names its module of checks."""
OPTION, VARIABLE = f"--{OWN_CHECKS}", f"RELEASE_STATE_{OWN_CHECKS}".upper()
_PACKAGE = "package:"


class OwnChecks(NamedTuple):
    """A place with checks of one's own: a file, a folder, or a module of an installed package."""

    option: str
    """How `--checks` names it: an absolute path without links, or `package:NAME`."""
    module: str = ""
    """The module of the package; empty for a path."""


def find_own_checks(given: Sequence[str], environ: Mapping[str, str], cwd: Path) -> dict[OwnChecks, Value]:
    """Every place with own checks, and who named it: those of installed packages first.

    Raises UsageProblem for a path that is missing, and a package that is not installed or has no checks.
    """
    named = [(OPTION, text, COMMAND_LINE) for text in given]
    if (listed := environ.get(VARIABLE)) is not None:
        words = [word.strip() for word in re.split(r"[,\n]", listed)]
        if not any(words):
            raise UsageProblem(f"{VARIABLE} is empty: leave it out, or give a path or {_PACKAGE}NAME")
        named += [(VARIABLE, word, f"{ENVIRONMENT}{VARIABLE}") for word in words if word]
    installed = _list_installed(tuple(sys.path))
    found = {each: Value(each.option, f"installed, module {each.module}") for each in installed}
    for label, text, origin in named:
        if text.startswith(_PACKAGE):
            name = _PACKAGE + canonicalize_name(text[len(_PACKAGE) :])
            places = [each for each in installed if each.option == name]
            if not places:
                raise UsageProblem(
                    f"{label} {shown(text)}: no such package is installed for {sys.executable}, or it has no entry "
                    f"point in the group {GROUP}"
                )
        else:
            places = [OwnChecks(str(_find_path(label, text, cwd)))]
        for each in places:
            found.setdefault(each, Value(each.option, origin))
    return found


def _find_path(label: str, text: str, cwd: Path) -> Path:
    if not text or "\0" in text or not os.path.exists(cwd / text):  # noqa: PTH110 - Path's raises for what can be no name
        raise UsageProblem(f"{label} {shown(text)} does not exist")
    path = (cwd / text).resolve()
    if not path.is_dir() and path.suffix != ".py":
        raise UsageProblem(f"{label} {shown(text)} is neither a folder nor a .py file")
    return path


@lru_cache(maxsize=1)
def _list_installed(path: tuple[str, ...]) -> tuple[OwnChecks, ...]:
    """The modules that installed packages name; `path` is where they are looked for."""
    found = set()
    for point in entry_points(group=GROUP):
        name = canonicalize_name(str(point.dist.name if point.dist else point.name))
        if not re.fullmatch(r"\w+(\.\w+)*", point.value):
            raise UsageProblem(f"{_PACKAGE}{name}: its entry point {shown(point.value)} does not name a module")
        found.add(OwnChecks(f"{_PACKAGE}{name}", point.value))
    return tuple(sorted(found))


def refuse_inspected(
    own: Sequence[OwnChecks],
    clone: Path | None,
    repository: str,
    web: str,
    remote: str,
    find_repository: FindRepository,
) -> None:
    """Raise UsageProblem for checks out of the checked repository: its own code would judge it.

    A package in the environment that runs the suite is no part of the clone, even if the environment is inside of it.
    """
    inside, prefix = clone.resolve() if clone else None, Path(sys.prefix).resolve()
    for each in own:
        first, *others = _list_files(each)
        if each.module and first.is_relative_to(prefix) and (inside is None or inside in prefix.parents):
            continue
        why = "which is checked: its own code would judge it. Keep own checks in another repository"
        for path in (first, *others) if inside else ():
            if inside and path.is_relative_to(inside):
                raise UsageProblem(
                    f"{OPTION} {shown(each.option)}: {shown(str(path))} is inside the clone {inside}, {why}"
                )
        found = _find_repository(first if first.is_dir() else first.parent, remote, find_repository)
        if found and (parse_repository(found.remote_url or "", web) or "").lower() == repository.lower():
            raise UsageProblem(f"{OPTION} {shown(each.option)} is inside a clone of {repository}, {why}")


def _list_files(own: OwnChecks) -> Iterator[Path]:
    """The place itself, then each of its files, without links. Imports nothing; raises UsageProblem."""
    places = [Path(own.option)]
    if own.module:
        try:
            spec = find_spec(own.module.partition(".")[0])  # of a module without dots, it imports no other
        except (ImportError, ValueError):
            spec = None
        if spec is None:
            raise UsageProblem(f"{own.option}: there is no module {own.module}: install it again")
        places = [Path(place) for place in spec.submodule_search_locations or filter(None, [spec.origin])]
    for place in places:
        yield place.resolve()
        yield from (path.resolve() for path in place.rglob("*.py"))


@lru_cache(maxsize=64)
def _find_repository(folder: Path, remote: str, find_repository: FindRepository) -> LocalRepository | None:
    """What a folder is a repository of; once for all projects of a list."""
    return find_repository(folder, remote)
