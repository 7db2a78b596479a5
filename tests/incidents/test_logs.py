"""Each log has its right answer: the scenario, the decisive words first, and never more than three lines."""

from __future__ import annotations

import pytest

from release_state.facts.logs.explanation import explain_log
from release_state.facts.logs.lines import parse_log
from tests.incidents.cases import CASES, Case
from tests.incidents.forms import step
from tests.incidents.runs import RUNS, Run


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_log(case: Case) -> None:
    found = explain_log(parse_log(case.text.replace("\n\n", "\n")), succeeded=case.succeeded)
    assert (found.known.scenario if found.known else None) == case.scenario
    assert len(found.lines) <= 3
    if case.says:
        assert any(case.says in line for line in found.lines[:2]), found.lines
    if found.known:
        assert found.line and found.known.fix and found.known.version


@pytest.mark.parametrize("run", RUNS, ids=[run.name for run in RUNS])
def test_a_run(run: Run) -> None:
    found = explain_log(parse_log(run.text))
    assert (found.known.scenario if found.known else None) == run.scenario
    assert (found.version.name.lower() if found.version else None) == run.version
    assert run.uploaded is None or found.after_upload == run.uploaded
    assert any(run.says in line for line in found.lines), found.lines
    assert len(found.lines) <= 3


@pytest.mark.parametrize("text", [*(run.text for run in RUNS), *(case.text for case in CASES if not case.succeeded)])
def test_what_a_step_said_that_went_well_is_no_cause(text: str) -> None:
    lines = [line.replace("##[error]", "") for line in text.split("\n") if "Process completed with exit" not in line]
    begun = [line for line in lines if "Post job cleanup" not in line and "Cleaning up orphan" not in line]
    after = step("./finish", "it went otherwise than thought", code=3)
    known = explain_log(parse_log("\n".join([*step("./begin", code=None), *begun, *after]))).known
    assert known is None, known
