"""What a known failure is: the words that show it, the finding, the fix, and what becomes of the version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, IntEnum


class Rank(IntEnum):
    """What a statement shows: a failure's cause, skipped work (in a successful run too), or only that it failed."""

    CAUSE = 1
    SKIPPED = 2
    EFFECT = 3


class Completion(Enum):
    """Whether the same version can still be completed."""

    SAME = "the same version can still be completed"
    NEXT = "the version is used up: release the next one"
    DEPENDS = "the same version can be completed as long as nothing of it is published; else release the next one"


@dataclass(frozen=True)
class KnownFailure:
    """A known failure: the statements that show it, its scenario, the finding and the fix."""

    scenario: str
    pattern: re.Pattern[str]
    meaning: str
    fix: str
    version: Completion
    rank: Rank = Rank.CAUSE
    anywhere: bool = False
    """Whether it counts in any step: GitHub writes it after, or without, the step that it is about."""


def define(
    scenario: str,
    pattern: str,
    meaning: str,
    fix: str,
    version: Completion = Completion.SAME,
    rank: Rank = Rank.CAUSE,
    *,
    anywhere: bool = False,
) -> KnownFailure:
    """Return a row; the pattern ignores case and searches a statement of at most 4,000 characters."""
    return KnownFailure(scenario, re.compile(pattern, re.IGNORECASE), meaning, fix, version, rank, anywhere)
