"""The observed history of a project on one channel: plain facts, frozen, to JSON and back."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime

from release_state.model.observation import Model, Observation, unavailable
from release_state.model.snapshot import GitHubRelease, PullRequest, Remote, Repository, Tag, WorkflowRuns
from release_state.model.snapshot.index import IndexHistory
from release_state.model.target import Target

FORMAT = 1

_NOT_ASKED: Observation[Any] = unavailable("history", "not asked for: the channel leaves no such trace")


class AuditSnapshot(Model):
    """Everything that an audit observed of one channel at nearly one moment."""

    format: int = FORMAT
    observed_at: AwareDatetime
    target: Target
    """Package, repository, channel and templates; its own version is a placeholder."""
    selection: str
    """"all", or the PEP 440 specifier of the versions to judge. The whole history is observed in any case."""
    token_source: str | None = None
    """Where the GitHub token came from, never the token."""
    remote: Observation[Remote] = _NOT_ASKED
    index: Observation[IndexHistory] = _NOT_ASKED
    catching_up: tuple[str, ...] = ()
    """Published versions that the Simple API does not list yet; it can lag by minutes."""
    clone_tags: Observation[tuple[Tag, ...]] = _NOT_ASKED
    """Known and None: there is no clone."""
    repository: Observation[Repository] = _NOT_ASKED
    releases: Observation[tuple[GitHubRelease, ...]] = _NOT_ASKED
    """Every published GitHub Release."""
    drafts: Observation[tuple[GitHubRelease, ...]] = _NOT_ASKED
    """Every draft; GitHub lists drafts only to a token with push permission."""
    latest_release: Observation[GitHubRelease] = _NOT_ASKED
    """Known and None: GitHub has no latest release."""
    open_pulls: Observation[tuple[PullRequest, ...]] = _NOT_ASKED
    """Every open pull request whose head or base parses as a release branch."""
    runs: Observation[WorkflowRuns] = _NOT_ASKED
