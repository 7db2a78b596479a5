"""Bad input ends in one clear line and exit 4, before anything is contacted or written; nothing run is exit 5.

Every run here is a process of its own, pointed at loopback sockets that would notice a single connection.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from release_state.common.errors import UsageProblem
from release_state.run.versions import require_folders
from tests.support.cli import ROOT, suite

BOTH = pytest.mark.parametrize("workers", ["0", "2"], ids=["serial", "two-workers"])


@dataclass(frozen=True)
class Sockets:
    """Where the run is pointed at. The kernel completes a connection without our help and keeps it for `accept`."""

    index: socket.socket
    github: socket.socket
    git: socket.socket

    @property
    def arguments(self) -> list[str]:
        return [
            *("--package", "orbit", "--repository", "octo/orbit", "--lookup-timeout", "1"),
            *("--index-url", f"pypi={url_of(self.index)}/simple/"),
            *("--index-url", f"testpypi={url_of(self.index)}/test/"),
            *("--github-api-url", url_of(self.github)),
            *("--remote-url", f"{url_of(self.git)}/octo/orbit.git"),
        ]

    def contacted(self) -> list[str]:
        return [name for name in ("index", "github", "git") if _was_contacted(getattr(self, name))]


def url_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _was_contacted(listener: socket.socket) -> bool:
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        return False
    connection.close()
    return True


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    for listener in listeners:
        listener.setblocking(False)
    yield Sockets(*listeners)
    for listener in listeners:
        listener.close()


def assert_refused(run: subprocess.CompletedProcess[str], says: Sequence[str], sockets: Sockets, reports: Path) -> None:
    """One line, exit 4, no traceback, nothing contacted, nothing written."""
    assert run.returncode == 4, (run.stdout, run.stderr)
    lines = [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]
    assert len(lines) == 1, lines
    assert lines[0].startswith("ERROR: ")
    for text in says:
        assert text in lines[0]
    assert sockets.contacted() == []
    assert not reports.exists()


def test_a_good_run_is_noticed_by_every_socket(sockets: Sockets, tmp_path: Path) -> None:
    """The control: what the other tests take for silence would be heard here."""
    run = suite("--version", "0.2.0", *sockets.arguments, reports_dir=tmp_path / "reports")
    assert run.returncode == 6, (run.stdout, run.stderr)
    assert sockets.contacted() == ["index", "github", "git"]
    assert list((tmp_path / "reports").glob("*.json"))


TYPED: list[tuple[str, list[str], list[str]]] = [
    ("no-version", [], ["no version", "--version 0.2.0"]),
    ("bare-version", ["--version"], ["--version ''", "like 0.2.0"]),
    ("word", ["--version", "banana"], ["--version 'banana'", "not a PEP 440 version", "like 0.2.0"]),
    ("empty-version", ["--version", ""], ["--version ''", "not a PEP 440 version"]),
    ("shell", ["--version", "0.2.0; rm -rf /"], ["'0.2.0; rm -rf /'", "not a PEP 440 version"]),
    ("newline", ["--version", "0.2\n.0"], [r"'0.2\n.0'", "not a PEP 440 version"]),
    ("version-forgotten", ["--version", "--channel", "pypi"], ["--version ''", "like 0.2.0"]),
    ("too-long", ["--version", "9" * 5000], ["not a PEP 440 version", "…"]),
    ("tag", ["--version", "v0.2.0"], ["'v0.2.0' looks like a tag", "--version 0.2.0"]),
    ("bare version", ["0.2.0"], ["not found: '0.2.0'; a version is given as --version 0.2.0"]),
    ("second-version", ["--version", "0.2.0", "--version", "banana"], ["'banana'"]),
    ("channel", ["--version", "0.2.0", "--channel", "pypii"], ["'pypii'", "did you mean pypi?", "testpypi, all"]),
    ("phase", ["--version", "0.2.0", "--phase", "prerelease"], ["'prerelease'", "did you mean pre-release?"]),
    ("demo", ["--version", "0.2.0", "--demo", "cleen"], ["--demo 'cleen'", "did you mean clean?"]),
    ("repository", ["--version", "0.2.0", "--repository", "octo"], ["'octo'", "owner/name"]),
    ("repository-url", ["--version", "0.2.0", "--repository", "https://h/o/r.git"], ["owner/name", "give o/r"]),
    ("script-folder", ["--version", "0.2.0", "--script", "no/s.sh"], ["--script", "no folder", "create it"]),
    ("script-is-folder", ["--version", "0.2.0", "--script", "checks"], ["--script", "is a folder: give a file"]),
    ("repo-missing", ["--version", "0.2.0", "--repo", "no-such"], ["--repo 'no-such'", "not a folder"]),
    ("tag-template", ["--version", "0.2.0", "--tag-template", "v1"], ["--tag-template 'v1'", "{version}"]),
    ("branch-template", ["--version", "0.2.0", "--branch-template", "release"], ["--branch-template", "{version}"]),
    ("title-template", ["--version", "0.2.0", "--title-template", "New"], ["--title-template 'New'", "{version}"]),
    ("index-url", ["--version", "0.2.0", "--index-url", "http://h/"], ["--index-url 'http://h/'", "CHANNEL=URL"]),
    ("upload-pack", ["--version", "0.2.0", "--remote-url=--upload-pack=x"], ["'--upload-pack=x'", "git remote"]),
    ("path-name", ["--version", "0.2.0", "--package", "../x"], ["package '../x'", "letters, digits"]),
    ("base-blank", ["--version", "0.2.0", "--base-branch", "a b"], ["--base-branch 'a b'", "git"]),
    ("missing-file", ["--version", "0.2.0", "pypi-typed-as-path"], ["not found: 'pypi-typed-as-path'"]),
    ("reports-dir", ["--version", "0.2.0", "--reports-dir", "conftest.py"], ["reports folder", "--reports-dir"]),
    ("version-of-pytest", ["--version", "0.2.0", "-V"], ["-V", "checks nothing"]),
    ("trace", ["--version", "0.2.0", "--trace"], ["--trace", "checks nothing"]),
    ("debugger", ["--version", "0.2.0", "--pdb"], ["--pdb", "waits for a person"]),
    ("markers", ["--version", "0.2.0", "--markers"], ["--markers", "checks nothing"]),
    ("fixtures-of-a-demo", ["--demo", "clean", "--fixtures"], ["--fixtures", "checks nothing"]),
    ("warnings", ["--version", "0.2.0", "-W", "error::Wrong"], ["error::Wrong", "no attribute 'Wrong'"]),
    ("page", ["--version", "0.2.0", "--html=/dev/null/x/y.html"], ["--html '/dev/null/x/y.html'", "Not a directory"]),
    ("fixtures", ["--version", "0.2.0", "--fixtures"], ["--fixtures", "checks nothing"]),
    ("fixtures-of-each", ["--version", "0.2.0", "--fixtures-per-test"], ["--fixtures-per-test", "checks nothing"]),
    ("no-conftest", ["--version", "0.2.0", "--noconftest"], ["--noconftest"]),
]


def test_a_file_that_you_may_not_write_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path)
    with pytest.raises(UsageProblem, match=r"^--save-snapshot .*/s.json: you may not write there: give another file$"):
        require_folders({"save_snapshot": tmp_path / "s.json"})


def test_a_demo_without_git_says_so(tmp_path: Path) -> None:
    run = suite("--demo", "clean", env={"PATH": str(tmp_path)}, reports_dir=tmp_path / "reports")
    assert run.returncode == 4, run.stdout + run.stderr
    assert "the demo needs git, which is not on the PATH: install git" in run.stderr


@pytest.mark.parametrize(("arguments", "says"), [case[1:] for case in TYPED], ids=[case[0] for case in TYPED])
def test_bad_argument_is_refused(arguments: list[str], says: list[str], sockets: Sockets, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    run = suite(*sockets.arguments, *arguments, reports_dir=reports)
    assert_refused(run, says, sockets, reports)


@pytest.mark.parametrize("arguments", [["--version", "banana"], ["--version", "0.2.0", "--noconftest"], ["--version"]])
def test_bad_argument_is_refused_before_workers_start(arguments: list[str], sockets: Sockets, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    run = suite("-n", "2", *sockets.arguments, *arguments, reports_dir=reports)
    assert_refused(run, [arguments[-1]], sockets, reports)


def test_repo_that_is_no_repository_is_refused(sockets: Sockets, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    reports = tmp_path / "reports"
    run = suite("--version", "0.2.0", "--repo", str(folder), *sockets.arguments, reports_dir=reports)
    assert_refused(run, ["--repo", "not a git repository"], sockets, reports)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--remote-url", "--upload-pack=x"], "argument --remote-url: expected one argument"),
        # Something like a negative number is no option to the parser of newer Pythons: then the value is refused.
        (["--version", "-0.2.0"], "'-0.2.0' is not an option|--version '-0.2.0' is not a PEP 440 version"),
    ],
)
def test_value_that_looks_like_an_option_is_none(
    arguments: list[str], says: str, sockets: Sockets, tmp_path: Path
) -> None:
    """Refused by the parser of the command line itself, in its own words."""
    reports = tmp_path / "reports"
    run = suite("--version", "0.2.0", *sockets.arguments, *arguments, reports_dir=reports)
    assert run.returncode == 4
    assert any(words in run.stderr for words in says.split("|"))
    assert "Traceback" not in run.stdout + run.stderr
    assert sockets.contacted() == []
    assert not reports.exists()


CONFIGURED: list[tuple[str, str, list[str]]] = [
    ("broken", "tool.release-state = [", ["pyproject.toml cannot be read"]),
    ("endless-number", "x = " + "9" * 5000, ["pyproject.toml cannot be read"]),
    ("endless-nesting", "x = " + "[" * 20_000, ["pyproject.toml cannot be read"]),
    ("unknown-key", "tool.release-state.packge = 'orbit'", ["'packge' is not known", "did you mean package?"]),
    ("type", "tool.release-state.ci-required = 'true'", ["ci-required is str, expected true or false"]),
    ("nul-folder", 'tool.release-state.changelog = "a\\u0000b"', [r"'a\x00b'", "--changelog"]),
    ("api-address", "tool.release-state.github-api-url = 'https://h'", ["'github-api-url' is not known"]),
    ("channel-key", "tool.release-state.channels.pypi.url = 'https://h'", ["channels.pypi.'url'", "not known"]),
]


@pytest.mark.parametrize(("text", "says"), [case[1:] for case in CONFIGURED], ids=[case[0] for case in CONFIGURED])
def test_bad_configuration_is_refused(text: str, says: list[str], sockets: Sockets, tmp_path: Path) -> None:
    clone, reports = tmp_path / "clone", tmp_path / "reports"
    subprocess.run(["git", "init", "--quiet", str(clone)], check=True)
    (clone / "pyproject.toml").write_text(text + "\n", encoding="utf-8")
    run = suite("--version", "0.2.0", "--repo", str(clone), *sockets.arguments, reports_dir=reports)
    assert_refused(run, says, sockets, reports)


def test_environment_is_checked_like_the_command_line(sockets: Sockets, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    env = {"RELEASE_STATE_BASE_BRANCH": "--force", "GITHUB_TOKEN": "never-shown"}
    run = suite("--version", "0.2.0", *sockets.arguments, reports_dir=reports, env=env)
    assert_refused(run, ["--base-branch '--force'"], sockets, reports)


def copy_of_the_suite(folder: Path) -> Path:
    """Checks, fixtures and what wires them, as an own checkout; the package stays the one that is installed."""
    folder.mkdir()
    for name in ("checks", "fixtures"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pytest.ini"):
        shutil.copy(ROOT / name, folder)
    return folder


BROKEN = [
    ("conftest.py", "import no_such_module_of_ours\n", "no_such_module_of_ours"),
    ("conftest.py", "def broken(:\n", "SyntaxError"),
    ("fixtures/target.py", "import no_such_module_of_ours\n", "no_such_module_of_ours"),
    ("fixtures/target.py", "raise RuntimeError('a fixture\\nfailed')\n", "a fixture failed"),
]


@pytest.mark.parametrize(
    ("file", "text", "says", "workers"),
    [*((*case, "0") for case in BROKEN), *((*case, "2") for case in BROKEN[::2])],
)
def test_module_of_ours_that_fails_to_import_is_refused(
    file: str, text: str, says: str, workers: str, sockets: Sockets, tmp_path: Path
) -> None:
    copy, reports = copy_of_the_suite(tmp_path / "suite"), tmp_path / "reports"
    (copy / file).write_text(text, encoding="utf-8")
    run = suite("--version", "0.2.0", "-n", workers, *sockets.arguments, cwd=copy, reports_dir=reports)
    assert_refused(run, ["cannot be loaded", says], sockets, reports)


@pytest.mark.parametrize(
    ("module", "workers", "early"),
    [("msgspec", "0", True), ("msgspec", "2", True), ("pypi_simple", "0", True), ("msgspec", "0", False)],
)
def test_missing_dependency_is_refused(
    module: str, workers: str, early: bool, sockets: Sockets, tmp_path: Path
) -> None:
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] == {module!r}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Missing())\n",
        encoding="utf-8",
    )
    reports = tmp_path / "reports"
    # Without the early -p the plugin comes with the conftest, after pytest took --version for its own.
    late = () if early else ("-o", "addopts=")
    arguments = ["--version", "0.2.0", "-n", workers, *late, *sockets.arguments]
    run = suite(*arguments, env={"PYTHONPATH": str(hook)}, reports_dir=reports)
    if not early:
        run.stdout = run.stdout.removeprefix(f"pytest {pytest.__version__}\n")  # pytest saw its own --version
        run.stderr = run.stderr.replace(f"pytest {pytest.__version__}\n", "")
    assert_refused(run, [f"No module named '{module}'", "dependency is missing"], sockets, reports)


@BOTH
@pytest.mark.parametrize("option", ["--collect-only", "--setup-plan"])
def test_looking_at_the_plan_contacts_nothing(option: str, workers: str, sockets: Sockets, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    run = suite("--version", "0.2.0", "-n", workers, option, *sockets.arguments, reports_dir=reports)
    assert run.returncode == 5, (run.stdout, run.stderr)
    assert sockets.contacted() == []
    assert not reports.exists()
    if option == "--collect-only":
        assert "test_release_branch" in run.stdout or "test_no_" in run.stdout


@pytest.mark.parametrize(
    "narrowing",
    [
        ["-k", "nothing_matches"],
        ["--deselect", "checks/"],
        ["-m", "not pre_release and not pre_publish and not post_recovery and not rollback"],
        ["--ignore-glob", "*test_*"],
    ],
    ids=lambda words: words[0],
)
def test_nothing_selected_is_exit_5_and_leaves_latest_alone(narrowing: list[str], tmp_path: Path) -> None:
    run = suite("--demo", "clean", *narrowing, reports_dir=tmp_path)
    assert run.returncode == 5, (run.stdout, run.stderr)
    assert "READY" not in run.stdout and "nothing was checked, so the exit code is 5" in run.stdout
    assert run.stdout.rstrip().split("\n")[-3:] == ["NOTHING CHECKED", "exit code 5: nothing checked", "report: none"]
    assert not list(tmp_path.glob("latest*"))


def test_setting_fixtures_up_alone_is_exit_5(tmp_path: Path) -> None:
    run = suite("--demo", "clean", "--setup-only", "-n", "2", reports_dir=tmp_path)
    assert run.returncode == 5, (run.stdout, run.stderr)
    assert "READY" not in run.stdout
    assert not list(tmp_path.glob("latest*"))


def test_empty_marker_expression_narrows_nothing(tmp_path: Path) -> None:
    """An unset variable in `-m "$MARKERS"` runs the whole phase, which then may say so."""
    run = suite("--demo", "clean", "-m", "", reports_dir=tmp_path)
    assert run.returncode == 0, (run.stdout, run.stderr)
    assert "READY TO RELEASE" in run.stdout
    assert (tmp_path / "latest.json").is_file()


def test_remote_helper_of_an_address_is_never_run(tmp_path: Path, sockets: Sockets) -> None:
    """What git would run for such an address is not run, and the value is refused."""
    marker, reports = tmp_path / "ran", tmp_path / "reports"
    value = f"ext::sh -c touch% {marker}"
    run = suite("--version", "0.2.0", *sockets.arguments, "--remote-url", value, reports_dir=reports)
    assert_refused(run, ["--remote-url 'ext::sh -c", "git remote"], sockets, reports)
    assert not marker.exists()
