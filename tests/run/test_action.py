"""The GitHub Action, started as a runner starts it: its very script, its very environment, in a shell."""

from __future__ import annotations

import hashlib
import json
import os
import re
import runpy
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release_state.demo.dists import build_sdist, build_wheel
from release_state.run.options import list_options
from tests.docs import action
from tests.standins.world import World
from tests.support.cli import ROOT, clean_environment
from tests.support.runner import Command, obeyed, outputs
from tests.support.worlds import variables, world_of

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
CALLED = ROOT / ".github" / "workflows" / "release-state.yml"
SCRIPT = runpy.run_path(str(ROOT / "action" / "run.py"))


def _defaults() -> dict[str, str]:
    return {name: each.get("default", "") for name, each in ACTION["inputs"].items()}


def _step() -> tuple[str, dict[str, str]]:
    """The script of the step that judges, and its environment with expressions in it."""
    [step] = [step for step in ACTION["runs"]["steps"] if step.get("id") == "run"]
    assert step["shell"] == "bash"
    return step["run"], step["env"]


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
    downloads: Path | None = None
    """The folder that was restored from the cache."""

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
            name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given[found[1]], template)
            for name, template in templates.items()
        }
        step["RELEASE_STATE_ACTION_DOWNLOADS"] = str(self.downloads or "")
        assert not [value for value in step.values() if "${{" in value and value not in given.values()]
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
    assert {"verdict", "report"} <= set(ACTION["outputs"])
    _, environment = _step()
    assert all("${{" in value for value in environment.values())
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert scripts and not [script for script in scripts if "${{" in script], "an input would be run as a command"


def test_each_option_is_an_input_or_has_a_reason_not_to_be() -> None:
    """A new option: `python -m tests.docs.action --write`, or `NO_INPUT` there."""
    options = {action.name_input(option): option for option in list_options()}
    assert set(action.NO_INPUT) <= set(options)
    inputs = set(options) - set(action.NO_INPUT)
    called = yaml.safe_load(CALLED.read_text(encoding="utf-8"))
    of_call = called[True]["workflow_call"]["inputs"]  # YAML 1.1 reads the key `on` as a truth value
    assert set(ACTION["inputs"]) == inputs | set(action.OF_THE_ACTION)
    assert set(of_call) == (inputs - action.NOT_OF_THE_WORKFLOW) | {"packages"} | set(action.OF_THE_WORKFLOW)
    assert [path.name for path, text in action.with_inputs().items() if path.read_text(encoding="utf-8") != text] == []
    [step] = [step for step in called["jobs"]["release-state"]["steps"] if step.get("id") == "state"]
    assert set(step["with"]) == set(ACTION["inputs"]) - {"cache"}
    given = {name: value for name, value in step["with"].items() if name not in ("repo", "token")}
    assert given == {name: action.HANDED_ON.get(name, f"${{{{ inputs.{name} }}}}") for name in given}


def test_each_input_becomes_its_option() -> None:
    values = {"VALUE": "one", "LINES": "one\n\n two \n", "SWITCH": "true"}
    variables = {action.variable(option): option for option in action.list_inputs()}
    environ = {name: values[name.split("_")[3]] for name in variables} | {"PATH": "/bin"}

    given = list(SCRIPT["read_options"](environ))

    expected = []
    for name in sorted(variables):
        option = variables[name].names[0]
        shown = {"VALUE": [f"{option}=one"], "LINES": [f"{option}=one", f"{option}=two"], "SWITCH": [option]}
        expected += shown[name.split("_")[3]]
    assert given == expected
    assert list(SCRIPT["read_options"](dict.fromkeys(variables, ""))) == ["--version="]
    with pytest.raises(ValueError, match="input no-install: expected true or false"):
        list(SCRIPT["read_options"]({"RELEASE_STATE_ACTION_SWITCH_NO_INSTALL": "yes"}))


def test_the_called_workflow_only_reads_and_has_no_environment() -> None:
    called = yaml.safe_load(CALLED.read_text(encoding="utf-8"))
    assert list(called[True]) == ["workflow_call"] and called["permissions"] == {}
    [job] = called["jobs"].values()
    assert "environment" not in job and set(job["permissions"].values()) == {"read"}
    checkouts = [step["with"] for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert [each["persist-credentials"] for each in checkouts] == [False, False]
    # Without them, checkout would take the caller's own repository, and its action.yml would judge it.
    first = job["steps"][0]
    assert first["if"] == "${{ !job.workflow_sha || !job.workflow_repository }}" and "exit 4" in first["run"]
    assert (checkouts[1]["repository"], checkouts[1]["ref"], checkouts[1]["path"]) == (
        *("${{ job.workflow_repository }}", "${{ job.workflow_sha }}", "suite"),
    )
    used = [step["uses"] for step in (*job["steps"], *ACTION["runs"]["steps"]) if "uses" in step]
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", each) for each in used if each != "./suite")


def test_the_called_workflow_keeps_a_report_of_each_job_of_a_matrix() -> None:
    """GitHub refuses one of two uploads under one name, with a 409 although they may overwrite each other."""
    keep = yaml.safe_load(CALLED.read_text(encoding="utf-8"))["jobs"]["release-state"]["steps"][-1]
    assert keep["uses"].startswith("actions/upload-artifact@") and keep["if"].startswith("always() && ")
    assert keep["with"]["name"] == "release-state-${{ steps.state.outputs.report-name }}"


def test_the_called_workflow_hands_on_the_artifact_that_it_downloads() -> None:
    called = yaml.safe_load(CALLED.read_text(encoding="utf-8"))
    before, judge = called["jobs"]["release-state"]["steps"][-3:-1]
    assert before["uses"].startswith("actions/download-artifact@") and judge["id"] == "state"
    assert before["if"] == "inputs.dist != ''" and "continue-on-error" not in before
    given = before["with"]
    assert given["name"] == "${{ inputs.dist }}" and "github-token" not in given, "of the same run alone"
    assert ":" in given["pattern"] and given["digest-mismatch"] == "error"
    assert given["path"].startswith("${{ runner.temp }}/"), "outside of both checkouts"
    folder = given["path"].removeprefix("${{ runner.temp }}")
    assert judge["with"]["dist"] == f"${{{{ inputs.dist && format('{{0}}{folder}', runner.temp) || '' }}}}"
    assert called[True]["workflow_call"]["inputs"]["dist"]["default"] == ""


@pytest.mark.parametrize(("version", "code"), [("0.2.0", 0), ("0.3.0", 1)])
def test_the_built_files_are_looked_at(version: str, code: int, clean: World, runner: Runner) -> None:
    folder = runner.temporary / "release-state-dist"
    folder.mkdir()
    for name, content in (
        build_wheel(clean.package, version, sources={}),
        build_sdist(clean.package, version, files={}),
    ):
        (folder / name).write_bytes(content)

    step = runner.run({"version": "0.2.0", "dist": str(folder)}, variables(clean))

    assert step.code == code, step.output
    findings = json.loads(Path(step.outputs["report"]).with_suffix(".json").read_text(encoding="utf-8"))
    [dist] = [each for each in findings["targets"][0]["checks"] if each["id"] == "DIST-1"]
    assert dist["outcome"] == ("holds" if code == 0 else "action needed")


def test_an_artifact_that_was_not_downloaded_is_no_green_verdict(clean: World, runner: Runner) -> None:
    step = runner.run({"version": "0.2.0", "dist": str(runner.temporary / "release-state-dist")}, variables(clean))

    assert (step.code, step.outputs) == (4, {}), step.output
    assert "is not a folder" in step.output


def requirements() -> dict[str, tuple[Requirement, list[str]]]:
    """What the action installs: each requirement with its hashes, by name."""
    text = (ROOT / "action" / "requirements.txt").read_text(encoding="utf-8")
    found: dict[str, tuple[Requirement, list[str]]] = {}
    for line in re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines():
        pin, *hashes = line.split(" --hash=")
        requirement = Requirement(pin)
        found[canonicalize_name(requirement.name)] = (requirement, [each.strip() for each in hashes])
    return found


def test_what_is_installed_is_pinned_by_hashes_to_what_is_tested() -> None:
    """A changed dependency: `python3 action/lock.py`."""
    text = (ROOT / "action" / "requirements.txt").read_text(encoding="utf-8")
    assert "://" not in text and "--index" not in text and "--find" not in text
    pins = (line.partition("==") for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines())
    tested: dict[str, str] = {canonicalize_name(name): version for name, _, version in pins if version}
    found = requirements()
    for name, (requirement, hashes) in found.items():
        [pin] = requirement.specifier
        assert pin.operator == "==" and hashes, name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes)
        assert tested.get(name, pin.version) == pin.version, name
    # Everything that the suite and its build need, directly or through others.
    needed, new = set[str](), {*_requires("release-state"), "hatchling"}
    while new:
        wanted = {Requirement(each) for each in new}
        applies = {each for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})}
        names = {canonicalize_name(each.name) for each in applies} - needed
        needed |= names
        new = {each for name in names for each in _requires(name)}
    assert needed <= set(found)


def _requires(name: str) -> list[str]:
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:  # what builds the suite is not in the environment of the tests
        return []


def test_the_cache_has_a_key_for_each_list_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))

    assert SCRIPT["main"](["downloads"]) == 0

    found = outputs((tmp_path / "output").read_text(encoding="utf-8"))
    digest = hashlib.sha256((ROOT / "action" / "requirements.txt").read_bytes()).hexdigest()[:16]
    assert found["path"] == str(tmp_path / "release-state-downloads")
    assert found["key"].endswith(f"-{digest}") and sys.implementation.cache_tag in found["key"]
    cached = next(step for step in ACTION["runs"]["steps"] if step.get("uses", "").startswith("actions/cache@"))
    assert cached["with"] == {name: f"${{{{ steps.downloads.outputs.{name} }}}}" for name in ("path", "key")}


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

    step = runner.run({**inputs, "process": "release-pull-request"}, settings)

    assert "  process: release-pull-request (configured); " in step.output
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
        *((name, text) for name in ("channel", "phase", "package", "process") for text in HARMFUL[:2]),
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
def test_what_is_cached_is_verified_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloads, nowhere = tmp_path / "downloads", tmp_path / "nowhere"
    monkeypatch.setenv("PIP_NO_COMPILE", "1")
    verified = ("--require-hashes", "--only-binary", ":all:", "--requirement", ROOT / "action" / "requirements.txt")
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--dest", downloads, *verified], check=True)
    nowhere.mkdir()
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(nowhere)}.items():
        monkeypatch.setenv(name, value)

    assert SCRIPT["install"](tmp_path / "cached", downloads).is_file(), "without an index"

    wheel = next(downloads.glob("requests-*.whl"))
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("requests/harm.py", "")
    with pytest.raises(subprocess.CalledProcessError):
        SCRIPT["install"](tmp_path / "poisoned", downloads)
    assert not wheel.exists()


@pytest.mark.slow
def test_an_installation_that_fails_is_said(clean: World, tmp_path: Path) -> None:
    runner = runner_in(tmp_path, None)
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple/", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}

    step = runner.run({"version": "0.2.0"}, {**variables(clean), **nowhere})

    assert (step.code, step.outputs) == (3, {}), step.output
    assert "::error title=release-state::could not be installed" in step.output


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """The commands of an installation with their environments; none of them runs."""
    found: list[tuple[list[str], dict[str, str]]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        found.append((command[5:], options["env"]))
        is_broken = "--find-links" in command and len(found) == 1
        return subprocess.CompletedProcess(command, 1 if is_broken else 0)

    monkeypatch.setenv("GITHUB_TOKEN", "t0ken")
    monkeypatch.setattr("venv.create", lambda *arguments, **options: None)
    monkeypatch.setattr("subprocess.run", run)
    return found


def test_the_token_is_not_given_to_what_installs_the_suite(
    started: list[tuple[list[str], dict[str, str]]], tmp_path: Path
) -> None:
    SCRIPT["install"](tmp_path, tmp_path / "downloads")

    assert started and all("PATH" in environment for _, environment in started)
    assert not [value for _, environment in started for value in environment.values() if value == "t0ken"]


def test_dependencies_come_first_by_their_hashes_and_then_the_suite_alone(
    started: list[tuple[list[str], dict[str, str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the cache holds may be anything: it is verified like a download, and thrown away if it is not right."""
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    (downloads / "poisoned-1-py3-none-any.whl").touch()
    monkeypatch.setenv("RELEASE_STATE_ACTION_PACKAGES", "acme-release-checks==1.0 --hash=sha256:00")

    SCRIPT["install"](tmp_path, downloads)

    commands = [command for command, _ in started]
    assert [command[0] for command in commands] == ["install", "download", "install", "install", "install"]
    cached, download, from_downloads, itself, packages = commands
    for command in (cached, download, from_downloads, packages):
        assert {"--require-hashes", "--only-binary", ":all:"} <= set(command)
    assert "--no-index" in cached and cached == from_downloads and not downloads.exists()
    assert {"--no-index", "--no-deps", "--no-build-isolation", str(ROOT)} <= set(itself)
    assert "--no-deps" in packages
    listed = Path(packages[-1]).read_text(encoding="utf-8")
    assert listed == "acme-release-checks==1.0 --hash=sha256:00"


def test_an_old_python_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.version_info", (3, 10, 12))
    with pytest.raises(ValueError, match=r"needs Python 3\.11\.5 or newer: use actions/setup-python"):
        SCRIPT["install"](tmp_path, tmp_path)
