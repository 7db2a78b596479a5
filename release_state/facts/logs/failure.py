"""What a known failure is: the words that show it, the finding, the fix, and what becomes of the version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import cached_property

NOTHING = "nothing was published"
"""What a meaning says where the upload was not reached; not shown where the log has an upload before."""


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
    words: str
    """A regular expression; it ignores case and searches a statement of at most 4,000 characters."""
    meaning: str
    fix: str
    version: Completion
    rank: Rank = Rank.CAUSE
    anywhere: bool = False
    """Whether it counts in any step: GitHub writes it after, or without, the step that it is about."""
    step: str = ""
    """A regular expression of the step's command, in which alone the words mean this; empty: in any."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The words, compiled when a log is read: most runs read none."""
        return re.compile(self.words, re.IGNORECASE)

    def shows_in(self, text: str, step: str | None) -> bool:
        """Return whether a statement of a step shows it."""
        is_of_step = not self.step or re.search(self.step, step or "", re.IGNORECASE) is not None
        return is_of_step and self.pattern.search(text) is not None


def define(
    scenario: str,
    words: str,
    meaning: str,
    fix: str,
    version: Completion = Completion.SAME,
    rank: Rank = Rank.CAUSE,
    *,
    anywhere: bool = False,
    step: str = "",
) -> KnownFailure:
    """Return a row."""
    return KnownFailure(scenario, words, meaning, fix, version, rank, anywhere, step)
