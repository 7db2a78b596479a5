"""What of a release can never be put right, and what stands in its way (pure): for diagnosis, plan and checks.

Every function raises NotObserved where a fact that the answer hangs on could not be observed.
"""

from __future__ import annotations

from packaging.version import Version

from release_state.origin import holds_tag_for_ever, is_bound, is_misplaced, origin
from release_state.release import Release
from release_state.release.index import UPLOADS_AFTER_THE_FIRST
from release_state.snapshot import IndexFile
from release_state.target import parse_version


def sdist_for_wheel(release: Release) -> IndexFile | None:
    """The published sdist, where a wheel is all that is missing: it is what the wheel has to be built from."""
    if set(release.missing_kinds) != {"wheel"}:
        return None
    sdists = [file for file in release.files if file.kind == "sdist"]
    return min(sdists, key=lambda file: (not file.filename.endswith(".tar.gz"), file.filename), default=None)


def source_of_missing(release: Release) -> str | None:
    """The tag that missing files can be built from, once the plan's own tag is there; None: nothing says.

    A channel without tags has its release branch instead.
    """
    target = release.target
    if "tag" not in release.channel.leaves:
        branch = release.branch
        return target.release_branch if branch and _declares(release, branch.sha) else None
    if release.tag is not None and not is_misplaced(release):
        return target.tag if not release.builds_another_version(release.tag) else None
    found = origin(release)
    return target.tag if found is not None and release.declares(found) else None


def _declares(release: Release, sha: str) -> bool:
    return parse_version(release.lineage(sha).declared_version or "") == release.version


def dead_end(release: Release) -> str:
    """Why a published version can never be completed; empty where it can."""
    target = release.target
    if release.catching_up:
        return ""  # what is on its way can neither be compared yet nor be called missing
    if release.tag is not None and is_misplaced(release):
        where = f"{target.tag} is on {release.tag.commit[:12]}, a commit of another version"
        if holds_tag_for_ever(release):
            return f"{where}, and stays there: its GitHub Release cannot be changed"
        if origin(release) is None:
            return f"{where}, and no commit is known that the published files were built from"
    missing = release.missing_kinds
    if closed_to_files(release):
        return ""  # it is what it is, and stays offered
    if release.is_published and missing and sdist_for_wheel(release) is None and source_of_missing(release) is None:
        return f"missing: {', '.join(missing)}, and nothing is known that they could be built from"
    return ""


def closed_to_files(release: Release) -> str:
    """Why the index takes no further file of a version that lacks some; empty where it may, or where none is missing.

    What is published stays; what is missing of it can come with the next version alone.
    """
    until, missing = release.takes_files_until, release.missing_kinds
    if until is None or not missing or release.snapshot.observed_at <= until:
        return ""
    days = UPLOADS_AFTER_THE_FIRST.days
    return (
        f"missing: {', '.join(missing)}, and {release.channel.name} takes no new file of a version whose first file is "
        f"older than {days} days; that was over at {until:%Y-%m-%d %H:%M} UTC"
    )


def is_burnt(release: Release) -> bool:
    """Whether a version that was never published never can be: its tag stays on a commit of another version."""
    tag = release.tag
    if release.is_published or tag is None or not release.builds_another_version(tag):
        return False
    return is_bound(release)


def superseded_by(release: Release) -> Version | None:
    """The newer version of the same line that took the place of one that was never published; None: none did.

    Only where an immutable GitHub Release keeps the name: any other version's traces can be withdrawn, or completed.
    """
    if release.is_published:
        return None
    offered = (Version(found.version) for found in release.project.releases if not found.yanked)
    newer = max((version for version in offered if release.is_newer_of_line(version)), default=None)
    if newer is None or release.github_release is None or not release.github_release.immutable:
        return None
    return newer
