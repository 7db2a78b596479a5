"""What of a release can never be put right, and what stands in its way (pure): for diagnosis, plan and checks.

Every function raises NotObserved where a fact that the answer hangs on could not be observed.
"""

from __future__ import annotations

from dataclasses import dataclass

from packaging.version import Version

from release_state.facts.index import UPLOADS_AFTER_THE_FIRST
from release_state.facts.release import Release
from release_state.model.snapshot import Candidate, IndexFile, Tag
from release_state.model.target import parse_version


def find_sdist_for_wheel(release: Release) -> IndexFile | None:
    """The published sdist, where a wheel is all that is missing: it is what the wheel has to be built from."""
    if set(release.missing_kinds) != {"wheel"}:
        return None
    sdists = [file for file in release.files if file.kind == "sdist"]
    return min(sdists, key=lambda file: (not file.filename.endswith(".tar.gz"), file.filename), default=None)


def find_ref_to_build(release: Release) -> str | None:
    """The tag that missing files can be built from, once the plan's own tag is there; None: nothing says.

    A channel without tags has its release branch instead.
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
    """Why a published version can never be completed; empty where it can."""
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
    """Why the index takes no further file of a version that lacks some; empty where it may, or where none is missing.

    What is published stays; what is missing of it can come with the next version alone.
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
    """Whether a version that was never published never can be: its tag stays on a commit of another version."""
    tag = release.tag
    if release.is_published or tag is None or not release.builds_another_version(tag):
        return False
    return is_bound(release)


def find_successor(release: Release) -> Version | None:
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


def is_misplaced(release: Release) -> bool:
    """Whether the tag of a published version is on a commit that another version was built from.

    A commit that declares another version is still the right one where the process writes the version without
    committing it: then the published files fit no commit better.
    """
    tag = release.tag
    if tag is None or not release.is_published or "tag" not in release.channel.leaves:
        return False
    if release.catching_up or not release.builds_another_version(tag):
        return False
    release.snapshot.published.known()
    return not release.is_tag_best_match


def find_best_match(release: Release) -> Candidate | None:
    """The commit that fits the published files best; None: no commit is known that does.

    Of several that fit alike, and hold the same files then, the first that declares the version and is on the base.
    """
    return next(iter(release.published_from), None) if release.is_published else None


def holds_tag_forever(release: Release) -> bool:
    """Whether the tag can neither go nor move: an immutable GitHub Release holds it.

    One of which the server does not say whether it is immutable is taken to be.
    """
    found = release.github_release
    return found is not None and found.immutable is not False


def is_bound(release: Release) -> bool:
    """Whether the tag stays where it is: an immutable GitHub Release holds it, or another channel rests on it."""
    return holds_tag_forever(release) or bool(release.find_dependents("tag"))


@dataclass(frozen=True)
class ReleasedCommit:
    """The commit that a tag is to name."""

    sha: str
    ref: str
    """A ref of the remote to fetch it by, or the hash itself."""
    what: str
    on_base: bool | None = None
    """None: that was not looked at."""


def find_commit_to_tag(release: Release) -> ReleasedCommit | None:
    """The commit that the plan tags where the remote has no right tag: by the files that were published, else by refs.

    None where neither tells. Raises NotObserved where the published files could not be compared.
    """
    if chosen := find_best_match(release):
        return ReleasedCommit(chosen.sha, chosen.ref or chosen.sha, chosen.what, chosen.on_base)
    candidates = _left_by_refs(release)
    return candidates[0] if len(candidates) == 1 else None


def find_commit_tagged_after(release: Release) -> ReleasedCommit | None:
    """The commit that the remote's tag names once the plan is followed; None where nothing tells.

    Raises NotObserved where that hangs on what could not be observed.
    """
    tag, local = release.tag, release.local_tag if release.snapshot.clone.is_known else None
    if tag is not None and (not is_misplaced(release) or is_bound(release)):
        return ReleasedCommit(tag.commit, f"refs/tags/{tag.name}", "the tag")
    if tag is None and local is not None and is_pushed(release, local):
        return _compared(release, local) or ReleasedCommit(local.commit, local.commit, "the clone's tag")
    return find_commit_to_tag(release)


def is_pushed(release: Release, local: Tag) -> bool:
    """Whether the plan pushes the tag that the clone alone has: unless the published files fit another commit."""
    found = release.published_from if release.is_published else ()
    if not found or any(candidate.sha == local.commit for candidate in found):
        return True
    return _compared(release, local) is None and not release.holds_published(found[0])


def _compared(release: Release, local: Tag) -> ReleasedCommit | None:
    candidates = release.published.candidates if release.published else ()
    same = (candidate for candidate in candidates if candidate.sha == local.commit)
    return next((ReleasedCommit(c.sha, c.ref or c.sha, c.what, c.on_base) for c in same), None)


def _left_by_refs(release: Release) -> list[ReleasedCommit]:
    """Commits that the published files may have been built from, by the refs that the release left."""
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
    """Whether the base branch has a released commit: GitHub then refuses a pull request for lack of commits."""
    if released.on_base is not None:
        return released.on_base
    return released.sha == release.base_head or not release.lineage(released.sha).ahead


def find_on_base(release: Release) -> Candidate | None:
    """The commit of the base branch that declares the version and comes closest to what was published."""
    found = release.snapshot.published.value
    declaring = (c for c in (found.candidates if found else ()) if c.on_base and release.declares(c))
    return next(declaring, None)


_METADATA = frozenset({"pyproject.toml", "setup.cfg", "setup.py"})


def find_squashed(release: Release, released: ReleasedCommit) -> Candidate | None:
    """The commit of the base branch that has all of a released commit in another form, as after a squash merge.

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
    """Whether a pull request has nothing to bring: the base branch has the released commit, or all of it, squashed."""
    return is_on_base(release, released) or find_squashed(release, released) is not None


def is_branch_leftover(release: Release) -> bool:
    """Whether nothing is to come of the release branch any more: its pull request is merged, or none is expected."""
    if release.branch is None:
        return False
    if release.pull is not None:
        return release.pull.merged
    if not release.is_published or release.open_pulls:
        return False
    released = find_commit_tagged_after(release)
    return release.tag is not None and released is not None and needs_no_pull(release, released)
