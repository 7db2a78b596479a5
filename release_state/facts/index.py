"""Facts from the package index, and the possible versions of an unreadable file name (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from release_state.common.text import join_items
from release_state.facts.filenames import find_wheel_gap, needs_many_machines
from release_state.facts.git import Facts
from release_state.facts.wheels import Gap
from release_state.model.observation import NotObserved, Problem
from release_state.model.snapshot import IndexFile, IndexProject
from release_state.model.target import parse_version, read_version

UPLOADS_AFTER_THE_FIRST = timedelta(days=14)
"""The time in which PyPI and TestPyPI accept more files, since 2026-07-08 (warehouse, `forklift/legacy.py`)."""


class IndexFacts(Facts):
    """What the index knows about a version."""

    def find_page_on(self, channel: str) -> IndexProject:
        """The project's page on a channel's index, even in quarantine."""
        if (page := self.snapshot.index.get(channel)) is None:
            raise NotObserved(Problem(source=f"index {channel}", why="not looked up in this run"))
        return page.present()

    def find_project_on(self, channel: str) -> IndexProject:
        """The project's page on a channel's index. Raises NotObserved if a quarantine hides its files."""
        page = self.find_page_on(channel)
        if page.status == "quarantined" and not page.releases:
            why = "the project is quarantined, and its files are hidden (PEP 792)"
            remedy = "ask the index's administrators, and check again after the quarantine"
            raise NotObserved(Problem(source=f"index {channel}", why=why, remedy=remedy))
        return page

    @cached_property
    def project(self) -> IndexProject:
        """The project's page on this channel's index. Raises NotObserved if it may hide this version."""
        page = self.find_project_on(self.channel.name)
        if not (page.files or page.catching_up):
            self.refuse_ambiguous(page, self.version, self.channel.name)
            self._refuse_missing(page)
        return page

    def _refuse_missing(self, page: IndexProject) -> None:
        """Raise NotObserved if a version without files was or may have been published before."""
        witness, version = self.snapshot.witness, str(self.version)
        if version in page.listed_without_files or (witness.unavailable and witness.unavailable.source == "snapshot"):
            return
        if found := witness.known():
            where = f" ({found.html_url})" if found.html_url else ""
            why = f"it has no file of {version} now, but had: {found.what}, {found.at:%Y-%m-%d %H:%M} UTC{where}"
            remedy = (
                f"look at {self.target.index_page}, and ask the index's administrators: it may have quarantined this "
                "release, which hides its files; where they were deleted, release the next version"
            )
            raise NotObserved(Problem(source=f"index {self.channel.name}", why=why, remedy=remedy))

    def refuse_ambiguous(self, page: IndexProject, version: Version, channel: str) -> None:
        """Raise NotObserved if an unreadable file name may be the only file of this version."""
        if page.lists_versions and not page.lists_empty(version):
            return
        if doubtful := [name for name in page.skipped if may_be_of_version(name, self.target.name, version)]:
            why = f"no version can be read from the name of {join_items(doubtful, 3)}, which may be {version}"
            remedy = "open that file on the index: it must have the name of a wheel or sdist, or be deleted, or the "
            remedy += "index must list its versions (PEP 700)"
            raise NotObserved(Problem(source=f"index {channel}", why=why, remedy=remedy))

    @property
    def files(self) -> tuple[IndexFile, ...]:
        """The published files of this version, also yanked ones."""
        return self.project.files

    @property
    def catching_up(self) -> tuple[str, ...]:
        """Published files that the Simple API does not list yet."""
        return self.project.catching_up

    @property
    def is_published(self) -> bool:
        """Whether the index has a file of this version, even a yanked or not yet listed one."""
        return bool(self.files or self.catching_up)

    @property
    def missing_kinds(self) -> tuple[str, ...]:
        """The expected kinds of file that are not published."""
        kinds = {file.kind for file in self.files}
        kinds |= {"wheel" if name.endswith(".whl") else "sdist" for name in self.catching_up}
        return tuple(kind for kind in self.target.expected_files if kind not in kinds)

    @cached_property
    def wheel_gap(self) -> Gap:
        """The wheels that the version before had and this one lacks; none where the whole kind is missing.

        Where the configuration says which files are expected, none of them is missing without an explanation.
        """
        gap = find_wheel_gap(self.project, self.version)
        if "expected-files" not in self.target.given:
            return gap
        return Gap(gap.version, likely_dropped=(*gap.unexplained, *gap.likely_dropped))

    @property
    def missing(self) -> tuple[str, ...]:
        """What is not published, in words: expected kinds of file, and wheels that the version before had."""
        wheels = join_items(self.wheel_gap.unexplained, 4)
        return (*self.missing_kinds, *([f"wheels for {wheels.replace(';', ',')}"] if wheels else []))

    @property
    def needs_many_machines(self) -> bool:
        """Whether no single machine can build all files: a release has wheels for certain platforms."""
        by_jobs = any(publisher.platform_wheels for publisher in self.target.process.publishers)
        return by_jobs or needs_many_machines(self.project)

    @property
    def accepts_files_until(self) -> datetime | None:
        """The end of uploads by the earliest file on the page, though a deleted one may be older; None if unknown."""
        uploads = [file.uploaded_at for file in self.files if file.uploaded_at]
        return min(uploads) + UPLOADS_AFTER_THE_FIRST if self.closes_to_uploads and uploads else None

    @property
    def closes_to_uploads(self) -> bool:
        """Whether the index accepts no files some days after the first; known of PyPI and TestPyPI."""
        return self.channel.is_public_index and bool(self.files)

    @property
    def all_yanked(self) -> bool:
        """Whether the version has files and every one is yanked."""
        return bool(self.files) and not self.catching_up and all(file.yanked for file in self.files)

    @cached_property
    def newest_final(self) -> Version | None:
        """The greatest final version on the index that is not yanked."""
        return max(self.final_versions, default=None)

    @property
    def final_versions(self) -> tuple[Version, ...]:
        """The final versions on the index that are not yanked."""
        versions = (read_version(found.version) for found in self.project.releases if not found.yanked)
        return tuple(version for version in versions if not version.is_prerelease)

    @cached_property
    def newest_of_line(self) -> Version | None:
        """The greatest version of the same major.minor line on the index, also a yanked one."""
        versions = (read_version(found.version) for found in self.project.releases)
        return max((version for version in versions if _line(version) == _line(self.version)), default=None)

    def is_newer_of_line(self, version: Version) -> bool:
        """Whether a version is greater than this one and of the same major.minor line."""
        return _line(version) == _line(self.version) and version > self.version


def _line(version: Version) -> tuple[int, int, int]:
    return version.epoch, version.major, version.minor


_LONGEST, _MOST_PARTS = 200, 12
"""The characters and parts of a name that are read."""
_ARCHIVE = re.compile(
    r"\.(?:whl|egg|zip|tar|tgz|tbz2?|txz|tlz|gz|bz2|xz|lz|lzma|z|zst|br|7z|rar|exe|msix?|rpm|deb|apk|dmg|pkg|conda|pyz|pex|jar)",
    re.IGNORECASE,
)
_PART = re.compile(r"\d+|[a-z]+", re.IGNORECASE)
_LONGER = re.compile(
    r"[._]\d+(?!\d|z\b)|[-._]?(?:a|b|c|rc|alpha|beta|pre|preview|post|rev|r|dev)[-._]?\d|[+!]", re.IGNORECASE
)
"""The continuation of a version: `0.2` is not `0.2.1` or `0.2rc1`; `.7z` continues nothing."""


def may_be_of_version(filename: str, name: str, version: Version) -> bool:
    """Whether a file name without a readable version may be of this version of the project `name` (normalized).

    It may if it contains the version in any spelling, or if it contains no version, and is an archive or starts with
    `name`.
    """
    if _is_of_another_project(filename, name):
        return False
    text = filename[:_LONGEST]
    own = re.match("[-_.]*".join(map(re.escape, name.split("-"))), text, re.IGNORECASE)
    rest = text[own.end() :] if own else text
    wanted = (version, Version(version.public))
    versions = list(_parse_versions(rest))
    if any(version in wanted and not continues for version, continues, _ in versions):
        return True
    is_archive = _ARCHIVE.fullmatch(text, max(text.rfind("."), 0)) is not None
    return not any(is_clear for _, _, is_clear in versions) and (own is not None or is_archive)


def _is_of_another_project(filename: str, name: str) -> bool:
    if filename.count("-") > _MOST_PARTS:
        return False
    try:
        return parse_wheel_filename(filename)[0] != name
    except InvalidWheelFilename:
        return False


def _parse_versions(text: str) -> Iterator[tuple[Version, bool, bool]]:
    """Each possible version in the text, whether it continues, and whether it is unambiguous."""
    for first in re.finditer(r"(?<!\d)\d", text):
        start, before = first.start(), text[: first.start()].lower()
        if re.search(r"\d\.$", before):
            continue  # inside the previous number
        is_alone = not before or re.search(r"(?:^|[^a-z])v?$", before) is not None  # not in py3 or cp311
        for part in list(_PART.finditer(text, start))[:_MOST_PARTS]:
            spelt = text[start : part.end()]
            continues = _LONGER.match(text, part.end()) is not None
            for spelling in dict.fromkeys((spelt, spelt.replace("_", "-"), re.sub("[-_]", ".", spelt))):
                if version := parse_version(spelling):
                    yield version, continues, is_alone and (not before.strip("-_.v") or "." in spelling)
