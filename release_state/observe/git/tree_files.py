"""What the tree of a commit declares, read from its files without running any: the version and the changelog."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from release_state.observe.git.declared import FIRST_FILES, SIZE_LIMIT, declared_version, further_file
from release_state.observe.git.messages import readable
from release_state.observe.git.store import Store

CHANGELOG_BYTES = 64 * 2**10
_LINK = "120000"
_UNREADABLE = "\0"
_MOST_LINKS = 5

Entries = dict[str, tuple[str, str]]
"""Mode and object, by path."""


@dataclass(frozen=True)
class Details:
    """What a tree declares; see Lineage."""

    declared_version: str | None = None
    version_is_dynamic: bool = False
    changelog: str | None = None


def read_details(store: Store, commits: Iterable[str], changelog_file: str) -> dict[str, Details]:
    """The declared version and the beginning of the changelog in the trees of commits."""
    first = (*FIRST_FILES, changelog_file)
    trees = {commit: _entries(store, commit, first) for commit in dict.fromkeys(commits)}
    # All contents in one go, where the store was fetched without them.
    store.obtain_files({name for entries in trees.values() for _, name in entries.values()})
    return {commit: _details(store, commit, entries, changelog_file) for commit, entries in trees.items()}


def _details(store: Store, commit: str, entries: Entries, changelog_file: str) -> Details:
    files = {path: text for path in FIRST_FILES if (text := _text(store, commit, path, entries)) is not None}
    if (more := further_file(files)) and (text := _text(store, commit, more)) is not None:
        files[more] = text
    version, dynamic = declared_version(files)
    changelog = read_file(store, commit, changelog_file, CHANGELOG_BYTES, entries)
    return Details(version, dynamic, None if changelog is None else changelog.decode("utf-8", errors="replace"))


def _text(store: Store, commit: str, path: str, entries: Entries | None = None) -> str | None:
    """A file's text, None where there is none; what is no UTF-8 or too large, as a text that is no valid TOML."""
    data = read_file(store, commit, path, SIZE_LIMIT + 1, entries)
    if data is None:
        return None
    try:
        return data.decode("utf-8-sig") if len(data) <= SIZE_LIMIT else _UNREADABLE
    except UnicodeDecodeError:
        return _UNREADABLE


def obtain_files(store: Store, commit: str, paths: Sequence[str]) -> Entries:
    """Have the contents of these files in one go, where the store was fetched without them; what `read_file` takes."""
    entries = _entries(store, commit, paths)
    store.obtain_files({name for _, name in entries.values()})
    return entries


def files_of_folder(store: Store, commit: str, folder: str) -> Entries:
    """The files that lie in a folder itself, their contents had as by `obtain_files`; none where there is no folder."""
    entries = _entries(store, commit, [f"{folder}/"])
    store.obtain_files({name for _, name in entries.values()})
    return entries


def read_file(store: Store, commit: str, path: str, limit: int, entries: Entries | None = None) -> bytes | None:
    """
    The first `limit` bytes of a file; None where the tree has no such file. Links inside the tree are followed.

    `entries` is what is known already of the tree at the path; None: it is asked for.

    Raises GitFailed where the tree names the file and its content cannot be had.
    """
    for _ in range(_MOST_LINKS):
        mode, name = (_entries(store, commit, [path]) if entries is None else entries).get(path, ("", ""))
        if not name:
            return None
        entries = None  # where a link leads to is another path
        data = store.run("cat-file", "blob", name, may_fetch=True, first=limit).output
        if mode != _LINK:
            return data
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), readable(data)))
        if path.startswith(("/", "..")) or "\0" in path:
            return None
    return None


def has_file(store: Store, commit: str, path: str) -> bool:
    """Whether the tree of a commit has a file or a link at this path."""
    return path in _entries(store, commit, [path])


def _entries(store: Store, commit: str, paths: Sequence[str]) -> Entries:
    """Those of the paths that are files or links. Trees are always there, so this is certain."""
    listed = store.run("--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", *paths).text
    entries: Entries = {}
    for line in listed.split("\0"):
        facts, _, path = line.partition("\t")
        mode, kind, name = [*facts.split(" "), "", ""][:3]
        if kind == "blob":
            entries[path] = (mode, name)
    return entries
