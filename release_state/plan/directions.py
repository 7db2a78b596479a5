"""The two directions of a plan: complete a release, or withdraw it (pure)."""

from __future__ import annotations

from functools import partial
from typing import Literal

from release_state.facts import origin
from release_state.facts.process import require_sure
from release_state.facts.publishers import find_started
from release_state.facts.release import Release
from release_state.model.observation import NotObserved
from release_state.model.plan import Step
from release_state.model.snapshot import Branch
from release_state.plan.steps import branches, publication, pulls, releases, start, tagging, tags
from release_state.plan.steps.commands import gets_to_make
from release_state.plan.steps.conflicts import make_room_for_branch, put_room_first
from release_state.plan.steps.prerequisites import find_out_first, leave_to_others, try_steps


def complete(release: Release) -> list[Step]:
    """The steps to a complete release: files, tag, pull request, GitHub Release, branch.

    A step that looks up again replaces what depends on a failed look-up.
    """
    leaves, attempt = release.channel.leaves, partial(try_steps, release)
    if "tag" in leaves and (first := attempt("how it is tagged", lambda: tags.judge_by_other_spelling(release))):
        return first
    tag = attempt("how to tag it", lambda: tagging.fix(release)) if "tag" in leaves else []
    publish = attempt("what to publish", lambda: _publish(release, tag))
    # What is missing of a publication may have to be built from the tag that it gets.
    steps = [*tag, *publish] if release.traces()["index"] else [*publish, *tag]
    if "pull-request" in leaves:
        steps += attempt("whether a pull request is needed", lambda: _complete_pull(release, tag, publish))
    if "release" in leaves and not _starts_maker(release, "release", tag, publish):
        steps += attempt("whether a GitHub Release is missing", lambda: _complete_release(release, tag))
    if any(step.mends == "all" for step in tag):
        return steps  # its branch may be where the commit is found that the tag belongs on
    return [*steps, *attempt("whether to delete its branch", lambda: _delete_leftover_branch(release))]


def _starts_maker(
    release: Release, trace: Literal["release", "pull-request", "branch"], tag: list[Step], publish: list[Step]
) -> bool:
    """Whether a run that the plan starts makes the trace, or a step of the publication does."""
    if any(step.starts_run for step in publish):
        return release.target.process.makes(trace) or any(step.mends == trace for step in publish)
    started = find_started(release.target, "tag", tags_anew=True) if _pushes_tag(release, tag) else None
    return started is not None and gets_to_make(release, started, trace)


def _pushes_tag(release: Release, tag: list[Step]) -> bool:
    pushed = {line[-1] for step in tag for line in step.commands if "push" in line}
    return f"refs/tags/{release.target.tag}" in pushed


def _publish(release: Release, tag: list[Step]) -> list[Step]:
    unyank = [publication.unyank(release)] if any(file.yanked for file in release.files) else []
    wait = [publication.wait_for_index(release)] if release.catching_up else []
    missing = release.missing
    if not missing:
        return [*wait, *unyank]
    if why := origin.explain_closed(release):
        return [*unyank, publication.next_version(release, why)]
    if release.is_published and (again := start.publish_by_workflow(release)):
        return [*unyank, *again]
    is_for_machines = release.needs_many_machines
    if not is_for_machines and (sdist := origin.find_sdist_for_wheel(release)):
        return [*unyank, publication.wheel_from_sdist(release, sdist)]
    if not release.is_published:
        first = next(iter(release.version_tags), None)
        source = first.name if first and not release.builds_another_version(first) else None
        if source is not None and (by_workflow := start.publish_by_workflow(release)) is not None:
            return by_workflow
    elif any(step.mends == "all" for step in tag):
        return unyank  # the tag that it would be built from is not settled
    else:
        source = origin.find_ref_to_build(release)
    if is_for_machines and (source is not None or release.is_published):
        return [start.publish_on_machines(release), *unyank]
    if source is None:
        why = f"missing: {', '.join(missing)}, and there is no known source to build them from"
        return [publication.next_version(release, why), *unyank]
    return [publication.publish_from(release, source), *unyank]


def _complete_pull(release: Release, tag: list[Step], publish: list[Step]) -> list[Step]:
    if release.pull is None:
        # Its first step would push the branch: git refuses that, or refuses it to the run, once the other has.
        if any(_starts_maker(release, trace, tag, publish) for trace in ("pull-request", "branch")):
            return []
        require_sure(release.target, "pull-request")
        return pulls.create(release)
    if not release.pull.is_open or release.branch:
        return []
    return put_room_first(make_room_for_branch(release), [pulls.recreate_head(release, release.pull)])


def _complete_release(release: Release, tag: list[Step]) -> list[Step]:
    if release.github_release is None:
        require_sure(release.target, "release")
        # Without its tag GitHub would create one itself, at the head of the base branch.
        has_tag = release.tag is not None or _pushes_tag(release, tag)
        return [releases.create(release)] if has_tag else []
    steps = [*releases.fix(release, release.github_release)]
    return [*steps, *try_steps(release, "whether to delete its draft", partial(_delete_drafts, release))]


def _delete_drafts(release: Release) -> list[Step]:
    if not release.snapshot.drafts.is_known:
        return []
    steps = [step for draft in release.drafts for step in releases.delete(release, draft)]
    return [*steps, *map(releases.look_at, release.other_drafts)]


def _delete_leftover_branch(release: Release) -> list[Step]:
    branch, has_pulls = release.branch, "pull-request" in release.channel.leaves
    if branch is None or (has_pulls and not origin.is_branch_leftover(release)):
        return []
    # With a pull request, a channel that shares the branch needs nothing more of it.
    return branches.delete(release, branch, others=() if has_pulls else release.find_dependents("branch"))


def withdraw(release: Release) -> list[Step]:
    """The steps that withdraw all that can be withdrawn: files, pull request, GitHub Release, branch, tag.

    Only a new look-up while it is unknown whether the version was published.
    """
    leaves, attempt = release.channel.leaves, partial(try_steps, release)
    try:
        steps = publication.yank(release)
    except NotObserved as missing:
        return [find_out_first(release, missing, "whether it was published")]
    if "pull-request" in leaves and release.snapshot.pulls.is_known:
        steps += attempt("whether to close its pull request", lambda: _close_pulls(release))
    if "release" in leaves and not origin.find_replacement(release):
        steps += attempt("whether to delete a GitHub Release", lambda: _delete_releases(release))
    if release.snapshot.remote.is_known and (branch := release.branch):
        steps += attempt("whether to delete its branch", partial(_delete_branch, release, branch))
    if "tag" in leaves:
        steps += attempt("whether to delete the tag", lambda: _delete_tags(release))
    return steps


def _close_pulls(release: Release) -> list[Step]:
    others = release.find_dependents("branch") if release.open_pulls else ()
    return [
        leave_to_others(release, f"pull request #{pull.number}", others, "pull-request")
        if others
        else pulls.close(release, pull)
        for pull in release.open_pulls
    ]


def _delete_branch(release: Release, branch: Branch) -> list[Step]:
    others = release.find_dependents("branch")
    has_pulls = "pull-request" in release.channel.leaves and release.snapshot.pulls.is_known
    closing = tuple(pull.number for pull in release.open_pulls) if has_pulls else ()
    if closing and others:
        return [leave_to_others(release, f"the branch {branch.name}", others, "branch")]
    return branches.delete(release, branch, closing=closing, others=others)


def _delete_releases(release: Release) -> list[Step]:
    is_known = release.snapshot.drafts.is_known
    drafts, other_drafts = (release.drafts, release.other_drafts) if is_known else ((), ())
    own = [*filter(None, [release.github_release]), *drafts]
    steps = [step for one in own for step in releases.delete(release, one)]
    others = (*release.other_releases, *other_drafts)
    return [*steps, *(releases.handle_other_spelling(release, one) for one in others)]


def _delete_tags(release: Release) -> list[Step]:
    # Another spelling may be another project's habit, or somebody else's tag: it is shown, never deleted.
    spellings = release.other_tags_exactly
    steps = [tags.look_at(release, tag, "it names this version too") for tag in spellings]
    if spellings and not release.is_published and not release.find_holders("tag"):
        steps += [tags.withdraw_other_spelling(release, tag.name) for tag in spellings]
    if release.tag is None:
        return steps
    if release.is_tag_removable:
        return [*steps, *tags.delete(release, release.tag)]
    others = () if release.is_published else release.find_holders("tag")
    keep = [leave_to_others(release, f"the tag {release.tag.name}", others, "tag")] if others else []
    return [*steps, *keep, *tags.sync_local(release)]


def force(release: Release) -> list[Step]:
    """Delete every release branch, with a backup of each.

    None with an open pull request, and none that a published version still has to be merged from.
    """

    def steps() -> list[Step]:
        others = release.find_dependents("branch") if release.branch else ()
        own = branches.delete(release, release.branch, others=others) if release.branch else []
        return [*own, *branches.tidy_others(release, forced=True)]

    return try_steps(release, "which release branches to delete", steps)
