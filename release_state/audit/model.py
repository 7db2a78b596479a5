"""What was observed of a project's whole history on one channel: plain facts, frozen, to JSON and back."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import AwareDatetime

from release_state.model.observation import Model, Observation, unavailable
from release_state.model.snapshot import GitHubRelease, PullRequest, Remote, Repository, Tag, WorkflowRuns
from release_state.model.target import Target

FORMAT = 1

_NOT_ASKED: Observation[Any] = unavailable("history", "not asked for: the channel leaves no such trace")


class IndexedVersion(Model):
    """A version of the project that has files on the index."""

    version: str
    """Normalized by PEP 440."""
    files: tuple[tuple[str, str, bool], ...]
    """Of each file its name, its kind ("sdist", "wheel" or another package type), and whether it is yanked."""
    yanked_reason: str | None = None
    uploaded_at: AwareDatetime | None = None
    """The first upload, where the index says (PEP 700)."""

    # Each is asked for again and again, for the judgement, the picture and the reports of thousands of versions.
    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of file that are there."""
        return frozenset(kind for _, kind, _ in self.files)

    @cached_property
    def yanked(self) -> int:
        """How many files are yanked."""
        return sum(yanked for _, _, yanked in self.files)

    @property
    def all_yanked(self) -> bool:
        """Whether every file is yanked."""
        return self.yanked == len(self.files)


class IndexHistory(Model):
    """The project's page on one index, with every version. One that the index does not list has `listed` false."""

    url: str
    listed: bool
    status: str | None = None
    """PEP 792, as in `IndexProject`."""
    status_reason: str | None = None
    versions: tuple[IndexedVersion, ...] = ()
    """Oldest first by PEP 440."""
    listed_without_files: tuple[str, ...] = ()
    """Versions that the index lists (PEP 700) but holds no file of: not published."""
    skipped: tuple[str, ...] = ()
    """File names whose version could not be read; the first fifty."""
    lists_versions: bool = False
    """Whether the index says which versions there are (PEP 700): then no unreadable name hides another."""


class History(Model):
    """Everything that an audit observed of one channel, at (nearly) one moment."""

    format: int = FORMAT
    observed_at: AwareDatetime
    target: Target
    """Package, repository, channel and templates; its own version is a placeholder."""
    selection: str
    """"all", or the PEP 440 specifier of the versions that are judged; what was observed is the whole history."""
    token_source: str | None = None
    """Where the GitHub token came from, never the token."""
    remote: Observation[Remote] = _NOT_ASKED
    index: Observation[IndexHistory] = _NOT_ASKED
    catching_up: tuple[str, ...] = ()
    """A version that is published and that the Simple API does not list yet, which can be behind for minutes."""
    clone_tags: Observation[tuple[Tag, ...]] = _NOT_ASKED
    """Known and None: there is no clone to look at."""
    repository: Observation[Repository] = _NOT_ASKED
    releases: Observation[tuple[GitHubRelease, ...]] = _NOT_ASKED
    """Every published GitHub Release."""
    drafts: Observation[tuple[GitHubRelease, ...]] = _NOT_ASKED
    """Every draft; listed only to a token with push right."""
    latest_release: Observation[GitHubRelease] = _NOT_ASKED
    """Known and None: GitHub calls none the latest."""
    open_pulls: Observation[tuple[PullRequest, ...]] = _NOT_ASKED
    """Every open pull request whose head or base parses as a release branch."""
    runs: Observation[WorkflowRuns] = _NOT_ASKED
