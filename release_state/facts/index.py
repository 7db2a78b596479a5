"""Facts of the package index."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property

from packaging.version import Version

from release_state.common.text import join_items
from release_state.facts.file_names import may_be_of_version
from release_state.facts.git import Facts
from release_state.model.observation import NotObserved, Problem
from release_state.model.snapshot import IndexFile, IndexProject

UPLOADS_AFTER_THE_FIRST = timedelta(days=14)
"""How long PyPI and TestPyPI take further files of a version, since 2026-07-08 (warehouse, `forklift/legacy.py`)."""


class IndexFacts(Facts):
    """What the index knows of a version."""

    def page_on(self, channel: str) -> IndexProject:
        """The project's page on the index of a channel, whatever it shows."""
        observed = self.snapshot.index.get(channel)
        if observed is None:
            raise NotObserved(Problem(source=f"index {channel}", why="not asked for in this run"))
        return observed.present()

    def project_on(self, channel: str) -> IndexProject:
        """The project's page on the index of a channel; none while a quarantine hides what is published."""
        page = self.page_on(channel)
        if page.status == "quarantined" and not page.releases:
            why = "the project is quarantined, and its files are hidden (PEP 792)"
            remedy = "ask the index's administrators, and look again when it is out of quarantine"
            raise NotObserved(Problem(source=f"index {channel}", why=why, remedy=remedy))
        return page

    @cached_property
    def project(self) -> IndexProject:
        """The project's page on this channel's index; none while nobody knows whether it has this version."""
        page = self.project_on(self.channel.name)
        if not (page.files or page.catching_up):
            self.refuse_ambiguous(page, self.version, self.channel.name)
            self._refuse_witness(page)
        return page

    def _refuse_witness(self, page: IndexProject) -> None:
        """Raise NotObserved where a version without files was published before, or that could not be found out."""
        observed, version, name = self.snapshot.witness, str(self.version), self.channel.name
        if version in page.listed_without_files or (observed.unavailable and observed.unavailable.source == "snapshot"):
            return
        if found := observed.known():
            where = f" ({found.html_url})" if found.html_url else ""
            why = f"it has no file of {version} now, and had: {found.what}, {found.at:%Y-%m-%d %H:%M} UTC{where}"
            remedy = (
                f"look at {self.target.index_page}, and ask the index's administrators: it may have quarantined this "
                "release, which hides its files; where they were deleted, release the next version"
            )
            raise NotObserved(Problem(source=f"index {name}", why=why, remedy=remedy))

    def refuse_ambiguous(self, page: IndexProject, version: Version, channel: str) -> None:
        """Raise NotObserved where a file whose version cannot be read may be of a version that has no other file."""
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
        """Files of this version that are published and that the Simple API does not list yet."""
        return self.project.catching_up

    @property
    def is_published(self) -> bool:
        """Whether the index has a file of this version, yanked or not, listed by its Simple API already or not yet."""
        return bool(self.files or self.catching_up)

    @property
    def missing_kinds(self) -> tuple[str, ...]:
        """Which of the expected kinds of file are not published."""
        kinds = {file.kind for file in self.files}
        kinds |= {"wheel" if name.endswith(".whl") else "sdist" for name in self.catching_up}
        return tuple(kind for kind in self.target.expected_files if kind not in kinds)

    @property
    def accepts_files_until(self) -> datetime | None:
        """The time after which the index takes no further file of this version, at the latest; None: none is known.

        By the earliest upload that its page tells; one that was deleted since may have been earlier.
        """
        uploads = [file.uploaded_at for file in self.files if file.uploaded_at]
        return min(uploads) + UPLOADS_AFTER_THE_FIRST if self.closes_to_uploads and uploads else None

    @property
    def closes_to_uploads(self) -> bool:
        """Whether the index takes no further file of a version that has one for long; not known of others."""
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
        """The greatest version of the same major.minor line on the index, yanked ones too: they are used up."""
        versions = (Version(found.version) for found in self.project.releases)
        return max((version for version in versions if _line(version) == _line(self.version)), default=None)

    def is_newer_of_line(self, version: Version) -> bool:
        """Whether a version is greater than this one and of the same major.minor line."""
        return _line(version) == _line(self.version) and version > self.version


def _line(version: Version) -> tuple[int, int, int]:
    return version.epoch, version.major, version.minor
