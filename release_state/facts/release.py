"""`Release`: the facts of one release, derived from its snapshot; here those of several sources (pure).

Every property returns a plain value, and raises NotObserved if a fact behind it was not observed.
"""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct

from release_state.facts.github import GitHubFacts
from release_state.facts.published import PublishedFacts
from release_state.facts.publishers import find_started
from release_state.model.observation import NotObserved
from release_state.model.snapshot import Branch
from release_state.model.target import ReleaseBranchName, read_version


class OtherBranch(Struct, frozen=True):
    """A release branch of another version or channel, and its state."""

    branch: Branch
    parsed: ReleaseBranchName
    state: str
    """"in use", "unfinished", "left over" or "orphaned"."""
    reason: str
    published_on: str | None = None
    """The channel that published its version, if that decides the state."""


class Release(GitHubFacts, PublishedFacts):
    """One version on one channel, as observed."""

    @cached_property
    def other_branches(self) -> tuple[OtherBranch, ...]:
        """The other release branches on the remote with their states, without lasting branches and release lines.

        On a channel that leaves nothing on GitHub, only that channel's branches.
        """
        return tuple(self._judge_branch(branch, parsed) for branch, parsed in self._others)

    @cached_property
    def _others(self) -> tuple[tuple[Branch, ReleaseBranchName], ...]:
        others = []
        for branch in self.remote.branches:
            parsed = self.target.parse_release_branch(branch.name)
            if parsed is None or branch.name == self.target.release_branch:
                continue
            lasts = self.target.is_lasting(branch.name, self.remote.default_branch) or self._is_line(parsed)
            if not lasts and (self.channel.leaves or parsed.channel == self.channel.name):
                others.append((branch, parsed))
        return tuple(others)

    def _judge_branch(self, branch: Branch, parsed: ReleaseBranchName) -> OtherBranch:
        state, reason = self._find_state(branch, parsed)
        # No use of the branch: anyone can open one.
        if into := self.find_pulls_into(branch.name):
            reason += f"; pull request #{into[0].number} is to be merged into it"
        on = self._find_publisher(parsed) if state == "unfinished" else None
        return OtherBranch(branch, parsed, state, reason, on)

    @property
    def respelled_branches(self) -> tuple[OtherBranch, ...]:
        """Unused release branches of this version and channel in other spellings."""
        judged = (self._judge_branch(branch, parsed) for branch, parsed in self._others if self.is_respelled(parsed))
        return tuple(other for other in judged if other.state != "in use")

    def is_respelled(self, parsed: ReleaseBranchName) -> bool:
        """Whether another release branch names this version and channel."""
        return parsed.channel == self.channel.name and read_version(parsed.version) == self.version

    def _is_line(self, parsed: ReleaseBranchName) -> bool:
        """Whether a branch is a release line: `release/1.4` for versions such as 1.4.2."""
        named = read_version(parsed.version).release
        return "{channel}" not in self.target.branch_template and len(named) < len(self.version.release)

    def _find_state(self, branch: Branch, parsed: ReleaseBranchName) -> tuple[str, str]:
        if open_pulls := self.find_open_pulls_from(branch.name):
            return "in use", f"pull request #{open_pulls[0].number} is open for it"
        if self.unfinished_runs:
            return "in use", f"release run #{self.unfinished_runs[0].number} is unfinished and may be working on it"
        merged = [pull for pull in self.find_pulls_from(branch.name) if pull.merged]
        if any(pull.head_sha == branch.sha for pull in merged):
            return "left over", f"pull request #{merged[0].number} was merged with this very head"
        if not merged:
            version, channel = read_version(parsed.version), self.target.find_channel(parsed.channel)
            tagged = channel and "tag" in channel.leaves and self.find_tags_equal_to(version)
            if tagged and self._holds(branch.sha):
                return "left over", f"{self.base_branch} holds every commit of it, and {parsed.version} is tagged"
            if on := self._find_publisher(parsed):
                return "unfinished", f"{parsed.version} is on {on}, and no pull request of it was merged"
            if tagged:
                return "unfinished", f"{parsed.version} is tagged, and no pull request was merged"
        return "orphaned", "no pull request of it is open, no run is unfinished and its version is not released"

    def _find_publisher(self, parsed: ReleaseBranchName) -> str | None:
        """The channel that published a branch's version: its own, or one that shares the branch."""
        version = read_version(parsed.version)
        if self._has(parsed.channel, version):
            return parsed.channel
        return next(iter(self.find_dependents("branch", version)), None)

    def is_still_needed(self, other: OtherBranch) -> bool:
        """Whether a published version needs its branch, for a pull request that is not merged yet."""
        channel = self.target.find_channel(other.published_on) if other.published_on else None
        return channel is not None and "pull-request" in channel.leaves

    def _holds(self, sha: str) -> bool:
        """Whether the base branch is known to contain a commit."""
        history = self.snapshot.history.value
        lineages = history.lineages if history else ()
        return sha == self.base_head or any(each.sha == sha and not each.ahead for each in lineages)

    @property
    def packages_instead(self) -> tuple[str, ...]:
        """The packages that the base branch builds, where none has this name and no index lists it; else empty.

        Raises NotObserved if the base's head or the index was not observed.
        """
        names = self.lineage(self.base_head).other_packages
        pages = (page.value for page in self.snapshot.index.values())
        return () if self.project.listed or any(page and page.listed for page in pages) else names

    @property
    def is_tag_removable(self) -> bool:
        """Whether no file (even on a channel that shares the tag), immutable release or run keeps the tag."""
        release = self.github_release
        if self.is_published or self.unfinished_runs or (release is not None and release.immutable is not False):
            return False
        return not self.find_holders("tag")

    @property
    def is_started_by_draft(self) -> bool:
        """Whether publishing a draft starts the release, so that a draft is a preparation and no trace of a run.

        The word for the process alone makes no remains of a run a preparation.
        """
        publisher = find_started(self.target, "release")
        return publisher is not None and not any(start.is_of_word for start in publisher.starts)

    def traces(self) -> dict[str, bool | None]:
        """Which traces of this version exist: True, False, or None if unknown."""
        drafts = () if self.is_started_by_draft else ("drafts", "other_drafts")
        facts = {
            "branch": ("branch",),
            "index": ("is_published",),
            "tag": ("version_tags",),
            "release": ("github_release", "other_releases", *drafts),
            "pull-request": ("has_pull",),
        }
        leaves = {"branch", "index", *self.channel.leaves}
        return {trace: self._has_any(*names) for trace, names in facts.items() if trace in leaves}

    def _has_any(self, *names: str) -> bool | None:
        is_unknown = False
        for name in names:
            try:
                if getattr(self, name):
                    return True
            except NotObserved:
                is_unknown = True
        return None if is_unknown else False
