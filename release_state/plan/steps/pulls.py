"""Steps about the release pull request."""

from __future__ import annotations

from release_state.common.text import quote_or_explain, sanitize
from release_state.facts.origin import ReleasedCommit, find_commit_tagged_after, needs_no_pull
from release_state.facts.release import Release
from release_state.model.plan import Mends, Step, step
from release_state.model.snapshot import PullRequest
from release_state.plan.steps import names
from release_state.plan.steps.commands import FETCH, PUSH, gh, index_page, name_remote, set_base, show_pull


def create(release: Release) -> list[Step]:
    """Create the release pull request, its branch first where that is gone; none where GitHub would refuse it.

    Raises NotObserved where the commits are not known.
    """
    target = release.target
    for pull in release.open_pulls:
        if pull.base_branch != release.base_branch:
            return [_set_base(release, pull)]
    released = find_commit_tagged_after(release)
    if target.is_lasting(target.release_branch, release.remote.default_branch):
        return []  # no branch is merged into itself, and nothing may set it to another commit
    if released is None or needs_no_pull(release, released):
        return []
    steps = _head(release, released)
    title, body = write_text(release)
    where = ["--base", release.base_branch, "--head", target.release_branch]
    steps.append(
        step(
            "Create the pull request",
            gh(release, "pr", "create", *where, "--title", title, "--body", body),
            mends="pull-request",
            reason=f"it brings the release commit to {release.base_branch}",
            verify=[gh(release, "pr", "list", "--state", "open", *where, "--json", "url", "--jq", _URL)],
        )
    )
    return names.put_room_first(names.make_room_for_branch(release), steps)


_URL = '.[0].url // error("there is none")'
"""For an empty list gh prints nothing and ends with 0."""


def _head(release: Release, released: ReleasedCommit) -> list[Step]:
    """The branch that a pull request comes from, where it is gone or holds nothing that the base lacks."""
    name, branch = release.target.release_branch, release.branch
    if branch is not None and branch.sha != release.base_head and release.lineage(branch.sha).ahead:
        return []
    title, lease = f"Recreate the branch {name} from {released.what}", []
    reason = "a pull request needs a head branch, and this one is missing"
    if branch is not None:
        title, lease = (
            f"Set the branch {name} to {released.what}",
            [f"--force-with-lease=refs/heads/{name}:{branch.sha}"],
        )
        reason = (
            f"{release.base_branch} has all its commits: GitHub refuses a pull request without commits; nothing is lost"
        )
    return [
        step(
            title,
            [*FETCH, name_remote(release), released.ref],
            [*PUSH, *lease, name_remote(release), f"{released.sha}:refs/heads/{name}"],
            mends="pull-request",
            reason=reason,
        )
    ]


def _set_base(release: Release, pull: PullRequest) -> Step:
    return step(
        f"Change the base of pull request #{pull.number} to {release.base_branch}",
        set_base(release, pull.number, release.base_branch),
        mends="pull-request",
        reason=f"it would be merged into {pull.base_branch}",
        link=pull.html_url,
    )


def redirect(release: Release, pull: PullRequest, mends: Mends) -> Step:
    """Take an open pull request off a branch that is to go: to the base branch, or closed where that cannot be.

    GitHub closes what is to be merged into a branch that is deleted by git or by its API, and takes neither a new base
    for it then nor opens it again. Raises NotObserved where the base branch or the open pull requests are not known.
    Source: https://github.com/cli/cli/issues/14223
    """
    base, number = release.base_branch, str(pull.number)
    to_base, closing = set_base(release, pull.number, base), gh(release, "pr", "close", number)
    doomed = (
        f"“{sanitize(pull.title, 80)}” targets {pull.base_branch}: "
        "GitHub closes it with the branch; then it cannot be reopened or get another base"
    )
    title, command = f"Change the base of pull request #{number} to {base}, or close it", to_base
    reason = f"{doomed}. If it is not wanted: {quote_or_explain(closing)}"
    if why := _has_no_way_to(release, pull, base):
        title, command, reason = f"Close pull request #{number}", closing, f"{doomed}; {why}"
    return step(
        f"{title}, before {pull.base_branch} is deleted",
        command,
        mends=mends,
        reason=reason,
        precondition=f"it no longer targets {pull.base_branch}",
        verify=[show_pull(release, pull.number)],
        link=pull.html_url,
    )


def _has_no_way_to(release: Release, pull: PullRequest, base: str) -> str:
    """Why GitHub refuses the base branch as the base of a pull request, as far as is known."""
    if pull.head_branch == base and release.is_from_here(pull):
        return f"its head is {base} itself"
    head = pull.head_repository, pull.head_branch
    for other in release.snapshot.open_pulls.present():
        if other.base_branch == base and (other.head_repository, other.head_branch) == head:
            return f"#{other.number} already brings the same branch to {base}"
    return ""


def recreate_head(release: Release, pull: PullRequest) -> Step:
    """Bring back the head branch of an open pull request, from the head that GitHub recorded."""
    return step(
        f"Recreate the branch {pull.head_branch} of pull request #{pull.number}",
        [*FETCH, name_remote(release), f"refs/pull/{pull.number}/head"],
        [*PUSH, name_remote(release), f"{pull.head_sha}:refs/heads/{pull.head_branch}"],
        mends="pull-request",
        reason="it is open and cannot be merged without its branch",
        link=pull.html_url,
    )


def write_text(release: Release) -> tuple[str, str]:
    """Title and body: the version bump, the changelog, the tag, the package link and the install command."""
    target, version = release.target, release.version
    channel = {"pypi": "PyPI", "testpypi": "TestPyPI"}.get(target.channel.name, target.channel.name)
    body = "\n".join(
        (
            f"- Version bumped to {version}",
            f"- {target.changelog} updated",
            f"- Tag: {target.tag}",
            f"- Package: {index_page(release)}",
            f"- Install: pip install {target.name}=={version}",
        )
    )
    return f"🚀 {target.pull_title} to {channel}", body


def close(release: Release, pull: PullRequest) -> Step:
    """Close an open pull request; its commits stay reachable under refs/pull."""
    return step(
        f"Close pull request #{pull.number}",
        gh(release, "pr", "close", str(pull.number)),
        mends="pull-request",
        reason="merging it would bring in what is being withdrawn; it can be reopened",
        link=pull.html_url,
    )
