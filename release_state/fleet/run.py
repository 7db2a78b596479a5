"""The run over many projects: list, observation, verdict, reports."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from release_state.common.errors import UsageProblem
from release_state.fleet import summary
from release_state.fleet.projects import read_projects
from release_state.fleet.report import build_document, render_page
from release_state.fleet.session import FILE, FleetController, look_of
from release_state.observe.token import find_token
from release_state.report.files import ReportFiles
from release_state.run.base import Run
from release_state.settings.config import Arguments


class FleetFiles(ReportFiles):
    """The summary of the run, and beside it a folder with the report of each project."""

    latest = "latest-fleet"

    @property
    def own(self) -> Path:
        """The folder of the projects' reports."""
        return self._elsewhere or self.json.with_suffix("")

    _elsewhere: Path | None = None

    def prepare(self) -> None:
        """Reserve the names, and make the folder of the projects' reports.

        Raises OSError; the projects' reports then go to a temporary folder, which the run removes.
        """
        try:
            super().prepare()
            self.own.mkdir()
        except OSError:
            self.discard()
            self.reserved, self._elsewhere = False, Path(tempfile.mkdtemp(prefix="release-state-"))
            raise

    def discard(self) -> None:
        """Release the reserved names, and remove the projects' reports."""
        if self.reserved and not self.written:
            shutil.rmtree(self.own, ignore_errors=True)
        super().discard()


class FleetRun(Run):
    """The audit or a gate of many projects."""

    reports: FleetFiles

    def __init__(
        self,
        arguments: Arguments,
        environ: Mapping[str, str],
        cwd: Path,
        *,
        listed: Path,
        refused: Sequence[str],
        named: Sequence[str],
        checks_folder: Path,
        demo: str | None,
        with_workers: bool,
        executes: bool,
    ) -> None:
        super().__init__(environ, executes=executes)
        refused = [*refused, *(["--demo"] if demo else []), *(["--plan"] if arguments.plan != "auto" else [])]
        refused = [*refused, *(["--wait"] if arguments.wait != "0" else [])]
        if arguments.audit and arguments.phase != "auto":
            refused = [*refused, "--phase (of an audit)"]
        for option in refused:
            raise UsageProblem(f"{option} cannot be combined with --project-list")
        if wrong := [name for name in named if name.endswith(".py") and name != FILE]:
            raise UsageProblem(f"{wrong[0]} holds no check of --project-list, which runs checks/{FILE} alone")
        self.projects = read_projects(listed, arguments, environ, cwd)
        target = self.projects[0].config.targets[0]
        self.reports = FleetFiles(self.projects[0].config.reports_dir, f"fleet-{len(self.projects)}-projects")
        if executes:
            # Reserved this early because each worker is told where the projects' reports go.
            try:
                self.reserve()
            except OSError as error:
                raise UsageProblem(
                    f"reports folder {self.reports.folder}: {error.strerror}: give another with --reports-dir"
                ) from None
        self.token_source = find_token(environ, target.github_api)[1]
        self.audit, self.listed = arguments.audit, listed
        self.session = FleetController(
            self.projects,
            look_of(checks_folder, self.reports.own, target.github_api, environ),
            with_workers=with_workers,
            block_on_advice=arguments.block_on_advice,
            given={
                "fleet": str(listed),
                "cwd": str(cwd),
                "checks": str(checks_folder),
                "reports": str(self.reports.own),
                "block_on_advice": arguments.block_on_advice,
            },
        )
        self._stack.callback(self.session.close)

    def prepare_reports(self, config: pytest.Config) -> None:
        """Tell the session the number of workers; the names are reserved already."""
        workers = len(getattr(config.option, "tx", None) or ()) or 1
        self.session.use_workers(workers)

    def header(self) -> list[str]:
        """The lines above the run."""
        target = self.projects[0].config.targets[0]
        return summary.header(self.listed, len(self.projects), self.audit, target.github_api, self.token_source)

    def publish_reports(self, exitstatus: int) -> int:
        """Write the summary; after a run over all projects it becomes `latest-fleet`."""
        rows = self.session.rows() if self.executes else []
        if not rows:
            self.reports.discard()
            return exitstatus
        try:
            whole = len(rows) == len(self.projects)
            arguments = (rows, len(self.projects), exitstatus, self.reports.started_at, self.reports.own.name)
            self.reports.write(
                build_document(*arguments), is_whole=whole and exitstatus not in (2, 3), page=render_page(*arguments)
            )
            told = summary.step_report(rows, len(self.projects), self.reports.html.name)
            self.notes += self.workflow.write(told, self.reports.html)
        except OSError as error:
            return self.give_up_reports(error)
        return self.code_after_reports(exitstatus)

    def summarise(self, reporter: pytest.TerminalReporter) -> None:
        """Print a line for each project that needs attention, and the verdict over all."""
        rows = self.session.rows() if self.executes else []
        summary.summarise(reporter, rows, len(self.projects), self.ending())
