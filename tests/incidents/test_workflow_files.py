"""Releases that failed because of the workflow file, and files that only look like it."""

from __future__ import annotations

import pytest

from release_state.facts.release import Release
from release_state.model.outcome import Outcome
from release_state.model.snapshot import Snapshot
from release_state.plan.recovery import Recovery
from tests.incidents.workflows import read_workflows
from tests.proofs.alarms import ASKED
from tests.support.judged import CHECKS, ended

REPORTS = list(read_workflows())


@pytest.mark.parametrize(
    ("expected", "state"), [each[1:] for each in REPORTS], ids=[name.replace(" ", "-") for name, *_ in REPORTS]
)
def test_a_reported_workflow_file(expected: frozenset[str], state: Snapshot) -> None:
    recovery = Recovery(Release(state))
    outcomes = {name: ended(CHECKS[name], recovery)[0] for name in (*ASKED, "WORKFLOW-14")}
    assert {name for name, outcome in outcomes.items() if outcome is Outcome.ACTION_NEEDED} == expected
