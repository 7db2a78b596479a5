"""Connects the suite to pytest, nothing else."""

from __future__ import annotations

import pytest

pytest_plugins = ["release_state.plugin", "fixtures.target"]


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Stop if the plugin is switched off: pytest would answer `--version` itself, with exit 0."""
    if not config.pluginmanager.has_plugin("release_state.plugin"):
        raise pytest.UsageError("release_state.plugin is switched off: nothing can be checked without it")
