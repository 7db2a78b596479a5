"""What all runs share: start, results, exit code, reports, end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest

from release_state.common.disk import FULL, NO_ROOM
from release_state.common.errors import UsageProblem
from release_state.model.outcome import CheckResult, Exit
from release_state.observe.defects import Defects, collect_tracebacks
from release_state.report.actions import WorkflowStep
from release_state.report.files import ReportFiles
from release_state.report.screen import Screen
from release_state.run.checks import read_result
from release_state.run.ends import Interrupts
from release_state.run.options import Invocation
from release_state.settings.config import RunConfig

_WORKERS_END_SECONDS, _FLEET_ENDS_SECONDS = 0.3, 1.6


def own_run_id(environ: Mapping[str, str]) -> int | None:
    """The ID of the workflow run that this run is a step of; None outside of GitHub Actions."""
    run_id = environ.get("GITHUB_RUN_ID", "")
    return int(run_id) if run_id.isdigit() else None


def list_sites(config: RunConfig) -> tuple[str, ...]:
    """The web addresses of the targets: of their repository, and of their page on the index."""
    pages = ((target.web, target.index_page) for target in config.targets)
    return tuple(dict.fromkeys(page for pair in pages for page in pair))


class Ending(NamedTuple):
    """How one target ended."""

    verdict: str
    words: str
    """The verdict with its target, as a line of its own."""
    exit: Exit


class ObservingSession(Protocol):
    """The session of the process that observes, collects the results and judges."""

    defects: Defects
    stops_programs: bool

    def start(self) -> None: ...
    def close(self) -> None: ...
    def add(self, result: CheckResult) -> None: ...
    def defect(self) -> BaseException | None: ...
    def verdicts(self) -> Sequence[Any]: ...
    def exit_code(self) -> Exit: ...
    def for_worker(self) -> dict[str, Any]: ...


class Run:
    """One run, in the process that observes. It is a pytest plugin: it receives the results, also those of workers."""

    session: ObservingSession
    sites: Sequence[str] = ()
    """Addresses whose pages a terminal may link to: the repository's, the index's."""
    reports: ReportFiles
    """Reports that were written stay when the run ends."""

    def __init__(self, given: Invocation) -> None:
        self.demo, self.executes = given.demo, given.executes
        self.aside = "a demo world, which is gone when this run ends" if given.demo is not None else ""
        """Added to the header of a run on a demo world or a recorded snapshot."""
        self.workflow = WorkflowStep(given.environ)  # also in a demo: the run is still a step of this workflow
        self.trouble: str | None = None
        """Why there is no report."""
        self.notes: list[str] = []
        """What went wrong without changing the exit code."""
        self.is_cut = False
        """Whether pytest ended the run early: then there is no verdict."""
        self.interrupts: Interrupts | None = None
        self._has_workers = False
        self._gateways: Any = None
        """The processes of xdist's workers, as a group of execnet."""
        self._stack = ExitStack()
        self.refuse(given)
        try:
            if given.demo is not None:
                from release_state.demo.scenarios import enter_demo

                arguments, environ = self._stack.enter_context(enter_demo(given.demo, given.arguments))
                given = replace(given, arguments=arguments, environ=environ)
            self.given = given
            self.configure()
            self._stack.callback(self.session.close)
        except BaseException:
            self._stack.close()
            raise

    def refuse(self, given: Invocation) -> None:
        """Raise UsageProblem for what this kind of run cannot do."""

    def configure(self) -> None:
        """Load the configuration, and make the session and the names of the reports; raises UsageProblem."""
        raise NotImplementedError

    def register(self, plugins: pytest.PytestPluginManager, interrupts: Interrupts | None) -> None:
        """Take part in this process's pytest run."""
        self.interrupts = interrupts
        plugins.register(self, "release-state-run")

    def start(self) -> None:
        """Start the observation, unless no check will run."""
        if self.executes:
            self.session.start()

    def close(self) -> None:
        """End the demo world, remove the exchange folder, and release the reserved report names."""
        self._stack.close()
        if self.executes:
            self.reports.discard()  # an interrupt can come before the session starts, which would do this at its end

    def prepare_reports(self, config: pytest.Config) -> None:
        """Reserve the names of this run's reports, before anything is contacted."""
        if self.executes:
            self.reserve()

    def reserve(self) -> None:
        """Reserve the names of this run's reports; raises UsageProblem if the folder cannot exist.

        A full or read-only folder is no error: the verdict is shown without reports.
        """
        try:
            self.reports.prepare()
        except OSError as error:
            where = f"{self.reports.folder}: {error.strerror}"
            if error.errno not in NO_ROOM:
                raise UsageProblem(f"reports folder {where}: give another with --reports-dir") from None
            self.trouble = f"no report was written, so the exit code is {Exit.DEFECT:d}: {where}: {self._remedy(error)}"

    def _remedy(self, error: OSError) -> str:
        """What to do about a report that cannot be written, or about another file that was asked for."""
        is_other = error.filename and not Path(error.filename).is_relative_to(self.reports.folder)
        another = "name another file" if is_other else "give another with --reports-dir"
        return f"free space, or {another}" if error.errno in FULL else another

    def add(self, result: CheckResult) -> None:
        """Keep the result of one check."""
        self.session.add(result)

    def pytest_runtest_logstart(self) -> None:
        """Stop if an interrupt was swallowed: Python only warns of an exception in a finalizer."""
        if self.interrupts is not None:
            self.interrupts.raise_again()

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Stop the observation before anything else."""
        self.session.close()
        if self._gateways is not None:
            # xdist does so when a session ends, and waits 10 s for its workers. Ours have nothing to finish; those of
            # a fleet stop the programs they started, unless their Python is still importing. While workers are
            # starting there is no session; they would be left to the exit of Python, which since 3.12 cannot start the
            # threads for it.
            busy = self.session.stops_programs and self._has_workers
            self._gateways.terminate(_FLEET_ENDS_SECONDS if busy else _WORKERS_END_SECONDS)
        # pytest shows the last entry alone, but would read and parse the source of all others.
        excinfo.traceback = type(excinfo.traceback)(excinfo.traceback[-1:])

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give an xdist worker its targets, and the folder where the snapshots will be."""
        self._gateways = node.nodemanager.group
        node.workerinput["release_state"] = self.session.for_worker()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self) -> None:
        """Note that an xdist worker has started."""
        self._has_workers = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Receive the result of a check."""
        if (result := read_result(report)) is not None:
            self.add(result)

    def header(self) -> list[str]:
        """The lines above the run: what is checked, and where each fact is read from."""
        raise NotImplementedError

    def with_aside(self, header: Sequence[str]) -> list[str]:
        """The header, with the words on a demo world or a recorded snapshot in its first line."""
        first, *rest = header
        return [f"{first}; {self.aside}" if self.aside else first, *rest]

    def phases(self) -> str | None:
        """The phases, once the observation is there; None if there is nothing to say."""
        return None

    def finish(self, exitstatus: int) -> int:
        """The exit code of the run; pytest's own 2, 3 and 4 stay."""
        if exitstatus in (Exit.INTERRUPTED, Exit.DEFECT, Exit.USAGE):
            self.is_cut = True
            self.session.close()  # xdist waits for its workers next, and they for the observation
            return exitstatus
        if not self.executes:
            return int(Exit.NOTHING_CHECKED)
        self.prepare_verdict()
        code = self.session.exit_code()
        if code is Exit.OK and exitstatus == pytest.ExitCode.TESTS_FAILED:
            code = Exit.DEFECT  # a failure outside of the checks
        if code is Exit.NOTHING_CHECKED:
            self.notes.append(
                f"nothing was checked, so the exit code is {code:d}: no check of this phase was selected and run; "
                "release-state --list-checks names them all"
            )
        return int(code)

    def prepare_verdict(self) -> None:
        """Called once all results are in, before the exit code is worked out."""

    def judged(self) -> Sequence[Any]:
        """The verdicts or rows of the run; empty if it checks nothing or observed nothing."""
        return self.session.verdicts() if self.executes else ()

    def publish_reports(self, exitstatus: int) -> int:
        """Write the reports and return the exit code: without reports never green, for a gate may read them."""
        if not (judged := self.judged()):
            self.reports.discard()
            return exitstatus
        try:
            self.write_reports(judged, exitstatus)
        except (OSError, UnicodeEncodeError) as error:
            self.reports.discard()
            return self.give_up_reports(error if isinstance(error, OSError) else OSError("a name in it is not UTF-8"))
        return exitstatus if self.reports.reserved or exitstatus == Exit.INTERRUPTED else int(Exit.DEFECT)

    def write_reports(self, judged: Sequence[Any], exitstatus: int) -> None:
        """Write the reports, and what the workflow step reads; raises OSError or UnicodeEncodeError."""
        raise NotImplementedError

    def give_up_reports(self, error: OSError) -> int:
        """The exit code when a report could not be written, never 0; removes the half that was written."""
        where = f"{error.filename or self.reports.folder}: {error.strerror or error}"
        self.trouble = (
            f"a report could not be written, so the exit code is {Exit.DEFECT:d}: {where}: {self._remedy(error)}"
        )
        if not self.reports.written:
            self.reports.html.unlink(missing_ok=True)
        return int(Exit.DEFECT)

    def show_defects(self, screen: Screen) -> None:
        """Print the tracebacks of bugs within look-ups."""
        screen.tracebacks(collect_tracebacks(self.session.defects))

    def show(self, screen: Screen) -> None:
        """Print of each target its state, what is wrong and how to fix it."""
        raise NotImplementedError

    def endings(self) -> Sequence[Ending]:
        """How each target ended."""
        raise NotImplementedError
