"""CI of the base branch, beyond the commit to release."""

from __future__ import annotations

import pytest

from release_state.common.text import listing
from release_state.facts.release import Release
from release_state.model.outcome import ActionNeeded, NotApplicable
from release_state.model.plan import step
from release_state.verdict.check import check

pytestmark = pytest.mark.pre_release


@check("CI-2", reads=["repository", "remote", "ci", "base_rules"], advice=True)
def test_required_checks_have_reported(release: Release) -> None:
    """Every check that the base branch requires has reported on the commit to release.

    One that is required and never reports was renamed, removed or is skipped by its paths; where CI runs on pull
    requests only, none reports on the merged commit.
    """
    rules, checks = release.snapshot.base_rules.present(), release.ci
    if not rules.all_checks:
        if rules.hidden:
            raise NotApplicable(f"no required check is known ({rules.hidden.why})")
        raise NotApplicable(f"{rules.branch} requires no check")
    reported = {result.name for result in (*checks.results, *checks.nearest_results)}
    if missing := [name for name in rules.all_checks if name not in reported]:
        raise ActionNeeded(
            expected=f"a result of {listing(rules.all_checks)}",
            found=f"none of {listing(missing)} on {(checks.nearest or checks.sha)[:12]}",
            why="the project wants them to pass, and they say nothing of this commit",
            steps=[step("Run them on the base branch, or mend the rule's names", link=_page(release))],
        )


@check("CI-3", reads=["repository", "remote", "base_runs"], advice=True)
def test_last_runs_of_ci_ended_well(release: Release) -> None:
    """The last five finished runs of CI on the base branch ended well.

    Context only: what counts is the commit to release (CI-1). Runs that fail now and then say that a green one may be
    luck. Runs of the release workflow and of pull requests are left out.
    """
    runs = release.snapshot.base_runs.present()
    if not runs:
        raise NotApplicable(f"no run on {release.base_branch} is known")
    if any(run.conclusion not in ("success", "skipped", "neutral") for run in runs):
        shown = (
            f"{run.workflow} #{run.number} {run.conclusion} at {run.head_sha[:12]}: {run.html_url}" for run in runs
        )
        raise ActionNeeded(
            expected="five runs that ended well",
            found=listing(shown),
            why="a CI that is not green every time says less where it is green",
            steps=[step("See why they failed", link=next(run.html_url for run in runs if run.conclusion != "success"))],
        )


def _page(release: Release) -> str:
    return f"{release.target.github_web}/{release.target.repository}/settings/rules"
