"""What a tree says of its package's version (pure)."""

from __future__ import annotations

from msgspec import Struct, structs

_LONGEST = 200
"""Characters of a version or of a reason that are kept: the tree is a stranger's."""


class Declaration(Struct, frozen=True):
    """The version of a package in a tree, as it is spelled there."""

    version: str | None = None
    """None if it is missing, cannot be read, or is computed by the build."""
    is_dynamic: bool = False
    """Whether a tool computes it while it builds, from tags for example."""
    where: str = ""
    """The file that states it; the tool that computes it; or why it cannot be read."""
    others: tuple[tuple[str, str], ...] = ()
    """Files of the package with another literal `__version__`, and that version."""

    claims: tuple[str, ...] = ()
    """Files of other projects in the tree that declare the version that was asked about."""

    def add(self, others: tuple[tuple[str, str], ...]) -> Declaration:
        """Return the declaration with the package's other versions."""
        return structs.replace(self, others=others)


NOTHING = Declaration()


def static(version: str, path: str) -> Declaration:
    """The declaration of a version that a file states."""
    if not version.strip():
        return unreadable(f"{path} states an empty version")
    return Declaration(version.strip()[:_LONGEST], where=path[:_LONGEST])


def computed(tool: str) -> Declaration:
    """The declaration of a version that a tool computes."""
    return Declaration(is_dynamic=True, where=tool[:_LONGEST])


def unreadable(why: str) -> Declaration:
    """The declaration of a version that cannot be read."""
    return Declaration(where=why[:_LONGEST])
