"""The gate inside a run that a tag or a GitHub Release started: the tag is right, and nothing is uploaded yet."""

from __future__ import annotations

import pytest

from release_state.common.text import join_items
from release_state.facts.own_run import find_gated_jobs, find_own_publishers, is_gated
from release_state.facts.release import Release
from release_state.facts.workflow.document import FOLDER
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import ActionNeeded
from release_state.model.plan import step
from release_state.plan.steps.commands import fetch
from release_state.verdict.check import check

pytestmark = pytest.mark.pre_publish


@check("TAG-41", reads=["own_run", "remote", "index"])
def test_this_run_is_of_the_tag(release: Release) -> None:
    """The version's tag started this run, and is still on its commit.

    The run says so itself (`GITHUB_REF`, `GITHUB_SHA`). A tag that was moved or deleted meanwhile is a person's doing:
    this run would publish what is no longer tagged. Every tag of the version has to be on that commit, in whatever
    spelling.
    """
    run, target, tags = release.own_run, release.target, release.version_tags
    name = run.ref.removeprefix("refs/tags/")
    if not (target.is_version_named_by(name) or name in {tag.name for tag in tags}):
        raise ActionNeeded(
            expected=f"a tag of {release.version}",
            found=f"{name}, which started this run",
            why="this run publishes another version than the one that was checked",
            steps=[step("Give the gate the version of the tag that starts the run (--version)")],
        )
    if name not in {tag.name for tag in tags}:
        raise ActionNeeded(
            expected=f"{name} at {run.sha[:12]}",
            found="no such tag of this package on the remote now",
            why="the tag that started this run is gone, so nothing says what it publishes",
            steps=[step(f"Find out who deleted {name}; to publish, push it again: that starts another run")],
        )
    if release.tag is None:
        raise ActionNeeded(
            expected=f"{target.tag}, by the tag template",
            found=name,
            why="the template spells it otherwise, so no other check looks at this tag",
            steps=[step(f"Let --tag-template spell tags as {name} is, or leave it out")],
        )
    if elsewhere := [tag for tag in tags if tag.commit != run.sha]:
        fix = step(
            "Compare both commits, and find out who moved the tag; let the run of the right one publish",
            *[fetch(release, f"refs/tags/{tag.name}") for tag in elsewhere[:3]],
            *[["git", "log", "--oneline", "-5", tag.commit] for tag in elsewhere[:3]],
        )
        raise ActionNeeded(
            expected=f"{name} at {run.sha[:12]}, the commit of this run",
            found=join_items(f"{tag.name} at {tag.commit[:12]}" for tag in elsewhere),
            why="this run would publish another commit than the tagged one",
            steps=[fix],
        )


@check("RUN-41", reads=["own_run", "own_jobs", "workflow_files"])
def test_this_run_has_not_begun_to_publish(release: Release) -> None:
    """The publishing job of this run waits for this gate.

    It `needs` the job that asks, and no attempt of this run has started it. An `if: always()` on it makes the gate
    useless. So does a `continue-on-error` of the gate, a `|| true`, or a pipe into `tee` without `shell: bash`. Once
    the job has started, the result is unknown: it may have uploaded something that the index does not list yet.
    Verify the release then.
    """
    run, target, files = release.own_run, release.target, release.snapshot.workflow_files.known()
    publishers = find_own_publishers(target, run)
    if not publishers or files is None:
        raise _unknown(
            f"no job of {run.workflow or 'this workflow'} is known to publish to {target.channel.name}",
            "run the gate in the workflow that publishes",
        )
    if any(not each.job_name for each in publishers):
        raise _unknown(
            f"only the configuration says that {run.workflow} publishes, not which job does", "verify the release"
        )
    jobs = release.snapshot.own_jobs.present()
    if begun := [job for job in jobs if job.has_begun]:
        found = join_items(f"{job.name} ({job.state}, attempt {job.attempt})" for job in begun)
        unclear = ", or to run a job of such a name" if any("${{" in each.job_name for each in publishers) else ""
        raise _unknown(
            f"this run has started to publish{unclear}: {found}; what it has uploaded may not be listed yet",
            "verify the release with --phase post-release",
        )
    waiting = find_gated_jobs(f"{FOLDER}/{run.workflow}", files.texts, run.job)
    if waiting is None:
        remedy = "run the gate in one job of the workflow, whose ID no called workflow has"
        named = run.job or "that the environment names (GITHUB_JOB)"
        raise _unknown(f"{run.workflow} and the workflows that it calls have no job {named}, or several", remedy)
    if free := [each.job_name for each in publishers if not is_gated(each.job_name, waiting)]:
        raise ActionNeeded(
            expected=f"`needs: {run.job}` in each job of {run.workflow} that publishes",
            found=f"not so, or not only after its success: {join_items(free)}",
            why="it starts whatever this gate says",
            steps=[step(f"Let it start only after the success of {run.job}, and commit that before the next tag")],
        )


def _unknown(why: str, remedy: str) -> NotObserved:
    return NotObserved(Problem(source="this workflow run", why=why, remedy=remedy))
