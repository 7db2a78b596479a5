"""Check runs, commit statuses, workflows and their runs."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import timedelta

from release_state.demo.github.model import CheckRun, Job, Run, Status, Step, When, Workflow, moment
from release_state.demo.github.state_base import Ground


class CheckState(Ground):
    """The part of the state with all that judges a commit."""

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

        Args:
            sha: the commit's full hash.
            name: the check's name.
            status: ``queued``, ``in_progress``, ``completed``...
            conclusion: ``success``, ``failure``...; none while the status is not ``completed``.
            started_at: when it began; now by default.
            completed_at: when it ended; its beginning by default.
            check_suite: the suite. Of one name in one suite only the newest is the latest; another suite's stays.
            run_id: the workflow run that it belongs to, whose suite and page it then has.
            app: the slug of the application that made it.

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
        """Add a commit status (``success``, ``failure``, ``error`` or ``pending``); returns its id."""
        with self.lock:
            made = moment(created_at or self.now())
            status = Status(next(self._ids), sha, context, state, description, target_url, creator, made)
            self.statuses.append(status)
            return status.id

    # ------------------------------------------------------------------ workflow runs

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

        Args:
            workflow: the workflow's file name, path or id.
            status: ``queued``, ``in_progress``, ``completed``...
            conclusion: ``success``, ``failure``, ``cancelled`` (a time-out too)...; none while not completed.
            event: what started it.
            head_branch: its branch; the default branch by default.
            head_sha: its commit; the branch's present one by default.
            title: its title; the workflow's name by default.
            created_at: when it was made; now by default.
            started_at: when this attempt began; ``created_at`` by default.
            updated_at: its last change, the end of a completed run; five minutes after its start by default.
            actor: who started it.
            attempt: the number of the attempt.
            jobs: its jobs; one job named ``release`` by default.
            log: the text of the jobs that have none of their own.
            log_expired: whether the log endpoints answer 410, as after the time for which logs are kept.
            check_runs: whether each job is also a check run on the commit, as it is on GitHub.

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
                    self.add_check_run(
                        sha, job.name, status=run.jobs[-1].status, conclusion=run.jobs[-1].conclusion,
                        started_at=began, completed_at=ended if done else None, run_id=run.id,
                    )  # fmt: skip
            return run.id

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
