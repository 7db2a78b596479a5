"""A question of an observation, by what its answer hangs on; and the questions that nobody needs to ask."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Event
from typing import Any, TypeVar

from release_state.model.observation import NotObserved, Observation, Problem, unavailable
from release_state.model.snapshot import Remote, Snapshot
from release_state.model.snapshot.sources import name_source
from release_state.observe.defects import Defects, surviving
from release_state.observe.git.history import SOURCE as HISTORY
from release_state.observe.git.remote import observe_remote
from release_state.observe.http.limits import Stage, TimeLeft


@dataclass(frozen=True)
class Question:
    """Something to ask; `key` begins with the name of the look-up."""

    key: tuple[Hashable, ...]
    ask: Callable[[], Observation[Any]]
    in_time: bool = True
    """Whether it asks somebody, in the time that the look-ups share."""


T = TypeVar("T")


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
            return unavailable(source, why, "try again, or give a longer --lookup-timeout", temporary=True)
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


def ask_remote(url: str, time: TimeLeft, cancel: Event) -> Callable[[], Observation[Remote]]:
    """The remote's refs, within the time that there is when it is asked."""
    return lambda: observe_remote(url, time.left, cancel=cancel)


def no_history(snapshot: Snapshot) -> Problem | None:
    """Why the history of the base could not be had. Who needs it does not wait a second time for what failed once."""
    problem = snapshot.history.unavailable
    return problem if problem and problem.source == HISTORY else None


def nobody(name: str, missing: NotObserved) -> Question:
    """What hangs on an answer that did not come: it has the same problem, and nobody is asked."""
    return settled(name, Observation[Any](value=None, unavailable=missing.problem))


def settled(name: str, answer: Observation[Any]) -> Question:
    """What is known without asking."""
    return Question((name, "settled", answer), lambda: answer, in_time=False)
