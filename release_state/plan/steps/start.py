"""Steps that start the project's own publication of a tag that is there (pure).

Sources: https://docs.github.com/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs,
https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#release and
https://docs.github.com/actions/concepts/security/github_token (its events start no workflow)
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any, Literal

from msgspec import structs

from release_state.common.text import join_items
from release_state.facts.beginning import find_beginning, find_run
from release_state.facts.own_run import is_job_of
from release_state.facts.publishers import takes_release, takes_tag
from release_state.facts.release import Release
from release_state.facts.release_workflow import find_start_at_tag, find_tag_maker
from release_state.model.observation import value_or
from release_state.model.plan import Step, step
from release_state.model.process import Publisher
from release_state.model.snapshot import GitHubRelease, Tag, WorkflowRun
from release_state.model.target import parse_version
from release_state.plan.steps import releases, tagging
from release_state.plan.steps.commands import check_holds, explain_start, gh, push, suite_command, workflow_page
from release_state.plan.steps.tags import describe_loss, fetch_and_show, name_backup

RERUN_AGE = timedelta(days=30)
"""GitHub re-runs no run that is older."""
_RED = ("failure", "timed_out", "cancelled", "startup_failure")

_index_step = partial(step, mends="index")


def find_publisher(release: Release) -> Publisher | None:
    """Return the publisher that a pushed tag or a GitHub Release starts, and that builds that very tag."""
    target = release.target
    publishers = (each for each in target.process.publishers if each.is_at_tag)
    return next((each for each in publishers if takes_tag(each, target.tag) or takes_release(each, target)), None)


def publish_by_workflow(release: Release) -> list[Step] | None:
    """Return the steps of `_publish_by`, after one that switches the workflow on if it is off."""
    steps, publisher = _publish_by(release), find_publisher(release)
    if steps is None or publisher is None or publisher.workflow not in release.switched_off:
        return steps
    return [switch_on(release, publisher.workflow), *steps]


def switch_on(release: Release, workflow: str) -> Step:
    """Return the step that lets GitHub start runs of a workflow again."""
    return _index_step(
        f"Switch {workflow} on",
        gh(release, "workflow", "enable", workflow),
        reason="it is switched off: nothing starts it, and no run of it is repeated",
        link=workflow_page(release.target, workflow),
    )


def _publish_by(release: Release) -> list[Step] | None:
    """Return the steps that let the project's own workflow publish the tag; None if no tag or GitHub Release starts it.

    Empty if the GitHub Release that the plan creates starts it. Where neither does, a run that made the tag in another
    job than the upload can resume. Raises NotObserved: a run that nobody could ask for may be at work.
    """
    publisher, tag = find_publisher(release), release.tag
    if publisher is None and tag is not None and (stopped := find_resumable(release, tag)):
        why = f"it is the run of the tagged commit, {tag.commit[:12]}, and the job that makes the tag is not repeated"
        return [_run_again(release, stopped, why)]
    if publisher is None or tag is None or (release.is_published and not publisher.skips_existing):
        return None
    run = find_run(release, tag)
    if release.is_published and (run is None or run.conclusion not in _RED):
        return None
    if run is not None and release.snapshot.observed_at - run.created_at < RERUN_AGE:
        why = f"the run was started by {run.head_branch}, so it publishes this tag"
        return [_run_again(release, run, why) if run.conclusion in _RED else _look_then_run(release, run)]
    kinds = {start.kind for start in publisher.starts}
    if "dispatch" in kinds and (dispatch := _dispatch(release, publisher, tag)):
        return [dispatch]
    if find_beginning(release):
        return []  # raises where that is not known: then nothing is started a second time either
    found = release.github_release
    if takes_release(publisher, release.target):
        again = _publish_anew(release, publisher, found, tag) if found else []
    else:
        again = [_push_again(release, publisher, tag, found)]
    is_looked_at = any(step.commands for step in again or ())
    return [_look_for_run(release, publisher, tag), *again] if again and is_looked_at else again


def begin_again(release: Release) -> list[Step] | None:
    """Return the step that starts the release where nothing of it is left, for a project that a tag or a GitHub Release
    starts; None for any other, whose workflow is started by hand, and for a channel without tags: the tag is another's.
    """
    publisher = find_publisher(release)
    if publisher is None or "tag" not in release.channel.leaves:
        return None
    kinds, tag, base = {start.kind for start in publisher.starts}, release.target.tag, release.base_branch
    if "tag" not in kinds and "dispatch" in kinds and publisher.tag_jobs:
        return None
    head, declared = release.base_head, release.lineage(release.base_head).declared_version
    by: Literal["tag", "release"] = "tag" if takes_tag(publisher, tag) else "release"
    more: dict[str, Any] = {"precondition": "this is the commit to release, and CI is green on it", "mends": "index"}
    if by == "tag" and (maker := find_tag_maker(release)):
        reason = f"it asks for {maker[1]}, and makes the tag, which starts {publisher.workflow}"
        title, page = f"Start {maker[0]}, which makes the tag {tag}", workflow_page(release.target, maker[0])
        return [_index_step(title, reason=reason, link=page).mark_start()]
    if declared and parse_version(declared) != release.version:
        what = f"Set the version {release.version} on {base}, then tag that commit as {tag}"
        return [_index_step(f"{what}, and push the tag", reason=f"{base} declares {declared}")]
    newest = release.newest_final
    if not declared and release.target.base_branch is None and newest is not None and release.version < newest:
        why = f"{newest} is published, and nothing says that {base} is what {release.version} is made of"
        title = f"Tag the commit to release as {tag} on its own branch, and name that with --base-branch"
        return [_index_step(title, reason=why)]
    verify = [tagging.check_tag(release, head)] if by == "tag" else [gh(release, "release", "view", tag)]
    reason = f"{base} {'declares this version' if declared else 'is what is released'}{explain_start(release, by)}"
    if by == "release":
        drafts = value_or((), lambda: release.drafts)  # hidden without the right to push
        made = ["edit", tag, "--draft=false"] if drafts else ["create", tag, "--title", tag, "--generate-notes"]
        start = gh(release, "release", *made, "--target", head, *releases.choose_flags(release))
        title = (
            f"{'Publish the draft' if drafts else 'Create the'} GitHub Release {tag} on {head[:12]}, the head of {base}"
        )
        link = drafts[0].html_url if drafts else None
        return [step(title, start, reason=reason, link=link, verify=verify, **more).mark_start()]
    local = release.local_tag if release.snapshot.clone.is_known else None
    return [
        step(
            f"Tag {head[:12]}, the head of {base}, as {tag}",
            *tagging.tag_and_push(release, head, f"refs/heads/{base}", replaced=local),
            reason=reason,
            verify=[*verify, suite_command(release.target, wait="600")],
            **more,
            **describe_loss(local),
        ).mark_start()
    ]


def find_resumable(release: Release, tag: Tag) -> WorkflowRun | None:
    """Return the version's last run if repeating its failed jobs uploads this version; None if not, or if nobody knows.

    That is a failed run of the tagged commit in which neither the upload's job nor the failed one makes the tag: a
    repeated job that makes it would find it there, and work out another version or none.
    """
    explained = release.snapshot.last_run.value
    if explained is None or explained.run.conclusion not in _RED or explained.run.head_sha != tag.commit:
        return None
    run, failed = explained.run, explained.job
    if release.snapshot.observed_at - run.created_at >= RERUN_AGE or not failed:
        return None
    for publisher in release.target.process.publishers:
        makers, is_own = publisher.tag_jobs, publisher.workflow == (run.workflow or release.target.workflow)
        repeats_tag = publisher.job_name in makers or any(is_job_of(failed, maker) for maker in makers)
        if is_own and makers and not repeats_tag and (publisher.skips_existing or not release.is_published):
            return run
    return None


def publish_on_machines(release: Release) -> Step:
    """Return the step by which a person lets the project's workflow build what is missing, on all its machines."""
    target, explained = release.target, release.snapshot.last_run.value
    name, is_failed = target.workflow, explained is not None and explained.run.conclusion in _RED
    cause = f"; its last run for this version failed: {explained.meaning}" if explained and is_failed else ""
    skips = "; its upload skips the files that are published" if release.is_published else ""
    missing = f"missing: {', '.join(release.missing)}"
    return _index_step(
        f"Run {name or 'the release workflow'} again for {target.tag}, so that it builds the missing files",
        precondition=f"the run builds this tag{skips}; if it can only build another version, release the next instead",
        reason=f"{missing}; a release has wheels for several platforms, and one machine builds its own alone{cause}",
        link=explained.run.html_url if explained and is_failed else workflow_page(target, name),
        verify=[suite_command(target, wait="600")],
    )


def _run_again(release: Release, run: WorkflowRun, why: str) -> Step:
    explained = release.snapshot.last_run.value
    cause = (
        f"; it failed: {explained.meaning}" if explained and explained.run.id == run.id and explained.meaning else ""
    )
    return _index_step(
        f"Run the failed jobs of run #{run.number} of {run.workflow or release.target.workflow} again",
        gh(release, "run", "rerun", str(run.id), "--failed"),
        precondition="the cause lies outside of the commit and is removed: a repeated run keeps its commit, ref and "
        "workflow file; if the cause is in the commit, release the next version",
        reason=f"{why}{cause}",
        link=run.html_url,
        verify=[suite_command(release.target, wait="600")],
    ).mark_start()


def _look_then_run(release: Release, run: WorkflowRun) -> Step:
    """The step for a run that GitHub does not call failed, though nothing of the version is on the index."""
    return _index_step(
        f"See why run #{run.number} of {run.workflow or release.target.workflow} published nothing, then repeat it",
        gh(release, "run", "view", str(run.id)),
        gh(release, "run", "rerun", str(run.id)),
        precondition="the index still lists nothing of this version, and a repeated run would upload: a job that a "
        "condition skipped is skipped again",
        reason=f"it was started by {run.head_branch} and ended as {run.conclusion or run.status}",
        link=run.html_url,
        verify=[suite_command(release.target, wait="600")],
    ).mark_start()


def _dispatch(release: Release, publisher: Publisher, tag: Tag) -> Step | None:
    start = find_start_at_tag(release)
    if publisher.workflow != release.target.workflow or start.hindrance:
        return None
    fields = (word for field in start.fields for word in ("--field", field))
    return _index_step(
        f"Start {publisher.workflow} for the tag {tag.name}",
        gh(release, "workflow", "run", publisher.workflow, "--ref", tag.name, *fields),
        reason="no run of it has published this tag",
        verify=[suite_command(release.target, wait="600")],
    ).mark_start()


def _describe_no_run(release: Release, tag: Tag) -> str:
    """The precondition of what would start a second run; runs of another commit or too old to be repeated are known."""
    runs = release.snapshot.runs.present().runs
    known = join_items(f"#{run.number}" for run in runs if run.head_branch == tag.name)
    listed = f"no run but {known}" if known else "no run"
    return f"the step before lists {listed}, ten minutes after the tag was pushed or released: GitHub takes a moment"


def _look_for_run(release: Release, publisher: Publisher, tag: Tag) -> Step:
    """The step before one that would start a second run: the first may have begun since."""
    return _index_step(
        f"Look once more for a run of {publisher.workflow} that {tag.name} started",
        gh(release, "run", "list", "--workflow", publisher.workflow, "--branch", tag.name),
        reason="if a new one is there by now, it publishes this tag: go no further",
    )


def _publish_anew(release: Release, publisher: Publisher, found: GitHubRelease, tag: Tag) -> list[Step] | None:
    """Publish the GitHub Release again, so that GitHub sends its event again; None if it may be immutable.

    GitHub gives the tag name of an immutable one to no other release, and does not say that it may be a draft again.
    """
    if found.immutable is not False:
        return None
    types = {kind for start in publisher.starts if start.kind == "release" for kind in start.filters}
    if types and not types & {"published", "released", "prereleased"}:
        event = f"release: {', '.join(sorted(types))}"
        why = f"{publisher.workflow} waits for `{event}`, which GitHub does not send when a draft is published. "
        why += "Give it the old one's notes and assets"
        again = structs.replace(releases.create(release), reason=why)
        return [*releases.delete(release, found, "only a new one sends the event"), again.mark_start()]
    return [
        _index_step(
            f"Publish the GitHub Release {found.tag} anew",
            gh(release, "release", "edit", found.tag, "--draft"),
            gh(release, "release", "edit", found.tag, "--draft=false", *releases.choose_flags(release)),
            precondition=_describe_no_run(release, tag),
            reason=f"publishing it starts {publisher.workflow}; no run of it is known for this tag",
            link=found.html_url,
            verify=[suite_command(release.target, wait="600")],
        ).mark_start()
    ]


def _push_again(release: Release, publisher: Publisher, tag: Tag, found: GitHubRelease | None) -> Step:
    """Push the same tag again: one that a workflow pushed with GITHUB_TOKEN started nothing."""
    title = f"Push the tag {tag.name} again, as a person"
    why = f"a pushed tag starts {publisher.workflow}, and no run of it is known for this one"
    if found is not None or release.find_holders("tag"):
        return _index_step(
            f"Find out why {publisher.workflow} did not run for {tag.name}, then start it",
            reason=f"{why}; its GitHub Release would become a draft if the tag were pushed again",
            link=workflow_page(release.target, publisher.workflow),
        ).mark_start()
    ref, backup = f"refs/tags/{tag.name}", name_backup(tag)
    return _index_step(
        title,
        *fetch_and_show(release, tag),
        push(release, f"{tag.object}:{backup}", f":{ref}", replacing=f"{ref}:{tag.object}"),
        push(release, f"{tag.object}:{ref}"),
        precondition=_describe_no_run(release, tag),
        reason=f"{why}; a tag that a workflow pushes with its GITHUB_TOKEN starts none",
        destroys=f"the tag {tag.name} for a moment",
        saves=f"the last command pushes the same object again; it is backed up to {backup}",
        verify=[check_holds(release, ref, tag.object)],
    ).mark_start()
