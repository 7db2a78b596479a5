"""What GitHub knows of a repository: its settings, and what its workflows did."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from release_state.demo.github.gitstore import GitStore
from release_state.demo.github.model import (
    CheckRun,
    Job,
    Json,
    Limits,
    Pull,
    Release,
    Run,
    Step,
    When,
    Workflow,
    moment,
    utcnow,
)
from release_state.demo.loopback import Service


class RunState(Service):
    """What GitHub holds of one repository; the methods set up workflows and their runs.

    Branches, tags, commits and contents are not here: each request reads them from the bare repository.

    Attributes:
        tokens: right by token: `admin`, `write`, `read` or `none`.
        private: whether the repository is hidden from callers without a right to it.
        workflow_permissions: the answer of `/actions/permissions/workflow`.

    """

    def __init__(
        self,
        git_dir: Path,
        repository: str = "example-org/orbit",
        default_branch: str = "main",
        private: bool = False,
        now: Callable[[], datetime] = utcnow,
    ) -> None:
        super().__init__()
        self.git = GitStore(git_dir)
        self.repository = repository
        self.default_branch = default_branch
        self.private = private
        self.archived = False
        self.now = now
        # Stable for a name, so that reports can be compared.
        self.repository_id = 500_000_000 + zlib.crc32(repository.encode()) % 400_000_000
        self.tokens: dict[str, str] = {}
        self.limits = Limits()
        self.pulls: dict[int, Pull] = {}
        self.releases: dict[int, Release] = {}
        self.latest_release: int | None = None
        self.check_runs: list[CheckRun] = []
        self.workflows: dict[int, Workflow] = {}
        self.workflow_runs: dict[int, Run] = {}
        self.workflow_permissions: Json = {
            "default_workflow_permissions": "read",
            "can_approve_pull_request_reviews": False,
        }
        self.delete_branch_on_merge = False
        self._numbers: Iterator[int] = count(1)
        self._ids: Iterator[int] = count(10_001)

    @property
    def owner(self) -> str:
        """The account before the slash."""
        return self.repository.split("/")[0]

    def branch_sha(self, branch: str) -> str | None:
        """The commit of a branch, or None."""
        ref = self.git.ref(f"refs/heads/{branch}")
        return None if ref is None else ref.commit

    def add_workflow(
        self,
        path: str = ".github/workflows/release.yml",
        name: str = "Release",
        *,
        state: str = "active",
        created_at: When = None,
    ) -> int:
        """Add a workflow; returns its id."""
        with self.lock:
            workflow = Workflow(next(self._ids), path, name, state, moment(created_at or self.now()))
            self.workflows[workflow.id] = workflow
            return workflow.id

    def find_workflow(self, key: str | int) -> Workflow | None:
        """The workflow of an id, a file name or a path."""
        keyed = str(key)
        return next((w for w in self.workflows.values() if keyed in (str(w.id), w.file, w.path)), None)

    def add_run(
        self,
        workflow: str | int = "release.yml",
        *,
        status: str = "completed",
        conclusion: str | None = "success",
        event: str = "workflow_dispatch",
        head_branch: str | None = None,
        head_sha: str | None = None,
        title: str | None = None,
        created_at: When = None,
        started_at: When = None,
        updated_at: When = None,
        actor: str = "octo-dev",
        attempt: int = 1,
        jobs: Sequence[Job] | None = None,
        log: str = "",
        log_expired: bool = False,
        check_runs: bool = False,
    ) -> int:
        """Add a workflow run with its jobs and logs; returns its id. An unknown workflow file is added first.

        By default it is of the default branch's commit, began now, took five minutes if it is completed, and has one
        job. `log` is the text of the jobs that have none of their own. `check_runs` makes each job a check run on the
        commit, too. Raises `ValueError` when there is no such branch and no `head_sha`.
        """
        with self.lock:
            known = self.find_workflow(workflow)
            if known is None:
                known = self.workflows[self.add_workflow(f".github/workflows/{workflow}", str(workflow).split(".")[0])]
            branch = head_branch or self.default_branch
            sha = head_sha or self.branch_sha(branch)
            if sha is None:
                raise ValueError(f"no branch {branch} in the repository; give head_sha")
            made = moment(created_at or self.now())
            began = moment(started_at or made)
            done = status == "completed"
            ended = moment(updated_at or began + timedelta(minutes=5 if done else 0))
            run = Run(
                id=next(self._ids), number=1 + sum(r.workflow_id == known.id for r in self.workflow_runs.values()),
                workflow_id=known.id, status=status, conclusion=conclusion if done else None, event=event,
                head_branch=branch, head_sha=sha, title=title or known.name, actor=actor, attempt=attempt,
                check_suite=next(self._ids), created_at=made, started_at=began, updated_at=ended,
                log_expired=log_expired,
            )  # fmt: skip
            self.workflow_runs[run.id] = run
            for job in jobs or [Job()]:
                run.jobs.append(self._complete(job, run, log))
                if check_runs:
                    self.check_runs.append(self._check_run(run, run.jobs[-1]))
            return run.id

    def _check_run(self, run: Run, job: Job) -> CheckRun:
        return CheckRun(
            id=next(self._ids), sha=run.head_sha, name=job.name, status=job.status, conclusion=job.conclusion,
            started_at=run.started_at, completed_at=run.updated_at if job.status == "completed" else None,
            check_suite=run.check_suite, details_url=f"actions/runs/{run.id}",
        )  # fmt: skip

    def _complete(self, job: Job, run: Run, log: str) -> Job:
        status = job.status or run.status
        conclusion = (run.conclusion if job.conclusion == "" else job.conclusion) if status == "completed" else None
        end = run.updated_at if status == "completed" else None
        middle = Step("Run", status=status, conclusion=conclusion)
        usual = {"queued": [], "completed": [Step("Set up job"), middle, Step("Complete job")]}
        steps = job.steps or usual.get(status, [Step("Set up job"), middle])
        return Job(
            name=job.name, status=status, conclusion=conclusion, started_at=job.started_at or run.started_at,
            completed_at=job.completed_at or end, steps=list(steps), log=log if job.log is None else job.log,
            labels=job.labels, id=next(self._ids),
        )  # fmt: skip
