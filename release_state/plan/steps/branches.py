"""Steps about release branches."""

from __future__ import annotations

from packaging.version import Version

from release_state.facts.release import OtherBranch, Release
from release_state.model.observation import NotObserved
from release_state.model.outcome import Phase
from release_state.model.plan import Mends, Step, step
from release_state.model.snapshot import Branch, PullRequest
from release_state.plan.steps import pulls as pull_steps
from release_state.plan.steps import runs
from release_state.plan.steps.commands import (
    FETCH,
    PUSH,
    check_holds,
    check_lacks,
    find_out_first,
    gh,
    leave_to_others,
    name_remote,
    pick_free_branch,
    push_replacing,
    show_pull,
    suite_command,
)


def delete(
    release: Release,
    branch: Branch,
    mends: Mends = "branch",
    *,
    closing: tuple[int, ...] = (),
    others: tuple[str, ...] = (),
) -> list[Step]:
    """Delete a release branch of the remote: only if no pull request is open, and never what it alone holds.

    Neither one that comes from the branch nor one that is to be merged into it, which GitHub would close for good.
    `closing` names pull requests that an earlier step of the plan closes; `others` the channels that share the branch
    and have published from it: they are through with it once its pull request is merged, or the base branch holds it.
    """
    try:
        pulls = _pulls_of(release, branch)
        open_pulls = [pull for pull in pulls if pull.is_open and pull.number not in closing]
        if release.unfinished_runs:
            return runs.end_or_wait(release)
        into = [pull for pull in release.pulls_into(branch.name) if pull.number not in closing]
        redirected = [pull_steps.redirect(release, pull, mends) for pull in into]
        lineage = None if branch.sha == release.base_head else release.lineage(branch.sha)
    except NotObserved as missing:
        return [_look(release, branch, mends), find_out_first(release, missing, f"whether to delete {branch.name}")]
    if open_pulls:
        pull = open_pulls[0]
        return [
            step(
                f"Decide on pull request #{pull.number} first: {branch.name} is its head",
                show_pull(release, pull.number),
                mends=mends,
                reason="a branch with an open pull request is still in use",
                link=pull.html_url,
            )
        ]
    if redirected:
        return redirected
    merged = [pull for pull in pulls if pull.merged and pull.head_sha == branch.sha]
    if merged:
        safe = f"pull request #{merged[0].number} was merged with this very head"
    elif lineage is None or not lineage.ahead:
        safe = f"{release.base_branch} holds every commit of it"
    else:
        safe = ""
    if others and not safe:
        return [leave_to_others(release, f"the branch {branch.name}", others, mends)]
    flat = f"{branch.name}-{branch.sha[:7]}"
    backup = pick_free_branch(release, f"backup/{flat}", f"kept/{flat}", f"backup-of-{flat.replace('/', '-')}")
    steps = [] if safe else [_keep(release, branch, backup, mends)]
    # Typed without the step before, it fails: git does not have what is to be kept.
    kept = () if safe else (f"{branch.sha}:refs/heads/{backup}",)
    steps.append(
        step(
            f"Delete the release branch {branch.name}",
            push_replacing(release, f"refs/heads/{branch.name}", branch.sha, *kept, f":refs/heads/{branch.name}"),
            mends=mends,
            reason="a release run cannot create this branch while it exists",
            precondition=f"{branch.name} is still at {branch.sha[:12]}, and no new pull request uses it",
            destroys=f"branch {branch.name} at {branch.sha}",
            saves=f"nothing is lost: {safe}" if safe else f"its commits are backed up to {backup}",
            verify=[check_lacks(release, f"refs/heads/{branch.name}")],
        )
    )
    return steps


def _keep(release: Release, branch: Branch, backup: str, mends: Mends) -> Step:
    lineage = release.lineage(branch.sha)
    held = lineage.unmerged_count
    return step(
        f"Back up {branch.name} to {backup}",
        [*FETCH, name_remote(release), f"refs/heads/{branch.name}"],
        [*PUSH, name_remote(release), f"{branch.sha}:refs/heads/{backup}"],
        mends=mends,
        reason=f"it has {held} commit{'s' * (held != 1)} that {release.base_branch} lacks"
        if held
        else f"{release.base_branch} has these changes only as other commits",
        verify=[check_holds(release, f"refs/heads/{backup}", branch.sha)],
    )


def _pulls_of(release: Release, branch: Branch) -> tuple[PullRequest, ...]:
    """Every pull request whose head the branch is; the open ones are asked for twice, so that none is missed."""
    opened = release.find_open_pulls_from(branch.name)
    if branch.name == release.target.release_branch:
        return (*release.pulls, *opened)
    return (*release.find_pulls_from(branch.name), *opened)


def _look(release: Release, branch: Branch, mends: Mends) -> Step:
    return step(
        f"Check whether {branch.name} is in use, and what it contains",
        gh(release, "pr", "list", "--state", "all", "--head", branch.name),
        gh(release, "pr", "list", "--state", "open", "--base", branch.name),
        [*FETCH, name_remote(release), f"refs/heads/{branch.name}"],
        ["git", "log", "--oneline", "-20", branch.sha],
        mends=mends,
        reason="a branch is deleted only if its use is known",
    )


def look_at(release: Release, other: OtherBranch) -> Step:
    """Look at the unfinished release that a branch is left of."""
    version, channel = other.parsed.version, other.published_on or other.parsed.channel
    if Version(version) == release.version:
        version = release.target.version  # by another spelling of it, the run would be about another tag
    return step(
        f"Check the unfinished release of {version} on {channel}",
        suite_command(release.target, version, channel),
        mends="other-branches",
        reason=f"it left the branch {other.branch.name}: {other.reason}",
    )


def tidy_others(release: Release, *, forced: bool = False) -> list[Step]:
    """Tidy up release branches of other versions and channels: finish the unfinished, delete what nobody uses.

    With `forced`, of the unfinished too: all but those that a published version still has to be merged from.
    """
    steps: list[Step] = []
    for other in release.other_branches:
        if other.state == "in use":
            continue
        if release.is_respelled(other.parsed) and other.published_on in (None, release.channel.name):
            steps += _delete_respelled(release, other)
        elif release.is_still_needed(other) if forced else other.state == "unfinished":
            steps.append(look_at(release, other))
        else:
            steps += delete(release, other.branch, "other-branches")
    return steps


def _delete_respelled(release: Release, other: OtherBranch) -> list[Step]:
    """Delete a branch of this very version in another spelling: to look at its version would lead back here."""
    ends = "pull-request" in release.channel.leaves and release.snapshot.phase != Phase.ROLLBACK
    # Where the pull request is from the right branch, nothing is to come of this one for whoever shares it.
    resting = () if ends else release.find_dependents("branch")
    return delete(release, other.branch, "other-branches", others=resting)
