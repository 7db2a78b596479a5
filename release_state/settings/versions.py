"""The versions that an audit judges: `--version all`, or a PEP 440 specifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from release_state.common.errors import UsageProblem
from release_state.settings.validate import shown

ALL = "all"


@dataclass(frozen=True)
class Selection:
    """The versions to judge; `text` is shown to the user."""

    text: str
    specifiers: SpecifierSet

    def __contains__(self, version: Version) -> bool:
        # Pre-releases are part of a history even if the specifier names none.
        return self.specifiers.contains(version, prereleases=True)


def selection(text: str) -> Selection:
    """Parse a selection.

    Raises UsageProblem on anything but "all" or a specifier.
    """
    if text == ALL:
        return Selection(ALL, SpecifierSet())
    try:
        return Selection(text, SpecifierSet(text))
    except InvalidSpecifier:
        raise UsageProblem(
            f"--version {shown(text)} is neither a version, nor all, nor a PEP 440 specifier like '>=2,<3'"
        ) from None


def audited(versions: Sequence[str]) -> str | None:
    """The selection of an audit among the values of `--version`; None for single versions.

    Raises UsageProblem on a mix.
    """
    # Every specifier holds one of these characters, and no version does.
    wide = [text for text in versions if text.strip() == ALL or set(text) & set("<>=~,*") or text.startswith("!")]
    if not wide:
        return None
    if len(versions) > 1:
        others = ", ".join(shown(text) for text in versions)
        raise UsageProblem(f"--version {others}: an audit takes one --version, join specifiers with a comma: '>=2,<3'")
    return selection(wide[0].strip()).text
