"""A signal at whatever moment: everything that the run started is gone, its reports are whole or not there, exit 2."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from release_state.run.ends import Interrupts
from tests.support.cli import ROOT, clean_environment

LONGEST = 8.0
"""Seconds from the signal to the end, on a machine that does much else at the same time."""

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")


@dataclass(frozen=True)
class Ended:
    """How a run ended that was sent a signal."""

    code: int
    seconds: float
    """From the signal to the end of the process."""
    output: str
    processes: list[str]
    left: list[str]
    """What is left in the folder for temporary files."""
    reports: list[Path]


def _processes_of(scratch: Path) -> list[str]:
    """The processes whose environment names this folder: whatever the run started, also in groups of their own."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str(scratch).encode() in (entry / "environ").read_bytes():
                    found.append((entry / "cmdline").read_text(encoding="utf-8").replace("\0", " "))
            except OSError:
                continue
    return found


def signalled(folder: Path, arguments: Sequence[str], after: float, number: int, *, to_all: bool = False) -> Ended:
    """Run the suite on a demo world and send it a signal so many seconds after its start."""
    scratch, home, reports = folder / "scratch", folder / "home", folder / "reports"
    for made in (scratch, home):
        made.mkdir(parents=True)
    # Of a shell's background job SIGINT is ignored, and the run would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        [sys.executable, "-m", "release_state", *arguments, "--reports-dir", str(reports)],
        cwd=ROOT,
        env=clean_environment(home, {"TMPDIR": str(scratch)}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        signal.signal(signal.SIGINT, before)
        try:
            _until_it_listens(process, after)
            started = time.monotonic()
            with suppress(ProcessLookupError):  # it was faster
                (os.killpg if to_all else os.kill)(process.pid, number)
            output, _ = process.communicate(timeout=60)
            seconds = time.monotonic() - started
            processes = _processes_of(scratch)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    left = sorted(path.name for path in scratch.iterdir())
    return Ended(process.returncode, seconds, output, processes, left, sorted(reports.glob("[!.]*")))


def _until_it_listens(process: subprocess.Popen[str], after: float) -> None:
    """Wait; at least until Python itself is up and the suite has taken the signals (bit 14 of SigCgt: SIGTERM)."""
    until = time.monotonic() + after
    while time.monotonic() < until or not _takes_signals(process.pid):
        if process.poll() is not None:
            return
        time.sleep(0.01)


def _takes_signals(pid: int) -> bool:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return True
    caught = next((line.split()[1] for line in lines if line.startswith("SigCgt")), "0")
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def assert_nothing_is_left(ended: Ended) -> None:
    assert ended.processes == []
    assert ended.left == []
    for report in ended.reports:
        text = report.read_text(encoding="utf-8")
        assert json.loads(text) if report.suffix == ".json" else text.rstrip().endswith("</html>"), report
    if ended.code != 2:
        # It came when the verdict was there: the run was over, or ended by itself a moment later.
        assert ended.code in (0, 1, -signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP), ended.output
        assert any(report.suffix == ".json" for report in ended.reports), (ended.code, ended.seconds, ended.output)
    # Two seconds on a machine of its own; nothing is waited for up to a limit of its own (xdist's: 10 s).
    assert ended.seconds < LONGEST
    assert "please report this" not in ended.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["term", "hup"])
@pytest.mark.parametrize("after", [0.0, 1.5])
def test_a_demo_that_is_told_to_end_leaves_nothing(number: int, after: float, tmp_path: Path) -> None:
    ended = signalled(tmp_path, ["--demo", "partial"], after, number)
    assert_nothing_is_left(ended)
    assert ended.code == 2 and "Traceback" not in ended.output, (ended.code, ended.output)


def test_an_interrupt_within_a_text_that_is_executed_ends_with_2_too(tmp_path: Path) -> None:
    """As while a dataclass is being made: Python ends by the signal for it, though it was caught."""
    (tmp_path / "interrupted.py").write_text(
        "from release_state.run.ends import Interrupts\n"
        "watch = Interrupts()\n"
        "watch.start()\n"
        "try:\n"
        "    exec('raise KeyboardInterrupt')\n"
        "except KeyboardInterrupt:\n"
        "    watch.stop()\n"
        "raise SystemExit(2)\n",
        encoding="utf-8",
    )
    env = clean_environment(tmp_path, {"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    done = subprocess.run([sys.executable, "-m", "interrupted"], env=env, cwd=tmp_path, check=False)
    assert done.returncode == 2


MOMENTS = [0.4 * step for step in range(8)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "number", "to_all"),
    [
        ((), signal.SIGINT, False),
        ((), signal.SIGTERM, False),
        (("-n", "2"), signal.SIGINT, True),
        (("-n", "2"), signal.SIGTERM, False),
        (("-n", "2"), signal.SIGTERM, True),
    ],
    ids=["int", "term", "n2-int-to-all", "n2-term", "n2-term-to-all"],
)
def test_a_sweep_over_the_moments_of_a_run(workers: tuple[str, ...], number: int, to_all: bool, tmp_path: Path) -> None:
    """Start-up, the building of the world, observation, installation, waiting workers, checks, reports."""
    codes = []
    for moment, after in enumerate(MOMENTS):
        ended = signalled(tmp_path / str(moment), ["--demo", "partial", *workers], after, number, to_all=to_all)
        assert_nothing_is_left(ended)
        assert "Traceback" not in ended.output, ended.output  # of no worker either
        codes.append(ended.code)
    assert codes.count(2) >= 2, codes


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["int", "term"])
def test_workers_that_observe_end_with_the_run(number: int, tmp_path: Path) -> None:
    """Of a run over many projects, every one of which waits for a server that never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        project = '[[project]]\npackage = "p{0}"\nrepository = "o/p{0}"\nremote-url = "{1}/o/p{0}.git"\n'
        listed = tmp_path / "fleet.toml"
        listed.write_text("".join(project.format(count, url) for count in range(6)), encoding="utf-8")
        where = ("--github-api-url", url, "--index-url", f"pypi={url}/simple/", "--lookup-timeout", "40")
        arguments = ("--project-list", str(listed), "--version", "0.2.0", *where, "-n", "2")
        ended = signalled(tmp_path / "run", arguments, 6.0, number)
    assert (ended.code, ended.processes, ended.left, ended.reports) == (2, [], [], []), ended
    assert ended.seconds < LONGEST


# ---- the watch itself


@pytest.fixture
def watch() -> Iterator[Interrupts]:
    """Listening, at the stage in which a run observes."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    watch = Interrupts()
    watch.start()
    watch.stage = "running"
    yield watch
    watch.stop()
    signal.signal(signal.SIGINT, before)


def test_the_first_signal_interrupts_and_the_next_are_only_noted(watch: Interrupts) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)  # while what was made is being removed
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        watch.raise_again()
    watch._asked_at = time.monotonic() - 10
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)  # asked for again after so long


def test_a_signal_at_the_end_is_only_noted_and_the_handlers_come_back() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    for number in numbers[:2]:
        signal.signal(number, signal.SIG_DFL)  # whatever the tests were started with
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` leaves it
    try:
        watch = Interrupts()
        watch.start()
        watch.stage = "ending"
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        watch.stop()
        after = [signal.getsignal(number) for number in numbers]
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    assert after == [signal.SIG_DFL, signal.SIG_DFL, signal.SIG_IGN]
