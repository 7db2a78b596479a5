"""The console command `release-state`: the installed suite, run from inside any repository.

It runs pytest with the package's own ini file, root folder and checks: configuration, conftest and modules of the
current repository are never read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from release_state import __version__
from release_state.run.ends import (
    NO_DOCSTRINGS,
    Interrupts,
    describe_limit,
    end,
    explain_wrong_pytest,
    find_obstacle,
    guard_process,
    lacks_docstrings,
)

_WORDS = ("plan", "explain", "history")
USAGE = """usage: release-state --version X.Y.Z [--channel pypi|testpypi|all] [--phase PHASE] [options]
       release-state --demo SCENARIO
       release-state plan --version X.Y.Z [--plan complete|rollback] [--script FILE]
       release-state --version all | '>=2,<3' [--channel pypi] (an audit of the whole history)
       release-state --project-list FILE [--version all | X.Y.Z] (an audit or a gate of many projects)
       release-state explain LOGFILE
       release-state history [--version X.Y.Z] [--channel NAME] [--repository OWNER/NAME]
       release-state --list-checks

Says, read-only, whether a Python release is ready, released and verified, or what is wrong and how to fix it.
Every option of the suite: release-state --help
"""


def suite_folder() -> Path:
    """The folder of checks, fixtures and conftest: inside the installed package, else this checkout.

    Raises FileNotFoundError if they are in neither.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "_suite", package.parent):
        if (folder / "checks").is_dir() and (folder / "pytest.ini").is_file():
            return folder
    raise FileNotFoundError(f"the checks of release-state are missing beside {package}: install it again")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite; returns its exit code."""
    guard_process()
    try:
        code = _main(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has closed the pipe; Python would complain again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except (OSError, MemoryError, RuntimeError) as error:
        if describe_limit(error) is None:
            raise
        end(error)
    return code


def _main(given: list[str]) -> int:
    if why := find_obstacle():
        sys.stderr.write(f"ERROR: {why}\n")
        return 4
    if not given:
        sys.stderr.write(USAGE)
        return 4
    if given == ["-V"]:
        sys.stdout.write(f"release-state {__version__}, with pytest {version('pytest')}\n")
        return 0
    # `python -m` puts the current folder first on the path: nothing in it may be imported.
    sys.path[:] = [path for path in sys.path if path not in ("", str(Path.cwd()))]
    if not given[0].startswith("-") and given[0] not in _WORDS and not _exists(given[0]):
        sys.stderr.write(_unknown(given[0]))
        return 4
    if given[0] in ("explain", "history"):
        from release_state.offline import explain, history
        from release_state.report.actions import stop_commands

        with stop_commands(os.environ):
            return explain(given[1:]) if given[0] == "explain" else history(given[1:], os.environ, Path.cwd())
    # pytest's settings in the environment belong to the current repository, not to this run.
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    try:
        folder = suite_folder()
    except FileNotFoundError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return 4
    if why := NO_DOCSTRINGS if lacks_docstrings() else explain_wrong_pytest(version("pytest")):
        sys.stderr.write(f"ERROR: {why}\n")
        return 4
    if given == ["--list-checks"]:
        return list_checks(folder)
    if given[0] == "plan":
        given = given[1:]  # every run has the plan; the word only states the intention
    if any(argument in ("-h", "--help") for argument in given):
        sys.stdout.write(USAGE.rpartition("Every option")[0] + "\n")
    # Until the plugin takes over: while pytest is imported, there is nothing to clean up.
    interrupts = Interrupts()
    interrupts.start()
    import pytest

    own = ["-c", str(folder / "pytest.ini"), "--rootdir", str(folder), "--confcutdir", str(folder)]
    try:
        return int(pytest.main([*own, str(folder / "checks"), *map(_as_release_version, given)]))
    finally:
        interrupts.stop()


def _exists(argument: str) -> bool:
    return os.path.exists(argument.partition("::")[0])  # noqa: PTH110 - Path's raises for what can be no name


def _unknown(word: str) -> str:
    from release_state.common.text import disarm_commands, sanitize
    from release_state.settings.validate import nearest, shown

    said = f"{shown(word)} is not a command{nearest(word, _WORDS)}; known: {', '.join(_WORDS)}"
    return (
        disarm_commands(sanitize(f"ERROR: {said}; a version is given as --version X.Y.Z; all options: --help")) + "\n"
    )


def _as_release_version(argument: str) -> str:
    """`--version` under its second name; pytest's first parse would refuse `--version=X`."""
    if argument == "--version" or argument.startswith("--version="):
        return argument.replace("--version", "--release-version", 1)
    return argument


def list_checks(folder: Path) -> int:
    """Print all checks: ID, phases, level, fact."""
    from release_state.run.checks import catalogue

    checks = catalogue(folder / "checks")
    ids, phases = (max(map(len, column)) for column in zip(*((c.id, c.places) for c in checks), strict=True))
    for check in checks:
        level = "blocking" if check.blocking else "advice"
        sys.stdout.write(f"{check.id:{ids}}  {check.places:{phases}}  {level:8}  {check.title}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
