"""Steps about release branches."""

from __future__ import annotations

from release_state.common.text import format_count
from release_state.facts.release import OtherBranch, Release
from release_state.model.observation import NotObserved
from release_state.model.outcome import Phase
from release_state.model.plan import Mends, Step, step
from release_state.model.snapshot import Branch, PullRequest
from release_state.model.target import read_version
from release_state.plan.steps.commands import (
    check_holds,
    check_lacks,
    fetch,
    gh,
    pick_free_branch,
    push,
    show_pull,
    suite_command,
)
from release_state.plan.steps.prerequisites import end_or_wait, find_out_first, leave_to_others
from release_state.plan.steps.pulls import redirect


def delete(
    release: Release,
    branch: Branch,
    mends: Mends = "branch",
    *,
    closing: tuple[int, ...] = (),
    others: tuple[str, ...] = (),
) -> list[Step]:
    """Delete a release branch of the remote, with a backup of the commits that it alone has.

    Not while a pull request from it or into it is open: GitHub would close it for good. `closing` names pull requests
    that an earlier step closes. `others` are channels that share the branch and have published from it: they need it
    until its pull request is merged, or the base branch has its commits.
    """
    try:
        pulls = _list_pulls(release, branch)
        open_pulls = [pull for pull in pulls if pull.is_open and pull.number not in closing]
        if release.unfinished_runs:
            return end_or_wait(release)
        into = [pull for pull in release.find_pulls_into(branch.name) if pull.number not in closing]
        redirections = [redirect(release, pull, mends) for pull in into]
        lineage = None if branch.sha == release.base_head else release.lineage(branch.sha)
    except NotObserved as missing:
        return [_look(release, branch, mends), find_out_first(release, missing, f"whether to delete {branch.name}")]
    if open_pulls:
        pull = open_pulls[0]
        decide = step(
            f"Decide on pull request #{pull.number} first: {branch.name} is its head",
            show_pull(release, pull.number),
            mends=mends,
            reason="a branch with an open pull request is still in use",
            link=pull.html_url,
        )
        return [decide]
    if redirections:
        return redirections
    safe = "" if lineage and lineage.ahead else f"{release.base_branch} holds every commit of it"
    for pull in pulls:
        if pull.merged and pull.head_sha == branch.sha:
            safe = f"pull request #{pull.number} was merged with this very head"
            break
    if others and not safe:
        return [leave_to_others(release, f"the branch {branch.name}", others, mends)]
    ref, flat = f"refs/heads/{branch.name}", f"{branch.name}-{branch.sha[:7]}"
    backup = pick_free_branch(release, f"backup/{flat}", f"kept/{flat}", f"backup-of-{flat.replace('/', '-')}")
    # Without the backup's fetch, this push fails: git lacks the commits that it names.
    backup_refs = () if safe else (f"{branch.sha}:refs/heads/{backup}",)
    deletion = step(
        f"Delete the release branch {branch.name}",
        push(release, *backup_refs, f":{ref}", replacing=f"{ref}:{branch.sha}"),
        mends=mends,
        reason="a release run cannot create this branch while it exists",
        precondition=f"{branch.name} is still at {branch.sha[:12]}, and no new pull request uses it",
        destroys=f"branch {branch.name} at {branch.sha}",
        saves=f"nothing is lost: {safe}" if safe else f"its commits are backed up to {backup}",
        verify=[check_lacks(release, ref)],
    )
    return [deletion] if safe else [_back_up(release, branch, backup, mends), deletion]


def _back_up(release: Release, branch: Branch, backup: str, mends: Mends) -> Step:
    count = release.lineage(branch.sha).unmerged_count
    return step(
        f"Back up {branch.name} to {backup}",
        fetch(release, f"refs/heads/{branch.name}"),
        push(release, f"{branch.sha}:refs/heads/{backup}"),
        mends=mends,
        reason=f"it has {format_count(count, 'commit')} that {release.base_branch} lacks"
        if count
        else f"{release.base_branch} has these changes only as other commits",
        verify=[check_holds(release, f"refs/heads/{backup}", branch.sha)],
    )


def _list_pulls(release: Release, branch: Branch) -> tuple[PullRequest, ...]:
    """Every pull request from the branch; open ones are looked up in two ways, so that none is missed."""
    open_pulls = release.find_open_pulls_from(branch.name)
    is_own = branch.name == release.target.release_branch
    return (*(release.pulls if is_own else release.find_pulls_from(branch.name)), *open_pulls)


def _look(release: Release, branch: Branch, mends: Mends) -> Step:
    return step(
        f"Check whether {branch.name} is in use, and what it contains",
        gh(release, "pr", "list", "--state", "all", "--head", branch.name),
        gh(release, "pr", "list", "--state", "open", "--base", branch.name),
        fetch(release, f"refs/heads/{branch.name}"),
        ["git", "log", "--oneline", "-20", branch.sha],
        mends=mends,
        reason="a branch is deleted only if its use is known",
    )


def tidy_others(release: Release, *, forced: bool = False) -> list[Step]:
    """Finish the unfinished releases of other versions and channels, and delete their unused branches.

    With `forced`, the branches of unfinished releases too, unless a published version still has to be merged.
    """
    steps: list[Step] = []
    has_pulls = "pull-request" in release.channel.leaves and release.snapshot.phase != Phase.ROLLBACK
    for other in release.other_branches:
        if other.state == "in use":
            continue
        if release.is_respelled(other.parsed) and other.published_on in (None, release.channel.name):
            # A check of its version would lead back here. With a pull request from the right branch, a channel that
            # shares this one needs nothing more of it.
            others = () if has_pulls else release.find_dependents("branch")
            steps += delete(release, other.branch, "other-branches", others=others)
        elif release.is_still_needed(other) if forced else other.state == "unfinished":
            steps.append(_look_at(release, other))
        else:
            steps += delete(release, other.branch, "other-branches")
    return steps


def _look_at(release: Release, other: OtherBranch) -> Step:
    version, channel = other.parsed.version, other.published_on or other.parsed.channel
    if read_version(version) == release.version:
        version = release.target.version  # by another spelling of it, the run would be about another tag
    return step(
        f"Check the unfinished release of {version} on {channel}",
        suite_command(release.target, version, channel),
        mends="other-branches",
        reason=f"it left the branch {other.branch.name}: {other.reason}",
    )
