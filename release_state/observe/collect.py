"""Observe every target of a run once: each look-up of the table starts as soon as its prerequisites have answered.

What two targets or two rounds share is asked once. While the remote still has to answer, look-ups are asked by the refs
that the clone has of it. Such an answer is one of the run only if the remote's answer leads to the same question.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta, timezone
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from release_state.common.strict import FRESH_SECONDS, read_clock
from release_state.facts.process import resolve
from release_state.facts.published import find_sharing_any
from release_state.model.observation import NotObserved, Observation, known, value_or
from release_state.model.outcome import Phase
from release_state.model.snapshot import LOOKUPS, NOT_ASKED, Snapshot
from release_state.model.target import Target
from release_state.observe.call import Call, Key, View
from release_state.observe.defects import Defects, Progress, guard
from release_state.observe.git.access import find_access
from release_state.observe.git.remote import observe_remote
from release_state.observe.http.limits import TimeLeft
from release_state.observe.lookups import PROCESS, READ_BY_PROCESS, ROWS, TABLE, TRACES, Lookup, seen_by, with_needs
from release_state.settings.config import RunConfig

if TYPE_CHECKING:
    from release_state.observe.http.limits import SharedLimit
    from release_state.observe.sources import Sources
    from release_state.observe.waiting import Waiting

Answer = Observation[Any] | dict[str, Observation[Any]]


def collect(
    config: RunConfig,
    wanted: frozenset[str] | None,
    *,
    fixed_phase: Phase | None,
    token: str | None,
    token_source: str | None,
    own_run_id: int | None,
    environ: Mapping[str, str],
    cancel: threading.Event | None = None,
    progress: Progress | None = None,
    shared_limit: SharedLimit | None = None,
    defects: Defects | None = None,
    waiting: Waiting | None = None,
) -> list[Snapshot]:
    """Observe every target; `wanted` names the look-ups of a narrowed run, None means all.

    `progress` shows what is being asked; `shared_limit` is the rate limit that runs share; `waiting` looks
    again until nothing is pending. A look that took more than a minute is repeated for what may have changed meanwhile;
    the snapshots say what kept changing (`moved`). A look-up that fails is recorded as unavailable in the snapshot; a
    defect of the suite raises, unless it is within a look-up and `defects` is given.
    """
    asked = with_needs(LOOKUPS if wanted is None else wanted)
    cancel, progress, time = cancel or threading.Event(), progress or Progress(), TimeLeft(config.lookup_timeout)
    # Two pools: a target that waits for a look-up must never take the look-up's place.
    with (
        ExitStack() as afterwards,
        ThreadPoolExecutor(max_workers=16, thread_name_prefix="release-state-look-up") as pool,
        ThreadPoolExecutor(max_workers=8, thread_name_prefix="release-state-target") as targets,
    ):
        access = find_access(config, token)
        answers = _Shared(pool, progress, defects, time)
        remote: Future[Observation[Any]] | None = None
        if "remote" in asked:
            ask = partial(observe_remote, config.remote_url, cancel=cancel, access=access)
            remote = answers.ask(ROWS["remote"], ("remote",), lambda: ask(time.left))
        # What asks the others takes a tenth of a second to import: git is on its way meanwhile.
        from release_state.observe.github.own_run import read_own_run
        from release_state.observe.sources import Sources

        own_run = read_own_run(environ) if fixed_phase is Phase.PRE_PUBLISH else None
        sources = Sources(config, token, own_run_id, environ, cancel, shared_limit, time, own_run, access)
        afterwards.callback(sources.close)  # once no look-up runs any more

        ahead: list[Future[None]] = []

        def look(again: Collection[Key] = ()) -> list[Snapshot]:
            wait(ahead)  # nothing may be at work while answers are forgotten
            answers.forget(again)
            sources.forget()
            progress.looked_at = read_clock()
            observed = [(target, fixed_phase, asked, sources, answers) for target in config.targets]
            futures = [targets.submit(_Observer(*each).observe, token_source) for each in observed]
            # Without a token, GitHub allows too few requests to send one that may answer nothing.
            if remote and token and not remote.done():
                ahead.extend(targets.submit(_Foreseer(*each, remote).ask_ahead) for each in observed)
            return [future.result() for future in futures]

        began, snapshots = read_clock(), look()
        if waiting is None and read_clock() - began < FRESH_SECONDS:
            return snapshots
        from release_state.observe.waiting import Waiting

        waiting = waiting or Waiting(0.0, lambda phase: (), lambda line: None, fresh=FRESH_SECONDS)
        return waiting.wait_until_settled(snapshots, look, cancel, began)


class _Shared:
    """The answers by key, shared by all targets and rounds; the first target that needs one starts the look-up."""

    def __init__(self, pool: ThreadPoolExecutor, progress: Progress, defects: Defects | None, time: TimeLeft) -> None:
        self._pool, self._progress, self._defects, self._time = pool, progress, defects, time
        self._futures: dict[Key, Future[Observation[Any]]] = {}
        self._ahead: dict[Key, Future[Observation[Any]]] = {}
        self._lock = threading.Lock()
        self.resolving = threading.Lock()
        """What the tags say is worked out once: all refs that were seen ahead mostly have the same."""

    def ask(self, row: Lookup, key: Key, ask: Callable[[], Observation[Any]]) -> Future[Observation[Any]]:
        """Return the answer to this key, and start the look-up if nobody has."""
        with self._lock:
            if key not in self._futures:
                self._futures[key] = self._submit(row, ask, self._defects, self._ahead.pop(key, None))
            return self._futures[key]

    def ask_ahead(self, row: Lookup, key: Key, ask: Callable[[], Observation[Any]]) -> Future[Observation[Any]]:
        """Return the answer to a key that the run may not come to; its failure counts for nothing."""
        with self._lock:
            if key in self._futures:
                return self._futures[key]
            if key not in self._ahead:
                self._ahead[key] = self._submit(row, ask, [])
            return self._ahead[key]

    def _submit(
        self,
        row: Lookup,
        ask: Callable[[], Observation[Any]],
        defects: Defects | None,
        ahead: Future[Observation[Any]] | None = None,
    ) -> Future[Observation[Any]]:
        bounded = guard(row.name, ask, self._time, row.stage, defects)

        def confirm() -> Observation[Any]:
            answer = ahead.result() if ahead else None
            return answer if answer is not None and _is_whole(answer) else bounded()

        return self._pool.submit(self._progress.track(row.name, confirm))

    def forget(self, beginnings: Collection[Key]) -> None:
        """Drop the answers whose keys begin like one of these; not while a target is being observed.

        Waits for what was asked ahead and is still at work.
        """
        wait(self._ahead.values())
        if any(beginning[0] == "pulls" for beginning in beginnings):
            beginnings = [*beginnings, ("branch_pulls",)]  # the list of all branches in one answer
        with self._lock:
            self._ahead.clear()
            self._futures = {
                key: future
                for key, future in self._futures.items()
                if not any(key[: len(beginning)] == beginning for beginning in beginnings)
            }


def _is_whole(answer: Observation[Any]) -> bool:
    """Return whether nothing of the answer is unavailable."""
    parts = answer.value.values() if isinstance(answer.value, dict) else ()
    return answer.is_known and all(part.is_known for part in parts if isinstance(part, Observation))


class _Started(Struct, frozen=True):
    """A row whose calls have started: one for each part, or a single one under the empty name."""

    calls: Mapping[str, Future[Observation[Any]]]
    parts: Sequence[str] = ()
    is_single: bool = True

    @property
    def is_over(self) -> bool:
        return all(future.done() for future in self.calls.values())

    @property
    def answer(self) -> Answer:
        """The answer; raises what a call raised."""
        found = {part: future.result() for part, future in self.calls.items()}
        if not self.is_single:
            return found
        (single,) = found.values()
        if self.parts:
            return single.value or dict.fromkeys(self.parts, single)
        return single


class _Observer:
    """Observes one target: starts each row of the table once the rows that it comes after have answered."""

    _until: Future[Observation[Any]] | None = None
    """Nothing more is asked once it is done; None: everything is asked."""

    def __init__(
        self, target: Target, fixed_phase: Phase | None, asked: frozenset[str], sources: Sources, shared: _Shared
    ) -> None:
        self._target, self._phase, self._fixed = target, fixed_phase, fixed_phase
        self._reason: str | None = None
        self._asked, self._sources, self._ask, self._resolving = asked, sources, shared.ask, shared.resolving
        self._open = {row.name: row for row in TABLE if row.asked_with in asked}
        self._started: dict[str, _Started] = {}
        self._answers: dict[str, Answer] = {}
        self._resolved: dict[frozenset[str], dict[str, Any]] = {}
        self._began = datetime.now(timezone.utc)

    def observe(self, token_source: str | None) -> Snapshot:
        """Return the snapshot, once every row has answered."""
        self._ask_all()
        self._find_phase()
        github = self._sources.github
        ahead = github.clock_ahead()
        return structs.replace(
            self._snapshot(self._answers),
            observed_at=self._began - timedelta(seconds=round(ahead or 0.0)),
            clock_ahead=None if ahead is None else float(round(ahead)),
            phase_reason=self._reason,
            token_source=token_source,
            rate_limit=github.rate_limit(),
        )

    def _ask_all(self) -> None:
        until = [self._until] if self._until else []
        while (self._open or self._started) and not any(future.done() for future in until):
            self._find_phase()
            if ready := [row for row in self._open.values() if self._is_ready(row)]:
                for row in ready:
                    del self._open[row.name]
                    self._start(row)
            elif over := [name for name, started in self._started.items() if started.is_over]:
                for name in over:
                    self._answers[name] = self._started.pop(name).answer
            elif self._started:
                pending = [future for started in self._started.values() for future in started.calls.values()]
                wait([*until, *(future for future in pending if not future.done())], return_when=FIRST_COMPLETED)
            else:
                raise LookupError(f"look-ups wait for each other: {', '.join(self._open)}")

    def _is_ready(self, row: Lookup) -> bool:
        return self._have_answered(seen_by(row.name)) and (self._phase is not None or not row.phases)

    def _have_answered(self, names: Collection[str]) -> bool:
        """Return whether none of these rows is still to answer; what this run does not ask never does."""
        return not any(name in self._open or name in self._started for name in names)

    def _find_phase(self) -> None:
        if self._reason is not None or not self._have_answered((*TRACES, *PROCESS)):
            return
        from release_state.facts.release import Release
        from release_state.plan.diagnosis import choose_phase

        phase, reason = choose_phase(Release(self._snapshot((*TRACES, *PROCESS))), self._sources.config.plan)
        self._phase, self._reason = (self._fixed, f"given ({reason})") if self._fixed else (phase, reason)

    def _start(self, row: Lookup) -> None:
        view = View(self._snapshot(seen_by(row.name)), self._phase, self._asked)
        view.is_foreseen = self._until is not None
        try:
            asked = row.ask(self._sources, view) if not row.phases or view.phase in row.phases else None
        except NotObserved as missing:
            asked = Observation(value=None, unavailable=missing.problem)
        if asked is None and row.otherwise:
            asked = row.otherwise(view)
        if isinstance(asked, Call):
            self._started[row.name] = _Started({"": self._call(row, view.target, "", asked)}, asked.parts)
        elif isinstance(asked, dict):
            calls = {part: self._call(row, view.target, part, call) for part, call in asked.items()}
            self._started[row.name] = _Started(calls, is_single=False)
        elif asked is not None:
            self._answers[row.name] = asked

    def _call(self, row: Lookup, target: Target, part: str, call: Call) -> Future[Observation[Any]]:
        return self._ask(row, (*row.beginning(target, part), *call.inputs), call.ask)

    def _snapshot(self, names: Collection[str]) -> Snapshot:
        """Return the snapshot with the answers of these rows, of no others, and with what they tell of the process."""
        target, phase = self._target, self._phase or Phase.PRE_RELEASE
        channels = (target.channel, *find_sharing_any(target))
        fields: dict[str, Any] = {"index": {channel.name: NOT_ASKED for channel in channels}}
        for row in TABLE:
            if row.name not in names or row.name not in self._answers:
                continue
            answer = self._answers[row.name]
            fields[row.fills] = {**fields.get(row.fills, {}), **answer} if isinstance(answer, dict) else answer
        snapshot = Snapshot(observed_at=self._began, target=target, phase=phase.value, phase_reason="")
        snapshot = structs.replace(snapshot, **fields)
        # Each row sees a snapshot, and most of them see the same of the process.
        of_process = frozenset(name for name in READ_BY_PROCESS if name in names and name in self._answers)
        if of_process not in self._resolved:
            with self._resolving:
                resolved = resolve(snapshot)
            self._resolved[of_process] = {"target": resolved.target, "workflow_files": resolved.workflow_files}
        return structs.replace(snapshot, **self._resolved[of_process])


class _Foreseer(_Observer):
    """Asks ahead what the run will ask if the remote still has the refs that the clone saw there.

    Its own answers are dropped. What the run asks with the same key takes the answer that is on its way.
    """

    def __init__(
        self,
        target: Target,
        fixed_phase: Phase | None,
        asked: frozenset[str],
        sources: Sources,
        shared: _Shared,
        remote: Future[Observation[Any]],
    ) -> None:
        super().__init__(target, fixed_phase, asked, sources, shared)
        self._ask, self._until = shared.ask_ahead, remote
        self._open = {name: row for name, row in self._open.items() if row.is_foreseen and name != "remote"}

    def ask_ahead(self) -> None:
        """Ask until the remote has answered, or there is nothing left to ask."""
        if (row := self._open.pop("clone", None)) is None:
            return
        self._start(row)
        clone = self._started.pop("clone")
        wait(clone.calls.values())
        refs = self._sources.foresee_remote(clone.calls[""].result(), self._target.remote)
        if refs is not None:
            self._answers = {"clone": clone.answer, "remote": known(refs)}
            self._fetch_ahead()
            self._ask_all()

    def _fetch_ahead(self) -> None:
        if "history" not in self._asked:
            return
        view = View(self._snapshot(("clone", "remote")), None, self._asked)
        with suppress(NotObserved):
            if (call := self._sources.fetch_ahead(view)) is not None:
                self._ask(ROWS["history"], ("fetched ahead", *call.inputs), call.ask)

    def _is_ready(self, row: Lookup) -> bool:
        return self._have_answered(_foreseen_before(row.name)) and (self._phase is not None or not row.phases)

    def _find_phase(self) -> None:
        if self._phase is None and self._have_answered(("index",)):
            from release_state.facts.release import Release

            release = Release(self._snapshot(("remote", "index")))
            there = bool(release.version_tags) or value_or(False, lambda: bool(release.files))
            self._phase = Phase.POST_RECOVERY if there else Phase.PRE_RELEASE


@cache
def _foreseen_before(name: str) -> frozenset[str]:
    """Return the rows that a row waits for if it is asked ahead: only foreseen ones, not even through others."""
    after = [each for each in ROWS[name].after if ROWS[each].is_foreseen]
    return frozenset(after).union(*map(_foreseen_before, after))
