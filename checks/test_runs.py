"""What the release workflow's own runs say, in every phase."""

from __future__ import annotations

import pytest

from release_state.common.text import listing
from release_state.facts.logs.known_failures import look_for
from release_state.facts.release import Release
from release_state.model.outcome import ActionNeeded, NotApplicable
from release_state.model.plan import step
from release_state.verdict.check import check

pytestmark = [pytest.mark.pre_release, pytest.mark.post_recovery, pytest.mark.rollback]


@check("RUN-31", reads=["repository", "runs", "last_run"], advice=True)
def test_last_run_of_this_version_ended_well(release: Release) -> None:
    """The last finished release run of this version and channel ended well.

    One that failed, was cancelled or ran into its time limit left the release half done somewhere: the failing step and
    the decisive lines of its log say where. One that calls itself a success and published nothing, because the index
    had the version already, is scenario C. GitHub keeps no inputs of a run: a run counts as this version's by its head
    branch, title, job names and log; dry runs do not count.
    """
    if not release.target.workflow:
        raise NotApplicable("the project names no release workflow")
    if not release.snapshot.runs.present().exists:
        raise NotApplicable(f"GitHub knows no workflow {release.target.workflow} now")
    last = release.snapshot.last_run.known()
    if last is None:
        raise NotApplicable("no finished run of this version is known that leaves anything to explain")
    if last.run.conclusion == "success" and last.scenario is None:
        return
    where = f" in step {last.step}" * bool(last.step) + f" of job {last.job}" * bool(last.job)
    scenario = f", scenario {last.scenario}" if last.scenario else ""
    raise ActionNeeded(
        expected="a run that did all of its work",
        found=f"run #{last.run.number}: {last.run.conclusion}{where}{scenario} (by its {last.attributed_by}): "
        + (listing(last.lines, most=3) or "its log has no line that says why"),
        why=last.meaning or "its log says nothing that is known here: read the lines",
        steps=[
            step(
                f"See how run #{last.run.number} ended, and that what it left undone is done by now",
                reason=look_for(last.meaning),
                link=last.run.html_url,
                advice=True,
            )
        ],
    )
