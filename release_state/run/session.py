"""The session of a run over single versions: targets, snapshots, results and verdicts.

The controller (or the only process) observes once, in the background. Under xdist the workers collect meanwhile and
read the snapshots from a private folder, so the number of requests is the same for every `-n`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from msgspec import convert, structs, to_builtins

from release_state.common import disk
from release_state.common.strict import FRESH_SECONDS, read_clock
from release_state.model.outcome import CheckResult, Phase
from release_state.model.plan import Wanted
from release_state.model.snapshot import Snapshot
from release_state.model.target import Target
from release_state.observe.defects import Progress
from release_state.run.background import POLL_SECONDS, Background, wait_for
from release_state.settings.own_checks import OwnChecks
from release_state.verdict.check import CheckInfo, select_phase

if TYPE_CHECKING:
    from release_state.plan.recovery import Recovery
    from release_state.verdict.verdict import TargetVerdict

KEY: pytest.StashKey[RunSession] = pytest.StashKey()

Collect = Callable[[frozenset[str] | None, threading.Event], Sequence[Snapshot]]
"""Observes the given look-ups, or all if None; the event is set when the run is over."""

_NEEDS = "needs.json"


def get_session(config: pytest.Config) -> Session:
    """The session of a run over single versions. Raises pytest.UsageError without one: then no check may run."""
    session = config.stash.get(KEY, None)
    if not isinstance(session, Session):
        raise pytest.UsageError("release_state.plugin is not active: run the checks with this project's pytest.ini")
    return session


class RunSession:
    """What each process of a run has, whatever the run checks."""

    block_on_advice: bool
    stops_programs = False
    """Whether its workers start programs, which they have to stop before they end."""


class ManySession(RunSession):
    """What each process of a run has that makes the items of its checks itself: of an audit, or a list of projects."""

    marker: str
    """The marker of its checks."""
    file: str
    """The file of its checks."""

    def items(self, collector: pytest.Collector, function: Callable[..., None]) -> Sequence[pytest.Item]:
        """Return the items of one check."""
        raise NotImplementedError

    def begin(self, items: Sequence[pytest.Item]) -> None:
        """Observe what the selected items need, if that depends on them."""


class Session(RunSession):
    """What each process of a run over single versions has: the targets, and later their snapshots."""

    def __init__(
        self,
        targets: Sequence[Target],
        fixed_phase: Phase | None,
        *,
        block_on_advice: bool,
        wanted: Wanted,
        own_checks: Sequence[OwnChecks],
    ) -> None:
        self.targets, self.fixed_phase, self.own_checks = tuple(targets), fixed_phase, tuple(own_checks)
        self.block_on_advice, self.direction = block_on_advice, wanted
        self._snapshots: dict[str, Snapshot] | None = None
        self._recoveries: dict[str, Recovery] = {}

    def announce_needs(self, reads: Iterable[str]) -> None:
        """Announce which look-ups the selected checks read; only a narrowed run uses it."""
        raise NotImplementedError

    def wait(self) -> Sequence[Snapshot]:
        """Wait for what was observed."""
        raise NotImplementedError

    def snapshots(self) -> dict[str, Snapshot]:
        """Wait for the snapshots; by the target's key.

        Raises whatever the observation raised: a defect, since failed look-ups are recorded and not raised.
        """
        if self._snapshots is None:
            self._snapshots = {snapshot.target.key: snapshot for snapshot in self.wait()}
        return self._snapshots

    def snapshot(self, target: Target) -> Snapshot:
        """The snapshot of one target; waits for it."""
        return self.snapshots()[target.key]

    def recovery(self, target: Target) -> Recovery:
        """The recovery of one target, in the direction of `--plan`."""
        from release_state.facts.release import Release
        from release_state.plan.recovery import Recovery

        # Cached: what it works out of thousands of tags is needed once.
        if target.key not in self._recoveries:
            self._recoveries[target.key] = Recovery(Release(self.snapshot(target)), self.direction)
        return self._recoveries[target.key]

    def phase(self, target: Target) -> Phase:
        """The phase that applies to a target; waits for the observation unless it was given."""
        return self.fixed_phase or Phase(self.snapshot(target).phase)


class Controller(Background[Snapshot], Session):
    """The process that observes, collects the results and judges."""

    def __init__(
        self,
        targets: Sequence[Target],
        checks: Callable[[], Sequence[CheckInfo]],
        fixed_phase: Phase | None,
        collect: Collect,
        *,
        narrowed: bool,
        with_workers: bool,
        block_on_advice: bool,
        wanted: Wanted,
        files: Sequence[str] = (),
        own_checks: Sequence[OwnChecks] = (),
    ) -> None:
        Session.__init__(
            self, targets, fixed_phase, block_on_advice=block_on_advice, wanted=wanted, own_checks=own_checks
        )
        Background.__init__(self, self._look, with_workers=with_workers)
        self.checks, self._collect = checks, collect
        self.narrowed = narrowed
        # With --block-on-advice, advice of every file belongs to the phase.
        self.files = () if block_on_advice else tuple(files)
        self.results: dict[str, list[CheckResult]] = {target.key: [] for target in targets}
        self.progress = Progress()
        self.waits = False
        """Whether the run has `--wait`: the observation may take as long as a release."""
        self.collected = threading.Event()
        """Set after collection; until then pytest captures what is printed."""
        self._needs: Future[frozenset[str] | None] = Future()

    def _look(self, cancel: threading.Event) -> Sequence[Snapshot]:
        return self._collect(self._wait_for_needs() if self.narrowed else None, cancel)

    def _wait_for_needs(self) -> frozenset[str] | None:
        """Return the look-ups that the selected checks read, once they are known; None means all."""
        if self.exchange is None:
            return self._needs.result()
        while not (needs := self.exchange / _NEEDS).exists():
            if not self.exchange.is_dir():
                raise RuntimeError("the run ended before it collected anything")
            time.sleep(POLL_SECONDS)
        text = needs.read_text(encoding="utf-8")
        return frozenset(json.loads(text)) if text else None

    def announce_needs(self, reads: Iterable[str]) -> None:
        """Start the observation of a narrowed run."""
        if not self._needs.done():
            self._needs.set_result(frozenset(reads))

    def observed(self) -> dict[str, Snapshot] | None:
        """The snapshots, without waiting; None while observing and after a defect."""
        return None if self.result() is None else self.snapshots()

    def for_worker(self) -> dict[str, Any]:
        """What a worker gets at its start, as plain data."""
        return {
            "targets": [to_builtins(target) for target in self.targets],
            "phase": self.fixed_phase.value if self.fixed_phase else None,
            "exchange": str(self.exchange),
            "block_on_advice": self.block_on_advice,
            "wanted": self.direction,
            "own_checks": [list(place) for place in self.own_checks],
        }

    def add(self, result: CheckResult) -> None:
        """Keep the result of one check."""
        self.results[result.target].append(result)

    def blocking_lookups(self, phase: Phase) -> frozenset[str]:
        """The look-ups that the verdict of a phase hangs on."""
        checks = select_phase(self.checks(), phase, self.files)
        return frozenset(name for check in checks if check.blocking or self.block_on_advice for name in check.reads)

    def verdicts(self) -> tuple[TargetVerdict, ...]:
        """One verdict per target; empty if nothing was observed."""
        if self.observed() is None:
            return ()
        from release_state.observe.lookups import name_sources
        from release_state.verdict.verdict import judge

        checks = self.checks()
        order = {check.id: number for number, check in enumerate(checks)}
        return tuple(
            judge(
                self.recovery(target),
                self.phase(target),
                sorted(self.results[target.key], key=lambda result: order.get(result.id, len(order))),
                select_phase(checks, self.phase(target), self.files),
                changed=name_sources(self.snapshot(target).moved),
                block_on_advice=self.block_on_advice,
                broken=bool(self.defects),
            )
            for target in self.targets
        )

    def look_again(self) -> None:
        """Look again at what can change if the last look is older than a minute; note in the snapshot what changed.

        Called after the checks: without it the verdict would describe an earlier moment.
        """
        looked_at, observed = self.progress.looked_at, self.observed()
        if looked_at is None or not observed or read_clock() - looked_at < FRESH_SECONDS or self.cancel.is_set():
            return
        from release_state.observe.lookups import CHANGING
        from release_state.observe.waiting import find_moved

        asked = frozenset(name for name in CHANGING if any(_was_asked(each, name) for each in observed.values()))
        for snapshot in self._collect(asked, self.cancel):
            key = snapshot.target.key
            if names := find_moved(observed[key], snapshot):
                self._snapshots = {**self.snapshots(), key: structs.replace(observed[key], moved=names)}
                self._recoveries.pop(key, None)

    def close(self) -> None:
        """Stop the observation and remove the exchange folder."""
        self._needs.cancel()
        super().close()


class Worker(Session):
    """An xdist worker: reads what the controller observed."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(
            [convert(target, Target) for target in given["targets"]],
            Phase(given["phase"]) if given["phase"] else None,
            block_on_advice=given["block_on_advice"],
            wanted=cast("Wanted", given["wanted"]),
            own_checks=[OwnChecks(*place) for place in given["own_checks"]],
        )
        self.exchange = Path(given["exchange"])

    def announce_needs(self, reads: Iterable[str]) -> None:
        """Tell the controller; all workers collect the same, so it does not matter which one writes last."""
        try:
            disk.write_atomically(self.exchange / _NEEDS, json.dumps(sorted(reads)))
        except OSError as error:
            if error.errno not in disk.NO_ROOM:
                raise
            (self.exchange / _NEEDS).touch()  # an empty file needs no space, and means all look-ups

    def wait(self) -> Sequence[Snapshot]:
        """Wait for what the controller observed."""
        return wait_for(self.exchange, Snapshot)


def _was_asked(snapshot: Snapshot, name: str) -> bool:
    observed = getattr(snapshot, name)
    return any(each.is_known for each in (observed.values() if isinstance(observed, dict) else [observed]))
