"""`release-state explain`: a log on disk, without network."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_state import cli
from release_state.cli import explain as offline
from tests.facts.test_logs import FAILURES
from tests.support.cli import clean_environment

STAMP = "2026-01-02T03:04:05.1234567Z "
EXIT = f"{STAMP}##[error]Process completed with exit code 128.\n"
REFUSED = f"{STAMP}fatal: a branch named 'release/pypi-v0.2.0' already exists\n{EXIT}"
COMMAND = "command:  release-state --version 0.2.0 --channel pypi"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "job.log"
    path.write_text(REFUSED, encoding="utf-8")
    return path


def test_a_log_is_explained(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", str(log)]) == 0
    told = capsys.readouterr().out
    assert "scenario: A\n" in told
    assert "meaning:  The run could not create its release branch" in told
    assert "next:     Back up what you need" in told
    assert "  fatal: a branch named 'release/pypi-v0.2.0' already exists\n" in told
    assert COMMAND in told


def test_every_known_failure_is_explained_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As the text of a job, and in the zip of a run's logs."""
    for number, (scenario, line) in enumerate(FAILURES):
        text, path = f"{STAMP}{line}\n{STAMP}##[error]Process completed with exit code 1.\n", tmp_path / str(number)
        for data in (text.encode(), archive({"0_release.txt": text})):
            path.write_bytes(data)
            assert offline.explain([str(path)]) == 0
            assert f"scenario: {scenario}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("Version 0.2.0 already exists on TestPyPI, skipping publish", "--version 0.2.0 --channel testpypi"),
        ("fatal: tag 'v0.2.0' already exists\nCHANNEL: pypi", "--version 0.2.0 --channel pypi"),
        ("fatal: tag 'v0.2.0' already exists", None),
        ("release/pypi-v0.2.0\nrelease/pypi-v0.3.0", None),
        ("git push origin 'release/pypi-v0.2;rm -rf ~'", "--version 0.2 --channel pypi"),
        ("git push origin 'release/pypi-v$(id)'", None),
        ("nothing", None),
    ],
)
def test_the_next_command_needs_version_and_channel(
    text: str, command: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log").write_text(text, encoding="utf-8")
    offline.explain([str(tmp_path / "log")])
    told = capsys.readouterr().out
    assert f"command:  release-state {command}\n" in told if command else "command:" not in told


def test_what_is_not_known_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").write_text(f"{STAMP}ValueError: no\n{STAMP}##[error]it broke\n", encoding="utf-8")
    assert offline.explain([str(tmp_path / "log")]) == 1
    told = capsys.readouterr().out
    assert "scenario: not recognised" in told
    assert "  it broke\n" in told
    (tmp_path / "log").write_text(" a \n", encoding="utf-8")
    assert offline.explain([str(tmp_path / "log")]) == 1
    first, second, third = capsys.readouterr().out.splitlines()
    assert (first, second) == ("scenario: not recognised", "lines:    none that says why")
    assert third.startswith("next:     give the whole log of the job that failed")


def archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in files.items():
            made.writestr(name, text)
    return buffer.getvalue()


def test_the_zip_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "logs.zip"
    canceled = f"{STAMP}##[error]The operation was canceled.\n"
    path.write_bytes(archive({"0_notify.txt": canceled, "1_release.txt": REFUSED, "release/1_x.txt": "x"}))
    assert offline.explain([str(path)]) == 0
    told = capsys.readouterr().out
    assert "scenario: A\n" in told
    assert "job:      release\n" in told
    assert "canceled" not in told


@pytest.mark.parametrize("data", [b"", b"\0\1\2", b"PK\x03\x04no", archive({"x.json": ""})])
def test_what_is_no_log(data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "odd").write_bytes(data)
    assert offline.explain([str(tmp_path / "odd")]) == 4
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("ERROR: ") and shown.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["--version", "1"], ["--nothing"]])
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert offline.explain(arguments) == 4
    assert capsys.readouterr().err == offline.USAGE


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert offline.explain(["--help"]) == 0
    assert capsys.readouterr().out == offline.USAGE


def test_files_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert offline.explain([str(tmp_path / "none")]) == 4
    assert offline.explain([str(tmp_path)]) == 4
    shown = capsys.readouterr().err
    assert "no such file" in shown
    assert "a folder without a log" in shown


def test_of_a_longer_log_the_end_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(offline, "MOST_BYTES", 1000)
    (tmp_path / "log").write_text(f"{STAMP}Building\n" * 100 + REFUSED, encoding="utf-8")
    assert offline.explain([str(tmp_path / "log")]) == 0
    assert "note:     only the last 1000 of" in capsys.readouterr().out
    (tmp_path / "zip").write_bytes(b"PK" + b"x" * 2000)
    assert offline.explain([str(tmp_path / "zip")]) == 4
    assert "a zip of more than 1000 bytes" in capsys.readouterr().err
    assert offline.explain(["/dev/zero"]) == 4
    assert "more than 1000 bytes" in capsys.readouterr().err


def test_what_is_shown_is_harmless(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "fatal: \x1b[2J\u202e<script>\x07 a branch named 'x' already exists ::set-output name=a::b"
    (tmp_path / "log").write_text(f"##[group]Run \x1b]0;t\x07\u202e\n##[endgroup]\n{hostile}\n{EXIT}", encoding="utf-8")
    offline.explain([str(tmp_path / "log")])
    told = capsys.readouterr().out
    assert not set(told) & set("\x1b\x07\u202e\r")
    assert "\\u202e<script>" in told
    assert all(len(line) <= 520 for line in told.splitlines())


@given(st.text(), st.binary())
def test_any_input_ends_in_one_of_three_codes(text: str, data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for given_bytes in (text.encode("utf-8", "replace"), data):
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given_bytes)))
            patch.setattr(sys, "stdout", io.StringIO())
            patch.setattr(sys, "stderr", io.StringIO())
            assert offline.explain(["-"]) in (0, 1, 4)


def test_the_command_reads_the_standard_input_and_imports_nothing_from_here(tmp_path: Path) -> None:
    (tmp_path / "queue.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    (tmp_path / "zipfile.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    program = "import sys; sys.modules.update(requests=None); from release_state.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, "explain", "-"],
        cwd=tmp_path,
        env=clean_environment(tmp_path),
        input=REFUSED,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert COMMAND in done.stdout


def test_in_a_clone_the_next_step_fits_its_process(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clone = tmp_path / "clone"
    (clone / ".github" / "workflows").mkdir(parents=True)
    (clone / "pyproject.toml").write_text('[project]\nname = "orbit"\nversion = "0.2.0"\n', encoding="utf-8")
    (clone / ".github" / "workflows" / "cd.yml").write_text(
        "on:\n  push:\n    tags: ['v*']\njobs:\n  publish:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: pypa/gh-action-pypi-publish@release/v1\n",
        encoding="utf-8",
    )
    for command in (
        ["init", "-q", "-b", "main"],
        ["remote", "add", "origin", "https://github.com/octo/orbit.git"],
        ["add", "-A"],
        ["-c", "user.name=Ada", "-c", "user.email=ada@host.example", "commit", "-q", "-m", "first"],
    ):
        subprocess.run(["git", "-C", str(clone), *command], check=True)
    monkeypatch.chdir(clone)
    assert offline.explain([str(log)]) == 0
    assert "again:    in octo/orbit, a pushed tag starts cd.yml; " in capsys.readouterr().out
    monkeypatch.chdir(tmp_path)
    assert offline.explain([str(log)]) == 0
    assert "again:" not in capsys.readouterr().out
