"""Conditions of workflows: what is certain before a run, and what only a run can tell."""

from __future__ import annotations

import pytest

from release_state.facts.workflow.expressions import Value, evaluate

TAG: dict[str, Value] = {
    "github.event_name": "push",
    "github.ref": "refs/tags/v1.0",
    "github.ref_type": "tag",
    "github.repository": "Example/Orbit",
    "inputs": None,
}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("", True),
        ("true", True),
        ("${{ false }}", False),
        ("github.event_name == 'push'", True),
        ("github.event_name == 'PUSH'", True),
        ("github.event_name != 'push'", False),
        ("startsWith(github.ref, 'refs/tags/v')", True),
        ("!startsWith(github.ref, 'refs/tags/')", False),
        ("github.ref_type == 'tag' && github.repository == 'example/orbit'", True),
        ("github.event_name == 'release' || contains(github.ref, '/tags/')", True),
        ("endsWith(github.ref, '.1')", False),
        ("success()", True),
        ("always() && github.event_name == 'schedule'", False),
        ("failure() || cancelled()", False),
        ("inputs.publish", False),
        ("inputs.publish == true", False),
        ("inputs.publish == 'true'", False),
        ("inputs.publish == ''", True),
        ("github.ref == 'it''s'", False),
        ("(github.event_name == 'push')", True),
        ("needs.build.outputs.publish == 'true'", None),
        ("needs.build.result == 'success' || true", True),
        ("needs.build.result == 'success' && false", False),
        ("github.event_name == 'push' && vars.ON", None),
        ("!secrets.TOKEN", None),
        ("fromJSON(needs.a.outputs.b)[0] == 1", None),
        ("contains(github.event.pull_request.labels.*.name, 'publish')", None),
        ("github.run_number > 3", None),
        ("${{ github.event_name }} == 'push'", None),
        ("contains(true, 'tru')", True),
        ("startsWith(null, 'n')", False),
        ("github.ref_type[0] || true", True),
        ("github.ref_type[0 || true", None),
        ("contains(needs.a.outputs['b'], 'x') || true", True),
        ("a ==", None),
        ("'open", None),
        ("a b", None),
        ("(" * 60 + "true" + ")" * 60, None),
        ("true " + "&& true " * 2000, None),
    ],
)
def test_a_condition(condition: str, holds: bool | None) -> None:
    assert evaluate(condition, TAG) is holds
