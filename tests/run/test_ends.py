"""How a process ends that cannot go on: with 3 or 4 and a line, never with 1, which says that action is needed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from release_state.observe.earlier_reports import read_reports
from release_state.observe.recorded import save
from release_state.run import ends
from tests.run.test_bad_input import Sockets, sockets
from tests.standins.world import World
from tests.support import states as s
from tests.support.cli import ROOT, clean_environment, suite
from tests.support.worlds import options, world_of

__all__ = ["sockets"]
CONSOLE = ("-m", "release_state")
CHECKS = ("-m", "pytest", "checks/")
FULL = Path("/dev/full")


def ended(
    *command: str,
    stdout: str = "/dev/null",
    cwd: Path = ROOT,
    home: Path,
    python: tuple[str, ...] = (),
    before: str = "",
) -> subprocess.CompletedProcess[str]:
    """A run with its standard output elsewhere, behind what the shell does before it."""
    line = f'{before}exec "$0" "$@" >{stdout}'
    return subprocess.run(
        ["/bin/sh", "-c", line, sys.executable, *python, *command],
        cwd=cwd, env=clean_environment(home), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=90,
        check=False,
    )  # fmt: skip


def a_line(done: subprocess.CompletedProcess[str], code: int) -> str:
    """What was said, which is one line, with this exit code."""
    assert done.returncode == code, done.stderr
    [line] = [line for line in done.stderr.splitlines() if line]
    assert line.startswith("ERROR: ")
    return line


@pytest.mark.parametrize("command", [CONSOLE, CHECKS])
def test_a_reader_who_goes_away_is_no_finding(command: tuple[str, ...], tmp_path: Path) -> None:
    """With 1, as pytest itself ends then, it would say that action is needed."""
    save(tmp_path / "s.json", [s.released()])
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [sys.executable, *command, "--snapshot", str(tmp_path / "s.json")],
            cwd=ROOT, env=clean_environment(tmp_path), stdout=closed, stderr=subprocess.PIPE, text=True, timeout=90,
            check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "")


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
@pytest.mark.parametrize(
    "command",
    [
        (*CONSOLE, "--demo", "clean"), (*CHECKS, "--demo", "clean"), (*CHECKS, "--demo", "clean", "-n", "1"),
        (*CONSOLE, "--list-checks"), (*CONSOLE, "history"), (*CONSOLE, "--help"), (*CONSOLE, "-V"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_output_that_takes_nothing_is_no_finding(command: tuple[str, ...], tmp_path: Path) -> None:
    more = ("--reports-dir", str(tmp_path / "reports")) if "--demo" in command or "history" in command else ()
    (tmp_path / "reports").mkdir()
    said = a_line(ended(*command, *more, stdout=str(FULL), home=tmp_path), 3)
    assert "standard output cannot be written to: No space left on device" in said


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_changes_nothing(closed: str, tmp_path: Path) -> None:
    command = (*CONSOLE, "--demo", "clean", "--reports-dir", str(tmp_path))
    done = ended(*command, home=tmp_path, stdout=f"/dev/null {closed}")
    assert done.returncode == 0, done.stderr
    assert read_reports(tmp_path)[0]


@pytest.mark.skipif(sys.platform != "linux", reason="ulimit -v")
@pytest.mark.parametrize("mebibytes", [100, 400])
@pytest.mark.parametrize("command", [CONSOLE, CHECKS], ids=["console", "pytest"])
def test_too_little_memory_is_said_before_anything_is_done(
    command: tuple[str, ...], mebibytes: int, tmp_path: Path
) -> None:
    before = f"ulimit -v {mebibytes * 1024}; "
    said = a_line(ended(*command, "--demo", "clean", home=tmp_path, before=before), 4)
    assert "MiB of memory are too little for a run" in said


@pytest.mark.parametrize("command", [CONSOLE, CHECKS[:2]], ids=["console", "pytest"])
def test_docstrings_that_are_left_out_are_said(command: tuple[str, ...], tmp_path: Path) -> None:
    asked = ("--list-checks",) if command == CONSOLE else ("checks/", "--demo", "clean")
    assert "-OO removes docstrings" in a_line(ended(*command, *asked, home=tmp_path, python=("-OO",)), 4)


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = ended(*CONSOLE, "--demo", "clean", cwd=gone, home=tmp_path, before=f"rmdir '{gone}'; ")
    assert "the current folder cannot be used" in a_line(done, 4)


@pytest.mark.parametrize(
    ("version", "runs"), [("8.4.1", False), ("8.4.2", True), ("8.9", True), ("9.0.0", False), ("9.2.0rc1", False)]
)
def test_another_pytest_is_said_in_a_line(version: str, runs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from release_state import cli
    from release_state.run import safeguards

    assert (ends.explain_wrong_pytest(version) is None) is runs
    monkeypatch.setattr(pytest, "__version__", version)
    monkeypatch.setattr(cli, "version", lambda name: version)
    monkeypatch.setattr(safeguards, "guard_process", lambda: None)
    if runs:
        safeguards.refuse_to_start()
        return
    with pytest.raises(pytest.UsageError, match=f"pytest {version} is installed, which runs no checks: pip install"):
        safeguards.refuse_to_start()
    assert cli._main(["--list-checks"]) == 4


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MemoryError(), "no more memory"),
        (RuntimeError("can't start new thread"), "no more threads"),
        (OSError(errno.EMFILE, "Too many open files", "/x"), "ulimit -n"),
        (OSError(errno.ENOSPC, "No space left on device"), "standard output cannot be written to"),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), None),
        (LookupError("x"), None),
    ],
)
def test_what_this_machine_lacks_is_said_in_a_line(error: Exception, says: str | None) -> None:
    said = ends.describe_limit(error)
    assert said is None if says is None else said and says in said
    wrapping = LookupError("x")
    wrapping.__cause__ = error
    assert ends.describe_limit(wrapping) == said


@pytest.mark.parametrize("raised", ["MemoryError()", "LookupError('a defect')", "RuntimeError('x')"])
@pytest.mark.parametrize("where", ["pytest_sessionfinish(session)", "pytest_configure(config)"])
def test_an_exception_that_nobody_catches_is_no_finding(raised: str, where: str, tmp_path: Path) -> None:
    plugin = f"import pytest\n\n@pytest.hookimpl(trylast=True)\ndef {where}:\n    raise {raised}\n"
    (tmp_path / "breaking.py").write_text(plugin, encoding="utf-8")
    done = suite(
        "-p", "breaking", "--demo", "clean", env={"PYTHONPATH": str(tmp_path)}, reports_dir=tmp_path / "reports"
    )
    assert done.returncode == 3, done.stdout + done.stderr


@pytest.mark.parametrize("option", ["--script", "--save-snapshot"])
@pytest.mark.parametrize("source", ["--repo", "--built"])
def test_a_path_that_is_no_text_is_refused_for_a_file(
    source: str, option: str, sockets: Sockets, tmp_path: Path
) -> None:
    folder = os.fsdecode(bytes(tmp_path) + b"/folder-\xff")
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    given = (*sockets.arguments, source, folder, option, str(tmp_path / "file"))
    done = suite("--version", "0.2.0", *given, reports_dir=tmp_path / "reports")
    [line] = [line for line in (done.stdout + done.stderr).splitlines() if line]
    assert done.returncode == 4 and line.startswith(f"ERROR: {option} cannot hold "), line
    assert f"is not UTF-8: give {source} by another path" in line
    assert sockets.contacted() == []


@pytest.fixture
def world() -> Iterator[World]:
    """A release that waits for its index."""
    with world_of("released") as made:
        made.index.lag("pypi", "0.2.0")
        yield made


def test_a_run_that_is_killed_leaves_no_empty_report(world: World, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    command = [sys.executable, *CHECKS, "--version", "0.2.0", *options(world), "--wait", "600", "--no-install"]
    with subprocess.Popen(
        [*command, "--reports-dir", str(reports)],
        cwd=ROOT, env=clean_environment(tmp_path, {"GITHUB_TOKEN": world.token}), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        until = time.monotonic() + 60
        while not (reports.is_dir() and list(reports.iterdir())):
            assert time.monotonic() < until and running.poll() is None
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGKILL)
    assert read_reports(reports) == ([], [])
    assert [path.name[:15] for path in reports.iterdir()] == [".release-state-"]


def test_a_worker_without_pytest_is_not_started_for_ever(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    given = ("--demo", "clean", "--tx", f"popen//python={python}", "--dist", "load")
    done = suite(*given, reports_dir=tmp_path / "reports", timeout=60)
    assert done.returncode in (3, 5), done.stdout + done.stderr


@pytest.mark.parametrize(("error", "is_told"), [("KeyboardInterrupt", False), ("ValueError", True)])
def test_an_interrupt_in_a_callback_of_python_is_not_told(error: str, is_told: bool) -> None:
    """It is raised once more where a run can end; anything else is still told."""
    program = (
        "import weakref\nfrom release_state.run.ends import guard_process\nguard_process()\n"
        f"class Held: pass\ndef break_down(_): raise {error}\n"
        "held = Held()\nkept = weakref.ref(held, break_down)\ndel held\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (error in done.stderr) is is_told, done.stderr
