"""The session of a run over many projects: who observes which, and their rows; with and without xdist."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from release_state.audit.fleet.look import Look
from release_state.audit.fleet.pool import AT_ONCE, Pool
from release_state.audit.fleet.projects import Project, ProjectRow, find_worst, read_projects
from release_state.audit.session import AuditItem, Function, make_items
from release_state.model.outcome import CheckResult, Exit
from release_state.observe.defects import Defects
from release_state.observe.http.limits import SharedLimit
from release_state.observe.process import stop_running
from release_state.run.session import ManySession
from release_state.settings.config import Arguments

MakeLook = Callable[[SharedLimit, threading.Event], Look]

FILE = "test_fleet.py"
_POLL_SECONDS = 0.1
_END_SECONDS = 1.2
"""Longest wait for interrupted look-ups to clean up; each of their parts checks several times a second."""


class Asked:
    """One project of the run, for its check."""

    def __init__(self, project: Project, pool: Pool, number: int) -> None:
        self.project, self._pool, self.number = project, pool, number

    def row(self) -> ProjectRow:
        """Wait for the project's row."""
        return self._pool.wait(self.number)


class FleetSession(ManySession):
    """What each process of the run has: the projects, and the pool that observes them."""

    marker, file, stops_programs = "fleet", FILE, True

    def __init__(
        self, projects: Sequence[Project], exchange: Path, look: MakeLook, *, threads: int, block_on_advice: bool
    ) -> None:
        self.projects, self.exchange, self.block_on_advice = list(projects), exchange, block_on_advice
        self.cancel = threading.Event()
        self._threads = threads
        self._look = look(SharedLimit(exchange), self.cancel)
        self.pool = Pool(exchange, self._row, self.cancel)
        self.asked = [Asked(project, self.pool, number) for number, project in enumerate(self.projects)]

    def _row(self, number: int) -> ProjectRow:
        project = self.projects[number]
        # The number makes the name of its report unique in the run.
        return self._look.observe(project, f"{number + 1:04}-{project.config.targets[0].name[:80]}")

    def items(self, collector: pytest.Collector, function: Function) -> list[AuditItem]:
        """One item per project."""
        subjects = ((asked.project.name, asked.project.name, {"asked": asked}) for asked in self.asked)
        return make_items(collector, function, subjects)

    def begin(self, items: Sequence[pytest.Item]) -> None:
        """Start to observe the projects whose checks are selected."""
        numbers = [item.given["asked"].number for item in items if isinstance(item, AuditItem)]
        self.pool.start(numbers, self._threads)


class FleetController(FleetSession):
    """The process that collects the results and judges; without workers it also observes."""

    def __init__(
        self,
        projects: Sequence[Project],
        look: MakeLook,
        *,
        with_workers: bool,
        given: Mapping[str, Any],
        block_on_advice: bool,
    ) -> None:
        exchange = Path(tempfile.mkdtemp(prefix="release-state-"))
        super().__init__(projects, exchange, look, threads=AT_ONCE, block_on_advice=block_on_advice)
        self.with_workers, self._given = with_workers, given
        self.results: dict[str, CheckResult] = {}
        self.defects: Defects = []
        """Always empty: an error is in the row of its project."""

    def start(self) -> None:
        """Do nothing: the observation starts once the selection is known."""

    def begin(self, items: Sequence[pytest.Item]) -> None:
        """Start the observation, unless workers observe."""
        if not self.with_workers:
            super().begin(items)

    def add(self, result: CheckResult) -> None:
        """Keep the result of one project's check."""
        self.results[result.target] = result

    def for_worker(self) -> dict[str, Any]:
        """What a worker gets at its start; it reads the configuration itself."""
        return {**self._given, "exchange": str(self.exchange)}

    def verdicts(self) -> list[ProjectRow]:
        """The rows of projects whose checks ran, in the order of the list."""
        return [self._row_of(asked) for asked in self.asked if asked.project.name in self.results]

    def _row_of(self, asked: Asked) -> ProjectRow:
        if (row := self.pool.row(asked.number)) is not None:
            return row
        target, why = asked.project.config.targets[0], self.results[asked.project.name].found
        return ProjectRow(project=target.name, repository=target.repository, defect=why)

    def defect(self) -> None:
        """None: no error ends the observation of all projects."""

    def exit_code(self) -> Exit:
        """The exit code of the run; never 0 if nothing ran, or only a part of the list."""
        rows = self.verdicts()
        code = find_worst(rows)
        return Exit.UNKNOWN if code is Exit.OK and len(rows) < len(self.projects) else code

    def close(self) -> None:
        """Stop the observation and remove the exchange folder."""
        self.cancel.set()
        shutil.rmtree(self.exchange, ignore_errors=True)


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


def fleet_worker(given: Mapping[str, Any], arguments: Arguments) -> FleetWorker:
    """The session of a worker; it reads list and environment itself, so that no secret is sent to it."""
    projects = read_projects(Path(given["fleet"]), arguments, os.environ, Path(given["cwd"]))
    api = projects[0].config.targets[0].github_api
    worker = FleetWorker(
        projects,
        Path(given["exchange"]),
        partial(Look, Path(given["checks"]), Path(given["reports"]), api, os.environ),
        threads=max(1, AT_ONCE // given["workers"]),
        block_on_advice=given["block_on_advice"],
    )
    worker.end_with_the_run()
    return worker
