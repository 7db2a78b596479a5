"""Refuses one kind of run: the suite's own checks without the suite.

The only part that pytest loads by an entry point, so in every run of an environment that has the suite: where both
`addopts` and the conftest are switched off, nothing else of it is there, and pytest would take `--version` for its own,
print its version and exit 0. Does nothing in any other run.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
_CHECKS = (_HERE.parent / "checks", _HERE / "_suite" / "checks")
"""Of a checkout, and of an installed package."""


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Raise pytest.UsageError where checks would be run and nothing of the suite is loaded that could judge them."""
    known = early_config.known_args_namespace
    if not known.noconftest or early_config.pluginmanager.has_plugin("release_state.plugin"):
        return
    # What a file or a test's name begins with; a value that pytest does not know for one is no path of ours.
    named = [Path(argument.partition("::")[0]) for argument in known.file_or_dir] or [Path()]
    if any(_is_of_checks(early_config.invocation_params.dir / path) for path in named):
        # pytest looks for its own name here after a usage error, and would print its version beside the message.
        args[:] = [argument for argument in args if argument != "--version"]
        known.version = 0
        raise pytest.UsageError(
            "--noconftest, without the suite's own plugin: nothing could be checked without them; leave it out"
        )


def _is_of_checks(path: Path) -> bool:
    """Whether a run of this path would collect checks."""
    path = Path(os.path.realpath(path))
    return any(path == checks or checks in path.parents or path in checks.parents for checks in _CHECKS)
