"""The fault matrix: whatever breaks on the way to a source, a run says so or says the truth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from release_state.observe.lookups import TABLE
from tests.proofs.faults.gateway import Gateway
from tests.proofs.faults.kinds import FAULTS, Fault
from tests.proofs.faults.matrix import Matrix
from tests.proofs.faults.rows import ROWS, RowOf, rows_of
from tests.proofs.faults.states import STATES, Stage
from tests.support.every import part_of

SIXTH = 6


@pytest.fixture(scope="module")
def matrix(certificate: Path) -> Iterator[Matrix]:
    """The states of the world, and the gateway in front of them."""
    with ExitStack() as stack:
        gateway = stack.enter_context(Gateway(certificate))
        stages = {name: stack.enter_context(Stage(state)) for name, state in STATES.items()}
        yield Matrix(gateway, stages)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_no_fault_makes_a_run_lie(fault: Fault, matrix: Matrix, pytestconfig: pytest.Config) -> None:
    """Each fault in a sixth of the rows, another sixth for the next fault; with `--every-state` in every row."""
    rows = list(ROWS.values())
    if part_of(pytestconfig) is None:
        rows = rows[list(FAULTS).index(fault.name) % SIXTH :: SIXTH]
    wrong = matrix.wrong(fault, rows)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("state", STATES)
def test_every_request_has_a_row(state: str, matrix: Matrix) -> None:
    ran = matrix.run(state)

    row_of = RowOf(ROWS.values())
    asked = {f"{each.method} {each.service} {each.target}": row_of(each) for each in ran.visit.asked}
    assert [request for request, row in asked.items() if row is None] == [], (
        "give it a row in tests/proofs/faults/rows.py"
    )
    unasked = [row.name for row in rows_of(state) if not any(row.claims(each) for each in ran.visit.asked)]
    assert unasked == [], "no run asks this any more"
    wanted = STATES[state].wanted
    looked_up = {row.name for row in TABLE if wanted is None or row.asked_with in wanted}
    missing = {row.fact.split()[0] for row in rows_of(state)} - looked_up
    assert not missing, "a run with a fault does not look this up: name it in STATES or SETTINGS"
