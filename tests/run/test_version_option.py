"""`--version` means the release, in whatever way pytest is started, and a run that checked nothing never exits 0."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run.test_bad_input import Sockets, copy_of_the_suite, url_of
from tests.run.test_bad_input import sockets as sockets  # a fixture
from tests.support.cli import ROOT, clean_environment, suite

#: Nothing of the outside is asked by what these runs have in common; where they do check, they check the demo world.
DEMO = ("--demo", "clean", "--no-install")


def versions_checked(reports: Path) -> list[str]:
    """The versions that the one report of a run is about."""
    (file,) = [path for path in reports.glob("*.json") if not path.name.startswith("latest")]
    document = json.loads(file.read_text(encoding="utf-8"))
    return [target["target"]["version"] for target in document["targets"]]


@pytest.mark.parametrize(
    ("arguments", "versions"),
    [
        (["--version", "0.2.0"], ["0.2.0"]),
        (["--release-version", "0.2.0"], ["0.2.0"]),
        (["--version", "0.2.0", "-n", "2"], ["0.2.0"]),
        (["--version", "0.2.0", "--release-version", "0.3.0", "--version", "0.2.0"], ["0.2.0", "0.3.0"]),
        (["--version", "0.2.0", "-o", "addopts="], ["0.2.0"]),
    ],
    ids=" ".join,
)
def test_version_is_the_release(arguments: list[str], versions: list[str], tmp_path: Path) -> None:
    run = suite(*DEMO, "--phase", "pre-release", *arguments, reports_dir=tmp_path)
    assert run.returncode in (0, 1), (run.stdout, run.stderr)
    assert "READY TO RELEASE" in run.stdout
    assert f"pytest {pytest.__version__}\n" not in run.stdout.splitlines(keepends=True)
    assert versions_checked(tmp_path) == versions


def test_version_of_the_environment(tmp_path: Path) -> None:
    run = suite(*DEMO, env={"PYTEST_ADDOPTS": "--version 0.2.0"}, reports_dir=tmp_path)
    assert run.returncode == 0, (run.stdout, run.stderr)
    assert versions_checked(tmp_path) == ["0.2.0"]


@pytest.mark.parametrize("option", ["-V", "-VV"])
def test_short_option_prints_the_version_of_pytest(option: str) -> None:
    run = suite(option)
    assert run.returncode == 0
    assert pytest.__version__ in run.stdout.splitlines()[0]
    assert "release state" not in run.stdout


def test_equals_sign_is_refused_loudly(tmp_path: Path) -> None:
    run = suite(*DEMO, "--version=0.2.0", reports_dir=tmp_path)
    assert run.returncode == 4
    assert "ignored explicit argument '0.2.0'" in run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["--version"], ["--channel", "pypi", "--version"], ["--version", "-n", "0"]])
def test_bare_version_says_what_it_needs(arguments: list[str]) -> None:
    run = suite(*arguments)
    assert run.returncode == 4
    assert run.stdout == ""
    assert run.stderr.splitlines()[0].startswith("ERROR: --version ''")
    assert "0.2.0" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        (["-p", "no:release_state.plugin"], {4}),
        (["-p", "no:release_state.plugin", "-o", "addopts="], {4}),
        (["-c", "/dev/null"], {4}),
        (["-c", "/dev/null", "-o", "addopts="], {4}),
        (["-o", "addopts="], {6}),
        (["--noconftest"], {4}),
        (["--noconftest", "-o", "addopts="], {4}),
        (["--noconftest", "-c", "/dev/null"], {4}),
        (["--noconftest", "-p", "no:release_state.plugin"], {4}),
        (["--confcutdir", "checks"], {3, 4}),
        (["--rootdir", "checks"], {4}),
        (["-V"], {4}),
        (["-p", "no:terminal", "--collect-only"], {5}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_start_without_the_suite_is_never_green(
    arguments: list[str], codes: set[int], sockets: Sockets, tmp_path: Path
) -> None:
    """With no other option of ours on the command line, which pytest itself would refuse as unknown."""
    env = {
        "RELEASE_STATE_INDEX_URL_PYPI": f"{url_of(sockets.index)}/simple/",
        "RELEASE_STATE_REMOTE_URL": f"{url_of(sockets.git)}/octo/orbit.git",
        "GITHUB_API_URL": url_of(sockets.github),
        "RELEASE_STATE_LOOKUP_TIMEOUT": "1",
        "RELEASE_STATE_REPORTS_DIR": str(tmp_path / "reports"),
    }
    run = suite("--version", "0.2.0", *arguments, env=env)
    assert run.returncode in codes, (run.returncode, run.stdout, run.stderr)
    assert "READY" not in run.stdout


def test_without_the_words_of_the_checks_nothing_is_judged(tmp_path: Path) -> None:
    run = suite("--version", "0.2.0", *DEMO, env={"PYTHONOPTIMIZE": "2"}, reports_dir=tmp_path)
    assert run.returncode == 4
    assert "python -OO" in run.stderr and list(tmp_path.iterdir()) == []


def test_folders_named_like_values_do_no_harm(tmp_path: Path) -> None:
    copy = copy_of_the_suite(tmp_path / "suite")
    for name in ("0.2.0", "pypi", "clean"):
        (copy / name).mkdir()
        (copy / name / "conftest.py").write_text("raise RuntimeError('loaded')\n", encoding="utf-8")
        (copy / name / "test_other.py").write_text("raise RuntimeError('collected')\n", encoding="utf-8")
        (copy / name / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n", encoding="utf-8")
    arguments = ("--version", "0.2.0", "--channel", "pypi", *DEMO)
    run = suite(*arguments, cwd=copy, reports_dir=tmp_path / "reports")
    assert run.returncode == 0, (run.stdout, run.stderr)
    assert "READY TO RELEASE" in run.stdout
    assert versions_checked(tmp_path / "reports") == ["0.2.0"]


@pytest.mark.parametrize("spelling", [["--version", "0.2.0"], ["--version=0.2.0"]])
def test_console_command_takes_every_spelling(spelling: list[str], tmp_path: Path) -> None:
    """From a folder of its own, whose pytest settings and modules are never read."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n", encoding="utf-8")
    (folder / "conftest.py").write_text("raise RuntimeError('loaded')\n", encoding="utf-8")
    (folder / "queue.py").write_text("raise RuntimeError('imported')\n", encoding="utf-8")
    started = "import sys; sys.path.pop(0); from release_state.cli import main; raise SystemExit(main())"
    command = [sys.executable, "-c", started, *spelling, *DEMO, "--reports-dir", str(tmp_path / "reports")]
    environment = clean_environment(tmp_path, {"PYTEST_ADDOPTS": "--no-such-option", "PYTHONPATH": str(ROOT)})
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, (run.stdout, run.stderr)
    assert versions_checked(tmp_path / "reports") == ["0.2.0"]
