"""What a run shows on the terminal: its header, the verdicts and plans, and three last lines that say how it ended.

pytest's own banner, dots and counts are for `-v`: a person needs the last screen for what is wrong and how to fix it.
Like the plugin, imports only the standard library and pytest at its top.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from release_state.model.outcome import Exit
    from release_state.report.screen import Screen
    from release_state.run.base import Ending, Run

_SILENT = -2
"""The verbosity at which pytest shows neither banner, dots nor counts."""


def silence_pytest(option: Any, *, executes: bool) -> None:
    """Keep what pytest shows of a run for `-v`, unless no check runs; note whether the run itself is to be quiet."""
    verbose = getattr(option, "verbose", 0)  # `-p no:terminal` has no such option
    option.release_state_quiet = verbose < 0
    if verbose <= 0 and executes:
        option.verbose = _SILENT


def is_silent(config: pytest.Config) -> bool:
    """Whether pytest shows nothing of its own."""
    return bool(getattr(config.option, "verbose", 0) == _SILENT)


def conclude(endings: Sequence[Ending], exitstatus: int = 0) -> tuple[str, Exit]:
    """The verdict of a run in a line, and the exit code that it stands for: the worst of its targets'.

    `exitstatus` is that of a run without targets: they may have had no check.
    """
    from release_state.model.outcome import Exit, Verdict

    if not endings and exitstatus == Exit.NOTHING_CHECKED:
        return Verdict.NOTHING_CHECKED.value, Exit.NOTHING_CHECKED
    if not endings:
        return "NO VERDICT", Exit.DEFECT
    if len(endings) == 1:
        return endings[0].words, endings[0].exit
    worst = Exit.worst([each.exit for each in endings])
    alike = [each.verdict for each in endings if each.exit is worst]
    return f"{', '.join(dict.fromkeys(alike))}: {len(alike)} of {len(endings)} targets", worst


class LastScreen:
    """The terminal of one run; a plugin beside it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._screen: Screen | None = None
        self._has_shown_phases = self._is_interrupted = self._is_closed = False

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionstart(self, session: pytest.Session) -> Generator[None, None, None]:
        """Print the header of the run; pytest's own would name the folders of its files."""
        config = session.config
        reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        has_header = reporter is not None and not config.option.no_header
        # With `-v`, pytest shows each check with the way from the current folder to where the suite is installed.
        setattr(config, "cwd_relative_nodeid", str)  # noqa: B010 - mypy refuses to assign to a method
        if reporter is not None:
            reporter.startpath = config.rootpath  # the same, of `-rs`
            config.option.no_header = True
            from release_state.report.screen import Screen
            from release_state.verdict.check import COUNTED

            self._screen = Screen(reporter, self._run.sites)
            for name in COUNTED:
                reporter.stats.setdefault(name, [])  # pytest shows counts in this order, and skips empty ones
        if is_silent(config):
            _silence_workers(config.pluginmanager)
        yield
        if not has_header or (self._screen is not None and self._screen.is_quiet):
            return
        for line in self._run.header():
            reporter.write_line(line)
        if not is_silent(config):
            about = f"Python {platform.python_version()} on {sys.platform}"
            reporter.write_line(f"  pytest  {pytest.__version__}, {about}")

    def pytest_report_collectionfinish(self, config: pytest.Config) -> str | None:
        """Print which phase applies and why, while pytest shows the run."""
        return None if is_silent(config) else self._run.phases()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any) -> None:
        """Print once which phase applies and why; under xdist the controller collects nothing itself."""
        reporter = node.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or is_silent(node.config) or self._has_shown_phases:
            return
        if phases := self._run.phases():
            self._has_shown_phases = True
            reporter.ensure_newline()
            reporter.write_line(phases)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Note a worker that has crashed: xdist itself says so with `-v` only."""
        if error:
            self._run.notes.append(f"worker {node.gateway.id} ended: {error}")

    @pytest.hookimpl(trylast=True)
    def pytest_keyboard_interrupt(self) -> None:
        """Shorten what pytest says of an interrupt: the place in a file of the suite helps nobody."""
        self._is_interrupted = True
        kept: Any = getattr(self._screen and self._screen.reporter, "_keyboardinterrupt_memo", None)
        if kept is not None and kept.reprcrash is not None:
            kept.reprcrash.message = "interrupted"

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self) -> None:
        """Print the verdicts and how to fix what is wrong; if the observation crashed, only that."""
        run, screen = self._run, self._screen
        if screen is None or not run.executes:
            return
        run.show_defects(screen)
        if (broke := run.session.defect()) is not None:
            screen.crash(broke)
        else:
            run.show(screen)
        screen.notes(run.session.defects, run.notes, run.trouble)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Print the last three lines, after whatever else has something to say: verdict, exit code, reports."""
        result = yield
        self._is_closed = True
        if (screen := self._screen) is not None:
            if self._run.executes:
                words, code = conclude([] if self._run.is_cut else self._run.endings(), int(session.exitstatus))
                screen.close(words, code, int(session.exitstatus), self._run.reports)
            else:
                screen.line(f"nothing was judged, so the exit code is {int(session.exitstatus)}")
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Print them of a run that was interrupted before its session had begun, too."""
        if not self._is_interrupted or self._is_closed:
            return
        if self._screen is None:
            sys.stderr.write("interrupted before anything was judged\n")
        else:
            words, code = conclude([])
            self._screen.close(words, code, pytest.ExitCode.INTERRUPTED, self._run.reports)


def _silence_workers(plugins: pytest.PytestPluginManager) -> None:
    """Take the terminal from xdist, which shows its workers at any verbosity."""
    distribution: Any = plugins.get_plugin("dsession")
    if distribution is not None:
        # No hook or option stops the lines that it writes once all workers have collected; it asks for the terminal
        # before each of them.
        distribution.terminal = None
        plugins.unregister(name="terminaldistreporter")
