"""Run one look-up: within its time, with progress, and so that a full disk or a bug costs only its own answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import TypeVar

from msgspec import Struct

from release_state.common.errors import format_traceback
from release_state.model.observation import Observation, unavailable
from release_state.observe.http.limits import Stage, TimeLeft
from release_state.observe.lookups import name_source

T = TypeVar("T")


class Defect(Struct, frozen=True):
    """A bug of the suite within a look-up; it says nothing about the release."""

    lookup: str
    error: Exception

    @property
    def words(self) -> str:
        """Where it broke and the type of the error, never its text: `GitHub (pulls): LookupError`."""
        return f"{name_source(self.lookup)} ({self.lookup}): {type(self.error).__name__}"

    @property
    def traceback(self) -> str:
        """For the terminal only: the error's own text with secrets redacted, no values of variables."""
        return format_traceback(self.error)


Defects = list[Defect]


def describe_defects(defects: Iterable[Defect]) -> tuple[str, ...]:
    """Return what broke, in words, without duplicates."""
    return tuple(dict.fromkeys(defect.words for defect in defects))


def collect_tracebacks(defects: Iterable[Defect]) -> dict[str, str]:
    """Return each distinct traceback with the look-up that broke first."""
    found: dict[str, str] = {}
    for defect in defects:
        found.setdefault(defect.traceback, defect.words)
    return found


def guard(
    name: str, ask: Callable[[], Observation[T]], time: TimeLeft, stage: Stage | None, defects: Defects | None
) -> Callable[[], Observation[T]]:
    """Return the look-up within the time of its stage (None: it has a limit of its own).

    Its answer is unavailable, without a request, once that time is over; and if this machine has no room for it, or it
    breaks itself: then the defect goes into `defects`, or is raised where that is None.
    """
    source = name_source(name)

    def guarded() -> Observation[T]:
        try:
            with time.within(stage) if stage else nullcontext():
                if stage and time.left <= 0:
                    why = f"not asked: its prerequisites took the {time.limit:g} s that they share"
                    return unavailable(source, why, "try again, or raise --lookup-timeout", temporary=True)
                return ask()
        except OSError as error:
            why = f"this machine: {error.filename or 'temporary folder or cache'}: {error.strerror or error}"
            return unavailable(source, why, "free space, or set TMPDIR and XDG_CACHE_HOME")
        except Exception as error:
            if defects is None:
                raise
            defects.append(Defect(name, error))
            # Only the type: the text may hold a secret, and this goes into every report.
            return unavailable(source, f"a defect of the suite: {type(error).__name__}", "please report this")

    return guarded


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
