"""The version that many trees declare, with the contents of all their files fetched in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from release_state.observe.declared import FIRST_FILES, SIZE_LIMIT, declared_version, further_file
from release_state.observe.git_store import Store
from release_state.observe.tree_match import LINK, Entry

Lookup = Callable[[str], "Entry | None"]
"""What a tree has at a path below the project's folder."""


class Declarations:
    """Reads what trees declare; each content once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._texts: dict[str, str] = {}

    def of(self, trees: Sequence[Lookup]) -> list[str | None]:
        """The declared version of each tree; None where there is none, or it is worked out when the package is built.

        Raises GitFailed where a file's content cannot be had.
        """
        found = [self._entries(tree, FIRST_FILES) for tree in trees]
        for entries, tree, more in zip(found, trees, self._further(found), strict=True):
            entries |= self._entries(tree, (more,)) if more else {}
        self._obtain(found)
        return [declared_version(self._read(entries))[0] for entries in found]

    def further(self, trees: Sequence[Lookup]) -> set[str]:
        """The files that the configuration of one of the trees names as the place of the version."""
        return {path for path in self._further([self._entries(tree, FIRST_FILES) for tree in trees]) if path}

    def _further(self, found: Sequence[Mapping[str, str]]) -> list[str | None]:
        self._obtain(found)
        return [further_file(self._read(entries)) for entries in found]

    def _entries(self, tree: Lookup, paths: Sequence[str]) -> dict[str, str]:
        entries = {path: tree(path) for path in paths}
        return {path: entry[1] for path, entry in entries.items() if entry and entry[0] != LINK}

    def _obtain(self, found: Sequence[Mapping[str, str]]) -> None:
        names = {name for entries in found for name in entries.values()} - self._texts.keys()
        self._store.obtain_files(names)
        for name in names:
            data = self._store.run("cat-file", "blob", name, may_fetch=True, first=SIZE_LIMIT + 1).output
            # What is too large to be read is no valid TOML: nothing is declared.
            self._texts[name] = data.decode("utf-8-sig", "replace") if len(data) <= SIZE_LIMIT else "\0"

    def _read(self, entries: Mapping[str, str]) -> dict[str, str]:
        return {path: self._texts[name] for path, name in entries.items()}
