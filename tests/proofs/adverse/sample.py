"""The cells that every test run goes through: each fact, place and world with each that it can be told apart by."""

from __future__ import annotations

import random
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
    # What is among a thousand others takes seconds: it is left for what no other cell shows.
    cheap, dear = ([cell for cell in shuffled if (cell.place.others >= 1000) is large] for large in (False, True))
    for candidates in (cheap, dear):
        for fewest in (4, 3, 2, 1):
            for cell in candidates:
                new = set(_shown(cell)) - seen
                if len(new) >= fewest:
                    chosen.append(cell)
                    seen |= new
    return tuple(chosen)


def _shown(cell: Cell) -> Iterator[tuple[str, ...]]:
    fact, place, green = cell.fact, cell.place, cell.green
    yield "fact and phase", fact.name, green.place
    yield "world", green.name
    if place.guise:
        yield "kind and guise", fact.kind.name, place.guise
    elif place.others >= 1000:
        # A thousand of each kind take minutes: `--every-state` goes through them.
        yield "place and phase", place.name, green.place
    elif place.others or place.kept or place.late:
        yield "kind and place", fact.kind.name, place.name
