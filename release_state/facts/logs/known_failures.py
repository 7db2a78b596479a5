"""What release runs are known to fail with: the words of the log, the scenario, what it means, where to look next.

The letters are the runbook's scenarios: A branch exists, B tag exists, C version is published, D no pull request.
The order is the one in which they are believed: what names a cause comes before what only names its effect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum


class Rank(IntEnum):
    """How much a line says."""

    CAUSE = 1
    """It ends the run, and says why."""
    SKIPPED = 2
    """It ends nothing: a step found its work done already. It is all that a run that calls itself a success says."""
    EFFECT = 3
    """It only says that something went wrong."""


@dataclass(frozen=True)
class KnownFailure:
    """A failure that has a name."""

    scenario: str
    """The runbook's letter, or a name of ours."""
    pattern: re.Pattern[str]
    meaning: str
    look: str
    """What to look at next."""
    rank: Rank = Rank.CAUSE
    anywhere: bool = False
    """Whether it counts wherever the log says it: GitHub writes it after the error that it explains."""


def _known(
    scenario: str, pattern: str, meaning: str, look: str, rank: Rank = Rank.CAUSE, anywhere: bool = False
) -> KnownFailure:
    return KnownFailure(scenario, re.compile(pattern, re.IGNORECASE), meaning, look, rank, anywhere)


KNOWN_FAILURES = (
    _known(
        "time limit",
        r"exceeded the maximum execution time of",
        "The job ran into its time limit; GitHub shows such a run as cancelled.",
        "Find the step that hung, and see which of branch, tag and publication the run had made by then",
        anywhere=True,
    ),
    _known(
        "D",
        r"not permitted to create or approve pull requests",
        "The repository's settings do not let Actions create pull requests, so that the release has none.",
        "Allow it in Settings > Actions > General > Workflow permissions, and create this pull request by hand",
    ),
    _known(
        "D",
        r"\bno commits between\b",
        "The release branch holds nothing that the base branch lacks: GitHub makes no pull request of nothing.",
        "See whether the base branch has the released commit: then no pull request is needed",
    ),
    _known(
        "D",
        r"a pull request (?:for branch .{1,400} )?already exists",
        "A pull request of the release branch is there already.",
        "Compare its title and base with what the release makes, and go on with it",
    ),
    _known(
        "A",
        # "skipping": a step that is content with what it finds did not fail on it.
        r"^(?!.*\bskipp).*\ba branch named .{1,300} already exists",
        "The run could not create its release branch because one of this name is there.",
        "See what the branch holds and keep what matters, delete it, start the run again with the same inputs",
    ),
    _known(
        "B",
        r"^(?!.*\bskipp).*\btag '?.{1,300} already exists|updates were rejected because the tag already exists",
        "The run could not create its tag because one of this name is there.",
        "See whether the tag is on the intended commit: if it is, complete the release; if not, delete and recreate it",
    ),
    _known(
        "protected branch",
        r"\bGH006\b|\bGH013\b|protected branch hook declined|push declined due to repository rule violations",
        "Branch protection or a ruleset refused the push.",
        "Let the workflow's identity bypass the rule, or have the run push to a branch that no rule covers",
    ),
    _known(
        "permission",
        r"resource not accessible by (?:integration|personal access token)"
        r"|permission to .{1,300} denied to |write access to repository not granted",
        "The token of the run lacks a right.",
        "Give the job contents: write and pull-requests: write, and see that the settings do not take them away",
    ),
    _known(
        "trusted publisher",
        r"trusted publishing exchange failure|\binvalid-publisher\b",
        "The index does not accept this workflow as a trusted publisher.",
        "Compare owner, repository, workflow file and environment with the publisher on the index; id-token: write too",
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
        "The index refused a file because it has, or had, one of this name.",
        "See what is published; a used version stays used: complete this one, or release the next",
    ),
    _known(
        "upload time-out",
        r"^(?=.*(?:upload|twine|pypi|legacy/)).*?"
        r"(?:timed ?out|gateway time-?out|timeouterror|\b50[234][ :]+(?:bad|service|gateway|server))"
        r"|\bread ?timed ?out\b|\breadtimeout",
        "The upload to the index did not end in time; some of its files may be there all the same.",
        "See which files the index has before uploading again",
    ),
    _known(
        "rate limit",
        r"\brate limit (?:is |was |has been )?(?:exceeded|reached|used up)|exceeded a secondary rate limit"
        r"|triggered an abuse detection",
        "GitHub's rate limit was used up.",
        "Wait for its reset, see what the run had made by then, and complete it",
    ),
    _known(
        "push rejected",
        r"\[rejected\].{0,400}\((?:non-fast-forward|fetch first)\)",
        "The remote's branch holds commits that the run did not have: another run, or a push meanwhile.",
        "See who pushed what, and that no two release runs overlap",
    ),
    _known(
        "D",
        r"\b(?:creating pull request|pull request create) failed",
        "The release's pull request could not be created.",
        "See whether one exists for this head and base, else create it by hand with the proper title and body",
    ),
    _known(
        "C",
        r"\balready exists on .{1,60}?\bskipp|\bversion .{1,60} already (?:exists|published)\b.{0,60}?\bskipp"
        r"|\bskipping .{1,200} because it appears to already exist"
        r"|\breleased['\"]?\s{0,3}[=:]\s{0,3}['\"]?skipped\b",
        "The index had the version already: the run published nothing, and may have skipped what follows.",
        "Was it meant? Then verify tag, GitHub Release and pull request; else release the next version",
        Rank.SKIPPED,
    ),
    _known(
        "cancelled",
        r"the operation was cancell?ed|the run was cancell?ed",
        "The run was cancelled: by a person, by a newer run, or by its time limit.",
        "See which of branch, tag and publication the run had made by then, and how long it had run",
        Rank.EFFECT,
    ),
    _known(
        "git refused",
        r"\bexit code 128\b",
        "A git command refused (exit code 128), in words that are not known here.",
        "Read the lines before it",
        Rank.EFFECT,
    ),
)


def find_next_look(meaning: str) -> str:
    """What to look at next, by the meaning that was found; empty for one that is not known here."""
    return next((known.look for known in KNOWN_FAILURES if known.meaning == meaning), "")
