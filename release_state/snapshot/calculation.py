"""The next version that the commits on the base branch call for, and by which rules."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from release_state.model import Model, Observation

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
