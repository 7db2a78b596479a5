"""What the terminal shows: a screen where all is well, in what that terminal can show, and no trace of the waiting."""

from __future__ import annotations

import io
import re
import shutil
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from release_state.model.observation import known
from release_state.model.outcome import Outcome
from release_state.observe.defects import Progress
from release_state.observe.recorded import save
from release_state.report import screen as progress
from release_state.report.screen import Screen
from tests.support import states as s
from tests.support.cli import ROOT, suite
from tests.support.judged import verdict_of
from tests.support.terminal import on_a_terminal, screen_of
from tests.support.worlds import options, world_of

ROWS, COLUMNS = 24, 80


def test_all_is_well_in_one_screen(tmp_path: Path) -> None:
    """With the line that shows what is being asked, which is gone in the end."""
    more = ["--version", "0.2.0", "--no-install", "--reports-dir", str(tmp_path / "r")]
    with world_of("released") as world:
        # Still at work when the files of checks are collected.
        world.github.intercept = lambda request: time.sleep(2) if request.path.endswith("/latest") else None
        code, sent = on_a_terminal(
            [*options(world), *more], tmp_path, {"GITHUB_TOKEN": world.token}, rows=ROWS, columns=COLUMNS
        )
    rows = screen_of(sent, COLUMNS)
    assert code == 0, sent
    assert "observing: " in sent and "answered)" in sent
    assert not [row for row in rows if "observing" in row]
    assert len(rows) <= ROWS, "\n".join(rows)
    text = "\n".join(rows)
    assert "RELEASED AND VERIFIED: orbit-demo 0.2.0 on pypi" in text
    assert "nothing to do" in text
    assert "\n  Installation was not verified: left out with --no-install\n" in text
    for name in ("Release branch", "Tag", "Index", "GitHub Release", "Pull request"):
        assert re.search(rf"^  {name} +✓ holds  ", text, re.MULTILINE), name
    assert "\x1b[1m\x1b[32mRELEASED" in sent


def test_poor_terminal(tmp_path: Path) -> None:
    """Nothing but ASCII and no colour reaches a terminal that has neither; the words are all there."""
    poor = {"PYTHONIOENCODING": "ascii", "NO_COLOR": "1"}
    pull = s.open_pull(title="🚀 Release", head_branch="release/pypi-v0.2.0")
    branch = s.branch("release/pypi-vé0.2.0")
    save(
        tmp_path / "s.json",
        [s.released(release=known(None), pulls=known((pull,)), remote=s.remote(s.tag(), branch))],
    )
    code, sent = on_a_terminal(["--snapshot", str(tmp_path / "s.json"), "--reports-dir", str(tmp_path)], tmp_path, poor)
    assert code == 1, sent
    assert sent.isascii()
    assert "\x1b" not in sent
    text = "\n".join(screen_of(sent))
    assert re.search(r"^  GitHub Release +x action needed +see RELEASE-11$", text, re.MULTILINE)
    assert re.search(r"^  Tag +\+ holds ", text, re.MULTILINE)
    assert "ACTION NEEDED: orbit 0.2.0 on pypi" in text


def test_piped_and_quiet(tmp_path: Path) -> None:
    save(tmp_path / "s.json", [s.released(release=known(None))])
    given = ("--snapshot", str(tmp_path / "s.json"), "-q")
    run = suite(*given, reports_dir=tmp_path / "r")
    assert run.returncode == 1
    assert "\r" not in run.stdout and "\x1b" not in run.stdout and "observing" not in run.stdout
    lines = [line for line in run.stdout.splitlines() if line.strip()]
    assert len(lines) <= 6
    assert "ACTION NEEDED: orbit 0.2.0 on pypi (verification)" in lines
    assert "GitHub Release" not in run.stdout


def test_each_step_of_the_plan_has_its_number_once(tmp_path: Path) -> None:
    """Also one that is shown with the advice that needs it; where nothing else is to do, no number is needed."""
    save(tmp_path / "s.json", [s.released(release=known(None), remote=s.remote(s.tag(annotated=False)))])
    text = suite("--snapshot", str(tmp_path / "s.json"), reports_dir=tmp_path / "r").stdout
    numbers = re.findall(r"^ +(?:fix \((\d+)\):|(\d+)\.) ", text, re.MULTILINE)
    assert any(advised for advised, _ in numbers) and any(needed for _, needed in numbers), text
    assert sorted(int(one or other) for one, other in numbers) == list(range(1, len(numbers) + 1)), text


def test_the_way_to_the_folder_stands_where_the_commands_are(tmp_path: Path) -> None:
    """Once, also in a run of one check, whose plan is advice alone."""
    text = suite("--demo", "partial", "-k", "TAG-11", "--no-install", reports_dir=tmp_path / "r").stdout
    assert text.count("     $ cd ") == 1
    assert re.search(r"^  Advice:\n     \$ cd .*\n  • advice: ", text, re.MULTILINE), text


def test_a_defect_keeps_its_traceback_without_secrets_and_a_finding_has_none(tmp_path: Path) -> None:
    for name in ("conftest.py", "pytest.ini"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("checks", "fixtures"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "checks" / "test_post_recovery.py").open("a") as file:
        file.write(
            '\n\n@check("TAG-99", reads=["remote"])\ndef test_broken(release: Release) -> None:\n'
            '    """It holds."""\n    raise ValueError("broken \\x1b[31m here: %s1de" % "w0rd")\n'
        )
    save(tmp_path / "s.json", [s.released(release=known(None))])
    junit = ("--junit-xml", str(tmp_path / "r" / "junit.xml"))
    secret = {"TWINE_PASSWORD": "w0rd1de"}
    given = ("--snapshot", str(tmp_path / "s.json"), "--tb=short", *junit)
    run = suite(*given, env=secret, cwd=tmp_path, reports_dir=tmp_path / "r")
    assert run.returncode == 3, run.stdout + run.stderr
    assert "DEFECT OF THE SUITE" in run.stdout
    assert run.stdout.count('raise ValueError("broken') == 1
    assert "test_post_recovery.py:" in run.stdout
    assert "\x1b" not in run.stdout
    assert "RELEASE-11 action needed" in run.stdout
    assert "raise ActionNeeded" not in run.stdout
    told = [run.stdout, *(path.read_text(encoding="utf-8") for path in (tmp_path / "r").iterdir())]
    assert len(told) == 4 and all("here: ***" in text and "w0rd1de" not in text for text in told)


# --- pieces ------------------------------------------------------------------------------------------------------


class Reporter:
    """As much of pytest's reporter as is used."""

    def __init__(self, *, isatty: bool, verbose: int = 0) -> None:
        self.isatty, self.out = isatty, io.StringIO()
        self.config = SimpleNamespace(option=SimpleNamespace(release_state_quiet=verbose < 0))

    def write_line(self, line: str, **_: bool) -> None:
        self.out.write(f"{line}\n")

    def write(self, words: str, **_: bool) -> None:
        self.out.write(words)

    def rewrite(self, line: str, **_: bool) -> None:
        self.out.write(f"\r{line}")


def reporter(**given: Any) -> Any:
    return cast("pytest.TerminalReporter", Reporter(**given))


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_prose_is_broken_at_the_width_and_commands_are_not(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    used = reporter(isatty=True)
    screen = Screen(used)
    words = "the tag is there and its release is not, so that nobody finds its notes"
    screen.line(words, 4, 2)
    lines = used.out.getvalue().splitlines()
    assert all(len(line) <= max(columns, 26) for line in lines)
    assert " ".join(" ".join(lines).split()) == words
    screen.verbatim("$ " + "x" * 300, 4)
    assert used.out.getvalue().splitlines()[-1] == "    $ " + "x" * 300


def test_what_restores_a_deleted_tag_is_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken in a sentence, its first line would be `git push`: of the branch that is checked out."""
    monkeypatch.setenv("COLUMNS", "70")
    used = reporter(isatty=True)
    plan = verdict_of(s.released(index={"pypi": s.project()}), "rollback").plan
    (gone,) = [each for each in plan.steps if each.destroys and each.mends == "tag"]
    Screen(used).step(gone, "1. ", 2)
    lines = [line.strip() for line in used.out.getvalue().splitlines()]
    told = f"to restore it: {gone.restore_lines()[0]}"
    assert gone.restore[0][-1] == f"{s.TAG_OBJECT}:refs/tags/v0.2.0" and told in lines
    assert not [line for line in lines if "git push" in line and line != told and not line.startswith("$ ")]


def test_what_is_piped_is_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    used = reporter(isatty=False)
    Screen(used).line("word " * 30)
    assert used.out.getvalue().count("\n") == 1


def test_a_dumb_terminal_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    used = reporter(isatty=True)
    screen = Screen(used)
    screen.line(f"{screen.outcome(Outcome.HOLDS)[0]} 🚀 │")
    screen.line("#7 open → #7 merged")
    assert used.out.getvalue() == "+ holds \\U0001f680 \\u2502\n#7 open -> #7 merged\n"


@pytest.mark.parametrize("outcome", [*Outcome, None])
def test_outcomes_are_words_in_every_encoding(outcome: Outcome | None, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(reporter(isatty=True))
    for encoding in ("utf-8", "ascii", "cp1252"):
        screen.encoding = encoding
        words, _ = screen.outcome(outcome)
        assert words.encode(encoding).decode(encoding).endswith(outcome.words if outcome else "not checked")
        assert screen.shown("🚀 é").encode(encoding)


@pytest.mark.parametrize(
    ("given", "env", "wanted"),
    [
        ({"isatty": True}, {}, True),
        ({"isatty": False}, {}, False),
        ({"isatty": True, "verbose": -1}, {}, False),
        ({"isatty": True}, {"CI": "true"}, False),
        ({"isatty": True}, {"TERM": "dumb"}, False),
    ],
)
def test_who_sees_the_progress(given: Any, env: dict[str, str], wanted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert progress.is_live(reporter(**given)) is wanted


def test_progress_names_who_has_not_answered() -> None:
    tracked, begun, answer = Progress(), threading.Event(), threading.Event()

    def ask() -> int:
        begun.set()
        answer.wait(60)
        return 7

    answers: list[int] = []
    ask_git = tracked.track("remote", ask)
    thread = threading.Thread(target=lambda: answers.append(ask_git()))
    thread.start()
    assert begun.wait(60)
    assert tracked.words == "observing: git remote (0 answered)"
    with pytest.raises(ValueError, match="wrong"):
        tracked.track("pulls", lambda: int("wrong"))()
    used = reporter(isatty=True)
    rounds = iter([False, True])
    progress.show_progress(used, tracked, lambda _: next(rounds))
    answer.set()
    thread.join(60)
    assert answers == [7]
    assert tracked.words == "observing: ... (2 answered)"
    assert used.out.getvalue() == "\robserving: git remote (1 answered)\r\r"
