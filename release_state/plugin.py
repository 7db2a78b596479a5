"""The only pytest hooks of the suite: options, the take-over of `--version`, and the run from collection to verdict.

Imports the standard library and pytest alone at the top: it is loaded with `-p` before anything else, and an import
error there would end in exit code 1 instead of a usage error.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import signal
import sys
from collections.abc import Generator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import pytest

from release_state.command_line import add_options, arguments_of, cwd_of, is_executing, new_run
from release_state.gathering import Results, ResultsAndPage
from release_state.interrupt import Watch, held_back, let_in
from release_state.options import UsageProblem

_RUN: pytest.StashKey[Any] = pytest.StashKey()
_WATCH: pytest.StashKey[Watch] = pytest.StashKey()
_NO_RUN = (
    ("version", "-V", "prints pytest's own version (for more output: -v)"),
    ("markers", "--markers", "lists markers"),
    ("showfixtures", "--fixtures", "lists fixtures"),
    ("show_fixtures_per_test", "--fixtures-per-test", "lists fixtures"),
    ("trace", "--trace", "stops before each check"),
)
"""Options of pytest that check nothing: their names in its options, as they are typed, and what they do instead."""
_LATER = ("requests", "urllib3", "pypi_simple", "yaml")


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Take `--version` out of pytest's own option and give it the meaning that a release manager expects."""
    _take_version_over(parser)
    config = pluginmanager.get_plugin("pytestconfig")
    known = getattr(config, "known_args_namespace", None)
    if known is not None and known.confcutdir is not None and "release_state_version" not in known:
        # Loaded by the conftest, not by -p: pytest took --version for its own and only warns of what fails to load.
        known.version = 0
        _load_suite()
    add_options(parser.getgroup("release-state", "release state"))


def _take_version_over(parser: pytest.Parser) -> None:
    # No public way takes an option's name away. A pytest without these attributes raises here, which ends the run:
    # loud, and never pytest's own version with exit code 0.
    for group in (parser._anonymous, *parser._groups):
        for option in group.options:
            if "--version" in option._long_opts:
                option._long_opts.remove("--version")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> Generator[None, None, None]:
    """Turn everything that keeps the suite from starting whole into a usage error: exit 4, never a green run."""
    if "PYTEST_XDIST_WORKER" not in os.environ:  # a worker ends with its controller
        watch = early_config.stash[_WATCH] = Watch()
        watch.start()
        early_config.add_cleanup(watch.stop)
    # pytest looks for its own name here after a usage error, and would print its version beside the message.
    args[:] = ["--release-version" if argument == "--version" else argument for argument in args]
    early_config.known_args_namespace.version = 0  # else a conftest that fails to import would only be warned about
    if early_config.known_args_namespace.noconftest:
        raise pytest.UsageError(
            "--noconftest leaves the suite's own conftest.py out: nothing could be checked without it"
        )
    _load_suite()
    try:
        yield
    except pytest.UsageError:
        raise
    except Exception as error:
        cause = getattr(error, "cause", error)
        text = " ".join(str(cause).split())
        raise pytest.UsageError(f"the suite cannot be loaded: {type(cause).__name__}: {text}") from error


def _load_suite() -> None:
    if sys.flags.optimize > 1:
        raise pytest.UsageError("python -OO takes the checks' words away, which are docstrings: leave it out")
    # Nothing of what is imported is garbage, and looking for some takes a fifth of the time: now, and whenever the
    # collector runs later. Frozen, it is never looked at again.
    gc.disable()
    try:
        import release_state.run  # noqa: F401 - what a run needs before it asks

        for name in _LATER:  # imported while the services answer: that they are there is known before
            if importlib.util.find_spec(name) is None:
                raise ModuleNotFoundError(f"No module named {name!r}")
    except ImportError as error:
        raise _missing(error) from error
    finally:
        gc.freeze()
        gc.enable()


def _missing(error: ImportError) -> pytest.UsageError:
    return pytest.UsageError(
        f"{error}: a dependency is missing or broken; install release-state again for {sys.executable}"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer `--show-config`; refuse beside a version what prints something else and exits 0, nothing checked."""
    _guard_output(config)
    _show_no_values(config)
    for name, typed, does in _NO_RUN if config.option.release_state_version else ():
        if getattr(config.option, name, False):
            raise pytest.UsageError(f"{typed} {does} and checks nothing: leave it out")
    if not config.option.release_state_show_config or config.option.help:
        return None
    from release_state.run import configuration, token_source

    try:
        loaded = configuration(arguments_of(config), os.environ, cwd_of(config))
        from release_state.config import show

        print(*show(loaded, token_source(loaded, os.environ)), sep="\n")
    except UsageProblem as problem:
        raise _refused(problem) from None
    return 0


def _refused(problem: object) -> pytest.UsageError:
    from release_state.text import disarmed, plain

    # A path in it can hold what a terminal obeys.
    return pytest.UsageError(disarmed(plain(str(problem))))


def _show_no_values(config: pytest.Config) -> None:
    """Let no traceback show values of variables and arguments: the token is one of them, the environment another.

    A defect is shown by its lines, whatever of `-l`, `--full-trace`, `--tb=long` and `-vv` was asked for.
    """
    config.option.showlocals = config.option.fulltrace = False
    # There is no such option with `-p no:terminal`; then nothing is shown at all.
    if getattr(config.option, "tbstyle", "auto") in ("auto", "long"):
        config.option.tbstyle = "native"


def _guard_output(config: pytest.Config) -> None:
    """Inside of a workflow, let no line that is printed be a command, but for the annotations in the end."""
    if hasattr(config, "workerinput"):
        return  # its output goes through the controller
    from release_state.report.commands import silenced

    guard = silenced(os.environ)
    guard.__enter__()

    def end() -> None:
        guard.__exit__(None, None, None)
        run = _run_of(config)
        for line in run.workflow.annotations if run else ():
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    config.add_cleanup(end)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the configuration, and begin to observe before collection does."""
    if config.option.help or config.option.version:
        return
    from release_state.run import Run, worker_session
    from release_state.scratch import scratch_folder
    from release_state.session import KEY

    if (given := getattr(config, "workerinput", {}).get("release_state")) is not None:
        worker: Any = worker_session(given, lambda: arguments_of(config))
        config.stash[KEY] = worker
        if not hasattr(worker, "pool"):  # the worker of a fleet observes itself, and has programs to stop
            # A terminal interrupts workers too: they have nothing to put away, and the controller answers for all.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        let_in()
        return
    for argument in config.args:
        if not config.option.pyargs and not (cwd_of(config) / argument.partition("::")[0]).exists():
            raise _refused(f"file or directory not found: {argument!r}")  # pytest says it after the look-ups
    if (watch := config.stash.get(_WATCH, None)) is not None:
        watch.stage = "running"
    # Known to pytest before there is anything in it: whenever a signal comes, it is closed.
    made = ExitStack()
    config.add_cleanup(made.close)
    try:
        scratch = made.enter_context(scratch_folder())
        # pytest's own has a name that others can guess (CVE-2025-71176), and takes room, which xdist cannot do without.
        config.option.basetemp = getattr(config.option, "basetemp", None) or str(Path(scratch, "pytest"))
        run = new_run(config)
    except OSError as error:
        raise _refused(f"no temporary folder can be made: {error.strerror or error}; set TMPDIR") from None
    except UsageProblem as problem:
        raise _refused(problem) from None
    session: Any = run.session
    config.stash[_RUN] = run
    config.stash[KEY] = session
    made.callback(run.close)
    results = (ResultsAndPage if isinstance(run, Run) else Results)(run, config.pluginmanager, watch)
    config.pluginmanager.register(results, "release-state-run")
    _isolate_workers(config)
    run.prepare_reports(config)
    try:
        with watch.importing() if watch else nullcontext():
            run.start()
    except ImportError as error:
        raise _missing(error) from error


@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session: pytest.Session) -> Generator[None, None, None]:
    """Say what is checked in a few lines: pytest's own, on versions and plugins, come with -v alone."""
    option, run = session.config.option, _run_of(session.config)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    starting = held_back() if session.config.pluginmanager.has_plugin("dsession") else nullcontext()
    if run is None or reporter is None or option.verbose != 0 or option.no_header:
        with starting:
            yield
        return
    option.no_header = True
    reporter.showfspath = False  # one line of dots, not one for each file
    with starting:
        yield
    for line in run.header():
        reporter.write_line(line)


def _isolate_workers(config: pytest.Config) -> None:
    # A worker starts as `python -c` and would have the current folder first on its path: a `queue.py` lying in the
    # inspected repository would be imported. -I keeps it out on every Python; xdist hands the path of this process on.
    specs = getattr(config.option, "tx", None)
    if specs:
        import shlex

        python = shlex.quote(sys.executable)
        config.option.tx = [
            spec.replace("popen", f"popen//python={python} -I", 1) if "//python=" not in spec else spec
            for spec in specs
        ]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give an xdist worker the targets and the place where the snapshots will be."""
    node.workerinput["release_state"] = node.config.stash[_RUN].session.for_worker()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any) -> None:
    """Say which phase applies and why, once: under xdist the controller collects nothing itself."""
    run = _run_of(node.config)
    reporter = node.config.pluginmanager.get_plugin("terminalreporter")
    if run is not None and reporter is not None and (phases := run.phases()) and not run.phases_told:
        run.phases_told = True
        reporter.ensure_newline()
        reporter.write_line(phases)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> Any:
    """Make the items of an audit's checks, one for each version; in an audit, no other check has any."""
    from release_state.check import MARKER, of_many

    if not isinstance(collector, pytest.Module) or MARKER not in [m.name for m in getattr(obj, "pytestmark", ())]:
        return None
    session, marker = _many_of(collector.config), of_many(collector.obj)
    if session is None or marker != session.marker:
        return [] if session or marker else None
    return session.items(collector, obj) if is_executing(collector.config.option) else []


def _many_of(config: pytest.Config) -> Any:
    """The session of an audit or of a list of projects; None where single versions are checked."""
    from release_state.session import KEY

    session = config.stash.get(KEY, None)
    return session if hasattr(session, "marker") else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no file of checks that an audit or a list of projects does not run."""
    many = _many_of(config)
    is_check = collection_path.suffix == ".py" and collection_path.name.startswith("test_")
    return True if many is not None and is_check and collection_path.name != many.file else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin to observe the projects of a list, once it is known which are selected."""
    if (many := _many_of(session.config)) is not None and is_executing(session.config.option):
        many.begin(session.items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Run the checks of an audit in one step each."""
    if not hasattr(item, "run_and_report"):
        return None
    item.run_and_report()
    return True


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each check once for each target."""
    from release_state.session import of_config

    if "target" in metafunc.fixturenames:
        targets = of_config(metafunc.config).targets
        ids = [target.key for target in targets]
        metafunc.parametrize("target", targets, indirect=True, ids=ids, scope="session")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the checks of the phase that applies; say what a narrowed run needs."""
    from release_state.run import select

    if is_executing(config.option) and _many_of(config) is None:
        items[:] = select(config, items)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Call a check, and keep how it ended: no other plugin decides that."""
    from release_state.results import call_check

    return call_check(pyfuncitem)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Translate how a check ended into an outcome; pytest's own stays passed, failed or skipped."""
    from release_state.results import says, translate

    raised = call.excinfo
    if raised is not None and says(raised.value):
        call.excinfo = None  # pytest would read and parse source for a traceback that nobody is shown
    try:
        report = yield
    finally:
        call.excinfo = raised
    return translate(item, call, report)


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Name the outcome in the progress and in the summary line."""
    from release_state.results import status

    return status(report)


def _run_of(config: pytest.Config) -> Any:
    return config.stash.get(_RUN, None)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Package, version, channel, phase, and where each fact is read from."""
    run = _run_of(config)
    return run.header() if run else []


def pytest_report_collectionfinish(config: pytest.Config) -> str | None:
    """Say which phase applies and why."""
    run = _run_of(config)
    return run.phases() if run else None


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
    """Judge, set the exit code, write the reports.

    The innermost wrapper: around pytest-html, which writes its page here, and before the terminal's summary.
    """
    run = _run_of(session.config)
    if (watch := session.config.stash.get(_WATCH, None)) is not None:
        watch.stage = "ending"
    if run is not None:
        session.exitstatus = run.finish(int(exitstatus))
    try:
        yield
    except OSError as error:
        if run is None:
            raise
        session.exitstatus = run.report_failed(error)  # and the half of a page that was written is gone
    if run is not None:
        session.exitstatus = run.publish_reports(int(session.exitstatus))
        _forget_page(session.config, run.reports.html)
        gc.freeze()  # pytest looks for garbage five times before it ends, and there is none that matters


def _forget_page(config: pytest.Config, page: Path) -> None:
    # Where it is is said with the verdict; and it went with the report of a run that observed nothing.
    if config.option.htmlpath == str(page):
        for plugin in config.pluginmanager.get_plugins():
            if type(plugin).__module__.startswith("pytest_html."):
                config.pluginmanager.unregister(plugin)


@pytest.hookimpl(tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the verdict, what is wrong, and the commands that mend it."""
    run = _run_of(config)
    if run is not None:
        run.summarise(terminalreporter)
