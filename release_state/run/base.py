"""What every kind of run has in common, as the plugin sees it: start, results, exit code, reports, end."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from release_state.common.disk import NO_ROOM
from release_state.model.outcome import CheckResult, Exit
from release_state.report.actions import WorkflowStep
from release_state.report.files import ReportFiles
from release_state.report.screen import Ending
from release_state.run.checks import read_result
from release_state.run.ends import Interrupts

_WORKERS_END_SECONDS, _FLEET_ENDS_SECONDS = 0.3, 1.6


class Run:
    """One run, in the process that observes; a plugin of pytest, which takes the results, those of workers too."""

    session: Any
    """Has `start`, `close`, `add`, `defect`, `defects`, `exit_code` and `for_worker`; in the stash for the checks."""
    reports: ReportFiles
    """What has been written stays."""

    def __init__(self, environ: Mapping[str, str], *, executes: bool, demo: str | None = None) -> None:
        self.demo = demo
        self.aside = "a demo world, which is gone when this run ends" if demo is not None else ""
        """What the header says of a run that looks at no real release, or not now."""
        self.workflow = WorkflowStep(environ)  # not the demo's: the run is a step of this workflow all the same
        self.executes = executes
        self.trouble: str | None = None
        self.notes: list[str] = []
        """What went wrong and decides nothing."""
        self.has_shown_phases = False
        self.interrupts: Interrupts | None = None
        self._plugins: pytest.PytestPluginManager | None = None
        self._has_workers = False
        self._stack = ExitStack()

    def register(self, plugins: pytest.PytestPluginManager, interrupts: Interrupts | None) -> None:
        """Take part in this process's pytest run."""
        self._plugins, self.interrupts = plugins, interrupts
        plugins.register(self, "release-state-run")

    def start(self) -> None:
        """Begin to observe, unless nothing will be executed."""
        if self.executes:
            self.session.start()

    def close(self) -> None:
        """End the demo world, remove the exchange folder, and give reserved names of reports back."""
        self._stack.close()
        if self.executes:
            self.reports.discard()  # an interrupt can come before the session that would have done so

    def prepare_reports(self, config: pytest.Config) -> None:
        """Reserve the names of this run's reports.

        Raises pytest.UsageError where there can be no such folder: known before anything is contacted. One that is full
        or read-only does not keep the verdict from being told.
        """
        if not self.executes:
            return
        try:
            self.reserve()
        except OSError as error:
            raise pytest.UsageError(
                f"reports folder {self.reports.folder}: {error.strerror}: give another with --reports-dir"
            ) from None

    def reserve(self) -> None:
        """Reserve the names of this run's reports, or note that the folder takes none.

        Raises OSError where there can be no such folder.
        """
        try:
            self.reports.prepare()
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            self.trouble = (
                f"no report was written, so the exit code is {Exit.DEFECT:d}: {self.reports.folder}: {error.strerror}: "
                "free space, or give another with --reports-dir"
            )

    def add(self, result: CheckResult) -> None:
        """Take what one check said."""
        self.session.add(result)

    def pytest_runtest_logstart(self) -> None:
        """Go no further where an interrupt was swallowed: what is raised in a finalizer is only warned about."""
        if self.interrupts is not None:
            self.interrupts.raise_again()

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Stop what observes before anything else is done."""
        self.session.close()
        xdist: Any = self._plugins.get_plugin("dsession") if self._plugins else None
        manager = getattr(xdist, "nodemanager", None)
        if manager is not None:
            # xdist's is 10 s, for workers that have something to finish; those of a fleet put away what they started,
            # if they have begun: a worker whose Python is still importing has started nothing.
            busy = hasattr(self.session, "pool") and self._has_workers
            manager.EXIT_TIMEOUT = _FLEET_ENDS_SECONDS if busy else _WORKERS_END_SECONDS
            # xdist does so at the end of a session. Where workers were still starting there is none to end, and they
            # would be left to the exit of Python, which from 3.12 on cannot start the threads for it.
            manager.teardown_nodes()
        # pytest shows the last place alone, and would read and parse the source of all the others for it.
        excinfo.traceback = type(excinfo.traceback)(excinfo.traceback[-1:])
        # pytest collects garbage several times when it ends, which takes a second: there is none that matters now.
        gc.freeze()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self) -> None:
        """An xdist worker has begun."""
        self._has_workers = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a check said."""
        if (result := read_result(report)) is not None:
            self.add(result)

    def header(self) -> list[str]:
        """What is checked and where each fact is read from."""
        raise NotImplementedError

    def with_aside(self, header: Sequence[str]) -> list[str]:
        """The header of a run, with what sets it apart from others."""
        first, *rest = header
        return [f"{first}; {self.aside}" if self.aside else first, *rest]

    def phases(self) -> str | None:
        """What is known once the observation is there; None where there is nothing to say."""
        return None

    def finish(self, exitstatus: int) -> int:
        """The exit code of the run: pytest's own 2, 3 and 4 stay."""
        if exitstatus in (Exit.INTERRUPTED, Exit.DEFECT, Exit.USAGE):
            self.session.close()  # xdist waits for its workers next, and they for what is observed
            return exitstatus
        if not self.executes:
            return int(Exit.NOTHING_CHECKED)
        self.prepare_verdict()
        code = self.session.exit_code()
        if code is Exit.OK and exitstatus == pytest.ExitCode.TESTS_FAILED:
            code = Exit.DEFECT  # something failed that is no check
        if code is Exit.NOTHING_CHECKED:
            self.notes.append(
                f"nothing was checked, so the exit code is {code:d}: no check of this phase was selected and run; "
                "release-state --list-checks names them all"
            )
        return int(code)

    def prepare_verdict(self) -> None:
        """Everything is there that a verdict rests on."""

    def give_up_reports(self, error: OSError) -> int:
        """A report could not be written: said, and never exit 0; nothing is left of it."""
        where = f"{error.filename or self.reports.folder}: {error.strerror or error}"
        self.trouble = (
            f"a report could not be written, so the exit code is {Exit.DEFECT:d}: {where}: "
            "free space, or give another with --reports-dir"
        )
        if not self.reports.written:
            self.reports.html.unlink(missing_ok=True)
        return int(Exit.DEFECT)

    def code_after_reports(self, exitstatus: int) -> int:
        """The exit code of a run whose reports are there, or could not be: a gate that reads them must not be green."""
        return exitstatus if self.reports.reserved or exitstatus == Exit.INTERRUPTED else int(Exit.DEFECT)

    def ending(self) -> Ending:
        """What the terminal shows besides the verdicts."""
        return Ending(self.session.defect(), self.session.defects, self.notes, self.trouble, self.reports)

    def publish_reports(self, exitstatus: int) -> int:
        """Write the reports; gives the exit code, which a report that cannot be written changes."""
        raise NotImplementedError

    def summarise(self, reporter: pytest.TerminalReporter) -> None:
        """The verdict and the way out, on the terminal."""
        raise NotImplementedError
