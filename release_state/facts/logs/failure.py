"""What a known failure is: the words that show it, the finding, the fix, and what becomes of the version."""

from __future__ import annotations

import re
from enum import Enum, IntEnum
from functools import cached_property

from msgspec import Struct

_NOTHING = ": nothing was published by this job."
_SOMETHING = "; an upload to the index came before it."
_FILES_FIRST = "See which files the index has, before anything else. Then: "


class Rank(IntEnum):
    """What a statement shows: a failure's cause, skipped work (in a successful run too), or only that it failed."""

    CAUSE = 1
    SKIPPED = 2
    EFFECT = 3


class Completion(Enum):
    """Whether the same version can still be completed."""

    SAME = "the same version can still be completed"
    NEXT = "the version is used up: release the next one"
    DEPENDS = "complete this version if no files, or only this build's, are published; else release the next one"


class KnownFailure(Struct, frozen=True, dict=True):
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
    uploading: bool = False
    """Whether the words mean this only in a step that uploads to an index."""
    before_upload: bool = False
    """Whether it ends a job before its upload: nothing is published then, unless the log shows another one before."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The words, compiled when a log is read: most runs read none."""
        return re.compile(self.words, re.IGNORECASE)

    def shows_in(self, text: str, step: str | None, *, uploads: bool = False) -> bool:
        """Return whether a statement of a step shows it, which `uploads` to an index or does not."""
        is_of_step = not self.step or re.search(self.step, step or "", re.IGNORECASE) is not None
        return is_of_step and (uploads or not self.uploading) and self.pattern.search(text) is not None

    def describe(self, *, after_upload: bool = False) -> str:
        """Return the finding, and whether something was published before it where that depends."""
        if not self.before_upload:
            return self.meaning
        return self.meaning.removesuffix(".") + (_SOMETHING if after_upload else _NOTHING)

    def advise(self, *, after_upload: bool = False) -> str:
        """Return the fix; where an upload came before, the index comes first."""
        if not (self.before_upload and after_upload):
            return self.fix
        return f"{_FILES_FIRST}{self.fix[:1].lower()}{self.fix[1:]}"


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
    uploading: bool = False,
    before_upload: bool = False,
) -> KnownFailure:
    """Return a row."""
    return KnownFailure(scenario, words, meaning, fix, version, rank, anywhere, step, uploading, before_upload)
