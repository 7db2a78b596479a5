"""What the package index says, and whether the version installs from it."""

from __future__ import annotations

from functools import cached_property

from packaging.version import Version

from release_state.model.observation import AwareDatetime, Model


class IndexFile(Model):
    """A file of the project on the index (PEP 503, 592, 658, 691, 700, 740)."""

    filename: str
    version: str
    """Normalized by PEP 440."""
    kind: str
    """"sdist", "wheel" or another package type of pypi-simple."""
    url: str
    size: int | None = None
    """Bytes, if the index says (PEP 700)."""
    sha256: str | None = None
    uploaded_at: AwareDatetime | None = None
    requires_python: str | None = None
    yanked: bool = False
    yanked_reason: str | None = None
    provenance_url: str | None = None


class IndexRelease(Model):
    """A version of the project that has files on the index."""

    version: str
    """Normalized by PEP 440."""
    file_count: int
    yanked: bool
    """Whether every file is yanked."""
    requires_python: str | None = None
    uploaded_at: AwareDatetime | None = None
    """The first upload."""
    filenames: tuple[str, ...] = ()
    """Its files that are not yanked; only of the last three final versions before the target's."""


class ProjectPage(Model):
    """The project's page on one index; with `listed` false and nothing else if there is none."""

    url: str
    """The page that was read."""
    listed: bool
    status: str | None = None
    """PEP 792: "active", "archived", "quarantined", "deprecated"; None if the index does not say."""
    status_reason: str | None = None
    listed_without_files: tuple[str, ...] = ()
    """Versions that the index lists (PEP 700) without a file: not published."""
    skipped: tuple[str, ...] = ()
    """At most fifty file names without a readable version, those that may be of the target's version first."""
    lists_versions: bool = False
    """Whether the index lists its versions (PEP 700 or the JSON API), so no unreadable name hides one."""


class IndexProject(ProjectPage):
    """The page as far as it concerns one version."""

    files: tuple[IndexFile, ...] = ()
    """The files of the target's version (by PEP 440)."""
    releases: tuple[IndexRelease, ...] = ()
    """Every version that has files, oldest first by PEP 440."""
    catching_up: tuple[str, ...] = ()
    """The first fifty files of the version that the JSON API lists and the Simple API does not list yet."""

    def lists_empty(self, version: Version) -> bool:
        """Return whether the index lists a version, in any spelling, without a file."""
        return any(Version(listed) == version for listed in self.listed_without_files)


class Installation(Model):
    """An attempt to install the version from its index into a fresh environment."""

    attempted: bool
    """False if it was not tried; `detail` says why."""
    succeeded: bool = False
    interpreter: str | None = None
    """The Python interpreter: its version and path."""
    installed_version: str | None = None
    left_out: bool = False
    filename: str | None = None
    detail: str = ""
    """The last lines of the installer's output, or the reason."""
    seconds: float = 0.0


class OpenedFile(Model):
    """A published file that was downloaded and inspected."""

    filename: str
    wrong: str = ""
    """What is wrong with it; empty: nothing."""


class Opened(Model):
    """The version's files that were not installed, each compared with what the index says about it."""

    left_out: str = ""
    """Why none was inspected."""
    files: tuple[OpenedFile, ...] = ()


class BuiltFile(Model):
    """A file that is about to be uploaded."""

    filename: str
    size: int | None = None
    """Bytes."""
    kind: str = ""
    """As of a file on the index; empty: its name is none of a distribution of the package."""
    version: str | None = None
    """The one in its name, normalized by PEP 440."""
    wrong: str = ""
    """What is wrong with what is in it; empty: nothing."""
    refused: str = ""
    """What PyPI and TestPyPI refuse of it for certain; empty: nothing that is known."""
    doubtful: str = ""
    """What the sdist beside it has otherwise, which may be meant; empty: nothing."""
    unread: str = ""
    """Why it was not inspected."""


class Built(Model):
    """The files of the folder that a run was given, without hidden ones."""

    folder: str
    files: tuple[BuiltFile, ...] = ()
    more: int = 0
    """How many files were not looked at."""


class Contents(Model):
    """What the smallest wheels of the version have, up to the first with a module."""

    empty: tuple[str, ...] = ()
    """The wheels that have none."""
    module: str = ""
    """A module in another file of the version, or of the version before; empty if none of them has one."""
    holder: str = ""
    """That file."""
    wrong: tuple[str, ...] = ()
    """What is wrong with that wheel: by its RECORD, its entry points, and the sdist."""
    doubtful: tuple[str, ...] = ()
    """What the sdist has otherwise than that wheel, which may be meant."""


class Witness(Model):
    """Evidence of a publication outside the index; never a tag or a GitHub Release, which exist without one."""

    what: str
    """In words: "release run #12 published it", "the report x.json saw it on the index"."""
    at: AwareDatetime
    html_url: str | None = None


class IndexedVersion(Model, dict=True):
    """A version of the project that has files on the index."""

    version: str
    """Normalized by PEP 440."""
    files: tuple[tuple[str, str, bool], ...]
    """Each file's name, its kind ("sdist", "wheel" or another package type), and whether it is yanked."""
    yanked_reason: str | None = None
    uploaded_at: AwareDatetime | None = None
    """The first upload, if the index says (PEP 700)."""

    # Cached: read many times for the verdict and the reports of thousands of versions.
    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of its files."""
        return frozenset(kind for _, kind, _ in self.files)

    @cached_property
    def yanked(self) -> int:
        """How many files are yanked."""
        return sum(yanked for _, _, yanked in self.files)

    @property
    def all_yanked(self) -> bool:
        """Whether every file is yanked."""
        return self.yanked == len(self.files)


class IndexHistory(ProjectPage):
    """The page with every version."""

    versions: tuple[IndexedVersion, ...] = ()
    """Oldest first by PEP 440."""
