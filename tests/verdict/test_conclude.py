"""The end of a check becomes its result; pytest's skip is known by its own type."""

from __future__ import annotations

import pytest

from release_state.model.outcome import Outcome
from release_state.verdict.check import REMEDY, conclude
from tests.support.judged import CHECKS


def test_a_skip_by_a_plugin_is_unknown() -> None:
    result = conclude(CHECKS["TAG-11"], pytest.skip.Exception("flaky"), "x", seconds=0, where="here")
    assert (result.outcome, result.found, result.why) == (Outcome.UNKNOWN, "skipped: flaky", REMEDY)


@pytest.mark.parametrize("error", [KeyboardInterrupt("stop"), pytest.fail.Exception("no"), ValueError("broken")])
def test_any_other_exception_is_a_defect(error: BaseException) -> None:
    result = conclude(CHECKS["TAG-11"], error, "x", seconds=0, where="here")
    assert result.outcome is Outcome.DEFECT
    assert result.found.endswith("(here)")
