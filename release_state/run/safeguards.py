"""What keeps a run safe: all that it needs is there, and nothing that it prints holds a secret or is a command.

Imports the standard library and pytest alone at the top, as the plugin does.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
import warnings
from collections.abc import Callable, Generator, Iterable
from typing import Any

import pytest

from release_state.common.redaction import redact
from release_state.run.ends import (
    NO_DOCSTRINGS,
    describe_limit,
    explain_wrong_pytest,
    find_obstacle,
    guard_process,
    lacks_docstrings,
)

_LATER = ("requests", "urllib3", "pypi_simple", "yaml")
"""Modules that are imported while the services answer."""


def refuse_to_start() -> None:
    """Let nothing that ends this process look like a finding, and refuse what a run cannot work with.

    Raises pytest.UsageError.
    """
    guard_process()
    if why := explain_wrong_pytest(pytest.__version__) or find_obstacle():
        raise pytest.UsageError(why)


def load_suite() -> None:
    """Import what a run needs before it asks.

    Raises pytest.UsageError where a dependency is missing, or the checks' words are.
    """
    if lacks_docstrings():
        raise pytest.UsageError(NO_DOCSTRINGS)
    # Nothing of what is imported is garbage, and looking for some takes a fifth of the time: now, and whenever the
    # collector runs later. Frozen, it is never looked at again.
    gc.disable()
    try:
        import release_state.run.versions  # noqa: F401 - what a run needs before it asks

        for name in _LATER:  # imported while the services answer: that they are there is known before
            if importlib.util.find_spec(name) is None:
                raise ModuleNotFoundError(f"No module named {name!r}")
    except ImportError as error:
        raise explain_missing(error) from error
    finally:
        gc.freeze()
        gc.enable()


def explain_missing(error: ImportError) -> pytest.UsageError:
    """What to do about a dependency that is not there."""
    return pytest.UsageError(
        f"{error}: a dependency is missing or broken; install release-state again for {sys.executable}"
    )


def usage_error(problem: object) -> pytest.UsageError:
    """The problem as pytest tells it."""
    from release_state.common.text import disarm_commands, sanitize

    # A path in it can hold what a terminal obeys.
    return pytest.UsageError(disarm_commands(sanitize(str(problem))))


def show_no_values(config: pytest.Config) -> None:
    """Let no traceback show values of variables and arguments: the token is one of them, the environment another.

    A defect is shown by its lines, whatever of `-l`, `--full-trace`, `--tb=long` and `-vv` was asked for.
    """
    config.option.showlocals = config.option.fulltrace = False
    # There is no such option with `-p no:terminal`; then nothing is shown at all.
    if getattr(config.option, "tbstyle", "auto") in ("auto", "long"):
        config.option.tbstyle = "native"


def silence_commands(config: pytest.Config, annotations: Callable[[], Iterable[str]]) -> None:
    """Inside of a workflow, let no line that is printed be a command, but for the annotations in the end."""
    if hasattr(config, "workerinput"):
        return  # its output goes through the controller
    from release_state.report.actions import stop_commands

    guard_process = stop_commands(os.environ)
    guard_process.__enter__()

    def end() -> None:
        guard_process.__exit__(None, None, None)
        for line in annotations():
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    config.add_cleanup(end)


def isolate_workers(config: pytest.Config) -> None:
    """Let the workers of xdist import nothing of the current folder."""
    # A worker starts as `python -c` and would have the current folder first on its path: a `queue.py` lying in the
    # inspected repository would be imported. -I keeps it out on every Python; xdist hands the path of this process on.
    specs = getattr(config.option, "tx", None)
    if specs:
        import shlex

        if getattr(config.option, "maxworkerrestart", None) is None:
            # Without a limit, xdist starts a worker anew for ever whose Python has no pytest.
            config.option.maxworkerrestart = str(len(specs))
        python = shlex.quote(sys.executable)
        config.option.tx = [
            spec.replace("popen", f"popen//python={python} -I", 1) if "//python=" not in spec else spec
            for spec in specs
        ]


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Of what breaks while checks are collected."""
    report = yield
    if report.failed:
        report.longrepr = redact(report.longreprtext)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excrepr: Any, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Of an error that ends the run, here or in a worker; what this machine lacks is said in a line."""
    text = describe_limit(excinfo.value) or redact(str(excrepr))
    # All who tell it take it as a text, which pytest makes by this method of the representation.
    excrepr.toterminal = lambda writer: writer.line(text)


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """Of what broke in a thread or while it was put away, which ends as a warning with its traceback."""
    shown = str(warning_message.message)
    if isinstance(warning_message.message, Warning) and (text := redact(shown)) != shown:
        warning_message.message.args = (text,)


def redact_debug_log(config: pytest.Config) -> None:
    """Let `--debug`, which writes down every hook with its arguments, write no secret of an error."""
    if (writer := getattr(config.trace.root, "_writer", None)) is not None:
        config.trace.root.setwriter(lambda text: writer(redact(text)))
