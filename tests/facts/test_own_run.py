"""Which jobs of a workflow run wait for another one, and by which names GitHub lists them."""

from __future__ import annotations

import pytest

from release_state.facts.own_run import find_gated_jobs, find_needed_jobs, is_job_of

GATE = "gate: {needs: [build], steps: [{run: release-state --version 1}]}"
BUILD = "test: {name: Tests}, build: {needs: test}"


def flow(publish: str, gate: str = GATE) -> str:
    """A workflow with these two jobs, of which the gate needs two others."""
    return f"jobs: {{{BUILD}, {gate}, publish: {{{publish}}}}}"


@pytest.mark.parametrize(
    ("publish", "gate", "is_gated"),
    [
        ("needs: gate", GATE, True),
        ("needs: [build, gate]", GATE, True),
        ("needs: build", GATE, False),
        ("name: Upload", GATE, False),
        ("needs: gate, if: github.ref_type == 'tag'", GATE, True),
        ("needs: gate, if: always()", GATE, False),
        ("needs: gate, if: '!cancelled()'", GATE, False),
        ("needs: gate, if: always() && needs.gate.result == 'success'", GATE, True),
        ("needs: gate, if: always() && needs.gate.result == 'success' || true", GATE, False),
        ("needs: [gate, test], if: always() && needs.test.result == 'success'", GATE, False),
        ("needs: gate", GATE.replace("needs: [build]", "continue-on-error: true"), False),
        ("needs: gate", GATE.replace("{run:", "{continue-on-error: true, run:"), False),
        ("needs: gate", GATE.replace("steps: [", "steps: [{continue-on-error: true, run: df}, "), True),
    ],
)
def test_what_starts_only_after_the_gate_has_succeeded(publish: str, gate: str, is_gated: bool) -> None:
    gated = find_gated_jobs(flow(publish, gate), "gate")
    assert gated == (frozenset({"publish"}) if is_gated else frozenset())


def test_a_gate_that_is_in_no_file() -> None:
    assert find_gated_jobs(flow("needs: gate"), "elsewhere") is None
    assert find_gated_jobs("jobs: [", "gate") is None


def test_what_the_gate_needs() -> None:
    assert find_needed_jobs(flow("needs: gate"), "gate") == {"Tests", "build"}
    named = flow("needs: gate").replace("name: Tests", "name: 'Tests ${{ github.ref }}'")
    assert find_needed_jobs(named, "gate") == {"build"}
    assert find_needed_jobs("jobs: [", "gate") == frozenset()


@pytest.mark.parametrize(
    ("listed", "is_it"),
    [("build", True), ("build (3.12)", True), ("build / wheels", True), ("builder", False), ("Build", False)],
)
def test_the_names_of_a_job(listed: str, is_it: bool) -> None:
    assert is_job_of(listed, "build") is is_it
