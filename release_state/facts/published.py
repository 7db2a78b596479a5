"""Facts about what was published: from which commit, and which other channels depend on the same traces (pure)."""

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


class PublishedFacts(GitFacts):
    """What the published files show about the repository's commits."""

    @cached_property
    def published(self) -> Published | None:
        """How commits match the published files; None if nothing is published."""
        return self.snapshot.published.known()

    @property
    def published_from(self) -> tuple[Candidate, ...]:
        """The commits that best match the published files; those that declare the version and are on the base
        branch come first.

        None that matches less than half of them: any commit shares a licence or an empty file.
        """
        found = self.published
        first = found.candidates[0] if found and found.candidates else None
        if found is None or first is None or 2 * first.equal <= found.compared:
            return ()
        alike = [candidate for candidate in found.candidates if _fit(candidate) == _fit(first)]
        return tuple(sorted(alike, key=lambda candidate: (not self.declares(candidate), not candidate.on_base)))

    @property
    def is_tag_best_match(self) -> bool:
        """Whether no commit matches the published files better than the tagged one."""
        if self.tag is None or not self.snapshot.published.is_known:
            return False
        return any(candidate.sha == self.tag.commit for candidate in self.published_from)

    def holds_published(self, candidate: Candidate) -> bool:
        """Whether a commit has every compared file, except generated files, which no commit has.

        A wheel does not hold the file that declares the version: there, the commit has to declare it as well.
        """
        found = self.published
        if found is None or 2 * candidate.equal <= found.compared or candidate.differing:
            return False
        if found.sdist is None and not self.declares(candidate):
            return False
        return all(set(candidate.absent) <= set(other.absent) for other in found.candidates)

    def declares(self, candidate: Candidate) -> bool:
        """Whether a commit declares this version."""
        declared = candidate.declared_version
        return declared is not None and parse_version(declared) == self.version

    def has_changelog_entry(self, text: str) -> bool:
        """Whether a line of a changelog is a heading of exactly this version: `## [0.2.0] - 2025-09-21`, `v0.2.0`."""
        headings = (line for line in text.splitlines() if re.match(r"\s*(#|=|\*\*|\[|v?\d)", line, re.IGNORECASE))
        words = (word.strip("[](){}:,#*=`") for line in headings for word in line.split()[:6])
        return any(parse_version(word) == self.version for word in words)


def _fit(candidate: Candidate) -> tuple[int, int, int]:
    return candidate.equal, -len(candidate.differing), -len(candidate.absent)


Shared = Literal["tag", "release", "branch"]
"""A trace that another channel may need; a pull request goes with its branch."""


def find_sharing(target: Target, trace: Shared) -> tuple[Channel, ...]:
    """The other channels whose releases leave the same trace.

    A branch is one channel's alone where the template of branches names the channel. A channel that leaves no pull
    request, as TestPyPI, has no branch at the end of a release, and rests on none.
    """
    if trace == "branch":
        if "{channel}" in target.branch_template:
            return ()
        return tuple(each for each in _others(target) if "pull-request" in each.leaves)
    return tuple(each for each in _others(target) if trace in each.leaves and trace in target.channel.leaves)


def find_sharing_any(target: Target) -> tuple[Channel, ...]:
    """The other channels that share a trace: if they have published, the trace must stay."""
    shared = {each.name for trace in ("tag", "release", "branch") for each in find_sharing(target, trace)}
    return tuple(each for each in _others(target) if each.name in shared)


def _others(target: Target) -> tuple[Channel, ...]:
    return tuple(each for each in target.channels if each.name != target.channel.name)


class SharedFacts(IndexFacts):
    """What other channels need."""

    def find_dependents(self, trace: Shared, version: Version | None = None) -> tuple[str, ...]:
        """The other channels that need this version's trace: they share it, and their index has the version.

        Yanked files count. Of another `version` the releases are looked at that the page lists. Raises NotObserved
        where none is known to rest on it and the index of one could not be observed.
        """
        resting, missing = [], None
        for channel in find_sharing(self.target, trace):
            try:
                if self._has(channel.name, version):
                    resting.append(channel.name)
            except NotObserved as problem:
                missing = missing or problem
        if missing and not resting:
            raise missing
        return tuple(resting)

    def _has(self, channel: str, version: Version | None) -> bool:
        page = self.project_on(channel)
        if version is None or version == self.version:
            has, version = bool(page.files or page.catching_up), self.version
        else:
            has = any(Version(found.version) == version for found in page.releases)
        if not has:
            self.refuse_ambiguous(page, version, channel)
        return has
