"""The next version by the commits on the base branch, and the commit that was published."""

from __future__ import annotations

from typing import Literal

from msgspec import field

from release_state.model.observation import Model, Observation

Rules = Literal["semantic-release", "commitizen", "conventional"]

Level = Literal["major", "minor", "patch", "none"]


class CountedCommit(Model):
    """A commit since the last tag and its level; None if it does not follow the convention."""

    sha: str
    subject: str
    level: Level | None


class Counted(Model):
    """The commits since the last version's tag, by the project's rules, without merge commits."""

    last_tag: str | None
    """None if the history of the base branch has no tag of this package."""
    total: int = 0
    levels: dict[Level, int] = field(default_factory=dict)
    """The number of commits by level."""
    decisive: tuple[CountedCommit, ...] = ()
    """The first ten commits of the highest level, newest first; empty if none asks for a release."""
    not_conventional: tuple[CountedCommit, ...] = ()
    """The first fifty commits that do not follow the convention, newest first."""
    not_conventional_count: int = 0


class Calculation(Model):
    """The next version at the base branch's head, by the configuration in its tree."""

    base_head: str
    rules: Rules | None
    """None if the project configures none, or wants none."""
    where: str | None = None
    """Where the configuration is: "[tool.semantic_release] of pyproject.toml"."""
    tool: str | None = None
    """The program that computed it, with its version; None for the suite's plain rules."""
    counted: Observation[Counted]
    next_version: Observation[str]
    """As the tool spells it; known and None if the commits need no release."""
    no_release: str | None = None
    """Why the rules never release from this branch."""
    plain: str | None = None
    """The next version by plain rules if the project's tool could not run: only a hint."""
    project_name: str | None = None
    """The project name in the tree, as spelled there; None if it cannot be read."""


_MANY = 20
"""So many equal files are no coincidence, however few they are of all."""
_FEWEST = 3
"""Fewer files than that never show that a commit is another project's."""


class Candidate(Model):
    """A commit that the published files may be built from, compared with the published sdist or wheel."""

    sha: str
    ref: str | None = None
    """A ref of the remote to fetch it by: `refs/pull/3/head`."""
    what: str
    """In words: "the tag v0.2.0", "the recorded head of pull request #3", "a commit of main that sets the version"."""
    on_base: bool
    equal: int
    """How many files of the sdist are identical in the commit's tree."""
    differing: tuple[str, ...] = ()
    """The first fifty files of the sdist with other content in the tree."""
    absent: tuple[str, ...] = ()
    """The first fifty files of the sdist that the tree lacks, without generated ones (PKG-INFO)."""
    left_out: int = 0
    """How many files tell nothing here: those of submodules, and those that the build has rewritten."""
    more_differing: int = 0
    """How many files differ beside those in `differing`."""
    more_absent: int = 0
    declared_version: str | None = None

    @property
    def differing_count(self) -> int:
        """How many files have other content in the tree."""
        return len(self.differing) + self.more_differing

    @property
    def absent_count(self) -> int:
        """How many files the tree lacks."""
        return len(self.absent) + self.more_absent

    @property
    def rank(self) -> tuple[int, int, int]:
        """The order of the candidates, best first."""
        return -self.equal, self.differing_count, self.absent_count


class Published(Model):
    """The commit that the version was published from, and the evidence."""

    sdist: str | None
    """The name of the compared sdist; None if the version has none."""
    is_bare: bool = False
    """Whether the sdist has no source in any language, and no setup.py that could make some."""
    wheel: str | None = None
    """The name of the wheel that was compared instead."""
    compared: int = 0
    """How many of its files were compared, without generated ones."""
    unseen: int | None = None
    """How many of them no compared commit has: the build made them, or nobody committed them. None: not counted."""
    version: str | None = None
    """The version of the file if it is another: the tag of the target's version is on a commit that declares it."""
    candidates: tuple[Candidate, ...] = ()
    """Best first."""
    provenance_commit: str | None = None
    """The commit that a PEP 740 attestation names."""
    provenance_repository: str | None = None

    @property
    def file(self) -> str | None:
        """The name of the compared file; None if there was nothing to compare."""
        return self.sdist or self.wheel

    def fits(self, candidate: Candidate) -> bool:
        """Whether a commit has more than half of the files that tell something.

        Files that no commit has tell nothing if the commit has many others: scripts, styles and headers that are built.
        """
        told = self.compared - candidate.left_out
        is_most = 2 * candidate.equal > told or candidate.equal >= _MANY
        return is_most and 2 * candidate.equal > told - (self.unseen or 0)

    def is_foreign(self, candidate: Candidate) -> bool:
        """Whether a commit has next to none of the files: hardly any, and most are not even there by their path.

        A project whose files are nearly all made by its build has few in every commit: only another commit that has
        them shows the difference, or that there is not a single one.
        """
        told = self.compared - candidate.left_out
        has_few = 10 * candidate.equal <= told and candidate.equal < _MANY
        if not (has_few and told >= _FEWEST and 2 * candidate.absent_count > told):
            return False
        return candidate.equal == 0 or any(self.fits(other) for other in self.candidates)

    def lacks_more(self, candidate: Candidate) -> bool:
        """Whether a commit lacks a file that another commit has."""
        if self.unseen is not None:
            return candidate.absent_count > self.unseen
        return any(not set(candidate.absent) <= set(other.absent) for other in self.candidates)

    def find(self, sha: str) -> Candidate | None:
        """Return the candidate of a commit."""
        return next((each for each in self.candidates if each.sha == sha), None)
