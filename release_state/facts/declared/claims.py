"""Other projects of a tree that declare a version: where the package declares another, a tag of it is theirs (pure)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from packaging.version import Version

from release_state.common.project import CONFIGURATION, find_table, parse_toml
from release_state.common.strict import decode_json
from release_state.facts.declared.backends import find_in_pyproject
from release_state.facts.declared.tree import Folder, Tree, is_beside, list_folders
from release_state.model.target import parse_version

_MOST = 3
"""Files that are named."""
_ELSEWHERE = ("package.json", "Cargo.toml")
"""The files of other languages that state a version."""


def find_claims(tree: Tree, package: str, version: Version) -> tuple[str, ...]:
    """Return the files of other projects in a tree that declare this version, at most three."""
    found = [_find_in_python(Folder(tree, path), package, version) for path in _list_folders(tree, CONFIGURATION)]
    for name in _ELSEWHERE:
        paths = (posixpath.join(folder, name) for folder in _list_folders(tree, (name,)))
        found += [path for path in paths if parse_version(_read_version(tree.read(path) or "", path)) == version]
    return tuple(filter(None, found))[:_MOST]


def _list_folders(tree: Tree, names: Iterable[str]) -> list[str]:
    return [path for path in list_folders(tree, names) if not is_beside(path)]


def _find_in_python(folder: Folder, package: str, version: Version) -> str:
    declared = find_in_pyproject(folder)
    is_other = folder.name not in (package, None, "")
    return declared.where if is_other and parse_version(declared.version or "") == version else ""


def _read_version(text: str, path: str) -> str:
    """The version that a package.json or a Cargo.toml states; empty: none that can be read."""
    try:
        document = decode_json(text) if path.endswith(".json") else parse_toml(text)
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    tables = (document, find_table(document, "package"), find_table(document, "workspace", "package"))
    return next((value for table in tables if isinstance(value := table.get("version"), str)), "")
