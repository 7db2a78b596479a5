"""An xdist worker of a run over many projects, which observes its share of them."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from release_state.fleet.look import Look
from release_state.fleet.pool import AT_ONCE
from release_state.fleet.projects import projects
from release_state.fleet.session import FleetSession, MakeLook
from release_state.model.outcome import Exit
from release_state.observe.http.limits import SharedLimit
from release_state.observe.process import stop_running
from release_state.observe.token import find_token
from release_state.settings.config import Arguments

_POLL_SECONDS = 0.1
_END_SECONDS = 1.2
"""Longest wait for interrupted look-ups to clean up; each of their parts checks several times a second."""


class FleetWorker(FleetSession):
    """Observes projects that no other process has claimed; ends, with all its programs, when the run has ended."""

    def end_with_the_run(self) -> None:
        """Start to watch the run's private folder, which is removed however the run ends."""
        # Temporary files go into the run's folder, and so are removed even if this process is killed.
        tempfile.tempdir = str(self.exchange)
        threading.Thread(target=self._watch, name="release-state-watch", daemon=True).start()

    def _watch(self) -> None:
        while self.exchange.is_dir():
            time.sleep(_POLL_SECONDS)
        self.cancel.set()
        self.pool.join(_END_SECONDS)
        stop_running()
        os._exit(Exit.INTERRUPTED)


def look_of(checks: Path, reports: Path, api: str, environ: Mapping[str, str]) -> MakeLook:
    """The factory of this process's `Look`, with the token of its environment."""
    token, source = find_token(environ, api)
    run_id = environ.get("GITHUB_RUN_ID", "")

    def make(limit: SharedLimit, cancel: threading.Event) -> Look:
        return Look(
            checks,
            reports,
            token=token,
            token_source=source,
            own_run_id=int(run_id) if run_id.isdigit() else None,
            environ=environ,
            limit=limit,
            cancel=cancel,
        )

    return make


def fleet_worker(given: Mapping[str, object], arguments: Arguments) -> FleetWorker:
    """The session of a worker; it reads list and environment itself, so that no secret is sent to it."""
    workers = int(str(given["workers"]))
    listed = projects(Path(str(given["fleet"])), arguments, os.environ, Path(str(given["cwd"])))
    api = listed[0].config.targets[0].github_api
    checks, reports = Path(str(given["checks"])), Path(str(given["reports"]))
    worker = FleetWorker(
        listed,
        Path(str(given["exchange"])),
        look_of(checks, reports, api, os.environ),
        threads=max(1, AT_ONCE // workers),
        block_on_advice=bool(given["block_on_advice"]),
    )
    worker.end_with_the_run()
    return worker
