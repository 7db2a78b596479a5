"""Facts from git: the remote, the clone, the history, and the tags of sibling packages (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import TypeVar

from packaging.version import Version

from release_state.facts.package_tags import find_sibling_tags, group_tags
from release_state.model.observation import NotObserved, Problem, value_or
from release_state.model.snapshot import Branch, Clone, Lineage, OwnRun, Remote, Snapshot, Tag
from release_state.model.target import Channel, Target, count_numbers, names_version, parse_version, read_version

_LASTING = "develop|development|dev|next|stable|maintenance|maint|master|main"
"""Names of branches that last."""
_LINE = "release|releases|stable|branch|maintenance|maint|lts"
"""Words after the numbers of a maintenance line."""
_MOST_LINES = 5


RefT = TypeVar("RefT", Branch, Tag)


class Facts:
    """One version on one channel, as observed."""

    snapshot: Snapshot
    target: Target
    channel: Channel
    version: Version

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot, self.target = snapshot, snapshot.target
        self.channel, self.version = snapshot.target.channel, snapshot.target.parsed_version


class GitFacts(Facts):
    """What git knows about a version."""

    @cached_property
    def remote(self) -> Remote:
        """The remote's refs."""
        return self.snapshot.remote.present()

    @cached_property
    def base_branch(self) -> str:
        """The branch that releases are merged into: as configured, else the remote's default branch."""
        if name := self.target.base_branch or self.remote.default_branch:
            return name
        raise NotObserved(Problem(source="git remote", why="no default branch", remedy="set --base-branch"))

    @cached_property
    def base_head(self) -> str:
        """The commit at the head of the base branch on the remote."""
        if branch := self.remote.branch(self.base_branch):
            return branch.sha
        why, remedy = f"no branch {self.base_branch}", "set --base-branch to the branch that releases start from"
        raise NotObserved(Problem(source="git remote", why=why, remedy=remedy))

    @cached_property
    def branch(self) -> Branch | None:
        """The release branch of this version and channel; never the base or the default branch."""
        name = self.target.release_branch
        return None if self.target.is_lasting(name, self.remote.default_branch) else self.remote.branch(name)

    @cached_property
    def conflicting_branches(self) -> tuple[Branch, ...]:
        """Remote branches that keep git from creating this version's release branch."""
        return find_conflicting(self.target.release_branch, self.remote.branches)

    @cached_property
    def conflicting_tags(self) -> tuple[Tag, ...]:
        """Remote tags that keep git from creating this version's tag."""
        return find_conflicting(self.target.tag, self.remote.tags)

    @cached_property
    def conflicting_local_tags(self) -> tuple[Tag, ...]:
        """Tags in the clone that keep git from creating this version's tag there."""
        return find_conflicting(self.target.tag, self.all_local_tags)

    def find_case_twins(self, wanted: str, names: Iterable[str]) -> tuple[str, ...]:
        """Ref names that differ from the wanted one by case alone, on a file system that ignores case."""
        clone = self.snapshot.clone.value
        return tuple(name for name in names if differ_by_case(wanted, name)) if clone and clone.folds_case else ()

    @cached_property
    def tag(self) -> Tag | None:
        """The version's tag on the remote, in the template's exact spelling."""
        return self.remote.tag(self.target.tag)

    @cached_property
    def other_tags(self) -> tuple[Tag, ...]:
        """Remote tags of the version in another spelling, with moving tags like `v9`."""
        return tuple(tag for tag in self.find_tags_equal_to(self.version) if tag.name != self.target.tag)

    @property
    def other_tags_exactly(self) -> tuple[Tag, ...]:
        """Other spellings without moving tags, which have fewer release numbers."""
        named = ((tag, self.target.parse_tag(tag.name)) for tag in self.other_tags)
        return tuple(tag for tag, version in named if version and names_version(version, self.version, self._numbers))

    @cached_property
    def _numbers(self) -> int:
        page = self.snapshot.index.get(self.channel.name)
        releases = page.value.releases if page and page.value else ()
        return count_numbers(self.version, (read_version(each.version) for each in releases))

    @property
    def version_tags(self) -> tuple[Tag, ...]:
        """Every remote tag of this version except moving tags; the exact spelling first."""
        return (*filter(None, [self.tag]), *self.other_tags_exactly)

    def find_tags_equal_to(self, version: Version) -> tuple[Tag, ...]:
        """Remote tags of a version in any spelling, without those of sibling packages."""
        equal = group_tags(self.remote, self.target).get(version, ())
        if all(tag.name == self.target.tag_for(str(version)) for tag in equal):
            return equal
        return tuple(tag for tag in equal if tag.name not in self.sibling_tags)

    def find_earlier_tags(self, most: int) -> tuple[tuple[str, str], ...]:
        """Return the greatest final versions below this one that are tagged, each with its tag, the greatest first."""
        found: dict[Version, str] = {}
        for tag in self.remote.tags:
            version = self.target.parse_tag(tag.name)
            if version is None or version >= self.version or version.is_prerelease or tag.name in self.sibling_tags:
                continue
            if version not in found or tag.name == self.target.tag_for(str(version)):
                found[version] = tag.name
        return tuple((str(version), found[version]) for version in sorted(found, reverse=True)[:most])

    @cached_property
    def sibling_tags(self) -> frozenset[str]:
        """Names of remote tags of sibling packages."""
        return find_sibling_tags(self.target, self.remote.tags)

    def is_sibling_tag(self, tag: str) -> bool:
        """Whether a tag, on the remote or only in a draft, belongs to a sibling package."""
        if self.remote.tag(tag):
            return tag in self.sibling_tags
        drafted = Tag(name=tag, object="", commit="", annotated=False)
        return tag in find_sibling_tags(self.target, (*self.remote.tags, drafted))

    @cached_property
    def clone(self) -> Clone | None:
        """The maintainer's clone; None if there is none."""
        return self.snapshot.clone.known()

    @property
    def all_local_tags(self) -> tuple[Tag, ...]:
        """The clone's tags; empty if it is missing or unreadable."""
        clone = self.snapshot.clone.value
        return clone.tags if clone else ()

    @cached_property
    def local_tags(self) -> tuple[Tag, ...]:
        """The clone's tags of this version without sibling packages' tags; the exact spelling first."""
        clone, remote = self.clone, self.snapshot.remote.value
        equal = group_tags(clone, self.target).get(self.version, ()) if clone else ()
        if clone and any(tag.name != self.target.tag for tag in equal):
            others = find_sibling_tags(self.target, (*(remote.tags if remote else ()), *clone.tags))
            equal = tuple(tag for tag in equal if tag.name not in others)
        return tuple(sorted(equal, key=lambda tag: tag.name != self.target.tag))

    @cached_property
    def local_tag(self) -> Tag | None:
        """The clone's tag of this version in the exact spelling."""
        return next((tag for tag in self.local_tags if tag.name == self.target.tag), None)

    def find_line_branches(self) -> tuple[Branch, ...]:
        """Return the remote's long-lived branches beside the base that can have this version, at most five.

        Maintenance lines (`0.1.x`, `stable/0.1`, `v0.1-release`) are known by the version's first numbers, others by
        their name.
        """
        major, minor = [*self.version.release, 0][:2]
        numbers = rf"v?(?:{major}|{major}[._]{minor})(?:[._-]?x)?"
        line = re.compile(rf"(?:.*[/_-])?{numbers}(?:[/_-](?:{_LINE}))?|{_LASTING}", re.IGNORECASE)
        names = (self.base_branch, self.target.release_branch)
        found = (branch for branch in self.remote.branches if branch.name not in names and line.fullmatch(branch.name))
        return tuple(branch for branch in found if not self._is_release_branch(branch.name))[:_MOST_LINES]

    def _is_release_branch(self, name: str) -> bool:
        parsed = self.target.parse_release_branch(name)
        return parsed is not None and len(read_version(parsed.version).release) >= len(self.version.release)

    def find_line(self, commit: str) -> Branch | None:
        """Return the long-lived branch beside the base that has a commit; None if none does."""
        lines = self.find_line_branches()
        return next((branch for branch in lines if self.is_ancestor(commit, branch.sha)), None)

    @property
    def own_run(self) -> OwnRun:
        """The run that this run is a step of. Raises NotObserved outside of the phase pre-publish."""
        if (run := self.snapshot.own_run.known()) is not None:
            return run
        why, remedy = "the snapshot is not of a run that a tag started", "record it there, with --phase pre-publish"
        raise NotObserved(Problem(source="environment", why=why, remedy=remedy))

    @property
    def commit_to_release(self) -> str:
        """The commit of the run that this run is a step of; in other phases the base branch's head."""
        run = self.snapshot.own_run.value
        return run.sha if run else self.base_head

    def find_branch_of(self, commit: str) -> str:
        """Return the long-lived branch that has a commit: the base, unless another one is known to have it alone."""
        if commit == self.base_head or value_or(True, lambda: self.lineage(commit).on_base):
            return self.base_branch
        line = value_or(None, lambda: self.find_line(commit))
        return line.name if line else self.base_branch

    def lineage(self, sha: str) -> Lineage:
        """How a commit relates to the base branch."""
        return self.snapshot.history.present().lineage(sha)

    @property
    def tag_owners(self) -> tuple[str, ...]:
        """Files of other projects of the repository whose version the tag is: there, the package declares another."""
        return self.lineage(self.tag.commit).claimed_by if self.tag else ()

    def builds_another_version(self, tag: Tag) -> bool:
        """Whether the tagged commit declares, and so builds, another version, or is tagged for another project."""
        lineage = self.lineage(tag.commit)
        if lineage.claimed_by:
            return True
        declared = None if lineage.version_is_dynamic else parse_version(lineage.declared_version or "")
        return declared is not None and declared != self.version

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether one commit is an ancestor of or equal to the other."""
        return self.snapshot.history.present().is_ancestor(older, newer)


def find_conflicting(wanted: str, refs: Iterable[RefT]) -> tuple[RefT, ...]:
    """Return the refs that keep git from creating another of this name."""
    return tuple(ref for ref in refs if refs_conflict(wanted, ref.name))


def refs_conflict(wanted: str, there: str) -> bool:
    """Whether git can have only one of two refs: one name is the folder of the other."""
    return wanted.startswith(f"{there}/") or there.startswith(f"{wanted}/")


def differ_by_case(wanted: str, there: str) -> bool:
    """Whether two names collide on a file system that ignores case."""
    for one, other in zip(wanted.split("/"), there.split("/"), strict=False):
        if one != other:
            return one.casefold() == other.casefold()
    return False
