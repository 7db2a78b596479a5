"""The installed wheel, run from inside a repository that means harm."""

from __future__ import annotations

import fcntl
import os
import shutil
import site
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from release_state import __version__
from tests.standins.world import World
from tests.support.cli import ROOT, clean_environment
from tests.support.worlds import Ran, ended, options, own_reports, world_of

STRAYS = (
    *("queue.py", "git.py", "json.py", "conftest.py", "sitecustomize.py", "usercustomize.py", "fixtures.py"),
    *("checks/__init__.py", "checks/conftest.py", "checks/test_stray.py", "fixtures/__init__.py", "fixtures/target.py"),
    *("pytest.py", "pluggy.py", "requests.py", "msgspec.py", "execnet.py", "fnmatch.py", "tempfile.py", "stray.py"),
)
PACKAGE = (
    "release_state/__init__.py",
    "release_state/__main__.py",
    "release_state/cli/__init__.py",
    "release_state/plugin.py",
)


def _called(*command: str | Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run([str(word) for word in command], check=False, text=True, env=env, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built once for all workers of a test run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    with (shared / "wheel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = shared / "wheel"
        if not folder.is_dir():
            made = shared / "wheel-made"
            _called(sys.executable, "-m", "build", "--wheel", "--outdir", made, ROOT)
            made.rename(folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with the wheel; its dependencies are the running environment's."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    _called(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    # A line of a .pth adds the folder alone, and not what its own .pth files name: an editable checkout stays out.
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n", encoding="utf-8")
    where = _called(python, "-I", "-c", "import release_state; print(release_state.__file__)").strip()
    assert Path(where).is_relative_to(folder)
    return folder / "bin"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Ready to release."""
    with world_of("clean") as built:
        yield built


def make_hostile(folder: Path, marks: Path, strays: tuple[str, ...]) -> None:
    """A git repository whose configuration and modules would all be noticed, were they read or imported."""
    marks.mkdir()
    folder.mkdir()
    _called("git", "init", "--quiet", folder)
    for name in strays:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"import os\nos.close(os.open({str(marks / name.replace('/', '.'))!r}, os.O_CREAT | os.O_WRONLY))\n",
            encoding="utf-8",
        )
    addopts = "-p stray --strict-markers --no-such-option"
    for name, section in (("pytest.ini", "pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        (folder / name).write_text(f"[{section}]\naddopts = {addopts}\npythonpath = .\n", encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        f'[tool.pytest.ini_options]\naddopts = "{addopts}"\n[tool.release-state]\nno-such-key = 1\n', encoding="utf-8"
    )


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """The hostile repository; the marks of what was imported are in the folder `marks` beside it."""
    make_hostile(tmp_path / "hostile", tmp_path / "marks", (*STRAYS, *PACKAGE))
    return tmp_path / "hostile"


def launched(command: list[str], folder: Path, world: World, *, timeout: float = 90) -> Ran:
    """Run a command inside a folder, with the reports where they go by default: below the home."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    server = urlsplit(world.github.url).netloc.replace(":", "-")
    reports = home / ".local" / "state" / "release-state" / "reports" / server / world.repository
    before = tuple(own_reports(reports))
    environment = clean_environment(home, {"GITHUB_TOKEN": world.token})
    # What a developer's shell may have set for the repository at hand.
    environment |= {"PYTEST_ADDOPTS": "--no-such-option", "PYTEST_PLUGINS": "stray"}
    done = subprocess.run(
        [*command, *options(world)], cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout,
        check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return ended(done, reports, before)


def names_in(folder: Path) -> set[str]:
    """Every file and folder below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def assert_ready_and_unharmed(ran: Ran, folder: Path, before: set[str]) -> None:
    """The verdict is right, nothing of the folder was imported, and nothing in it is new."""
    assert (ran.code, ran.verdict) == (0, "READY TO RELEASE"), ran.output
    assert [path.name for path in (folder.parent / "marks").iterdir()] == []
    assert ran.json is not None
    assert names_in(folder) == before
    assert {ran.json.name, ran.page, "latest.json", "latest.html"} <= names_in(ran.reports)
    assert ran.json.stem in ran.output, "the reports are named"


def test_the_wheel_installs_one_top_level_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    assert {name.split("/")[0] for name in names} == {"release_state", f"release_state-{__version__}.dist-info"}
    suite = {name.removeprefix("release_state/_suite/") for name in names if name.startswith("release_state/_suite/")}
    wanted = {str(path.relative_to(ROOT)) for place in ("checks", "fixtures") for path in (ROOT / place).glob("*.py")}
    assert suite == wanted | {"conftest.py", "pytest.ini"}
    data = {path for path in (ROOT / "release_state").rglob("*.*") if path.suffix in (".html", ".css", ".js", ".json")}
    assert len(data) > 10 and {str(path.relative_to(ROOT)) for path in data} <= set(names)
    assert "release_state/py.typed" in names
    assert not [name for name in names if name.endswith(".pyc") or "/tests/" in name]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version", "0.2.0", "--channel", "pypi"],
        ["--version", "0.2.0", "--channel", "pypi", "-n", "2"],
        ["--version=0.2.0"],
    ],
)
def test_the_command_from_inside_a_hostile_repository(
    arguments: list[str], installed: Path, hostile: Path, world: World
) -> None:
    before = names_in(hostile)

    ran = launched([str(installed / "release-state"), *arguments], hostile, world)

    assert_ready_and_unharmed(ran, hostile, before)


def test_python_m_from_inside_a_hostile_repository(installed: Path, tmp_path: Path, world: World) -> None:
    # Python itself looks for what -m names in the current folder first: only other names can be kept out.
    hostile = tmp_path / "hostile"
    make_hostile(hostile, tmp_path / "marks", STRAYS)
    before = names_in(hostile)

    ran = launched([str(installed / "python"), "-m", "release_state", "--version", "0.2.0"], hostile, world)

    assert_ready_and_unharmed(ran, hostile, before)


def test_the_strays_would_be_noticed(installed: Path, hostile: Path) -> None:
    """The trap works: what Python starts in that folder imports them."""
    environment = clean_environment(hostile.parent)
    done = subprocess.run(
        [installed / "python", "-c", "import queue, release_state"], cwd=hostile, env=environment, check=False
    )

    assert done.returncode == 0
    assert {path.name for path in (hostile.parent / "marks").iterdir()} == {"queue.py", "release_state.__init__.py"}


def test_a_verdict_that_is_not_green_ends_the_command_so(installed: Path, hostile: Path) -> None:
    with world_of("partial") as partial:
        ran = launched([str(installed / "release-state"), "--version", "0.2.0", "--no-install"], hostile, partial)

    assert (ran.code, ran.verdict) == (1, "ACTION NEEDED"), ran.output


def test_the_demo_from_inside_a_hostile_repository(installed: Path, hostile: Path) -> None:
    before = names_in(hostile)
    done = subprocess.run(
        [installed / "release-state", "demo", "clean", "--reports-dir", str(hostile.parent / "reports")], cwd=hostile,
        env=clean_environment(hostile.parent), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert "READY TO RELEASE" in done.stdout
    assert "site-packages" not in done.stdout
    assert names_in(hostile) == before
    assert list((hostile.parent / "marks").iterdir()) == []


def test_no_message_names_where_it_is_installed(installed: Path, hostile: Path) -> None:
    for typed in (
        ["--chanel"],
        ["-n", "x"],
        ["--channel"],
        ["demo", "x"],
        ["--version", "x"],
        ["checks", "x"],
        ["--lf"],
    ):
        done = subprocess.run(
            [installed / "release-state", *typed], cwd=hostile, env=clean_environment(hostile.parent),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 4, typed
        assert "ERROR: " in done.stderr and "site-packages" not in done.stdout + done.stderr


def test_the_checks_are_listed_without_a_run(installed: Path, hostile: Path) -> None:
    before = names_in(hostile)
    done = subprocess.run(
        [installed / "release-state", "--list-checks"], cwd=hostile, env=clean_environment(hostile.parent),
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert "BRANCH-1" in done.stdout
    assert names_in(hostile) == before
    assert list((hostile.parent / "marks").iterdir()) == []


def _oldest_python() -> str | None:
    homes = sorted(Path.home().glob(".pyenv/versions/3.10*/bin/python"))
    candidates = [*map(str, homes), shutil.which("python3.10")]
    for candidate in filter(None, candidates):
        asked = subprocess.run([candidate, "-c", "import sys, ensurepip; print(sys.version_info[:2])"],
                               capture_output=True, text=True, check=False)  # fmt: skip
        if asked.stdout.strip() == "(3, 10)":
            return candidate
    return None


@pytest.mark.slow
def test_the_oldest_python(wheel: Path, tmp_path: Path, hostile: Path, world: World) -> None:
    """With its dependencies from the index; it has no safe path, which keeps strays out on later ones."""
    if (python := _oldest_python()) is None:
        pytest.skip("this machine has no Python 3.10")
    folder = tmp_path / "venv"
    _called(python, "-m", "venv", folder)
    pip = (folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
    _called(*pip, "install", "--quiet", "--no-compile", wheel)
    before = names_in(hostile)

    program = str(folder / "bin" / "release-state")
    serial = launched([program, "--version", "0.2.0"], hostile, world)
    assert_ready_and_unharmed(serial, hostile, before)
    parallel = launched([program, "--version", "0.2.0", "-n", "2"], hostile, world)
    assert_ready_and_unharmed(parallel, hostile, before)
