"""Read the declared version and the changelog from the tree of a commit, without running any of its files."""

from __future__ import annotations

import configparser
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from release_state.common.strict import decode_toml
from release_state.observe.git.command import decode_output
from release_state.observe.git.store import Store

FIRST_FILES = ("pyproject.toml", "setup.cfg")
SIZE_LIMIT = 2**20
"""Bytes; a larger file is not read."""

_IN_SOURCE = re.compile(
    r"^(?:__version__|VERSION)(?:[ \t]*:[ \t]*str)?[ \t]*=[ \t]*(['\"])v?([^'\"\n]+)\1", re.MULTILINE | re.IGNORECASE
)
CHANGELOG_BYTES = 64 * 2**10
_LINK = "120000"
_UNREADABLE = "\0"
_MOST_LINKS = 5

Entries = dict[str, tuple[str, str]]
"""Mode and object, by path."""


@dataclass(frozen=True)
class Details:
    """The declared version and the changelog of a tree; see Lineage."""

    declared_version: str | None = None
    version_is_dynamic: bool = False
    changelog: str | None = None


def read_details(store: Store, commits: Iterable[str], changelog_file: str) -> dict[str, Details]:
    """Return the declared version and the beginning of the changelog in the trees of commits."""
    first = (*FIRST_FILES, changelog_file)
    trees = {commit: _entries(store, commit, first) for commit in dict.fromkeys(commits)}
    # All contents in one go: the store may have been fetched without them.
    store.obtain_files({name for entries in trees.values() for _, name in entries.values()})
    return {commit: _details(store, commit, entries, changelog_file) for commit, entries in trees.items()}


def _details(store: Store, commit: str, entries: Entries, changelog_file: str) -> Details:
    files = {path: text for path in FIRST_FILES if (text := _text(store, commit, path, entries)) is not None}
    if (more := find_version_file(files)) and (text := _text(store, commit, more)) is not None:
        files[more] = text
    version, dynamic = find_declared_version(files)
    changelog = read_file(store, commit, changelog_file, CHANGELOG_BYTES, entries)
    return Details(version, dynamic, None if changelog is None else changelog.decode("utf-8", errors="replace"))


def _text(store: Store, commit: str, path: str, entries: Entries | None = None) -> str | None:
    """Return a file's text; None if it is missing. If it is too large or not UTF-8, a text that is no valid TOML."""
    data = read_file(store, commit, path, SIZE_LIMIT + 1, entries)
    text = decode_text(data, SIZE_LIMIT) if data is not None else ""
    return None if data is None else _UNREADABLE if text is None else text


def decode_text(data: bytes, most: int) -> str | None:
    """Return the text of a file; None if it is larger than `most` bytes, or not UTF-8."""
    try:
        return data.decode("utf-8-sig") if len(data) <= most else None
    except UnicodeDecodeError:
        return None


def obtain_files(store: Store, commit: str, paths: Sequence[str]) -> Entries:
    """Fetch the contents of these files in one go, if the store lacks them. Returns what `read_file` takes.

    A path with a slash at its end stands for the files directly in that folder.
    """
    entries = _entries(store, commit, paths)
    store.obtain_files({name for _, name in entries.values()})
    return entries


def read_file(store: Store, commit: str, path: str, limit: int, entries: Entries | None = None) -> bytes | None:
    """Return the first `limit` bytes of a file; None if the tree has no such file. Follows links inside the tree.

    `entries` is what is already known of the tree; None looks the path up. Raises GitFailed if the tree names the file
    and its content cannot be had.
    """
    for _ in range(_MOST_LINKS):
        mode, name = (_entries(store, commit, [path]) if entries is None else entries).get(path, ("", ""))
        if not name:
            return None
        entries = None  # a link leads to another path
        data = store.run("cat-file", "blob", name, may_fetch=True, first=limit).output
        if mode != _LINK:
            return data
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), decode_output(data)))
        if path.startswith(("/", "..")) or "\0" in path:
            return None
    return None


def has_file(store: Store, commit: str, path: str) -> bool:
    """Return whether the tree of a commit has a file or a link at this path."""
    return path in _entries(store, commit, [path])


def _entries(store: Store, commit: str, paths: Sequence[str]) -> Entries:
    """Return those of the paths that are files or links. A store always has its trees, so this is certain."""
    listed = store.run("--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", *paths).text
    entries: Entries = {}
    for line in listed.split("\0"):
        facts, _, path = line.partition("\t")
        mode, kind, name = [*facts.split(" "), "", ""][:3]
        if kind == "blob":
            entries[path] = (mode, name)
    return entries


def find_declared_version(files: Mapping[str, str]) -> tuple[str | None, bool]:
    """Return the static version of a tree, as spelt there, and whether the version is dynamic.

    `files` maps paths to texts: those of FIRST_FILES and of `find_version_file` that exist. (None, False): none is
    declared, or it cannot be read. (None, True): it is computed when the package is built.
    """
    document = _toml(files)
    if document is None:
        return None, False
    project, poetry = find_table(document, "project"), find_table(document, "tool", "poetry")
    if isinstance(version := project.get("version"), str):
        return version, False
    if isinstance(version := poetry.get("version"), str):
        works_out = find_table(document, "tool", "poetry-dynamic-versioning").get("enable") is True
        return (None, True) if works_out else (version, False)
    dynamic = project.get("dynamic")
    if isinstance(dynamic, list) and "version" in dynamic:
        path = find_version_file(files)
        found = _IN_SOURCE.search(files[path]) if path and path in files else None
        return (found[2].strip(), False) if found else (None, True)
    if find_table(document, "tool", "setuptools_scm") or "setuptools_scm" in find_table(document, "tool"):
        return None, True
    in_setup = read_setup_cfg(files.get("setup.cfg", ""), "version")
    return (None, True) if re.match(r"(?:attr|file):", in_setup) else (in_setup or None, False)


def find_version_file(files: Mapping[str, str]) -> str | None:
    """Return the file that holds the version by the configuration of hatch or pdm; None if neither names one."""
    document = _toml(files) or {}
    hatch, pdm = find_table(document, "tool", "hatch", "version"), find_table(document, "tool", "pdm", "version")
    # With a custom pattern, the version may be anything in that file: it counts as dynamic.
    if hatch and "pattern" not in hatch and hatch.get("source", "regex") == "regex":
        path = hatch.get("path")
    else:
        path = pdm.get("path") if pdm.get("source") == "file" else None
    if not isinstance(path, str) or not path or re.search(r"[\x00-\x1f]", path):
        return None
    parts = [part for part in path.replace("\\", "/").split("/") if part != "."]
    return "/".join(parts) if all(part not in ("", "..") for part in parts) else None


def read_setup_cfg(text: str, option: str) -> str:
    """Return an option of [metadata]; empty if it is missing, or the text cannot be read."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return ""
    return parser.get("metadata", option, fallback="").strip()


def _toml(files: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the content of pyproject.toml: empty if it is missing, None if it cannot be read."""
    try:
        return decode_toml(files.get("pyproject.toml", ""))
    except ValueError:
        return None


def find_table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return the table below these keys; empty if there is none."""
    for key in keys:
        value = document.get(key)
        if not isinstance(value, dict):
            return {}
        document = value
    return document
