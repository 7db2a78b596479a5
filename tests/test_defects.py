"""What is no answer and no finding: an error within the suite itself."""

from __future__ import annotations

from typing import Any

import pytest

from release_state.outcome import Exit, Phase, Verdict
from release_state.question import Defects, surviving
from release_state.session import Controller
from tests import states
from tests.cli import ROOT
from tests.judged import checks_of, result_of


def broken() -> Any:
    raise LookupError("of a token")


def test_a_look_up_that_breaks_is_noted_and_its_words_go_into_no_report() -> None:
    defects: Defects = []
    problem = surviving("GitHub", defects, broken).unavailable
    assert problem and (problem.source, problem.why) == ("GitHub", "a defect of the suite: LookupError")
    assert [(source, type(error)) for source, error in defects] == [("GitHub", LookupError)]
    with pytest.raises(LookupError):
        surviving("GitHub", None, broken)  # nobody would learn of it


def test_nothing_is_green_where_a_look_up_broke_that_no_check_needs() -> None:
    snapshot, phase = states.released(), Phase.POST_RECOVERY
    controller = Controller(
        [snapshot.target],
        ROOT / "checks",
        phase,
        lambda *_: [snapshot],
        narrowed=False,
        with_workers=False,
        block_on_advice=False,
        wanted="auto",
    )
    controller.start()
    controller.snapshots()
    recovery = controller.recovery(snapshot.target)
    for check in checks_of(phase):
        controller.add(result_of(check, recovery, snapshot.target.key))
    assert (controller.verdicts()[0].verdict, controller.exit_code()) == (Verdict.VERIFIED, Exit.OK)
    controller.defects.append(("status pages", LookupError()))
    assert (controller.verdicts()[0].verdict, controller.exit_code()) == (Verdict.DEFECT, Exit.DEFECT)
