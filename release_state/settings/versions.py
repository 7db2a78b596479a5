"""Which versions an audit judges: `--version all`, or a PEP 440 specifier."""

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
    """The versions that are judged; `text` as it is shown."""

    text: str
    specifiers: SpecifierSet

    def __contains__(self, version: Version) -> bool:
        # Pre-releases are part of a history, whether or not the specifier names one.
        return self.specifiers.contains(version, prereleases=True)


def selection(text: str) -> Selection:
    """
    The selection that a text spells.

    Raises UsageProblem on what is neither "all" nor a specifier.
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
    """
    What an audit is asked for among the given `--version`; None where single versions are.

    Raises UsageProblem where both are.
    """
    # No version of PEP 440 holds one of these characters, and no specifier goes without.
    wide = [text for text in versions if text.strip() == ALL or set(text) & set("<>=~,*") or text.startswith("!")]
    if not wide:
        return None
    if len(versions) > 1:
        others = ", ".join(shown(text) for text in versions)
        raise UsageProblem(f"--version {others}: an audit takes one --version, join specifiers with a comma: '>=2,<3'")
    return selection(wide[0].strip()).text
