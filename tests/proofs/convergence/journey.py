"""From a state to where its printed plans lead, with what may not change on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from release_state.model.outcome import Phase, Verdict
from release_state.model.plan import Step, Wanted
from release_state.model.snapshot import Snapshot
from release_state.verdict.verdict import TargetVerdict
from tests.proofs.convergence.bench import Bench
from tests.proofs.convergence.build import build
from tests.proofs.convergence.execute import Follower, Ran
from tests.proofs.convergence.states import VERSION, State
from tests.support.judged import verdict_of

GREEN = {Verdict.READY, Verdict.VERIFIED, Verdict.ROLLED_BACK}
ROUNDS = 2


@dataclass
class End:
    """Where a journey ended."""

    verdict: TargetVerdict
    story: str
    following: TargetVerdict | None
    """The verdict on the next version, where a plan led to one."""


class Journey:
    """Follows printed plans until nothing is left to do, for two rounds at most; a run that is waited for is none."""

    def __init__(self, bench: Bench, channel: str, wanted: Wanted = "auto", *, follows_advice: bool = True) -> None:
        self.bench, self.channel, self.wanted = bench, channel, wanted
        self.follower = self._follower(VERSION, wanted, follows_advice)
        self.story: list[str] = []
        self.next_version = ""
        # A release that is whole is not what a roll-back leads to.
        self.ends = GREEN if wanted != "rollback" else GREEN - {Verdict.VERIFIED}

    def _follower(self, version: str, wanted: Wanted, follows_advice: bool) -> Follower:
        follower = Follower(self.bench, version, self.channel, wanted)
        follower.follows_advice = follows_advice
        return follower

    def go(self) -> End:
        """Follow the plans of the version, then those of the next one where a plan led there."""
        verdict = self._follow(self.follower, self._is_at_the_end)
        following = None
        if self.next_version:
            self.story.append(f"next: {self.next_version}")
            follower = self._follower(self.next_version, "auto", self.follower.follows_advice)
            following = self._follow(follower, lambda found: found.verdict is Verdict.READY)
            # It may have cleared something away that was in this version's way, too.
            verdict = self._look(self.follower)
        return End(verdict, self.told(), following)

    def _follow(self, follower: Follower, is_at_the_end: object) -> TargetVerdict:
        assert callable(is_at_the_end)
        rounds = 0
        while True:
            verdict = self._look(follower)
            if is_at_the_end(verdict) or rounds == ROUNDS:
                return verdict
            rounds += verdict.plan.direction != "wait"
            ran = follower.execute(verdict.plan)
            self.story += [f"  $ {one.line}" for one in ran]
            assert not [one for one in ran if one.failed], self.told(ran[-1])
            self.next_version = next_version(verdict) or self.next_version

    def _is_at_the_end(self, verdict: TargetVerdict) -> bool:
        return verdict.verdict in self.ends or (self.next_version != "" and is_used_up(verdict))

    def _look(self, follower: Follower) -> TargetVerdict:
        """The verdict of now; on the same snapshot, read back from JSON, it is the same."""
        phase = Phase.ROLLBACK if follower.wanted == "rollback" and self._is_withdrawn() else None
        verdict = self.bench.observe(follower.version, follower.channel, follower.wanted, phase)
        again = msgspec.json.decode(msgspec.json.encode(self.bench.snapshots[-1]).decode(), type=Snapshot)
        assert verdict_of(again, follower.wanted, phase).plan == verdict.plan, "the same snapshot, another plan"
        self.story.append(f"{verdict.words} ({verdict.phase.value}): {verdict.diagnosis.title}")
        self.story += [f"  {found.id} {found.outcome.value}: {found.found}" for found in verdict.findings]
        self.story += [f"  - {'(advice) ' if step.advice else ''}{step.title}" for step in verdict.plan.steps]
        return verdict

    def _is_withdrawn(self) -> bool:
        """Whether the plan that withdraws was followed: then the question is whether all of it is withdrawn."""
        return any(line.startswith("  $ ") for line in self.story) or self.follower.yanked

    def told(self, ran: Ran | None = None) -> str:
        """The whole story, for the message of a failure."""
        end = f"\n{ran.code}: {ran.output}" if ran else ""
        return "\n".join(self.story) + end


def needed(verdict: TargetVerdict) -> list[Step]:
    """The plan's steps that are no advice."""
    return [step for step in verdict.plan.steps if not step.advice]


def next_version(verdict: TargetVerdict) -> str:
    """The version that a step of the plan leads to."""
    found = (re.fullmatch(r"Release (\S+) instead", step.title) for step in needed(verdict))
    return next((match[1] for match in found if match), "")


def is_used_up(verdict: TargetVerdict) -> bool:
    """Whether nothing is left to do for a version that never can be published, but to release the next one."""
    scenario = verdict.diagnosis.scenario.partition(":")[0]
    return scenario == "burnt" and len(needed(verdict)) == 1 and next_version(verdict) != ""


def assert_completed(end: End) -> None:
    """The release is verified, or clean; or it can never be, and the plan is the next version alone."""
    if end.verdict.verdict in GREEN:
        assert not needed(end.verdict), end.story
    else:
        assert is_used_up(end.verdict), end.story


def prepare(bench: Bench, state: State) -> None:
    """Bring a world into a state."""
    build(bench.world, state)
    bench.workflow, bench.has_clone = state.workflow, state.clone != "none"


def of_state(bench: Bench, state: State, wanted: Wanted) -> Journey:
    """The journey from a state."""
    journey = Journey(bench, state.channel, wanted, follows_advice=state.advice == "followed")
    journey.story.append(str(state))
    return journey
