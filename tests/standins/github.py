"""The demo world's GitHub with what tests need besides: faults, lies, renames, and whatever a repository can hold."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlencode

from release_state.demo.github import Job, Step
from release_state.demo.github.gitstore import Commit, GitStore, Ref
from release_state.demo.github.model import CheckRun, Json, When, moment, utcnow
from release_state.demo.github.render import Renderer
from release_state.demo.github.routing import ApiError
from release_state.demo.loopback import Reply, Request
from tests.standins.github_server import StrictServer
from tests.standins.github_settings import NOTHING, Activity, SettingsRenderer, SettingsState
from tests.standins.services import ObservedService

__all__ = ["Answer", "GitHubServer", "Job", "Step"]


@dataclass(frozen=True)
class Answer:
    """One answer that the server gave, for the hooks in `on_answer`; the path is percent-encoded, without the query."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: bytes


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


class RestingStore(GitStore):
    """What GitHub reads of a bare repository that may be at rest."""

    def __init__(self, git_dir: Path) -> None:
        super().__init__(git_dir)
        self._at_rest = False
        self._kept: list[Ref] | None = None

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """For as long as nobody else writes to the repository: its references are listed once, not at each request."""
        self._at_rest, self._kept = True, None
        try:
            yield
        finally:
            self._at_rest = False

    def list_refs(self) -> list[Ref]:
        """All references, by name."""
        if self._kept is None or not self._at_rest:
            self._kept = super().list_refs()
        return self._kept

    def run(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """The output of one git command."""
        if args[0] == "update-ref":
            self._kept = None
        return super().run(*args, stdin=stdin, env=env)


class GitHubServer(ObservedService, SettingsState, StrictServer):
    """GitHub for tests; may be changed while it serves.

    Attributes:
        renamed_from: older `owner/name` of the repository, answered with a redirect.
        rewrite: called with each of the server's own answers; what it returns is sent. For tests of servers that lie.
        on_answer: called with each of the server's own answers that is sent as it is.
        on_dispatch: called with the workflow's file name, the ref and the inputs of a dispatch.
        on_event: called with "release" and the tag of a GitHub Release that a request publishes, and with "rerun" or
            "rerun-failed-jobs" and a run's id.
        clock_ahead: seconds that its clock, as answers tell it, is ahead of this machine's.
        pushes: the recorded pushes, by ref and commit; others were pushed as they were committed.

    """

    git: RestingStore
    renderer: type[Renderer] = SettingsRenderer

    def __init__(
        self,
        git_dir: Path,
        repository: str = "example-org/orbit",
        default_branch: str = "main",
        private: bool = False,
        now: Callable[[], datetime] = utcnow,
    ) -> None:
        super().__init__(git_dir, repository, default_branch, private, now)
        self.git = RestingStore(git_dir)
        self.statuses: list[Status] = []
        self.renamed_from: set[str] = set()
        self.rewrite: Callable[[Request, Reply], Reply] | None = None
        self.on_answer: list[Callable[[Answer], None]] = []
        self.on_dispatch: Callable[[str, str, Json], None] | None = None
        self.on_event: Callable[[str, str], None] | None = None
        self.clock_ahead = 0.0
        self.pushes: dict[tuple[str, str], Activity] = {}

    def answer(self, request: Request) -> Reply:
        """The server's own answer, dated by its clock, rewritten or shown to the hooks."""
        reply = super().answer(request)
        reply.headers["Date"] = formatdate(time.time() + self.clock_ahead, usegmt=True)
        if self.rewrite is not None:
            rewritten = self.rewrite(request, reply)
            if rewritten is not reply:
                return rewritten
        answer = Answer(request.method, request.path, reply.status, reply.headers, reply.body)
        for hook in self.on_answer:
            hook(answer)
        return reply

    def check_repository(self, request: Request, parameters: dict[str, str]) -> None:
        """Refuse another repository; redirect from an older name.

        Source: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
        """
        name = f"{parameters.get('owner')}/{parameters.get('repo')}".lower()
        if name not in {old.lower() for old in self.renamed_from}:
            super().check_repository(request, parameters)
            return
        rest = "/".join(request.path.split("/")[4:])
        target = f"{self.url}/repositories/{self.repository_id}" + (f"/{rest}" if rest else "")
        query = urlencode(request.query)
        reading = request.method in ("GET", "HEAD")
        docs = "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects"
        raise ApiError(301 if reading else 307, "Moved Permanently" if reading else "Temporary Redirect", docs=docs,
                       url=target + (f"?{query}" if query else ""))  # fmt: skip

    def set_rate_limit(self, remaining: int, *, token: str | None = None, reset: When = None) -> None:
        """Set how many requests a caller has left (None: the anonymous one), and when its hour ends."""
        with self.lock:
            budget = self.limits.of(token, self.now())
            budget.remaining = remaining
            budget.reset = moment(reset) if reset is not None else budget.reset

    def add_pull(
        self,
        head: str,
        base: str | None = None,
        *,
        title: str,
        body: str | None = "",
        user: str = "octo-dev",
        head_sha: str | None = None,
        created_at: When = None,
        state: str = "open",
        merged: bool = False,
        head_repo: str | None = "",
        draft: bool = False,
        updated_at: When = None,
        closed_at: When = None,
        merged_at: When = None,
        merge_commit_sha: str | None = None,
        merged_by: str | None = None,
    ) -> int:
        """Add a pull request in any state and its `refs/pull/N/head`; returns its number.

        A merged one is always closed. `head_repo` is the `owner/name` of the head; empty for this repository, None for
        a fork that was deleted. The moments follow from `created_at`, and `merge_commit_sha` is the base branch's
        present commit by default.
        """
        with self.lock:
            number = super().add_pull(
                head, base, title=title, body=body, user=user, head_sha=head_sha, created_at=created_at
            )
            pull = self.pulls[number]
            pull.draft = draft
            if head_repo != "":
                pull.head_repo, pull.pinned = head_repo, True
            ended = None
            if state == "closed" or merged:
                ended = moment(closed_at or merged_at or max(pull.created_at, moment(self.now())))
                pull.state, pull.closed_at = "closed", ended
            pull.updated_at = moment(updated_at or ended or pull.created_at)
            pull.merge_commit_sha = merge_commit_sha
            if merged:
                pull.merged_at = moment(merged_at or ended or pull.created_at)
                pull.merged_by = merged_by or user
                pull.merge_commit_sha = merge_commit_sha or self.branch_sha(pull.base_ref)
            return number

    def add_check_run(
        self,
        sha: str,
        name: str,
        *,
        status: str = "completed",
        conclusion: str | None = "success",
        started_at: When = None,
        completed_at: When = None,
        check_suite: int | None = None,
        run_id: int | None = None,
        app: str = "github-actions",
    ) -> int:
        """Add a check run to a commit; returns its id.

        It has the suite and the page of the workflow run `run_id`. Of one name in one suite only the newest is the
        latest; another suite's stays.
        """
        with self.lock:
            began = None if status == "queued" and started_at is None else moment(started_at or self.now())
            done = status == "completed"
            run = self.workflow_runs.get(run_id) if run_id is not None else None
            suite = check_suite or (run.check_suite if run else zlib.crc32(f"{app} {sha}".encode()))
            check = CheckRun(
                id=next(self._ids), sha=sha, name=name, status=status, conclusion=conclusion if done else None,
                started_at=began, completed_at=moment(completed_at or began or self.now()) if done else None,
                check_suite=suite, details_url=f"actions/runs/{run_id}" if run_id else "actions", app=app,
            )  # fmt: skip
            self.check_runs.append(check)
            return check.id

    def add_status(
        self,
        sha: str,
        context: str,
        state: str = "success",
        *,
        description: str | None = None,
        target_url: str | None = None,
        creator: str = "octo-dev",
        created_at: When = None,
    ) -> int:
        """Add a commit status (`success`, `failure`, `error` or `pending`); returns its id."""
        with self.lock:
            made = moment(created_at or self.now())
            status = Status(next(self._ids), sha, context, state, description, target_url, creator, made)
            self.statuses.append(status)
            return status.id

    def add_push(
        self,
        branch: str | None = None,
        *,
        before: str | None = None,
        after: str | None = None,
        at: When = None,
        actor: str = "octo-dev",
        kind: str = "push",
    ) -> None:
        """Record how a commit of a branch was pushed.

        By default, it is the default branch's present commit, after its first parent, now. `github-actions[bot]` is the
        actor of a workflow's own token. `kind` is `push`, `force_push`, `pr_merge`, `merge_queue_merge` or
        `branch_creation`.
        """
        with self.lock:
            name = branch or self.default_branch
            commit = after or self.branch_sha(name)
            if commit is None:
                raise ValueError(f"no branch {name} in the repository")
            ref = f"refs/heads/{name}"
            start = before or (*self.git.commit(commit).parents, NOTHING)[0]
            self.pushes[ref, commit] = Activity(ref, start, commit, moment(at or self.now()), actor, kind)

    def push_of(self, ref: str, commit: Commit, *, is_merge: bool) -> Activity:
        """The recorded push that brought a commit to a branch, else the usual one."""
        return self.pushes.get((ref, commit.sha)) or super().push_of(ref, commit, is_merge=is_merge)
