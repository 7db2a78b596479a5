"""What GitHub says about the repository, its pull requests and its releases."""

from __future__ import annotations

from pydantic import AwareDatetime

from release_state.model.observation import Model


class Repository(Model):
    """The repository as GitHub describes it."""

    full_name: str
    """Its current name; not the target's if it was renamed or moved."""
    default_branch: str
    archived: bool = False
    private: bool = False
    can_push: bool | None = None
    """Whether the token may push; None without a token, or if GitHub does not say."""
    can_administer: bool | None = None
    """Whether the token's owner administers the repository; None as above."""
    token_scopes: tuple[str, ...] | None = None
    """The scopes of a classic token; None for others, whose permissions GitHub does not list."""
    html_url: str
    fork_of: str | None = None
    """The root of its fork network; None if it is not a fork."""


class PullRequest(Model):
    """A pull request; `head_repository` is None if its fork was deleted."""

    number: int
    title: str
    state: str
    """"open" or "closed"."""
    merged: bool
    draft: bool = False
    head_branch: str
    head_sha: str
    head_repository: str | None
    base_branch: str
    merge_commit: str | None = None
    created_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    merged_at: AwareDatetime | None = None
    author: str | None = None
    html_url: str

    @property
    def is_open(self) -> bool:
        """Whether it can still be merged."""
        return self.state == "open"


class GitHubRelease(Model):
    """A GitHub Release or a draft of one."""

    id: int
    tag: str
    name: str | None
    draft: bool
    prerelease: bool
    immutable: bool | None = None
    """None if the service (an older GitHub Enterprise) does not say."""
    has_notes: bool
    assets: int | None = None
    """How many files are attached; None if GitHub does not say."""
    created_at: AwareDatetime
    published_at: AwareDatetime | None = None
    author: str | None = None
    html_url: str


class RateLimit(Model):
    """GitHub's last word on its rate limit: requests per hour, requests left, and the reset time."""

    limit: int
    remaining: int
    resets_at: AwareDatetime
    """In the local time of the observing machine."""
    spent: int = 0
    """Requests of this run; another run like it needs as many."""
