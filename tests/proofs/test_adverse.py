"""The adverse-fact matrix: a true, complete, bad fact is seen wherever it is, or the table says why it is harmless."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from release_state.verdict.check import CheckInfo
from tests.proofs.adverse.fact import Cell
from tests.proofs.adverse.matrix import CELLS, FACTS, Matrix
from tests.proofs.adverse.page import with_matrix
from tests.proofs.adverse.places import PLACES
from tests.proofs.adverse.sample import sample
from tests.proofs.adverse.worlds import WORLDS
from tests.support.every import part_of
from tests.support.judged import CHECKS
from tests.support.made_page import PAGE

ELSEWHERE = {
    "AUDIT-1": "tests/audit/test_audit_run.py::test_while_github_is_silent_nothing_is_green",
    "TAG-14": "tests/checks/test_checks.py::test_a_tag_that_fits_the_published_files_best_is_no_blocking_finding",
    "FLEET-1": "tests/fleet/test_fleet.py::test_one_row_a_project",
}
"""Blocking checks that are of many projects, of silent sources, or find what they find as advice; what proves them."""
BLOCKING = [check for check in CHECKS.values() if check.blocking and check.id not in ELSEWHERE]


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    """The green worlds, each built when it is first needed."""
    with Matrix() as made:
        yield made


@pytest.fixture(scope="module")
def chosen(pytestconfig: pytest.Config) -> tuple[Cell, ...]:
    """The cells of this run."""
    part = part_of(pytestconfig)
    return sample(CELLS) if part is None else tuple(part.of(CELLS))


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
def test_no_adverse_fact_is_green(world: str, chosen: tuple[Cell, ...], matrix: Matrix) -> None:
    wrong = [found for cell in chosen if cell.green.name == world and (found := matrix.wrong(cell))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("check", BLOCKING, ids=[check.id for check in BLOCKING])
def test_every_blocking_check_has_an_adverse_fact(check: CheckInfo, matrix: Matrix) -> None:
    """A new check brings its adverse facts: of one of them it says so itself, in one of the worlds of its phases."""
    name, phases = check.id, {phase.value for phase in check.phases} or {"audit"}
    facts = [fact for fact in FACTS.values() if name in fact.checks]
    assert facts, f"{name} blocks, and no fact in tests/proofs/adverse/ is adverse to it"
    bare = [place for place in PLACES.values() if not (place.others or place.kept or place.late)]
    alone = [
        Cell(fact, place, green)
        for fact in facts
        for place in bare
        for green in WORLDS.values()
        if green.place in phases and fact.where(green) and fact.why_not(green, place) is None
    ]
    assert any(name in each.blocking for cell in alone for each in matrix.judged(cell)), f"{name} saw none of its facts"


def test_what_is_proven_elsewhere_is_there() -> None:
    for check, where in ELSEWHERE.items():
        file, _, function = where.partition("::")
        assert CHECKS[check].blocking
        assert f"def {function}(" in (Path(__file__).parent.parent.parent / file).read_text(encoding="utf-8")


def test_every_fact_place_and_world_is_in_the_sample() -> None:
    cells = sample(CELLS)
    assert {cell.fact.name for cell in cells} == set(FACTS)
    assert {cell.place.name for cell in cells} >= {name for name in PLACES if name != "alone"}
    assert {cell.green.name for cell in cells} == set(WORLDS)
    assert all(check in CHECKS for fact in FACTS.values() for check in fact.checks)


def test_the_page_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_matrix(text) == text, "python -m tests.proofs.adverse.page --write"
