"""What a known failure is: words that show it, finding, fix, what becomes of the version, and how to start again."""

from __future__ import annotations

import re
from enum import Enum, IntEnum
from functools import cached_property, partial

from msgspec import Struct

from release_state.model.process import Process

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
    version: Completion = Completion.SAME
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


fail_before_upload = partial(KnownFailure, before_upload=True)
"""Make the row of a failure that ends a job before its upload."""


_FIXED = {
    "tag": "a fix needs a new commit and a tag on it",
    "release": "a fix needs a new commit, a tag on it, and a GitHub Release of that tag",
    "dispatch": "a fix needs a new commit; then start it by hand with the same inputs",
    "branch": "a fix is a new commit on that branch, which starts it again",
    "pull-request": "a fix needs the next release pull request",
}
_STARTED = {
    "tag": "a pushed tag",
    "release": "a GitHub Release",
    "dispatch": "a start by hand",
    "branch": "a push to a branch",
    "pull-request": "a merged release pull request",
    "schedule": "a schedule",
    "workflow": "the end of another workflow",
}


def describe_restart(process: Process, version: Completion, repository: str) -> str | None:
    """Return how the release of a repository goes on; None if it is not known how a person starts the upload.

    A re-run keeps the commit and the workflow file: it is enough where neither was at fault.
    """
    starts = list(dict.fromkeys((start.kind, each.workflow) for each in process.publishers for start in each.starts))
    if not starts or starts[0][0] not in _FIXED:
        return None
    kind, workflow = starts[0]
    parts = [f"in {repository}, {_STARTED[kind]} starts {workflow}"]
    parts += [f"{_STARTED[other]} starts {name}, too" for other, name in starts[1:]]
    if version is not Completion.NEXT:
        parts.append("where nothing has to change, re-run the failed jobs of the run")
    parts.append(_FIXED[kind])
    if process.version_writer is not None:
        parts.append("the run sets the version, so a new start makes the next one if the tag is there already")
    elif version is Completion.NEXT or (version is Completion.DEPENDS and kind in ("tag", "release")):
        parts.append(
            "take the next version" + " if any file of this one is published" * (version is not Completion.NEXT)
        )
    return "; ".join(parts)
