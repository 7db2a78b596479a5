"""How well the tree of a commit matches the files of a published sdist or wheel."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from release_state.observe.git.command import decode_output
from release_state.observe.git.patches import RAW, parse_blocks
from release_state.observe.git.store import Store
from release_state.observe.published.built import Files

LINK = "120000"
MODULE = "160000"
_AT_ONCE = 50
"""Commits in one call: its output has a line for each changed file."""
_EMPTY = {
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
}
"""Git's names of the empty file, by SHA-1 and SHA-256."""
_MOST_ALIKE = 20
"""An object of so many files, like the empty one, does not show where the project is."""

Entry = tuple[str, str]
"""Mode and object."""
Tree = dict[str, Entry]
"""By path; of a submodule, its commit."""


class TreeChange(Struct, frozen=True):
    """A path that differs between two trees, and its entry in each (None: no entry)."""

    path: str
    before: Entry | None
    after: Entry | None


class Match(Struct, frozen=True):
    """The comparison of a tree with an sdist; every list is complete."""

    prefix: str
    """The project's folder in the tree: "", or a path with a slash at its end."""
    equal: int
    differing: tuple[str, ...]
    absent: tuple[str, ...]
    left_out: int = 0
    """How many files tell nothing: those of submodules, and those that the build has rewritten."""


def read_tree(store: Store, commit: str) -> Tree:
    """The whole tree of a commit."""
    return {decode_output(path): (entry.mode, entry.sha) for path, entry in store.objects.walk(store.git, commit)}


def read_changes(store: Store, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, list[TreeChange]]]:
    """For each pair (commit, earlier commit), in order: the first, and the changes between the two."""
    for start in range(0, len(pairs), _AT_ONCE):
        # The second commit counts as the parent, so the first is compared with it.
        stdin = "".join(f"{commit} {earlier}\n" for commit, earlier in pairs[start : start + _AT_ONCE]).encode()
        output = store.run("diff-tree", "--stdin", "--always", "--format=%x01%H%x02", *RAW, stdin=stdin).output
        for commit, entries in parse_blocks(output):
            yield decode_output(commit), [_parse_change(path, entry) for path, entry in entries.items()]


def _parse_change(path: bytes, entry: bytes) -> TreeChange:
    parts = [*decode_output(entry.lstrip(b":")).split(" "), "", "", "", ""]
    before, after = (parts[0], parts[2]), (parts[1], parts[3])
    entries = [each if each[1].strip("0") and each[0] != MODULE else None for each in (before, after)]
    return TreeChange(decode_output(path), entries[0], entries[1])


class Votes:
    """Counts the files of the sdist that a tree has below each folder; follows the tree through changes.

    Only files with a distinctive content count: the result chooses what to compare.
    """

    def __init__(self, files: Files, tree: Mapping[str, Entry] | None = None) -> None:
        paths: dict[str, list[str]] = defaultdict(list)
        for path, names in files.items():
            for name in names:
                paths[name].append(path)
        self._all = tuple(files)
        self._paths = {name: alike for name, alike in paths.items() if len(alike) <= _MOST_ALIKE}
        self._counts: Counter[str] = Counter()
        for path, entry in (tree or {}).items():
            self._vote(path, entry, 1)

    def apply(self, changes: Iterable[TreeChange], *, undo: bool = False) -> None:
        """Apply changes to the tree, or undo them."""
        for change in changes:
            self._vote(change.path, change.before, 1 if undo else -1)
            self._vote(change.path, change.after, -1 if undo else 1)

    def add_names(self, tree: Iterable[str]) -> None:
        """Count the paths of a tree too, whatever they hold: where the project is if few of its files are the same."""
        wanted: dict[str, list[str]] = defaultdict(list)
        for path in self._all:
            wanted[path.rpartition("/")[2]].append(path)
        for path in tree:
            alike = wanted.get(path.rpartition("/")[2], [])
            for name in alike if len(alike) <= _MOST_ALIKE else ():
                if path == name or path.endswith(f"/{name}"):
                    self._counts[path[: len(path) - len(name)]] += 1

    def find_best(self) -> tuple[str, int]:
        """The folder with the most files, and their number; of equal ones the one nearest to the top."""
        voted = (folder for folder, count in self._counts.items() if count > 0)
        folder = min(voted, key=lambda folder: (-self._counts[folder], len(folder), folder), default="")
        return folder, self._counts[folder]

    def _vote(self, path: str, entry: Entry | None, by: int) -> None:
        for wanted in self._paths.get(entry[1], ()) if entry else ():
            if path == wanted or path.endswith(f"/{wanted}"):
                self._counts[path[: len(path) - len(wanted)]] += by


def compare_trees(files: Files, tree: Tree) -> Match:
    """Compare every file of the sdist with the tree, below the folder that fits best.

    A link is equal if the tree has its target's content. So is a file that the build has moved: a licence from the top
    of a monorepo, the readme of another folder, the stub of a Rust module.
    """
    prefix = _find_prefix(files, tree)
    equal, left_out, differing, absent = 0, 0, list[str](), list[str]()
    objects = {name for _, name in tree.values()}
    modules = tuple(f"{path}/" for path, (mode, _) in tree.items() if mode == MODULE)
    places = _find_names(files, tree)
    for path, names in sorted(files.items()):
        entry = tree.get(prefix + path)
        if entry is not None and entry[0] == LINK:
            is_same = not objects.isdisjoint(names)
        else:
            found = entry or tree.get(path)
            is_same = found is not None and found[1] in names
        # A build moves a file to where there is none, or to the top.
        may_be_moved = entry is None or "/" not in path
        if is_same or (may_be_moved and any(_list_names(path) & places.get(name, set()) for name in names)):
            equal += 1
        elif (
            path in files.rewritten
            or (entry is None and path in files.vendored)
            or any(each.startswith(modules) for each in (prefix + path, path))
        ):
            left_out += 1
        else:
            (absent if entry is None else differing).append(path)
    return Match(prefix, equal, tuple(differing), tuple(absent), left_out)


def _find_prefix(files: Files, tree: Tree) -> str:
    votes = Votes(files, tree)
    prefix, count = votes.find_best()
    if 2 * count >= len(files):
        return prefix
    votes.add_names(tree)
    return votes.find_best()[0]


def _find_names(files: Files, tree: Tree) -> dict[str, set[str]]:
    """The file names under which the tree has each published content, but for contents that many files share."""
    counted = Counter(name for names in files.values() for name in names)
    places: dict[str, set[str]] = defaultdict(set)
    seen = Counter[str]()
    for path, (_, name) in tree.items():
        if name in counted:
            places[name].add(path.rpartition("/")[2])
            seen[name] += 1
    alike = {name for name in places if max(counted[name], seen[name]) > _MOST_ALIKE}
    return {name: found for name, found in places.items() if name not in alike | _EMPTY}


def _list_names(path: str) -> set[str]:
    """The file names that a published file may have in the tree: its own, and that of the stub of a Rust module."""
    folder, _, name = path.rpartition("/")
    return {name, f"{folder.rpartition('/')[2]}.pyi"} if name == "__init__.pyi" else {name}
