"""What a run is asking at this moment, for the progress line."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from release_state.observe.lookups import name_source

T = TypeVar("T")


class Progress:
    """Open and answered look-ups, reported by the threads that run them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[str] = []
        self._answered = 0
        self._pause: Callable[[], str] | None = None
        self.looked_at: float | None = None
        """When the last look began (`strict.read_clock`); None: there was none."""

    def show_pause(self, words: Callable[[], str] | None) -> None:
        """Show these words between two looks; None once the pause is over."""
        self._pause = words

    def track(self, lookup: str, ask: Callable[[], T]) -> Callable[[], T]:
        """Return the same look-up, which reports when it starts and when it ends."""
        source = name_source(lookup)

        def tracked() -> T:
            with self._lock:
                self._open.append(source)
            try:
                return ask()
            finally:
                with self._lock:
                    self._open.remove(source)
                    self._answered += 1

        return tracked

    @property
    def words(self) -> str:
        """The progress line: `observing: git remote, GitHub (12 answered)`."""
        with self._lock:
            sources, answered, pause = list(dict.fromkeys(self._open)), self._answered, self._pause
        if pause and not sources:
            return pause()
        return f"observing: {', '.join(sources) or '...'} ({answered} answered)"
