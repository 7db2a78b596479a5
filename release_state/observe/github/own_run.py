"""The workflow run that this run is a step of: what its environment says, and its jobs.

Sources: https://docs.github.com/actions/reference/workflows-and-actions/variables and /rest/actions/workflow-jobs.
GitHub lists a job that waits for others (`needs`) only once it is queued.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from release_state.common.errors import UsageProblem
from release_state.common.strict import OBJECT_NAME
from release_state.facts.own_run import is_job_of
from release_state.model.snapshot import OwnJob, OwnRun
from release_state.observe.github.api import Fields, GitHubApi, failure
from release_state.observe.github.lists import GitHubList

_TAG = re.compile(r"refs/tags/[^\x00-\x20\x7f]{1,255}")
_JOB, _FILE = re.compile(r"[A-Za-z_][\w-]{0,127}"), re.compile(r"[\w.-]{1,255}")


def read_own_run(environ: Mapping[str, str]) -> OwnRun:
    """Return the run that GitHub Actions describes in the environment. Raises UsageProblem if no tag started it."""
    run_id, ref, sha = (environ.get(f"GITHUB_{name}", "") for name in ("RUN_ID", "REF", "SHA"))
    if not (run_id.isascii() and run_id.isdigit() and _TAG.fullmatch(ref) and OBJECT_NAME.fullmatch(sha)):
        raise UsageProblem(
            "--phase pre-publish is for a GitHub Actions run that a tag or a GitHub Release started: "
            "GITHUB_RUN_ID, GITHUB_REF (refs/tags/…) and GITHUB_SHA do not name one"
        )
    path = environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0].rpartition("/")[2]
    job = environ.get("GITHUB_JOB", "")
    return OwnRun(
        id=int(run_id),
        ref=ref,
        sha=sha,
        workflow=path if _FILE.fullmatch(path) else "",
        job=job if _JOB.fullmatch(job) else "",
    )


def look_up_own_jobs(api: GitHubApi, place: str, run: OwnRun, names: Collection[str]) -> tuple[OwnJob, ...]:
    """Return the listed jobs with one of these names in the workflow's file, of every attempt. Raises LookupFailed."""
    path = f"{place}/actions/runs/{run.id}/jobs"
    items = GitHubList(api, path, "jobs of this run", params={"filter": "all"}, key="jobs").read()
    if not items:
        raise failure("lists no job of this very run")
    for item in items:
        if (other := item.number("run_id")) != run.id:
            raise failure(f"requested the jobs of run {run.id}, GitHub gave one of run {other}")
        if (commit := item.sha("head_sha")) != run.sha:
            raise failure(f"GitHub says that this run is of commit {commit[:12]}, its environment {run.sha[:12]}")
    jobs = map(_parse_job, items)
    return tuple(job for job in jobs if any(is_job_of(job.name, name) for name in names))


def _parse_job(item: Fields) -> OwnJob:
    status = item.text("status")
    state = (item.optional_text("conclusion") or "unknown") if status == "completed" else status
    is_waiting = status in ("queued", "waiting", "pending", "requested")
    # A job that was cancelled while it waited has no steps.
    did_nothing = is_waiting or state == "skipped" or (state == "cancelled" and not item.objects("steps"))
    return OwnJob(
        name=item.text("name"), attempt=item.optional_number("run_attempt") or 1, state=state, has_begun=not did_nothing
    )
