"""Observe every target of a run once: all sources side by side, each look-up within its time limit.

Order is only kept where one answer is needed to ask the next: the base head before its CI, the pull requests before the
commits they recorded, the files before their installation. What two targets share is asked once.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from release_state.common.strict import FRESH_SECONDS, read_clock
from release_state.model.outcome import Phase
from release_state.model.snapshot import LOOKUPS, Snapshot
from release_state.observe.defects import Defects
from release_state.observe.http.limits import Stage, TimeLeft
from release_state.observe.progress import Asking
from release_state.observe.question import ask_remote, guarded
from release_state.settings.config import RunConfig

if TYPE_CHECKING:
    from release_state.observe.http.limits import SharedLimit
    from release_state.observe.waiting import Key, Watch

#: What a look-up needs besides itself.
_BEHIND = {
    "history": {"remote", "clone", "pulls"},
    "ci": {"remote", "runs", "clone"},
    "drafts": {"repository", "remote"},
    "installation": {"index"},
    "opened": {"index", "installation"},
    "published": {"index", "remote", "clone", "pulls"},
    "open_pulls": {"repository"},
    "pulls": {"repository"},
    "release": {"repository", "remote"},
    "latest_release": {"repository"},
    "runs": {"repository"},
    "last_run": {"runs"},
    # What it needs besides, runs, is asked only where something else needs them, too.
    "index": {"witness"},
    "rehearsal": {"index"},
    "workflow_files": {"remote", "clone"},
    "rulesets": {"repository"},
    "branch_rules": {"repository"},
    "base_rules": {"repository", "remote"},
    "actions_settings": {"repository"},
    "base_runs": {"repository", "remote"},
    "calculation": {"remote", "clone", "index"},
}


def lookups_of_phase() -> frozenset[str]:
    """The look-ups that the phase is taken from."""
    return frozenset({"remote", "index", "pulls", "release", "drafts"})


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
    asking: Asking | None = None,
    shared_limit: SharedLimit | None = None,
    defects: Defects | None = None,
    watch: Watch | None = None,
) -> list[Snapshot]:
    """Observe every target; `wanted` names the look-ups of a narrowed run, None means all.

    `asking` is told what is being asked; `shared_limit` is what other runs beside this one were told; `watch` waits for
    what is on its way. Where it took longer than a minute, what can have changed meanwhile is looked at again; the
    snapshots say what kept changing (`moved`). A look-up that fails is recorded as unavailable in the snapshot; a
    defect of the suite raises, but for one within a look-up that `defects` takes.
    """
    asked = set(LOOKUPS) if wanted is None else set(wanted)
    for name in list(asked):
        asked |= _BEHIND.get(name, set())
    asked |= {behind for name in list(asked) for behind in _BEHIND.get(name, set())}
    # Two pools: what waits for a look-up must never take the place of the look-up that it waits for.
    with (
        ExitStack() as afterwards,
        ThreadPoolExecutor(max_workers=16, thread_name_prefix="release-state-look-up") as lookups,
        ThreadPoolExecutor(max_workers=8, thread_name_prefix="release-state-target") as waiting,
    ):
        over, asking, time = cancel or threading.Event(), asking or Asking(), TimeLeft(config.lookup_timeout)
        begun: dict[Key, Future[Any]] = {}
        if "remote" in asked:
            ask = guarded("remote", ask_remote(config.remote_url, time, over), time, Stage.FIRST, defects)
            begun["remote",] = lookups.submit(asking.told("remote", ask))
        # What asks the others takes a tenth of a second to import: git is on its way meanwhile.
        from release_state.observe.observer import Observer

        names = frozenset(asked)
        observer = Observer(
            config, names, token, own_run_id, environ, lookups, over, asking, shared_limit, defects, time, begun
        )
        afterwards.callback(observer.close)  # when nobody looks any more

        def look(again: Collection[Key] = ()) -> list[Snapshot]:
            observer.forget(again)
            asking.looked_at = read_clock()
            futures = [waiting.submit(observer.target, target, fixed_phase, token_source) for target in config.targets]
            return [future.result() for future in futures]

        began, snapshots = read_clock(), look()
        if watch is None and read_clock() - began < FRESH_SECONDS:
            return snapshots
        from release_state.observe.waiting import Watch

        watch = watch or Watch(0.0, lambda phase: (), lambda line: None, fresh=FRESH_SECONDS)
        return watch.until_settled(snapshots, look, over, began)
