"""Compares the files of a version with commits: those that refs name first, then those that have to be found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from release_state.model.snapshot import Branch, Candidate, Remote
from release_state.model.target import Target
from release_state.observe.git.command import Git
from release_state.observe.git.commits import CommitSet
from release_state.observe.git.history import is_ancestor
from release_state.observe.git.store import Store
from release_state.observe.published.built import Files
from release_state.observe.published.candidates import (
    CandidateSearch,
    CommitRef,
    Declarations,
    TreeState,
    find_project_folder,
    look_up_pull_heads,
)
from release_state.observe.published.elsewhere import find_elsewhere
from release_state.observe.published.trees import Match, Tree, compare_trees, read_tree

_SHOWN = 50
_SHOWN_LENGTH = 200
_GENERATED = re.compile(r"(?:.*/)?_?version(?:_info)?\.(?:pyi?|txt)|setup\.py", re.IGNORECASE)
"""Files that builds write and no commit holds: a version from tags, and the setup.py of older Poetry."""


class _ComparedCommit(Struct, frozen=True):
    """A commit with its tree, and how well that matches."""

    commit: CommitRef
    tree: Tree
    match: Match

    @property
    def is_tag(self) -> bool:
        """Whether a tag names it."""
        return (self.commit.ref or "").startswith("refs/tags/")

    @property
    def is_whole(self) -> bool:
        """Whether no other commit can match better."""
        return not self.match.differing and all(_GENERATED.fullmatch(path) for path in self.match.absent)

    @property
    def has_most(self) -> bool:
        """Whether it has more than half of the files."""
        return self.match.equal > len(self.match.differing) + len(self.match.absent)

    @property
    def rank(self) -> tuple[int, int, int]:
        """The order of the candidates, best first."""
        return -self.match.equal, len(self.match.differing), len(self.match.absent)


class Comparison(Struct, frozen=True):
    """Finds and compares candidates: first the known commits, then those that have to be searched for."""

    git: Git
    url: str
    target: Target
    base: Branch
    files: Files
    refs: Sequence[CommitRef]
    remote: Remote | None
    """None: nothing is searched for."""
    looks_on_base: bool

    def find_candidates(self, store: Store, commits: CommitSet) -> dict[str, object]:
        """The candidates, best first, and how many files none of them has: values of Published."""
        compared: dict[str, _ComparedCommit] = {}

        def compare(refs: Iterable[CommitRef]) -> None:
            for ref in refs:
                if ref.sha not in compared:
                    tree = read_tree(store, ref.sha)
                    compared[ref.sha] = _ComparedCommit(ref, tree, compare_trees(self.files, tree))

        compare(ref for ref in self.refs if ref.sha in commits.present)
        if self.remote:
            self._search(store, self.remote, compared, compare)
        ranked = sorted(compared.values(), key=lambda each: each.rank)
        folders = [find_project_folder(each.tree, each.match.prefix, self.files) for each in ranked]
        trees = [TreeState(each.tree, folder) for each, folder in zip(ranked, folders, strict=True)]
        versions = Declarations(store).read_versions(trees)
        pairs = zip(ranked, versions, strict=True)
        candidates = tuple(self._build_candidate(store, each, version) for each, version in pairs)
        absent = [set(each.match.absent) for each in ranked]
        return {"candidates": candidates, "unseen": len(set.intersection(*absent)) if absent else None}

    def _search(
        self,
        store: Store,
        remote: Remote,
        compared: Mapping[str, _ComparedCommit],
        compare: Callable[[Iterable[CommitRef]], None],
    ) -> None:
        """Search along the base, then in pull requests; elsewhere only while nothing fits and no tag comes near."""
        has_matching_tag = any(each.is_tag and each.is_whole for each in compared.values())
        has_near_tag = any(each.is_tag and each.has_most for each in compared.values())
        search = CandidateSearch(store, self.files, self.target, self.base.name, self.base.sha)
        if self.looks_on_base or not has_matching_tag:
            compare(search.find_on_base())
        if has_matching_tag:
            return
        compare(search.find_pull_heads(*look_up_pull_heads(self.git, self.url)))
        if not has_near_tag and not any(each.is_whole for each in compared.values()):
            compare(find_elsewhere(search, remote, compared))

    def _build_candidate(self, store: Store, each: _ComparedCommit, version: str | None) -> Candidate:
        commit, match = each.commit, each.match
        return Candidate(
            sha=commit.sha,
            ref=commit.ref,
            what=commit.what,
            on_base=is_ancestor(store, commit.sha, self.base.sha),
            equal=match.equal,
            differing=_shorten(match.differing),
            absent=_shorten(match.absent),
            more_differing=max(len(match.differing) - _SHOWN, 0),
            more_absent=max(len(match.absent) - _SHOWN, 0),
            left_out=match.left_out,
            declared_version=version,
        )


def _shorten(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(path[:_SHOWN_LENGTH] for path in paths[:_SHOWN])
