"""Some cells of `tests.proofs.faults.install`: those in which pip itself sees no trouble, or says least about it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.proofs.faults.gateway import Gateway
from tests.proofs.faults.install import PAGE, WHEEL, installed, wrong
from tests.proofs.faults.kinds import FAULTS
from tests.proofs.faults.rows import RELEASED, Row
from tests.proofs.faults.states import STATES, Stage


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Gateway, Stage]]:
    with Gateway() as gateway, Stage(STATES[RELEASED]) as stage:
        yield gateway, stage


@pytest.mark.slow
@pytest.mark.parametrize(
    ("row", "fault", "says"),
    [
        (PAGE, "captive portal: HTML with 200", "did not see the files that the index lists"),
        (PAGE, "404 of a proxy", "did not see the files that the index lists"),
        (PAGE, "JSON of another shape", "did not see the files that the index lists"),
        (PAGE, "reset in the middle", "Connection broken|Connection reset|IncompleteRead"),
        (WHEEL, "404 of a proxy", "404"),
        (WHEEL, "captive portal: HTML with 200", "the hash of a file differs"),
        (WHEEL, "connection refused", "refused|[Cc]onnect"),
    ],
)
def test_no_fault_makes_a_version_bad(row: Row, fault: str, says: str, place: tuple[Gateway, Stage]) -> None:
    found = installed(*place, row, FAULTS[fault])
    assert not list(wrong(found))
    assert found.unavailable and re.search(says, found.unavailable.why), found
