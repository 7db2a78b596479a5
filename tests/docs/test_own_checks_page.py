"""The example of docs/own-checks.md, as it stands there: its checks in whole runs, its package, its own tests."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from release_state import api
from tests.support.cli import ROOT, clean_environment
from tests.support.worlds import ended

PAGE = (ROOT / "docs" / "own-checks.md").read_text(encoding="utf-8")


def block(language: str, begins: str) -> str:
    """The block of code that begins with these words."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    [text] = [each for each in found if each.startswith(begins)]
    return str(text)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository of the page."""
    folder = tmp_path_factory.mktemp("acme")
    (folder / "acme_release_checks").mkdir()
    (folder / "acme_release_checks" / "__init__.py").touch()
    (folder / "acme_release_checks" / "rules.py").write_text(block("python", '"""What Acme'), encoding="utf-8")
    (folder / "test_rules.py").write_text(block("python", '"""The tests of Acme'), encoding="utf-8")
    (folder / "pyproject.toml").write_text(block("toml", "[build-system]"), encoding="utf-8")
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """With the console command on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    text = f"#!{sys.executable}\nimport sys\nfrom release_state.cli import main\nsys.exit(main())\n"
    (folder / "release-state").write_text(text, encoding="utf-8")
    (folder / "release-state").chmod(0o755)
    found = clean_environment(tmp_path)
    return {**found, "PATH": f"{folder}:{found['PATH']}"}


def test_its_commands_end_as_it_says(project: Path, environment: dict[str, str], tmp_path: Path) -> None:
    commands = block("sh", "release-state --demo").splitlines()
    outcomes: dict[str, str] = {}
    for command, code in zip(commands, (1, 0), strict=True):
        words = [*command.split(), "--no-install", "--reports-dir", str(tmp_path / str(code))]
        done = subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True, check=False)
        ran = ended(done, tmp_path / str(code))
        assert ran.code == code, ran.output
        outcomes |= ran.only
    assert (outcomes["ACME-1"], outcomes["ACME-2"]) == ("action needed", "holds")


def test_its_tests_pass(project: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_rules.py"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_its_package_brings_the_checks(project: Path, environment: dict[str, str], tmp_path: Path) -> None:
    source, site = tmp_path / "source", tmp_path / "site"
    shutil.copytree(project, source)
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    found = {**environment, "PYTHONPATH": str(site)}
    required = ["release-state", "--demo", "clean", "--checks", "package:acme-release-checks", "-k", "ACME"]
    command = [*required, "--reports-dir", str(tmp_path / "reports")]
    done = subprocess.run(command, cwd=tmp_path, env=found, capture_output=True, text=True, check=False)

    assert ended(done, tmp_path / "reports").only == {"ACME-2": "holds"}, done.stdout + done.stderr
    missing = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert missing.returncode == 4


def test_every_name_of_the_module_is_explained() -> None:
    table = PAGE.partition("## The public module")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)) and set(api.__all__) == {
        name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert f"which is {api.API_VERSION}." in " ".join(table.split())
