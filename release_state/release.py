"""The facts of one release, worked out from its snapshot: what checks, diagnosis and plan share (pure).

Every property gives a plain value and raises NotObserved where a fact that it rests on could not be observed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from packaging.version import Version

from release_state.model import NotObserved, Problem
from release_state.snapshot import (
    Branch,
    Candidate,
    Clone,
    CommitChecks,
    GitHubRelease,
    IndexFile,
    IndexProject,
    Lineage,
    Published,
    PullRequest,
    Remote,
    Snapshot,
    Tag,
    WorkflowRun,
)
from release_state.target import Channel, ReleaseBranchName, Target, parse_version


@dataclass(frozen=True)
class OtherBranch:
    """A release branch of another version or channel, and what it is."""

    branch: Branch
    parsed: ReleaseBranchName
    state: str
    """"in use", "unfinished", "left over" or "orphaned"."""
    reason: str


class Release:
    """One version on one channel, as observed."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.target: Target = snapshot.target
        self.channel: Channel = snapshot.target.channel
        self.version: Version = snapshot.target.parsed_version

    # --- git ---------------------------------------------------------------------------------------------------

    @cached_property
    def remote(self) -> Remote:
        """The remote's refs."""
        return self.snapshot.remote.present()

    @cached_property
    def base_branch(self) -> str:
        """The branch that releases are merged into: the configured one, else the remote's default branch."""
        if name := self.target.base_branch or self.remote.default_branch:
            return name
        problem = Problem(source="git remote", why="the remote names no default branch", remedy="give --base-branch")
        raise NotObserved(problem)

    @cached_property
    def base_head(self) -> str:
        """The commit at the head of the base branch on the remote."""
        if branch := self.remote.branch(self.base_branch):
            return branch.sha
        problem = Problem(
            source="git remote",
            why=f"the remote has no branch {self.base_branch}",
            remedy="name the branch that releases start from with --base-branch",
        )
        raise NotObserved(problem)

    @cached_property
    def branch(self) -> Branch | None:
        """The release branch of this version and channel on the remote."""
        return self.remote.branch(self.target.release_branch)

    @cached_property
    def other_branches(self) -> tuple[OtherBranch, ...]:
        """Every other branch of the remote that parses as a release branch, and what it is."""
        others = []
        for branch in self.remote.branches:
            parsed = self.target.parse_release_branch(branch.name)
            if parsed and branch.name != self.target.release_branch:
                others.append(OtherBranch(branch, parsed, *self._state_of(branch, parsed)))
        return tuple(others)

    def _state_of(self, branch: Branch, parsed: ReleaseBranchName) -> tuple[str, str]:
        open_pulls = [pull for pull in self.snapshot.open_pulls.present() if pull.head_branch == branch.name]
        if open_pulls:
            return "in use", f"pull request #{open_pulls[0].number} is open for it"
        if self.unfinished_runs:
            return "in use", f"release run #{self.unfinished_runs[0].number} is unfinished and may be working on it"
        merged = [pull for pull in self.pulls_of(branch.name) if pull.merged]
        if any(pull.head_sha == branch.sha for pull in merged):
            return "left over", f"pull request #{merged[0].number} was merged with this very head"
        if not merged:
            version, channel = Version(parsed.version), self.target.channel_named(parsed.channel)
            if any(Version(found.version) == version for found in self.project_on(parsed.channel).releases):
                return "unfinished", f"{parsed.version} is on {parsed.channel}, and no pull request of it was merged"
            if channel and "tag" in channel.leaves and self._tags_equal_to(version):
                return "unfinished", f"{parsed.version} is tagged, and no pull request was merged"
        return "orphaned", "no pull request is open, no run is unfinished and its version is not released"

    def pulls_of(self, branch: str) -> tuple[PullRequest, ...]:
        """Every pull request, in any state, of a release branch that is not this version's."""
        observed = self.snapshot.branch_pulls.get(branch)
        if observed is None:
            raise NotObserved(Problem(source="GitHub", why=f"the pull requests of {branch} were not asked for"))
        return observed.present()

    @cached_property
    def tag(self) -> Tag | None:
        """The tag of this version on the remote, in the template's exact spelling."""
        return self.remote.tag(self.target.tag)

    @cached_property
    def other_tags(self) -> tuple[Tag, ...]:
        """Tags of the remote that equal the version by PEP 440 in another spelling; moving tags like `v9` too."""
        return tuple(tag for tag in self._tags_equal_to(self.version) if tag.name != self.target.tag)

    def _tags_equal_to(self, version: Version) -> tuple[Tag, ...]:
        return tuple(tag for tag in self.remote.tags if self.target.version_of_tag(tag.name) == version)

    @cached_property
    def clone(self) -> Clone | None:
        """The maintainer's clone, None where there is none to look at."""
        return self.snapshot.clone.known()

    @property
    def every_local_tag(self) -> tuple[Tag, ...]:
        """The tags of the clone; none where it could not be read or there is none: only what is there counts."""
        clone = self.snapshot.clone.value
        return clone.tags if clone else ()

    @cached_property
    def local_tags(self) -> tuple[Tag, ...]:
        """Tags of the clone that equal the version, the exact spelling first."""
        tags = self.clone.tags if self.clone else ()
        equal = [tag for tag in tags if self.target.version_of_tag(tag.name) == self.version]
        return tuple(sorted(equal, key=lambda tag: tag.name != self.target.tag))

    @cached_property
    def local_tag(self) -> Tag | None:
        """The clone's tag of this version in the exact spelling."""
        return next((tag for tag in self.local_tags if tag.name == self.target.tag), None)

    def lineage(self, sha: str) -> Lineage:
        """How a commit lies to the base branch."""
        return self.snapshot.history.present().lineage(sha)

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether one commit is an ancestor of or equal to the other."""
        return self.snapshot.history.present().is_ancestor(older, newer)

    # --- index -------------------------------------------------------------------------------------------------

    def project_on(self, channel: str) -> IndexProject:
        """The project's page on the index of a channel."""
        observed = self.snapshot.index.get(channel)
        if observed is None:
            raise NotObserved(Problem(source=f"index {channel}", why="not asked for in this run"))
        return observed.present()

    @cached_property
    def project(self) -> IndexProject:
        """The project's page on this channel's index."""
        return self.project_on(self.channel.name)

    @property
    def files(self) -> tuple[IndexFile, ...]:
        """The published files of this version, yanked ones too."""
        return self.project.files

    @property
    def catching_up(self) -> tuple[str, ...]:
        """Files of this version that are published and that the Simple API does not list yet."""
        return self.project.catching_up

    @property
    def is_published(self) -> bool:
        """Whether the index has a file of this version, yanked or not, listed by its Simple API already or not yet."""
        return bool(self.files or self.catching_up)

    @property
    def missing_kinds(self) -> tuple[str, ...]:
        """Which of the expected kinds of file are not published."""
        kinds = {file.kind for file in self.files}
        kinds |= {"wheel" if name.endswith(".whl") else "sdist" for name in self.catching_up}
        return tuple(kind for kind in self.target.expected_files if kind not in kinds)

    @property
    def all_yanked(self) -> bool:
        """Whether the version has files and every one is yanked."""
        return bool(self.files) and not self.catching_up and all(file.yanked for file in self.files)

    @cached_property
    def newest_final(self) -> Version | None:
        """The greatest final version of the index that is not yanked."""
        versions = (Version(found.version) for found in self.project.releases if not found.yanked)
        return max((version for version in versions if not version.is_prerelease), default=None)

    @cached_property
    def newest_of_line(self) -> Version | None:
        """The greatest version of the same major.minor line on the index, yanked ones too: they are used up."""
        versions = (Version(found.version) for found in self.project.releases)
        return max((version for version in versions if _line(version) == _line(self.version)), default=None)

    def is_newer_of_line(self, version: Version) -> bool:
        """Whether a version is greater than this one and of the same major.minor line."""
        return _line(version) == _line(self.version) and version > self.version

    # --- GitHub ------------------------------------------------------------------------------------------------

    @cached_property
    def pulls(self) -> tuple[PullRequest, ...]:
        """Every pull request of this version's release branch, in any state."""
        return self.snapshot.pulls.present()

    @property
    def open_pulls(self) -> tuple[PullRequest, ...]:
        """Those that can still be merged, whatever their base."""
        return tuple(pull for pull in self.pulls if pull.is_open)

    @cached_property
    def pull(self) -> PullRequest | None:
        """The release pull request: merged or open, with the right head and base; closed unmerged is none."""
        right = [pull for pull in self.pulls if pull.base_branch == self.base_branch and (pull.merged or pull.is_open)]
        return max(right, key=lambda pull: pull.number, default=None)  # of two runs, the later one's

    @property
    def any_pull(self) -> bool:
        """Whether a pull request is a trace of this release: the right one, or an open one into another base."""
        return bool(self.open_pulls or self.pull)

    @cached_property
    def github_release(self) -> GitHubRelease | None:
        """The published GitHub Release of the tag."""
        return self.snapshot.release.known()

    @cached_property
    def drafts(self) -> tuple[GitHubRelease, ...]:
        """Drafts for the tag."""
        return self.snapshot.drafts.present()

    @property
    def right_latest(self) -> str | None:
        """The tag that has to become GitHub's latest release; None where it is right, or cannot be told.

        It is the release of the greatest final version that is not yanked. An older version's own release is right
        as long as it is not the latest.
        """
        if not self.files:
            return None  # what the index will offer as the newest is not decided yet
        latest, newest = self.snapshot.latest_release.known(), self.newest_final
        version = self.target.version_of_tag(latest.tag) if latest else None
        if newest is None or (version == self.version) == (newest == self.version):
            return None
        if newest == self.version:
            return self.target.tag  # the index may spell it in another way
        remote = self.snapshot.remote.value
        named = [tag.name for tag in remote.tags if self.target.version_of_tag(tag.name) == newest] if remote else []
        exact = self.target.tag_for(str(newest))
        return exact if exact in named or not named else named[0]

    @property
    def tag_may_go(self) -> bool:
        """Whether nothing rests on the tag: no file, not even yanked, no immutable GitHub Release, no run at work."""
        found = self.github_release
        return not self.is_published and not self.unfinished_runs and (found is None or found.immutable is False)

    @cached_property
    def ci(self) -> CommitChecks:
        """CI of the base branch's head, without what runs of the release workflow left on it.

        Each of their jobs is a check run of that commit too; a failed release is no red CI.
        """
        checks = self.snapshot.ci.present()
        runs = self.snapshot.runs.value
        own = {run.id for run in runs.runs} if runs else set()
        results = tuple(result for result in checks.results if result.workflow_run not in own)
        nearest = tuple(result for result in checks.nearest_results if result.workflow_run not in own)
        left_out = tuple(result.name for result in checks.results if result.workflow_run in own)
        return checks.model_copy(
            update={
                "results": results,
                "nearest_results": nearest,
                "left_out": (*checks.left_out, *(f"{name} (release workflow)" for name in left_out)),
            }
        )

    @cached_property
    def unfinished_runs(self) -> tuple[WorkflowRun, ...]:
        """Runs of the release workflow that are not completed, on whatever channel."""
        return tuple(run for run in self.snapshot.runs.present().runs if not run.is_finished)

    # --- across sources ----------------------------------------------------------------------------------------

    @cached_property
    def published(self) -> Published | None:
        """What the files of the published sdist say about the commit that it was built from; None: nothing is."""
        return self.snapshot.published.known()

    @property
    def published_from(self) -> tuple[Candidate, ...]:
        """The commits that fit the published files best, all alike; those that declare the version and are on the base
        branch come first.

        None that fits less than half of them: any commit shares a licence or an empty file with any other.
        """
        found = self.published
        first = found.candidates[0] if found and found.candidates else None
        if found is None or first is None or 2 * first.equal <= found.compared:
            return ()
        alike = [candidate for candidate in found.candidates if _fit(candidate) == _fit(first)]
        return tuple(sorted(alike, key=lambda candidate: (not self.declares(candidate), not candidate.on_base)))

    @property
    def tag_fits_best(self) -> bool:
        """Whether the published files are known to fit no commit better than the tagged one."""
        if self.tag is None or not self.snapshot.published.is_known:
            return False
        return any(candidate.sha == self.tag.commit for candidate in self.published_from)

    def holds_published(self, candidate: Candidate) -> bool:
        """Whether a commit holds every published file that was compared, but for built ones, which no commit holds.

        A wheel does not hold the file that declares the version: there, the commit has to declare it as well.
        """
        found = self.published
        if found is None or 2 * candidate.equal <= found.compared or candidate.differing:
            return False
        if found.sdist is None and not self.declares(candidate):
            return False
        return all(set(candidate.absent) <= set(other.absent) for other in found.candidates)

    def declares(self, candidate: Candidate) -> bool:
        """Whether the tree of a commit declares this version."""
        declared = candidate.declared_version
        return declared is not None and parse_version(declared) == self.version

    def has_changelog_entry(self, text: str) -> bool:
        """Whether a line of a changelog is a heading of exactly this version: `## [0.2.0] - 2025-09-21`, `v0.2.0`."""
        headings = (line for line in text.splitlines() if re.match(r"\s*(#|=|\*\*|\[|v?\d)", line, re.IGNORECASE))
        words = (word.strip("[](){}:,#*=`") for line in headings for word in line.split()[:6])
        return any(parse_version(word) == self.version for word in words)

    def traces(self) -> dict[str, bool | None]:
        """Which traces of this version exist, as far as known: True, False, or None where it could not be observed."""
        traces: dict[str, bool | None] = {"branch": self._seen("branch"), "index": self._seen("is_published")}
        if "tag" in self.channel.leaves:
            traces["tag"] = self._seen("version_tags")
        if "release" in self.channel.leaves:
            traces["release"] = _either(self._seen("github_release"), self._seen("drafts"))
        if "pull-request" in self.channel.leaves:
            traces["pull-request"] = self._seen("any_pull")
        return traces

    @property
    def other_tags_exactly(self) -> tuple[Tag, ...]:
        """Other spellings that are no moving tag: they name as many release numbers as the version has."""
        parts = len(self.version.release)
        versions = ((tag, self.target.version_of_tag(tag.name)) for tag in self.other_tags)
        return tuple(tag for tag, version in versions if version and len(version.release) >= parts)

    @property
    def version_tags(self) -> tuple[Tag, ...]:
        """Every tag of the remote that names this version and is no moving one; the exact spelling first."""
        return (*filter(None, [self.tag]), *self.other_tags_exactly)

    def _seen(self, name: str) -> bool | None:
        try:
            return bool(getattr(self, name))
        except NotObserved:
            return None


def _fit(candidate: Candidate) -> tuple[int, int, int]:
    return candidate.equal, -len(candidate.differing), -len(candidate.absent)


def _line(version: Version) -> tuple[int, int, int]:
    return version.epoch, version.major, version.minor


def _either(*seen: bool | None) -> bool | None:
    return True if any(seen) else (None if None in seen else False)
