"""The hooks of one run: what a check said, and our own parts of the page. Registered once the run is there."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Generator
from typing import Any

import pytest

from release_state.common.redaction import redacted
from release_state.run.ends import in_a_line
from release_state.run.interrupt import Interrupts

_WORKERS_END_SECONDS, _FLEET_ENDS_SECONDS = 0.3, 1.6


class Results:
    """Takes the results in the controller, which sees those of every worker."""

    def __init__(self, run: Any, plugins: pytest.PytestPluginManager, watch: Interrupts | None) -> None:
        self.run, self.plugins, self.watch = run, plugins, watch

    def pytest_runtest_logstart(self) -> None:
        """Go no further where an interrupt was swallowed: what is raised in a finalizer is only warned about."""
        if self.watch is not None:
            self.watch.insist()

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Stop what observes before anything else is done."""
        self.run.session.close()
        xdist: Any = self.plugins.get_plugin("dsession")
        manager = getattr(xdist, "nodemanager", None)
        if manager is not None:
            # xdist's is 10 s, for workers that have something to finish; those of a fleet put away what they started,
            # if they have begun: a worker whose Python is still importing has started nothing.
            nodes = getattr(xdist, "_active_nodes", None)
            begun = nodes is None or any(hasattr(node, "workerinfo") for node in nodes)
            busy = hasattr(self.run.session, "pool") and begun
            manager.EXIT_TIMEOUT = _FLEET_ENDS_SECONDS if busy else _WORKERS_END_SECONDS
            # xdist does so at the end of a session. Where workers were still starting there is none to end, and they
            # would be left to the exit of Python, which from 3.12 on cannot start the threads for it.
            manager.teardown_nodes()
        # pytest shows the last place alone, and would read and parse the source of all the others for it.
        excinfo.traceback = type(excinfo.traceback)(excinfo.traceback[-1:])
        # pytest collects garbage several times when it ends, which takes a second: there is none that matters now.
        gc.freeze()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a check said."""
        self.run.gather(report)


class ResultsAndPage(Results):
    """Besides, gives pytest-html's page our own parts."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        """Remember the page, whose title becomes the verdict; nothing of the machine's environment goes into it."""
        self.page = report
        report.set_data("environment", {})

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[Any]) -> None:
        """Name our columns."""
        from release_state.report.page import header

        header(cells)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[Any]) -> None:
        """Fill our columns; a report that is no check's keeps the width of the table."""
        from release_state.report.page import other_row, row
        from release_state.run.results import of_report

        result = of_report(report)
        row(result, cells) if result else other_row(cells)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Put the verdict on top."""
        from release_state.report.page import summary, title

        verdicts = self.run.session.verdicts()
        self.page.title = title(verdicts)
        prefix.extend(summary(verdicts, self.run.session.observed() or {}, self.run.origin, self.run.changes))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Of what breaks while checks are collected."""
    report = yield
    if report.failed:
        report.longrepr = redacted(report.longreprtext)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excrepr: Any, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Of an error that ends the run, here or in a worker; what this machine lacks is said in a line."""
    text = in_a_line(excinfo.value) or redacted(str(excrepr))
    # All who tell it take it as a text, which pytest makes by this method of the representation.
    excrepr.toterminal = lambda writer: writer.line(text)


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """Of what broke in a thread or while it was put away, which ends as a warning with its traceback."""
    shown = str(warning_message.message)
    if isinstance(warning_message.message, Warning) and (text := redacted(shown)) != shown:
        warning_message.message.args = (text,)


def redact_debug_log(config: pytest.Config) -> None:
    """Let `--debug`, which writes down every hook with its arguments, write no secret of an error."""
    if (writer := getattr(config.trace.root, "_writer", None)) is not None:
        config.trace.root.setwriter(lambda text: writer(redacted(text)))
