"""The pytest hooks of the suite, from its options to the verdict, and the place where a run is composed.

Hooks of collection are in `run.collecting`, of redaction in `run.safeguards`, of results in the run itself; they are
registered here. No other module knows single versions, audits and fleets alike.

Imports only the standard library, pytest and modules that do the same: it is loaded with `-p` before anything else, and
an import error there would end in exit code 1 instead of a usage error.
"""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
from collections.abc import Generator, Mapping
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from release_state.common.errors import UsageProblem, redact
from release_state.run import collecting, safeguards
from release_state.run.ends import INTERRUPTED, Interrupts, block_interrupts, drop_output, unblock_interrupts
from release_state.run.last_screen import LastScreen, is_silent, silence_pytest
from release_state.run.options import (
    add_options,
    arguments_of,
    cwd_of,
    first_in_help,
    invocation_of,
    refuse_other_answers,
    refuse_unknown,
    take_version_over,
)
from release_state.run.safeguards import (
    explain_missing,
    isolate_workers,
    load_suite,
    refuse_to_start,
    shorten_paths,
    show_no_values,
    silence_commands,
    usage_error,
)

if TYPE_CHECKING:
    from release_state.run.session import RunSession

_RUN: pytest.StashKey[Any] = pytest.StashKey()
_INTERRUPTS: pytest.StashKey[Interrupts] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Take `--version` from pytest, and add the options of the suite."""
    refuse_to_start()
    take_version_over(parser)
    config = pluginmanager.get_plugin("pytestconfig")
    known = getattr(config, "known_args_namespace", None)
    if known is not None and known.confcutdir is not None and "release_state_version" not in known:
        # Loaded by the conftest and not by -p: pytest took --version for its own, and only warns if a conftest fails.
        known.version = 0
        load_suite()
    add_options(first_in_help(parser, "release-state", "release state"))
    pluginmanager.register(_ClosedPipe(), "release-state-closed-pipe")


class _ClosedPipe:
    """Ends a run whose reader has closed the pipe: pytest's own exit code for that is 1, which says ACTION NEEDED."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self) -> Generator[None, Any, Any]:
        try:
            return (yield)
        except BrokenPipeError:
            drop_output()
            return INTERRUPTED


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, None, None]:
    """Turn whatever prevents the suite from starting into a usage error: exit code 4, never a green run."""
    if "PYTEST_XDIST_WORKER" not in os.environ:  # a worker ends with its controller
        interrupts = early_config.stash[_INTERRUPTS] = Interrupts()
        interrupts.start()
        early_config.add_cleanup(interrupts.stop)
    # After a usage error pytest looks for --version here, and would print its own version beside the message.
    args[:] = ["--release-version" if argument == "--version" else argument for argument in args]
    early_config.known_args_namespace.version = 0  # otherwise pytest only warns of a conftest that fails
    if early_config.known_args_namespace.noconftest:
        raise pytest.UsageError("--noconftest leaves out the suite's own conftest.py, without which no check can run")
    load_suite()
    try:
        yield
        refuse_unknown(parser, args)
    except pytest.UsageError as error:
        raise pytest.UsageError(*(safeguards.cut_traceback(str(text)) for text in error.args)) from None
    except UsageProblem as problem:
        raise usage_error(problem) from None
    except Exception as error:
        cause = getattr(error, "cause", error)
        text = shorten_paths(redact(" ".join(str(cause).split())))
        raise pytest.UsageError(f"the suite cannot be loaded: {type(cause).__name__}: {text}") from error


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer `--show-config`; refuse options that check nothing beside a version; guard the output."""
    silence_commands(config, lambda: run.workflow.annotations if (run := _run_of(config)) else ())
    show_no_values(config)
    safeguards.redact_debug_log(config)
    config.pluginmanager.register(safeguards, "release-state-safeguards")
    refuse_other_answers(config)
    if not config.option.release_state_show_config or config.option.help:
        return None
    try:
        from msgspec import structs

        from release_state.observe.from_clone import read_process
        from release_state.observe.git.reader import find_repository
        from release_state.observe.token import find_token
        from release_state.report.configuration import show
        from release_state.settings.config import PLACEHOLDER, load

        given = arguments_of(config)
        asked = given if given.versions or given.audit else structs.replace(given, versions=(PLACEHOLDER,))
        loaded = load(asked, os.environ, cwd_of(config), find_repository)
        token_source = find_token(os.environ, loaded.targets[0].github_api)[1]
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        clone = read_process([*{target.channel.name: target for target in loaded.targets}.values()])
        print("\n".join(show(loaded, token_source, clone)).encode(encoding, "backslashreplace").decode(encoding))
    except UsageProblem as problem:
        raise usage_error(problem) from None
    return 0


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the configuration and start the observation, before collection."""
    if config.option.help or config.option.version:
        return
    config.pluginmanager.register(collecting, "release-state-collecting")
    from release_state.common.disk import scratch_folder
    from release_state.run.session import KEY

    if (given := getattr(config, "workerinput", {}).get("release_state")) is not None:
        worker = _worker_session(config, given)
        config.stash[KEY] = worker
        if not worker.stops_programs:
            # Ctrl-C reaches workers too. They have nothing to clean up, and the controller reports for all.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        unblock_interrupts()
        return
    for argument in config.args:
        if not config.option.pyargs and not (cwd_of(config) / argument.partition("::")[0]).exists():
            # pytest would say so only after the look-ups.
            hint = (
                f"; a version is given as --version {argument.lstrip('v')}"
                if re.fullmatch(r"v?\d[\w.+!-]*", argument)
                else ""
            )
            raise usage_error(f"file or directory not found: {argument!r}{hint}")
    if collecting.is_listing(config.option):
        config.pluginmanager.register(collecting.Listing(), "release-state-listing")
        return
    if (interrupts := config.stash.get(_INTERRUPTS, None)) is not None:
        interrupts.stage = "running"
    # Registered while it is still empty: it is closed whenever a signal comes.
    made = ExitStack()
    config.add_cleanup(made.close)
    try:
        scratch = made.enter_context(scratch_folder())
        # pytest's own folder has a name that others can guess (CVE-2025-71176).
        config.option.basetemp = getattr(config.option, "basetemp", None) or str(Path(scratch, "pytest"))
        run = _new_run(config)
    except OSError as error:
        raise usage_error(f"no temporary folder can be created: {error.strerror or error}; set TMPDIR") from None
    except UsageProblem as problem:
        raise usage_error(problem) from None
    config.stash[_RUN] = run
    config.stash[KEY] = run.session
    made.callback(run.close)
    run.register(config.pluginmanager, interrupts)
    config.pluginmanager.register(LastScreen(run), "release-state-last-screen")
    silence_pytest(config.option, executes=run.executes)
    isolate_workers(config)
    try:
        run.prepare_reports(config)
        with interrupts.postpone() if interrupts else nullcontext():
            run.start()
    except UsageProblem as problem:
        raise usage_error(problem) from None
    except ImportError as error:
        raise explain_missing(error) from error


def _new_run(config: pytest.Config) -> Any:
    """The run that was asked for: over single versions, an audit, or over a list of projects; raises UsageProblem."""
    given = invocation_of(config)
    if given.listed is not None:
        from release_state.audit.fleet.run import FleetRun

        return FleetRun(given)
    if given.arguments.audit:
        from release_state.audit.run import AuditRun

        return AuditRun(given)
    from release_state.run.versions import VersionsRun

    return VersionsRun(given)


def _worker_session(config: pytest.Config, given: Mapping[str, Any]) -> RunSession:
    """The session of an xdist worker, of the same kind as its controller's; `given` is what that one sent."""
    if given.get("fleet"):
        from release_state.audit.fleet.session import fleet_worker

        return fleet_worker(given, arguments_of(config))
    if given.get("audit"):
        from release_state.audit.session import AuditWorker

        return AuditWorker(given)
    from release_state.run.session import Worker

    return Worker(given)


@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session: pytest.Session) -> Generator[None, None, None]:
    """Start the workers without Ctrl-C."""
    with ExitStack() as starting:
        if session.config.pluginmanager.has_plugin("dsession"):
            if (interrupts := session.config.stash.get(_INTERRUPTS, None)) is not None:
                starting.enter_context(interrupts.postpone())
            starting.enter_context(block_interrupts())
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Call a check and keep how it ended, so that no other plugin decides that."""
    from release_state.run.checks import call_check

    return call_check(pyfuncitem)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Attach the result of a check to its report; pytest's own outcome stays passed, failed or skipped."""
    from release_state.run.checks import is_statement, translate

    raised = call.excinfo
    if raised is not None and is_statement(raised.value):
        call.excinfo = None  # saves pytest the source of a traceback that is not shown
    try:
        report = yield
    finally:
        call.excinfo = raised
    return translate(item, call, report)


def pytest_report_teststatus(
    report: pytest.TestReport, config: pytest.Config
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Name the outcome in the progress line, if there is one, and in the summary."""
    from release_state.run.checks import status

    named = status(report)
    return (named[0], "", ("", {})) if named and is_silent(config) else named


def _run_of(config: pytest.Config) -> Any:
    return config.stash.get(_RUN, None)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
    """Judge, set the exit code, write the reports.

    The innermost wrapper: around pytest-html, which writes its page in this hook, and before the terminal's summary.
    """
    run = _run_of(session.config)
    if (interrupts := session.config.stash.get(_INTERRUPTS, None)) is not None:
        interrupts.stage = "ending"
    if run is not None:
        session.exitstatus = run.finish(int(exitstatus))
    try:
        yield
    except OSError as error:
        if run is None:
            raise
        session.exitstatus = run.give_up_reports(error)  # also removes a page that was half written
    if run is not None:
        session.exitstatus = run.publish_reports(int(session.exitstatus))
        _forget_page(session.config, run.reports.html)
        gc.freeze()  # pytest collects garbage five times before it ends: a tenth of a gate's CPU time


def _forget_page(config: pytest.Config, page: Path) -> None:
    """Stop pytest-html from naming its page: the summary does, and a run that observed nothing has none."""
    if config.option.htmlpath == str(page):
        for plugin in config.pluginmanager.get_plugins():
            if type(plugin).__module__.startswith("pytest_html."):
                config.pluginmanager.unregister(plugin)
