"""What is being asked at this moment, for a person who waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from release_state.model.snapshot.sources import name_source

T = TypeVar("T")


class Asking:
    """The questions that have no answer yet; told by the threads that ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[str] = []
        self._answered = 0
        self._pause: Callable[[], str] | None = None
        self.looked_at: float | None = None
        """When the last look began (`moments.elapsed`); None: there was none."""

    def pausing(self, words: Callable[[], str] | None) -> None:
        """What to say while nobody is asked and one waits for another look; None when that is over."""
        self._pause = words

    def told(self, lookup: str, ask: Callable[[], T]) -> Callable[[], T]:
        """The same question, which says when it begins and when it is over."""
        source = name_source(lookup)

        def asked() -> T:
            with self._lock:
                self._open.append(source)
            try:
                return ask()
            finally:
                with self._lock:
                    self._open.remove(source)
                    self._answered += 1

        return asked

    @property
    def words(self) -> str:
        """Who is being asked: `observing: git remote, GitHub (12 answered)`."""
        with self._lock:
            sources, answered, pause = list(dict.fromkeys(self._open)), self._answered, self._pause
        if pause and not sources:
            return pause()
        return f"observing: {', '.join(sources) or '...'} ({answered} answered)"
