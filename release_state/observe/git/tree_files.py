"""Read the declared version and the changelog from the tree of a commit, without running any of its files."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

from msgspec import Struct
from packaging.version import Version

from release_state.common.project import CONFIGURATION
from release_state.facts.declared.declaration import find_declaration, list_usual_files
from release_state.facts.declared.tree import NOTHING, Declaration, unreadable
from release_state.observe.git.command import decode_output
from release_state.observe.git.objects import TreeEntry
from release_state.observe.git.store import Store

SIZE_LIMIT = 2**20
"""Bytes; a larger file is not read."""

CHANGELOG_BYTES = 64 * 2**10
_LINK = "120000"
_UNREADABLE = "\0"
_MOST_LINKS = 5
MOST_ROUNDS = 15
"""How often what a file says may lead to another file."""
UNREAD = unreadable("one file leads to another, and on")

NO_TAGS: Mapping[str, Version] = MappingProxyType({})

Entries = dict[str, tuple[str, str]]
"""Mode and object, by path."""


class Details(Struct, frozen=True):
    """The declared version and the changelog of a tree; see Lineage."""

    declared: Declaration = NOTHING
    changelog: str | None = None


def read_details(
    store: Store,
    commits: Iterable[str],
    changelog_file: str,
    package: str = "",
    along: Sequence[str] = (),
    tagged: Mapping[str, Version] = NO_TAGS,
) -> dict[str, Details]:
    """Return the version that the trees of commits declare for a package, and the beginning of the changelog.

    A fetch, where one is needed, brings the files of `along` too. `tagged` names the version whose tag a commit has.
    """
    trees = {commit: CommitTree(store, commit) for commit in commits}
    # All contents in one go: the store may have been fetched without them.
    likely = (*CONFIGURATION, changelog_file, *list_usual_files(package), *along)
    entries = {commit: _entries(store, commit, likely) for commit in trees}
    store.obtain_contents({name for each in entries.values() for _, name in each.values()})
    declared = read_declarations(store, list(trees.values()), package, tagged)
    return {
        commit: Details(found, _read_changelog(store, commit, changelog_file, entries[commit]))
        for commit, found in zip(trees, declared, strict=True)
    }


def _read_changelog(store: Store, commit: str, path: str, entries: Entries) -> str | None:
    changelog = read_file(store, commit, path, CHANGELOG_BYTES, entries)
    return None if changelog is None else changelog.decode("utf-8", errors="replace")


class CommitTree:
    """The files of a commit that a declaration is read from; what it is asked for is read later, all in one go."""

    def __init__(self, store: Store, commit: str) -> None:
        self._store, self.commit = store, commit
        self.texts: dict[str, str | None] = {}
        self.wanted: dict[str, None] = {}

    def read(self, path: str) -> str | None:
        """Return the text of a file, None if there is none; notes the path if that is not known yet."""
        if path not in self.texts:
            self.wanted[path] = None
        return self.texts.get(path)

    def find(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the paths of all files with one of these names."""
        wanted = frozenset(names)
        return tuple(path for path in self._paths if path.rpartition("/")[2] in wanted)

    @cached_property
    def _paths(self) -> list[str]:
        return [decode_output(path) for path, _ in self._store.objects.walk(self._store.git, self.commit)]


def read_declarations(
    store: Store, trees: Sequence[CommitTree], package: str, tagged: Mapping[str, Version] = NO_TAGS
) -> list[Declaration]:
    """Return what `find_declaration` says of each tree."""
    for _ in range(MOST_ROUNDS):
        found = [find_declaration(tree, package, tagged.get(tree.commit)) for tree in trees]
        if not any(tree.wanted for tree in trees):
            return found
        entries = [_entries(store, tree.commit, tuple(tree.wanted)) if tree.wanted else {} for tree in trees]
        store.obtain_contents({name for each in entries for _, name in each.values()})
        for tree, there in zip(trees, entries, strict=True):
            for path in tree.wanted:
                tree.texts[path] = _text(store, tree.commit, path, there)
            tree.wanted.clear()
    return [UNREAD] * len(trees)


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
    store.obtain_contents({name for _, name in entries.values()})
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
        data = store.read_file_content(name, limit)
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
    entries: Entries = {}
    for path in paths:
        folder, slash, wanted = path.rpartition("/")
        for entry in _read_folder(store, commit, folder):
            if entry.is_file and (not wanted or entry.name == _encode(wanted)):
                entries[folder + slash + decode_output(entry.name)] = (entry.mode, entry.sha)
    return entries


def _encode(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def _read_folder(store: Store, commit: str, folder: str) -> tuple[TreeEntry, ...]:
    """Return the entries of a folder; none if there is no such folder. Follows no link."""
    found = store.objects.read_tree(store.git, commit)
    for name in folder.split("/") if folder else ():
        inner = next((entry.sha for entry in found if entry.is_tree and entry.name == _encode(name)), None)
        found = store.objects.read_tree(store.git, inner) if inner else ()
    return found
