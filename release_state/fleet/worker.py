"""An xdist worker of a run over many projects: it observes its share of them."""

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
"""How long what is cut may take to put away what it made; each part of it looks several times a second."""


class FleetWorker(FleetSession):
    """Observes what no other process has claimed; ends itself, with all that it started, where the run has ended."""

    def end_with_the_run(self) -> None:
        """Begin to watch the run's private folder: it goes when the run ends, however that happens."""
        # What is made on the way goes with the run's own scratch folder, even if this process is killed.
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
    """How a process looks at projects, with the token of its environment."""
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
    """The session of a worker: it reads the list and the environment anew, so that no secret is handed on."""
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
