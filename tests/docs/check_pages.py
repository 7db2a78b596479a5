"""The site's page for each check: its entry of the reference, with what a run finds and how that is fixed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import PurePosixPath

from release_state.facts.release import Release
from release_state.model.outcome import Statement
from release_state.model.plan import Step
from release_state.plan.recovery import Recovery
from tests.checks.test_checks import ACTION, CASES, PROGRESS
from tests.support.judged import CHECKS, ended

FOLDER = PurePosixPath("checks")
INDEX = FOLDER / "index.md"
_OF_MANY = {
    "AUDIT-1": ("The source did not answer, and why.", "Follow what the reason says, then run the audit again."),
    "AUDIT-2": ("A source behind advice did not answer, and why.", "Give the run a token with the right, or leave it."),
    "AUDIT-3": (
        "How many versions have the trace: none, or few.",
        "If releases leave no such trace, remove it from `leaves` or `expected-files`. If they do, the settings "
        "`tag-template` or `package` are wrong.",
    ),
    "AUDIT-4": (
        "The tag of GitHub's latest release, which names another version.",
        "The plan has the command that makes the right GitHub Release the latest one.",
    ),
    "AUDIT-5": (
        "What disagrees: one of the [kinds of disagreement](../audit.md#kinds-of-disagreement).",
        "The plan has one step for each kind. Deletions are left to the run for that one version.",
    ),
    "AUDIT-6": (
        "How many versions are tagged in another spelling, and the first five.",
        "Leave them, or add tags in the usual spelling on the same commits.",
    ),
    "AUDIT-7": (
        "The waivers that have expired, or whose finding is gone or changed.",
        "Remove them from `[[tool.release-state.waiver]]`, or correct them.",
    ),
    "FLEET-1": (
        "The verdict of the project's audit or gate, and its first three findings.",
        "The project's row in the report has the findings and their fixes.",
    ),
}
"""Checks of a whole history or of many projects: no written state of one release shows them."""
_MARKUP = re.compile(r"[\\`*_{}\[\]#|<>&~!]")


def page_of(check: str) -> PurePosixPath:
    """Return the place of a check's page in the site."""
    return FOLDER / f"{check}.md"


def split(reference: str) -> dict[PurePosixPath, str]:
    """Return the pages that the reference of all checks becomes: the tables, and a page for each check."""
    head, entries = reference.split("## Every check\n", 1)
    entries, look_ups = entries.split("## Look-ups\n", 1)
    pages = {INDEX: f"{head}## Look-ups\n{look_ups}"}
    for entry in re.split(r"^### (?=[A-Z]+-\d+$)", entries, flags=re.MULTILINE)[1:]:
        check, text = entry.split("\n", 1)
        pages[page_of(check)] = "\n".join([f"# {check}", text.rstrip(), "", *_example(check)])
    return pages


def _example(check: str) -> Iterator[str]:
    """Yield what a run finds and what fixes it, in an invented project where the fact is not true."""
    statement = _statements().get(check)
    if statement is None:
        found, fix = _OF_MANY[check]
        yield from ("## Found", "", found, "", "## Fix", "", fix)
        return
    yield from ("## Found", "", "For example, of an invented project `orbit`:", "", f"> {plain(statement.found)}", "")
    if statement.expected:
        yield from (f"Expected: {plain(statement.expected)}.", "")
    yield from ("## Fix", "")
    if not statement.steps:
        yield from ("Nothing to do: a later run says more.", "")
    for number, step in enumerate(statement.steps, 1):
        yield from _step(number, step)


def _step(number: int, step: Step) -> Iterator[str]:
    yield f"{number}. {plain(step.title)}{f' **(destroys {plain(step.destroys)})**' if step.destroys else ''}"
    yield ""
    if lines := [*step.lines(), *step.verify_lines()]:
        yield from ("    ```sh", *(f"    {line}" for command in lines for line in command.splitlines()), "    ```", "")


def plain(text: str) -> str:
    """Return a text as Markdown that shows it to the letter, in one line."""
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", " ".join(text.split()))


@cache
def _statements() -> dict[str, Statement]:
    """What each check says in the first written state in which a person has to act, else something is in progress."""
    found: dict[str, Statement] = {}
    for wanted in (ACTION, PROGRESS):
        for check, _, snapshot, outcome in CASES:
            if outcome is wanted and check not in found:
                _, said = ended(CHECKS[check], Recovery(Release(snapshot)))
                if isinstance(said, Statement):
                    found[check] = said
    return found
