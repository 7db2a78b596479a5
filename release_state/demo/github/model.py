"""What the stand-in knows beside the git repository: pull requests, releases, checks and workflow runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

Json = dict[str, Any]
When = datetime | str | None


def utcnow() -> datetime:
    """The present moment, with its zone, in whole seconds (GitHub's own precision)."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def moment(value: datetime | str) -> datetime:
    """A moment in UTC from a datetime or an ISO 8601 text.

    Raises:
        ValueError: the moment has no zone, so that it would mean something else on another machine.

    """
    # Python 3.10's fromisoformat does not know the suffix Z.
    parsed = datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else value
    if parsed.tzinfo is None:
        raise ValueError(f"a moment needs a zone: {value!r}")
    return parsed.astimezone(timezone.utc)


def stamp(value: datetime) -> str:
    """A moment as GitHub writes it: ``2026-01-31T12:00:00Z``."""
    return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_or_none(value: datetime | None) -> str | None:
    """As `stamp`, with ``None`` for an event that did not happen."""
    return None if value is None else stamp(value)


@dataclass
class RecordedRequest:
    """One request that the server received.

    Attributes:
        method: the verb, upper case.
        path: the path as it was sent (still percent-encoded), without the query.
        query: the query's parameters; the last value of a repeated one.
        status: the status of the answer; 0 while it has none yet.
        authenticated: whether an ``Authorization`` header came with it. The token itself is never kept.
        headers: the request's headers with lower-case names, without ``authorization``.

    """

    method: str
    path: str
    query: dict[str, str]
    status: int
    authenticated: bool
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Reply:
    """An answer that a fault test sends in place of the server's own.

    Attributes:
        status: the HTTP status; 0 closes the connection without an answer.
        headers: the headers; a ``Content-Length`` that is too large makes a truncated answer.
        body: the bytes of the body.

    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """One answer that the server gave, for the hooks in ``on_answer``.

    Attributes:
        method: the request's verb.
        path: the request's path, percent-encoded, without the query.
        status: the HTTP status.
        headers: the answer's headers.
        body: the body as sent; empty for 204 and 304.
        intercepted: whether a fault test made it, so that it need not be a valid one.

    """

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: bytes
    intercepted: bool = False


@dataclass
class Pull:
    """A pull request.

    Attributes:
        head_repo: ``owner/name`` of the head's repository; None when that fork was deleted.
        pinned: the head commit was given by hand and does not follow the branch.

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


@dataclass
class Release:
    """A GitHub Release.

    Attributes:
        make_latest: ``true``, ``false`` or ``legacy`` as in GitHub's own parameter.
        tagged: whether its tag has been seen, so that the tag's absence means that it was deleted.

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
class Status:
    """A commit status, the older sibling of a check run."""

    id: int
    sha: str
    context: str
    state: str
    description: str | None
    target_url: str | None
    creator: str
    created_at: datetime


@dataclass
class Workflow:
    """A workflow file; ``state`` as GitHub's (``active``, ``disabled_manually``...)."""

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
    """One job of a workflow run, as tests describe it.

    Attributes:
        status: ``queued``, ``in_progress``, ``completed``...; the run's own by default.
        conclusion: ``success``, ``failure``, ``cancelled``...; the run's own by default.
        steps: its steps in order; set-up, work and completion by default.
        log: its text; lines get GitHub's time prefix. The run's own log by default.
        id: set by the server.

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
    """A workflow run; ``log_expired`` makes its log endpoints answer 410 as after the retention time."""

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
