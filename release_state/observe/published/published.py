"""Finds the commit that a version was published from: compares the files of its sdist with the trees of commits.

Without an sdist, the files that its wheel installs are compared, which are fewer: no tests, no changelog.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from release_state.model.observation import Observation, known
from release_state.model.snapshot import Branch, Candidate, IndexFile, Published
from release_state.model.target import Channel, Target
from release_state.observe.git.command import Git, GitFailed
from release_state.observe.git.commits import BranchHistory, CommitSet
from release_state.observe.git.store import Store, WantedCommit
from release_state.observe.http.client import HttpClient, LookupFailed
from release_state.observe.index.access import Index, Provenance, observe_provenance
from release_state.observe.published.candidates import (
    CandidateSearch,
    CommitRef,
    Declarations,
    find_project_folder,
    find_ref_commits,
    look_into,
    look_up_pull_heads,
)
from release_state.observe.published.files import (
    Files,
    Match,
    Refused,
    Tree,
    compare_trees,
    read_sdist,
    read_tree,
    read_wheel,
)

SOURCE = "published commit"
MOST_BYTES = 64 * 2**20
"""Bytes of an sdist; a larger one is not downloaded."""
_SHOWN = 50
_SHOWN_LENGTH = 200
_GENERATED = re.compile(r"(?:.*/)?_?version(?:_info)?\.(?:pyi?|txt)|setup\.py", re.IGNORECASE)
"""Files that builds write and no commit holds: a version from tags, and the setup.py of older Poetry."""


def observe_published(
    client: HttpClient,
    channel: Channel,
    target: Target,
    files: Sequence[IndexFile],
    history: BranchHistory,
    *,
    looks_on_base: bool = False,
    downloaded: dict[str, bytes] | None = None,
) -> Observation[Published]:
    """Compare the version's sdist with the commits that it may have been built from.

    One request for the sdist (else a wheel), and one for its provenance if it has one. The base's history and the heads
    of pull requests are compared only if the tag does not match; with `looks_on_base` the base's history in any case.
    A commit that cannot be fetched is no candidate. Provenance is not verified. `downloaded` receives the compared
    file, by its address. Known and None: no files. Sources: PEP 517, PEP 625, PEP 740.
    """
    if not files:
        return Observation[Published](value=None, unavailable=None)
    try:
        base = Branch(name=history.branch, sha=history.head)
        git = history.stores.git()
        index = Index(client, channel, git.deadline)
        chosen, sha256 = _choose_file(files), len(base.sha) == 64
        attested = next((file for file in ([chosen] if chosen else files) if file.provenance_url), None)
        provenance = observe_provenance(index, attested) if attested else Provenance()
        published = Published(
            sdist=None, provenance_commit=provenance.commit, provenance_repository=provenance.repository
        )
        content: Files = {}
        if chosen:
            content = _download(index, chosen, sha256=sha256, deadline=git.deadline, downloaded=downloaded)
        if chosen is None or not content:
            return known(published)
        refs = find_ref_commits(target, history.remote, history.clone)
        if provenance.commit:
            refs.append(CommitRef(provenance.commit, None, "the commit that the attestation names (not verified)"))
        comparison = _Comparison(git, history.stores.url, target, base, content, refs, looks_on_base)
        candidates = history.read(comparison.find_candidates, [WantedCommit(r.sha, r.ref) for r in refs], git=git)
        file = {"sdist" if chosen.kind == "sdist" else "wheel": chosen.filename}
        update = {**file, "compared": len(content), "candidates": tuple(candidates)}
        return known(published.model_copy(update=update))
    except LookupFailed as failed:
        return Observation[Published](value=None, unavailable=failed.problem)
    except GitFailed as failed:
        return Observation[Published](value=None, unavailable=failed.as_problem(SOURCE))


def _choose_file(files: Sequence[IndexFile]) -> IndexFile | None:
    """The version's sdist (of several, the one in the format of PEP 625), or else its first wheel."""
    sdists = [file for file in files if file.kind == "sdist"]
    wheels = [file for file in files if file.kind == "wheel"]
    return min(sdists or wheels, key=lambda file: (not file.filename.endswith(".tar.gz"), file.filename), default=None)


def _download(
    index: Index, file: IndexFile, *, sha256: bool, deadline: float, downloaded: dict[str, bytes] | None
) -> Files:
    """Download an sdist or a wheel and list its files; none of a wheel with compiled files alone."""
    name = file.filename
    if file.size is not None and file.size > MOST_BYTES:
        raise index.failure(f"{name} has {file.size:,} bytes; more than {MOST_BYTES >> 20} MiB are not compared")
    content = index.download(file, MOST_BYTES)
    if file.sha256 and hashlib.sha256(content).hexdigest() != file.sha256:
        raise index.failure(f"{name} was downloaded, but is not the file that the index lists: its hash differs")
    if downloaded is not None:
        downloaded[file.url] = content
    try:
        if file.kind == "wheel":
            return read_wheel(content, sha256=sha256, deadline=deadline)
        files = read_sdist(name, content, sha256=sha256, deadline=deadline)
    except Refused as refused:
        raise index.failure(f"{name} is not compared: {refused}") from None
    if not files:
        raise index.failure(f"{name} contains no file to compare")
    return files


@dataclass(frozen=True)
class _ComparedCommit:
    """A commit with its tree, and how well that matches."""

    commit: CommitRef
    tree: Tree
    match: Match

    @property
    def is_matching_tag(self) -> bool:
        """Whether it is a tag, and no other commit can match better."""
        is_tag = (self.commit.ref or "").startswith("refs/tags/")
        return is_tag and not self.match.differing and all(_GENERATED.fullmatch(path) for path in self.match.absent)

    @property
    def rank(self) -> tuple[int, int, int]:
        """The order of the candidates, best first."""
        return -self.match.equal, len(self.match.differing), len(self.match.absent)


@dataclass(frozen=True)
class _Comparison:
    """Finds and compares candidates: first the known commits, then those that have to be searched for."""

    git: Git
    url: str
    target: Target
    base: Branch
    files: Files
    refs: Sequence[CommitRef]
    looks_on_base: bool

    def find_candidates(self, store: Store, commits: CommitSet) -> list[Candidate]:
        """Every candidate, best first."""
        compared: dict[str, _ComparedCommit] = {}

        def compare(refs: Iterable[CommitRef]) -> None:
            for ref in refs:
                if ref.sha not in compared:
                    tree = read_tree(store, ref.sha)
                    compared[ref.sha] = _ComparedCommit(ref, tree, compare_trees(self.files, tree))

        compare(ref for ref in self.refs if ref.sha in commits.present)
        has_matching_tag = any(each.is_matching_tag for each in compared.values())
        search = CandidateSearch(store, self.files, self.target, self.base.name, self.base.sha)
        if self.looks_on_base or not has_matching_tag:
            compare(search.find_on_base())
        if not has_matching_tag:
            compare(search.find_pull_heads(*look_up_pull_heads(self.git, self.url)))
        ranked = sorted(compared.values(), key=lambda each: each.rank)
        folders = [find_project_folder(each.tree, each.match.prefix, self.files) for each in ranked]
        trees = [look_into(each.tree, folder) for each, folder in zip(ranked, folders, strict=True)]
        versions = Declarations(store).read_versions(trees)
        return [self._build_candidate(store, each, version) for each, version in zip(ranked, versions, strict=True)]

    def _build_candidate(self, store: Store, each: _ComparedCommit, version: str | None) -> Candidate:
        commit, match = each.commit, each.match
        ancestry = store.run("merge-base", "--is-ancestor", commit.sha, self.base.sha, accept=(0, 1))
        return Candidate(
            sha=commit.sha,
            ref=commit.ref,
            what=commit.what,
            on_base=ancestry.code == 0,
            equal=match.equal,
            differing=_shorten(match.differing),
            absent=_shorten(match.absent),
            declared_version=version,
        )


def _shorten(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(path[:_SHOWN_LENGTH] for path in paths[:_SHOWN])
