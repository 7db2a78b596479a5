"""The rollback checks: every trace of the version that can be withdrawn is withdrawn."""

from __future__ import annotations

import pytest

from release_state.common.text import join_items
from release_state.facts.origin import find_replacement
from release_state.facts.published import Shared
from release_state.facts.release import Release
from release_state.facts.release_workflow import require_workflow
from release_state.model.outcome import ActionNeeded, NotApplicable
from release_state.model.plan import step
from release_state.plan.recovery import Recovery
from release_state.plan.steps.commands import suite_command
from release_state.plan.steps.prerequisites import judge_unfinished, tidy_up
from release_state.plan.steps.releases import keep_immutable, make_latest
from release_state.verdict.check import check

pytestmark = pytest.mark.rollback


def skip_if_shared(release: Release, trace: Shared, what: str) -> None:
    """End the check as not applicable if another channel, or another project, still needs the trace.

    Raises NotObserved if that is unknown.
    """
    others = release.find_holders(trace)
    if others and trace != "branch" and others == release.tag_owners:
        raise NotApplicable(f"{what} stays: it is of another project, by {join_items(others)}")
    if others:
        raise NotApplicable(f"{what} stays: {join_items(others)} has {release.version} published and needs it")


@check("INDEX-21", reads=["index"])
def test_files_are_yanked_or_were_never_there(release: Release, plan: Recovery) -> None:
    """All files of this version on the index are yanked, or none exists.

    A published version can be yanked in the index's web interface, not deleted. Yanking comes first in a rollback.
    """
    if offered := [*(file.filename for file in release.files if not file.yanked), *release.catching_up]:
        raise ActionNeeded(found=join_items(offered), why="installers still choose it", steps=plan.steps_for("index"))


@check("BRANCH-21", reads=["remote", "open_pulls", "pulls", "runs", "history", "index"])
def test_release_branch_is_withdrawn(release: Release, plan: Recovery) -> None:
    """The remote has no release branch for this version and channel.

    That holds for each spelling of the version.
    """
    branches = [*filter(None, [release.branch]), *(other.branch for other in release.respelled_branches)]
    if branches:
        skip_if_shared(release, "branch", branches[0].name)
        raise ActionNeeded(
            found=join_items(f"{branch.name} at {branch.sha[:12]}" for branch in branches),
            why="a new run of this version would fail on it",
            steps=plan.steps_for("branch", "other-branches"),
        )


@check("PULL-21", reads=["repository", "pulls"])
def test_no_pull_request_is_open(release: Release, plan: Recovery) -> None:
    """No pull request from this version's release branch is open."""
    if "pull-request" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} creates no pull request")
    if pulls := release.open_pulls:
        skip_if_shared(release, "branch", f"#{pulls[0].number}")
        raise ActionNeeded(
            found=join_items(f"#{pull.number}: {pull.html_url}" for pull in pulls),
            why="a merge would bring back what is withdrawn",
            steps=plan.steps_for("pull-request"),
        )


@check("RELEASE-21", reads=["repository", "release", "index", "remote", "history"])
def test_github_release_is_withdrawn(release: Release, plan: Recovery) -> None:
    """GitHub has no published release for this version.

    That holds for each spelling of the tag. An immutable release stays: if you delete it, its tag name can never be
    used again. Its notes can say what became of the version. It stays, too, if every file is yanked and a newer
    version replaced this one.
    """
    if "release" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} creates no GitHub Release")
    if releases := release.releases:
        if newer := find_replacement(release):
            raise NotApplicable(f"it stays: every file is yanked, and {newer} replaced {release.version}")
        skip_if_shared(release, "release", f"the GitHub Release {releases[0].tag}")
        stays = all(found.immutable for found in releases)
        raise ActionNeeded(
            found=join_items(found.html_url + (", immutable" if found.immutable else "") for found in releases),
            why="it still announces the version",
            steps=[keep_immutable(release, found) for found in releases] if stays else plan.steps_for("release"),
            advice=stays,
        )


@check("RELEASE-22", reads=["repository", "drafts", "index", "remote", "history"], advice=True)
def test_no_draft_remains(release: Release, plan: Recovery) -> None:
    """GitHub has no draft release for this version, in any spelling.

    GitHub lists drafts only to a token that may push.
    """
    if "release" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} creates no GitHub Release")
    if drafts := release.all_drafts:
        skip_if_shared(release, "release", f"the draft {drafts[0].tag}")
        raise ActionNeeded(
            found=join_items(draft.html_url for draft in drafts),
            why="somebody could publish it by accident",
            steps=plan.steps_for("draft"),
        )


@check("RELEASE-23", reads=["repository", "release", "latest_release", "index", "remote"])
def test_latest_release_is_another_version(release: Release) -> None:
    """GitHub's latest release is not this version.

    The GitHub Release of a withdrawn version may stay if a newer version replaced it, or if it is immutable. It is not
    the one that visitors and tools are sent to. If the newest version has no tag, this is advice: a run over that
    version says what it lacks.
    """
    found, replacement = release.github_release, find_replacement(release)
    if "release" not in release.channel.leaves or found is None:
        raise NotApplicable("no GitHub Release")
    if not found.immutable and not replacement:
        raise NotApplicable("it is to be deleted, or another channel's: see RELEASE-21")
    latest, newest = release.snapshot.latest_release.known(), release.newest_final
    is_marked = latest is not None and release.target.parse_tag(latest.tag) == release.version
    if newest is None or not is_marked or release.is_latest_foreign:
        return
    right = release.expected_latest
    is_tagged = right is not None and release.target.parse_tag(right) == newest
    look = step(f"Check {newest}, which has no tag", suite_command(release.target, str(newest)))
    raise ActionNeeded(
        expected=f"latest: {right if is_tagged else newest}",
        found=f"latest: {release.target.tag}, which is withdrawn",
        why="visitors and tools get another version than the index offers",
        steps=[make_latest(release, right) if right and is_tagged else look],
        advice=not is_tagged or replacement is None,
    )


@check("TAG-21", reads=["remote", "index", "release", "runs", "history"])
def test_tag_is_withdrawn_or_kept_on_purpose(release: Release, plan: Recovery) -> None:
    """Every tag for this version is gone, or kept for a reason.

    A tag may stay if all files of the version are yanked, or if an immutable GitHub Release holds it. It may also stay
    if another channel leaves the same tag and has published the version. It stays if it is another project's: its
    commit declares this version for that one, and another for the package. That holds for each spelling of the tag.
    """
    if "tag" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} creates no tag")
    tags = release.version_tags
    if not tags or release.all_yanked:
        return
    if not release.is_published:
        held = {found.tag for found in release.releases if found.immutable}
        tags = tuple(tag for tag in tags if tag.name not in held)
    if tags:
        if not release.is_published:
            skip_if_shared(release, "tag", tags[0].name)
        raise ActionNeeded(
            found=join_items(f"{tag.name} at {tag.commit[:12]}" for tag in tags),
            why="it says that the version is released",
            steps=plan.steps_for("tag", "index"),
        )


@check("TAG-22", reads=["remote", "clone"])
def test_clone_has_no_tag_of_its_own(release: Release, plan: Recovery) -> None:
    """The clone has no tag for this version that the remote lacks.

    That holds for each spelling of the tag.
    """
    if "tag" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} creates no tag")
    if release.clone is None:
        raise NotApplicable("no clone")
    there = {tag.name for tag in release.remote.tags}
    if tags := [tag for tag in release.local_tags if tag.name not in there]:
        raise ActionNeeded(
            found=join_items(f"{tag.name} at {tag.commit[:12]}" for tag in tags),
            why="the next push of tags would bring it back",
            steps=plan.steps_for("local-tag", "tag"),
        )


@check("CLONE-21", reads=["clone"])
def test_clone_is_in_a_clean_state(release: Release) -> None:
    """The clone has no changes, untracked files or unfinished operation."""
    clone = release.clone
    if clone is None or clone.bare:
        raise NotApplicable("no working tree")
    if clone.operation or clone.changed_count or clone.untracked_count:
        found = f"a {clone.operation} in progress; " if clone.operation else ""
        raise ActionNeeded(
            found=f"{found}{clone.changed_count} changed, {clone.untracked_count} untracked: "
            + join_items([*clone.changed, *clone.untracked]),
            why="it may still contain parts of the release",
            steps=tidy_up(release, clone, "Review them"),
        )


@check("RUN-21", reads=["repository", "remote", "runs", "workflow_files"])
def test_no_release_run_can_bring_it_back(release: Release, plan: Recovery) -> None:
    """No release run is unfinished.

    An unfinished run could create again what was withdrawn.
    """
    require_workflow(release)
    judge_unfinished(release, "it could still create a branch, a tag or a GitHub Release", plan.steps_for("run"))
