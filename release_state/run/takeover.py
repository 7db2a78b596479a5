"""What has to be so before a run begins: `--version` is ours, what is needed is there, nothing leaks.

Imports the standard library and pytest alone at the top, as the plugin does.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from collections.abc import Callable, Iterable

import pytest

from release_state.run.ends import WITHOUT_WORDS, guard, too_little, without_words, wrong_pytest

_LATER = ("requests", "urllib3", "pypi_simple", "yaml")
"""Modules that are imported while the services answer."""
_NO_RUN = (
    ("version", "-V", "prints pytest's own version (for more output: -v)"),
    ("markers", "--markers", "lists markers"),
    ("showfixtures", "--fixtures", "lists fixtures"),
    ("show_fixtures_per_test", "--fixtures-per-test", "lists fixtures"),
    ("trace", "--trace", "stops before each check"),
)
"""Options of pytest that check nothing: their names in its options, as they are typed, and what they do instead."""


def refuse_to_start() -> None:
    """Let nothing that ends this process look like a finding, and refuse what a run cannot work with.

    Raises pytest.UsageError.
    """
    guard()
    if why := wrong_pytest(pytest.__version__) or too_little():
        raise pytest.UsageError(why)


def take_version_over(parser: pytest.Parser) -> None:
    """Take `--version` out of pytest's own option."""
    # No public way takes an option's name away. A pytest without these attributes raises here, which ends the run:
    # loud, and never pytest's own version with exit code 0.
    for group in (parser._anonymous, *parser._groups):
        for option in group.options:
            if "--version" in option._long_opts:
                option._long_opts.remove("--version")


def first_in_help(parser: pytest.Parser, name: str, description: str) -> pytest.OptionGroup:
    """A group of options that `--help` shows before the hundreds of pytest's own."""
    group = parser.getgroup(name, description)
    parser._groups.remove(group)
    parser._groups.insert(0, group)
    return group


def load_suite() -> None:
    """Import what a run needs before it asks.

    Raises pytest.UsageError where a dependency is missing, or the checks' words are.
    """
    if without_words():
        raise pytest.UsageError(WITHOUT_WORDS)
    # Nothing of what is imported is garbage, and looking for some takes a fifth of the time: now, and whenever the
    # collector runs later. Frozen, it is never looked at again.
    gc.disable()
    try:
        import release_state.run.versions  # noqa: F401 - what a run needs before it asks

        for name in _LATER:  # imported while the services answer: that they are there is known before
            if importlib.util.find_spec(name) is None:
                raise ModuleNotFoundError(f"No module named {name!r}")
    except ImportError as error:
        raise missing(error) from error
    finally:
        gc.freeze()
        gc.enable()


def missing(error: ImportError) -> pytest.UsageError:
    """What to do about a dependency that is not there."""
    return pytest.UsageError(
        f"{error}: a dependency is missing or broken; install release-state again for {sys.executable}"
    )


def usage_error(problem: object) -> pytest.UsageError:
    """The problem as pytest tells it."""
    from release_state.common.text import disarmed, plain

    # A path in it can hold what a terminal obeys.
    return pytest.UsageError(disarmed(plain(str(problem))))


def refuse_other_answers(config: pytest.Config) -> None:
    """Refuse beside a version what makes pytest print something else and end with exit code 0.

    Raises pytest.UsageError.
    """
    for name, typed, does in _NO_RUN if config.option.release_state_version else ():
        if getattr(config.option, name, False):
            raise pytest.UsageError(f"{typed} {does} and checks nothing: leave it out")


def show_no_values(config: pytest.Config) -> None:
    """Let no traceback show values of variables and arguments: the token is one of them, the environment another.

    A defect is shown by its lines, whatever of `-l`, `--full-trace`, `--tb=long` and `-vv` was asked for.
    """
    config.option.showlocals = config.option.fulltrace = False
    # There is no such option with `-p no:terminal`; then nothing is shown at all.
    if getattr(config.option, "tbstyle", "auto") in ("auto", "long"):
        config.option.tbstyle = "native"


def guard_output(config: pytest.Config, annotations: Callable[[], Iterable[str]]) -> None:
    """Inside of a workflow, let no line that is printed be a command, but for the annotations in the end."""
    if hasattr(config, "workerinput"):
        return  # its output goes through the controller
    from release_state.report.actions import stop_commands

    guard = stop_commands(os.environ)
    guard.__enter__()

    def end() -> None:
        guard.__exit__(None, None, None)
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
