"""What a run may take of the machine, and what comes of it where that is not enough."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.limits import at_once
from release_state.common import disk
from release_state.observe.defects import guard
from release_state.observe.git.command import Git, GitFailed
from release_state.observe.git.remote import observe_remote
from release_state.observe.http.limits import TimeLeft
from release_state.observe.http.response import Response, load_json, parse_json
from release_state.observe.index.page import JSON_TYPE, NotSimple
from release_state.observe.index.simple import parse_project_page
from release_state.observe.recorded import save
from release_state.run.background import Background
from tests.proofs.faults.gateway import Gateway
from tests.proofs.faults.kinds import FAULTS
from tests.proofs.faults.rows import READY, RowOf, rows_of
from tests.proofs.faults.states import STATES, Stage
from tests.support import states
from tests.support.cli import ROOT, clean_environment
from tests.support.worlds import own_reports

HEAVY = [name for name, fault in FAULTS.items() if fault.heavy]
FILLED = (
    *("git: what the remote can do", "index: page", "status page of GitHub"),
    *("GitHub: pull requests", "GitHub: open pull requests", "GitHub: release, absent", "GitHub: release runs"),
)
"""What is answered without end, all of it at once."""


@dataclass(frozen=True)
class Peak:
    """A run that has ended, and the most memory that one of its processes took."""

    code: int
    memory: int
    """Bytes; of the run itself and of all that it waited for, the largest."""
    document: Any


_MEASURING = (
    "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
)


def measured(arguments: list[str], reports: Path, home: Path, env: dict[str, str]) -> Peak:
    """Run the suite and measure what it takes."""
    # A process begins with the memory of the one that starts it, and a test worker is large: a small one starts it.
    process = subprocess.run(
        [sys.executable, "-c", _MEASURING, sys.executable, "-m", "release_state", *arguments, "--reports-dir", reports],
        cwd=ROOT,
        env=clean_environment(home, env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    memory = int(process.stdout.split()[-1]) << 10
    (report,) = own_reports(reports)
    return Peak(process.returncode, memory, json.loads(report.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def gateway() -> Iterator[tuple[Gateway, Stage]]:
    with Gateway() as gateway, Stage(STATES[READY]) as stage:
        yield gateway, stage


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's limit is Linux's")
@pytest.mark.parametrize("fault", HEAVY)
def test_answers_without_end_take_bounded_memory(fault: str, gateway: tuple[Gateway, Stage], tmp_path: Path) -> None:
    server, stage = gateway
    played = dict.fromkeys(FILLED, (0, FAULTS[fault].play))
    visit = server.visit(stage.services, RowOf(rows_of(READY)), played)
    config = stage.config(visit, 90.0)
    target = config.targets[0]
    arguments = [
        *("--version", target.version, "--package", target.package, "--repository", target.repository),
        *("--repo", str(target.clone), "--remote-url", config.remote_url, "--github-api-url", target.github_api),
        *(word for name, each in config.channels.items() for word in ("--index-url", f"{name}={each.index_url}")),
        *("--github-status-url", str(target.github_status_url), "--index-status-url", str(target.index_status_url)),
        # Git does not answer either: then nothing but the configuration says whose runs to ask for.
        *("--lookup-timeout", "90", "--no-install", "--workflow", "release.yml"),
    ]
    peak = measured(arguments, tmp_path / "reports", tmp_path, {"GITHUB_TOKEN": stage.world.token})
    assert peak.code == 6
    assert {asked.row for asked in visit.asked} >= set(FILLED)
    found = {check["id"]: check["found"] for check in peak.document["targets"][0]["checks"]}
    for check, source in (
        ("TAG-1", "git remote"),
        ("INDEX-1", "index pypi"),
        ("PULL-1", "GitHub"),
        ("RUN-1", "GitHub"),
    ):
        assert found[check].startswith(f"could not read {source}: "), found[check]
        assert re.search("more than|larger than|memory|protocol error", found[check])
    assert ("more memory" in found["TAG-1"]) == (fault == "gzip bomb")
    assert peak.memory < 512 * 2**20, "each answer has a limit of its own"


def test_no_program_that_git_starts_gets_more_memory_than_git(tmp_path: Path) -> None:
    """As git-remote-http, which git starts: a process of a process."""
    fake = tmp_path / "git"
    fake.write_text(f"""#!/bin/sh
case "$*" in version) echo git version 2.40.0;; *) {sys.executable} -c "print(len(bytes(int($2))) >> 20)";; esac
""")
    fake.chmod(0o755)
    git = Git(20, environ={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert git.run(str(200 * 2**20), cwd=tmp_path).text == "200\n"
    with pytest.raises(GitFailed, match="MemoryError"):
        git.run(str(200 * 2**20), cwd=tmp_path, memory=150 * 2**20)


@pytest.mark.parametrize("body", [b"[" + b"{}," * 1_000_000 + b"{}]", b"{" + b'"a":0,' * 2_000_000 + b'"a":0}'])
def test_an_answer_of_too_many_values_is_none(body: bytes) -> None:
    with pytest.raises(ValueError, match="more values"):
        load_json(body)
    headers = {"Content-Type": JSON_TYPE}
    with pytest.raises(NotSimple, match="too many values"):
        parse_project_page(body, headers, "a", "https://index.example/a/")
    with pytest.raises(ValueError, match="too many values"):
        parse_json(Response(200, {"Content-Type": "application/json"}, body, "https://api.example/"))


def test_a_page_of_too_many_files_is_none() -> None:
    page = b"<!DOCTYPE html>" + b"<a href=a>a</a>" * 200_001
    with pytest.raises(NotSimple, match="more than 200,000 files"):
        parse_project_page(page, {"Content-Type": "text/html"}, "a", "https://index.example/a/")


# ---- no room to write


def recorded_run(
    tmp_path: Path, *, reports: Path, most: int | None = None, more: tuple[str, ...] = (), path: Path | str = ""
) -> Any:
    """A run over a recorded state in which all is well; `most` is the size of the largest file it can write."""
    save(tmp_path / "s.json", [states.released()])
    line = 'test "$1" = - || ulimit -f "$1"; shift; exec "$@"'
    command = [sys.executable, "-m", "release_state", "--snapshot", str(tmp_path / "s.json"), *more]
    return subprocess.run(
        ["/bin/sh", "-c", line, "sh", str(most >> 9) if most else "-", *command, "--reports-dir", str(reports)],
        cwd=ROOT,
        # Python's own compiled files would be cut, too, and stay so.
        env=clean_environment(tmp_path, {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(path)}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("most", [2**10, 24 * 2**10])
def test_a_full_disk_leaves_the_verdict_and_no_half_report(most: int, tmp_path: Path) -> None:
    """The page is larger than both, the document is larger than the first."""
    reports = tmp_path / "reports"
    reports.mkdir()
    for name in ("latest.json", "latest.html"):
        (reports / name).write_text("of an earlier run")
    done = recorded_run(tmp_path, reports=reports, most=most)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "RELEASED AND VERIFIED" in done.stdout
    assert "a report could not be written, so the exit code is 3" in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout + done.stderr
    assert {(reports / name).read_text() for name in ("latest.json", "latest.html")} == {"of an earlier run"}
    left = set(reports.iterdir()) - {reports / "latest.json", reports / "latest.html"}
    assert done.stdout.rstrip().split("\n")[-1] == f"report: {left.copy().pop() if left else 'none'}"
    for path in left:
        assert path.suffix == ".json" and json.loads(path.read_text(encoding="utf-8"))["exit_code"] == 3


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="no folder that nobody can write to")
def test_a_folder_that_cannot_be_written_to_leaves_the_verdict(tmp_path: Path) -> None:
    done = recorded_run(tmp_path, reports=Path("/sys/kernel"))
    assert done.returncode == 3, done.stdout + done.stderr
    assert "RELEASED AND VERIFIED" in done.stdout
    why = "/sys/kernel: Permission denied: give another with --reports-dir"
    assert f"no report was written, so the exit code is 3: {why}" in " ".join(done.stdout.split())
    assert "earlier reports" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="what finds no room on the disk goes into memory on Linux alone")
def test_workers_whose_temporary_folder_is_full_judge_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    shutil.copy(Path(__file__).parent.parent / "support" / "full.py", tmp_path / "plugins")
    more = ("-n", "2", "-p", "full", "-m", "blocking or not blocking")
    done = recorded_run(tmp_path, reports=tmp_path / "reports", more=more, path=tmp_path / "plugins")
    assert "RELEASED AND VERIFIED" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0 and "Traceback" not in done.stdout + done.stderr
    assert own_reports(tmp_path / "reports")


def test_files_that_belong_together_are_written_all_or_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(OSError, match="No such file"):
        disk.write_together({tmp_path / "a": b"new", tmp_path / "gone" / "b": b"new"})
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_bytes() == b"old"
    disk.write_together({tmp_path / "a": b"new", tmp_path / "b": b"new"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"] and (tmp_path / "a").read_bytes() == b"new"


def test_a_look_up_without_room_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc/self")
    remote = guard("remote", lambda: observe_remote("https://git.example/x.git", 5), TimeLeft(5), None, None)()
    assert remote.unavailable and remote.unavailable.why.startswith("this machine: ")
    with pytest.raises(GitFailed, match="no temporary file could be written"):
        Git(5).run("version", cwd=tmp_path)


def test_what_was_observed_and_cannot_be_handed_on_does_not_hang(tmp_path: Path) -> None:
    background = Background(lambda _: [states.ready()], with_workers=True)
    assert background.exchange is not None
    shutil.rmtree(background.exchange)
    background.exchange = Path("/proc/self")
    background.start()
    with pytest.raises(OSError, match=r"No such file|denied"):
        background.wait()


# ---- many at once


@pytest.mark.slow
def test_runs_at_once_on_one_clone_and_one_folder_of_reports(tmp_path: Path) -> None:
    """`python -m benchmarks.limits` does so with ten."""
    costs, wrong = at_once(tmp_path, 4)
    assert (len(costs), wrong) == (4, [])
