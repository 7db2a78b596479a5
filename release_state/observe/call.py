"""What a look-up may use, and the call that it makes of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from release_state.model.observation import Observation
from release_state.model.outcome import Phase
from release_state.model.snapshot import Snapshot

if TYPE_CHECKING:
    from release_state.facts.release import Release

Key = tuple[Hashable, ...]
"""An answer is shared under its key: the look-up's own beginning, then its inputs from other answers."""


class Call(Struct, frozen=True):
    """How a look-up asks, and the inputs that its answer depends on: same inputs, same answer."""

    inputs: Key
    ask: Callable[[], Observation[Any]]
    parts: tuple[str, ...] = ()
    """The names of the parts, if the value is a dict of observations; else empty."""


class View:
    """What a look-up sees: target, phase, and the answers that it comes after: so their order changes nothing."""

    is_foreseen = False
    """Whether its refs are those of the clone: then no answer fetches, and nothing of it is a fact yet."""

    def __init__(self, snapshot: Snapshot, phase: Phase | None, asked: frozenset[str]) -> None:
        self.snapshot, self.target, self.asked = snapshot, snapshot.target, asked
        self._phase = phase

    @property
    def phase(self) -> Phase:
        """The phase; only for a look-up with `phases`, which comes after it."""
        if self._phase is None:
            raise LookupError("the look-up has no `phases`, so it does not come after the phase")
        return self._phase

    @cached_property
    def release(self) -> Release:
        """The facts that follow from these answers."""
        from release_state.facts.release import Release

        return Release(self.snapshot)
