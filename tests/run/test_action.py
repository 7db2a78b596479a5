"""The GitHub Action, started as a runner starts it: its very script, its very environment, in a shell."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.standins.world import World
from tests.support.cli import ROOT, clean_environment
from tests.support.runner import Command, obeyed, outputs
from tests.support.worlds import variables, world_of

ACTION = (ROOT / "action.yml").read_text(encoding="utf-8")


def _block(name: str, text: str) -> str:
    """The lines that are indented below `name:`, with the indentation taken off."""
    found = re.search(rf"^( *){name}:\n((?:\1 +.*\n|\n)+)", text, re.MULTILINE)
    assert found, f"action.yml has no {name}"
    lines = found[2].splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[indent:] for line in lines) + "\n"


def _pairs(text: str) -> dict[str, str]:
    """The `name: value` lines of a block that has no deeper ones; values without quotes."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return {name: value.strip().strip('"') for name, _, value in (line.partition(": ") for line in lines)}


def _defaults() -> dict[str, str]:
    inputs = _block("inputs", ACTION)
    names = re.findall(r"^(\w+):$", inputs, re.MULTILINE)
    return {name: _pairs(_block(name, inputs)).get("default", "") for name in names}


def _step() -> tuple[str, dict[str, str]]:
    """The script of the only step, and its environment with expressions in it."""
    steps = _block("steps", ACTION)
    assert steps.count("- ") == 1, "one step"
    assert re.search(r"^ *shell: bash$", steps, re.MULTILINE)
    found = re.search(r"^ *run: (?![|>])(.+)$", steps, re.MULTILINE)
    assert found
    return found[1], _pairs(_block("env", steps))


@dataclass(frozen=True)
class Step:
    """What the step left: its exit code, what it printed, and its outputs."""

    code: int
    output: str
    outputs: dict[str, str]


@dataclass(frozen=True)
class Runner:
    """A runner: its folder for temporary files, and the repository that is checked out."""

    folder: Path
    command: Path | None

    @property
    def repository(self) -> Path:
        """The checked-out repository, in which steps start."""
        return self.folder / "repository"

    @property
    def temporary(self) -> Path:
        """RUNNER_TEMP."""
        return self.folder / "temporary"

    def run(self, inputs: Mapping[str, str], env: Mapping[str, str], *, timeout: float = 90) -> Step:
        """Run the action with these inputs."""
        script, templates = _step()
        given = {**_defaults(), **inputs}
        given["token"] = given["token"].replace("${{ github.token }}", env.get("GITHUB_TOKEN", ""))
        step = {
            name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: given[found[1]], template)
            for name, template in templates.items()
        }
        assert not [value for name, value in step.items() if "${{" in value and given.get(name.lower()) != value]
        output = self.folder / "output"
        output.touch()
        (self.folder / "script.sh").write_text(f"{script}\n", encoding="utf-8")
        runner = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(output),
            "RUNNER_TEMP": str(self.temporary),
        }
        if self.command:
            runner["RELEASE_STATE_ACTION_COMMAND"] = str(self.command)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(self.folder / "script.sh")],
            cwd=self.repository,
            env=clean_environment(self.folder / "home", {**env, **runner, **step}),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=timeout, check=False,
        )  # fmt: skip
        return Step(done.returncode, done.stdout, outputs(output.read_text(encoding="utf-8")))


def runner_in(folder: Path, command: Path | None) -> Runner:
    """A runner with a repository of one file."""
    runner = Runner(folder, command)
    for place in (runner.repository, runner.temporary, folder / "home"):
        place.mkdir()
    subprocess.run(["git", "init", "--quiet", runner.repository], check=True)
    (runner.repository / "readme.txt").write_text("of the repository\n", encoding="utf-8")
    return runner


def program(path: Path, text: str) -> Path:
    """A Python program."""
    path.write_text(f"#!{sys.executable} -I\n{text}", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A runner that has the suite of this checkout installed."""
    text = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom release_state.cli import main\nsys.exit(main())\n"
    return runner_in(tmp_path, program(tmp_path / "release-state", text))


@pytest.fixture(scope="module")
def clean() -> Iterator[World]:
    """Ready to release."""
    with world_of("clean") as world:
        yield world


def names_in(runner: Runner) -> set[str]:
    return {path.name for path in runner.repository.iterdir()}


def test_inputs_and_outputs_are_those_that_are_documented() -> None:
    assert set(_defaults()) >= {"version", "channel", "phase", "package"}
    assert (_defaults()["channel"], _defaults()["phase"]) == ("pypi", "auto")
    outputs = _block("outputs", ACTION)
    assert {"verdict", "report"} <= set(re.findall(r"^(\w+):$", outputs, re.MULTILINE))
    script, environment = _step()
    assert "${{" not in script, "an input in the script's text would be run as a command"
    assert all("${{" in value for value in environment.values())


def test_a_green_verdict(clean: World, runner: Runner) -> None:
    before = names_in(runner)

    step = runner.run({"version": "0.2.0"}, variables(clean))

    assert step.code == 0, step.output
    assert (step.outputs["verdict"], step.outputs["phase"]) == ("READY TO RELEASE", "pre-release")
    report = Path(step.outputs["report"])
    assert report.is_relative_to(runner.temporary)
    assert (report.suffix, report.stat().st_size > 1000) == (".html", True)
    assert json.loads(report.with_suffix(".json").read_text(encoding="utf-8"))["verdict"] == "READY TO RELEASE"
    assert names_in(runner) == before, "the checked-out repository stays as it is"


def test_every_input_gets_through(clean: World, runner: Runner) -> None:
    settings = variables(clean)
    del settings["RELEASE_STATE_PACKAGE"]
    inputs = {"version": "0.2.0", "channel": "testpypi", "phase": "post-release", "package": "orbit-demo"}

    step = runner.run(inputs, settings)

    assert step.outputs["phase"] == "post-recovery"
    assert "orbit-demo 0.2.0 on testpypi (verification)" in step.output
    assert step.code != 0, "nothing of it is published"


def test_a_red_verdict_fails_and_still_has_outputs(runner: Runner) -> None:
    with world_of("partial") as world:
        step = runner.run({"version": "0.2.0"}, variables(world))

    assert step.code == 1, step.output
    assert (step.outputs["verdict"], step.outputs["phase"]) == ("ACTION NEEDED", "post-recovery")
    assert Path(step.outputs["report"]).is_file()


def test_what_could_not_be_observed_fails(clean: World, runner: Runner) -> None:
    gone = {"RELEASE_STATE_REMOTE_URL": (clean.root / "nowhere.git").as_uri()}

    step = runner.run({"version": "0.2.0"}, {**variables(clean), **gone})

    assert (step.code, step.outputs["verdict"]) == (6, "COULD NOT VERIFY"), step.output


HARMFUL = [
    "$(touch harm)",
    "@arguments",
    "`touch harm`",
    '"; touch harm; "',
    "'; touch harm #",
    "0.2.0\ntouch harm",
    "--collect-only",
    "--demo=clean",
    "##[set-output name=verdict]READY TO RELEASE",
]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("version", text) for text in HARMFUL),
        *((name, text) for name in ("channel", "phase", "package") for text in HARMFUL[:2]),
    ],
)
def test_an_input_is_never_more_than_a_value(name: str, text: str, clean: World, runner: Runner) -> None:
    (runner.repository / "arguments").write_text("0.2.0\n--demo\nclean\n", encoding="utf-8")
    before = names_in(runner)

    step = runner.run({"version": "0.2.0", name: text}, variables(clean))

    assert step.code == 4, step.output
    assert step.outputs == {}
    assert "::error title=release-state::the run wrote no report" in step.output
    assert "test session starts" not in step.output
    assert obeyed(step.output) == [
        Command("error", "the run wrote no report, so nothing was verified", {"title": "release-state"})
    ]
    assert names_in(runner) == before
    assert not list(runner.folder.rglob("harm"))


def test_no_version(clean: World, runner: Runner) -> None:
    step = runner.run({}, variables(clean))

    assert (step.code, step.outputs) == (4, {}), step.output


def test_a_run_without_a_report_fails(tmp_path: Path) -> None:
    runner = runner_in(tmp_path, program(tmp_path / "silent", "print('all is well')\n"))
    # What lies around was not written by this run.
    old = json.dumps({"verdict": "READY TO RELEASE", "phase": "pre-release", "exit_code": 0, "run": {"html": None}})
    for place in (runner.repository, runner.temporary, runner.temporary / "release-state-old"):
        (place / "reports").mkdir(parents=True)
        for name in ("latest.json", "orbit-demo-0.2.0-pypi-20300101T000000Z.json"):
            (place / "reports" / name).write_text(old, encoding="utf-8")

    step = runner.run({"version": "0.2.0"}, {})

    assert (step.code, step.outputs) == (3, {})
    assert "all is well" in step.output
    assert "::error title=release-state::the run wrote no report" in step.output


_WRITES = """
import pathlib, sys
folder = pathlib.Path(sys.argv[sys.argv.index("--reports-dir") + 1])
folder.mkdir()
for name, text in {files!r}.items():
    (folder / name).write_text(text)
"""


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"x-0.2.0-pypi-20300101T000000Z.json": ""}, "wrote no report"),  # reserved and never written
        ({"latest.json": json.dumps({"verdict": "READY", "phase": "x", "exit_code": 0})}, "wrote no report"),
        (
            {"x.json": json.dumps({"verdict": "ACTION NEEDED", "phase": "x", "exit_code": 1, "run": {"html": None}})},
            "the report has another exit code",
        ),
    ],
)
def test_a_report_that_does_not_go_with_the_run_fails(files: dict[str, str], why: str, tmp_path: Path) -> None:
    runner = runner_in(tmp_path, program(tmp_path / "odd", _WRITES.format(files=files)))

    step = runner.run({"version": "0.2.0"}, {})

    assert (step.code, step.outputs) == (3, {}), step.output
    assert why in step.output


def test_modules_of_the_repository_are_not_imported(clean: World, runner: Runner) -> None:
    for name in ("json.py", "queue.py", "conftest.py", "sitecustomize.py", "venv.py", "pytest.ini"):
        text = "import pathlib\npathlib.Path('harm').touch()\n" if name.endswith(".py") else "[pytest]\naddopts = --x\n"
        (runner.repository / name).write_text(text, encoding="utf-8")

    step = runner.run({"version": "0.2.0"}, variables(clean))

    assert (step.code, step.outputs["verdict"]) == (0, "READY TO RELEASE"), step.output
    assert "harm" not in names_in(runner)


@pytest.mark.slow
def test_it_installs_itself(clean: World, tmp_path: Path) -> None:
    """With its dependencies, from the index of this machine."""
    runner = runner_in(tmp_path, None)
    for name in ("json.py", "pip.py", "hatchling.py", "msgspec.py"):
        (runner.repository / name).write_text("raise SystemExit('imported')\n", encoding="utf-8")
    before = names_in(runner)
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}

    # Compiling all that is installed, and not imported, would take most of the time.
    step = runner.run({"version": "0.2.0"}, {**variables(clean), **pip, "PIP_NO_COMPILE": "1"}, timeout=140)

    assert (step.code, step.outputs.get("verdict")) == (0, "READY TO RELEASE"), step.output
    assert Path(step.outputs["report"]).is_file()
    assert names_in(runner) == before


@pytest.mark.slow
def test_an_installation_that_fails_is_said(clean: World, tmp_path: Path) -> None:
    runner = runner_in(tmp_path, None)
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple/", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}

    step = runner.run({"version": "0.2.0"}, {**variables(clean), **nowhere})

    assert (step.code, step.outputs) == (3, {}), step.output
    assert "::error title=release-state::could not be installed" in step.output


def test_the_token_is_not_given_to_what_installs_the_suite(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started: list[dict[str, str]] = []
    monkeypatch.setenv("GITHUB_TOKEN", "t0ken")
    monkeypatch.setattr("venv.create", lambda *arguments, **options: None)
    monkeypatch.setattr("subprocess.run", lambda command, **options: started.append(options["env"]))

    runpy.run_path(str(ROOT / "action" / "run.py"))["install"](tmp_path)

    [environment] = started
    assert "PATH" in environment and "t0ken" not in environment.values()
