"""Which jobs of a workflow run wait for another one, and by which names GitHub lists them."""

from __future__ import annotations

import pytest

from release_state.facts.own_run import find_gated_jobs, find_needed_jobs, is_gated, is_job_of
from release_state.facts.workflow.parsing import parse_workflow
from tests.support.cli import ROOT

PATH, CALLED = ".github/workflows/release.yml", ".github/workflows/build.yml"
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
        ("needs: gate", GATE.replace("--version 1", "--version 1 || true"), False),
        ("needs: gate", GATE.replace("release-state --version 1", "'release-state --version 1 || :'"), False),
        ("needs: gate", GATE.replace("--version 1", "--version 1 || exit 1"), True),
        ("needs: gate", GATE.replace("--version 1", "--version 1 | tee log"), False),
        (
            "needs: gate",
            GATE.replace("run: release-state --version 1", "run: 'set -o pipefail; release-state | tee l'"),
            True,
        ),
        (
            "needs: gate",
            GATE.replace("steps: [{", "steps: [{\n  shell: bash\n  , ").replace("--version 1", "| tee log"),
            True,
        ),
        ("needs: gate", GATE.replace("steps: [", "steps: [{run: pip install release-state | tail -1}, "), True),
        ("needs: gate", GATE.replace("steps: [", "steps: [{run: df | sort}, {run: 'true || true'}, "), True),
    ],
)
def test_what_starts_only_after_the_gate_has_succeeded(publish: str, gate: str, is_gated: bool) -> None:
    gated = find_gated_jobs(PATH, {PATH: flow(publish, gate)}, "gate")
    assert gated == (frozenset({"publish"}) if is_gated else frozenset())


def test_of_two_jobs_with_one_name_neither_is_gated_by_it() -> None:
    two = "sdist: {name: Publish, needs: gate}, wheels: {name: Publish, needs: build}, after: {needs: sdist}"
    text = flow("needs: gate").removesuffix("}") + f", {two}}}"
    assert find_gated_jobs(PATH, {PATH: text}, "gate") == frozenset({"publish", "after"})
    both = text.replace("name: Publish, needs: build", "name: Publish, needs: [build, gate]")
    assert find_gated_jobs(PATH, {PATH: both}, "gate") == frozenset({"publish", "after", "Publish"})


def test_a_gate_that_is_in_no_file() -> None:
    assert find_gated_jobs(PATH, {PATH: flow("needs: gate")}, "elsewhere") is None
    assert find_gated_jobs(PATH, {PATH: "jobs: ["}, "gate") is None


def test_what_the_gate_needs() -> None:
    assert find_needed_jobs(PATH, {PATH: flow("needs: gate")}, "gate") == {"Tests", "build"}
    named = flow("needs: gate").replace("name: Tests", "name: 'Tests ${{ github.ref }}'")
    assert find_needed_jobs(PATH, {PATH: named}, "gate") == {"build"}
    assert find_needed_jobs(PATH, {PATH: "jobs: ["}, "gate") == frozenset()


OUTER = "jobs: {lint: {}, ship: {needs: lint, uses: ./.github/workflows/build.yml}, after: {needs: ship}, alone: {}}"


def test_a_gate_inside_a_called_workflow() -> None:
    texts = {PATH: OUTER, CALLED: flow("name: 'To ${{ matrix.index }}', needs: gate")}
    gated = find_gated_jobs(PATH, texts, "gate")
    assert gated == frozenset({"ship / To ${{ matrix.index }}", "after"})
    assert is_gated("after / inner", gated) and not is_gated("afterwards", gated) and not is_gated("alone", gated)
    assert find_needed_jobs(PATH, texts, "gate") == {"ship / Tests", "ship / build", "lint"}
    assert find_gated_jobs(PATH, {**texts, CALLED: flow("name: Up")}, "gate") == frozenset({"after"})


def test_a_gate_that_may_be_one_of_two_jobs() -> None:
    twice = OUTER.replace("alone: {}", "more: {uses: ./.github/workflows/build.yml}")
    for outer in (twice, OUTER.replace("alone: {}", "gate: {steps: [{run: release-state}]}")):
        assert find_gated_jobs(PATH, {PATH: outer, CALLED: flow("needs: gate")}, "gate") is None


CALL = "octo/release-state/.github/workflows/release-state.yml@1234"


@pytest.mark.parametrize(
    ("more", "gated"),
    [
        ("verify: {needs: publish, uses: CALL, with: {phase: post-release}}", {"publish", "verify"}),
        ("early: {uses: CALL, with: {phase: pre-release}}", {"publish"}),
        ("other: {uses: octo/other/.github/workflows/build.yml@1234}", {"publish"}),
        ("early: {uses: CALL, with: {phase: '${{ inputs.phase }}'}}", None),
        ("early: {uses: CALL, with: {phase: pre-publish}}", None),
    ],
)
def test_a_gate_that_is_a_call_of_the_reusable_workflow(more: str, gated: set[str] | None) -> None:
    text = f"jobs: {{gate: {{uses: CALL, with: {{phase: pre-publish}}}}, publish: {{needs: gate}}, {more}}}"
    text = text.replace("CALL", CALL)
    assert find_gated_jobs(PATH, {PATH: text}, "release-state") == gated
    assert find_gated_jobs(PATH, {PATH: text}, "elsewhere") is None
    no_gate = text.replace("phase: pre-publish}}, publish", "phase: auto}}, publish")
    assert find_gated_jobs(PATH, {PATH: no_gate}, "release-state") in (None, frozenset())


def test_the_reusable_workflow_has_the_job_that_is_looked_for() -> None:
    text = (ROOT / ".github" / "workflows" / "release-state.yml").read_text(encoding="utf-8")
    assert [job.id for job in parse_workflow(text).jobs] == ["release-state"]


@pytest.mark.parametrize(
    ("listed", "name", "is_it"),
    [
        ("build", "build", True),
        ("build (3.12)", "build", True),
        ("build / wheels", "build", True),
        ("builder", "build", False),
        ("Build", "build", False),
        ("To pypi", "To ${{ matrix.index }}", True),
        ("To pypi (3.12)", "To ${{ matrix.index }}", True),
        ("From pypi", "To ${{ matrix.index }}", False),
        ("ship / To pypi", "ship / To ${{ matrix.index }}", True),
        ("ship (a, b) / To pypi", "ship / To ${{ matrix.index }}", True),
        ("ship", "ship / To ${{ matrix.index }}", False),
        ("Ship 👩\u200d🚀", "Ship 👩\\u200d🚀", True),
        ("Ship 👩\u200d🚀 (3.12)", "Ship 👩\u200d🚀", True),
        ("a*c", "a*c", True),
        ("abc", "a*c", False),
    ],
)
def test_the_names_of_a_job(listed: str, name: str, is_it: bool) -> None:
    assert is_job_of(listed, name) is is_it
