"""Where a release comes from and where it is stuck: the commit to tag, and dead ends (pure).

Every function raises NotObserved if its answer depends on an unavailable fact.
"""

from __future__ import annotations

from dataclasses import dataclass

from packaging.version import Version

from release_state.facts.index import UPLOADS_AFTER_THE_FIRST
from release_state.facts.release import Release
from release_state.model.snapshot import Candidate, IndexFile, Tag
from release_state.model.target import parse_version


def find_sdist_for_wheel(release: Release) -> IndexFile | None:
    """The published sdist, if only a wheel is missing: the wheel must be built from it."""
    if set(release.missing_kinds) != {"wheel"}:
        return None
    sdists = [file for file in release.files if file.kind == "sdist"]
    return min(sdists, key=lambda file: (not file.filename.endswith(".tar.gz"), file.filename), default=None)


def find_ref_to_build(release: Release) -> str | None:
    """The tag to build missing files from, once the plan has created it; None if unknown.

    On a channel without tags it is the release branch.
    """
    target = release.target
    if "tag" not in release.channel.leaves:
        branch = release.branch
        return target.release_branch if branch and _declares(release, branch.sha) else None
    if release.tag is not None and not is_misplaced(release):
        return target.tag if not release.builds_another_version(release.tag) else None
    found = find_best_match(release)
    return target.tag if found is not None and release.declares(found) else None


def _declares(release: Release, sha: str) -> bool:
    return parse_version(release.lineage(sha).declared_version or "") == release.version


def explain_dead_end(release: Release) -> str:
    """Why a published version cannot be completed; empty if it can."""
    target = release.target
    if release.catching_up:
        return ""  # what is on its way can neither be compared yet nor be called missing
    if release.tag is not None and is_misplaced(release):
        where = f"{target.tag} is on {release.tag.commit[:12]}, a commit of another version"
        if holds_tag_forever(release):
            return f"{where}, and stays there: its GitHub Release cannot be changed"
        if find_best_match(release) is None:
            return f"{where}, and no commit is known that the published files were built from"
    missing = release.missing_kinds
    if explain_closed(release):
        return ""  # it is what it is, and stays offered
    if (
        release.is_published
        and missing
        and find_sdist_for_wheel(release) is None
        and find_ref_to_build(release) is None
    ):
        return f"missing: {', '.join(missing)}, and there is no known source to build them from"
    return ""


def explain_closed(release: Release) -> str:
    """Why the index accepts no more files of an incomplete version; empty if it may, or if none is missing.

    Published files stay; the missing ones can come only with the next version.
    """
    until, missing = release.accepts_files_until, release.missing_kinds
    if until is None or not missing or release.snapshot.observed_at <= until:
        return ""
    days = UPLOADS_AFTER_THE_FIRST.days
    return (
        f"missing: {', '.join(missing)}, and {release.channel.name} takes no new file of a version whose first file is "
        f"older than {days} days; that was over at {until:%Y-%m-%d %H:%M} UTC"
    )


def is_burnt(release: Release) -> bool:
    """Whether an unpublished version cannot be published: its tag stays on a commit of another version."""
    tag = release.tag
    if release.is_published or tag is None or not release.builds_another_version(tag):
        return False
    return is_bound(release)


def find_successor(release: Release) -> Version | None:
    """The newer version of the same line that replaced an unpublished one; None if there is none.

    Only if an immutable GitHub Release keeps the name: otherwise the version can be withdrawn or completed.
    """
    if release.is_published:
        return None
    offered = (Version(found.version) for found in release.project.releases if not found.yanked)
    newer = max((version for version in offered if release.is_newer_of_line(version)), default=None)
    if newer is None or release.github_release is None or not release.github_release.immutable:
        return None
    return newer


def is_misplaced(release: Release) -> bool:
    """Whether a published version's tag is on a commit that builds another version.

    A commit that declares another version is still right if the process writes the version without
    committing it: then no commit matches the published files better.
    """
    tag = release.tag
    if tag is None or not release.is_published or "tag" not in release.channel.leaves:
        return False
    if release.catching_up or not release.builds_another_version(tag):
        return False
    release.snapshot.published.known()
    return not release.is_tag_best_match


def find_best_match(release: Release) -> Candidate | None:
    """The commit that best matches the published files; None if no commit does.

    Among equal matches, the first that declares the version and is on the base branch.
    """
    return next(iter(release.published_from), None) if release.is_published else None


def holds_tag_forever(release: Release) -> bool:
    """Whether the tag can be neither deleted nor moved: an immutable GitHub Release holds it.

    Counts as immutable if the server does not say.
    """
    found = release.github_release
    return found is not None and found.immutable is not False


def is_bound(release: Release) -> bool:
    """Whether the tag must stay: an immutable GitHub Release holds it, or another channel needs it."""
    return holds_tag_forever(release) or bool(release.find_dependents("tag"))


@dataclass(frozen=True)
class ReleasedCommit:
    """A commit to tag, or that is tagged."""

    sha: str
    ref: str
    """The remote ref to fetch it by, or its hash."""
    what: str
    on_base: bool | None = None
    """None if not looked up."""


def find_commit_to_tag(release: Release) -> ReleasedCommit | None:
    """The commit that the plan tags if the remote has no right tag: by the published files, else by refs.

    None if neither shows it. Raises NotObserved if the published files could not be compared.
    """
    if chosen := find_best_match(release):
        return ReleasedCommit(chosen.sha, chosen.ref or chosen.sha, chosen.what, chosen.on_base)
    candidates = _left_by_refs(release)
    return candidates[0] if len(candidates) == 1 else None


def find_commit_tagged_after(release: Release) -> ReleasedCommit | None:
    """The commit that the tag will point to after the plan; None if unknown.

    Raises NotObserved if that depends on an unavailable fact.
    """
    tag, local = release.tag, release.local_tag if release.snapshot.clone.is_known else None
    if tag is not None and (not is_misplaced(release) or is_bound(release)):
        return ReleasedCommit(tag.commit, f"refs/tags/{tag.name}", "the tag")
    if tag is None and local is not None and is_pushed(release, local):
        return _compared(release, local) or ReleasedCommit(local.commit, local.commit, "the clone's tag")
    return find_commit_to_tag(release)


def is_pushed(release: Release, local: Tag) -> bool:
    """Whether the plan pushes a tag that only the clone has: unless the published files match another commit."""
    found = release.published_from if release.is_published else ()
    if not found or any(candidate.sha == local.commit for candidate in found):
        return True
    return _compared(release, local) is None and not release.holds_published(found[0])


def _compared(release: Release, local: Tag) -> ReleasedCommit | None:
    candidates = release.published.candidates if release.published else ()
    same = (candidate for candidate in candidates if candidate.sha == local.commit)
    return next((ReleasedCommit(c.sha, c.ref or c.sha, c.what, c.on_base) for c in same), None)


def _left_by_refs(release: Release) -> list[ReleasedCommit]:
    """Commits that the published files may have been built from, by the release's remaining refs."""
    found = {
        tag.commit: ReleasedCommit(tag.commit, f"refs/tags/{tag.name}", f"which {tag.name} tags already")
        for tag in release.other_tags_exactly
    }
    if branch := release.branch:
        where = ReleasedCommit(branch.sha, f"refs/heads/{branch.name}", f"the head of {branch.name}")
        found.setdefault(branch.sha, where)
    for pull in release.pulls:
        if pull.merged:
            ref = f"refs/pull/{pull.number}/head"
            where = ReleasedCommit(pull.head_sha, ref, f"the recorded head of pull request #{pull.number}")
            found.setdefault(pull.head_sha, where)
    return list(found.values())


def is_on_base(release: Release, released: ReleasedCommit) -> bool:
    """Whether the base branch has the released commit: then GitHub refuses a pull request without commits."""
    if released.on_base is not None:
        return released.on_base
    return released.sha == release.base_head or not release.lineage(released.sha).ahead


def find_on_base(release: Release) -> Candidate | None:
    """The base branch's commit that declares the version and best matches the published files."""
    found = release.snapshot.published.value
    declaring = (c for c in (found.candidates if found else ()) if c.on_base and release.declares(c))
    return next(declaring, None)


_METADATA = frozenset({"pyproject.toml", "setup.cfg", "setup.py"})


def find_squashed(release: Release, released: ReleasedCommit) -> Candidate | None:
    """The base branch's commit with the same content as a released commit, as after a squash merge.

    It declares the version, and of what was published from the released commit only metadata or the changelog differ.
    None where no such commit is known: then a pull request has something to bring.
    """
    found, other = release.snapshot.published.value, find_on_base(release)
    if found is None or other is None or other.absent:
        return None
    if not any(c.sha == released.sha and release.holds_published(c) for c in found.candidates):
        return None
    return other if set(other.differing) <= _METADATA | {release.target.changelog} else None


def needs_no_pull(release: Release, released: ReleasedCommit) -> bool:
    """Whether a pull request would be empty: the base branch has the released commit, as is or squashed."""
    return is_on_base(release, released) or find_squashed(release, released) is not None


def is_branch_leftover(release: Release) -> bool:
    """Whether the release branch is no longer needed: its pull request is merged, or none is expected."""
    if release.branch is None:
        return False
    if release.pull is not None:
        return release.pull.merged
    if not release.is_published or release.open_pulls:
        return False
    released = find_commit_tagged_after(release)
    return release.tag is not None and released is not None and needs_no_pull(release, released)
