"""Parses the JSON of GitHub's responses into the models; raises LookupFailed on any other shape.

An object of another repository, tag or workflow than requested raises it, too. `place` is the path of the
repository: `/repos/{owner}/{name}`, quoted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from release_state.model.snapshot import GitHubRelease, PullRequest, WorkflowRun
from release_state.observe.github.api import Fields, failure, require_address, require_repository
from release_state.observe.http.refusal import get_header


def parse_fork(repository: Fields) -> str | None:
    """The repository at the end of the chain of forks."""
    origin = repository.optional_child("source") or repository.optional_child("parent")
    return origin.text("full_name") if origin and repository.optional_flag("fork") else None


def has_right(repository: Fields, right: str) -> bool | None:
    """Whether the token has a right on the repository; None if GitHub does not say."""
    permissions = repository.optional_child("permissions")
    # GitHub shows an app's own token every permission as false, even the permission to read what it just read.
    if permissions is None or permissions.optional_flag("pull") is False:
        return None
    return permissions.optional_flag(right)


def parse_scopes(headers: Mapping[str, str]) -> tuple[str, ...] | None:
    """The scopes of a classic token, maybe none; None for other tokens, which have no such header."""
    said = get_header(headers, "X-OAuth-Scopes")
    return None if said is None else tuple(filter(None, (scope.strip() for scope in said.split(","))))


def parse_pulls(found: Sequence[Fields], place: str) -> list[PullRequest]:
    """The pull requests of a list, each once. Raises LookupFailed for one into another repository."""
    for pull in found:
        require_repository(pull.child("base").child("repo"), place, "pull requests")
    # One that is opened while the pages are read pushes another onto the next page, where it is listed again.
    return list({pull.number: pull for pull in map(parse_pull, found)}.values())


def parse_releases(found: Sequence[Fields], place: str) -> tuple[GitHubRelease, ...]:
    """The releases of a list, each once. Raises LookupFailed for one of another repository."""
    for release in found:
        require_address(release, place, "releases")
    return tuple({release.id: release for release in map(parse_release, found)}.values())


def parse_pull(found: Fields) -> PullRequest:
    """A pull request."""
    head, merged_at = found.child("head"), found.nullable_moment("merged_at")
    repository = head.optional_child("repo")
    state = found.text("state")
    if state not in ("open", "closed"):
        raise failure(f"unexpected shape of the answer: a pull request is {state!r:.40}")
    return PullRequest(
        number=found.number("number"),
        title=found.text("title"),
        state=state,
        merged=merged_at is not None,
        draft=bool(found.optional_flag("draft")),
        head_branch=head.text("ref"),
        head_sha=head.sha("sha"),
        head_repository=None if repository is None else repository.text("full_name"),
        base_branch=found.child("base").text("ref"),
        # If it is not merged, this is GitHub's trial merge, which is on no branch.
        merge_commit=found.optional_text("merge_commit_sha") if merged_at else None,
        created_at=found.moment("created_at"),
        closed_at=found.nullable_moment("closed_at"),
        merged_at=merged_at,
        author=found.login("user"),
        html_url=found.text("html_url"),
    )


def parse_release(found: Fields) -> GitHubRelease:
    """A GitHub Release or a draft."""
    return GitHubRelease(
        id=found.number("id"),
        tag=found.text("tag_name"),
        name=found.optional_text("name"),
        draft=found.flag("draft"),
        prerelease=found.flag("prerelease"),
        immutable=found.optional_flag("immutable"),
        has_notes=bool((found.optional_text("body") or "").strip()),
        assets=len(found.objects("assets")) if found.has("assets") else None,
        created_at=found.moment("created_at"),
        published_at=found.nullable_moment("published_at"),
        author=found.login("author"),
        html_url=found.text("html_url"),
    )


def parse_tag_release(found: Fields, place: str, tag: str) -> GitHubRelease:
    """The published release of exactly this tag."""
    require_address(found, place, "a release")
    release = parse_release(found)
    if release.tag != tag:
        raise failure(f"requested the release of the tag {tag}, GitHub gave that of {release.tag}")
    if release.draft:
        raise failure(f"requested the published release of the tag {tag}, GitHub gave a draft")
    return release


def parse_latest_release(found: Fields, place: str) -> GitHubRelease:
    """The release that GitHub calls the latest: published, and not a pre-release."""
    require_address(found, place, "the latest release")
    release = parse_release(found)
    if release.draft or release.prerelease:
        kind = "draft" if release.draft else "pre-release"
        raise failure(f"requested the latest release, GitHub gave a {kind}, {release.tag}")
    return release


def parse_runs(found: Iterable[Fields], place: str, workflow: str = "") -> list[WorkflowRun]:
    """The runs of a list. Raises LookupFailed for one of another repository, or of another file than `workflow`."""
    runs = []
    for item in found:
        require_repository(item.child("repository"), place, "workflow runs")
        run = parse_run(item)
        if workflow and run.workflow != workflow:
            raise failure(f"requested the runs of {workflow}, GitHub gave one of {run.workflow or 'no workflow'}")
        runs.append(run)
    return runs


def parse_run(found: Fields) -> WorkflowRun:
    """A run of a workflow."""
    return WorkflowRun(
        id=found.number("id"),
        number=found.number("run_number"),
        title=found.optional_text("display_title") or found.optional_text("name") or "",
        # GitHub's own schema allows null: not "completed", and so not finished.
        status=found.optional_text("status") or "unknown",
        conclusion=found.optional_text("conclusion"),
        event=found.text("event"),
        head_branch=found.optional_text("head_branch"),
        head_sha=found.sha("head_sha"),
        created_at=found.moment("created_at"),
        started_at=found.optional_moment("run_started_at"),
        updated_at=found.moment("updated_at"),
        actor=found.login("triggering_actor") or found.login("actor"),
        html_url=found.text("html_url"),
        workflow=(found.optional_text("path") or "").partition("@")[0].rpartition("/")[2],
    )
