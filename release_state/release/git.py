"""Facts of the remote and of the clone."""

from __future__ import annotations

from functools import cached_property

from packaging.version import Version

from release_state.model import NotObserved, Problem
from release_state.release.facts import Facts
from release_state.snapshot import Branch, Clone, Lineage, Remote, Tag
from release_state.target import parse_version


class GitFacts(Facts):
    """What git knows of a version."""

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
        """The release branch of this version and channel on the remote; never the base or the default branch."""
        name = self.target.release_branch
        return None if self.target.is_lasting(name, self.remote.default_branch) else self.remote.branch(name)

    @cached_property
    def tag(self) -> Tag | None:
        """The tag of this version on the remote, in the template's exact spelling."""
        return self.remote.tag(self.target.tag)

    @cached_property
    def other_tags(self) -> tuple[Tag, ...]:
        """Tags of the remote that equal the version by PEP 440 in another spelling; moving tags like `v9` too."""
        return tuple(tag for tag in self.tags_equal_to(self.version) if tag.name != self.target.tag)

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

    def tags_equal_to(self, version: Version) -> tuple[Tag, ...]:
        """Tags of the remote that equal a version by PEP 440, but for those of another package."""
        equal = (tag for tag in self.remote.tags if self.target.version_of_tag(tag.name) == version)
        return tuple(tag for tag in equal if self.may_be_ours(tag.name))

    def may_be_ours(self, tag: str) -> bool:
        """
        Whether a tag that names a version can be this package's.

        Where the package has tags by its name, as in a repository of several packages, one by number alone is another
        package's since the first of these: unless it is on the commit of the version's tag by name.
        """
        spelt, target = self.target.spelling_of_tag(tag), self.target
        if spelt is None or spelt[0] == target.tag_template or target.names_package(spelt[0]):
            return spelt is not None
        first = min(self._tags_by_name, default=None)
        if first is None or spelt[1] < first:
            return True
        there = self.remote.tag(tag)
        return there is not None and there.commit in self._tags_by_name.get(spelt[1], ())

    @cached_property
    def _tags_by_name(self) -> dict[Version, set[str]]:
        """The commits of the tags that are spelled with the package's name, by version."""
        found: dict[Version, set[str]] = {}
        for tag in self.remote.tags:
            spelt = self.target.spelling_of_tag(tag.name)
            if spelt and self.target.names_package(spelt[0]):
                found.setdefault(spelt[1], set()).add(tag.commit)
        return found

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

    def builds_another_version(self, tag: Tag) -> bool:
        """Whether the tagged commit declares another version: what is built from it would be that one."""
        lineage = self.lineage(tag.commit)
        declared = None if lineage.version_is_dynamic else parse_version(lineage.declared_version or "")
        return declared is not None and declared != self.version

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether one commit is an ancestor of or equal to the other."""
        return self.snapshot.history.present().is_ancestor(older, newer)
