"""Facts of the commit that the published files were built from."""

from __future__ import annotations

import re
from functools import cached_property

from release_state.facts.git import GitFacts
from release_state.model.snapshot import Candidate, Published
from release_state.model.target import parse_version


class PublishedFacts(GitFacts):
    """What the published files tell about the commits of the repository."""

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
    def is_tag_best_match(self) -> bool:
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


def _fit(candidate: Candidate) -> tuple[int, int, int]:
    return candidate.equal, -len(candidate.differing), -len(candidate.absent)
