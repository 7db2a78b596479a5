"""Facts from the package index, and the version that an odd file name may be of (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from release_state.common.text import join_items
from release_state.facts.git import Facts
from release_state.model.observation import NotObserved, Problem
from release_state.model.snapshot import IndexFile, IndexProject
from release_state.model.target import parse_version

UPLOADS_AFTER_THE_FIRST = timedelta(days=14)
"""How long PyPI and TestPyPI accept more files of a version, since 2026-07-08 (warehouse, `forklift/legacy.py`)."""


class IndexFacts(Facts):
    """What the index knows about a version."""

    def page_on(self, channel: str) -> IndexProject:
        """The project's page on a channel's index, whatever it shows."""
        observed = self.snapshot.index.get(channel)
        if observed is None:
            raise NotObserved(Problem(source=f"index {channel}", why="not looked up in this run"))
        return observed.present()

    def project_on(self, channel: str) -> IndexProject:
        """The project's page on a channel's index; NotObserved while a quarantine hides its files."""
        page = self.page_on(channel)
        if page.status == "quarantined" and not page.releases:
            why = "the project is quarantined, and its files are hidden (PEP 792)"
            remedy = "ask the index's administrators, and check again after the quarantine"
            raise NotObserved(Problem(source=f"index {channel}", why=why, remedy=remedy))
        return page

    @cached_property
    def project(self) -> IndexProject:
        """The project's page on this channel's index; NotObserved while it is unclear whether it has this version."""
        page = self.project_on(self.channel.name)
        if not (page.files or page.catching_up):
            self.refuse_ambiguous(page, self.version, self.channel.name)
            self._refuse_witness(page)
        return page

    def _refuse_witness(self, page: IndexProject) -> None:
        """Raise NotObserved if a version without files was published before, or that is unknown."""
        observed, version, name = self.snapshot.witness, str(self.version), self.channel.name
        if version in page.listed_without_files or (observed.unavailable and observed.unavailable.source == "snapshot"):
            return
        if found := observed.known():
            where = f" ({found.html_url})" if found.html_url else ""
            why = f"it has no file of {version} now, but had: {found.what}, {found.at:%Y-%m-%d %H:%M} UTC{where}"
            remedy = (
                f"look at {self.target.index_page}, and ask the index's administrators: it may have quarantined this "
                "release, which hides its files; where they were deleted, release the next version"
            )
            raise NotObserved(Problem(source=f"index {name}", why=why, remedy=remedy))

    def refuse_ambiguous(self, page: IndexProject, version: Version, channel: str) -> None:
        """Raise NotObserved if an unreadable file name may be the only file of this version."""
        if page.lists_versions and not page.lists_empty(version):
            return
        if doubtful := [name for name in page.skipped if may_be_of_version(name, self.target.name, version)]:
            why = f"no version can be read from the name of {join_items(doubtful, 3)}, which may be {version}"
            remedy = "open what the index has under that name; it settles the question once it has the name of a wheel "
            remedy += "or sdist, is gone, or the index lists its versions (PEP 700)"
            raise NotObserved(Problem(source=f"index {channel}", why=why, remedy=remedy))

    @property
    def files(self) -> tuple[IndexFile, ...]:
        """The published files of this version, yanked ones too."""
        return self.project.files

    @property
    def catching_up(self) -> tuple[str, ...]:
        """Published files of this version that the Simple API does not list yet."""
        return self.project.catching_up

    @property
    def is_published(self) -> bool:
        """Whether the index has a file of this version: yanked or not, listed by the Simple API or not yet."""
        return bool(self.files or self.catching_up)

    @property
    def missing_kinds(self) -> tuple[str, ...]:
        """The expected kinds of file that are not published."""
        kinds = {file.kind for file in self.files}
        kinds |= {"wheel" if name.endswith(".whl") else "sdist" for name in self.catching_up}
        return tuple(kind for kind in self.target.expected_files if kind not in kinds)

    @property
    def accepts_files_until(self) -> datetime | None:
        """The time after which the index accepts no more files of this version; None if unknown.

        By the earliest upload on its page; a deleted file may have been earlier.
        """
        uploads = [file.uploaded_at for file in self.files if file.uploaded_at]
        return min(uploads) + UPLOADS_AFTER_THE_FIRST if self.closes_to_uploads and uploads else None

    @property
    def closes_to_uploads(self) -> bool:
        """Whether the index stops accepting files some days after the first; known of PyPI and TestPyPI."""
        return self.channel.is_public_index and bool(self.files)

    @property
    def all_yanked(self) -> bool:
        """Whether the version has files and every one is yanked."""
        return bool(self.files) and not self.catching_up and all(file.yanked for file in self.files)

    @cached_property
    def newest_final(self) -> Version | None:
        """The greatest final version of the index that is not yanked."""
        versions = (Version(found.version) for found in self.project.releases if not found.yanked)
        return max((version for version in versions if not version.is_prerelease), default=None)

    @cached_property
    def newest_of_line(self) -> Version | None:
        """The greatest version of the same major.minor line on the index, yanked ones too."""
        versions = (Version(found.version) for found in self.project.releases)
        return max((version for version in versions if _line(version) == _line(self.version)), default=None)

    def is_newer_of_line(self, version: Version) -> bool:
        """Whether a version is greater than this one and of the same major.minor line."""
        return _line(version) == _line(self.version) and version > self.version


def _line(version: Version) -> tuple[int, int, int]:
    return version.epoch, version.major, version.minor


_LONGEST = 200
"""Longest part of a name that is read, in characters."""
_MOST_PARTS = 12
_ARCHIVE = re.compile(
    r"\.(?:whl|egg|zip|tar|tgz|tbz2?|txz|tlz|gz|bz2|xz|lz|lzma|z|zst|br|7z|rar|exe|msix?|rpm|deb|apk|dmg|pkg|conda|pyz|pex|jar)",
    re.IGNORECASE,
)
_PART = re.compile(r"\d+|[a-z]+", re.IGNORECASE)
_LONGER = re.compile(
    r"[._]\d+(?!\d|z\b)|[-._]?(?:a|b|c|rc|alpha|beta|pre|preview|post|rev|r|dev)[-._]?\d|[+!]", re.IGNORECASE
)
"""What follows a version that goes on: `0.2` is none of `0.2.1` or `0.2rc1`; `.7z` goes on nowhere."""


def may_be_of_version(filename: str, name: str, version: Version) -> bool:
    """
    Whether a listed file without a readable version may be of this version.

    It may if its name contains the version, in any spelling; or if it starts with the project's `name`
    (normalized) or is an archive, and no version can be read from it.
    """
    if _is_of_another_project(filename, name):
        return False
    text = filename[:_LONGEST]
    own = re.match("[-_.]*".join(map(re.escape, name.split("-"))), text, re.IGNORECASE)
    rest = text[own.end() :] if own else text
    wanted = (version, Version(version.public))
    is_told = False
    for found, goes_on, is_clear in _versions(rest):
        if found in wanted and not goes_on:
            return True
        is_told = is_told or is_clear
    return not is_told and (own is not None or _ARCHIVE.fullmatch(text, max(text.rfind("."), 0)) is not None)


def _is_of_another_project(filename: str, name: str) -> bool:
    """Whether it is a wheel with a readable name of another project."""
    if filename.count("-") > _MOST_PARTS:
        return False
    try:
        return parse_wheel_filename(filename)[0] != name
    except InvalidWheelFilename:
        return False


def _versions(text: str) -> Iterator[tuple[Version, bool, bool]]:
    """Each version in the text, whether it continues, and whether it is unambiguous."""
    for first in re.finditer(r"(?<!\d)\d", text):
        start, before = first.start(), text[: first.start()].lower()
        if re.search(r"\d\.$", before):
            continue  # within a number that was looked at
        # Not the 3 of py3 or the 311 of cp311.
        alone = not before or re.search(r"(?:^|[^a-z])v?$", before) is not None
        for part in list(_PART.finditer(text, start))[:_MOST_PARTS]:
            spelt = text[start : part.end()]
            goes_on = _LONGER.match(text, part.end()) is not None
            for spelling in dict.fromkeys((spelt, spelt.replace("_", "-"), re.sub("[-_]", ".", spelt))):
                if found := parse_version(spelling):
                    clear = alone and (not before.strip("-_.v") or "." in spelling)
                    yield found, goes_on, clear
