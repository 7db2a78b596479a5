"""What an adverse fact is: how it is put into a world, which checks are there for it, and where it is harmless."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from release_state.model.outcome import Phase
from tests.proofs.adverse.places import NOT_FOR, PLACES, SINGLE, Kind, Place
from tests.proofs.adverse.worlds import Green
from tests.standins.world import World

Put = Callable[[World, Green, "str | None"], None]
"""Puts a fact into a world, in a guise."""


def everywhere(green: Green) -> bool:
    """For a fact that is adverse in every world."""
    return True


@dataclass(frozen=True, eq=False)
class Fact:
    """A true, complete, bad fact."""

    name: str
    put: Put
    checks: tuple[str, ...]
    """The blocking checks that are there for it: where it is alone, the one of the phase says so."""
    where: Callable[[Green], bool] = everywhere
    """In which worlds it is adverse."""
    kind: Kind = SINGLE
    guises: tuple[str, ...] = ()
    """The other forms that it has."""
    harmless: Mapping[str, str] = field(default_factory=dict)
    """Why a run rightly stays green, by guise ("" is the plain form) or by place."""
    harmless_in: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The same by world (or phase) and then by guise ("*": any), where it is harmless in some of them alone."""
    installs: bool = False
    """Whether the version has to be installed for it to be seen."""

    def why_not(self, green: Green, place: Place) -> str | None:
        """Why it cannot be there; None where it can."""
        if place.late and green.phase is None:
            return "an audit is of the moment at which it looked"
        if place.guise is not None and place.guise not in self.guises:
            return NOT_FOR[place.guise]
        return self.kind.why_not(place)

    def why_green(self, green: Green, place: Place) -> str | None:
        """Why the run rightly stays green; None where it must not."""
        guise = place.guise or ""
        for name in (green.name, green.place):
            here = self.harmless_in.get(name, {})
            if (reason := here.get(guise, here.get("*"))) is not None:
                return reason or None
        return self.harmless.get(place.name, self.harmless.get(guise))


@dataclass(frozen=True, eq=False)
class Cell:
    """One fact, in one place, in one world."""

    fact: Fact
    place: Place
    green: Green

    @property
    def id(self) -> str:
        """Its name in a test."""
        return f"{self.green.name} | {self.fact.name} | {self.place.name}"


def cells(facts: Mapping[str, Fact], worlds: Mapping[str, Green]) -> list[Cell]:
    """Every cell that there can be: what is impossible is left out, and counted by the page."""
    return [
        Cell(fact, place, green)
        for green in worlds.values()
        for fact in facts.values()
        if fact.where(green)
        for place in PLACES.values()
        if fact.why_not(green, place) is None
    ]


def before(green: Green) -> bool:
    """Whether nothing of the version exists yet."""
    return green.phase is Phase.PRE_RELEASE


def unpublished(green: Green) -> bool:
    """Whether nothing of the version is on the index: before its tag, or before its upload."""
    return green.phase in (Phase.PRE_RELEASE, Phase.PRE_PUBLISH)


def inside(green: Green) -> bool:
    """Whether the run asks inside of the one that is to publish the version."""
    return green.phase is Phase.PRE_PUBLISH


def after(green: Green) -> bool:
    """Whether the version is released."""
    return green.phase is Phase.POST_RECOVERY


def audited(green: Green) -> bool:
    """Whether the whole history is looked at."""
    return green.phase is None


def back(green: Green) -> bool:
    """Whether the version was withdrawn."""
    return green.phase is Phase.ROLLBACK
