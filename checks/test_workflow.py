"""The release workflow's file at the head of the base branch: what makes its runs fail or collide.

These checks cover only what a release needs. Linters know far more about workflow files: actionlint about their syntax,
zizmor about their security.
"""

from __future__ import annotations

import pytest

from release_state.common.text import join_items
from release_state.facts.hints import find_workflow_hint
from release_state.facts.process import explain_unknown
from release_state.facts.release import Release
from release_state.facts.release_workflow import (
    SOURCE,
    explain_unreadable,
    find_channel_input,
    has_free_channel_input,
    is_before_release,
    make_file_step,
    read_workflow,
)
from release_state.facts.workflow.calls import ReleaseWorkflow
from release_state.facts.workflow.overlaps import find_overlaps
from release_state.facts.workflow.publishing import Evidence, find_uploads_of
from release_state.facts.workflow.starts import list_contexts
from release_state.facts.workflow.weaknesses import BACKENDS, find_shallow_checkouts, find_unpinned, measure_runs
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import ActionNeeded, NotApplicable, Phase
from release_state.model.plan import step
from release_state.verdict.check import check

pytestmark = pytest.mark.pre_release

READS = ["remote", "workflow_files"]


@check("WORKFLOW-1", reads=READS, advice=True, may_block=[Phase.PRE_RELEASE])
def test_workflow_file_is_there(release: Release) -> None:
    """The base branch has a valid release workflow and all files it uses.

    GitHub refuses YAML with a duplicate key, a tab or a merge key. If a reusable workflow of the repository is missing,
    or lacks `on: workflow_call`, no run starts. actionlint's `syntax-check` and `workflow-call` find these, and more.

    Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
    """
    files = release.snapshot.workflow_files.known()
    if files is None:
        raise NotApplicable("no release workflow is configured")
    if not files.path:
        raise NotObserved(explain_unknown(release.target))
    if not files.exists:
        raise ActionNeeded(
            expected=f"{files.path} at {files.commit[:12]}",
            found=find_workflow_hint(release.snapshot)
            or f"no such file; the base branch has: {join_items(files.workflow_paths) or 'no workflow'}",
            why="no workflow can release this commit",
            steps=[step(f"Add {files.path} to the base branch, or name the right file with --workflow")],
            blocks=is_before_release(release),
        )
    if problem := explain_unreadable(release):
        raise ActionNeeded(
            expected=f"a valid workflow in {files.path}",
            found=problem,
            why="GitHub runs no workflow whose file it cannot read",
            steps=[step("Check it with actionlint", ["actionlint", files.path])],
        )
    workflow = read_workflow(release)
    if closed := workflow.closed_paths:
        raise ActionNeeded(
            expected="`on: workflow_call` in every workflow that it calls",
            found=f"none in {join_items(closed)}",
            why="GitHub starts no run that calls a workflow without it",
            steps=[make_file_step(release, "Add `workflow_call` under their `on:`, or call others")],
            blocks=is_before_release(release),
        )
    if missing := [path for path in workflow.missing_paths if path not in files.unread]:
        calls = [path for path in missing if path in workflow.called_paths]
        raise ActionNeeded(
            expected="all local workflows and actions that it uses",
            found=f"missing or invalid YAML: {join_items(missing)}",
            why="GitHub starts no run that calls a missing workflow, and ends a run at a missing action",
            steps=[make_file_step(release, "Add them to the base branch, or use others")],
            blocks=is_before_release(release) and any(path not in files.texts for path in calls),
        )


@check("WORKFLOW-2", reads=READS, advice=True)
def test_jobs_have_a_time_limit(release: Release) -> None:
    """Every job of the release workflow sets `timeout-minutes`.

    Without it, GitHub ends a hanging job only after six hours, and the next release waits that long.

    Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idtimeout-minutes
    """
    jobs = [placed for placed in read_workflow(release).jobs if not placed.job.uses and not placed.job.minutes]
    if jobs:
        raise ActionNeeded(
            found=f"none in {join_items(placed.where for placed in jobs)}",
            why="GitHub ends a hanging job only after 360 minutes",
            steps=[make_file_step(release, "Set `timeout-minutes` to about three times a normal run")],
        )


@pytest.mark.post_recovery
@check("WORKFLOW-31", reads=["repository", "runs", *READS], advice=True)
def test_runs_stay_below_the_time_limit(release: Release) -> None:
    """Release runs take less than 80 % of the workflow's time limit.

    The last successful runs count, and runs that were cancelled at their limit. GitHub cancels a run that exceeds its
    limit, wherever it is, and shows it as *cancelled*. The time is from the start of a run to its end, with the waits
    for an approval or a runner. The limit is the sum for jobs that wait for each other.

    Source: https://docs.github.com/actions/reference/limits
    """
    workflow, runs = read_workflow(release), release.snapshot.runs.present().runs
    if workflow.minutes is None:
        raise NotApplicable("its limit is computed at run time, or set by a workflow of another repository")
    times = measure_runs(runs, workflow.minutes)
    if not times:
        raise NotApplicable("no run succeeded in the last 70 days")
    if near := [time for time in times if time.is_near_limit]:
        raise ActionNeeded(
            expected=f"less than 80 % of {workflow.minutes} min",
            found=join_items(time.text for time in near),
            why="a run that exceeds its limit is cancelled and leaves a partial release",
            steps=[make_file_step(release, "Raise `timeout-minutes`, or make the run faster")],
        )


@check("WORKFLOW-3", reads=READS, advice=True)
def test_one_release_at_a_time(release: Release) -> None:
    """One release runs at a time, and no run cancels another.

    The jobs that push have `concurrency`, with one group for every channel and every run. If it contains the channel, a
    run for TestPyPI and one for PyPI compute their version and push at the same time. `cancel-in-progress` holds for no
    run that uploads: a release that is cancelled half-way is a partial one. A group for each tag keeps runs of tags
    apart, and a workflow that pushes nothing disturbs no other run. Nor does a push of a branch that is named after the
    second. zizmor's `concurrency-limits` asks for a group as well; the cancellation that it advises harms a release.

    Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#concurrency
    """
    workflow = read_workflow(release)
    uploads = [upload for upload in find_uploads_of(workflow) if upload.may_be_to(release.channel.name)]
    found = list(find_overlaps(workflow, uploads, release.base_branch, find_channel_input(workflow, release)))
    if found:
        raise ActionNeeded(
            expected="one `concurrency` group for all channels, without cancellation",
            found=join_items(dict.fromkeys(found)),
            why="two releases at once disturb each other, and a cancelled one stops half-way",
            steps=[
                make_file_step(release, "Set `concurrency: {group: release, cancel-in-progress: false}` at the top")
            ],
        )


@check("WORKFLOW-4", reads=READS, advice=True)
def test_dispatch_offers_the_channel(release: Release) -> None:
    """A manual start of the release workflow offers this channel.

    The input of type choice has the channel as an option. A workflow that a tag or a push starts has no such input. One
    that publishes to a single index, or to several in turn, needs none.

    Source: https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows
    """
    workflow = read_workflow(release)
    if "workflow_dispatch" not in workflow.file.triggers:
        raise NotApplicable(f"started by {', '.join(workflow.file.triggers) or 'nothing'}, not by hand")
    chosen, channel = find_channel_input(workflow, release), release.channel.name
    if chosen is None and not has_free_channel_input(workflow) and (why := _explain_one_way(workflow, release)):
        raise NotApplicable(why)
    box = next((field.name for field in workflow.file.inputs if field.options and "pypi" in field.name.lower()), "")
    if chosen is None and box:
        raise NotApplicable(f"the input {box} chooses the index")
    if chosen is None or channel not in chosen.options:
        offered = f"{chosen.name}: {', '.join(chosen.options)}" if chosen else "no choice input with a channel"
        raise ActionNeeded(
            expected=f"a choice input with the option {channel}",
            found=offered,
            why="people mistype a channel that they cannot choose, or cannot release to it",
            steps=[make_file_step(release, "Add the channel to the options of the input")],
        )


def _explain_one_way(workflow: ReleaseWorkflow, release: Release) -> str:
    """Why a manual start leaves no channel to choose; empty if it does, or if no upload is seen."""
    uploads, text = find_uploads_of(workflow), workflow.texts.get(workflow.path, "")
    contexts = [
        (upload, context, is_sure)
        for upload in uploads
        for kind, context, is_sure in list_contexts(upload, text, release.base_branch)
        if kind == "dispatch"
    ]
    # Of a start by hand on a branch, where that uploads anything.
    of_branch = [each for each in contexts if each[1].get("github.ref_type") == "branch"]
    started = of_branch or contexts
    indexes = sorted({upload.index for upload, _, _ in started if upload.index})
    if not uploads:
        return ""
    if not started:
        return "no manual start is seen to publish"
    if any(upload.index is None and upload.evidence is Evidence.KNOWN for upload, _, _ in started):
        return ""  # a run chooses where it uploads to
    if len(indexes) < 2:
        return f"a manual start publishes to {indexes[0] if indexes else 'one index'} alone"
    return f"a manual start publishes to {join_items(indexes)}, in turn" if all(sure for _, _, sure in started) else ""


@check("WORKFLOW-5", reads=READS, advice=True)
def test_checkout_has_the_history(release: Release) -> None:
    """A job that computes the version from history checks out all of it.

    By default, actions/checkout fetches one commit and no tag. semantic-release, `git describe`, setuptools-scm,
    hatch-vcs and the like then have nothing to count from, and compute a wrong version. Set `fetch-depth: 0`.

    Source: https://github.com/actions/checkout#usage
    """
    files = release.snapshot.workflow_files.known()
    workflow = read_workflow(release)
    found = find_shallow_checkouts(workflow, files.build_requires if files else ())
    if not found and files and files.build_unread and find_shallow_checkouts(workflow, BACKENDS):
        raise NotObserved(Problem(source=SOURCE, why=f"{files.build_unread}: the build backend is unknown"))
    if found is None:
        raise NotApplicable("no known step computes a version from the history")
    if found:
        raise ActionNeeded(
            expected="`fetch-depth: 0`",
            found=join_items(found),
            why="without tags and history, the computed version is wrong",
            steps=[make_file_step(release, "Give the checkout `fetch-depth: 0`")],
        )


@check("WORKFLOW-6", reads=READS, advice=True)
def test_actions_are_pinned(release: Release) -> None:
    """Every external action and reusable workflow is pinned to a commit.

    A tag or a branch can be moved to other code, which then runs with the rights of the release. zizmor's
    `unpinned-uses` finds them, too; its `known-vulnerable-actions` knows which versions are vulnerable.

    Source: https://docs.github.com/actions/reference/security/secure-use
    """
    workflow = read_workflow(release)
    if found := find_unpinned(workflow):
        raise ActionNeeded(
            expected="full commit hashes",
            found=join_items(found, most=8),
            why="whoever moves such a ref runs code with the rights of the release",
            steps=[step("Check it with zizmor, and pin them to commits", ["zizmor", workflow.path], advice=True)],
        )
