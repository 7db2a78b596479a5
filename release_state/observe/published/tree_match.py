"""How well a commit's tree matches the files of an sdist: by git's object names, without contents."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from release_state.observe.git.messages import decode_output
from release_state.observe.git.patches import parse_raw
from release_state.observe.git.store import Store
from release_state.observe.published.archives import Files

LINK = "120000"
_MODULE = "160000"
_RAW = ("--raw", "-r", "-z", "--no-renames", "--no-abbrev", "--no-color", "--ignore-submodules=none")
_AT_ONCE = 50
"""Commits in one call: its output has a line for each changed file."""
_MOST_ALIKE = 20
"""An object of so many files, like the empty one, does not show where the project is."""

Entry = tuple[str, str]
"""Mode and object."""
Tree = dict[str, Entry]
"""By path; without submodules."""


@dataclass(frozen=True)
class TreeChange:
    """A path that differs between two trees, and its entry in each (None: no entry)."""

    path: str
    before: Entry | None
    after: Entry | None


@dataclass(frozen=True)
class Match:
    """The comparison of a tree with an sdist; every list is complete."""

    prefix: str
    """The project's folder in the tree: "", or a path with a slash at its end."""
    equal: int
    differing: tuple[str, ...]
    absent: tuple[str, ...]


def read_tree(store: Store, commit: str) -> Tree:
    """The whole tree of a commit."""
    output = store.run("ls-tree", "-r", "-z", "--full-tree", commit).output
    tree: Tree = {}
    for line in output.split(b"\0"):
        facts, _, path = line.partition(b"\t")
        mode, _, name = [*decode_output(facts).split(" "), "", "", ""][:3]
        if path and mode != _MODULE:
            tree[decode_output(path)] = (mode, name)
    return tree


def read_changes(store: Store, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, list[TreeChange]]]:
    """For each pair (commit, earlier commit), in order: the first, and the changes between the two."""
    for start in range(0, len(pairs), _AT_ONCE):
        # The second commit counts as the parent, so the first is compared with it.
        stdin = "".join(f"{commit} {earlier}\n" for commit, earlier in pairs[start : start + _AT_ONCE]).encode()
        output = store.run("diff-tree", "--stdin", "--always", "--format=%x01%H%x02", *_RAW, stdin=stdin).output
        for block in output.split(b"\x01")[1:]:
            commit, _, rest = block.partition(b"\x02")
            yield decode_output(commit), [_change(path, entry) for path, entry in parse_raw(rest).items()]


def _change(path: bytes, entry: bytes) -> TreeChange:
    modes = [*decode_output(entry.lstrip(b":")).split(" "), "", "", "", ""]
    before, after = (modes[0], modes[2]), (modes[1], modes[3])
    there = [each if each[1].strip("0") and each[0] != _MODULE else None for each in (before, after)]
    return TreeChange(decode_output(path), there[0], there[1])


class Votes:
    """Counts the files of the sdist that a tree has below each folder; follows the tree through changes.

    Only files with a distinctive content count: the result chooses what to compare.
    """

    def __init__(self, files: Files, tree: Mapping[str, Entry] | None = None) -> None:
        paths: dict[str, list[str]] = defaultdict(list)
        for path, names in files.items():
            for name in names:
                paths[name].append(path)
        self._paths = {name: alike for name, alike in paths.items() if len(alike) <= _MOST_ALIKE}
        self._counts: Counter[str] = Counter()
        for path, entry in (tree or {}).items():
            self._vote(path, entry, 1)

    def apply(self, changes: Iterable[TreeChange], *, undo: bool = False) -> None:
        """Apply changes to the tree, or undo them."""
        for change in changes:
            self._vote(change.path, change.before, 1 if undo else -1)
            self._vote(change.path, change.after, -1 if undo else 1)

    def best(self) -> tuple[str, int]:
        """The folder with the most files, and their number; of equal ones the one nearest to the top."""
        if not self._counts:
            return "", 0
        prefix = min(self._counts, key=lambda folder: (-self._counts[folder], len(folder), folder))
        return (prefix, self._counts[prefix]) if self._counts[prefix] > 0 else ("", 0)

    def _vote(self, path: str, entry: Entry | None, by: int) -> None:
        for wanted in self._paths.get(entry[1], ()) if entry else ():
            if path == wanted or path.endswith(f"/{wanted}"):
                self._counts[path[: len(path) - len(wanted)]] += by


def compare_trees(files: Files, tree: Tree) -> Match:
    """Compare every file of the sdist with the tree, below the folder that fits best.

    A link is equal if the tree has its target's content; so is a file that only the top of a monorepo has (a licence).
    """
    prefix, _ = Votes(files, tree).best()
    equal = 0
    differing: list[str] = []
    absent: list[str] = []
    objects = {name for _, name in tree.values()}
    for path, names in sorted(files.items()):
        entry = tree.get(prefix + path)
        if entry is not None and entry[0] == LINK:
            same = not objects.isdisjoint(names)
        elif entry is None and prefix:
            same = path in tree and tree[path][1] in names
        else:
            same = entry is not None and entry[1] in names
        if same:
            equal += 1
        else:
            (absent if entry is None else differing).append(path)
    return Match(prefix, equal, tuple(differing), tuple(absent))
