"""What was left out, what broke and what moved is never green; what is wrong stays wrong."""

from __future__ import annotations

from typing import Any

import pytest

from release_state.facts.release import Release
from release_state.model.outcome import Exit, Outcome, Phase, Verdict
from release_state.model.snapshot import Snapshot
from release_state.plan.recovery import Recovery
from release_state.verdict.verdict import TargetVerdict, decide_verdict, judge
from tests.support import states as s
from tests.support.judged import checks_of, result_of

CHECKS = checks_of(Phase.PRE_RELEASE)


def judged(snapshot: Snapshot, left_out: str = "", **options: Any) -> TargetVerdict:
    """The verdict on a state before a release, without one of the checks."""
    recovery = Recovery(Release(snapshot))
    results = [result_of(check, recovery, "key") for check in CHECKS if check.id != left_out]
    return judge(recovery, Phase.PRE_RELEASE, results, CHECKS, **{"changed": (), **options})


@pytest.mark.parametrize(("blocking", "code"), [(True, Exit.UNKNOWN), (False, Exit.OK)])
def test_a_part_of_the_checks_is_green_only_if_the_rest_cannot_block(blocking: bool, code: Exit) -> None:
    left_out = next(check.id for check in CHECKS if check.decides_in(Phase.PRE_RELEASE) is blocking)
    found = judged(s.ready(), left_out)
    assert (found.verdict, found.exit, found.not_run) == (Verdict.PARTIAL, code, (left_out,))
    assert found.words == f"PARTIAL {len(CHECKS) - 1} of {len(CHECKS)}" and found.start is None
    assert judged(s.ready(), left_out, block_on_advice=True).exit is not Exit.OK


def test_a_run_that_broke_is_never_green() -> None:
    assert (judged(s.ready()).verdict, judged(s.ready()).exit) == (Verdict.READY, Exit.OK)
    assert judged(s.ready(), broken=True).verdict is Verdict.DEFECT
    assert judged(s.ready(ci=s.ci("failure")), broken=True).verdict is Verdict.ACTION_NEEDED


def test_a_state_that_moved_is_never_green() -> None:
    moved = judged(s.ready(), changed=("git remote",))
    assert (moved.verdict, moved.exit, moved.start) == (Verdict.IN_PROGRESS, Exit.IN_PROGRESS, None)
    assert "changed during this run: git remote" in moved.phase_reason
    assert judged(s.ready(ci=s.ci("failure")), changed=("git remote",)).verdict is Verdict.ACTION_NEEDED


@pytest.mark.parametrize(
    ("outcomes", "options", "verdict", "code"),
    [
        ({Outcome.HOLDS}, {}, Verdict.READY, Exit.OK),
        ({Outcome.HOLDS}, {"partial": Exit.UNKNOWN}, Verdict.PARTIAL, Exit.UNKNOWN),
        ({Outcome.HOLDS}, {"partial": Exit.OK}, Verdict.PARTIAL, Exit.OK),
        ({Outcome.HOLDS}, {"partial": Exit.OK, "broken": True}, Verdict.DEFECT, Exit.DEFECT),
        (set(), {"has_judged": False}, Verdict.NOTHING_CHECKED, Exit.NOTHING_CHECKED),
        (set(), {"has_judged": False, "broken": True}, Verdict.NOTHING_CHECKED, Exit.NOTHING_CHECKED),
        ({Outcome.UNKNOWN}, {"has_judged": False}, Verdict.COULD_NOT_VERIFY, Exit.UNKNOWN),
        ({Outcome.UNKNOWN, Outcome.IN_PROGRESS}, {}, Verdict.COULD_NOT_VERIFY, Exit.UNKNOWN),
        ({Outcome.UNKNOWN, Outcome.ACTION_NEEDED}, {"broken": True}, Verdict.ACTION_NEEDED, Exit.ACTION_NEEDED),
        ({Outcome.DEFECT, Outcome.ACTION_NEEDED}, {"partial": Exit.OK}, Verdict.DEFECT, Exit.DEFECT),
    ],
)
def test_the_worst_outcome_decides(outcomes: set[Outcome], options: Any, verdict: Verdict, code: Exit) -> None:
    given = {"has_judged": True, "partial": None, "green": Verdict.READY, "broken": False, **options}
    assert decide_verdict(outcomes, **given) == (verdict, code)
