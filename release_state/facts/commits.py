"""Classify commit messages by Conventional Commits and by commitizen's rules (pure).

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
"""The default types of python-semantic-release's conventional parser."""

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
    """The level of a message; None if it does not follow Conventional Commits or has another type."""
    title = _TITLE.match(message)
    if title is None or (types is not None and title["type"] not in types):
        return None
    if title["breaking"] or _BREAKING.search(message):
        return "major"
    # Rule 15 of the specification: a type may have any case.
    name = title["type"] if types is not None else title["type"].lower()
    return "minor" if name in minor else "patch" if name in patch else "none"


def classify_for_commitizen(message: str) -> Level | None:
    """The level of a message by commitizen's standard rules, by all its lines."""
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
    """The version after `last` (None: the first); None if no release is due.

    Without `major_on_zero`, a breaking change of a 0.x version raises its second number.
    """
    if level == "none":
        return None
    major, minor, patch = (last.major, last.minor, last.micro) if last else (0, 0, 0)
    if level == "major" and major == 0 and not major_on_zero:
        level = "minor"
    if level == "major":
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if level == "minor" else f"{major}.{minor}.{patch + 1}"


def count_levels(last_tag: str | None, commits: Iterable[tuple[str, str, Level | None]]) -> Counted:
    """Count commits since a tag (hash, subject, level; newest first), and select those to show."""
    counted = [CountedCommit(sha=sha, subject=subject[:_SUBJECT], level=level) for sha, subject, level in commits]
    counts = Counter(commit.level for commit in counted)
    highest = find_highest(counts)
    others = [commit for commit in counted if commit.level is None]
    return Counted(
        last_tag=last_tag,
        total=len(counted),
        levels={level: counts[level] for level in ORDER if counts[level]},
        decisive=tuple(commit for commit in counted if commit.level == highest != "none")[:_DECISIVE],
        not_conventional=tuple(others[:_SHOWN]),
        not_conventional_count=len(others),
    )
