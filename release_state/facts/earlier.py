"""What earlier versions published, as far as their files tell what a release consists of (pure)."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.version import Version

from release_state.facts.wheels import ANY, Gap, find_gap, parse_wheel
from release_state.model.snapshot import IndexProject, IndexRelease

MOST_EARLIER = 3
MOST_NAMES = 2_000
"""File names of earlier versions that are kept, of all together; the largest releases have some 150 files."""
_LEAST = 2
"""So many earlier versions make a habit; before, the default holds."""
_SDISTS = (".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz", ".tar.z", ".tar")


def choose_earlier(versions: Iterable[Version], version: Version) -> tuple[Version, ...]:
    """Return the last three final versions before one, the newest first."""
    finals = (each for each in versions if each < version and not each.is_prerelease)
    return tuple(sorted(finals, reverse=True)[:MOST_EARLIER])


def list_earlier(page: IndexProject) -> tuple[IndexRelease, ...]:
    """Return the earlier versions whose file names are known, the newest first."""
    return tuple(release for release in reversed(page.releases) if release.filenames)


def find_expected_kinds(page: IndexProject) -> tuple[str, ...]:
    """Return the kinds of file that any of the last three final versions has; empty if there are too few to tell."""
    earlier = list_earlier(page)
    kinds = {find_kind(name) for release in earlier for name in release.filenames}
    return tuple(kind for kind in ("sdist", "wheel") if kind in kinds) if len(earlier) >= _LEAST else ()


def find_kind(filename: str) -> str:
    """Return the kind of a file by its name: "wheel", "sdist", or empty."""
    name = filename.lower()
    return "wheel" if name.endswith(".whl") else "sdist" if name.endswith(_SDISTS) else ""


def find_wheel_gap(page: IndexProject, version: Version, built: Iterable[str] | None = None) -> Gap:
    """Return which wheels a version lacks that the version before it had: the newest one that has wheels.

    The version's files are those on the page; where `built` is given, these.
    """
    before = next((each for each in list_earlier(page) if "wheel" in map(find_kind, each.filenames)), None)
    if before is None:
        return Gap("")
    named = Version(before.version)
    return find_gap(
        before.version,
        before.filenames,
        (*(file.filename for file in page.files), *page.catching_up) if built is None else tuple(built),
        is_feature=(named.epoch, named.release[:2]) != (version.epoch, version.release[:2]),
        requires=next((file.requires_python for file in page.files if file.requires_python), None),
    )


def needs_many_machines(page: IndexProject) -> bool:
    """Return whether this or an earlier version has wheels for some platforms only."""
    names = (*(file.filename for file in page.files), *(name for each in list_earlier(page) for name in each.filenames))
    return any(wheel and ANY not in wheel.platforms for wheel in map(parse_wheel, names))
