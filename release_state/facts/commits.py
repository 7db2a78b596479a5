"""Classify commit messages by Conventional Commits, and as commitizen reads them (pure).

Sources: https://www.conventionalcommits.org/en/v1.0.0/ and https://commitizen-tools.github.io/commitizen/bump/
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

from packaging.version import Version

from release_state.model.snapshot.published import Counted, CountedCommit, Level

ORDER: tuple[Level, ...] = ("none", "patch", "minor", "major")
"""Ordered from no release to a major release."""

MINOR_TYPES, PATCH_TYPES = ("feat",), ("fix", "perf")
TYPES = (*MINOR_TYPES, *PATCH_TYPES, "build", "chore", "ci", "docs", "style", "refactor", "test")
"""The types of python-semantic-release's conventional parser, where the project names none."""

_SUBJECT, _DECISIVE, _SHOWN = 200, 10, 50
"""Limits: characters of a subject, and commits shown."""
_TITLE = re.compile(r"(?P<type>[\w-]+)(?:\([^\n]{1,200}\))?(?P<breaking>!)?: +\S")
_BREAKING = re.compile(r"^BREAKING[ -]CHANGE: ", re.MULTILINE)
_COMMITIZEN = re.compile(r"^((?:BREAKING[- ]CHANGE|\w+)(?:\(.{1,200}\))?!?):", re.MULTILINE)


def classify_message(
    message: str,
    *,
    types: Collection[str] | None = None,
    minor: Collection[str] = MINOR_TYPES,
    patch: Collection[str] = PATCH_TYPES,
) -> Level | None:
    """The level that a message calls for; None if it does not follow Conventional Commits or has another type."""
    found = _TITLE.match(message)
    if found is None or (types is not None and found["type"] not in types):
        return None
    if found["breaking"] or _BREAKING.search(message):
        return "major"
    # By the specification's rule 15 a type may be written in any case.
    name = found["type"] if types is not None else found["type"].lower()
    return "minor" if name in minor else "patch" if name in patch else "none"


def classify_for_commitizen(message: str) -> Level | None:
    """The level of a message by commitizen's standard rules: every line counts."""
    levels = [_commitizen_keyword(keyword) for keyword in _COMMITIZEN.findall(message)]
    if _TITLE.match(message):
        levels.append("none")
    return find_highest(levels) if levels else None


def _commitizen_keyword(keyword: str) -> Level:
    if keyword.endswith("!") or re.match(r"BREAKING[- ]CHANGE", keyword):
        return "major"
    if keyword.startswith("feat"):
        return "minor"
    return "patch" if keyword.startswith(("fix", "refactor", "perf")) else "none"


def find_highest(levels: Iterable[Level | None]) -> Level:
    """The highest level."""
    return max((level for level in levels if level), key=ORDER.index, default="none")


def bump_version(last: Version | None, level: Level, *, major_on_zero: bool = True) -> str | None:
    """
    The version after `last` (None: no version yet); None if no release is called for.

    Without `major_on_zero` a breaking change of a 0.x version raises its second number.
    """
    if level == "none":
        return None
    major, minor, patch = (last.major, last.minor, last.micro) if last else (0, 0, 0)
    if level == "major" and major == 0 and not major_on_zero:
        level = "minor"
    return {
        "major": f"{major + 1}.0.0",
        "minor": f"{major}.{minor + 1}.0",
        "patch": f"{major}.{minor}.{patch + 1}",
    }[level]


def count_levels(last_tag: str | None, commits: Iterable[tuple[str, str, Level | None]]) -> Counted:
    """Count commits since a tag (hash, subject, level; newest first), with those that a person should see."""
    found = [CountedCommit(sha=sha, subject=subject[:_SUBJECT], level=level) for sha, subject, level in commits]
    most = find_highest(commit.level for commit in found)
    strange = [commit for commit in found if commit.level is None]
    counts = Counter(commit.level for commit in found)
    return Counted(
        last_tag=last_tag,
        total=len(found),
        levels={level: counts[level] for level in ORDER if counts[level]},
        decisive=tuple(commit for commit in found if commit.level == most and most != "none")[:_DECISIVE],
        not_conventional=tuple(strange[:_SHOWN]),
        not_conventional_count=len(strange),
    )
