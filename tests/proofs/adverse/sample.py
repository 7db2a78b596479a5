"""The cells that every test run goes through: each fact, place and world with each that it can be told apart by."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence

from tests.proofs.adverse.fact import Cell


def sample(cells: Sequence[Cell], seed: int = 0) -> tuple[Cell, ...]:
    """Cells in which each of these pairs is seen once, always the same: chosen by lot, what shows most that is new.

    A fact in each phase, a place with each kind of list (but for thousands), a guise with each kind, and each world.
    """
    lot = random.Random(seed)
    shuffled = list(cells)
    lot.shuffle(shuffled)
    seen: set[tuple[str, ...]] = set()
    chosen = []
    for fewest in (4, 3, 2, 1):
        for cell in shuffled:
            new = set(_shown(cell)) - seen
            if len(new) >= fewest:
                chosen.append(cell)
                seen |= new
    return tuple(_cheaper(chosen))


def _cheaper(chosen: list[Cell]) -> Iterator[Cell]:
    """The cells without those among a thousand others that show only once more what another place shows of the kind."""
    shown = Counter(pair for cell in chosen for pair in _shown(cell))
    for cell in chosen:
        own = list(_shown(cell))
        if cell.place.others >= 1000 and all(shown[pair] > 1 for pair in own):
            shown.subtract(own)
        else:
            yield cell


def _shown(cell: Cell) -> Iterator[tuple[str, ...]]:
    fact, place, green = cell.fact, cell.place, cell.green
    yield "fact and phase", fact.name, green.place
    yield "world", green.name
    if place.guise:
        yield "kind and guise", fact.kind.name, place.guise
    elif place.others >= 1000:
        yield "place", place.name  # a thousand of each kind take minutes: `--every-state` goes through them
    elif place.others or place.kept or place.late:
        yield "kind and place", fact.kind.name, place.name
