"""Files of a commit's tree, by path."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from release_state.observe.declared import FIRST_FILES, SIZE_LIMIT, declared_version, further_file
from release_state.observe.git_store import Store

CHANGELOG_BYTES = 64 * 2**10
_LINK = "120000"
_UNREADABLE = "\0"


@dataclass(frozen=True)
class Details:
    """What a tree declares; see Lineage."""

    declared_version: str | None = None
    version_is_dynamic: bool = False
    changelog: str | None = None


def read_details(store: Store, commit: str, changelog_file: str) -> Details:
    """The declared version and the beginning of the changelog in a commit's tree."""
    files = {path: text for path in FIRST_FILES if (text := _text(store, commit, path)) is not None}
    if (more := further_file(files)) and (text := _text(store, commit, more)) is not None:
        files[more] = text
    version, dynamic = declared_version(files)
    changelog = read_file(store, commit, changelog_file, CHANGELOG_BYTES)
    return Details(version, dynamic, None if changelog is None else changelog.decode("utf-8", errors="replace"))


def _text(store: Store, commit: str, path: str) -> str | None:
    """A file's text, None where there is none; what is no UTF-8 or too large, as a text that is no valid TOML."""
    data = read_file(store, commit, path, SIZE_LIMIT + 1)
    if data is None:
        return None
    try:
        return data.decode("utf-8-sig") if len(data) <= SIZE_LIMIT else _UNREADABLE
    except UnicodeDecodeError:
        return _UNREADABLE


def read_file(store: Store, commit: str, path: str, limit: int) -> bytes | None:
    """
    The first `limit` bytes of a file; None where the tree has no such file. Links inside the tree are followed.

    Raises GitFailed where the tree names the file and its content cannot be had.
    """
    for _ in range(5):
        listed = store.run("--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", path).output
        entry = listed.split(b"\0")[0].partition(b"\t")[0].decode("ascii", "replace").split(" ")
        if len(entry) != 3 or entry[1] != "blob":
            return None
        data = store.run("cat-file", "blob", entry[2], may_fetch=True, first=limit).output
        if entry[0] != _LINK:
            return data
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), data.decode("utf-8", "replace")))
        if target.startswith(("/", "..")) or "\0" in target:
            return None
        path = target
    return None
