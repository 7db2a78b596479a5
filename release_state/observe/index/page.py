"""A page of the Simple API as an index gave it, in JSON or HTML; and why an answer is none. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from packaging.version import Version

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPE = "application/vnd.pypi.simple.v1+html"

MOST_FILES = 200_000
"""Files of a project. The largest have some 30,000."""
_LONGEST_NAME = 300
_MOST_DASHES = 12
"""Dashes in a file name that is parsed: the pattern takes minutes on a hostile one."""


class NotSimple(ValueError):  # noqa: N818 - a statement about an answer
    """The response is not a page of the Simple API; the text says why, without a full stop."""


class ListedFile(Struct, frozen=True, rename="kebab"):
    """A file of a page, as PEP 691, 700 and 740 spell it. Some servers write null for what they do not know."""

    filename: str
    url: str
    """May be relative to the page's `base`."""
    hashes: dict[str, str] | None = None
    requires_python: str | None = None
    yanked: bool | str | None = None
    """A text is the reason, which may be empty."""
    size: int | None = None
    upload_time: datetime | None = None
    provenance: str | None = None
    """May be relative, as `url`."""

    @property
    def is_yanked(self) -> bool:
        """Whether it is yanked (PEP 592), with or without a reason."""
        return self.yanked is True or isinstance(self.yanked, str)

    @property
    def yanked_reason(self) -> str | None:
        """Why it is yanked, if the index says."""
        return self.yanked if isinstance(self.yanked, str) else None


class IndexPage(Struct, frozen=True):
    """A project page as the index gave it."""

    base: str
    """What its addresses are relative to."""
    files: tuple[ListedFile, ...]
    versions: tuple[str, ...] = ()
    """As the index spells them; empty if it does not list them (before PEP 700)."""
    status: str | None = None
    """PEP 792."""
    status_reason: str | None = None


def is_sane(filename: str) -> bool:
    """Whether a file name can be parsed in no time."""
    return len(filename) <= _LONGEST_NAME and filename.count("-") <= _MOST_DASHES


def check_version(version: object) -> None:
    """Raise NotSimple unless the version of a format is one that is understood (PEP 629)."""
    try:
        major = Version(str(version)).major
    except ValueError as error:  # InvalidVersion, and what int() says of thousands of digits
        raise NotSimple("the answer does not name the version of its format (PEP 629)") from error
    if major != 1:
        raise NotSimple(f"the answer has format version {version}; only 1.x is understood (PEP 629)")
