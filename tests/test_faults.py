"""The fault matrix: whatever breaks on the way to a source, a run says so or says the truth."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.gateway import Gateway
from tests.faults.kinds import FAULTS, Fault
from tests.faults.matrix import Matrix
from tests.faults.rows import ROWS, RowOf, rows_of
from tests.faults.states import STATES, Stage


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    """The states of the world, and the gateway in front of them."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{path}.key", "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.key").read_text())
    with ExitStack() as stack:
        gateway = stack.enter_context(Gateway(path))
        stages = {name: stack.enter_context(Stage(state)) for name, state in STATES.items()}
        yield Matrix(gateway, stages)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_no_fault_makes_a_run_lie(fault: Fault, matrix: Matrix) -> None:
    wrong = matrix.wrong(fault, ROWS.values())
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("state", STATES)
def test_every_request_has_a_row(state: str, matrix: Matrix) -> None:
    ran = matrix.run(state)

    row_of = RowOf(ROWS.values())
    asked = {f"{each.method} {each.service} {each.target}": row_of(each) for each in ran.visit.asked}
    assert [request for request, row in asked.items() if row is None] == [], "give it a row in tests/faults/rows.py"
    unasked = [row.name for row in rows_of(state) if not any(row.claims(each) for each in ran.visit.asked)]
    assert unasked == [], "no run asks this any more"
