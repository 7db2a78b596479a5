"""Which traces a project's releases usually leave, and since when. A habit does not apply to older versions (pure)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import Enum
from functools import cached_property
from itertools import islice

from msgspec import Struct
from packaging.version import Version

from release_state.audit.versions import Audited, AuditSnapshot
from release_state.facts.filenames import MOST_EARLIER
from release_state.facts.spelling import Spellings

INDEX, TAG, RELEASE = "index", "tag", "release"
NEXT = 10
"""A habit begins with the first version from which on at least half of so many have the trace. It pauses while so many
in a row have none."""
FEW = 3
"""Fewer versions of a stage have no habit of their own."""


class Maturity(Enum):
    """How far a version is. Each stage has its own habits: many projects tag no pre-releases, or publish none."""

    FINAL = "final versions"
    PRERELEASE = "pre-releases"
    DEVELOPMENT = "development versions"

    @staticmethod
    def find(version: Version) -> Maturity:
        """The stage of a version."""
        if version.is_devrelease:
            return Maturity.DEVELOPMENT
        return Maturity.PRERELEASE if version.is_prerelease else Maturity.FINAL


class Since(Struct, frozen=True):
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
        """Since when final versions leave each trace; without those that they do not usually leave."""
        found = {trace: self.began(trace, Maturity.FINAL) for trace in self.traces}
        return {trace: since for trace, since in found.items() if since}

    def began(self, trace: str, stage: Maturity) -> Since | None:
        """Since when versions of a stage usually leave a trace; None if they do not."""
        if (trace, stage) not in self._began:
            self._began[trace, stage] = self._find_begin(trace, stage)
        return self._began[trace, stage]

    @cached_property
    def _began(self) -> dict[tuple[str, Maturity], Since | None]:
        return {}

    def _find_begin(self, trace: str, stage: Maturity) -> Since | None:
        versions = self._of_stage(self._count_in(trace), stage)
        for since in self._list_begins(trace, versions):
            # With this version: its own time may be that of a GitHub Release that was made much later.
            later = list(islice((a for a in versions if a is since.version or not since.is_after(a)), NEXT))
            if 2 * sum(has_trace(trace, audited) for audited in later) >= len(later):
                return since
        return None

    def _count_in(self, trace: str) -> Sequence[Audited]:
        """The versions that can have a trace, in order. One that was withdrawn needs none."""
        if trace == INDEX:
            # By version, as tags tell no time: a version below the published ones is older than the project's uploads.
            return [audited for audited in self.versions if audited.indexed or audited.tags or audited.releases]
        return [a for a in self.published if has_trace(trace, a) or not (a.indexed and a.indexed.all_yanked)]

    @staticmethod
    def _of_stage(versions: Sequence[Audited], stage: Maturity) -> Sequence[Audited]:
        own = [audited for audited in versions if Maturity.find(audited.version) is stage]
        return own if len(own) >= FEW else versions

    def _list_begins(self, trace: str, versions: Sequence[Audited]) -> Iterable[Since]:
        having = [audited for audited in versions if has_trace(trace, audited)]
        if trace == INDEX:
            return [Since(audited, None) for audited in having]
        if trace == RELEASE:
            # By publication time: a GitHub Release of an old tag can be made at any time.
            made = [Since(a, release.published_at) for a in having for release in a.releases if release.published_at]
            return sorted(made, key=lambda since: (since.at, since.version.version))
        return [Since(audited, audited.uploaded_at) for audited in having]

    def expects(self, trace: str, audited: Audited) -> bool:
        """Whether a version should have a trace: versions of its stage usually have it, and the habit began before."""
        if trace in self.target.expected_files and "expected-files" not in self.target.given:
            return self._has_usual_kind(trace, audited.version)
        stage = Maturity.find(audited.version)
        since = self.began(trace, stage)
        if since is None or (since.version is not audited and since.is_after(audited)):
            return False
        return audited.version not in self.paused(trace, stage)

    def paused(self, trace: str, stage: Maturity) -> Collection[Version]:
        """The versions of long runs without a trace since the habit began; the newest final ones are never excused."""
        if (trace, stage) not in self._paused:
            self._paused[trace, stage] = self._find_paused(trace, stage)
        return self._paused[trace, stage]

    @cached_property
    def _paused(self) -> dict[tuple[str, Maturity], Collection[Version]]:
        return {}

    def _find_paused(self, trace: str, stage: Maturity) -> Collection[Version]:
        since, found, run = self.began(trace, stage), dict[Version, None](), list[Version]()
        for audited in self._of_stage(self._count_in(trace), stage) if since else ():
            if since and not has_trace(trace, audited) and not since.is_after(audited):
                run.append(audited.version)
                continue
            found |= dict.fromkeys(run if len(run) >= NEXT else ())
            run = []
        return found | dict.fromkeys(run if len(run) >= NEXT and stage is not Maturity.FINAL else ())

    def _has_usual_kind(self, kind: str, version: Version) -> bool:
        """Whether any of the last final versions before one has a kind of file, as in a run over that version."""
        place = bisect_left(self._finals, version, key=lambda each: each.version)
        return any(has_trace(kind, each) for each in self._finals[max(0, place - MOST_EARLIER) : place])

    @property
    def are_kinds_given(self) -> bool:
        """Whether the kinds of file are those of the configuration or the defaults: too few versions tell them."""
        return "expected-files" in self.target.given or len(self._finals) < FEW

    @cached_property
    def _finals(self) -> Sequence[Audited]:
        return [audited for audited in self.versions if audited.indexed and not audited.version.is_prerelease]

    @cached_property
    def newest_final(self) -> Audited | None:
        """The greatest final version that is published and not yanked."""
        final = (a for a in self.versions if a.indexed and not a.indexed.all_yanked and not a.version.is_prerelease)
        return max(final, key=lambda audited: audited.version, default=None)

    @cached_property
    def misspelled(self) -> tuple[Audited, ...]:
        """The published versions whose tags are all spelled differently from the template, which was already in use."""
        template, read = self.target.tag_template, self.target.parse_tag_spelling
        spelled = {
            a.version: {found[0] for tag in a.tags if (found := read(tag.name))} for a in self.published if a.tags
        }
        first = next((a for a in self.published if template in spelled.get(a.version, ())), None)
        if first is None:
            return ()
        since = Since(first, first.uploaded_at)
        others = (a for a in self.published if a.tags and template not in spelled[a.version])
        return tuple(audited for audited in others if not since.is_after(audited))

    def counts(self, trace: str) -> tuple[int, int]:
        """How many published versions have the trace, and how many should or do."""
        counted = [audited for audited in self.published if has_trace(trace, audited) or self.expects(trace, audited)]
        return sum(has_trace(trace, audited) for audited in counted), len(counted)


def has_trace(trace: str, audited: Audited) -> bool:
    """Whether a version has a trace."""
    if trace == INDEX:
        return audited.indexed is not None
    if trace == TAG:
        return bool(audited.tags)
    if trace == RELEASE:
        return bool(audited.releases)
    return audited.indexed is not None and trace in audited.indexed.kinds
