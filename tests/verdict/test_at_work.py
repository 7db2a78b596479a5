"""While a release run is at work, nothing that it will still make needs anybody."""

from __future__ import annotations

import itertools

import pytest
from msgspec import structs

from release_state.model.outcome import Verdict
from tests.support import rows
from tests.support import states as s
from tests.support.judged import verdict_of

RUNS = s.runs(s.run("in_progress"))
ROWS = [rows.pypi(*facts) for facts in itertools.product((True, False), repeat=4)]
ROWS += [rows.testpypi(*facts) for facts in itertools.product((True, False), repeat=2)]


@pytest.mark.parametrize("number", range(len(ROWS)))
def test_whatever_a_run_has_made_so_far_is_in_progress(number: int) -> None:
    verdict = verdict_of(structs.replace(ROWS[number], runs=RUNS))
    assert (verdict.verdict, verdict.plan.direction) == (Verdict.IN_PROGRESS, "wait"), verdict.findings
