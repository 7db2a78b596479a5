"""Whether what a plan says can be done in its order: each command has what it needs, by refs made on the way."""

from __future__ import annotations

import re

from packaging.version import Version

from release_state.facts.release import Release
from release_state.model.plan import Plan
from release_state.model.snapshot import Snapshot


class Followed:
    """The refs of the remote while a plan is followed, as far as its commands say."""

    def __init__(self, snapshot: Snapshot, described: str) -> None:
        self.release, self.target, self.described = Release(snapshot), snapshot.target, described
        remote = snapshot.remote.value
        self.refs = {f"refs/heads/{branch.name}": branch.sha for branch in remote.branches} if remote else {}
        self.refs |= {f"refs/tags/{tag.name}": tag.commit for tag in remote.tags} if remote else {}
        self.fetched = ""
        """The ref that is fetched to be published."""
        self.made: dict[str, str] = {}
        """Tags that are only where the commands are typed."""

    def follow(self, plan: Plan) -> None:
        """Go through every command of the plan."""
        for step in plan.steps:
            for command in step.commands:
                self._do(list(command), f"{self.described}: {' '.join(command)}")

    def _do(self, command: list[str], told: str) -> None:
        tag, branch = f"refs/tags/{self.target.tag}", f"refs/heads/{self.target.release_branch}"
        match command:
            case ["git", "tag", *_, name, sha, "--message", _]:
                self.made[f"refs/tags/{name}"] = sha
                self._assert_was_published(sha, told)
            case ["git", "-C", _, "push", *_, ref] if ref.startswith("refs/tags/"):
                local = self.release.local_tag
                assert local, told
                self.refs[ref] = local.commit
                self._assert_was_published(local.commit, told)
            case ["git", "push", *_, ref] if ref.startswith("refs/tags/"):
                assert ref in self.made, told
                self.refs[ref] = self.made[ref]
            case ["git", "push", *_, change] if ":" in change:
                source, _, ref = change.partition(":")
                assert source or ref in self.refs, f"nothing to delete: {told}"
                self.refs.pop(ref, None)
                if source:
                    self.refs[ref] = source
            case ["git", "clone", "--branch", name, *_]:
                assert f"refs/heads/{name}" in self.refs, f"nothing to clone: {told}"
            case ["git", "-C", _, "fetch", *_, "--depth", "1", _, change]:
                self.fetched = change.partition(":")[0]
                assert self.fetched in self.refs, f"nothing to fetch: {told}"
            case ["git", "-C", _, "checkout", "--quiet", what]:
                assert what in (self.fetched, self.refs[self.fetched]), f"not what was fetched: {told}"
            case ["gh", "pr", "create", *_] if self.target.release_branch in command:
                assert branch in self.refs, f"no head: {told}"
                head = self.refs[branch]
                assert head != self.release.base_head and self.release.lineage(head).ahead, f"no commits: {told}"
            case ["gh", "release", "create", *_]:
                assert tag in self.refs, f"no tag: {told}"
            case ["gh", "workflow", "run", *_]:
                assert branch not in self.refs and tag not in self.refs, f"the run fails: {told}"
            case ["release-state", "--version", version, *_, "--phase", "pre-release"]:
                self._assert_free(Version(version), told)

    def _assert_was_published(self, sha: str, told: str) -> None:
        """Where a commit is known that holds all that was published, no other is tagged."""
        if self.release.is_published and self.release.snapshot.published.is_known:
            holding = [found.sha for found in self.release.published_from if self.release.holds_published(found)]
            assert not holding or sha in holding, told

    def _assert_free(self, version: Version, told: str) -> None:
        listed = self.release.project.releases
        assert version not in {Version(found.version) for found in listed}, told
        tags = [*self.release.remote.tags, *self.release.all_local_tags]
        assert version not in {self.target.parse_tag(tag.name) for tag in tags}, told
        assert version > self.release.version and not re.search("dev|post", str(version)), told


def assert_can_be_done(snapshot: Snapshot, plan: Plan, described: str) -> None:
    """No command of a plan fails for what the plan itself could have known."""
    Followed(snapshot, described).follow(plan)
