"""Where a release comes from and where it is stuck: the commit to tag, and dead ends (pure).

Every function raises NotObserved if its result depends on an unavailable fact.
"""

from __future__ import annotations

from msgspec import Struct
from packaging.version import Version

from release_state.facts.index import UPLOADS_AFTER_THE_FIRST
from release_state.facts.release import Release
from release_state.model.snapshot import Candidate, IndexFile, Tag
from release_state.model.target import parse_version, read_version


def find_sdist_for_wheel(release: Release) -> IndexFile | None:
    """The published sdist to build from, if only a wheel is missing."""
    sdists = [file for file in release.files if file.kind == "sdist" and set(release.missing_kinds) == {"wheel"}]
    return min(sdists, key=lambda file: (not file.filename.endswith(".tar.gz"), file.filename), default=None)


def find_ref_to_build(release: Release) -> str | None:
    """The tag to build missing files from, after the plan; on a channel without tags, the branch; None if unknown."""
    target = release.target
    if "tag" not in release.channel.leaves:
        declared = release.lineage(release.branch.sha).declared_version if release.branch else None
        return target.release_branch if parse_version(declared or "") == release.version else None
    if release.tag is not None and not is_misplaced(release):
        is_source = not release.builds_another_version(release.tag) and not release.is_tag_foreign
        return target.tag if is_source else None
    best = None if holds_tag_forever(release) else find_best_match(release)
    return target.tag if best is not None and release.declares(best) else None


def explain_dead_end(release: Release) -> str:
    """Why a published version cannot be completed; empty if it can."""
    target = release.target
    if release.catching_up:
        return ""  # files on their way can neither be compared nor called missing
    if release.tag is not None and is_misplaced(release):
        where = f"{target.tag} is on {release.tag.commit[:12]}, {explain_misplaced(release)}"
        if holds_tag_forever(release):
            return f"{where}, and stays there: its GitHub Release cannot be changed"
        if find_best_match(release) is None:
            return f"{where}, and no known commit matches the published files"
    missing = release.missing_kinds
    if not missing or not release.is_published or explain_closed(release) or release.needs_many_machines:
        return ""
    if release.is_tag_foreign:
        return ""  # nobody knows yet which commit is the source
    has_source = find_sdist_for_wheel(release) is not None or find_ref_to_build(release) is not None
    return "" if has_source else f"missing: {', '.join(missing)}, and there is no known source to build them from"


def explain_closed(release: Release) -> str:
    """Why the index accepts no more files of an incomplete version; empty if it may."""
    until, missing = release.accepts_files_until, release.missing
    if until is None or not missing or release.snapshot.observed_at <= until:
        return ""
    days = UPLOADS_AFTER_THE_FIRST.days
    return (
        f"missing: {', '.join(missing)}, and {release.channel.name} takes no new file of a version whose first file is "
        f"older than {days} days; that was over at {until:%Y-%m-%d %H:%M} UTC"
    )


def find_declared_instead(release: Release) -> tuple[Tag, Version] | None:
    """The tag of an unpublished version, and the untagged published version that its commit declares; None: no such.

    Whether that version was published from this commit, its files decide.
    """
    tag = release.tag
    if tag is None or release.is_published or release.catching_up or not release.builds_another_version(tag):
        return None
    if release.tag_owners:
        return None
    declared = parse_version(release.lineage(tag.commit).declared_version or "")
    is_tagged = any(release.target.parse_tag(each.name) == declared for each in release.remote.tags)
    is_there = any(read_version(each.version) == declared for each in release.project.releases)
    return (tag, declared) if declared is not None and is_there and not is_tagged else None


def is_burnt(release: Release) -> bool:
    """Whether an unpublished version cannot be published: its tag stays on a commit of another version."""
    tag = release.tag
    is_wrong = not release.is_published and tag is not None and release.builds_another_version(tag)
    return is_wrong and is_bound(release)


def find_successor(release: Release) -> Version | None:
    """The newer version of the line that replaced an unpublished one with an immutable GitHub Release; None if none."""
    if release.is_published:
        return None
    offered = (read_version(each.version) for each in release.project.releases if not each.yanked)
    newer = max((version for version in offered if release.is_newer_of_line(version)), default=None)
    return newer if newer and release.github_release and release.github_release.immutable else None


def find_replacement(release: Release) -> Version | None:
    """The version that replaced one whose files are all yanked: newer, of its line or released later; None if none."""
    if not release.all_yanked:
        return None
    first = min((file.uploaded_at for file in release.files if file.uploaded_at), default=None)
    newer = [
        version
        for each in release.project.releases
        if not each.yanked and (version := read_version(each.version)) > release.version
        if release.version.is_prerelease or not version.is_prerelease
        if release.is_newer_of_line(version) or (first and each.uploaded_at and each.uploaded_at > first)
    ]
    return max(newer, default=None)


def is_misplaced(release: Release) -> bool:
    """Whether a published version's tag is on a commit that builds another version, or holds none of its files.

    Not if no commit matches the files better: the process may write the version without committing it. A tag that holds
    none of the files is left alone until a commit is known that holds all of them.
    """
    tag = release.tag
    if tag is None or not release.is_published or "tag" not in release.channel.leaves or release.catching_up:
        return False
    if release.is_tag_foreign:
        return any(release.holds_files(candidate) for candidate in release.published_from)
    if not release.builds_another_version(tag):
        return False
    release.snapshot.published.known()
    return not release.is_tag_best_match


def explain_misplaced(release: Release) -> str:
    """What the commit of a misplaced tag is instead of the published one."""
    return "a commit with none of the published files" if release.is_tag_foreign else "a commit of another version"


def find_best_match(release: Release) -> Candidate | None:
    """The commit that best matches the published files, if any; with the version and on the base branch if possible."""
    return next(iter(release.published_from), None) if release.is_published else None


def holds_tag_forever(release: Release) -> bool:
    """Whether a GitHub Release keeps the tag from being moved or deleted: it is immutable, or may be."""
    return release.github_release is not None and release.github_release.immutable is not False


def is_bound(release: Release) -> bool:
    """Whether the tag must stay: an immutable GitHub Release holds it, or another channel needs it."""
    return holds_tag_forever(release) or bool(release.find_holders("tag"))


class ReleasedCommit(Struct, frozen=True):
    """A commit to tag or with a tag, and the remote ref to fetch it by (or its hash)."""

    sha: str
    ref: str
    what: str
    on_base: bool | None = None
    """None if not looked up."""

    @classmethod
    def from_candidate(cls, candidate: Candidate) -> ReleasedCommit:
        """A commit that was compared with the published files."""
        return cls(candidate.sha, candidate.ref or candidate.sha, candidate.what, candidate.on_base)


def find_commit_to_tag(release: Release) -> ReleasedCommit | None:
    """The commit that the plan tags without a right tag: by the published files, else by refs; None if unknown."""
    if best := find_best_match(release):
        return ReleasedCommit.from_candidate(best)
    candidates = _list_ref_commits(release)
    return candidates[0] if len(candidates) == 1 else None


def find_commit_tagged_after(release: Release) -> ReleasedCommit | None:
    """The commit that the tag will point to after the plan; None if unknown."""
    tag, local = release.tag, release.local_tag if release.snapshot.clone.is_known else None
    if tag is not None and (not (is_misplaced(release) or release.is_tag_foreign) or is_bound(release)):
        return ReleasedCommit(tag.commit, f"refs/tags/{tag.name}", "the tag")
    if tag is None and local is not None and is_pushed(release, local):
        return _find_compared(release, local) or ReleasedCommit(local.commit, local.commit, "the clone's tag")
    return find_commit_to_tag(release)


def is_pushed(release: Release, local: Tag) -> bool:
    """Whether the plan pushes the clone's tag: not if the published files match another commit."""
    matches = release.published_from if release.is_published else ()
    if release.is_published and release.is_foreign(local.commit):
        return False
    if not matches or any(candidate.sha == local.commit for candidate in matches):
        return True
    return _find_compared(release, local) is None and not release.holds_published(matches[0])


def _find_compared(release: Release, local: Tag) -> ReleasedCommit | None:
    candidates = release.published.candidates if release.published else ()
    return next((ReleasedCommit.from_candidate(each) for each in candidates if each.sha == local.commit), None)


def _list_ref_commits(release: Release) -> list[ReleasedCommit]:
    """The commits of the release's remaining refs, from which the published files may have been built."""
    commits = [
        ReleasedCommit(tag.commit, f"refs/tags/{tag.name}", f"which {tag.name} tags already")
        for tag in reversed(release.other_tags_exactly)
    ]
    if branch := release.branch:
        commits.append(ReleasedCommit(branch.sha, f"refs/heads/{branch.name}", f"the head of {branch.name}"))
    for pull in release.pulls:
        if pull.merged:
            what = f"the recorded head of pull request #{pull.number}"
            commits.append(ReleasedCommit(pull.head_sha, f"refs/pull/{pull.number}/head", what))
    commits = [commit for commit in commits if not release.is_foreign(commit.sha)]
    return list({commit.sha: commit for commit in reversed(commits)}.values())


def is_on_base(release: Release, released: ReleasedCommit) -> bool:
    """Whether the base branch has the released commit, so that GitHub refuses a pull request."""
    if released.on_base is not None:
        return released.on_base
    return released.sha == release.base_head or not release.lineage(released.sha).ahead


def find_on_base(release: Release) -> Candidate | None:
    """The base branch's commit that declares the version and best matches the published files."""
    published = release.snapshot.published.value
    candidates = published.candidates if published else ()
    return next((each for each in candidates if each.on_base and release.declares(each)), None)


_METADATA = frozenset({"pyproject.toml", "setup.cfg", "setup.py"})


def find_squashed(release: Release, released: ReleasedCommit) -> Candidate | None:
    """The base branch's commit of this version with the same content, as after a squash merge; None if unknown.

    Only metadata and the changelog may differ from the published files of the released commit.
    """
    published, other = release.snapshot.published.value, find_on_base(release)
    if published is None or other is None or other.absent_count:
        return None
    if not any(each.sha == released.sha and release.holds_published(each) for each in published.candidates):
        return None
    may_differ = _METADATA | {release.target.changelog}
    return other if not other.more_differing and set(other.differing) <= may_differ else None


def needs_no_pull(release: Release, released: ReleasedCommit) -> bool:
    """Whether no pull request is due: the base has the released commit, as is or squashed, or another line has it."""
    if is_on_base(release, released) or find_squashed(release, released) is not None:
        return True
    return is_on_line(release, released.sha)


def is_on_line(release: Release, sha: str) -> bool:
    """Whether the tag is on this commit, and a maintenance line or another long-lived branch has it."""
    return release.tag is not None and release.tag.commit == sha and release.find_line(sha) is not None


def is_branch_leftover(release: Release) -> bool:
    """Whether the release branch is done with: its pull request is merged, or none is needed."""
    if release.branch is None:
        return False
    if release.pull is not None:
        return release.pull.merged
    if not release.is_published or release.open_pulls:
        return False
    released = find_commit_tagged_after(release)
    return release.tag is not None and released is not None and needs_no_pull(release, released)
