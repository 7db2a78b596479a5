"""Which names of refs git refuses beside which others (pure): a ref is a file, and cannot be a folder too."""

from __future__ import annotations

from collections.abc import Iterable


def excludes(wanted: str, there: str) -> bool:
    """Whether git refuses to create a ref beside another: one's name is the folder of the other."""
    return wanted.startswith(f"{there}/") or there.startswith(f"{wanted}/")


def excluding(wanted: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the names that keep git from creating a ref."""
    return tuple(name for name in names if excludes(wanted, name))


def differs_by_case(wanted: str, there: str) -> bool:
    """Whether two names meet in one file or folder where a file system takes both cases for the same."""
    for one, other in zip(wanted.split("/"), there.split("/"), strict=False):
        if one != other:
            return one.casefold() == other.casefold()
    return False
