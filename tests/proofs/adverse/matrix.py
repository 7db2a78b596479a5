"""Runs the cells of the matrix: a fact is put into a green world, and the run over it must not be green."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from release_state.model.outcome import CheckResult, Exit, Phase
from tests.proofs.adverse import ci, clone, index, own_run, process, traces
from tests.proofs.adverse.fact import Cell, Fact, cells
from tests.proofs.adverse.others import put_others, take_one
from tests.proofs.adverse.places import RUN, Kind, Liar
from tests.proofs.adverse.worlds import WORLDS, Green, Stage
from tests.standins.world import World
from tests.support import histories
from tests.support.built import proven
from tests.support.judged import verdict_of

FACTS: Mapping[str, Fact] = {
    fact.name: fact for fact in (*ci.FACTS, *traces.FACTS, *index.FACTS, *clone.FACTS, *own_run.FACTS, *process.FACTS)
}
CELLS: tuple[Cell, ...] = tuple(cells(FACTS, WORLDS))


@dataclass(frozen=True)
class Judged:
    """What a run came to."""

    exit: Exit
    words: str
    """The verdict and what decided it, in a line."""
    blocking: frozenset[str]
    """IDs of the blocking checks that do not hold."""


class Matrix:
    """The green worlds, each built when it is first needed; a context manager."""

    def __init__(self) -> None:
        self._stages: dict[str, Stage] = {}
        self._exits = ExitStack()
        self._controls: set[tuple[str, str, int]] = set()

    def __enter__(self) -> Matrix:
        """Nothing is built yet."""
        return self

    def __exit__(self, *error: object) -> None:
        """End every world."""
        self._exits.close()

    def wrong(self, cell: Cell) -> str | None:
        """What is wrong with a cell, in a line; None where it is as it has to be."""
        try:
            if not cell.place.lie:
                self.control(cell.green, cell.fact.kind, cell.place.others)
            judged = self.judged(cell)
        except Exception as error:
            return f"{cell.id}: {type(error).__name__}: {error}"
        green = [each.words for each in judged if each.exit == Exit.OK]
        reason = cell.fact.why_green(cell.green, cell.place)
        if reason is None and green:
            return f"{cell.id}: green: {green[0]}"
        if reason is not None and not green:
            return f"{cell.id}: is said to be harmless, and is not green: {judged[0].words}"
        return None

    def stage(self, green: Green) -> Stage:
        """A world, held to be green before any fact is put into it."""
        if green.name not in self._stages:
            stage = self._exits.enter_context(Stage(green))
            proven(green.name, partial(_hold_green, stage, green.name))
            self._stages[green.name] = stage
        return self._stages[green.name]

    def control(self, green: Green, kind: Kind, others: int) -> None:
        """The world with the others alone is green: else a cell would prove nothing."""
        key = (green.place, kind.name, others)  # a world for each phase will do
        if kind is RUN and others >= 1000:
            return  # GitHub ends such lists there: they are unknown, whatever is in them
        if others and key not in self._controls:
            self._controls.add(key)
            stage = self.stage(green)

            def prove() -> None:
                with stage.changed(lambda world: put_others(world, green, kind, others)):
                    _hold_green(stage, f"with {others} others alone")

            proven(" ".join(map(str, key)), prove)

    def judged(self, cell: Cell) -> tuple[Judged, ...]:
        """What runs over the world with the fact come to: one that finds its phase out, and one that is told it."""
        stage, kept = self.stage(cell.green), cell.place.kept
        if kept:
            _judge(stage, keep_answers=True)
        if cell.place.late:
            with stage.changed(lambda world: None):
                return _judge(stage, install=cell.fact.installs, meanwhile=partial(_put, cell, stage.world))
        with stage.changed(partial(_put, cell)):
            return _judge(stage, keep_answers=kept, install=cell.fact.installs)


def _hold_green(stage: Stage, what: str) -> None:
    for each in _judge(stage):
        assert each.exit == Exit.OK, f"{what}: {each.words}"


def _put(cell: Cell, world: World) -> None:
    """The fact and what stands around it, the older first."""
    fact, place, green = cell.fact, cell.place, cell.green
    if place.others and place.side == "newer":
        put_others(world, green, fact.kind, place.others)
    was = _ids(world)
    fact.put(world, green, place.guise)
    own = _ids(world) - was
    if place.others and place.side == "older":
        put_others(world, green, fact.kind, place.others)
    if place.lie:
        world.github.rewrite = Liar(fact.kind, place.lie, own, partial(take_one, world, fact.kind))


def _ids(world: World) -> frozenset[int]:
    github = world.github
    ids = {*github.workflow_runs, *github.releases, *(pull.id for pull in github.pulls.values())}
    return frozenset({*ids, *(check.id for check in github.check_runs), *(status.id for status in github.statuses)})


def _judge(
    stage: Stage, *, keep_answers: bool = False, install: bool = False, meanwhile: Callable[[], None] | None = None
) -> tuple[Judged, ...]:
    if stage.green.phase is None:
        audit = histories.verdict_of(stage.audit(keep_answers=keep_answers))
        return (_judged(audit.exit, audit.verdict.value, audit.results),)
    snapshot = stage.look(keep_answers=keep_answers, install=install, meanwhile=meanwhile)
    verdicts = [verdict_of(snapshot, fixed_phase=stage.green.phase)]
    if stage.green.phase is not Phase.PRE_PUBLISH:  # which no run finds out
        verdicts.insert(0, verdict_of(snapshot))
    return tuple(_judged(each.exit, f"{each.verdict.value} in {each.phase.value}", each.results) for each in verdicts)


def _judged(code: Exit, verdict: str, results: Sequence[CheckResult]) -> Judged:
    found = [each for each in results if each.is_finding]
    words = "; ".join(f"{each.id} {each.outcome.value}: {each.found}" for each in found)
    return Judged(code, f"{verdict} ({words})", frozenset(each.id for each in found if each.blocking))
