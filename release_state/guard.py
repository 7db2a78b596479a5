"""Refuses to run the suite's checks without the suite.

pytest loads this module by an entry point, in every run of an environment that has the suite installed. If both
`addopts` and the conftest are switched off, nothing else of the suite is loaded: pytest would take `--version` for its
own, print its version and exit 0. In any other run it does nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
_CHECKS = (_HERE.parent / "checks", _HERE / "_suite" / "checks")
"""In a checkout, and in an installed package."""


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Raise pytest.UsageError if checks would run without the plugin that judges them."""
    known = early_config.known_args_namespace
    if not known.noconftest or early_config.pluginmanager.has_plugin("release_state.plugin"):
        return
    # The path before `::` of each argument.
    named = [Path(argument.partition("::")[0]) for argument in known.file_or_dir] or [Path()]
    if any(_is_of_checks(early_config.invocation_params.dir / path) for path in named):
        # After a usage error pytest looks for --version here, and would print its own version beside the message.
        args[:] = [argument for argument in args if argument != "--version"]
        known.version = 0
        raise pytest.UsageError("--noconftest without the suite's plugin: no check can run; leave it out")


def _is_of_checks(path: Path) -> bool:
    """Whether a run of this path would collect checks."""
    path = Path(os.path.realpath(path))
    return any(path == checks or checks in path.parents or path in checks.parents for checks in _CHECKS)
