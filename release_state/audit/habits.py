"""Which traces a project's releases leave, and since when. A habit does not apply to older versions (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from release_state.audit.versions import Audited, AuditSnapshot
from release_state.facts.spelling import Spellings

INDEX, TAG, RELEASE = "index", "tag", "release"


@dataclass(frozen=True)
class Since:
    """The first version that left a trace, and when; `at` is None if the time is unknown."""

    version: Audited
    at: datetime | None

    def is_after(self, audited: Audited) -> bool:
        """Whether a version is older than the habit."""
        if self.at and audited.uploaded_at:
            return audited.uploaded_at < self.at
        return audited.version < self.version.version

    def __str__(self) -> str:
        return f"since {self.version}" + (f" ({self.at:%Y-%m-%d})" if self.at else "")


class Habits:
    """The traces that releases of this project leave on this channel."""

    def __init__(self, history: AuditSnapshot, spelt: Spellings, versions: Sequence[Audited]) -> None:
        self.history, self.spelt, self.versions = history, spelt, tuple(versions)
        self.target = history.target

    @cached_property
    def published(self) -> tuple[Audited, ...]:
        """The versions with files, by first upload if the index tells all times, else by version."""
        found = [audited for audited in self.versions if audited.indexed]
        if all(audited.uploaded_at for audited in found):
            found.sort(key=lambda audited: (audited.uploaded_at, audited.version))
        return tuple(found)

    @cached_property
    def traces(self) -> tuple[str, ...]:
        """The traces of a complete release: the index, tag and GitHub Release as the channel says, kinds of file."""
        leaves = [trace for trace in (TAG, RELEASE) if trace in self.target.channel.leaves]
        return (INDEX, *leaves, *self.target.expected_files)

    @cached_property
    def since(self) -> dict[str, Since]:
        """The first appearance of each trace that ever appeared."""
        first = {trace: self._first(trace) for trace in self.traces}
        return {trace: found for trace, found in first.items() if found}

    def _first(self, trace: str) -> Since | None:
        if trace == INDEX:
            return self._first_by_version()
        if trace == RELEASE:
            return self._first_release()
        audited = next((audited for audited in self.published if has_trace(trace, audited)), None)
        return Since(audited, audited.uploaded_at) if audited else None

    def _first_by_version(self) -> Since | None:
        # By version, as tags tell no time: a version below the first published one is older than the project's uploads.
        audited = next((audited for audited in self.versions if audited.indexed), None)
        return Since(audited, None) if audited else None

    def _first_release(self) -> Since | None:
        # By publication time: a GitHub Release of an old tag can be made at any time.
        made = [Since(a, release.published_at) for a in self.versions for release in a.releases if release.published_at]
        return min(made, key=lambda since: (since.at, since.version.version), default=None)

    def expects(self, trace: str, audited: Audited) -> bool:
        """Whether a version should have a trace: the habit began before it."""
        since = self.since.get(trace)
        return since is not None and (since.version is audited or not since.is_after(audited))

    @cached_property
    def newest_final(self) -> Audited | None:
        """The greatest final version that is published and not yanked."""
        final = (a for a in self.versions if a.indexed and not a.indexed.all_yanked and not a.version.is_prerelease)
        return max(final, key=lambda audited: audited.version, default=None)

    @cached_property
    def usual_since(self) -> Audited | None:
        """The first version that is tagged in the template's spelling."""
        template = self.target.tag_template
        return next(
            (a for a in self.published if any(find_template(self, tag.name) == template for tag in a.tags)), None
        )

    def counts(self, trace: str) -> tuple[int, int]:
        """How many published versions since the habit began have the trace, and how many there are."""
        since = [audited for audited in self.published if has_trace(trace, audited) or self.expects(trace, audited)]
        return sum(has_trace(trace, audited) for audited in since), len(since)


def has_trace(trace: str, audited: Audited) -> bool:
    """Whether a version has a trace."""
    if trace == INDEX:
        return audited.indexed is not None
    if trace == TAG:
        return bool(audited.tags)
    if trace == RELEASE:
        return bool(audited.releases)
    return audited.indexed is not None and trace in audited.indexed.kinds


def find_template(habits: Habits, tag: str) -> str | None:
    """The template of a tag."""
    found = habits.target.parse_tag_spelling(tag)
    return found[0] if found else None
