"""An xdist worker of a run over many projects: it observes its share of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from release_state.config import Arguments
from release_state.fleet.look import Look
from release_state.fleet.pool import AT_ONCE
from release_state.fleet.projects import projects
from release_state.fleet.session import FleetSession, MakeLook
from release_state.observe.shared_limit import SharedLimit
from release_state.observe.token import find_token


class FleetWorker(FleetSession):
    """Observes what no other process has claimed."""


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
    return FleetWorker(
        listed,
        Path(str(given["exchange"])),
        look_of(checks, reports, api, os.environ),
        threads=max(1, AT_ONCE // workers),
        block_on_advice=bool(given["block_on_advice"]),
    )
