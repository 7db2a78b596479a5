"""The run over many projects: list, observation, verdict, reports."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from release_state.audit.fleet import report
from release_state.audit.fleet.look import Look
from release_state.audit.fleet.projects import ProjectRow, find_worst, read_projects
from release_state.audit.fleet.session import FILE, FleetController
from release_state.common.errors import UsageProblem
from release_state.model.outcome import Exit, Phase
from release_state.observe.token import find_token
from release_state.report.files import ReportFiles
from release_state.report.screen import Screen
from release_state.run.base import Ending, Run
from release_state.run.catalogue.own_checks import describe_origins
from release_state.run.checks import catalogue
from release_state.run.options import Invocation
from release_state.settings.sources import find_built


class FleetFiles(ReportFiles):
    """The summary of the run, and beside it a folder with the report of each project."""

    latest = "latest-fleet"
    _elsewhere: Path | None = None

    @property
    def own(self) -> Path:
        """The folder of the projects' reports."""
        return self._elsewhere or self.json.with_suffix("")

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

    def refuse(self, given: Invocation) -> None:
        """Raise UsageProblem for options and files of checks that have no meaning for many projects."""
        arguments = given.arguments
        refused = {
            **{f"--{name.replace('_', '-')}": True for name in given.files},
            "--demo": given.demo is not None,
            "--plan": arguments.plan != "auto",
            "--wait": arguments.wait != "0",
            "--built": find_built(arguments, given.environ, given.cwd) is not None,
            "--phase pre-publish": arguments.phase == Phase.PRE_PUBLISH.value,
            "--checks (of an audit)": bool(arguments.audit and arguments.checks),
            "--phase (of an audit)": bool(arguments.audit and arguments.phase != "auto"),
        }
        for option in (name for name, is_given in refused.items() if is_given):
            raise UsageProblem(f"{option} cannot be combined with --project-list")
        if wrong := [name for name in given.named if name.endswith(".py") and name != FILE]:
            raise UsageProblem(f"{wrong[0]} holds no check of --project-list, which runs checks/{FILE} alone")

    def configure(self) -> None:
        """Read the list, and reserve the names of the reports; raises UsageProblem."""
        given, arguments = self.given, self.given.arguments
        listed = cast("Path", given.listed)
        self.projects = read_projects(listed, arguments, given.environ, given.cwd)
        config = self.projects[0].config
        own_checks = tuple(config.own_checks)  # the same for each project; imported before anything is contacted
        own = describe_origins(catalogue(given.checks_folder, own_checks)) if own_checks else []
        api = config.targets[0].github_api
        self.reports = FleetFiles(config.reports_dir, f"fleet-{len(self.projects)}-projects")
        if self.executes:  # this early, because each worker is told where the projects' reports go
            self.reserve()
        token_source = find_token(given.environ, api)[1]
        self._header = [*report.header(listed, len(self.projects), arguments.audit, api, token_source), *own]
        self.session = FleetController(
            self.projects,
            partial(Look, given.checks_folder, self.reports.own, api, given.environ),
            with_workers=given.workers > 0,
            block_on_advice=arguments.block_on_advice,
            given={
                "fleet": str(listed),
                "cwd": str(given.cwd),
                "checks": str(given.checks_folder),
                "reports": str(self.reports.own),
                "block_on_advice": arguments.block_on_advice,
                "workers": given.workers or 1,
            },
        )

    def prepare_reports(self, config: pytest.Config) -> None:
        """Do nothing: the names are reserved already."""

    def header(self) -> list[str]:
        """The lines above the run."""
        return self._header

    def write_reports(self, rows: Sequence[ProjectRow], exitstatus: int) -> None:
        """Write the summary; after a run over all projects it becomes `latest-fleet`."""
        total, files = len(self.projects), self.reports
        arguments = (rows, total, exitstatus, files.started_at, files.own.name)
        page = report.render_page(*arguments)
        files.write(report.build_document(*arguments), exitstatus, is_partial=len(rows) < total, page=page)
        self.notes += self.workflow.write(report.step_report(rows, total, files.html.name), files.html)

    def show_defects(self, screen: Screen) -> None:
        """Print each traceback once: one defect can hit many projects."""
        found: dict[str, str] = {}
        for row in self.judged():
            for trace, where in row.tracebacks.items():
                found.setdefault(trace, f"{where}, of {row.project}")
        screen.tracebacks(found)

    def show(self, screen: Screen) -> None:
        """Print each project that needs attention, and the number of projects by verdict."""
        if rows := self.judged():
            report.show_rows(screen, rows, len(self.projects))

    def endings(self) -> Sequence[Ending]:
        """How the run over all projects ended, as if it had one target."""
        rows, total = self.judged(), len(self.projects)
        words = report.describe_verdict(rows, total)
        code = find_worst(rows)
        is_part = code is Exit.OK and len(rows) < total
        return [Ending(words, words, Exit.UNKNOWN if is_part else code)] if rows else []
