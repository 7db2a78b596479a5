"""A run over single versions: configuration, demo, observation, verdict, reports."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from msgspec import structs

from release_state.common import disk
from release_state.common.errors import UsageProblem
from release_state.common.text import sanitize
from release_state.model.outcome import Phase, name_phase
from release_state.model.plan import Wanted
from release_state.observe.collect import collect
from release_state.observe.git.reader import find_repository
from release_state.observe.lookups import name_sources
from release_state.observe.token import find_token
from release_state.report.actions import step_report
from release_state.report.files import NOT_WHOLE, ReportFiles, format_subject
from release_state.report.screen import Screen, is_live, is_quiet
from release_state.run.background import LOOK_SECONDS
from release_state.run.base import Ending, Run, list_sites, own_run_id
from release_state.run.catalogue.own_checks import describe_origins
from release_state.run.checks import catalogue, read_result
from release_state.run.options import Invocation
from release_state.run.session import Collect, Controller
from release_state.settings.config import RunConfig
from release_state.settings.config import load as load_config
from release_state.settings.own_checks import find_own_checks, refuse_inspected
from release_state.settings.sources import find_built

# What is needed only after the first request is imported where it is used: see `import_later`.
if TYPE_CHECKING:
    from release_state.observe.waiting import Waited, Waiting
    from release_state.report.document import Origin
    from release_state.verdict.changes import Changes
    from release_state.verdict.verdict import TargetVerdict


def import_later() -> None:
    """Import what a run needs after its first request, while the services answer: a fifth of a second saved.

    Raises ImportError, so a broken module is found here and not inside a look-up.
    """
    # Sources first, as in the other thread: whichever thread comes second waits for the whole import.
    import release_state.observe.sources  # isort: skip
    import release_state.observe.git.workflow_files
    import release_state.observe.github.run_log
    import release_state.observe.index.index
    import release_state.observe.next_version.calculation
    import release_state.observe.status_page
    import release_state.plan.recovery
    import release_state.report.document
    import release_state.report.page
    import release_state.report.terminal
    import release_state.verdict.verdict  # noqa: F401
    from release_state.report.page.templates import load

    load("report/page/release.html", "report/page/table.html")


class VersionsRun(Run):
    """One run over single versions."""

    session: Controller

    def refuse(self, given: Invocation) -> None:
        """Raise UsageProblem if the checks are missing."""
        if not given.checks_folder.is_dir():
            raise UsageProblem(
                f"{given.checks_folder} is missing: run `pytest checks/` in the folder of their pytest.ini"
            )

    def configure(self) -> None:
        """Load the configuration or the recorded snapshot; raises UsageProblem."""
        given, files = self.given, self.given.files
        require_folders(files)
        fixed = _fixed_phase(given.arguments.phase, given.named, given.markers)
        self.token_source: str | None = None
        if fixed is Phase.PRE_PUBLISH and "snapshot" not in files:
            from release_state.observe.github.own_run import read_own_run

            read_own_run(given.environ)  # raises UsageProblem outside of a run that a tag started
        if "snapshot" in files:
            observe = self._replay(fixed)
        else:
            self.config = load_config(given.arguments, given.environ, given.cwd, find_repository)
            observe = self._observation(fixed)
        _refuse_unwritable(files, self.config)
        own_checks = tuple(self.config.own_checks)
        if own_checks:  # they are imported before anything is contacted
            catalogue(given.checks_folder, own_checks)
        self.sites = list_sites(self.config)
        self.session = Controller(
            self.config.targets,
            lambda: catalogue(given.checks_folder, own_checks),
            fixed,
            observe,
            narrowed=given.narrowed or bool(given.markers and fixed is None),
            with_workers=given.workers > 0,
            block_on_advice=self.config.block_on_advice,
            wanted=self.config.plan,
            files=given.named if all(name.endswith(".py") for name in given.named) else (),
            own_checks=own_checks,
        )
        self.waiting: Waiting | None = None
        if self.config.wait:
            from release_state.observe.waiting import Waiting

            self.session.waits = True
            show_pause = self.session.progress.show_pause
            self.waiting = Waiting(self.config.wait, self.session.blocking_lookups, self._tell, show_pause)
        self._reporter: Callable[[], Any] = lambda: None
        self.reports = ReportFiles(self.config.reports_dir, format_subject(self.config))
        self.changes: dict[str, Changes] = {}
        """What changed since the last run, by target; filled before the verdict is shown."""

    def _replay(self, fixed: Phase | None) -> Collect:
        """Configure a run on a recorded snapshot; returns what takes the place of the observation."""
        arguments = self.given.arguments
        if self.demo is not None:
            raise UsageProblem("--snapshot and --demo exclude each other: a recorded snapshot needs no world")
        if arguments.wait != "0":
            raise UsageProblem("--snapshot and --wait exclude each other: what is recorded does not change")
        if find_built(arguments, self.given.environ, self.given.cwd):
            raise UsageProblem("--snapshot and --built exclude each other: what is recorded names its own files")
        from release_state.observe.recorded import load, make_config, name_own_checks, update_phases

        own_checks = find_own_checks(arguments.checks, self.given.environ, self.given.cwd)
        recorded = name_own_checks(load(self.given.files["snapshot"]), own_checks)
        recorded = update_phases(recorded, fixed, cast("Wanted", arguments.plan))
        self.config = structs.replace(
            make_config(recorded, arguments, self.given.environ, self.given.cwd), own_checks=own_checks
        )
        for target in self.config.targets:
            clone = Path(target.clone) if target.clone else None
            refuse_inspected(
                tuple(own_checks), clone, target.repository, target.github_web, target.remote, find_repository
            )
        when = min(each.observed_at for each in recorded).astimezone(timezone.utc)
        self.aside = f"as recorded at {when:%Y-%m-%d %H:%M} UTC, nothing is asked now"
        return lambda wanted, cancel: [found for found in recorded if found.target in self.config.targets]

    def _observation(self, fixed: Phase | None) -> Collect:
        """The observation of the configured targets, with the token and the run ID of the environment."""
        environ = self.given.environ
        token, self.token_source = find_token(environ, self.config.targets[0].github_api)
        return lambda wanted, cancel: collect(
            self.config,
            wanted,
            fixed_phase=fixed,
            token=token,
            token_source=self.token_source,
            own_run_id=own_run_id(environ),
            environ=environ,
            cancel=cancel,
            progress=self.session.progress,
            defects=self.session.defects,
            waiting=None if self.session.observed() else self.waiting,  # the last look waits for nothing
        )

    def prepare_reports(self, config: pytest.Config) -> None:
        """Reserve the names of this run's reports and give pytest-html its own; raises pytest.UsageError without it."""
        if not self.executes:
            return
        self._reporter = lambda: config.pluginmanager.get_plugin("terminalreporter")
        if not config.pluginmanager.has_plugin("html"):
            raise pytest.UsageError("pytest-html is missing or switched off: there would be no report to look at")
        if page := getattr(config.option, "htmlpath", None):
            try:
                Path(page).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise pytest.UsageError(f"--html {page!r}: {error.strerror}") from None
        super().prepare_reports(config)
        if self.reports.reserved and not getattr(config.option, "htmlpath", None):
            config.option.htmlpath = str(self.reports.html)
            config.option.self_contained_html = True

    def start(self) -> None:
        """Start the observation; import meanwhile what is needed after it (raises ImportError)."""
        super().start()
        if self.executes:
            import_later()

    def header(self) -> list[str]:
        """The lines above the run: what is checked, and where each fact is read from."""
        from release_state.report import terminal

        source = "the demo world" if self.demo else self.token_source
        own = describe_origins(self.session.checks()) if self.config.own_checks else []
        return [*self.with_aside(terminal.header(self.config, source)), *own]

    def phases(self) -> str | None:
        """The phase of each target and its reason; None while nothing is observed."""
        observed = self.session.observed()
        if not observed:
            return None
        return "\n".join(
            f"phase of {key}: {name_phase(found.phase)}, {sanitize(found.phase_reason)}"
            for key, found in observed.items()
        )

    def _tell(self, line: str) -> None:
        """Print what `--wait` waits for, unless a live line shows it or the run is quiet."""
        while self.session.exchange is None and not self.session.collected.wait(LOOK_SECONDS):
            if self.session.cancel.is_set():
                return
        reporter = self._reporter()
        live = is_live(reporter) and self.session.exchange is None if reporter else True
        if not live and not is_quiet(reporter.config):
            reporter.ensure_newline()
            reporter.write_line(line)

    def prepare_verdict(self) -> None:
        """Take the last look, and compare with the last run."""
        from release_state.observe.earlier_reports import find_newest_whole
        from release_state.report.document import build_record
        from release_state.verdict.changes import changes_since
        from release_state.verdict.verdict import describe_moved

        self.session.look_again()
        if self.waited:
            self.notes.append(self.waited.words)
        observed = self.session.observed() or {}
        self.notes += [
            f"{key}: {describe_moved(name_sources(each.moved))}" for key, each in observed.items() if each.moved
        ]
        if self.config.built:
            self.notes += [
                f"{key}: --built is not applicable in the phase {name_phase(each.phase)}, only before the upload"
                for key, each in observed.items()
                if each.phase not in (Phase.PRE_RELEASE.value, Phase.PRE_PUBLISH.value)
            ]
        now = {
            verdict.target.key: build_record(verdict, observed[verdict.target.key])
            for verdict in self.session.verdicts()
        }
        try:
            before, notes = find_newest_whole(self.reports.folder, now, self.reports.json)
            self.changes = changes_since(before, now)
        except OSError as error:
            notes = [] if self.trouble else [f"earlier reports could not be read: {error.strerror}"]
        self.notes += notes

    @cached_property
    def origin(self) -> Origin:
        """Who started this run, and where."""
        from release_state.report.document import read_origin

        return read_origin(self.given.environ)

    @property
    def waited(self) -> Waited | None:
        """How this run waited; None if it did not have to."""
        return self.waiting.waited if self.waiting else None

    def write_reports(self, verdicts: Sequence[TargetVerdict], exitstatus: int) -> None:
        """Write the JSON report and the files that were asked for; update `latest` after a run of a whole phase."""
        from release_state.report.document import build_report, to_json

        files, reports = self.given.files, self.reports
        observed = self.session.snapshots()
        if path := files.get("save_snapshot"):
            from release_state.observe.recorded import save

            save(path, list(observed.values()))
        if path := files.get("script"):
            from release_state.report.script import render_script

            disk.write_atomically(path, render_script(verdicts), mode=0o755)
        html = reports.html.name if reports.html.is_file() else None
        document = build_report(
            verdicts, observed, exitstatus, reports.started_at, html, self.origin, self.changes, self.waited
        )
        # `not_run`: a narrowed run can have the verdict of a finding.
        is_partial = any(verdict.not_run or verdict.verdict in NOT_WHOLE for verdict in verdicts)
        reports.write(to_json(document), exitstatus, is_partial=is_partial)
        if reports.written:
            self.notes += self.workflow.write(step_report(document), reports.html if html else reports.json)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        """Keep the page for its title; leave the machine's environment out of it."""
        self.page = report
        report.set_data("environment", {})

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[Any]) -> None:
        """Name the columns."""
        from release_state.report.page import header

        header(cells)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[Any]) -> None:
        """Fill the columns; a report without a result gets empty ones."""
        from release_state.report.page import other_row, row

        result = read_result(report)
        row(result, cells) if result else other_row(cells)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Put the verdict on top."""
        from release_state.report.page import summary, title

        verdicts = self.session.verdicts()
        self.page.title = title(verdicts)
        prefix.extend(summary(verdicts, self.session.observed() or {}, self.origin, self.changes))

    def show_defects(self, screen: Screen) -> None:
        """Print the tracebacks of bugs, within look-ups and within checks."""
        super().show_defects(screen)
        for report in screen.reporter.stats.get("defect", ()):
            screen.reporter.section(f"defect in {sanitize(report.nodeid)}", sep="_", red=True)
            for line in report.longreprtext.splitlines():
                screen.verbatim(sanitize(line))

    def show(self, screen: Screen) -> None:
        """Print for each target its state, what is wrong and how to fix it; of several, each with its verdict."""
        from release_state.report.terminal import show_verdict

        judged = self.judged()
        for verdict in judged:
            key, snapshot = verdict.target.key, self.session.snapshots()[verdict.target.key]
            show_verdict(screen, verdict, snapshot, self.changes.get(key), is_alone=len(judged) == 1)

    def endings(self) -> Sequence[Ending]:
        """How each target ended."""
        from release_state.report.terminal import describe_ending

        return [Ending(each.words, describe_ending(each), each.exit) for each in self.judged()]


def _list_written(files: Mapping[str, Path]) -> dict[str, Path]:
    """The files to write beside the reports, by option."""
    return {f"--{name.replace('_', '-')}": path for name, path in files.items() if name != "snapshot"}


def require_folders(files: Mapping[str, Path]) -> None:
    """Raise UsageProblem if a file to write is a folder, or its folder does not exist or cannot be written to."""
    for option, file in _list_written(files).items():
        if not file.parent.is_dir():
            raise UsageProblem(f"{option} {file}: there is no folder {file.parent}: create it first")
        if file.is_dir():
            raise UsageProblem(f"{option} {file}: it is a folder: give a file")
        if not os.access(file if file.exists() and not file.is_file() else file.parent, os.W_OK):
            raise UsageProblem(f"{option} {file}: you may not write there: give another file")


def _refuse_unwritable(files: Mapping[str, Path], config: RunConfig) -> None:
    """Raise UsageProblem if a file to write would hold a path that is not UTF-8."""
    target, built = config.targets[0], config.built
    paths = {"--repo": target.clone, "--reports-dir": target.reports_dir, "--built": built.text if built else None}
    for option in _list_written(files):
        for source, path in paths.items():
            if path and not path.isascii() and path != path.encode("utf-8", "replace").decode():
                raise UsageProblem(f"{option} cannot hold {path!r}, which is not UTF-8: give {source} by another path")


def _fixed_phase(phase: str, files: tuple[str, ...], markers: str) -> Phase | None:
    """The phase that the command line names: by --phase, by a marker, or by the file of one phase."""
    if phase != "auto":
        return Phase(phase)
    for candidate in Phase:
        if markers.strip() == candidate.marker or (files and set(files) == {f"test_{candidate.marker}.py"}):
            return candidate
    return None
