"""The files of a tree that state a version, the folder of a package in it, and what that declares (pure)."""

from __future__ import annotations

import configparser
import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from msgspec import Struct, structs
from packaging.utils import InvalidName, canonicalize_name

from release_state.common.project import CONFIGURATION, PYPROJECT, SETUP_CFG, parse_cfg, parse_toml, read_project_name

_MOST_FOLDERS = 100
_LONGEST_PATH = 200
_CONTROL = re.compile(r"[\x00-\x1f]")
_ELSEWHERE = re.compile(r"(^|/)(tests?|testing|examples?|docs?|fixtures?|vendor(ed)?|_vendor|templates?)(/|$)")


class Tree(Protocol):
    """The files of a commit. It notes a file that is not read yet, and calls it missing: ask again when it is read."""

    def read(self, path: str) -> str | None:
        """Return the text of a file; None if the tree has no such file. One that cannot be read holds a null."""

    def find(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the paths of all files with one of these names."""


class Folder(Struct, frozen=True):
    """A folder of a tree that builds a package: paths are relative to it."""

    tree: Tree
    path: str = ""
    """With a slash at its end; empty: the top."""

    def read(self, path: str) -> str | None:
        """Return the text of a file; None if there is none, or if the path leads out of the tree."""
        if not path or "\\" in path or path.startswith("/") or len(path) > _LONGEST_PATH or _CONTROL.search(path):
            return None
        whole = posixpath.normpath(self.path + path)
        return None if whole == "." or whole.startswith("..") else self.tree.read(whole)

    def where(self, path: str) -> str:
        """Return a file's path in the tree."""
        return posixpath.normpath(self.path + path)

    @property
    def document(self) -> Mapping[str, Any] | None:
        """The content of pyproject.toml: empty if it is missing, None if it cannot be read."""
        return parse_toml(self.read(PYPROJECT) or "")

    @property
    def setup_cfg(self) -> configparser.RawConfigParser:
        """The content of setup.cfg; empty if it is missing or cannot be read."""
        return parse_cfg(self.read(SETUP_CFG) or "")

    @property
    def name(self) -> str | None:
        """The package that the folder builds, normalized; None if that cannot be read, empty if no index takes it."""
        try:
            found = read_project_name(self.read)
        except InvalidName:
            return ""
        except ValueError:
            return None
        return canonicalize_name(found.text) if found else None


def find_folder(tree: Tree, package: str) -> Folder | None:
    """Return the folder that builds a package; None if no folder names it. Without a package, the top."""
    top = Folder(tree)
    if not package or top.name == package:
        return top
    folders = [Folder(tree, path) for path in list_folders(tree, CONFIGURATION, package) if path]
    named = [folder for folder in folders if folder.name == package]
    # A top whose name cannot be read, as in a setup.py that computes it, is the package's if nothing else is.
    return named[0] if named else (top if top.name is None else None)


def list_names(tree: Tree) -> tuple[str, ...]:
    """Return the names of all packages that a tree builds, normalized; empty if one of them cannot be read."""
    paths = [path for path in list_folders(tree, CONFIGURATION) if not is_beside(path)]
    names = [Folder(tree, path).name for path in paths]
    return () if None in names or len(paths) >= _MOST_FOLDERS else tuple(dict.fromkeys(filter(None, names)))


def list_folders(tree: Tree, names: Iterable[str], package: str = "") -> list[str]:
    """Return the folders with one of these files, as paths with a slash at their end: first those of such a package."""
    paths = {posixpath.dirname(path) for path in tree.find(names) if len(path) <= _LONGEST_PATH}
    ordered = sorted(paths, key=lambda path: (*_rank(path, package), path))
    return [f"{path}/" if path else "" for path in ordered[:_MOST_FOLDERS]]


def is_beside(path: str) -> bool:
    """Return whether a path is among tests, examples, documents or foreign code: no project of the repository."""
    return _ELSEWHERE.search(path) is not None


def _rank(path: str, package: str) -> tuple[bool, bool, int]:
    is_alike = canonicalize_name(posixpath.basename(path)) in (package, package.rpartition("-")[2])
    return is_beside(path), not is_alike, path.count("/")


_LONGEST = 200
"""Characters of a version or of a reason that are kept: the tree is a stranger's."""


class Declaration(Struct, frozen=True):
    """The version of a package in a tree, as it is spelled there."""

    version: str | None = None
    """None if it is missing, cannot be read, or is computed by the build."""
    is_dynamic: bool = False
    """Whether a tool computes it while it builds, from tags for example."""
    where: str = ""
    """The file that states it; the tool that computes it; or why it cannot be read."""
    folder: str = ""
    """The folder that builds the package, with a slash at its end; empty: the top, or none names the package."""
    others: tuple[tuple[str, str], ...] = ()
    """Files of the package with another literal `__version__`, and that version."""
    claims: tuple[str, ...] = ()
    """Files of other projects in the tree that declare the version that was asked about."""
    packages: tuple[str, ...] = ()
    """All packages that the tree builds, where none of them is this one; empty: it is one, or a name is unreadable."""

    def add(self, others: tuple[tuple[str, str], ...]) -> Declaration:
        """Return the declaration with the package's other versions."""
        return structs.replace(self, others=others)


NOTHING = Declaration()


def static(version: str, path: str) -> Declaration:
    """The declaration of a version that a file states."""
    if not version.strip():
        return unreadable(f"{path} states an empty version")
    return Declaration(version.strip()[:_LONGEST], where=path[:_LONGEST])


def computed(tool: str) -> Declaration:
    """The declaration of a version that a tool computes."""
    return Declaration(is_dynamic=True, where=tool[:_LONGEST])


def unreadable(why: str) -> Declaration:
    """The declaration of a version that cannot be read."""
    return Declaration(where=why[:_LONGEST])
