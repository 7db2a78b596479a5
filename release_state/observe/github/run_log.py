"""The last finished release run for one version and channel, and what its log says.

| fact | requests |
|---|---|
| which runs there are, their branch, title and conclusion | none: the look-up `runs` has asked |
| which channel a run was for, by its jobs' names; which step failed | `GET …/actions/runs/{id}/jobs` |
| which version it was for, and why it failed | `GET …/actions/jobs/{id}/logs`, and where that redirects to |

Newest first, and none at all for a run that its branch or title gives to another release, that did nothing, or that
succeeded while nothing else puts that in doubt. At most three runs are asked about; a log is asked for only with a
token (GitHub gives none to others) and only where what was known before it leaves the run a candidate.

Sources: https://docs.github.com/rest/actions/workflow-jobs, /rest/actions/workflow-runs
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from release_state.common.text import sanitize
from release_state.facts.logs.attribution import (
    Attribution,
    attribute_jobs,
    attribute_log,
    attribute_run,
    is_dry_log,
    is_dry_name,
)
from release_state.facts.logs.log import explain_log, parse_log
from release_state.model.observation import Observation
from release_state.model.snapshot import ExplainedRun, WorkflowRun, WorkflowRuns
from release_state.model.target import Target
from release_state.observe.github.api import SOURCE, Fields, GitHubApi, failure
from release_state.observe.github.lists import GitHubList
from release_state.observe.http.client import HttpClient, observe
from release_state.observe.http.response import LookupFailed, get_header

MOST_RUNS = 3
"""How many runs are looked into."""
MOST_BYTES = 8 * 2**20
"""Bytes of a log; a longer one is not read, as the storage behind the redirect cannot serve only its end."""

_FAILED = frozenset({"failure", "cancelled", "timed_out", "startup_failure"})
_RIGHT = "give a token with the permission actions=read: GitHub shows logs to nobody else"
_PUBLISHES = ("publish", "upload", "deploy")

Success = Literal["impossible", "believed", "in doubt"]
"""What the other facts say about a successful run for this version.

Impossible: the index has no file of the version. Believed: every trace exists, or the version was withdrawn since.
In doubt: it is on the index and a trace is missing or unknown; the run may have skipped its work.
"""


@dataclass(frozen=True)
class LoggedJob:
    """A job of a run."""

    id: int
    name: str
    conclusion: str | None
    steps: tuple[tuple[str, str | None], ...]
    """Name and conclusion of each."""

    @property
    def failed_step(self) -> str | None:
        return next((name for name, conclusion in self.steps if conclusion in _FAILED), None)

    @property
    def published_nothing(self) -> bool:
        publishing = [conclusion for name, conclusion in self.steps if any(word in name.lower() for word in _PUBLISHES)]
        return bool(publishing) and set(publishing) == {"skipped"}


class RunLogs:
    """Reads jobs and logs of runs; requests that several targets share are sent once."""

    def __init__(self, client: HttpClient, api_url: str) -> None:
        self._api = GitHubApi(client, api_url)

    def forget(self) -> None:
        """Drop the shared results, so that they are looked up again; not while a look-up runs."""
        self._api.forget()

    def last_run(
        self, repository: str, target: Target, runs: WorkflowRuns, success: Success
    ) -> Observation[ExplainedRun]:
        """The last finished run for the target; absent if none is known, or if it needs no explanation.

        `repository` is the present name of the repository, `runs` are the observed runs of it. Unavailable if a run
        failed and cannot be attributed, or if its log cannot be read. Never raises.
        """
        return observe(lambda: self._last_run(f"/repos/{quote(repository)}/actions", target, runs, success))

    @property
    def has_token(self) -> bool:
        """Whether GitHub shows logs."""
        return self._api.has_token

    def jobs(self, repository: str, target: Target, run: WorkflowRun) -> list[LoggedJob]:
        """The jobs of a run. Raises LookupFailed."""
        return self._look(repository, target, run).jobs()

    def log(self, repository: str, target: Target, run: WorkflowRun, job: LoggedJob) -> str:
        """The log of a job. Raises LookupFailed."""
        return self._look(repository, target, run).log(job)

    def _look(self, repository: str, target: Target, run: WorkflowRun) -> _RunLookup:
        return _RunLookup(self._api, f"/repos/{quote(repository)}/actions", target, run, self._api.client.deadline())

    def _last_run(self, place: str, target: Target, runs: WorkflowRuns, success: Success) -> ExplainedRun | None:
        deadline, asked = self._api.client.deadline(), 0
        for run in runs.runs:
            said = attribute_run(run, runs.runs, target)
            if not _is_candidate(run, success) or said.is_other or is_dry_name(run.title):
                continue
            if run.conclusion == "success" and success == "believed":
                return ExplainedRun(run=run, attributed_by=_join_reasons(said)) if said.is_ours else None
            if asked == MOST_RUNS:
                return None
            asked += 1
            look = _RunLookup(self._api, place, target, run, deadline)
            if look.is_of_the_target(said):
                return look.explained
        return None


def _is_candidate(run: WorkflowRun, success: Success) -> bool:
    if not run.is_finished:
        return False
    return run.conclusion in _FAILED or (run.conclusion == "success" and success != "impossible")


def _join_reasons(said: Attribution) -> str:
    return " and ".join(dict.fromkeys(said.by))


class _RunLookup:
    """A look at one run."""

    def __init__(self, api: GitHubApi, place: str, target: Target, run: WorkflowRun, deadline: float) -> None:
        self._api, self._place, self._target, self._run, self._deadline = api, place, target, run, deadline
        self.explained: ExplainedRun | None = None
        """The explanation of the run; None if it needs none."""

    def is_of_the_target(self, said: Attribution) -> bool:
        """Whether the search ends with this run; `explained` then has the result.

        Raises LookupFailed if that cannot be decided.
        """
        run = self._run
        jobs = [job for job in self.jobs() if job.conclusion != "skipped"]
        said = said.combine(attribute_jobs([job.name for job in jobs], self._target))
        if said.is_other or any(is_dry_name(job.name) for job in jobs):
            return False
        if run.conclusion == "cancelled" and not any(job.steps for job in jobs):
            return False  # cancelled while it was queued: it did nothing
        job = self._choose_job(jobs)
        if job is None:
            if not said.is_ours:
                raise failure(
                    f"run #{run.number} ended as {run.conclusion} before a job began: nothing says what it was for"
                )
            self.explained = ExplainedRun(
                run=run, attributed_by=_join_reasons(said), meaning="The run ended before a job began."
            )
            return True
        succeeded = run.conclusion == "success"
        lines = parse_log(self.log(job))
        said = said.combine(attribute_log(lines, self._target))
        if said.is_other or is_dry_log(lines, published_nothing=succeeded and job.published_nothing):
            return False
        explanation = explain_log(lines, succeeded=succeeded)
        if not said.is_ours:
            if succeeded and explanation.known is None:
                return True  # ours or not: it succeeded
            raise failure(
                f"{self._describe(job)}; whether it was for {self._target.version} on {self._target.channel.name} "
                "is told neither by its branch, title, job names nor log",
                f"look at {run.html_url}",
            )
        known = explanation.known
        self.explained = ExplainedRun(
            run=run,
            attributed_by=_join_reasons(said),
            job=job.name,
            step=None if succeeded else job.failed_step or explanation.step,
            scenario=known.scenario if known else None,
            meaning=known.meaning if known else "",
            lines=explanation.lines,
        )
        return True

    def jobs(self) -> list[LoggedJob]:
        """The jobs of the run; requested once."""

        def ask() -> list[LoggedJob]:
            path = f"{self._place}/runs/{self._run.id}/jobs"
            found = GitHubList(self._api, path, "jobs", key="jobs", deadline=self._deadline).read()
            if others := [run for one in found if (run := one.number("run_id")) != self._run.id]:
                raise failure(f"requested the jobs of run {self._run.id}, GitHub gave one of run {others[0]}")
            return [_parse_job(one) for one in found]

        return self._api.once(f"jobs of {self._run.id}", ask)

    def _choose_job(self, jobs: list[LoggedJob]) -> LoggedJob | None:
        """The failed job; of a successful run, the one that publishes by its step names, else the last."""
        if self._run.conclusion != "success":
            bad = [job for job in jobs if job.conclusion in _FAILED and job.steps]
            # Jobs after a failed one are cancelled with it.
            return min(bad, key=lambda job: job.conclusion == "cancelled", default=None)
        telling = [job for job in jobs if any(w in name.lower() for name, _ in job.steps for w in _PUBLISHES)]
        return next(reversed(telling or jobs), None)

    def log(self, job: LoggedJob) -> str:
        """The log of a job; requested once."""
        what = f"{self._describe(job)}; its log cannot be read"
        if not self._api.has_token:
            raise failure(f"{what} without a token", _RIGHT)
        try:
            return self._api.once(f"log of {job.id}", lambda: self._ask_log(job))
        except LookupFailed as refused:
            problem = refused.problem
            why = sanitize(f"{what}: {problem.why}", 700)
            raise LookupFailed(problem.model_copy(update={"why": why})) from None

    def _ask_log(self, job: LoggedJob) -> str:
        answer = self._api.client.get(
            f"{self._api.root}{self._place}/jobs/{job.id}/logs",
            max_bytes=MOST_BYTES,
            allow_status={404, 410},
            deadline=self._deadline,
            source=SOURCE,
        )
        if answer.status == 410:
            raise failure("it has expired (410)", f"look at {self._run.html_url}")
        if answer.status == 404:
            raise failure("GitHub has none, or does not show it to this token (404)", _RIGHT)
        if "html" in (get_header(answer.headers, "Content-Type") or "").lower():
            raise failure("answered HTML instead of a log (a captive portal or proxy?)", "try again")
        return answer.body.decode("utf-8", "replace")

    def _describe(self, job: LoggedJob) -> str:
        run = self._run
        where = f" in step {job.failed_step!r}" if job.failed_step else ""
        return sanitize(f"run #{run.number} ended as {run.conclusion}{where} of job {job.name!r}", 400)


def _parse_job(found: Fields) -> LoggedJob:
    return LoggedJob(
        id=found.number("id"),
        name=found.text("name"),
        conclusion=found.optional_text("conclusion"),
        steps=tuple((step.text("name"), step.optional_text("conclusion")) for step in found.objects("steps")),
    )
