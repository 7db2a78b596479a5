"""What GitHub knows beside the git repository: pull requests, releases, checks, workflow runs and rate limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

Json = dict[str, Any]
When = datetime | str | None


def utcnow() -> datetime:
    """The present moment, with its zone, in whole seconds (GitHub's own precision)."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def moment(value: datetime | str) -> datetime:
    """A moment in UTC from a datetime or an ISO 8601 text; raises `ValueError` when it has no zone."""
    # Python 3.10's fromisoformat does not know the suffix Z.
    parsed = datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else value
    if parsed.tzinfo is None:
        raise ValueError(f"a moment needs a zone: {value!r}")
    return parsed.astimezone(timezone.utc)


def stamp(value: datetime) -> str:
    """A moment as GitHub writes it: `2026-01-31T12:00:00Z`."""
    return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_or_none(value: datetime | None) -> str | None:
    """As `stamp`, with `None` for an event that did not happen."""
    return None if value is None else stamp(value)


@dataclass
class Pull:
    """A pull request.

    `head_repo` is None when that fork was deleted. A `pinned` head does not follow its branch.
    """

    number: int
    id: int
    title: str
    body: str | None
    state: str
    draft: bool
    head_ref: str
    head_sha: str
    head_repo: str | None
    base_ref: str
    base_sha: str
    user: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: str | None = None
    merge_commit_sha: str | None = None
    pinned: bool = False


@dataclass
class Asset:
    """A file attached to a release."""

    id: int
    name: str
    data: bytes
    state: str = "uploaded"


@dataclass
class Release:
    """A GitHub Release.

    `make_latest` is GitHub's parameter: `true` marks the release, `legacy` leaves it to date and version, `false`
    excludes it. A `tagged` release had its tag, so that a missing one was deleted.
    """

    id: int
    tag: str
    name: str | None
    body: str | None
    draft: bool
    prerelease: bool
    immutable: bool
    target: str
    author: str | None
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    make_latest: str = "legacy"
    tagged: bool = False
    assets: list[Asset] = field(default_factory=list)


@dataclass
class CheckRun:
    """A check run on one commit."""

    id: int
    sha: str
    name: str
    status: str
    conclusion: str | None
    started_at: datetime | None
    completed_at: datetime | None
    check_suite: int
    details_url: str
    app: str = "github-actions"


@dataclass
class Workflow:
    """A workflow file; `state` as GitHub's (`active`, `disabled_manually`...)."""

    id: int
    path: str
    name: str
    state: str
    created_at: datetime

    @property
    def file(self) -> str:
        """The file's own name, by which the API also knows the workflow."""
        return self.path.rsplit("/", 1)[-1]


@dataclass
class Step:
    """One step of a job; the moments default to the job's own."""

    name: str
    status: str = "completed"
    conclusion: str | None = "success"
    started_at: When = None
    completed_at: When = None


@dataclass
class Job:
    """One job of a workflow run.

    Status, conclusion, moments and log default to the run's own, steps to set-up, work and completion; the server sets
    the id. The lines of the log get GitHub's time prefix.
    """

    name: str = "release"
    status: str = ""
    conclusion: str | None = ""
    started_at: When = None
    completed_at: When = None
    steps: Sequence[Step] = ()
    log: str | None = None
    labels: Sequence[str] = ("ubuntu-latest",)
    id: int = 0


@dataclass
class Run:
    """A workflow run; `log_expired` makes its log endpoints answer 410 as after the retention time."""

    id: int
    number: int
    workflow_id: int
    status: str
    conclusion: str | None
    event: str
    head_branch: str | None
    head_sha: str
    title: str
    actor: str
    attempt: int
    check_suite: int
    created_at: datetime
    started_at: datetime
    updated_at: datetime
    jobs: list[Job] = field(default_factory=list)
    log_expired: bool = False


ANONYMOUS_LIMIT = 60
TOKEN_LIMIT = 5000


@dataclass
class Budget:
    """One caller's requests in the present hour."""

    limit: int
    remaining: int
    reset: datetime

    def show(self) -> dict[str, int]:
        """The budget as `/rate_limit` shows it; the reset in seconds since 1970."""
        used = self.limit - self.remaining
        return {"limit": self.limit, "remaining": self.remaining, "used": used, "reset": int(self.reset.timestamp())}

    def headers(self) -> dict[str, str]:
        """The rate-limit headers."""
        return {
            **{f"X-RateLimit-{name.title()}": str(n) for name, n in self.show().items()},
            "X-RateLimit-Resource": "core",
        }


class Limits:
    """The budgets of all callers; None is the anonymous one."""

    def __init__(self) -> None:
        self._budgets: dict[str | None, Budget] = {}

    def of(self, token: str | None, now: datetime) -> Budget:
        """The caller's budget, a fresh one when its hour is over."""
        budget = self._budgets.get(token)
        if budget is None or moment(now) >= budget.reset:
            limit = ANONYMOUS_LIMIT if token is None else TOKEN_LIMIT
            budget = self._budgets[token] = Budget(limit, limit, moment(now) + timedelta(hours=1))
        return budget
