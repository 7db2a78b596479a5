"""What a run waits for with `--wait`, and when it looks again.

A run waits for a release run, CI, an index that catches up, or a service that did not answer: not for a person, or for
failures that a retry cannot fix. Only pending look-ups are repeated; after a release run, all that it can have changed.
With or without `--wait`, if a look took more than a minute, all that can change is looked up once more: a verdict
describes one moment. What keeps changing makes the verdict *in progress*.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import repeat
from typing import Any, TypeVar

from msgspec import Struct, structs

from release_state.common.strict import FRESH_SECONDS, read_clock
from release_state.common.text import format_count, join_items, sanitize
from release_state.facts.beginning import find_beginning
from release_state.facts.health import judge_ci
from release_state.facts.release import Release
from release_state.model.observation import Model, NotObserved, Observation
from release_state.model.outcome import ActionNeeded, InProgress, Phase
from release_state.model.snapshot import Snapshot
from release_state.observe.call import Key
from release_state.observe.lookups import CHANGING, FIELDS, ROWS, ChangedBy
from release_state.plan.steps.prerequisites import judge_unfinished

T = TypeVar("T")
Again = Callable[[Collection[Key]], list[Snapshot]]
"""Looks up these keys again, and what depends on them if they changed."""

_MADE_BY_RUNS: tuple[Key, ...] = tuple((name,) for name in CHANGING if ROWS[name].changes is ChangedBy.BY_RELEASE_RUN)
"""What a release run makes and changes; what depends on it (history, installation) follows by its key."""
_CHANGING: tuple[Key, ...] = tuple((name,) for name in CHANGING)
_LOOKS_AGAIN = 2
"""Repeated looks in a row: one, and one more if something changed."""


def make_pauses() -> Iterator[float]:
    """Yield the pauses: 2, 4, 8, 16 and 32 seconds, then a minute each."""
    yield from (2.0, 4.0, 8.0, 16.0, 32.0)
    yield from repeat(60.0)


class Pending(Struct, frozen=True):
    """A look-up whose answer will change by itself."""

    key: Key
    what: str
    """In words, with remote text sanitized."""
    not_before: datetime | None = None
    """When the service allows the next request."""


class Waited(Model):
    """How a run waited."""

    seconds: float
    looks: int
    still: tuple[str, ...]
    """What was pending when the time ran out."""

    @property
    def words(self) -> str:
        """One line for the terminal and the report."""
        again = f"looked again {format_count(self.looks, 'time')}"
        what = f"still pending: {join_items(self.still)}" if self.still else "nothing is pending any more"
        return f"waited {self.seconds:.0f} s, {again}; {what}"


@dataclass
class Waiting:
    """How one run waits: for how long, for which look-ups, and where it reports."""

    seconds: float
    deciding: Callable[[Phase], Collection[str]]
    """The look-ups that decide the verdict of a phase; the run waits for no others."""
    tell: Callable[[str], None]
    """Takes a line whenever the run starts to wait for something else."""
    show_pause: Callable[[Callable[[], str] | None], None] = lambda words: None
    """Takes the text to show during a pause; None ends it."""
    pauses: Callable[[], Iterator[float]] = make_pauses
    fresh: float = FRESH_SECONDS
    waited: Waited | None = field(default=None, init=False)

    def wait_until_settled(
        self, first: list[Snapshot], again: Again, cancel: threading.Event, began: float | None = None
    ) -> list[Snapshot]:
        """Look again until nothing is pending or the time is up. `began`: when the first look did; None: now."""
        started, observed = time.monotonic(), read_clock() if began is None else began
        end, snapshots, last_words, looks = started + self.seconds, first, "", 0
        missing = self.pending(snapshots)
        for pause in self.pauses():
            if not missing:
                snapshots, observed, more = self._refresh(snapshots, again, cancel, observed)
                looks += more
                missing = self.pending(snapshots) if more else missing
            left = end - time.monotonic()
            in_time = [one for one in missing if _seconds_until(one.not_before) <= left]
            if not in_time or left <= 0 or cancel.is_set():
                break
            if (words := join_items(dict.fromkeys(one.what for one in missing), 3)) != last_words:
                last_words = words
                self.tell(f"waiting for {words} ({left:.0f} s at the most)")
            pause = min(left, max(pause, min(_seconds_until(one.not_before) for one in in_time)))
            if self._pause(words, pause, end, cancel):
                break
            running, finished = _find_runs(snapshots, finished=False), _find_runs(snapshots, finished=True)
            were_known = all(each.runs.is_known for each in snapshots)
            snapshots = again({one.key for one in in_time if _seconds_until(one.not_before) <= 0})
            looks += 1
            # A run may begin and end between two looks.
            ended = _find_runs(snapshots, finished=True) - finished if were_known else set()
            if (ended or running - _find_runs(snapshots, finished=False)) and not cancel.is_set():
                snapshots = again(_MADE_BY_RUNS)
                looks += 1
            missing = self.pending(snapshots)
        if self.seconds and (looks or missing):
            still = tuple(dict.fromkeys(one.what for one in missing))
            self.waited = Waited(seconds=round(time.monotonic() - started, 1), looks=looks, still=still)
        return snapshots

    def _refresh(
        self, snapshots: list[Snapshot], again: Again, cancel: threading.Event, began: float
    ) -> tuple[list[Snapshot], float, int]:
        """Look again until two looks agree or one was fast; return snapshots, when their look began, and looks."""
        looks = 0
        moving: list[tuple[str, ...]] = []
        while read_clock() - began >= self.fresh and looks < _LOOKS_AGAIN and not cancel.is_set():
            before, began, looks = snapshots, read_clock(), looks + 1
            snapshots = again(_CHANGING)
            moving = [find_moved(one, other) for one, other in zip(before, snapshots, strict=True)]
            if not any(moving):
                break
        if any(moving) and read_clock() - began >= self.fresh:
            snapshots = [structs.replace(one, moved=names) for one, names in zip(snapshots, moving, strict=True)]
        return snapshots, began, looks

    def pending(self, snapshots: Sequence[Snapshot]) -> list[Pending]:
        """Return what is pending for any target, without duplicates."""
        found = (one for each in snapshots for one in find_pending(each, self.deciding(Phase(each.phase))))
        return list({(one.key, one.what): one for one in found}.values())

    def _pause(self, words: str, pause: float, end: float, cancel: threading.Event) -> bool:
        """Wait, and return whether the run was interrupted."""
        until = time.monotonic() + pause

        def shown() -> str:
            now = time.monotonic()
            return f"waiting, next look in {max(0.0, until - now):.0f} s, {max(0.0, end - now):.0f} s left: {words}"

        self.show_pause(shown)
        try:
            return cancel.wait(pause)
        finally:
            self.show_pause(None)


def find_moved(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Return the fields that may change and did, or whose source no longer answers."""
    fields = (name for name in Snapshot.__struct_fields__ if name in FIELDS and FIELDS[name].changes)
    return tuple(name for name in fields if _has_moved(getattr(before, name), getattr(after, name)))


def _has_moved(before: Any, after: Any) -> bool:
    if isinstance(before, dict):
        return before.keys() != after.keys() or any(_has_moved(before[name], after[name]) for name in before)
    return bool(before.is_known and (not after.is_known or before.value != after.value))


def find_pending(snapshot: Snapshot, deciding: Collection[str]) -> Iterator[Pending]:
    """Yield what is pending for one target, among the look-ups that decide."""
    release, target = Release(snapshot), snapshot.target
    if "runs" in deciding and (runs := _fact_or_none(_find_working, release)):
        yield Pending(("runs",), f"release run {join_items(f'#{number}' for number in runs)}")
    if "runs" in deciding and (beginning := _fact_or_none(find_beginning, release)):
        yield Pending(("runs",), f"a run of {sanitize(beginning.workflow, 100)} to begin")
    if "ci" in deciding and _fact_or_none(lambda facts: judge_ci(facts.ci).state, release) in ("pending", "not begun"):
        yield Pending(("ci",), f"CI of {sanitize(release.base_branch, 60)}")
    if "index" in deciding and (files := _fact_or_none(lambda facts: facts.catching_up, release)):
        what = f"the index to list {sanitize(join_items(files), 200)}"
        yield Pending(("index", target.channel.name, target.version), what)
    for key, observed in _list_observations(snapshot):
        problem = observed.unavailable
        if problem and problem.is_temporary and key[0] in deciding:
            yield Pending(key, f"an answer of {sanitize(problem.source, 80)}", problem.retry_at)


def _list_observations(snapshot: Snapshot) -> Iterator[tuple[Key, Observation[Any]]]:
    target = snapshot.target
    for name, row in FIELDS.items():
        observed = getattr(snapshot, name)
        if isinstance(observed, Observation):
            yield row.beginning(target), observed
        else:
            for part, of_part in observed.items():
                yield row.beginning(target, part), of_part
    if clone := snapshot.clone.value:
        yield ("clone",), clone.ahead


def _fact_or_none(fact: Callable[[Release], T], release: Release) -> T | None:
    """Return a fact; None if it is unknown, because then its look-up itself may be pending."""
    try:
        return fact(release)
    except NotObserved:
        return None


def _find_working(release: Release) -> list[int]:
    """Return the numbers of release runs that will end by themselves; none if one is stuck and needs a person."""
    try:
        judge_unfinished(release, "", ())
    except InProgress:
        return [run.number for run in release.unfinished_runs]
    except ActionNeeded:
        pass
    return []


def _find_runs(snapshots: Sequence[Snapshot], *, finished: bool) -> set[tuple[int, datetime | None]]:
    """The finished runs as they ended, for one that is repeated keeps its number; or the others."""
    return {
        (run.id, run.updated_at if finished else None)
        for snapshot in snapshots
        for run in (snapshot.runs.value.runs if snapshot.runs.value else ())
        if run.is_finished is finished
    }


def _seconds_until(moment: datetime | None) -> float:
    return 0.0 if moment is None else max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())
