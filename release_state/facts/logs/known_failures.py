"""Known failures of release runs: the words of the log, the scenario, the finding and the fix.

Scenarios: A branch exists, B tag exists, C version is published, D no pull request.
The first match of a rank counts: a cause comes before its effects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum


class Rank(IntEnum):
    """What a line shows: the cause of a failure, skipped work (also in a successful run), or only that it failed."""

    CAUSE = 1
    SKIPPED = 2
    EFFECT = 3


@dataclass(frozen=True)
class KnownFailure:
    """A known failure: the lines that show it, its scenario, the finding and the fix."""

    scenario: str
    pattern: re.Pattern[str]
    meaning: str
    fix: str
    rank: Rank = Rank.CAUSE
    anywhere: bool = False
    """Whether it counts anywhere in the log: GitHub writes it after the error that it explains."""


def _known(
    scenario: str, pattern: str, meaning: str, fix: str, rank: Rank = Rank.CAUSE, anywhere: bool = False
) -> KnownFailure:
    return KnownFailure(scenario, re.compile(pattern, re.IGNORECASE), meaning, fix, rank, anywhere)


KNOWN_FAILURES = (
    _known(
        "time limit",
        r"exceeded the maximum execution time of",
        "The job exceeded its time limit; GitHub shows such a run as cancelled.",
        "Find the step that hung, and check which of branch, tag and files the run created",
        anywhere=True,
    ),
    _known(
        "D",
        r"not permitted to create or approve pull requests",
        "The repository's settings do not let Actions create pull requests.",
        "Allow it in Settings > Actions > General > Workflow permissions, and create this pull request yourself",
    ),
    _known(
        "D",
        r"\bno commits between\b",
        "The release branch has no commit that the base branch lacks, so GitHub creates no pull request.",
        "Check whether the base branch has the released commit: then no pull request is needed",
    ),
    _known(
        "D",
        r"a pull request (?:for branch .{1,400} )?already exists",
        "The release branch already has a pull request.",
        "Compare its title and base with the release, and continue with it",
    ),
    _known(
        "A",
        # A step that says "skipping" did not fail.
        r"^(?!.*\bskipp).*\ba branch named .{1,300} already exists",
        "The run could not create its release branch: the name exists.",
        "Back up what you need from the branch, delete it, and start the run again with the same inputs",
    ),
    _known(
        "B",
        r"^(?!.*\bskipp).*\btag '?.{1,300} already exists|updates were rejected because the tag already exists",
        "The run could not create its tag: the name exists.",
        "If the tag is on the intended commit, complete the release; if not, delete and recreate it",
    ),
    _known(
        "protected branch",
        r"\bGH006\b|\bGH013\b|protected branch hook declined|push declined due to repository rule violations",
        "Branch protection or a ruleset refused the push.",
        "Let the workflow's identity bypass the rule, or push to a branch that no rule covers",
    ),
    _known(
        "permission",
        r"resource not accessible by (?:integration|personal access token)"
        r"|permission to .{1,300} denied to |write access to repository not granted",
        "The run's token lacks a right.",
        "Give the job `contents: write` and `pull-requests: write`, and check that the settings allow them",
    ),
    _known(
        "trusted publisher",
        r"trusted publishing exchange failure|\binvalid-publisher\b",
        "The index does not accept this workflow as a trusted publisher.",
        "Compare owner, repository, workflow file and environment with the index's publisher; check `id-token: write`",
    ),
    _known(
        "index credentials",
        r"invalid or non-existent authentication information",
        "The index refused the upload's credentials.",
        "Renew the upload token, or use trusted publishing",
    ),
    _known(
        "C",
        r"\bfile already exists\b|\bfilename has already been used\b|\bfile name reuse\b",
        "The index refused a file: it has or had one of this name.",
        "Check what is published; a used version stays used: complete this one, or release the next",
    ),
    _known(
        "upload time-out",
        r"^(?=.*(?:upload|twine|pypi|legacy/)).*?"
        r"(?:timed ?out|gateway time-?out|timeouterror|\b50[234][ :]+(?:bad|service|gateway|server))"
        r"|\bread ?timed ?out\b|\breadtimeout",
        "The upload to the index timed out; some files may have arrived.",
        "Check which files the index has before you upload again",
    ),
    _known(
        "rate limit",
        r"\brate limit (?:is |was |has been )?(?:exceeded|reached|used up)|exceeded a secondary rate limit"
        r"|triggered an abuse detection",
        "The run exceeded GitHub's rate limit.",
        "Wait until the limit resets, check what the run created, and complete it",
    ),
    _known(
        "push rejected",
        r"\[rejected\].{0,400}\((?:non-fast-forward|fetch first)\)",
        "The remote branch has commits that the run lacked: another run or a push came first.",
        "Find out who pushed what, and let no two release runs overlap",
    ),
    _known(
        "D",
        r"\b(?:creating pull request|pull request create) failed",
        "The run could not create the release's pull request.",
        "Check whether one exists for this head and base; else create it with the right title and body",
    ),
    _known(
        "C",
        r"\balready exists on .{1,60}?\bskipp|\bversion .{1,60} already (?:exists|published)\b.{0,60}?\bskipp"
        r"|\bskipping .{1,200} because it appears to already exist"
        r"|\breleased['\"]?\s{0,3}[=:]\s{0,3}['\"]?skipped\b",
        "The index already had the version: the run published nothing, and may have skipped later steps.",
        "If that was intended, check tag, GitHub Release and pull request; else release the next version",
        Rank.SKIPPED,
    ),
    _known(
        "cancelled",
        r"the operation was cancell?ed|the run was cancell?ed",
        "A person, a newer run or the time limit cancelled the run.",
        "Check which of branch, tag and files the run created, and how long it ran",
        Rank.EFFECT,
    ),
    _known(
        "git refused",
        r"\bexit code 128\b",
        "A git command failed (exit code 128) with an unknown message.",
        "Read the lines before it",
        Rank.EFFECT,
    ),
)


def find_fix(meaning: str) -> str:
    """The fix for a finding; empty if unknown."""
    return next((known.fix for known in KNOWN_FAILURES if known.meaning == meaning), "")
