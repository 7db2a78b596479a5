"""The console command `release-state`: the installed suite, run from inside any repository.

It runs pytest with the package's own ini file, root folder and checks: configuration, conftest and modules of the
current repository are never read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from io import TextIOWrapper
from pathlib import Path

from release_state import __version__
from release_state.cli.commands import COMMANDS, USAGE
from release_state.run.ends import (
    INTERRUPTED,
    NO_DOCSTRINGS,
    Interrupts,
    describe_limit,
    drop_output,
    end,
    explain_wrong_pytest,
    find_obstacle,
    guard_process,
    lacks_docstrings,
)


def suite_folder() -> Path:
    """The folder of checks, fixtures and conftest: inside the installed package, else this checkout.

    Raises FileNotFoundError if they are in neither.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_suite", package.parent):
        if (folder / "checks").is_dir() and (folder / "pytest.ini").is_file():
            return folder
    raise FileNotFoundError(f"the checks of release-state are missing: install it again for {sys.executable}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite; returns its exit code."""
    guard_process()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # an arrow is no error where the locale has none
    try:
        code = _main(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has closed the pipe; Python would complain again at its end
        drop_output()
        return INTERRUPTED
    except (OSError, MemoryError, RuntimeError) as error:
        if describe_limit(error) is None:
            raise
        end(error)
    return code


def _main(given: list[str]) -> int:
    if why := find_obstacle():
        return _refuse(why)
    if not given:
        sys.stderr.write(USAGE)
        return 4
    if given == ["-V"]:
        sys.stdout.write(f"release-state {__version__}, with pytest {_find_pytest()}\n")
        return 0
    # `python -m` puts the current folder first on the path: nothing in it may be imported.
    sys.path[:] = [path for path in sys.path if path not in ("", str(Path.cwd()))]
    word, rest = (given[0], given[1:]) if given[0] in COMMANDS else ("", given)
    if not word and not given[0].startswith("-") and not _exists(given[0]):
        return _refuse(_unknown(given[0]))
    if word in ("explain", "history"):
        return _answer_offline(word, rest)
    # pytest's settings in the environment belong to the current repository, not to this run.
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    try:
        folder = suite_folder()
    except FileNotFoundError as error:
        return _refuse(str(error))
    if why := NO_DOCSTRINGS if lacks_docstrings() else explain_wrong_pytest(_find_pytest()):
        return _refuse(why)
    return _run(folder, word, rest)


def _run(folder: Path, word: str, rest: list[str]) -> int:
    """Run a command, or the options without one, on the suite in a folder."""
    from release_state.cli.commands import read_places, refuse_configuration, to_options, write_help
    from release_state.common.errors import UsageProblem

    if any(argument in ("-h", "--help") for argument in rest):
        sys.stdout.write(write_help())
        return 0
    try:
        if word == "completion":
            from release_state.cli.completion import write_completion

            sys.stdout.write(write_completion(rest))
            return 0
        options = to_options(word, rest)
        refuse_configuration(options)
    except UsageProblem as problem:
        return _refuse(str(problem))
    if (places := read_places(options)) is not None:
        return list_checks(folder, places)
    # Until the plugin takes over: while pytest is imported, there is nothing to clean up.
    interrupts = Interrupts()
    interrupts.start()
    import pytest

    own = ["-c", str(folder / "pytest.ini"), "--rootdir", str(folder), "--confcutdir", str(folder)]
    try:
        return int(pytest.main([*own, str(folder / "checks"), *map(_as_pytest_knows_it, options)]))
    except (ImportError, ValueError) as error:
        if not str(error).startswith(("Error importing plugin", "Plugin already registered")):
            raise
        from release_state.common.text import disarm_commands, sanitize

        # pytest goes on with a list of all plugins, each with its file.
        return _refuse(disarm_commands(sanitize(f"-p: {str(error).partition('=<')[0]}")))
    finally:
        interrupts.stop()


def _answer_offline(word: str, rest: list[str]) -> int:
    from release_state.cli.explain import explain
    from release_state.cli.history import history
    from release_state.report.actions import stop_commands

    with stop_commands(os.environ):
        return explain(rest) if word == "explain" else history(rest, os.environ, Path.cwd())


def _refuse(why: str) -> int:
    sys.stderr.write(f"ERROR: {why}\n")
    return 4


def _find_pytest() -> str:
    try:
        return version("pytest")
    except PackageNotFoundError:
        return ""


def _exists(argument: str) -> bool:
    return os.path.exists(argument.partition("::")[0])  # noqa: PTH110 - Path's raises for what can be no name


def _unknown(word: str) -> str:
    from release_state.common.text import disarm_commands, sanitize
    from release_state.settings.validate import nearest, shown

    said = f"{shown(word)} is not a command{nearest(word, COMMANDS)}; known: {', '.join(COMMANDS)}"
    return disarm_commands(sanitize(f"{said}; a version is given as --version X.Y.Z; all options: --help"))


def _as_pytest_knows_it(argument: str) -> str:
    """`--version` under its second name: pytest's first parse would refuse `--version=X`; `--help-all` as `--help`."""
    if argument == "--version" or argument.startswith("--version="):
        return argument.replace("--version", "--release-version", 1)
    return "--help" if argument == "--help-all" else argument


def list_checks(folder: Path, places: Sequence[str] = ()) -> int:
    """Print all checks, with one's own: ID, phases, level, fact."""
    from release_state.common.errors import UsageProblem
    from release_state.common.text import disarm_commands, sanitize
    from release_state.run.checks import catalogue
    from release_state.settings.own_checks import find_own_checks

    try:
        checks = catalogue(folder / "checks", tuple(find_own_checks(places, os.environ, Path.cwd())))
    except UsageProblem as problem:
        return _refuse(disarm_commands(sanitize(str(problem))))
    ids, phases = (max(map(len, column)) for column in zip(*((c.id, c.places) for c in checks), strict=True))
    for check in checks:
        level = "blocking" if check.blocking else "advice"
        origin = f"  ({check.origin})" if check.origin else ""
        sys.stdout.write(f"{check.id:{ids}}  {check.places:{phases}}  {level:8}  {sanitize(check.title + origin)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
