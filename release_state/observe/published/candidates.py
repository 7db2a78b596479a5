"""Commits that a version may have been published from: on the base branch, and at the recorded heads of pull requests.

They are found by what their trees hold and declare. Times do not count: an upload can be older or newer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise

from msgspec import Struct

from release_state.common.project import CONFIGURATION
from release_state.facts.declared.backends import find_in_pyproject
from release_state.facts.declared.tree import Folder
from release_state.model.snapshot import Clone, Remote
from release_state.model.target import Target, parse_version
from release_state.observe.git.command import Git, GitFailed, decode_output
from release_state.observe.git.remote import NO_REFS, check_url, list_refs
from release_state.observe.git.store import Store, WantedCommit
from release_state.observe.git.tree_files import MOST_ROUNDS, SIZE_LIMIT
from release_state.observe.published.built import Files
from release_state.observe.published.trees import LINK, MODULE, Entry, Tree, TreeChange, Votes, read_changes, read_tree

MOST_COMMITS = 500
"""How many first parents of the base's head are compared."""
MOST_PULLS = 200
_MOST_RUNS = 3
_MOST_HEADS = 10
"""How many heads of pull requests are compared completely: those that fit best."""
_LISTED = re.compile(rb"[0-9a-f]{40,64}\t(?:HEAD|refs/[^\x00-\x20\x7f]+)")
_PULL = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64})\trefs/pull/([1-9][0-9]{0,9})/head")


class CommitRef(Struct, frozen=True):
    """A commit to compare; see Candidate."""

    sha: str
    ref: str | None
    what: str


def find_ref_commits(target: Target, remote: Remote, clone: Clone | None) -> list[CommitRef]:
    """The version's tag in every spelling, the head of its release branch, and backups that a plan made of one.

    And the clone's own tag of the version, which the remote may not know.
    """
    tags = []
    for tag in remote.tags:
        if target.is_version_named_by(tag.name) or tag.name == target.tag:
            tags.append(CommitRef(tag.commit, f"refs/tags/{tag.name}", f"the tag {tag.name}"))
    tags.sort(key=lambda tag: tag.ref != f"refs/tags/{target.tag}")
    branch = re.escape(target.release_branch)
    heads = [head for head in remote.branches if re.fullmatch(rf"{branch}|backup/{branch}-[0-9a-f]{{7}}", head.name)]
    heads.sort(key=lambda head: head.name != target.release_branch)
    tags += [CommitRef(head.sha, f"refs/heads/{head.name}", f"the head of {head.name}") for head in heads]
    own = [tag for tag in (clone.tags if clone else ()) if tag.name == target.tag]
    return tags + [CommitRef(tag.commit, None, f"the clone's tag {tag.name}") for tag in own]


@dataclass
class WalkStep:
    """A commit in the walk along the base: how many files of the sdist it holds, and where the project lies in it."""

    sha: str
    changes: list[TreeChange]
    prefix: str = ""
    votes: int = 0


class CandidateSearch:
    """Looks for candidates in a store that holds the base's history."""

    def __init__(self, store: Store, files: Files, target: Target, base_branch: str, base_head: str) -> None:
        self.store, self.files, self.target = store, files, target
        self.base_branch, self.base_head = base_branch, base_head
        self._declarations = Declarations(store)
        self.most_votes = 0
        """How many files the commit has that came closest so far."""

    def find_on_base(self) -> list[CommitRef]:
        """Commits of the base, along first parents: of each series that declares the version, the first and the best
        match; and a commit with another or no version, if it matches better than all of these.
        """
        names = self.store.run("rev-list", "--first-parent", f"--max-count={MOST_COMMITS}", self.base_head, "--")
        shas = names.text.split()[::-1]
        oldest = read_tree(self.store, shas[0])
        walk = self.walk(shas, oldest)
        best = max(walk, key=lambda step: step.votes)
        self.most_votes = best.votes
        declared = self._declares_along(walk, oldest, find_project_folder(self._newest, best.prefix, self.files))
        base, ref = self.base_branch, f"refs/heads/{self.base_branch}"
        commits = []
        groups = [(is_it, list(steps)) for is_it, steps in groupby(walk, key=lambda step: declared[step.sha])]
        for steps in [steps for is_it, steps in groups if is_it][::-1][:_MOST_RUNS]:
            # max takes the first of equal ones.
            best_step = max(steps, key=lambda step: step.votes)
            commits.append(CommitRef(steps[0].sha, ref, f"the commit of {base} that sets the version"))
            commits.append(CommitRef(best_step.sha, ref, f"a commit of {base} that declares the version"))
        if best.votes > max((step.votes for step in walk if declared[step.sha]), default=0):
            commits.append(CommitRef(best.sha, ref, f"the commit of {base} that comes closest"))
        return commits

    @cached_property
    def _newest(self) -> Tree:
        return read_tree(self.store, self.base_head)

    def walk(self, shas: Sequence[str], oldest: Tree) -> list[WalkStep]:
        """Commits of one line, oldest first, with what each has of the files; `oldest` is the tree of the first."""
        votes = Votes(self.files, oldest)
        walk = [WalkStep(shas[0], [], *votes.find_best())]
        for sha, changes in read_changes(self.store, [(newer, older) for older, newer in pairwise(shas)]):
            votes.apply(changes)
            walk.append(WalkStep(sha, changes, *votes.find_best()))
        return walk

    def _declares_along(self, walk: Sequence[WalkStep], oldest: Tree, prefix: str) -> dict[str, bool]:
        paths: set[str] = set()
        for _ in range(MOST_ROUNDS):
            states, numbers = _list_states(walk, oldest, paths)
            trees = [TreeState(state, prefix) for state in states]
            versions = self._declarations.read_versions(trees)
            asked = {path for tree in trees for path in tree.asked}
            if asked <= paths:
                return {step.sha: self._is_it(versions[number]) for step, number in zip(walk, numbers, strict=True)}
            paths |= asked
        return dict.fromkeys((step.sha for step in walk), False)

    def find_pull_heads(self, heads: Sequence[tuple[int, str]], total: int) -> list[CommitRef]:
        """Recorded heads of pull requests that declare the version, or that declare none and match better than any
        commit of the base: call `find_on_base` before.

        `heads` are (number, commit); `total` is how many the remote has.
        """
        cut = f" (of {total:,}, the newest {len(heads)} were looked at)" if total > len(heads) else ""
        present = self.store.obtain([WantedCommit(sha, f"refs/pull/{number}/head") for number, sha in heads])
        heads = [(number, sha) for number, sha in heads if sha in present]
        tree = self._newest
        votes = Votes(self.files, tree)
        votes_of: dict[str, int] = {}
        lookups: dict[str, TreeState] = {}
        pairs = [(sha, self.base_head) for sha in dict.fromkeys(sha for _, sha in heads)]
        for sha, changes in read_changes(self.store, pairs):
            votes.apply(changes)
            prefix, votes_of[sha] = votes.find_best()
            votes.apply(changes, undo=True)
            folder = find_project_folder(tree, prefix, self.files)
            lookups[sha] = TreeState(tree, folder, {change.path: change.after for change in changes})
        versions = self._declarations.read_versions(list(lookups.values()))
        declared = dict(zip(lookups, versions, strict=True))
        fitting = sorted(
            (-votes_of[sha], number, sha)
            for number, sha in heads
            if self._is_it(declared[sha]) or (declared[sha] is None and votes_of[sha] > self.most_votes)
        )
        return [
            CommitRef(sha, f"refs/pull/{number}/head", f"the recorded head of pull request #{number}{cut}")
            for _, number, sha in fitting[:_MOST_HEADS]
        ]

    def _is_it(self, declared: str | None) -> bool:
        return declared is not None and parse_version(declared) == self.target.parsed_version


def _list_states(walk: Sequence[WalkStep], oldest: Tree, paths: Collection[str]) -> tuple[list[Tree], list[int]]:
    """The distinct states of these paths along a walk, and the number of the state of each commit."""
    states = [{path: oldest[path] for path in paths if path in oldest}]
    numbers = []
    for step in walk:
        changes = {change.path: change.after for change in step.changes if change.path in paths}
        if changes:
            merged: dict[str, Entry | None] = {**states[-1], **changes}
            states.append({path: entry for path, entry in merged.items() if entry})
        numbers.append(len(states) - 1)
    return states, numbers


def find_project_folder(tree: Mapping[str, Entry], prefix: str, files: Files) -> str:
    """The project's folder, for files below `prefix`: that folder, or the nearest above it with a configuration.

    A wheel's files are in `src/` or the like, without the configuration; an sdist has its own, unless the build has
    moved it to the top.
    """
    folder = prefix
    if files.folder and f"{prefix}{files.folder}pyproject.toml" in tree:
        return prefix + files.folder
    if any(name in files for name in CONFIGURATION):
        return prefix
    while not any(folder + name in tree for name in CONFIGURATION):
        if not folder:
            return prefix
        folder = folder[: folder.rstrip("/").rfind("/") + 1]
    return folder


class TreeState:
    """The files of a tree, or of one that differs from it by some changes; notes which of them it is asked for.

    `prefix` is the project's folder.
    """

    def __init__(
        self, tree: Mapping[str, Entry], prefix: str, changed: Mapping[str, Entry | None] | None = None
    ) -> None:
        self._tree, self.prefix, self._changed = tree, prefix, changed or {}
        self.asked: set[str] = set()
        self.texts: Mapping[str, str] = {}
        """By object name."""

    def read(self, path: str) -> str | None:
        """Return the text of a file; None if there is none, or if it is a link."""
        self.asked.add(path)
        name = self.name(path)
        return self.texts.get(name) if name else None

    def find(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return no file: the project's folder is known."""
        return ()

    def name(self, path: str) -> str | None:
        """Return the object name of a file; None if there is none, or if it is a link."""
        entry = self._changed[path] if path in self._changed else self._tree.get(path)
        return entry[1] if entry and entry[0] not in (LINK, MODULE) else None


def look_up_pull_heads(git: Git, url: str) -> tuple[list[tuple[int, str]], int]:
    """The recorded heads of the newest pull requests (number, commit), and how many there are; by one `git ls-remote`.

    Raises GitFailed if the remote does not answer. Some services record no heads.
    """
    check_url(url)
    # With HEAD the answer of a service that records no heads is not empty: an empty one is a failure.
    output = list_refs(git, url, ("--",), ("HEAD", "refs/pull/*/head"))
    if not output:
        raise GitFailed(NO_REFS)
    matches = filter(None, map(_PULL.fullmatch, output.splitlines()))
    heads = [(int(match[2]), decode_output(match[1])) for match in matches]
    if any(not _LISTED.fullmatch(line) for line in output.splitlines()):
        raise GitFailed("git ls-remote answered lines that are no refs")
    heads.sort(reverse=True)
    return heads[:MOST_PULLS], len(heads)


class Declarations:
    """Reads what trees declare; each content once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._texts: dict[str, str] = {}

    def read_versions(self, trees: Sequence[TreeState]) -> list[str | None]:
        """The declared version of each project; None if there is none, or if the build computes it.

        Raises GitFailed if a file's content cannot be read.
        """
        for tree in trees:
            tree.texts = self._texts
        for _ in range(MOST_ROUNDS):
            found = [find_in_pyproject(Folder(tree, tree.prefix)).version for tree in trees]
            named = {tree.name(path) for tree in trees for path in tree.asked}
            if not (lacking := {name for name in named if name} - self._texts.keys()):
                return found
            self._obtain(lacking)
        return [None] * len(trees)

    def _obtain(self, names: Collection[str]) -> None:
        self._store.obtain_contents(names)
        for name in names:
            data = self._store.read_file_content(name, SIZE_LIMIT + 1)
            # Content that is too large is replaced by invalid TOML: it declares nothing.
            self._texts[name] = data.decode("utf-8-sig", "replace") if len(data) <= SIZE_LIMIT else "\0"
