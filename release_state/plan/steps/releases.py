"""Steps about the GitHub Release and its drafts."""

from __future__ import annotations

from collections.abc import Iterator

from release_state.common.text import format_count
from release_state.facts.release import Release
from release_state.model.observation import value_or
from release_state.model.plan import Mends, Step, step
from release_state.model.snapshot import GitHubRelease
from release_state.plan.steps.commands import explain_start, gh, gh_api
from release_state.plan.steps.prerequisites import describe_siblings, end_or_wait, leave_to_others
from release_state.plan.steps.tags import withdraw_other_spelling


def create(release: Release) -> Step:
    """Publish the draft of the tag, else create its GitHub Release with generated notes."""
    tag, flags = release.target.tag, choose_flags(release)
    # Hidden without the right to push; GitHub would not refuse a second one.
    drafts = value_or(None, lambda: release.drafts)
    if drafts:
        return step(
            f"Publish the draft GitHub Release {tag}",
            gh(release, "release", "edit", tag, "--draft=false", *flags),
            mends="release",
            reason=f"a draft of it exists already{explain_start(release, 'release')}",
            link=drafts[0].html_url,
        )
    return step(
        f"Create the GitHub Release {tag}",
        gh(release, "release", "create", tag, "--verify-tag", "--title", tag, "--generate-notes", *flags),
        mends="release",
        reason=("the tag exists" if release.tag else "once the tag exists") + explain_start(release, "release"),
        precondition="" if drafts is not None else f"you see no draft of {tag} on GitHub; if there is one, publish it",
        link=None if drafts is not None else f"{release.target.web}/releases",
        verify=[gh(release, "release", "view", tag)],
    )


def choose_flags(release: Release) -> list[str]:
    """Return the options that make it a pre-release, or the latest release if it is the newest.

    Not the latest where another package of the repository has that mark, and the tags tell them apart.
    """
    if release.version.is_prerelease:
        return ["--prerelease"]
    target = release.target
    if target.names_package(target.tag_template) and value_or(False, lambda: release.is_latest_foreign):
        return ["--latest=false"]
    newest = release.newest_final
    return [f"--latest={str(newest is None or release.version >= newest).lower()}"]


def fix(release: Release, found: GitHubRelease) -> Iterator[Step]:
    """Correct the flag, the notes and *latest* of a published GitHub Release."""
    target, is_prerelease = release.target, release.version.is_prerelease
    if found.prerelease != is_prerelease:
        yield step(
            f"Mark {found.tag} as {'a pre-release' if is_prerelease else 'a final release'}",
            gh(release, "release", "edit", found.tag, f"--prerelease={str(is_prerelease).lower()}"),
            mends="release",
            reason=f"PEP 440 calls {release.version} {'one' if is_prerelease else 'final'}",
        )
    if not found.has_notes:
        notes = f"See {target.web}/blob/{target.tag}/{target.changelog}"
        yield step(
            f"Add release notes to {found.tag}: link the changelog, or write them in the web interface",
            gh(release, "release", "edit", found.tag, "--notes", notes),
            mends="release",
            reason="it has none",
            link=found.html_url,
        )
    # Only once the index offers a file: what this plan publishes or un-yanks may be the greatest version.
    has_offered = any(not file.yanked for file in release.files)
    if has_offered and (right := release.expected_latest) is not None:
        yield make_latest(release, right)


def make_latest(release: Release, tag: str) -> Step:
    """Make a GitHub Release the latest one. Whether another version has one was not looked up: see first."""
    is_own = tag == release.target.tag
    newer = release.target.parse_tag(tag)
    return step(
        f"Make {tag} the latest release",
        *([] if is_own else [gh(release, "release", "view", tag)]),
        gh(release, "release", "edit", tag, "--latest"),
        mends="release",
        reason="GitHub and the index show different latest versions",
        precondition="" if is_own else f"the first command shows it; if there is none, check {newer} first",
    )


def delete(release: Release, found: GitHubRelease, reason: str = "it announces what is being withdrawn") -> list[Step]:
    """Delete a GitHub Release or draft and keep its tag; never an immutable one, or one that another channel needs.

    Waits for unfinished runs first. Raises NotObserved if the runs or the other channels are unknown.
    """
    if not found.draft and found.immutable is not False:
        return [keep_immutable(release, found)]
    if release.unfinished_runs:
        return end_or_wait(release)
    mends: Mends = "draft" if found.draft else "release"
    kind = "draft" if found.draft else "GitHub Release"
    if others := release.find_holders("release"):
        return [leave_to_others(release, f"the {kind} {found.tag}", others, mends)]
    download = [_download(release, found, kind)] if found.assets else []
    note = ", and its assets were downloaded before" if download else ""
    return [
        *download,
        step(
            f"Print, then delete the {kind} {found.tag}; its tag stays",
            gh_api(release, f"releases/{found.id}"),
            gh_api(release, f"releases/{found.id}", "--method", "DELETE"),
            mends=mends,
            reason=reason,
            precondition="the first command prints the right one, and it is not immutable"
            + describe_siblings(release, found.tag),
            destroys=f"the {kind} {found.tag} with its notes and assets",
            saves=f"the first command prints it; keep that output{note}",
            link=found.html_url,
        ),
    ]


def handle_other_spelling(release: Release, found: GitHubRelease) -> Step:
    """The step for a GitHub Release or draft of another spelling of the tag, which this plan never deletes.

    Raises NotObserved if it is unknown whether another channel needs it.
    """
    mends: Mends = "draft" if found.draft else "release"
    if found.immutable and not found.draft:
        return keep_immutable(release, found)
    if others := release.find_holders("release"):
        return leave_to_others(release, f"what is released under {found.tag}", others, mends)
    return withdraw_other_spelling(release, found.tag, mends=mends, link=found.html_url)


def look_at(draft: GitHubRelease) -> Step:
    """Look at a draft of another spelling of the tag."""
    return step(
        f"Open the draft of {draft.tag}, and delete it there if nobody needs it",
        mends="draft",
        reason=f"publishing it would create a second GitHub Release of this version, and the tag {draft.tag}",
        link=draft.html_url,
    )


def _download(release: Release, found: GitHubRelease, kind: str) -> Step:
    """Download the assets of a release, which are deleted with it."""
    folder, assets = f"{release.target.name}-{release.version}-assets", format_count(found.assets or 0, "asset")
    commands = [gh(release, "release", "download", found.tag, "--dir", folder), ["ls", "-l", folder]]
    if found.draft and not (release.snapshot.release.is_known and release.github_release is None):
        commands = []  # by the tag, gh would download those of the published release
    return step(
        f"Download the {assets} of the {kind} {found.tag} into an empty folder that you keep",
        *commands,
        mends="draft" if found.draft else "release",
        in_empty_folder=True,
        reason="they are deleted with the release, for good",
        link=found.html_url,
    )


def keep_immutable(release: Release, found: GitHubRelease) -> Step:
    """Keep a GitHub Release that may be immutable, and note in it what became of the version."""
    if found.immutable:
        return step(
            f"Note in the GitHub Release {found.tag} that {release.version} is withdrawn; the release stays",
            mends="release",
            reason="it is immutable: deleting it would block its tag name forever; its notes can be changed",
            link=found.html_url,
            advice=True,
        )
    return step(
        f"Check whether the GitHub Release {found.tag} is immutable; if not, delete it there and keep its tag",
        mends="release",
        reason="the server does not say; deleting an immutable one blocks its tag name forever",
        link=found.html_url,
    )
