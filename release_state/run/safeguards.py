"""Safeguards of a run: its dependencies are there, and its output holds no secret and no workflow command.

Like the plugin, imports only the standard library and pytest at its top.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import re
import sys
import warnings
from collections.abc import Callable, Generator, Iterable
from typing import Any

import pytest

from release_state.common.errors import redact
from release_state.run.ends import (
    NO_DOCSTRINGS,
    describe_limit,
    explain_wrong_pytest,
    find_obstacle,
    guard_process,
    lacks_docstrings,
)

_LATER = ("git", "requests", "urllib3", "pypi_simple", "yaml")
"""Dependencies that are imported only while the services answer."""


def refuse_to_start() -> None:
    """Make uncaught errors end with exit code 3; refuse a pytest or a machine that cannot run the checks.

    Raises pytest.UsageError.
    """
    guard_process()
    if why := explain_wrong_pytest(pytest.__version__) or find_obstacle():
        raise pytest.UsageError(why)


def load_suite() -> None:
    """Import what a run needs before its first request.

    Raises pytest.UsageError if a dependency is missing, or the checks' docstrings are.
    """
    if lacks_docstrings():
        raise pytest.UsageError(NO_DOCSTRINGS)
    try:
        import release_state.run.versions  # noqa: F401

        for name in _LATER:  # a missing one is found now, although it is imported later
            if importlib.util.find_spec(name) is None:
                raise ModuleNotFoundError(f"No module named {name!r}")
    except ImportError as error:
        raise explain_missing(error) from error
    finally:
        gc.freeze()  # the collector never looks at what was imported again: a tenth of a gate's CPU time


def explain_missing(error: ImportError) -> pytest.UsageError:
    """The usage error for a dependency that is missing."""
    return pytest.UsageError(
        f"{shorten_paths(str(error))}: a dependency is missing or broken; install release-state again for "
        f"{sys.executable}"
    )


def shorten_paths(text: str) -> str:
    """The text with the path of each module from its package on: where that is installed helps nobody."""
    return re.sub(r"/\S*/site-packages/", "", text)


def cut_traceback(text: str) -> str:
    """The text of a usage error; of a traceback in it, as pytest writes one for `-W`, only the last line."""
    head, _, traceback = text.partition("Traceback (most recent call last):")
    return f"{' '.join(head.split())} {traceback.strip().splitlines()[-1]}" if traceback else text


def usage_error(problem: object) -> pytest.UsageError:
    """The problem as pytest's usage error."""
    from release_state.common.text import disarm_commands, sanitize

    # A path in it may hold control sequences of the terminal.
    return pytest.UsageError(disarm_commands(sanitize(str(problem))))


def show_no_values(config: pytest.Config) -> None:
    """Keep values of variables and arguments out of tracebacks: the token is among them, and the environment.

    `-l`, `--full-trace`, `--tb=long` and `-vv` change nothing: a defect is shown by its lines.
    """
    config.option.showlocals = config.option.fulltrace = False
    # `-p no:terminal` has no such option, and shows nothing.
    if getattr(config.option, "tbstyle", "auto") in ("auto", "long"):
        config.option.tbstyle = "native"


def silence_commands(config: pytest.Config, annotations: Callable[[], Iterable[str]]) -> None:
    """In a workflow, stop printed lines from being commands; print the annotations at the end, as commands."""
    if hasattr(config, "workerinput"):
        return  # a worker's output goes through its controller
    from release_state.report.actions import stop_commands

    commands = stop_commands(os.environ)
    commands.__enter__()

    def end() -> None:
        commands.__exit__(None, None, None)
        for line in annotations():
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    config.add_cleanup(end)


def isolate_workers(config: pytest.Config) -> None:
    """Keep xdist workers from importing modules of the current folder."""
    # A worker starts as `python -c`, with the current folder first on its path: it would import a `queue.py` of the
    # inspected repository. -I prevents that on every Python; xdist passes on the path of this process.
    specs = getattr(config.option, "tx", None)
    if specs:
        import shlex

        if getattr(config.option, "maxworkerrestart", None) is None:
            # Without a limit, xdist restarts a worker for ever if its Python has no pytest.
            config.option.maxworkerrestart = str(len(specs))
        python = shlex.quote(sys.executable)
        config.option.tx = [
            spec.replace("popen", f"popen//python={python} -I", 1) if "//python=" not in spec else spec
            for spec in specs
        ]


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Redact secrets in collection errors."""
    report = yield
    if report.failed:
        report.longrepr = redact(report.longreprtext)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excrepr: Any, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Redact secrets in an error that ends the run, here or in a worker; one line if the machine lacks something."""
    text = describe_limit(excinfo.value) or redact(str(excrepr))
    # pytest makes the text by this method, wherever it shows the error.
    excrepr.toterminal = lambda writer: writer.line(text)


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """Redact secrets in warnings: errors in threads and finalizers end as one, with their traceback."""
    shown = str(warning_message.message)
    if isinstance(warning_message.message, Warning) and (text := redact(shown)) != shown:
        warning_message.message.args = (text,)


def redact_debug_log(config: pytest.Config) -> None:
    """Redact secrets in the log of `--debug`, which holds every hook with its arguments."""
    if (writer := getattr(config.trace.root, "_writer", None)) is not None:
        config.trace.root.setwriter(lambda text: writer(redact(text)))
