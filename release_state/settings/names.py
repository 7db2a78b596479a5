"""What the files of a clone name the package; setup.py is read, never run."""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import chain, islice
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from release_state.common.source import read_setup_call
from release_state.common.strict import decode_toml
from release_state.settings.sources import Value

_LARGEST = 2**20
_MOST_FOLDERS = 200


def find_name(top: Path, repository: str) -> Value | None:
    """Return the name of the package that a repository builds; None if its files don't say.

    It is the name at the top. Where that is a workspace or nothing, it is the package below that is named like the
    repository, or the only member of the workspace: an example's name is nobody's. Sources: https://docs.astral.sh/uv/concepts/projects/workspaces/
    """
    document = _read_pyproject(top, top / "pyproject.toml")
    own = _find_in(document, top / "pyproject.toml") or _find_in_setup(top)
    is_whole = "workspace" not in _table(document, "tool", "uv")
    alike = canonicalize_name(repository.rpartition("/")[2])
    if own and (is_whole or canonicalize_name(own.text) == alike):
        return own
    below = dict(_list_below(top))
    if found := next((name for name in below.values() if canonicalize_name(name.text) == alike), None):
        return found
    patterns = _table(document, "tool", "uv", "workspace").get("members")
    members = [name for path, name in below.items() if _is_member(path.parent.relative_to(top), patterns)]
    return own or (members[0] if len(members) == 1 else None)


def _is_member(folder: Path, patterns: object) -> bool:
    listed = patterns if isinstance(patterns, list) else []
    return any(isinstance(each, str) and fnmatchcase(folder.as_posix(), each.strip("./")) for each in listed)


def _list_below(top: Path) -> Iterator[tuple[Path, Value]]:
    places = chain.from_iterable(sorted(top.glob(f"{folders}/pyproject.toml")) for folders in ("*", "*/*"))
    shown = (path for path in places if not any(part.startswith(".") for part in path.relative_to(top).parts))
    for path in islice(shown, _MOST_FOLDERS):
        if name := _find_in(_read_pyproject(top, path), path):
            yield path, name


def _find_in(document: Mapping[str, Any], path: Path) -> Value | None:
    """The name in a pyproject.toml; none if uv is told that it is no package, and nothing else builds one."""
    if _table(document, "tool", "uv").get("package") is False and "build-system" not in document:
        return None
    for keys in (("project",), ("tool", "poetry")):
        name = _table(document, *keys).get("name")
        if isinstance(name, str) and name:
            return Value(name, f"[{'.'.join(keys)}] name of {path}")
    return None


def _find_in_setup(top: Path) -> Value | None:
    """The name in setup.cfg, else the literal one in the call of setup.py."""
    parser, path = configparser.RawConfigParser(strict=False), top / "setup.cfg"
    try:
        parser.read_string(_read(top, path))
    except configparser.Error:
        parser.clear()  # it configures nothing of this suite
    if name := parser.get("metadata", "name", fallback="").strip():
        return Value(name, f"[metadata] name of {path}")
    value, _ = read_setup_call(_read(top, top / "setup.py")).get("name", (None, ""))
    return Value(value, f"setup() name of {top / 'setup.py'}") if isinstance(value, str) and value else None


def _read_pyproject(top: Path, path: Path) -> dict[str, Any]:
    try:
        return decode_toml(_read(top, path))
    except ValueError:
        return {}


def _read(top: Path, path: Path) -> str:
    """The text of a file of the clone; empty if there is none, or none that can be read."""
    try:
        if not path.is_file() or not path.resolve().is_relative_to(top.resolve()):
            return ""
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        return content.decode("utf-8") if len(content) <= _LARGEST else ""
    except (OSError, ValueError):
        return ""


def _table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
