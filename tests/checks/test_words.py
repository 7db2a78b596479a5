"""The words of the checks: a title is one short sentence that states the fact, and a finding names its fix."""

from __future__ import annotations

import inspect
import re

import pytest

from release_state.model.outcome import ActionNeeded, Statement
from tests.checks.test_checks import CASES, ended_on
from tests.support.judged import CHECKS

LONGEST_TITLE = 70


@pytest.mark.parametrize("check", CHECKS)
def test_a_title_is_one_short_sentence(check: str) -> None:
    title = CHECKS[check].title
    assert len(title) <= LONGEST_TITLE, len(title)
    assert title[0].isupper() and title.endswith(".") and title.count(". ") == 0
    assert not re.search("[;:]", re.sub("`[^`]*`", "", title)), "a title states one fact"


def test_titles_of_a_phase_differ() -> None:
    for phase in {phase for check in CHECKS.values() for phase in check.phases}:
        titles = [check.title for check in CHECKS.values() if phase in check.phases]
        assert len(titles) == len(set(titles)), phase


@pytest.mark.parametrize("check", CHECKS)
def test_a_finding_does_not_repeat_its_title(check: str) -> None:
    title = CHECKS[check].title.rstrip(".").lower()
    for name, _, snapshot, _ in CASES:
        if name != check:
            continue
        statement = ended_on(check, snapshot)[1]
        if isinstance(statement, Statement):
            assert title not in (statement.expected.lower(), statement.found.lower())
            assert not isinstance(statement, ActionNeeded) or statement.expected != statement.found


@pytest.mark.parametrize("check", CHECKS)
def test_advice_that_may_block_is_declared(check: str) -> None:
    """A run that leaves it out is not green."""
    found = CHECKS[check]
    source = inspect.getsource(found.call)
    assert bool(found.may_block) is (not found.blocking and "blocks=" in source)
