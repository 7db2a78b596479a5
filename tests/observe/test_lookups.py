"""The table of look-ups holds together, and each row sees the answers that it comes after and no others."""

from __future__ import annotations

from graphlib import TopologicalSorter

import pytest

from release_state.model.snapshot import LOOKUPS, Snapshot
from release_state.observe.lookups import ROWS, TABLE, TRACES, Lookup, lookups_of_phase, seen_by, with_needs
from tests.support import states as s

OBSERVED = {name for name, field in Snapshot.model_fields.items() if "Observation[" in str(field.annotation)}


def test_each_field_of_the_snapshot_has_a_row_and_each_row_a_field() -> None:
    assert {row.fills for row in TABLE} == OBSERVED - {"rate_limit"}, "GitHub's answers tell the limit"
    assert tuple(row.name for row in TABLE if not row.part_of) == LOOKUPS
    assert len(ROWS) == len(TABLE)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_row_names_others_that_there_are(row: Lookup) -> None:
    assert {*row.after, *row.needs, row.asked_with} <= ROWS.keys()
    assert bool(row.what and row.right) is not bool(row.part_of), "a check names it, so the reference describes it"
    assert row.beginning(s.target(), "part"), "its key has a beginning"
    assert bool(row.phases) or row.otherwise is None


def test_no_rows_wait_for_each_other() -> None:
    after = {row.name: {*row.after, *(TRACES if row.phases else ())} for row in TABLE}
    tuple(TopologicalSorter(after).static_order())
    assert not any(ROWS[name].phases for name in TRACES), "the phase follows from these"


def test_a_row_sees_what_those_saw_that_it_comes_after() -> None:
    assert seen_by("calculation") == {"index", "history", "remote", "clone", "pulls"}
    assert seen_by("remote") == frozenset()


def test_a_narrowed_run_asks_what_a_look_up_needs() -> None:
    assert with_needs({"opened"}) == {"opened", "index", "installation", "witness"}
    assert with_needs(LOOKUPS) == set(LOOKUPS)
    of_process = {"workflow_files", "earlier_pulls", "earlier_releases", "latest_release"}
    assert lookups_of_phase() == {"remote", "index", "pulls", "release", "drafts"} | of_process
