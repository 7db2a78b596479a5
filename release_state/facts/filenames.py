"""The version and the kind that a file's name says, for one project. Pure.

Names are read as pypi-simple reads them, which costs the import of an HTML parser; tests compare the two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

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
