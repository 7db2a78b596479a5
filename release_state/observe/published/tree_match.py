"""How well the tree of a commit fits the files of an sdist: by the names of git's objects, without their contents."""

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
"""Commits in one question: the answer has a line for each file that changed."""
_MOST_ALIKE = 20
"""An object that so many files have says nothing about where the project lies; the empty file is one."""

Entry = tuple[str, str]
"""Mode and object."""
Tree = dict[str, Entry]
"""By path; without submodules."""


@dataclass(frozen=True)
class TreeChange:
    """A path that differs between two trees, and what each has there; None: nothing."""

    path: str
    before: Entry | None
    after: Entry | None


@dataclass(frozen=True)
class Match:
    """The comparison of a tree with an sdist; every list is complete."""

    prefix: str
    """Where in the tree the project lies: "", or a folder with a slash at its end."""
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
    """For each pair (commit, earlier commit) the first and what changed between the two, in their order."""
    for start in range(0, len(pairs), _AT_ONCE):
        # "As if they were its parents": so each commit is compared with the one that is named after it.
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
    """How many files of the sdist a tree holds below each folder; follows the tree through its changes.

    Only files whose content tells one from another count, so that this is a measure for choosing what to compare.
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
        """Go on to the changed tree, or back from it."""
        for change in changes:
            self._vote(change.path, change.before, 1 if undo else -1)
            self._vote(change.path, change.after, -1 if undo else 1)

    def best(self) -> tuple[str, int]:
        """The folder with the most files, and their number; the top where several have as many."""
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

    A link, and a file that only the top of a monorepo has (a licence), is equal where the content it leads to is there.
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
