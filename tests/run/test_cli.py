"""The console command by itself: a word that it does not know, its help, its version, a reader that goes away."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from release_state.cli import main
from tests.support.cli import ROOT, clean_environment


@pytest.mark.parametrize(
    ("word", "says"),
    [("0.2.0", "--version X.Y.Z"), ("histroy", "did you mean history?"), ("\x1b[2J", "known: plan")],
)
def test_a_word_that_is_no_command_is_refused(word: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word]) == 4
    said = capsys.readouterr()
    assert said.out == "" and "is not a command" in said.err and says in said.err
    assert "\x1b" not in said.err


def test_v_is_the_version_of_the_suite(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-V"]) == 0
    assert capsys.readouterr().out.startswith(f"release-state {version('release-state')}, ")


def test_help_begins_with_our_own_and_a_reader_may_go_away(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "release_state", "--help"]
    env = clean_environment(tmp_path)
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        read = b"".join(process.stdout.readline() for _ in range(20)).decode()
        process.stdout.close()
        error = process.stderr.read().decode()
    assert "release-state history" in read and "\nrelease state:\n" in read and "\ngeneral:\n" not in read
    assert (process.returncode, error) in ((0, ""), (2, ""))
