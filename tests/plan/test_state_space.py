"""Every state that the traces of a release can be in together: each has a name, a way out, and loses nothing.

A quick run, as CI's, judges a spread in which any values of three dimensions occur together that can. All are judged by
`tests/plan/test_state_space.py --every-state`, a part at a time with `--part 3/40`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import pytest

from release_state.model.outcome import Verdict
from release_state.model.plan import Wanted
from release_state.verdict.verdict import TargetVerdict
from tests.support import space
from tests.support.doable import assert_can_be_done
from tests.support.every import part_of
from tests.support.judged import verdict_of
from tests.support.losses import assert_nothing_is_lost, commands

GREEN = {Verdict.READY, Verdict.VERIFIED, Verdict.ROLLED_BACK}
# What they look at is the same in every state: judging it once is enough.
UNVARIED = frozenset({"permission", "workflow", "token", "service", "testpypi", "version"})


def test_every_state_has_a_name_and_a_safe_way_out(request: pytest.FixtureRequest) -> None:
    part = part_of(request.config)
    assert_safe(map(space.numbered, part.of(range(space.NUMBER))) if part else space.spread())


def test_the_spread_shows_every_three_values_together() -> None:
    """What a state among a great many has of any three dimensions, a state of the spread has, too."""

    def groups(state: space.State) -> Iterator[object]:
        return itertools.combinations([(name, state[name]) for name in space.DIMENSIONS], 3)

    shown = {group for state in space.spread() for group in groups(state)}
    for number in range(0, space.NUMBER, space.NUMBER // 3000):
        assert shown.issuperset(groups(space.numbered(number))), space.numbered(number)


def test_what_no_state_varies_changes_no_verdict() -> None:
    for state in space.spread(2)[::4]:
        snapshot = space.snapshot(state)
        whole, narrowed = verdict_of(snapshot), verdict_of(snapshot, left_out=UNVARIED)
        assert (whole.verdict, whole.plan) == (narrowed.verdict, narrowed.plan)


def assert_safe(states: Iterable[space.State]) -> None:
    verdicts: set[str] = set()
    for state in states:
        snapshot = space.snapshot(state)
        verdict = verdict_of(snapshot, left_out=UNVARIED)
        described = f"{state}"
        assert verdict.diagnosis.scenario and verdict.diagnosis.title, described
        assert verdict.verdict not in (Verdict.DEFECT, Verdict.NOTHING_CHECKED), described
        assert_nothing_is_lost(snapshot, verdict.plan, described)
        assert_can_be_done(snapshot, verdict.plan, described)
        needed = [step.title for step in verdict.plan.steps if not step.advice]
        assert (not needed) == (verdict.verdict in GREEN), f"{described}: {verdict.verdict} and {needed}"
        if not snapshot.target.channel.leaves:
            assert_channel_minds_its_own(verdict, described)
        verdicts.add(verdict.words)
    assert len(verdicts) > 3, verdicts


@pytest.mark.parametrize("wanted", ["complete", "rollback", "force-recovery"])
def test_the_way_that_a_person_asks_for_is_safe_too(wanted: Wanted) -> None:
    for state in space.spread(2):
        snapshot = space.snapshot(state)
        plan = verdict_of(snapshot, wanted, left_out=UNVARIED).plan
        assert_nothing_is_lost(snapshot, plan, f"{wanted} from {state}")
        assert_can_be_done(snapshot, plan, f"{wanted} from {state}")


def assert_channel_minds_its_own(verdict: TargetVerdict, described: str) -> None:
    """Nothing that the other channel owns is touched."""
    for command in commands(verdict.plan.steps):
        assert command[3:5] != ("update-ref", "-d"), f"{described}: {command}"
        assert command[:2] not in (("gh", "release"), ("git", "tag")), f"{described}: {command}"
        assert command[:3] not in (("gh", "pr", "create"), ("gh", "pr", "close")), f"{described}: {command}"


def test_the_same_snapshot_gives_the_same_plan() -> None:
    for state in space.spread(2):
        assert verdict_of(space.snapshot(state)) == verdict_of(space.snapshot(state))


def test_the_number_of_states_is_what_the_documents_say() -> None:
    assert (space.NUMBER, len(space.spread())) == (1_046_304, 3133)  # docs/states.md
