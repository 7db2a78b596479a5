"""Each log has its right answer: the scenario, the decisive words first, and never more than three lines."""

from __future__ import annotations

import pytest

from release_state.facts.logs.explanation import explain_log
from release_state.facts.logs.lines import parse_log
from tests.incidents.cases import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_log(case: Case) -> None:
    found = explain_log(parse_log(case.text.replace("\n\n", "\n")), succeeded=case.succeeded)
    assert (found.known.scenario if found.known else None) == case.scenario
    assert len(found.lines) <= 3
    if case.says:
        assert any(case.says in line for line in found.lines[:2]), found.lines
    if found.known:
        assert found.line and found.known.fix and found.known.version
