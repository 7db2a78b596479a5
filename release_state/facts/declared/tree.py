"""The files of a tree that state a version, and the folder of a package in it (pure)."""

from __future__ import annotations

import configparser
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from packaging.utils import canonicalize_name

from release_state.common.source import read_setup_call
from release_state.common.strict import decode_toml

PYPROJECT, SETUP_CFG, SETUP_PY = "pyproject.toml", "setup.cfg", "setup.py"
CONFIGURATION = (PYPROJECT, SETUP_CFG, SETUP_PY)
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


@dataclass(frozen=True)
class Folder:
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
        return _parse_cfg(self.read(SETUP_CFG) or "")

    @property
    def name(self) -> str | None:
        """The package that the folder builds, normalized; None if that cannot be read."""
        found = next((name for name in self._names() if isinstance(name, str) and name.strip()), None)
        return canonicalize_name(found.strip()) if found else None

    def _names(self) -> Iterator[object]:
        document = self.document or {}
        yield from (find_table(document, *keys).get("name") for keys in (("project",), ("tool", "poetry")))
        flit = find_table(document, "tool", "flit", "metadata")
        yield from (flit.get("dist-name"), flit.get("module"))
        yield self.setup_cfg.get("metadata", "name", fallback=None)
        yield read_setup_call(self.read(SETUP_PY) or "").get("name", (None, ""))[0]


def find_folder(tree: Tree, package: str) -> Folder | None:
    """Return the folder that builds a package; None if no folder names it. Without a package, the top."""
    top = Folder(tree)
    if not package or top.name == package:
        return top
    paths = {posixpath.dirname(path) for path in tree.find(CONFIGURATION) if len(path) <= _LONGEST_PATH} - {""}
    ordered = sorted(paths, key=lambda path: (*_rank(path, package), path))
    folders = [Folder(tree, f"{path}/") for path in ordered[:_MOST_FOLDERS]]
    named = [folder for folder in folders if folder.name == package]
    # A top whose name cannot be read, as in a setup.py that computes it, is the package's if nothing else is.
    return named[0] if named else (top if top.name is None else None)


def _rank(path: str, package: str) -> tuple[bool, bool, int]:
    is_alike = canonicalize_name(posixpath.basename(path)) in (package, package.rpartition("-")[2])
    return bool(_ELSEWHERE.search(path)), not is_alike, path.count("/")


@lru_cache(maxsize=64)
def parse_toml(text: str) -> Mapping[str, Any] | None:
    """Return the table in a text; None if it is not valid."""
    try:
        return decode_toml(text)
    except ValueError:
        return None


def read_setup_cfg(text: str, option: str) -> str:
    """Return an option of [metadata]; empty if it is missing, or the text cannot be read."""
    return _parse_cfg(text).get("metadata", option, fallback="").strip()


@lru_cache(maxsize=64)
def _parse_cfg(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return configparser.RawConfigParser()
    return parser


def find_table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return the table below these keys; empty if there is none."""
    for key in keys:
        value = document.get(key)
        if not isinstance(value, dict):
            return {}
        document = value
    return document
