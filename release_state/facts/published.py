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
from release_state.model.target import Channel, Target, parse_version, read_version


class PublishedFacts(GitFacts, IndexFacts):
    """What the published files show about the repository's commits, and what other channels need."""

    @cached_property
    def published(self) -> Published | None:
        """How commits match the published files; None if nothing is published."""
        found = self.snapshot.published.known()
        return found if found is None or found.version is None else None

    @property
    def published_instead(self) -> Version | None:
        """The version whose published files the tagged commit holds, while this version has none; None otherwise."""
        found, tag = self.snapshot.published.value, self.tag if self.snapshot.remote.is_known else None
        tagged = found.find(tag.commit) if found and tag else None
        if found is None or found.version is None or tagged is None:
            return None
        holds = found.fits(tagged) and not tagged.differing and not found.lacks_more(tagged)
        return parse_version(found.version) if holds else None

    @property
    def published_from(self) -> tuple[Candidate, ...]:
        """The commits that best match more than half of the published files.

        Those that declare the version and are on the base branch come first.
        """
        published = self.published
        if published is None or not published.candidates or not published.fits(published.candidates[0]):
            return ()
        best = published.candidates[0].rank
        matches = [candidate for candidate in published.candidates if candidate.rank == best]
        return tuple(sorted(matches, key=lambda candidate: (not self.declares(candidate), not candidate.on_base)))

    @property
    def is_tag_best_match(self) -> bool:
        """Whether no commit matches the published files better than the tagged one."""
        if self.tag is None or not self.snapshot.published.is_known:
            return False
        return any(candidate.sha == self.tag.commit for candidate in self.published_from)

    @property
    def is_tag_foreign(self) -> bool:
        """Whether the tagged commit has next to none of the published files. False if that is unknown."""
        return self.tag is not None and self.is_published and self.is_foreign(self.tag.commit)

    def is_foreign(self, sha: str) -> bool:
        """Whether a commit was compared with the published files, and has next to none of them."""
        found = self.snapshot.published.value
        published = found if found and found.version is None else None
        candidate = published.find(sha) if published else None
        return published is not None and candidate is not None and published.is_foreign(candidate)

    def holds_files(self, candidate: Candidate) -> bool:
        """Whether a commit has every compared file, except generated files, which no commit has."""
        published = self.published
        if published is None or not published.fits(candidate) or candidate.differing:
            return False
        return not published.lacks_more(candidate)

    def holds_published(self, candidate: Candidate) -> bool:
        """Whether a commit is certain to be the published one, by its files.

        Without an sdist, the commit must also declare the version: a wheel lacks the file that declares it.
        """
        published = self.published
        if published is not None and published.sdist is None and not self.declares(candidate):
            return False
        return self.holds_files(candidate)

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

    def find_holders(self, trace: Shared) -> tuple[str, ...]:
        """Who needs a trace of this version: the other projects whose tag it is, else the channels that depend on it.

        Raises NotObserved if none is known, and the index of one, or the tagged commit, was not observed.
        """
        return (self.tag_owners if trace != "branch" else ()) or self.find_dependents(trace)

    def _has(self, channel: str, version: Version | None) -> bool:
        page = self.find_project_on(channel)
        if version is None or version == self.version:
            has, version = bool(page.files or page.catching_up), self.version
        else:
            has = any(read_version(found.version) == version for found in page.releases)
        if not has:
            self.refuse_ambiguous(page, version, channel)
        return has


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
