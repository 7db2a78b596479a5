"""The console command by itself: its commands, help, completion and version, and a reader that goes away."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from release_state.cli import main
from release_state.cli.commands import COMMANDS, to_options, write_help
from release_state.cli.completion import SHELLS
from release_state.common.errors import UsageProblem
from release_state.run.options import list_options
from tests.support.cli import ROOT, clean_environment, suite

MODULE = (sys.executable, "-m", "release_state")


def called(*arguments: str, home: Path, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MODULE, *arguments], cwd=cwd, env=clean_environment(home, env), stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=90, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("word", "says"),
    [("0.2.0", "--version X.Y.Z"), ("histroy", "did you mean history?"), ("\x1b[2J", "known: check, plan")],
)
def test_a_word_that_is_no_command_is_refused(word: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word]) == 4
    said = capsys.readouterr()
    assert said.out == "" and "is not a command" in said.err and says in said.err
    assert "\x1b" not in said.err


def test_a_plugin_that_is_not_there_is_refused(tmp_path: Path) -> None:
    ran = called("demo", "clean", "-p", "no_such_plugin", home=tmp_path)
    assert ran.returncode == 4 and ran.stdout == ""
    assert ran.stderr == "ERROR: -p: Error importing plugin \"no_such_plugin\": No module named 'no_such_plugin'\n"


def test_v_is_the_version_of_the_suite(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-V"]) == 0
    assert capsys.readouterr().out.startswith(f"release-state {version('release-state')}, ")


@pytest.mark.parametrize(
    ("typed", "options"),
    [
        ("check --version 0.2.0", "--version 0.2.0"),
        ("plan --version 0.2.0 --plan rollback", "--version 0.2.0 --plan rollback"),
        ("audit", "--version all"),
        ("audit --channel pypi", "--version all --channel pypi"),
        ("audit --project-list fleet.toml -n 2", "--version all --project-list fleet.toml -n 2"),
        ("audit --version=>=2", "--version=>=2"),
        ("demo", "--demo partial"),
        ("demo clean --no-install", "--demo clean --no-install"),
        ("demo --plan rollback", "--demo partial --plan rollback"),
        ("checks", "--list-checks"),
    ],
)
def test_a_command_stands_for_options(typed: str, options: str) -> None:
    word, *rest = typed.split()
    assert to_options(word, rest) == options.split()


def test_an_audit_of_one_version_and_more_words_for_checks_are_refused() -> None:
    with pytest.raises(UsageProblem, match="release-state check --version"):
        to_options("audit", ["--version", "0.2.0"])
    with pytest.raises(UsageProblem, match="takes nothing more"):
        to_options("checks", ["x"])


def test_each_command_is_the_run_that_it_stands_for(tmp_path: Path) -> None:
    """In a folder whose files have the names of commands: a command is none of them."""
    for word in COMMANDS:
        (tmp_path / word).mkdir()
    for typed in (["check", "--version", "0.2.0"], ["plan", "--version=0.2.0"], ["audit"], ["demo", "clean"]):
        run = called(*typed, "--show-config", "--package", "x", "--repository", "o/r", home=tmp_path, cwd=tmp_path)
        assert run.returncode == 0, run.stderr
        assert "tag-template = " in run.stdout
    listed = called("checks", home=tmp_path, cwd=tmp_path)
    assert (listed.returncode, listed.stdout) == (0, called("--list-checks", home=tmp_path).stdout)


# --- help


def test_help_is_the_suites_own_and_fits_on_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == main(["plan", "-h"]) == 0
    lines = (text := write_help()).splitlines()
    assert capsys.readouterr().out == text * 2
    assert len(lines) <= 60 and max(map(len, lines)) <= 100 and text.isascii()
    for option in list_options():
        assert re.search(rf"(?<=\s){option.names[0]}\b", text), option
    assert all(f"\n  {word} " in text for word in COMMANDS)
    examples = text.partition("Examples:\n")[2].partition("\n\n")[0].splitlines()
    assert len(examples) == 3 and all(line.startswith("  release-state ") for line in examples)


def test_help_all_has_pytests_options_too(tmp_path: Path) -> None:
    run = called("--help-all", home=tmp_path)
    assert run.returncode == 0, run.stderr
    for words in ("\nrelease state:\n", "\ngeneral:\n", "--tag-template", "--junit-xml"):
        assert words in run.stdout


def test_without_anything_the_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 4
    shown = capsys.readouterr()
    assert shown.out == "" and "usage: release-state check --version" in shown.err and shown.err.isascii()


def test_a_reader_may_go_away(tmp_path: Path) -> None:
    command, env = [*MODULE, "--help-all"], clean_environment(tmp_path)
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read().decode()
    assert (process.returncode, error) in ((0, ""), (2, ""))


# --- options


@pytest.mark.parametrize("typed", [["--chanel", "pypi"], ["--chanel=pypi"], ["-n", "2", "--chanel=pypi"]])
def test_a_misspelt_option_names_the_nearest(typed: list[str], tmp_path: Path) -> None:
    for run in (suite("--version", "0.2.0", *typed), called("check", "--version", "0.2.0", *typed, home=tmp_path)):
        assert run.returncode == 4
        assert run.stderr.strip() == "ERROR: '--chanel' is not an option (did you mean --channel?); all options: --help"
        assert run.stdout == ""


@pytest.mark.parametrize("option", ["--lf", "--ff", "--nf", "--sw", "--sw-skip", "--sw-reset", "--cache-show"])
def test_what_pytest_remembers_selects_no_checks(option: str) -> None:
    run = suite("--demo", "clean", option)
    assert run.returncode == 4
    assert run.stderr.strip().startswith(f"ERROR: {option} chooses by an earlier run")


@pytest.mark.parametrize("more", [(), ("-q",), ("-n", "2"), ("checks/test_audit.py",)])
def test_checks_are_listed_without_a_version_as_editors_ask(more: tuple[str, ...]) -> None:
    run = suite("--collect-only", *more, first=() if more and more[0].endswith(".py") else ("checks/",))
    assert run.returncode == 5, run.stdout + run.stderr
    assert run.stderr == ""
    assert "nothing was judged" in run.stdout
    assert "test_" in run.stdout


@pytest.mark.parametrize("typed", [["-c", "x.ini"], ["-cx.ini"], ["--config-file=x.ini"], ["--rootdir", "/"], ["-c"]])
def test_another_configuration_is_refused(typed: list[str], tmp_path: Path) -> None:
    """It would take the place of the suite's own."""
    (tmp_path / "x.ini").write_text("[pytest]\naddopts = -p no:release_state\n", encoding="utf-8")
    run = called("demo", "clean", *typed, home=tmp_path, cwd=tmp_path)
    name = "--rootdir" if "--rootdir" in typed else "--config-file"
    says = f"ERROR: {name} is of pytest's own runs: the suite has its configuration and folder; leave it out\n"
    assert (run.returncode, run.stdout, run.stderr) == (4, "", says)


def test_a_plugin_that_is_there_already_is_one_line(tmp_path: Path) -> None:
    run = called("demo", "clean", "-p", "xdist.plugin", home=tmp_path)
    assert run.returncode == 4 and run.stderr.startswith("ERROR: -p: Plugin already registered under a different name")
    assert len(run.stderr.splitlines()) == 1 and str(Path(pytest.__file__).parent.parent) not in run.stderr


@pytest.mark.parametrize("options", [("demo", "clean", "-v", "-rA", "--no-install"), ("--collect-only",)])
def test_no_message_says_where_the_suite_is_installed(options: tuple[str, ...], tmp_path: Path) -> None:
    run = called(*options, home=tmp_path, cwd=tmp_path)
    assert run.returncode in (0, 5), run.stdout + run.stderr
    assert str(ROOT) not in run.stdout and str(ROOT.name) + "/checks" not in run.stdout
    assert "rootdir" not in run.stdout
    if "-v" in options:
        assert re.search(r"^checks/test_\w+\.py::test_\w+\[orbit-demo==0\.2\.0@pypi\] HOLDS", run.stdout, re.MULTILINE)


def test_what_cannot_be_collected_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text("raise RuntimeError('broken')\n", encoding="utf-8")
    run = suite("--collect-only", str(tmp_path))
    assert run.returncode == 2 and "broken" in run.stdout


# --- pytest


@pytest.mark.parametrize("arguments", [["demo", "clean"], ["--version", "0.2.0"], ["--list-checks"], ["--help"]])
def test_another_pytest_is_one_line(arguments: list[str], tmp_path: Path) -> None:
    """As `importlib.metadata` finds it first on the path; its code is not asked."""
    found = tmp_path / "other" / "pytest-9.2.0.dist-info"
    found.mkdir(parents=True)
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: pytest\nVersion: 9.2.0\n", encoding="utf-8")
    run = called(*arguments, home=tmp_path, PYTHONPATH=str(found.parent))
    assert (run.returncode, run.stdout) == (4, "")
    [line] = run.stderr.splitlines()
    assert line.startswith("ERROR: pytest 9.2.0 is installed, which runs no checks: pip install 'pytest>=8.4.2,<9'")


def test_no_pytest_is_one_line_too() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from release_state.cli import main; sys.exit(main(['demo']))"
    )
    run = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (4, "")
    assert run.stderr == f"ERROR: pytest is missing: pip install 'pytest>=8.4.2,<9' for {sys.executable}\n"


# --- completion


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The completion script of each shell."""
    folder = tmp_path_factory.mktemp("completion")
    written = {}
    for shell in SHELLS:
        run = called("completion", shell, home=folder)
        assert (run.returncode, run.stderr) == (0, "")
        (path := folder / shell).write_text(run.stdout, encoding="utf-8")
        written[shell] = path
    return written


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["his"], ["history"]),
        (["check", "--pha"], ["--phase"]),
        (["check", "--plan", "ro"], ["rollback"]),
        (["check", "--process", "dis"], ["dispatch"]),
        (["demo", "release-p"], ["release-please", "release-please-failed"]),
        (["--project"], ["--project-list"]),
        (["history", "--reports"], ["--reports-dir"]),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_a_shell_completes(shell: str, typed: list[str], offered: list[str], scripts: dict[str, Path]) -> None:
    if (program := shutil.which(shell)) is None:
        pytest.skip(f"this machine has no {shell}")
    words = " ".join(["release-state", *typed])
    program_text = {
        "bash": f"source {scripts[shell]}; COMP_WORDS=({words}); COMP_CWORD={len(typed)}; _shtab_release_state; "
        'printf "%s\\n" "${COMPREPLY[@]}"',
        "fish": f"source {scripts[shell]}; complete -C '{words}'",
    }[shell]
    env = {"PATH": os.environ["PATH"], "HOME": str(scripts[shell].parent)}
    run = subprocess.run([program, "-c", program_text], env=env, capture_output=True, text=True, check=False)
    assert [line.partition("\t")[0] for line in run.stdout.splitlines()] == offered, run.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_the_documented_line_switches_completion_on(shell: str, tmp_path: Path) -> None:
    if (program := shutil.which(shell)) is None:
        pytest.skip(f"this machine has no {shell}")
    [line] = [
        line
        for line in (ROOT / "docs" / "options.md").read_text(encoding="utf-8").splitlines()
        if f"release-state completion {shell}" in line
    ]
    before = "autoload -U compinit; compinit -u -D; " if shell == "zsh" else ""
    asked = {"bash": "complete -p release-state", "zsh": "print $_comps[release-state]"}
    after = asked.get(shell, "complete -C 'release-state his'")
    env = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    command = [program, "-c", f"{before}{line}; {after}"]
    run = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert re.search("^history|release_state", run.stdout), run.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_reads_its_script(shell: str, scripts: dict[str, Path]) -> None:
    if (program := shutil.which(shell)) is None:
        pytest.skip(f"this machine has no {shell}")
    run = subprocess.run([program, "-n", str(scripts[shell])], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("typed", [[], ["tcsh"], ["bash", "zsh"]])
def test_another_shell_is_refused(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", *typed]) == 4
    assert "bash, zsh, fish" in capsys.readouterr().err
