"""Steps about tags, on the remote and in the clone."""

from __future__ import annotations

from release_state.model import NotObserved
from release_state.plan import Step, step
from release_state.release import Release
from release_state.snapshot import Candidate, Tag
from release_state.steps import origin
from release_state.steps.commands import in_clone, remote


def look(release: Release, tag: Tag, reason: str) -> Step:
    """See who made a tag, when, and of which commit."""
    return step(
        f"Look at the tag {tag.name}: who made it, and of which commit",
        ["git", "fetch", remote(release), f"refs/tags/{tag.name}"],
        ["git", "show", "--no-patch", tag.object],
        mends="tag",
        reason=reason,
    )


def delete(release: Release, tag: Tag) -> list[Step]:
    """Delete a tag of the remote; only for a version that is known not to be published.

    Raises NotObserved where that is not known.
    """
    if not release.tag_may_go:
        return []
    return [
        step(
            f"Delete the tag {tag.name} on the remote",
            [
                "git",
                "push",
                f"--force-with-lease=refs/tags/{tag.name}:{tag.object}",
                remote(release),
                f":refs/tags/{tag.name}",
            ],
            mends="tag",
            reason=f"{release.version} is not published: nothing rests on the tag, and the next run counts from it",
            precondition=f"{release.version} was not published since, and the tag is still {tag.object[:12]}",
            destroys=f"tag {tag.name} (object {tag.object}, commit {tag.commit})",
            saves="a clone that has fetched it brings it back: "
            f"git push {remote(release)} {tag.object}:refs/tags/{tag.name}",
            verify=[["git", "ls-remote", "--tags", remote(release), tag.name]],
        )
    ]


def keep_object(release: Release, tag: Tag) -> Step:
    """Fetch a tag before it is deleted, so that its object can be pushed again."""
    return step(
        f"Fetch what the tag {tag.name} holds, and note its target",
        ["git", "fetch", remote(release), f"refs/tags/{tag.name}"],
        ["git", "show", "--no-patch", tag.object],
        mends="tag",
        reason=f"it points to {tag.commit}; with the object at hand it can be pushed again",
    )


def delete_local(release: Release, tag: Tag) -> Step:
    """Delete a tag of the clone that the remote does not have."""
    return step(
        f"Delete the clone's tag {tag.name}",
        in_clone(release, "tag", "--delete", tag.name),
        mends="local-tag",
        reason="the remote has no such tag: a push or a workflow would meet it",
        destroys=f"the clone's tag {tag.name} (object {tag.object}, commit {tag.commit})",
        saves=f"it comes back with: git update-ref refs/tags/{tag.name} {tag.object}",
        verify=[in_clone(release, "tag", "--list", tag.name)],
    )


def refresh_local(release: Release, local: Tag, there: Tag) -> Step:
    """Take the remote's tag into a clone that has another one of the same name."""
    return step(
        f"Replace the clone's tag {local.name} by the remote's",
        in_clone(release, "fetch", "--no-tags", remote(release), f"+refs/tags/{there.name}:refs/tags/{there.name}"),
        mends="local-tag",
        reason=f"the clone has {local.commit[:12]}, the remote {there.commit[:12]}, which is what everybody sees",
        destroys=f"the clone's own tag {local.name} (object {local.object}, commit {local.commit})",
        saves=f"it comes back with: git update-ref refs/tags/{local.name} {local.object}",
    )


def create(release: Release) -> list[Step]:
    """Tag the commit that was published: what the sdist shows, else what the refs leave; or find out which it was."""
    tag, candidates = release.target.tag, published_candidates(release)
    local = release.local_tag if release.snapshot.clone.is_known else None
    if local is not None:
        return [_push_local(release, local, candidates)]
    if found := origin.origins(release):
        return _tag_origin(release, found)
    if len(candidates) == 1:
        sha, ref, what = candidates[0]
        return [
            step(
                f"Tag {sha[:12]}, {what}, as {tag}",
                *_tagging(release, sha, ref),
                mends="tag",
                reason="the version is published, and this commit is the only trace of what it was built from",
                verify=[_listed(release)],
            )
        ]
    return [
        step(
            "Establish which commit was published",
            ["git", "fetch", remote(release), f"refs/heads/{release.base_branch}"],
            ["git", "log", "--oneline", "-G", f"version.*{release.version}", "FETCH_HEAD", "--", "pyproject.toml"],
            mends="tag",
            reason="the version is published and no ref says from which commit: compare the files of the published "
            "sdist with the tree of each candidate before tagging one",
        )
    ]


def _push_local(release: Release, local: Tag, candidates: list[tuple[str, str, str]]) -> Step:
    tag, found = release.target.tag, origin.origins(release)
    fitting = next((candidate for candidate in found if candidate.sha == local.commit), None)
    if fitting:
        differs, reason = [], f"; {origin.fit(release, fitting)}"
    elif found:
        differs = [f"{found[0].sha[:12]}, {found[0].what}"]
        reason = f"; another commit fits better, {differs[0]}: {origin.fit(release, found[0])}"
    else:
        differs = [what for sha, _, what in candidates if sha != local.commit]
        reason = f"; another candidate: {', '.join(differs)}" if differs else ""
    return step(
        f"Push the clone's tag {tag}" + (", if it is on the commit that was published" if differs else ""),
        in_clone(release, "show", "--no-patch", local.object),
        in_clone(release, "push", remote(release), f"refs/tags/{tag}"),
        mends="tag",
        reason=f"the clone has it, on {local.commit[:12]}; the remote lacks it{reason}",
        verify=[_listed(release)],
    )


def _tag_origin(release: Release, found: tuple[Candidate, ...]) -> list[Step]:
    """Tag the commit that fits the published sdist best; several that fit alike hold the same files."""
    chosen, tag = found[0], release.target.tag
    certain = release.holds_published(chosen)
    title = f"ag {chosen.sha[:12]}, {chosen.what}, as {tag}"
    steps = [
        step(
            f"T{title}" if certain else f"Unless a nearer commit is known: t{title}",
            *_tagging(release, chosen.sha, chosen.ref or chosen.sha),
            mends="tag",
            reason=origin.reasons(release, chosen, found),
            verify=[_listed(release)],
        )
    ]
    if not chosen.on_base and origin.on_base(release):
        steps.append(origin.into_history(release))
    return steps


def _tagging(release: Release, sha: str, ref: str) -> list[list[str]]:
    tag = release.target.tag
    return [
        ["git", "fetch", remote(release), ref],
        ["git", "tag", "--annotate", tag, sha, "--message", f"Release {tag}"],
        ["git", "push", remote(release), f"refs/tags/{tag}"],
    ]


def _listed(release: Release) -> list[str]:
    return ["git", "ls-remote", "--tags", remote(release), release.target.tag]


def published_candidates(release: Release) -> list[tuple[str, str, str]]:
    """Commits that the published files may have been built from: (hash, ref to fetch it by, what it is)."""
    candidates = [
        (tag.commit, f"refs/tags/{tag.name}", f"which {tag.name} tags already") for tag in release.other_tags_exactly
    ]
    if (branch := release.branch) and all(branch.sha != sha for sha, _, _ in candidates):
        candidates.append((branch.sha, f"refs/heads/{branch.name}", f"the head of {branch.name}"))
    try:
        for pull in release.pulls:
            if pull.merged and all(pull.head_sha != sha for sha, _, _ in candidates):
                ref = f"refs/pull/{pull.number}/head"
                candidates.append((pull.head_sha, ref, f"the recorded head of pull request #{pull.number}"))
    except NotObserved:
        return []  # another head may be recorded there
    return candidates
