"""The next version that the commits on the base branch call for, and by which rules."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from release_state.model.observation import Model, Observation

Rules = Literal["semantic-release", "commitizen", "conventional"]

Level = Literal["major", "minor", "patch", "none"]


class CountedCommit(Model):
    """A commit since the last tag, and what it calls for; None: it does not follow the convention."""

    sha: str
    subject: str
    level: Level | None


class Counted(Model):
    """The commits since the last version's tag, as the project's rules read them; merge commits are left out."""

    last_tag: str | None
    """None: no tag of this package is in the history of the base branch."""
    total: int = 0
    levels: dict[Level, int] = Field(default_factory=dict)
    """How many commits call for what."""
    decisive: tuple[CountedCommit, ...] = ()
    """The first ten, newest first, of those that call for most; empty where none calls for anything."""
    not_conventional: tuple[CountedCommit, ...] = ()
    """The first fifty that do not follow the convention, newest first."""
    not_conventional_count: int = 0


class Calculation(Model):
    """What the head of the base branch calls for, under the configuration in its own tree."""

    base_head: str
    rules: Rules | None
    """None: the project configures none, or none are wanted."""
    where: str | None = None
    """Where the configuration stands: "[tool.semantic_release] of pyproject.toml"."""
    tool: str | None = None
    """The program that worked it out, with its version; None: plain rules of the suite's own."""
    counted: Observation[Counted]
    next_version: Observation[str]
    """As the tool spells it. Known and None: the commits call for no release."""
    no_release: str | None = None
    """Why the rules make no release from this branch at all."""
    plain: str | None = None
    """What plain rules call for, where the project's tool could not be asked: a hint, no statement."""
    project_name: str | None = None
    """The name of what the tree builds, as it is spelt there; None: none that can be read."""


class Candidate(Model):
    """A commit that the published files may have been built from, compared with the published sdist (or wheel)."""

    sha: str
    ref: str | None = None
    """A ref of the remote to fetch it by: `refs/pull/3/head`."""
    what: str
    """In words: "the tag v0.2.0", "the recorded head of pull request #3", "a commit of main that sets the version"."""
    on_base: bool
    equal: int
    """Files of the sdist that the commit's tree holds byte for byte."""
    differing: tuple[str, ...] = ()
    """Files of the sdist that the tree holds with other content; the first fifty."""
    absent: tuple[str, ...] = ()
    """Files of the sdist that the tree does not hold, generated ones (PKG-INFO) left out; the first fifty."""
    declared_version: str | None = None


class Published(Model):
    """What says from which commit the version was published."""

    sdist: str | None
    """Name of the sdist that was compared; None where the version has none."""
    wheel: str | None = None
    """Name of the wheel that was compared for lack of an sdist."""
    compared: int = 0
    """Files of it that were compared, generated ones left out."""
    candidates: tuple[Candidate, ...] = ()
    """Best first."""
    provenance_commit: str | None = None
    """The commit that a PEP 740 attestation names, where there is one."""
    provenance_repository: str | None = None

    @property
    def file(self) -> str | None:
        """Name of the file that was compared; None: there was nothing to compare."""
        return self.sdist or self.wheel

    @property
    def best(self) -> Candidate | None:
        """The one candidate that fits better than every other; None where none or several fit alike."""
        if not self.candidates or not self.candidates[0].equal:
            return None
        first = self.candidates[0]
        rank = (first.equal, -len(first.differing), -len(first.absent))
        others = [(c.equal, -len(c.differing), -len(c.absent)) for c in self.candidates[1:]]
        return first if all(rank > other for other in others) else None

    @property
    def is_exact(self) -> bool:
        """Whether the best candidate holds every file of the sdist byte for byte."""
        return bool(self.best and not self.best.differing and not self.best.absent)
