"""The end of a check becomes its result; pytest's skip is known by its own type; what a check may be."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from release_state.model.outcome import Outcome
from release_state.verdict.check import REMEDY, conclude, list_marks, run_function
from tests.support.judged import CHECKS


def test_a_skip_by_a_plugin_is_unknown() -> None:
    result = conclude(CHECKS["TAG-11"], pytest.skip.Exception("flaky"), "x", seconds=0, where="here")
    assert (result.outcome, result.found, result.why) == (Outcome.UNKNOWN, "skipped: flaky", REMEDY)


@pytest.mark.parametrize("error", [KeyboardInterrupt("stop"), pytest.fail.Exception("no"), ValueError("broken")])
def test_any_other_exception_is_a_defect(error: BaseException) -> None:
    result = conclude(CHECKS["TAG-11"], error, "x", seconds=0, where="here")
    assert result.outcome is Outcome.DEFECT
    assert result.found.endswith("(here)")


def test_a_check_speaks_by_raising_alone() -> None:
    given: list[int] = []
    run_function(lambda number: given.append(number), {"number": 1})
    assert given == [1]
    with pytest.raises(TypeError, match="it returned bool"):
        run_function(lambda: False, {})  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match=r"sys\.exit\(0\)"):
        run_function(lambda: sys.exit(0), {})


def test_a_module_marks_its_checks_by_one_mark_or_several() -> None:
    one, other = pytest.mark.pre_release, pytest.mark.rollback
    for marks, listed in (([one, other], [one, other]), (one, [one])):
        assert list_marks(SimpleNamespace(pytestmark=marks)) == listed
    assert list_marks(SimpleNamespace()) == []


def test_where_a_check_belongs() -> None:
    assert CHECKS["CI-1"].places == "pre-release, pre-publish"
    assert CHECKS["AUDIT-1"].places == "audit"
