"""Which version a file of an index may be of whose name follows no known form (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from release_state.model.target import parse_version

_LONGEST = 200
"""Characters of a name that are looked at."""
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
    Whether a file that the project's page lists, and whose version cannot be read, may be of this version.

    It may where its name has the version in it, in whatever spelling; or where it begins with the project's `name`
    (normalized), or is an archive, and no version at all can be worked out.
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
    """Whether it is a wheel whose name can be read: there no dash can be of the project's name."""
    if filename.count("-") > _MOST_PARTS:
        return False
    try:
        return parse_wheel_filename(filename)[0] != name
    except InvalidWheelFilename:
        return False


def _versions(text: str) -> Iterator[tuple[Version, bool, bool]]:
    """Every version that a part of the text spells; whether it goes on behind; whether it can be nothing else."""
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
