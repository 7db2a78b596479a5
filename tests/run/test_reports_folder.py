"""Where reports go: into no folder that a project packs or commits, and where the next run finds them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from release_state.cli import main
from release_state.observe.git.reader import find_repository
from release_state.settings.config import Arguments, RunConfig, load
from tests.support.cli import ROOT

NAMED = {"package": "orbit", "repository": "Octo/Orbit"}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of reports below the user's state."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (tmp_path / "here").mkdir()
    return tmp_path / "state" / "release-state" / "reports"


def loaded(cwd: Path, settings: Mapping[str, str] | None = None, environ: Mapping[str, str] | None = None) -> RunConfig:
    arguments = Arguments(versions=("0.2.0",), settings={**NAMED, **(settings or {})})
    return load(arguments, environ or {}, cwd, find_repository)


def test_a_project_has_a_folder_of_its_own_in_the_users_state(tmp_path: Path, state: Path) -> None:
    config = loaded(tmp_path / "here")
    assert config.reports_dir == state / "octo" / "orbit"
    assert config.targets[0].reports_dir == str(config.reports_dir)
    other = loaded(tmp_path / "here", environ={"GITHUB_API_URL": "https://ghe.example:8443/api/v3"})
    assert other.reports_dir == state / "ghe.example-8443" / "octo" / "orbit"
    assert not state.exists(), "only a run that writes a report makes it"


def test_the_checkout_of_the_suite_keeps_its_own(tmp_path: Path) -> None:
    assert loaded(ROOT).reports_dir == loaded(ROOT / "docs").reports_dir == ROOT / "reports"


def test_a_workflow_has_the_runners_temporary_folder(tmp_path: Path, state: Path) -> None:
    runner = {"GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(tmp_path / "runner")}
    assert loaded(tmp_path / "here", environ=runner).reports_dir == tmp_path / "runner" / "release-state"
    for other in ({"GITHUB_ACTIONS": "false"}, {"RUNNER_TEMP": ""}, {"RUNNER_TEMP": "relative"}):
        assert loaded(tmp_path / "here", environ=runner | other).reports_dir == state / "octo" / "orbit"


def test_what_somebody_says_counts_everywhere(tmp_path: Path) -> None:
    for cwd in (tmp_path / "here", ROOT):
        assert loaded(cwd, {"reports-dir": str(tmp_path / "mine")}).reports_dir == tmp_path / "mine"
    environ = {"RELEASE_STATE_REPORTS_DIR": "mine", "GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(tmp_path)}
    assert loaded(tmp_path / "here", environ=environ).reports_dir == tmp_path / "here" / "mine"


def test_a_run_over_a_list_writes_above_its_projects_and_reads_what_each_has(tmp_path: Path, state: Path) -> None:
    listed = ({"package": "orbit", "repository": "octo/orbit"}, "list")
    config = load(Arguments(versions=("0.2.0",)), {}, tmp_path / "here", find_repository, listed)
    assert (config.reports_dir, config.targets[0].reports_dir) == (state, str(state / "octo" / "orbit"))


def test_the_history_reads_the_folder_of_the_clone_at_hand(
    tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    monkeypatch.chdir(here)
    assert main(["history"]) == 4
    assert "no repository: run it in a clone, or give --repository" in capsys.readouterr().err
    assert main(["history", "--repository", "octo/Orbit"]) == 0
    assert ": the first run writes one" in capsys.readouterr().out, "before any run there is no folder either"
    (state / "octo" / "orbit").mkdir(parents=True)
    assert main(["history", "--repository", "octo/Orbit"]) == 0
    for command in (["init", "--quiet"], ["remote", "add", "origin", "https://github.com/octo/orbit.git"]):
        subprocess.run(["git", *command], cwd=here, check=True)
    assert main(["history"]) == 0
    monkeypatch.chdir(tmp_path)
    assert main(["history", "--repo", "here"]) == 0
    assert capsys.readouterr().out.count(f"no report of such a run in {state / 'octo' / 'orbit'}") == 3
    assert main(["history", "--repo", "nowhere"]) == 4
    assert capsys.readouterr().err == "ERROR: --repo 'nowhere' is not a folder\n"
