"""Steps that give a tag and its GitHub Release the version that was published from their commit (pure)."""

from __future__ import annotations

from msgspec import structs
from packaging.version import Version

from release_state.facts.origin import is_bound
from release_state.facts.release import Release
from release_state.model.plan import Step, step
from release_state.model.snapshot import GitHubRelease, Tag
from release_state.plan.steps import tags
from release_state.plan.steps.commands import check_holds, explain_start, fetch, gh, push, suite_command


def rename(release: Release, tag: Tag, version: Version) -> list[Step]:
    """Tag the commit as the published version, move the GitHub Release there, and delete the wrong tag.

    The wrong tag and its GitHub Release stay if they must: immutable, or needed by another channel.
    """
    process = structs.replace(release.target.process, tag=None)
    target = structs.replace(release.target, version=str(version), process=process)
    found = release.github_release if "release" in release.channel.leaves else None
    steps = [_tag(release, tag, target.tag, version)]
    if not is_bound(release):
        steps += [_move(release, found, target.tag, version)] if found else []
        steps += [tags.fetch_object(release, tag), tags.delete(release, tag)] if release.is_tag_removable else []
    title = f"Check {version}, which was published; {release.version} is not to be released"
    return [*steps, step(title, suite_command(target), reason="its tag and its GitHub Release are in place by then")]


def _tag(release: Release, tag: Tag, name: str, version: Version) -> Step:
    ref = f"refs/tags/{name}"
    return step(
        f"Tag {tag.commit[:12]}, the commit of {tag.name}, as {name}",
        fetch(release, f"refs/tags/{tag.name}"),
        ["git", "tag", "--annotate", name, tag.commit, "--message", f"Release {name}"],
        push(release, ref),
        mends="tag",
        reason=f"this commit declares {version} and holds its published files{explain_start(release, 'tag')}: a run "
        f"that it starts can upload nothing new, {version} is there",
        verify=[check_holds(release, f"{ref}^{{}}", tag.commit)],
    )


def _move(release: Release, found: GitHubRelease, name: str, version: Version) -> Step:
    return step(
        f"Move the GitHub Release {found.tag} to {name}",
        gh(release, "release", "edit", found.tag, "--tag", name, "--title", name, "--verify-tag"),
        mends="release",
        reason=f"it announces what was published as {version}; correct what its notes call {release.version}",
        precondition=f"GitHub has no release of {name} yet",
        link=found.html_url,
        verify=[gh(release, "release", "view", name)],
    )
