"""The release workflow's file, as it stands at the head of the base branch: what makes its runs fail or get mixed up.

Only what a release rests on is looked at here. For the rest there are linters that know far more of workflow files:
actionlint for their syntax, zizmor for their security.
"""

from __future__ import annotations

import pytest

from release_state.common.text import listing
from release_state.facts.release import Release
from release_state.facts.workflow.calls import unpinned
from release_state.facts.workflow.history_needed import BACKENDS, shallow_checkouts
from release_state.facts.workflow.limits import near_limit, times_of
from release_state.facts.workflow.release_workflow import (
    SOURCE,
    channel_input,
    file_step,
    is_ahead,
    unread_problem,
    varies_with,
    workflow_of,
)
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import ActionNeeded, NotApplicable
from release_state.model.plan import step
from release_state.verdict.check import check

pytestmark = pytest.mark.pre_release

READS = ["remote", "workflow_files"]


@check("WORKFLOW-1", reads=READS, advice=True)
def test_workflow_file_is_there(release: Release) -> None:
    """The head of the base branch has the release workflow, as YAML that GitHub takes, and every local file it uses.

    A key that stands twice, a tab, or a merge key is refused by GitHub. actionlint finds these and far more. A reusable
    workflow that is not there lets no run start.
    """
    files = release.snapshot.workflow_files.known()
    if files is None:
        raise NotApplicable("the project names no release workflow")
    if not files.exists:
        raise ActionNeeded(
            expected=f"{files.path} at {files.commit[:12]}",
            found="no such file",
            why="what is released from this commit has no workflow that could release it",
            steps=[step(f"Bring {files.path} to the base branch, or name the right one with --workflow")],
            blocks=is_ahead(release),
        )
    if problem := unread_problem(release):
        raise ActionNeeded(
            expected=f"{files.path} as a valid workflow",
            found=problem,
            why="GitHub runs no workflow whose file it cannot read, and it cannot be looked at here either",
            steps=[step("Let actionlint look at it", ["actionlint", files.path])],
        )
    workflow = workflow_of(release)
    if missing := [path for path in workflow.missing if path not in files.unread]:
        calls = [path for path in missing if path in workflow.called]
        raise ActionNeeded(
            expected="every workflow and action of the repository that it uses",
            found=f"not there, or no valid YAML: {listing(missing)}",
            why="GitHub starts no run that calls a workflow which is not there, and ends one at such an action",
            steps=[file_step(release, "Bring them to the base branch, or use others")],
            blocks=is_ahead(release) and any(path not in files.texts for path in calls),
        )


@check("WORKFLOW-2", reads=READS, advice=True)
def test_jobs_have_a_time_limit(release: Release) -> None:
    """Every job of the release workflow has a time limit (`timeout-minutes`).

    Without one GitHub ends a job that hangs after six hours, and the next release waits for as long.
    """
    jobs = [placed for placed in workflow_of(release).jobs if not placed.job.uses and not placed.job.minutes]
    if jobs:
        raise ActionNeeded(
            expected="timeout-minutes in every job",
            found=f"none in {listing(placed.where for placed in jobs)}",
            why="a job that hangs is ended after 360 minutes only",
            steps=[file_step(release, "Set timeout-minutes to a few times of what a run takes")],
        )


@pytest.mark.post_recovery
@check("WORKFLOW-31", reads=["repository", "runs", *READS], advice=True)
def test_runs_stay_below_the_time_limit(release: Release) -> None:
    """The last successful runs took less than 80 % of the time that the workflow allows.

    A run that gets over it is cancelled wherever it stands, and shows as *cancelled*; so do those that were cancelled
    at their limit. The time is that from the start of a run to its end, waiting for an approval or a runner included;
    the limit is that of jobs that wait for each other, added up.
    """
    workflow, runs = workflow_of(release), release.snapshot.runs.present().runs
    if workflow.minutes is None:
        raise NotApplicable("its limit is worked out while it runs, or set by a workflow that is not read here")
    times = times_of(runs, workflow.minutes)
    if not times:
        raise NotApplicable("no run of it has ended successfully in the last 70 days")
    if near := near_limit(times, workflow.minutes):
        raise ActionNeeded(
            expected=f"less than 80 % of {workflow.minutes} min",
            found=listing(time.text for time in near),
            why="a run that gets over its limit is cancelled half-way and leaves a partial release",
            steps=[file_step(release, "Raise timeout-minutes, or make the run faster")],
        )


@check("WORKFLOW-3", reads=READS, advice=True)
def test_one_release_at_a_time(release: Release) -> None:
    """The release workflow runs once at a time, whatever the channel, and no run cancels another.

    `concurrency` is set; its group is the same for every channel and every run; `cancel-in-progress` is not true, since
    a release that is cancelled half-way is a partial one. Where the group holds the channel, a run for TestPyPI and one
    for PyPI work out their version and push at the same time.
    """
    workflow = workflow_of(release)
    blocks = [workflow.file.concurrency] if workflow.file.concurrency else []
    jobs = [placed.job for placed in workflow.jobs if placed.caller is None]
    if not blocks and all(job.concurrency for job in jobs):
        blocks = [job.concurrency for job in jobs if job.concurrency]
    chosen = channel_input(workflow, release)
    found = [] if blocks else ["no concurrency"]
    for block in blocks:
        if differs := varies_with(block.group, workflow, chosen):
            found.append(f"the group {block.group} differs by {differs}")
        if block.cancels != "false":
            found.append(f"cancel-in-progress is {block.cancels}")
    if found:
        raise ActionNeeded(
            expected="one concurrency group for all channels that cancels nothing",
            found=listing(dict.fromkeys(found)),
            why="two releases at once get into each other's way, and a cancelled one stops half-way",
            steps=[file_step(release, "Set `concurrency: {group: release, cancel-in-progress: false}` at the top")],
        )


@check("WORKFLOW-4", reads=READS, advice=True)
def test_dispatch_offers_the_channel(release: Release) -> None:
    """The input of a manual start offers this channel as an option.

    A workflow that is started in another way, by a tag or a push, has no such input.
    """
    workflow = workflow_of(release)
    if "workflow_dispatch" not in workflow.file.triggers:
        raise NotApplicable(f"it is started by {', '.join(workflow.file.triggers) or 'nothing'}, not by hand")
    chosen, channel = channel_input(workflow, release), release.channel.name
    if chosen is None or channel not in chosen.options:
        offered = f"{chosen.name}: {', '.join(chosen.options)}" if chosen else "no input of type choice with a channel"
        raise ActionNeeded(
            expected=f"an input of type choice with the option {channel}",
            found=offered,
            why="what cannot be chosen is typed, wrongly too, or is not released to at all",
            steps=[file_step(release, "Add the channel to the options of the input")],
        )


@check("WORKFLOW-5", reads=READS, advice=True)
def test_checkout_has_the_history(release: Release) -> None:
    """Where the version is worked out from the history, the checkout has the whole of it (`fetch-depth: 0`).

    actions/checkout takes one commit and no tag by itself. semantic-release, `git describe`, setuptools-scm, hatch-vcs
    and the like then find nothing to count from, and work out a wrong version.
    """
    files = release.snapshot.workflow_files.known()
    workflow = workflow_of(release)
    found = shallow_checkouts(workflow, files.build_requires if files else ())
    if not found and files and files.build_unread and shallow_checkouts(workflow, BACKENDS):
        raise NotObserved(Problem(source=SOURCE, why=f"{files.build_unread}: what builds the project is not known"))
    if found is None:
        raise NotApplicable("no step that is known here works out a version from the history")
    if found:
        raise ActionNeeded(
            expected="fetch-depth: 0",
            found=listing(found),
            why="without the tags and the commits since, another version comes out",
            steps=[file_step(release, "Give the checkout `fetch-depth: 0`")],
        )


@check("WORKFLOW-6", reads=READS, advice=True)
def test_actions_are_pinned(release: Release) -> None:
    """Every action and reusable workflow from elsewhere is pinned to a commit.

    A tag or a branch can be moved to other code, which would run with the rights of the release. zizmor finds unpinned
    ones and other weaknesses of a workflow, and knows which versions are vulnerable.
    """
    workflow = workflow_of(release)
    if found := unpinned(workflow):
        raise ActionNeeded(
            expected="actions at a full commit hash",
            found=listing(found, most=8),
            why="whoever moves such a tag or branch runs code with the rights of the release",
            steps=[step("Let zizmor look at it, and pin them to commits", ["zizmor", workflow.path], advice=True)],
        )
