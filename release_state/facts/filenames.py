"""What file names say: version and kind of a file, and what the files of earlier versions tell of a release (pure).

Names are read as pypi-simple reads them, which costs the import of an HTML parser; tests compare the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from packaging.version import Version

from release_state.facts.wheels import ANY, Gap, find_gap, parse_wheel
from release_state.model.snapshot import IndexProject, IndexRelease

UPLOADED = (".whl", ".tar.gz", ".zip")
"""What the name of a file ends with that twine uploads and PyPI takes: https://peps.python.org/pep-0527/."""
_VERSION = r"-(?P<version>[A-Za-z0-9_.!+-]+?)"
_PLAIN_VERSION = r"-(?P<version>[A-Za-z0-9_.!+]+?)"
"""Where a dash separates what follows."""
_ARCHIVE = r"\.(?:tar|tar\.(?:bz2|gz|lz|lzma|xz|Z)|tbz|tgz|tlz|txz|zip)"
_PLATFORM = r"(?:aix|cygwin|darwin|linux|macosx|solaris|sunos|[wW]in)[-.A-Za-z0-9_]*"
_PYTHON = r"py[0-9]+\.[0-9]+"

_AFTER_PLAIN_NAME = {
    "whl": ("wheel", rf"{_PLAIN_VERSION}(?:-[0-9][^-]*?)?-.+?-.+?-.+?\.whl"),
    "egg": ("egg", rf"{_PLAIN_VERSION}(?:-{_PYTHON}(?:-{_PLATFORM})?)?\.egg"),
}
"""What follows a name without dashes, by the last part of the file name."""
_AFTER_NAME = {
    "rpm": (("rpm", rf"{_PLAIN_VERSION}-[^-]+\.[A-Za-z0-9._]+\.rpm"),),
    "msi": (("msi", rf"{_VERSION}\.{_PLATFORM}(?:-{_PYTHON})?\.msi"),),
    "exe": (("wininst", rf"{_VERSION}\.{_PLATFORM}(?:-{_PYTHON})?\.exe"),),
    "": (("dumb", rf"{_VERSION}\.{_PLATFORM}{_ARCHIVE}"), ("sdist", rf"{_VERSION}{_ARCHIVE}")),
}
"""What follows any other name."""

_Patterns = Mapping[str, Sequence[tuple[str, re.Pattern[str]]]]


def read_filename(filename: str, name: str) -> tuple[str, str] | None:
    """Return the version, as spelled, and the kind of a file of the project `name` (normalized by PEP 503).

    None if the name is of no format, or not of this project. Sources: PEP 427, 625; the formats of setuptools and
    distutils.
    """
    patterns = _compile(name)
    for kind, pattern in patterns.get(filename.rpartition(".")[2]) or patterns[""]:
        if found := pattern.fullmatch(filename):
            return found["version"], kind
    return None


@lru_cache(maxsize=64)
def _compile(name: str) -> _Patterns:
    # In ASCII: else an s matches U+017F, and a k U+212A. No index takes one for the other.
    parts = [f"(?ai:{re.escape(part)})" for part in name.split("-")]
    plain, dashed = "[_.]+".join(parts), "[-_.]+".join(parts)
    patterns = {end: ((kind, re.compile(plain + rest)),) for end, (kind, rest) in _AFTER_PLAIN_NAME.items()}
    for end, forms in _AFTER_NAME.items():
        patterns[end] = tuple((kind, re.compile(dashed + rest)) for kind, rest in forms)  # type: ignore[assignment]
    return patterns


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
