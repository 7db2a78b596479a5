"""The next version by the commits on the base branch, and the commit that was published."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

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
    levels: dict[Level, int] = Field(default_factory=dict)
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
    declared_version: str | None = None


class Published(Model):
    """The commit that the version was published from, and the evidence."""

    sdist: str | None
    """The name of the compared sdist; None if the version has none."""
    wheel: str | None = None
    """The name of the wheel that was compared instead."""
    compared: int = 0
    """How many of its files were compared, without generated ones."""
    candidates: tuple[Candidate, ...] = ()
    """Best first."""
    provenance_commit: str | None = None
    """The commit that a PEP 740 attestation names."""
    provenance_repository: str | None = None

    @property
    def file(self) -> str | None:
        """The name of the compared file; None if there was nothing to compare."""
        return self.sdist or self.wheel

    @property
    def best(self) -> Candidate | None:
        """The candidate that fits better than every other; None if none fits, or several fit equally."""
        if not self.candidates or not self.candidates[0].equal:
            return None
        first = self.candidates[0]
        rank = (first.equal, -len(first.differing), -len(first.absent))
        others = [(c.equal, -len(c.differing), -len(c.absent)) for c in self.candidates[1:]]
        return first if all(rank > other for other in others) else None
