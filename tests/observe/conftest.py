"""What several files about git and GitHub begin with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.demo.test_demo_github import bare, history
from tests.standins.github import GitHubServer

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
"""The clock of `own_server`."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository with a short history, to be copied by what changes it."""
    path = tmp_path_factory.mktemp("template") / "orbit.git"
    bare(path).run("fast-import", "--quiet", stdin=history().encode())
    return path


@pytest.fixture
def own_server(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubServer]:
    """GitHub with a copy of that repository, without tokens; a client pauses for a moment only."""
    monkeypatch.setattr("release_state.observe.http.client.PAUSES", (0.01, 0.02))
    with GitHubServer(shutil.copytree(template, tmp_path / "orbit.git"), now=lambda: NOW) as server:
        yield server


@pytest.fixture
def own_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No test sees the developer's configuration; what one writes here counts as the user's own."""
    config = tmp_path / "gitconfig"
    config.touch()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_SSH_COMMAND", "GIT_SSH", "GIT_CONFIG_COUNT"):
        monkeypatch.delenv(name, raising=False)
    return config
