"""CI on the base branch, beyond the commit to release."""

from __future__ import annotations

import pytest

from release_state.common.text import join_items
from release_state.facts.release import Release
from release_state.model.outcome import ActionNeeded, NotApplicable
from release_state.model.plan import step
from release_state.verdict.check import check

pytestmark = pytest.mark.pre_release


@check("CI-2", reads=["repository", "remote", "ci", "base_rules"], advice=True)
def test_required_checks_have_reported(release: Release) -> None:
    """All required checks have reported on the commit to release.

    A required check that never reports was renamed or removed, or its paths skip it. If CI runs only on pull requests,
    no check reports on the merged commit.
    """
    rules, checks = release.snapshot.base_rules.present(), release.ci
    if not rules.all_checks:
        if rules.hidden:
            raise NotApplicable(f"no known required check ({rules.hidden.why})")
        raise NotApplicable(f"{rules.branch} requires no checks")
    page = f"{release.target.web}/settings/rules"
    reported = {result.name for result in (*checks.results, *checks.nearest_results)}
    if missing := [name for name in rules.all_checks if name not in reported]:
        fix = step("Run them on the base branch, or fix the names in the rule", link=page)
        raise ActionNeeded(
            expected=join_items(rules.all_checks),
            found=f"missing on {(checks.nearest or checks.sha)[:12]}: {join_items(missing)}",
            why="the project requires them, and they say nothing about this commit",
            steps=[fix],
        )


@check("CI-3", reads=["repository", "remote", "base_runs"], advice=True)
def test_last_runs_of_ci_ended_well(release: Release) -> None:
    """The last five CI runs on the base branch succeeded.

    This is context: the commit to release counts (CI-1). If runs fail now and then, a green one may be luck. Only
    finished runs count. Runs of the release workflow and of pull requests are left out.
    """
    runs = release.snapshot.base_runs.present()
    if not runs:
        raise NotApplicable(f"no known run on {release.base_branch}")
    if any(run.conclusion not in ("success", "skipped", "neutral") for run in runs):
        shown = (
            f"{run.workflow} #{run.number} {run.conclusion} at {run.head_sha[:12]}: {run.html_url}" for run in runs
        )
        raise ActionNeeded(
            found=join_items(shown),
            why="a green run of unreliable CI proves less",
            steps=[
                step("Find out why they failed", link=next(run.html_url for run in runs if run.conclusion != "success"))
            ],
        )
