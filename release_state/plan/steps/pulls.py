"""Steps about the release pull request."""

from __future__ import annotations

from functools import partial

from release_state.common.text import quote_or_explain, sanitize
from release_state.facts.origin import ReleasedCommit, find_commit_tagged_after, needs_no_pull
from release_state.facts.release import Release
from release_state.model.plan import Mends, Step, step
from release_state.model.snapshot import PullRequest
from release_state.plan.steps.commands import fetch, gh, push, set_base, show_pull
from release_state.plan.steps.conflicts import make_room_for_branch, put_room_first

_pull_step = partial(step, mends="pull-request")


def create(release: Release) -> list[Step]:
    """Create the release pull request, its missing branch first; empty if GitHub would refuse it.

    Raises NotObserved if the commits are unknown.
    """
    target = release.target
    for pull in release.open_pulls:
        if pull.base_branch != release.base_branch:
            change = _pull_step(
                f"Change the base of pull request #{pull.number} to {release.base_branch}",
                set_base(release, pull.number, release.base_branch),
                reason=f"it would be merged into {pull.base_branch}",
                link=pull.html_url,
            )
            return [change]
    released = find_commit_tagged_after(release)
    if target.is_lasting(target.release_branch, release.remote.default_branch):
        return []  # a branch cannot be merged into itself, and no step may move this one
    if released is None or needs_no_pull(release, released):
        return []
    head, (title, body) = _create_head(release, released), _write_text(release)
    where = ["--base", release.base_branch, "--head", target.release_branch]
    pull_request = _pull_step(
        "Create the pull request",
        gh(release, "pr", "create", *where, "--title", title, "--body", body),
        reason=f"it brings the release commit to {release.base_branch}",
        verify=[gh(release, "pr", "list", "--state", "open", *where, "--json", "url", "--jq", _URL)],
    )
    return put_room_first(make_room_for_branch(release), [*head, pull_request])


_URL = '.[0].url // error("there is none")'
"""For an empty list gh prints nothing and ends with 0."""


def _create_head(release: Release, released: ReleasedCommit) -> list[Step]:
    """Create the pull request's head branch; move it if the base has all its commits; empty if it fits."""
    name, branch = release.target.release_branch, release.branch
    if branch is not None and branch.sha != release.base_head and release.lineage(branch.sha).ahead:
        return []
    title, lease = f"Recreate the branch {name} from {released.what}", ""
    reason = "a pull request needs a head branch, and this one is missing"
    if branch is not None:
        title, lease = f"Set the branch {name} to {released.what}", f"refs/heads/{name}:{branch.sha}"
        why = "GitHub refuses a pull request without commits; nothing is lost"
        reason = f"{release.base_branch} has all its commits: {why}"
    pushing = push(release, f"{released.sha}:refs/heads/{name}", replacing=lease)
    return [_pull_step(title, fetch(release, released.ref), pushing, reason=reason)]


def redirect(release: Release, pull: PullRequest, mends: Mends) -> Step:
    """Change the base of a pull request before its base is deleted, or close it if GitHub refuses the new base.

    GitHub closes a pull request with its base branch, and it can then be neither reopened nor given another base.
    Raises NotObserved if the base branch or the open pull requests are unknown.
    Source: https://github.com/cli/cli/issues/14223
    """
    base, number = release.base_branch, str(pull.number)
    close_it = gh(release, "pr", "close", number)
    reason = (
        f"“{sanitize(pull.title, 80)}” targets {pull.base_branch}: "
        "GitHub closes it with the branch; then it cannot be reopened or get another base"
    )
    if why := _explain_refusal(release, pull, base):
        title, command, reason = f"Close pull request #{number}", close_it, f"{reason}; {why}"
    else:
        title = f"Change the base of pull request #{number} to {base}, or close it"
        command = set_base(release, pull.number, base)
        reason = f"{reason}. If it is not wanted: {quote_or_explain(close_it)}"
    return step(
        f"{title}, before {pull.base_branch} is deleted",
        command,
        mends=mends,
        reason=reason,
        precondition=f"it no longer targets {pull.base_branch}",
        verify=[show_pull(release, pull.number)],
        link=pull.html_url,
    )


def _explain_refusal(release: Release, pull: PullRequest, base: str) -> str:
    """Why GitHub refuses the base branch as the base of a pull request; empty if no reason is known."""
    if pull.head_branch == base and release.is_from_here(pull):
        return f"its head is {base} itself"
    head = pull.head_repository, pull.head_branch
    for other in release.snapshot.open_pulls.present():
        if other.base_branch == base and (other.head_repository, other.head_branch) == head:
            return f"#{other.number} already brings the same branch to {base}"
    return ""


def recreate_head(release: Release, pull: PullRequest) -> Step:
    """Recreate the head branch of an open pull request from the head that GitHub recorded."""
    return _pull_step(
        f"Recreate the branch {pull.head_branch} of pull request #{pull.number}",
        fetch(release, f"refs/pull/{pull.number}/head"),
        push(release, f"{pull.head_sha}:refs/heads/{pull.head_branch}"),
        reason="it is open and cannot be merged without its branch",
        link=pull.html_url,
    )


def _write_text(release: Release) -> tuple[str, str]:
    """Title and body: the version bump, the changelog, the tag, the package link and the install command."""
    target, version = release.target, release.version
    channel = {"pypi": "PyPI", "testpypi": "TestPyPI"}.get(target.channel.name, target.channel.name)
    lines = (
        f"Version bumped to {version}",
        f"{target.changelog} updated",
        f"Tag: {target.tag}",
        f"Package: {target.index_page}",
        f"Install: pip install {target.name}=={version}",
    )
    return f"🚀 {target.pull_title} to {channel}", "\n".join(f"- {line}" for line in lines)


def close(release: Release, pull: PullRequest) -> Step:
    """Close an open pull request; its commits stay reachable under refs/pull."""
    return _pull_step(
        f"Close pull request #{pull.number}",
        gh(release, "pr", "close", str(pull.number)),
        reason="merging it would bring in what is being withdrawn; it can be reopened",
        link=pull.html_url,
    )
