"""What earlier runs of the release workflow say; applies in every phase."""

from __future__ import annotations

import pytest

from release_state.common.text import join_items
from release_state.facts.release import Release
from release_state.facts.release_workflow import require_workflow
from release_state.model.observation import value_or
from release_state.model.outcome import ActionNeeded, NotApplicable
from release_state.model.plan import step
from release_state.model.snapshot.runs import UPLOAD_SKIPPED
from release_state.plan.recovery import Recovery
from release_state.verdict.check import check

pytestmark = [pytest.mark.pre_release, pytest.mark.pre_publish, pytest.mark.post_recovery, pytest.mark.rollback]


@check("RUN-31", reads=["repository", "runs", "last_run"], advice=True)
def test_last_run_of_this_version_ended_well(release: Release, plan: Recovery) -> None:
    """The last finished release run for this version succeeded.

    That is the last run for this version and channel. If it failed, was cancelled or timed out, the release is half
    done. The failing step and the decisive lines of its log say where. If it succeeded but published nothing, because
    the index already had the version, it is scenario C. GitHub does not keep the inputs of a run. So a run is assigned
    to a version by its head branch, title, job names and log. Dry runs do not count.
    """
    require_workflow(release)
    if not release.snapshot.runs.present().exists:
        raise NotApplicable(f"GitHub has no workflow {release.target.workflow} now")
    last = release.snapshot.last_run.known()
    if last is None:
        raise NotApplicable("no finished run of this version needs an explanation")
    if last.run.conclusion == "success" and last.scenario in (None, UPLOAD_SKIPPED):
        return
    where = f" in step {last.step}" * bool(last.step) + f" of job {last.job}" * bool(last.job)
    scenario = f", scenario {last.scenario}" if last.scenario else ""
    # A plan that repeats this very run is the way to go on: there is nothing to confirm before.
    again = [each for each in value_or((), lambda: plan.steps) if each.commands and each.link == last.run.html_url]
    raise ActionNeeded(
        found=f"run #{last.run.number}: {last.run.conclusion}{where}{scenario} (assigned by its {last.attributed_by}): "
        + (join_items(last.lines, most=3) or "no line of its log says why"),
        why=last.meaning or "its log shows no known failure: read the lines",
        steps=again
        or [
            step(
                f"Open run #{last.run.number} and confirm that its remaining steps were completed",
                reason=last.fix,
                link=last.run.html_url,
                advice=True,
            )
        ],
    )


@check("RUN-32", reads=["repository", "runs", "last_run"], advice=True)
def test_upload_job_ran(release: Release) -> None:
    """The publishing job of a green release run did run.

    A job is skipped if its condition does not hold, or if a job that it needs was skipped. The run is green all the
    same. This is looked at while the index has nothing of the version.

    Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idneeds
    """
    require_workflow(release)
    last = release.snapshot.last_run.known()
    if last is None or last.run.conclusion != "success":
        raise NotApplicable("no green run of this version needs an explanation")
    if last.scenario == UPLOAD_SKIPPED:
        fix = step(
            f"See why {last.job} was skipped (its `if:`, the jobs that it needs), then start the release again",
            link=last.run.html_url,
            advice=True,
        )
        raise ActionNeeded(
            found=f"run #{last.run.number}: job {last.job} was skipped",
            why="the run is green, and nothing was published",
            steps=[fix],
        )
