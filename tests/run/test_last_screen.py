"""What stays on the terminal: no banner without `-v`, advice apart from what blocks, and three lines at the end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from release_state.model.observation import known
from release_state.model.outcome import Exit
from release_state.observe.recorded import save
from release_state.run.base import Ending
from release_state.run.last_screen import conclude
from release_state.run.safeguards import explain_missing
from tests.support import states as s
from tests.support.cli import suite
from tests.support.terminal import on_a_terminal, screen_of

PYTESTS = ("test session starts", "collected ", "[100%]", " in 0.", "workers", "bringing up nodes")
READY = Ending("READY TO RELEASE", "READY TO RELEASE: orbit 0.3.0 on pypi (pre-release)", Exit.OK)
DONE = Ending("RELEASED AND VERIFIED", "RELEASED AND VERIFIED: orbit 0.2.0 on pypi (verification)", Exit.OK)
WRONG = Ending("ACTION NEEDED", "ACTION NEEDED: orbit 0.2.0 on testpypi (verification)", Exit.ACTION_NEEDED)


@pytest.mark.parametrize(
    ("endings", "words", "code"),
    [
        ([READY], READY.words, Exit.OK),
        ([WRONG], WRONG.words, Exit.ACTION_NEEDED),
        ([READY, WRONG, DONE], "ACTION NEEDED: 1 of 3 targets", Exit.ACTION_NEEDED),
        ([READY, DONE], "READY TO RELEASE, RELEASED AND VERIFIED: 2 of 2 targets", Exit.OK),
        ([], "NO VERDICT", Exit.DEFECT),
    ],
)
def test_the_worst_target_concludes(endings: list[Ending], words: str, code: Exit) -> None:
    assert conclude(endings) == (words, code)


def test_a_run_without_a_check_concludes_that() -> None:
    assert conclude([], 5) == ("NOTHING CHECKED", Exit.NOTHING_CHECKED)


@pytest.fixture
def recorded(tmp_path: Path) -> list[str]:
    """The options of a run over a release that lacks its GitHub Release."""
    save(tmp_path / "s.json", [s.released(release=known(None))])
    return ["--snapshot", str(tmp_path / "s.json"), "--reports-dir", str(tmp_path / "r")]


@pytest.mark.parametrize("more", [[], ["-q"], ["-n", "2"], ["-x"], ["-p", "no:cacheprovider", "--junit-xml=j.xml"]])
def test_pytest_shows_nothing_of_its_own(more: list[str], recorded: list[str], tmp_path: Path) -> None:
    more = [word.replace("j.xml", str(tmp_path / "j.xml")) for word in more]
    run = suite(*recorded, *more)
    assert run.returncode == 1, run.stdout + run.stderr
    lines = run.stdout.rstrip().splitlines()
    assert lines[-3:-1] == ["ACTION NEEDED: orbit 0.2.0 on pypi (verification)", "exit code 1: action needed"]
    assert re.fullmatch(r"report: \S+\.html and \.json", lines[-1])
    assert not [words for words in PYTESTS if words in run.stdout]


def test_v_shows_what_pytest_shows(recorded: list[str]) -> None:
    run = suite(*recorded, "-v")
    assert "test session starts" in run.stdout and "ACTION NEEDED [" in run.stdout
    assert "phase of orbit==0.2.0@pypi: verification, " in run.stdout and "\n  pytest  " in run.stdout
    assert "rootdir" not in run.stdout
    assert run.stdout.rstrip().splitlines()[-2] == "exit code 1: action needed"


def test_without_execution_nothing_is_concluded(recorded: list[str]) -> None:
    run = suite(*recorded, "--collect-only")
    assert run.returncode == 5
    assert run.stdout.rstrip().splitlines()[-1] == "nothing was judged, so the exit code is 5"
    assert "ACTION NEEDED" not in run.stdout


def test_advice_has_its_own_sign_and_no_number(tmp_path: Path) -> None:
    given = ["--demo", "partial", "--no-install", "--reports-dir", str(tmp_path / "r")]
    code, sent = on_a_terminal(given, tmp_path)
    assert code == 1, sent
    rows = screen_of(sent)
    text = "\n".join(rows)
    assert "\x1b[36m  • RUN-31 advice: " in sent and "\x1b[31m  ✗ RELEASE-11 action needed: " in sent
    assert text.index("• RUN-31") < text.index("✗ RELEASE-11") < text.index("Plan: ") < text.index("\nexit code 1: ")
    assert re.findall(r"^  (\d+)\. ", text, re.MULTILINE) == ["1"]
    assert text.count("Open run #3") == 1, "advice stands once, below its finding"
    assert "  To withdraw instead: --plan rollback" in rows


@pytest.mark.parametrize(("height", "row"), [(60, "see CI-1"), (8, "see CI-1; red: job 0")])
def test_the_state_says_what_short_findings_do_not(height: int, row: str, tmp_path: Path) -> None:
    save(tmp_path / "s.json", [s.ready(ci=s.ci("failure"))])
    given = ["--snapshot", str(tmp_path / "s.json"), "--reports-dir", str(tmp_path / "r")]
    code, sent = on_a_terminal(given, tmp_path, rows=height)
    assert code == 1, sent
    assert f"  CI               ✗ action needed    {row}" in screen_of(sent)
    assert ("found:    red: job 0 (failure)" in sent) == (height > 8)


@pytest.mark.parametrize(
    ("scenario", "phase", "line"),
    [
        ("partial", "post-release", "  To withdraw instead: --plan rollback"),
        ("released", "rollback", "  To complete instead: --plan complete"),
    ],
)
def test_the_other_way_is_its_plan_in_a_given_phase_too(scenario: str, phase: str, line: str, tmp_path: Path) -> None:
    run = suite("--demo", scenario, "--no-install", "--phase", phase, reports_dir=tmp_path / "r")
    assert line in run.stdout.splitlines(), run.stdout


def test_advice_that_decides_is_a_step_like_any_other(tmp_path: Path) -> None:
    run = suite("--demo", "partial", "--no-install", "--block-on-advice", reports_dir=tmp_path / "r")
    assert run.returncode == 1
    assert "✗ RUN-31 action needed, fixed by step 2: " in run.stdout and "•" not in run.stdout
    assert "\n  2. Open run #3" in run.stdout


def test_a_missing_dependency_is_named_without_its_place() -> None:
    error = ImportError("cannot import name 'x' from 'y' (/home/me/venv/lib/python3.11/site-packages/y/__init__.py)")
    said = str(explain_missing(error))
    assert "'y' (y/__init__.py): a dependency is missing or broken" in said and "site-packages" not in said
