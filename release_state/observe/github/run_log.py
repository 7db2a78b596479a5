"""The last finished release run for one version and channel, and what its log says.

At most three runs are looked into, newest first: none that its branch or title gives to another release, that did
nothing, or that succeeded without a doubt.
Sources: https://docs.github.com/rest/actions/workflow-jobs, /rest/actions/workflow-runs
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, Literal
from urllib.parse import quote

from msgspec import Struct, structs

from release_state.common.text import sanitize
from release_state.facts.logs.attribution import (
    Attribution,
    attribute_jobs,
    attribute_log,
    attribute_run,
    is_dry_log,
    is_dry_name,
)
from release_state.facts.logs.lines import parse_log
from release_state.facts.own_run import is_job_of
from release_state.model.observation import Observation
from release_state.model.snapshot import ExplainedRun, WorkflowRun, WorkflowRuns
from release_state.model.snapshot.runs import UPLOAD_SKIPPED
from release_state.model.target import Target
from release_state.observe.github.api import SOURCE, Fields, GitHubApi, failure
from release_state.observe.github.lists import GitHubList
from release_state.observe.http.client import HttpClient, observe
from release_state.observe.http.response import LookupFailed

MOST_RUNS = 3
"""How many runs are looked into."""
MOST_BYTES = 8 * 2**20
"""Bytes of a log; a longer one is not read, as the storage behind the redirect cannot serve only its end."""

_FAILED = frozenset({"failure", "cancelled", "timed_out", "startup_failure"})
_RIGHT = "give a token with the permission actions=read: GitHub shows logs to nobody else"

Success = Literal["impossible", "believed", "in doubt"]
"""What the other facts say about a successful run for this version.

Impossible: the index has no file of the version. Believed: every trace exists, or the version was withdrawn since.
In doubt: it is on the index and a trace is missing or unknown; the run may have skipped its work.
"""


class _NotOurs(Enum):
    """How a run ends that is of another release, or did nothing: the search goes on."""

    NOT_OURS = auto()


_NOT_OURS: Final = _NotOurs.NOT_OURS


class LoggedJob(Struct, frozen=True):
    """A job of a run."""

    id: int
    name: str
    conclusion: str | None
    steps: tuple[tuple[str, str | None], ...]
    """Name and conclusion of each."""

    failed_within: tuple[str, str] | None = None
    """When its first failed step began and ended, to the second; None if GitHub does not say."""

    @property
    def failed_step(self) -> str | None:
        return next((name for name, conclusion in self.steps if conclusion in _FAILED), None)

    @property
    def published_nothing(self) -> bool:
        return {conclusion for _, conclusion in filter(_publishes, self.steps)} == {"skipped"}


def _is_job(job: LoggedJob, name: str) -> bool:
    """Whether a job is the one of this name; of a call that was skipped, GitHub lists the calling job alone."""
    return is_job_of(job.name, name) or (job.conclusion == "skipped" and name.startswith(f"{job.name} / "))


def _publishes(step: tuple[str, str | None]) -> bool:
    return any(word in step[0].lower() for word in ("publish", "upload", "deploy"))


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
        return observe(lambda: self._find_last_run(repository, target, runs, success))

    @property
    def has_token(self) -> bool:
        """Whether GitHub shows logs."""
        return self._api.has_token

    def of_run(self, repository: str, target: Target, run: WorkflowRun, deadline: float | None = None) -> RunLookup:
        """The jobs and logs of one run, with a deadline of their own unless one is given."""
        deadline = self._api.client.deadline() if deadline is None else deadline
        return RunLookup(self._api, f"/repos/{quote(repository)}/actions", target, run, deadline)

    def _find_last_run(
        self, repository: str, target: Target, runs: WorkflowRuns, success: Success
    ) -> ExplainedRun | None:
        deadline, count = self._api.client.deadline(), 0
        wanted = _FAILED | {"success"}
        for run in runs.runs:
            attribution = attribute_run(run, runs.runs, target)
            is_candidate = run.is_finished and run.conclusion in wanted
            if not is_candidate or attribution.is_other or is_dry_name(run.title):
                continue
            if run.conclusion == "success" and success == "believed":
                return ExplainedRun(run=run, attributed_by=_join_reasons(attribution)) if attribution.is_ours else None
            if count == MOST_RUNS:
                return None
            count += 1
            lookup = self.of_run(repository, target, run, deadline)
            if run.conclusion == "success" and success == "impossible":
                if attribution.is_ours and (skipped := lookup.explain_skipped_upload(attribution)):
                    return skipped
                continue  # it published nothing, so it was of another version
            if (explained := lookup.explain(attribution)) is not _NOT_OURS:
                return explained
        return None


def _join_reasons(attribution: Attribution) -> str:
    return " and ".join(dict.fromkeys(attribution.by))


class RunLookup:
    """Looks up the jobs and logs of one run."""

    def __init__(self, api: GitHubApi, place: str, target: Target, run: WorkflowRun, deadline: float) -> None:
        self._api, self._place, self._target, self._run, self._deadline = api, place, target, run, deadline

    def explain_skipped_upload(self, attribution: Attribution) -> ExplainedRun | None:
        """The result for a green run of the target whose publishing job was skipped; None if it ran, or is unknown."""
        names = [each.job_name for each in self._target.process.publishers if each.workflow == self._run.workflow]
        own = [job for job in self.jobs() if any(_is_job(job, name) for name in names)] if names else []
        if not own or any(job.conclusion != "skipped" for job in own):
            return None
        return ExplainedRun(
            run=self._run,
            attributed_by=_join_reasons(attribution),
            job=own[0].name,
            scenario=UPLOAD_SKIPPED,
            meaning="The run succeeded, but its publishing job was skipped: it published nothing.",
        )

    def explain(self, attribution: Attribution) -> ExplainedRun | Literal[_NotOurs.NOT_OURS] | None:
        """What the run was, if the search ends with it; None if it needs no explanation.

        Raises LookupFailed if nobody can tell whether it was of the target.
        """
        run, target = self._run, self._target
        jobs = [job for job in self.jobs() if job.conclusion != "skipped"]
        attribution = attribution.combine(attribute_jobs([job.name for job in jobs], target))
        if attribution.is_other or any(is_dry_name(job.name) for job in jobs):
            return _NOT_OURS
        if run.conclusion == "cancelled" and not any(job.steps for job in jobs):
            return _NOT_OURS  # cancelled while it was queued: it did nothing
        job = self._choose_job(jobs)
        if job is None:
            if not attribution.is_ours:
                what = f"run #{run.number} ended as {run.conclusion} before a job began"
                raise failure(f"{what}: nothing says what it was for")
            meaning = "The run ended before a job began."
            return ExplainedRun(run=run, attributed_by=_join_reasons(attribution), meaning=meaning)
        return self._explain_by_log(job, attribution)

    def _explain_by_log(
        self, job: LoggedJob, attribution: Attribution
    ) -> ExplainedRun | Literal[_NotOurs.NOT_OURS] | None:
        from release_state.facts.logs.claims import expect_claims  # most runs read no log
        from release_state.facts.logs.explanation import explain_log

        run, target = self._run, self._target
        succeeded = run.conclusion == "success"
        lines = parse_log(self.log(job))
        attribution = attribution.combine(attribute_log(lines, target))
        if attribution.is_other or is_dry_log(lines, published_nothing=succeeded and job.published_nothing):
            return _NOT_OURS
        expected = expect_claims(target, run.workflow, job.name)
        log = explain_log(lines, succeeded=succeeded, within=job.failed_within, expected=expected)
        known = log.known
        if not attribution.is_ours:
            if succeeded and known is None:
                return None  # ours or not: it succeeded
            raise failure(
                f"{self._describe(job)}; whether it was for {target.version} on {target.channel.name} "
                "is told neither by its branch, title, job names nor log",
                f"look at {run.html_url}",
            )
        return ExplainedRun(
            run=run,
            attributed_by=_join_reasons(attribution),
            job=job.name,
            step=None if succeeded else job.failed_step or log.step,
            scenario=known.scenario if known else None,
            meaning=log.meaning,
            fix=log.fix,
            lines=log.lines,
        )

    def jobs(self) -> list[LoggedJob]:
        """The jobs of the run; requested once."""

        def ask() -> list[LoggedJob]:
            path = f"{self._place}/runs/{self._run.id}/jobs"
            items = GitHubList(self._api, path, "jobs", key="jobs", deadline=self._deadline).read()
            if others := [run for item in items if (run := item.number("run_id")) != self._run.id]:
                raise failure(f"requested the jobs of run {self._run.id}, GitHub gave one of run {others[0]}")
            return [_parse_job(item) for item in items]

        return self._api.once(f"jobs of {self._run.id}", ask)

    def _choose_job(self, jobs: list[LoggedJob]) -> LoggedJob | None:
        """The failed job; of a successful run, the one that publishes by its step names, else the last."""
        if self._run.conclusion != "success":
            bad = [job for job in jobs if job.conclusion in _FAILED and job.steps]
            # Jobs after a failed one are cancelled with it.
            return min(bad, key=lambda job: job.conclusion == "cancelled", default=None)
        publishing = [job for job in jobs if any(map(_publishes, job.steps))]
        return next(reversed(publishing or jobs), None)

    def log(self, job: LoggedJob) -> str:
        """The log of a job; requested once."""
        what = f"{self._describe(job)}; its log cannot be read"
        if not self._api.has_token:
            raise failure(f"{what} without a token", _RIGHT)
        try:
            return self._api.once(f"log of {job.id}", lambda: self._ask_log(job))
        except LookupFailed as failed:
            why = sanitize(f"{what}: {failed.problem.why}", 700)
            raise LookupFailed(structs.replace(failed.problem, why=why)) from None

    def _ask_log(self, job: LoggedJob) -> str:
        response = self._api.client.get(
            f"{self._api.root}{self._place}/jobs/{job.id}/logs",
            max_bytes=MOST_BYTES,
            allow_status={404, 410},
            deadline=self._deadline,
            source=SOURCE,
        )
        if response.status == 410:
            raise failure("it has expired (410)", f"look at {self._run.html_url}")
        if response.status == 404:
            raise failure("GitHub has none, or does not show it to this token (404)", _RIGHT)
        if "html" in response.content_type:
            raise failure("answered HTML instead of a log (a captive portal or proxy?)", "try again")
        return response.body.decode("utf-8", "replace")

    def _describe(self, job: LoggedJob) -> str:
        run = self._run
        where = f" in step {job.failed_step!r}" if job.failed_step else ""
        return sanitize(f"run #{run.number} ended as {run.conclusion}{where} of job {job.name!r}", 400)


def _parse_job(item: Fields) -> LoggedJob:
    failed = next((step for step in item.objects("steps") if step.optional_text("conclusion") in _FAILED), None)
    began, ended = ((failed.optional_text(name) or "") if failed else "" for name in ("started_at", "completed_at"))
    return LoggedJob(
        failed_within=(began[:19], ended[:19]) if began.endswith("Z") and ended.endswith("Z") else None,
        id=item.number("id"),
        name=item.text("name"),
        conclusion=item.optional_text("conclusion"),
        steps=tuple((step.text("name"), step.optional_text("conclusion")) for step in item.objects("steps")),
    )
