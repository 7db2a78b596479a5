"""Facts about the published files: their commit, and the other channels that share traces (pure)."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Literal

from packaging.version import Version

from release_state.facts.git import GitFacts
from release_state.facts.index import IndexFacts
from release_state.model.observation import NotObserved
from release_state.model.snapshot import Candidate, Published
from release_state.model.target import Channel, Target, parse_version


class PublishedFacts(GitFacts, IndexFacts):
    """What the published files show about the repository's commits, and what other channels need."""

    @cached_property
    def published(self) -> Published | None:
        """How commits match the published files; None if nothing is published."""
        return self.snapshot.published.known()

    @property
    def published_from(self) -> tuple[Candidate, ...]:
        """The commits that best match more than half of the published files.

        Those that declare the version and are on the base branch come first.
        """
        published = self.published
        if published is None or not published.candidates or 2 * published.candidates[0].equal <= published.compared:
            return ()
        best = _rate(published.candidates[0])
        matches = [candidate for candidate in published.candidates if _rate(candidate) == best]
        return tuple(sorted(matches, key=lambda candidate: (not self.declares(candidate), not candidate.on_base)))

    @property
    def is_tag_best_match(self) -> bool:
        """Whether no commit matches the published files better than the tagged one."""
        if self.tag is None or not self.snapshot.published.is_known:
            return False
        return any(candidate.sha == self.tag.commit for candidate in self.published_from)

    def holds_published(self, candidate: Candidate) -> bool:
        """Whether a commit has every compared file, except generated files, which no commit has.

        Without an sdist, the commit must also declare the version: a wheel lacks the file that declares it.
        """
        published = self.published
        if published is None or 2 * candidate.equal <= published.compared or candidate.differing:
            return False
        if published.sdist is None and not self.declares(candidate):
            return False
        return all(set(candidate.absent) <= set(other.absent) for other in published.candidates)

    def declares(self, candidate: Candidate) -> bool:
        """Whether a commit declares this version."""
        declared = candidate.declared_version
        return declared is not None and parse_version(declared) == self.version

    def has_changelog_entry(self, text: str) -> bool:
        """Whether a changelog has a heading of exactly this version: `## [0.2.0] - 2025-09-21`, `v0.2.0`."""
        headings = (line for line in text.splitlines() if re.match(r"\s*(#|=|\*\*|\[|v?\d)", line, re.IGNORECASE))
        words = (word.strip("[](){}:,#*=`") for line in headings for word in line.split()[:6])
        return any(parse_version(word) == self.version for word in words)

    def find_dependents(self, trace: Shared, version: Version | None = None) -> tuple[str, ...]:
        """The other channels that share a trace of a version (default: this one) and have published it, or yanked.

        Raises NotObserved if none is known, and the index of one was not observed.
        """
        dependents, unknown = [], None
        for channel in find_sharing(self.target, trace):
            try:
                if self._has(channel.name, version):
                    dependents.append(channel.name)
            except NotObserved as problem:
                unknown = unknown or problem
        if unknown and not dependents:
            raise unknown
        return tuple(dependents)

    def _has(self, channel: str, version: Version | None) -> bool:
        page = self.find_project_on(channel)
        if version is None or version == self.version:
            has, version = bool(page.files or page.catching_up), self.version
        else:
            has = any(Version(found.version) == version for found in page.releases)
        if not has:
            self.refuse_ambiguous(page, version, channel)
        return has


def _rate(candidate: Candidate) -> tuple[int, int, int]:
    return candidate.equal, -len(candidate.differing), -len(candidate.absent)


Shared = Literal["tag", "release", "branch"]
"""A trace that another channel may need; a pull request belongs to its branch."""


def find_sharing(target: Target, trace: Shared) -> tuple[Channel, ...]:
    """The other channels whose releases leave the same trace.

    A branch is not shared if its template names the channel. A channel without pull requests needs no branch.
    """
    if trace == "branch":
        is_shared = "{channel}" not in target.branch_template
        return tuple(each for each in _others(target) if is_shared and "pull-request" in each.leaves)
    return tuple(each for each in _others(target) if trace in each.leaves and trace in target.channel.leaves)


def find_sharing_any(target: Target) -> tuple[Channel, ...]:
    """The other channels that share any trace."""
    shared = {each.name for trace in ("tag", "release", "branch") for each in find_sharing(target, trace)}
    return tuple(each for each in _others(target) if each.name in shared)


def _others(target: Target) -> tuple[Channel, ...]:
    return tuple(each for each in target.channels if each.name != target.channel.name)
