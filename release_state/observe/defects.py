"""What broke within the suite while it observed: noted, so that the rest is judged all the same."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from release_state.common.errors import format_traceback
from release_state.model.observation import Observation, unavailable
from release_state.observe.http.limits import Stage, TimeLeft
from release_state.observe.lookups import name_source

T = TypeVar("T")


@dataclass(frozen=True)
class Defect:
    """An error within a look-up that is no answer: a bug of the suite, which says nothing about the release."""

    lookup: str
    error: Exception

    @property
    def words(self) -> str:
        """Where it broke, and the type of the error: `GitHub (pulls): LookupError`. Its text may hold anything."""
        return f"{name_source(self.lookup)} ({self.lookup}): {type(self.error).__name__}"

    @property
    def traceback(self) -> str:
        """For the terminal alone: without values of variables, but with the error's own text, free of secrets."""
        return format_traceback(self.error)


Defects = list[Defect]


def said(defects: Iterable[Defect]) -> tuple[str, ...]:
    """What broke, in words; the same once."""
    return tuple(dict.fromkeys(defect.words for defect in defects))


def tracebacks(defects: Iterable[Defect]) -> dict[str, str]:
    """Each different traceback, with where it broke first."""
    found: dict[str, str] = {}
    for defect in defects:
        found.setdefault(defect.traceback, defect.words)
    return found


def surviving(lookup: str, defects: Defects | None, ask: Callable[[], Observation[T]]) -> Observation[T]:
    """What is observed; unavailable where the look-up itself broke, which is noted: the rest is worth having.

    Raises whatever it raised where there is nobody to note it.
    """
    try:
        return ask()
    except Exception as error:
        if defects is None:
            raise
        defects.append(Defect(lookup, error))
        # Its type alone: its text may hold anything, and this goes into every report.
        return unavailable(name_source(lookup), f"a defect of the suite: {type(error).__name__}", "please report this")


def on_this_machine(source: str, ask: Callable[[], Observation[T]]) -> Observation[T]:
    """What is observed; unavailable, too, where this machine has no room for it."""
    try:
        return ask()
    except OSError as error:
        why = f"this machine: {error.filename or 'temporary folder or cache'}: {error.strerror or error}"
        return unavailable(source, why, "free space, or set TMPDIR and XDG_CACHE_HOME")


def in_time(source: str, time: TimeLeft, stage: Stage, ask: Callable[[], Observation[T]]) -> Observation[T]:
    """What is observed; where the time of its stage is over before it is asked, that it was not."""
    with time.of(stage):
        if time.left <= 0:
            why = f"not asked: the {time.limit:g} s for it and what it hangs on were over by then"
            return unavailable(source, why, "try again, or raise --lookup-timeout", temporary=True)
        return on_this_machine(source, ask)


def guarded(
    name: str, ask: Callable[[], Observation[T]], time: TimeLeft, stage: Stage | None, defects: Defects | None
) -> Callable[[], Observation[T]]:
    """The look-up of this name in the time of its stage, or in none of the time that they share; see `surviving`."""
    source = name_source(name)
    bounded = (
        functools.partial(on_this_machine, source, ask)
        if stage is None
        else functools.partial(in_time, source, time, stage, ask)
    )
    return functools.partial(surviving, name, defects, bounded)
