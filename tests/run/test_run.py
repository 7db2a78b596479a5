"""The suite as a person runs it: processes of their own against worlds on this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from release_state.demo.loopback import Request
from release_state.demo.scenarios import SCENARIOS
from release_state.model.outcome import Phase, name_phase
from release_state.run.checks import catalogue
from release_state.verdict.check import select_phase
from tests.standins.services import Reply
from tests.standins.world import World
from tests.support.cli import ROOT, clean_environment, suite
from tests.support.terminal import last_screen_of, on_a_terminal, screen_of
from tests.support.worlds import (
    asked_github,
    asked_index,
    asked_status,
    ended,
    forget_requests,
    options,
    own_reports,
    run,
    variables,
    world_of,
)

SERIAL: tuple[str, ...] = ()
PARALLEL = ("-n", "2")
BOTH = pytest.mark.parametrize("workers", [SERIAL, PARALLEL], ids=["serial", "n2"])
BOTH_SLOWLY = pytest.mark.parametrize(
    "workers", [pytest.param(SERIAL, id="serial"), pytest.param(PARALLEL, id="n2", marks=pytest.mark.slow)]
)

# One request for each fact of GitHub's side, and no other.
FIRST_PAGE = "per_page=100"
REPOSITORY = ("GET", "{repository}")  # present name, default branch, visible at all: what makes a 404 below an absence
PULLS = ("GET", f"{{repository}}/pulls?{FIRST_PAGE}&state=all&head=example-org:release/pypi-v0.2.0")  # of this version
OPEN_PULLS = ("GET", f"{{repository}}/pulls?{FIRST_PAGE}&state=open")  # whether an orphaned branch has one
RELEASE = ("GET", "{repository}/releases/tags/v0.2.0")  # the published release of the tag
DRAFTS = ("GET", f"{{repository}}/releases?{FIRST_PAGE}")  # drafts, which the one above never shows
LATEST = ("GET", "{repository}/releases/latest")  # which release is shown as the latest
EARLIER = [  # whether releases of this project have a pull request and a GitHub Release
    ("GET", f"{{repository}}/pulls?{FIRST_PAGE}&state=all&head=example-org:release/pypi-v0.1.0"),
    ("GET", f"{{repository}}/pulls?{FIRST_PAGE}&state=all&head=example-org:release-please--branches--main"),
    ("GET", "{repository}/releases/tags/v0.1.0"),
]
RUNS = ("GET", "{repository}/actions/workflows/release.yml/runs?per_page=30&exclude_pull_requests=true")  # unfinished
CHECK_RUNS = ("GET", f"{{repository}}/commits/{{main}}/check-runs?{FIRST_PAGE}&filter=latest")  # CI of the exact commit
STATUSES = ("GET", f"{{repository}}/commits/{{main}}/status?{FIRST_PAGE}")  # CI that reports by status
BASE = ("GET", "{repository}/branches/main")  # whether the base branch is protected, and by which checks
RULESETS = ("GET", f"{{repository}}/rulesets?{FIRST_PAGE}")  # none: no rule of a branch or tag has to be asked for
ACTIONS = ("GET", "{repository}/actions/permissions/workflow")  # whether Actions may create pull requests
CI_RUNS = (
    "GET",  # how CI went lately
    "{repository}/actions/runs?per_page=30&branch=main&exclude_pull_requests=true",
)
COMMIT_RUNS = (
    "GET",  # which workflows ran for the commit, and what of them has no check run yet
    f"{{repository}}/actions/runs?{FIRST_PAGE}&head_sha={{main}}&exclude_pull_requests=true",
)
# Which apps are usual: none that the commit itself does not have, so no other ancestor is asked for.
PARENT = [(method, path.replace("{main}", "{parent}")) for method, path in (CHECK_RUNS, STATUSES)]
SETTINGS = [BASE, RULESETS, ACTIONS, CI_RUNS]
OF_PHASE = [REPOSITORY, PULLS, OPEN_PULLS, RELEASE, DRAFTS, LATEST, *EARLIER]
OF_BOTH = [*OF_PHASE, RUNS, CHECK_RUNS, STATUSES, COMMIT_RUNS, *SETTINGS]
WORKFLOWS = ("GET", f"{{repository}}/actions/workflows?{FIRST_PAGE}")  # whether the one that publishes is switched off
GITHUB = sorted([*OF_BOTH, *PARENT, WORKFLOWS])
GITHUB_AFTERWARDS = sorted(OF_BOTH)
INDEX = ("release-state", "GET", "/pypi/simple/orbit-demo/")  # versions, files, yanks
# The same of the version: an upload of a minute ago is there first. Asked where the page above lacks a file.
INDEX_JSON = ("release-state", "GET", "/pypi/pypi/orbit-demo/0.2.0/json")
REHEARSAL = ("release-state", "GET", "/testpypi/simple/orbit-demo/")  # before a release to pypi: was it tried?
STATUS = [("GET", f"/{page}/api/v2/summary.json") for page in ("github", "pypi")]  # what may explain a failed look-up
WHEEL = "/pypi/files/orbit_demo-0.2.0-py3-none-any.whl"
SDIST = ("release-state", "GET", "/pypi/files/orbit_demo-0.2.0.tar.gz")  # which commit was published
# Installation: pip reads the same page, the wheel's metadata and the wheel.
PIP = [("pip", "GET", "/pypi/simple/orbit-demo/"), ("pip", "GET", WHEEL), ("pip", "GET", f"{WHEEL}.metadata")]
CONTENTS = ("release-state", "GET", WHEEL)  # whether it has a module


@pytest.fixture(scope="module")
def clean_world() -> Iterator[World]:
    """Ready to release; runs read only, so that all of them can share it."""
    with world_of("clean") as world:
        yield world


@pytest.fixture(scope="module")
def released_world() -> Iterator[World]:
    """Released and verified."""
    with world_of("released") as world:
        yield world


@pytest.fixture
def clean(clean_world: World) -> World:
    """The shared world, with no request counted yet."""
    forget_requests(clean_world)
    return clean_world


@pytest.fixture
def released(released_world: World) -> World:
    """The shared world, with no request counted yet."""
    forget_requests(released_world)
    return released_world


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A folder for reports that is not there yet."""
    return tmp_path / "reports"


def size_of(phase: Phase) -> int:
    return len(select_phase(catalogue(ROOT / "checks"), phase))


def latest_of(reports: Path) -> Any:
    path = reports / "latest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


# ---- verdicts and exit codes


SCREENS = Path(__file__).parent / "screens"
"""The last screen of each demo; RELEASE_STATE_WRITE_SCREENS=1 writes them anew, to be looked at."""
INSTALLED = ("version-published", "pr-failed", "testpypi-released")
#: One of each phase and of each ending; that workers change no report is shown below, of two more.
WITH_WORKERS = ("clean", "branch-exists", "partial", "testpypi-released", "rolled-back")


def _demos() -> Iterator[Any]:
    for name in SCENARIOS:
        for workers in (SERIAL, PARALLEL) if name in WITH_WORKERS else (SERIAL,):
            # Workers, and an installation, take their time: a few of each are seen in every quick run.
            slow = name not in ("clean", "branch-exists") if workers else name in INSTALLED
            marks = [pytest.mark.slow] if slow else []
            yield pytest.param(name, workers, marks=marks, id=f"{name}-{'n2' if workers else 'serial'}")


@pytest.mark.parametrize(("name", "workers"), _demos())
def test_a_demo_gives_its_verdict_and_exit_code(
    name: str, workers: tuple[str, ...], tmp_path: Path, reports: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    scenario = SCENARIOS[name]

    given = ["--demo", name, *workers, "--reports-dir", str(reports)]
    code, sent = on_a_terminal(given, tmp_path / "home", {"TMPDIR": str(scratch)})

    ran = ended(subprocess.CompletedProcess(given, code, "\n".join(screen_of(sent, 1_000)), ""), reports)
    kept = SCREENS / f"{name}.txt"
    if os.environ.get("RELEASE_STATE_WRITE_SCREENS"):
        kept.write_text(last_screen_of(sent), encoding="utf-8")
    assert last_screen_of(sent) == kept.read_text(encoding="utf-8")
    assert ran.code == scenario.exit_code, ran.output
    is_green = scenario.verdict in ("READY TO RELEASE", "RELEASED AND VERIFIED", "ROLLED BACK")
    assert scenario.exit_code == (0 if is_green else 1)
    assert (ran.verdict, ran.document["phase"]) == (scenario.verdict, scenario.phase)
    assert ran.document["exit_code"] == ran.code
    said = f" {scenario.version} on {scenario.channel} ({name_phase(scenario.phase)})"
    assert [line for line in ran.output.splitlines() if line.startswith(f"{scenario.verdict}: orbit-") and said in line]
    assert set(ran.only) == {check.id for check in select_phase(catalogue(ROOT / "checks"), Phase(scenario.phase))}
    assert not list(scratch.glob("release-state*")), "the world, the exchange folder and the stores are gone"


def test_the_command_as_it_is_documented(clean: World, reports: Path) -> None:
    settings = {**variables(clean), "RELEASE_STATE_REPORTS_DIR": str(reports)}

    ran = ended(suite("--version", "0.2.0", "--channel", "pypi", env=settings), reports)

    assert (ran.code, ran.verdict) == (0, "READY TO RELEASE"), ran.output
    assert "DEFECT" not in ran.output
    assert list(ran.outcomes) == ["orbit-demo==0.2.0@pypi"]
    assert asked_github(clean) == GITHUB


def of_channel(target: str) -> tuple[str, ...]:
    """The indexes that are asked for one target, each once for its version: a release to pypi was tried on testpypi."""
    return ("pypi", "testpypi") if target.endswith("@pypi") else ("testpypi",)


@pytest.mark.parametrize(
    ("arguments", "targets"),
    [
        (("--version", "0.2.0"), ["0.2.0@pypi"]),  # the channel has a default
        (("--version", "0.2.0", "--channel", "testpypi"), ["0.2.0@testpypi"]),
        (
            ("--version", "0.2.0", "--version", "0.3.0", "--channel", "all"),
            ["0.2.0@pypi", "0.2.0@testpypi", "0.3.0@pypi", "0.3.0@testpypi"],
        ),
        (("--release-version", "0.2.0", "--version", "0.2"), ["0.2.0@pypi", "0.2@pypi"]),
    ],
)
def test_every_version_is_checked_on_every_channel(
    arguments: tuple[str, ...], targets: list[str], clean: World, reports: Path
) -> None:
    ran = run(clean, *arguments, "--no-install", version=None, reports=reports)

    assert ran.code == 0, ran.output
    assert list(ran.outcomes) == [f"orbit-demo=={target}" for target in targets]
    assert ran.output.count("READY TO RELEASE: orbit-demo ") == len(targets)
    asked = {(target.partition("@")[0], channel) for target in targets for channel in of_channel(target)}
    pages = [f"/{channel}/simple/orbit-demo/" for _, channel in asked]
    for target in targets:
        version, _, channel = target.partition("@")
        pages.append(f"/{channel}/pypi/orbit-demo/{version}/json")
    assert [path for _, _, path in asked_index(clean)] == sorted(pages)
    shared = (REPOSITORY, OPEN_PULLS, DRAFTS, LATEST, RUNS, CHECK_RUNS, STATUSES, COMMIT_RUNS, *PARENT, *SETTINGS)
    assert {asked_github(clean).count(request) for request in shared} == {1}, "what targets share is asked once"


def test_the_worst_target_decides(reports: Path) -> None:
    with world_of("partial") as world:
        ran = run(world, "--version", "0.3.0", "--no-install", "--channel", "all", reports=reports)

    assert [(target["key"], target["verdict"], target["exit_code"]) for target in ran.document["targets"]] == [
        ("orbit-demo==0.2.0@pypi", "ACTION NEEDED", 1),
        ("orbit-demo==0.2.0@testpypi", "RELEASED AND VERIFIED", 0),
        ("orbit-demo==0.3.0@pypi", "READY TO RELEASE", 0),  # not what is there of the other version
        ("orbit-demo==0.3.0@testpypi", "READY TO RELEASE", 0),
    ]
    assert (ran.code, ran.verdict) == (1, "ACTION NEEDED")


# ---- what is asked, and how often


@BOTH
def test_requests_of_the_pre_release_phase(workers: tuple[str, ...], clean: World, reports: Path) -> None:
    ran = run(clean, *workers, reports=reports)

    assert (ran.code, ran.verdict) == (0, "READY TO RELEASE"), ran.output
    assert (ran.only["VERSION-1"], ran.only["VERSION-2"], ran.only["TESTPYPI-1"]) == ("holds",) * 3
    assert asked_github(clean) == GITHUB
    assert asked_index(clean) == [INDEX_JSON, INDEX, REHEARSAL]
    assert asked_status(clean) == STATUS


@BOTH
def test_requests_of_the_post_recovery_phase(workers: tuple[str, ...], released: World, reports: Path) -> None:
    ran = run(released, *workers, reports=reports)

    assert (ran.code, ran.verdict) == (0, "RELEASED AND VERIFIED"), ran.output
    assert asked_github(released) == GITHUB_AFTERWARDS
    assert asked_index(released) == sorted([INDEX, INDEX_JSON, CONTENTS, SDIST, *PIP])
    assert asked_status(released) == STATUS


GIT = [
    *("version", "rev-parse", "config", "remote"),  # which git, and what and where the clone is: read once
    *("status", "ls-files", "show-ref"),  # its changes, also the hidden ones, and its tags
    *("config", "ls-remote"),  # how the user reaches the remote, and its refs
    *("cat-file", "rev-list", "diff-tree"),  # every object, and how the tagged commit lies to the base branch
]
"""The git programs of a post-recovery gate, by command."""
FORESEEN = "for-each-ref"
"""What the clone last saw of the remote: read only while the remote itself has not answered yet."""


def test_the_git_programs_of_a_post_recovery_gate(released: World, reports: Path, tmp_path: Path) -> None:
    wrapper, git = tmp_path / "git", shutil.which("git")
    command = 'for word; do case "$word" in -*) ;; *.*=*) ;; *) break;; esac; done; echo "$word"'
    wrapper.write_text(f'#!/bin/sh\n({command}) >> "{tmp_path}/started"\nexec {git} "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"

    ran = run(released, "--no-install", env={"PATH": path}, reports=reports)

    assert (ran.code, ran.verdict) == (0, "RELEASED AND VERIFIED"), ran.output
    started = (tmp_path / "started").read_text(encoding="utf-8").split()
    assert sorted(started) in (sorted(GIT), sorted([*GIT, FORESEEN]))


NARROWED = [
    # The phase is taken from what exists, and what a release leaves from earlier ones; without CI and installation.
    (("-k", "BRANCH"), [*OF_PHASE, RUNS], [INDEX_JSON, INDEX], 3),
    (("-k", "BRANCH", "--phase", "pre-release"), [*OF_PHASE, RUNS], [INDEX_JSON, INDEX], 3),
    (("-k", "clean", "--phase", "pre-release"), [], [], 1),  # the working tree: nobody else is asked
]


@pytest.mark.parametrize(("arguments", "github", "index", "checks"), NARROWED)
def test_a_narrowed_run_asks_only_for_what_it_needs(
    arguments: tuple[str, ...],
    github: list[tuple[str, str]],
    index: list[tuple[str, str, str]],
    checks: int,
    clean: World,
    reports: Path,
) -> None:
    ran = run(clean, *arguments, reports=reports)

    assert asked_github(clean) == sorted(github)
    assert asked_index(clean) == index
    assert asked_status(clean) == []
    assert ran.code == 6, ran.output
    assert ran.verdict == f"PARTIAL {checks} of {size_of(Phase.PRE_RELEASE)}"
    assert set(ran.only.values()) == {"holds"}
    assert "snapshot" not in ran.output, "a word of the code, for what no service was asked"


@BOTH
def test_a_node_id_asks_only_for_what_it_needs(workers: tuple[str, ...], clean: World, reports: Path) -> None:
    node = "checks/test_pre_release.py::test_version_is_not_on_the_index"

    ran = run(clean, *workers, first=(node,), reports=reports)

    # The file of one phase fixes the phase.
    assert (asked_github(clean), asked_index(clean)) == ([], [INDEX_JSON, INDEX])
    assert (ran.code, ran.only) == (6, {"INDEX-1": "holds"})


def test_what_a_run_needs_to_ask_git_imports_nothing_that_asks_others() -> None:
    code = "import sys, release_state.run.versions; sys.exit(' '.join({'requests', 'ssl'} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_whole_phase_is_observed_while_pytest_collects(clean: World, reports: Path, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    (tmp_path / "slow_collection.py").write_text(
        "import pathlib, time\n"
        "def pytest_collection(session):\n"
        "    end = time.monotonic() + 20\n"
        f"    while not pathlib.Path({str(asked)!r}).exists():\n"
        "        if time.monotonic() > end:\n"
        "            raise RuntimeError('nothing is asked before collection')\n"
        "        time.sleep(0.01)\n",
        encoding="utf-8",
    )

    def tell(request: Request) -> None:
        asked.touch()

    clean.github.intercept = tell
    try:
        ran = run(clean, "-p", "slow_collection", reports=reports, env={"PYTHONPATH": str(tmp_path)})
    finally:
        clean.github.intercept = None

    assert ran.code == 0, ran.output


MEDDLER = """
import pytest

def pytest_runtest_setup(item):
    if item.name.startswith("test_no_tag_of_this_version_on"):
        pytest.skip("not today")
    if item.name.startswith("test_no_github_release"):
        item.obj = lambda: None

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    try:
        return (yield)
    except Exception:
        return True

class Late:
    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem):
        return True if "no_orphaned_release_branch" in pyfuncitem.name else None

def pytest_sessionstart(session):
    session.config.pluginmanager.register(Late())
"""


def test_another_plugin_makes_no_check_hold(released: World, reports: Path, tmp_path: Path) -> None:
    (tmp_path / "meddler.py").write_text(MEDDLER, encoding="utf-8")

    ran = run(released, "-p", "meddler", "--phase", "pre-release", reports=reports, env={"PYTHONPATH": str(tmp_path)})

    assert (ran.code, ran.verdict) == (1, "ACTION NEEDED"), ran.output
    assert ran.only["INDEX-1"] == "action needed", "its exception was swallowed"
    assert ran.only["RELEASE-1"] == "action needed", "another function was put in its place"
    assert ran.only["TAG-1"] == "unknown", "it was skipped"
    assert ran.only["BRANCH-2"] == "unknown", "it was not called"
    assert len(ran.only) == size_of(Phase.PRE_RELEASE)


# ---- less than a phase


@pytest.mark.parametrize(
    "arguments",
    [
        ("--collect-only",),
        ("--setup-plan",),
        ("-k", "nothing_is_called_this"),
        ("-m", "rollback and not rollback"),
    ],
)
def test_no_check_was_run(arguments: tuple[str, ...], clean: World, reports: Path) -> None:
    ran = run(clean, *arguments, reports=reports)

    assert ran.code == 5, ran.output
    assert "READY" not in ran.output
    assert latest_of(reports) is None


def test_the_latest_report_is_that_of_the_last_whole_run(clean: World, released: World, reports: Path) -> None:
    whole = run(clean, reports=reports)
    partial = run(clean, "-k", "BRANCH", reports=reports)
    still = latest_of(reports)
    # A finding decides the verdict of a narrowed run; it stays a narrowed one.
    found = run(released, "-k", "no_tag_of_this_version_on", "--phase", "pre-release", reports=reports)
    after_finding = latest_of(reports)
    action = run(released, "--phase", "pre-release", reports=reports)

    assert (whole.code, partial.code, found.code, action.code) == (0, 6, 1, 1)
    assert still == whole.document
    assert found.only == {"TAG-1": "action needed"}
    assert after_finding == whole.document
    assert latest_of(reports) == action.document
    assert (reports / "latest.html").read_bytes() == (reports / action.page).read_bytes()


def test_a_run_without_its_advice_is_partial_and_green(clean: World, reports: Path) -> None:
    every = [check for check in catalogue(ROOT / "checks") if Phase.PRE_RELEASE in check.phases]
    advice = [check for check in every if not check.decides_in(Phase.PRE_RELEASE)]
    left_out = [f"--deselect=checks/{check.file}::{check.function}" for check in advice]

    ran = run(clean, *left_out, reports=reports)

    total = size_of(Phase.PRE_RELEASE)
    assert advice
    assert (ran.code, ran.verdict) == (0, f"PARTIAL {total - len(advice)} of {total}"), ran.output
    assert latest_of(reports) is None


@pytest.mark.parametrize(
    ("arguments", "first"),
    [((), ("checks/test_pre_release.py",)), (("-k", "not WORKFLOW"), ("checks/",))],
    ids=["file", "keyword"],
)
def test_a_run_without_advice_that_may_block_is_not_green(
    arguments: tuple[str, ...], first: tuple[str, ...], reports: Path
) -> None:
    with world_of("clean") as world:
        number = item.id if (item := world.github.find_workflow("release.yml")) else world.github.add_workflow()
        world.github.workflows[number].state = "disabled_inactivity"
        whole = run(world, "--no-install", reports=reports / "whole")
        part = run(world, "--no-install", *arguments, first=first, reports=reports / "part")

    assert (whole.code, whole.only["WORKFLOW-7"]) == (1, "action needed"), whole.output
    assert part.code == 6 and str(part.verdict).startswith("PARTIAL"), part.output


# tests/run/test_pre_publish.py has the one that takes a run of GitHub Actions.
@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.PRE_PUBLISH])
def test_one_phase(phase: Phase, clean: World, reports: Path) -> None:
    given = run(clean, "--phase", phase.value, "--no-install", reports=reports)
    marked = run(clean, "-m", phase.marker, "--no-install", reports=reports)

    assert given.document["phase"] == phase.value
    assert len(given.only) == size_of(phase), "the whole of it"
    assert given.outcomes == marked.outcomes
    assert (given.code, given.verdict) == (marked.code, marked.verdict)
    assert (given.code, given.verdict) == {
        Phase.PRE_RELEASE: (0, "READY TO RELEASE"),
        Phase.POST_RECOVERY: (1, "ACTION NEEDED"),
        Phase.ROLLBACK: (0, "ROLLED BACK"),
    }[phase]
    plan = [step["title"] for step in given.document["targets"][0]["plan"]["steps"]]
    told = [word for word in ("Next:", "nothing to do") if word in given.output]
    assert (told, plan[:1]) == {
        Phase.PRE_RELEASE: (["Next:"], []),
        Phase.POST_RECOVERY: ([], ["Start the release again, with the same inputs"]),
        Phase.ROLLBACK: (["nothing to do"], []),
    }[phase]


@BOTH_SLOWLY
def test_the_file_of_a_phase(workers: tuple[str, ...], clean: World, reports: Path) -> None:
    ran = run(clean, *workers, first=("checks/test_rollback.py",), reports=reports)

    assert (ran.code, ran.verdict) == (0, "ROLLED BACK"), ran.output
    assert set(ran.only) >= {check.id for check in catalogue(ROOT / "checks") if check.file == "test_rollback.py"}


def test_x_stops_at_the_first_finding(released: World, reports: Path) -> None:
    ran = run(released, "-x", "--phase", "pre-release", reports=reports)

    assert (ran.code, ran.verdict) == (1, "ACTION NEEDED"), ran.output
    assert list(ran.only.values()).count("action needed") == 1
    assert len(ran.only) < size_of(Phase.PRE_RELEASE)
    assert latest_of(reports) is None


def test_advice_blocks_where_that_is_asked_for(reports: Path) -> None:
    with world_of("clean") as world:
        world.publish("pypi", "1.0.0", world.main())
        plain = run(world, reports=reports)
        strict = run(world, "--block-on-advice", reports=reports)

    assert (plain.code, plain.verdict) == (0, "READY TO RELEASE"), plain.output
    assert (strict.code, strict.verdict) == (1, "ACTION NEEDED"), strict.output
    assert plain.only == strict.only
    assert {check for check, outcome in plain.only.items() if outcome == "action needed"} == {"INDEX-3"}


def test_the_run_that_asks_does_not_wait_for_itself(reports: Path) -> None:
    with world_of("clean") as world:
        now = datetime.now(timezone.utc)  # one that began when the world did would be stuck
        own = world.run_release("pypi", status="in_progress", conclusion=None, started=now)  # type: ignore[arg-type]
        other = run(world, reports=reports)
        asking = run(world, reports=reports, env={"GITHUB_RUN_ID": str(own)})

    assert (other.code, other.verdict) == (8, "IN PROGRESS"), other.output
    assert other.only["RUN-1"] == "in progress"
    assert (asking.code, asking.verdict) == (0, "READY TO RELEASE"), asking.output


# ---- what cannot be observed


def _refuse_github(world: World) -> list[str]:
    world.github.intercept = lambda request: Reply(503, {"Content-Length": "0"})
    return []


def _refuse_index(world: World) -> list[str]:
    world.index.intercept = lambda request: Reply(500)
    return []


def _no_remote(world: World) -> list[str]:
    return ["--remote-url", (world.root / "nowhere.git").as_uri()]


@BOTH_SLOWLY
@pytest.mark.parametrize(
    ("fault", "blind"),
    [
        (_refuse_github, {"RELEASE-1", "PULL-1", "CI-1", "RUN-1"}),
        (_refuse_index, {"INDEX-1", "INDEX-2"}),
        (_no_remote, {"BRANCH-1", "BRANCH-2", "TAG-1"}),
    ],
)
def test_what_fails_is_never_taken_for_absent(
    fault: Any, blind: set[str], workers: tuple[str, ...], clean: World, reports: Path
) -> None:
    more = fault(clean)
    try:
        ran = run(clean, *more, *workers, reports=reports)
    finally:
        clean.github.intercept = clean.index.intercept = None

    assert (ran.code, ran.verdict) == (6, "COULD NOT VERIFY"), ran.output
    assert {ran.only[check] for check in blind} == {"unknown"}
    # What did answer is still judged: one fault does not blind the rest.
    assert {ran.only[check] for check in ("BRANCH-1", "INDEX-1", "RELEASE-1") if check not in blind} <= {
        "holds",
        "unknown",
    }
    assert "holds" in ran.only.values()


def test_what_is_wrong_outranks_what_is_unknown(released: World, reports: Path) -> None:
    _refuse_index(released)
    try:
        ran = run(released, "--phase", "pre-release", reports=reports)
    finally:
        released.index.intercept = None

    assert (ran.code, ran.verdict) == (1, "ACTION NEEDED"), ran.output
    assert (ran.only["INDEX-1"], ran.only["TAG-1"]) == ("unknown", "action needed")


# ---- the reports


def test_the_names_of_the_reports(clean: World, reports: Path) -> None:
    before = int(time.time())
    ran = run(clean, "--channel", "all", "--version", "0.3.0", reports=reports)

    assert ran.json is not None
    found = re.fullmatch(r"orbit-demo-0\.2\.0-and-1-more-pypi\+testpypi-(\d{8}T\d{6}Z)\.json", ran.json.name)
    assert found, ran.json.name
    stamp = time.strptime(found[1], "%Y%m%dT%H%M%SZ")
    assert before <= time.mktime(stamp) - time.timezone <= time.time(), "UTC"
    assert ran.page == ran.json.with_suffix(".html").name
    files = {path.name for path in reports.iterdir()}
    assert files == {ran.json.name, ran.page, "latest.json", "latest.html"}


@pytest.mark.parametrize("scenario", [pytest.param("released", marks=pytest.mark.slow), "branch-exists"])
def test_the_report_is_the_same_for_every_n(scenario: str, tmp_path: Path) -> None:
    with world_of(scenario) as world:
        serial = run(world, "--no-install", reports=tmp_path / "serial")
        parallel = run(world, "--no-install", *PARALLEL, reports=tmp_path / "parallel")

    own = [ran.document.pop("run") for ran in (serial, parallel)]
    # A printed run names the folder of its reports.
    said = [
        json.dumps(ran.document).replace(str(tmp_path / name), "reports")
        for ran, name in zip((serial, parallel), ("serial", "parallel"), strict=True)
    ]
    assert said[0] == said[1]
    assert all(set(run) == {"started_at", "ended_at", "origin", "html", "waited", "targets"} for run in own)
    assert len(json.dumps(serial.document)) > 5_000, "most of it was compared"


def test_runs_at_once_overwrite_nothing(clean: World, reports: Path) -> None:
    command = [sys.executable, "-m", "pytest", "checks/", "--version", "0.2.0", "--reports-dir", str(reports)]
    environment = clean_environment(reports.parent, {"GITHUB_TOKEN": clean.token})
    processes = [
        subprocess.Popen(
            [*command, *options(clean)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(4)
    ]
    outputs = [process.communicate(timeout=90)[0] for process in processes]

    assert [process.returncode for process in processes] == [0] * 4, outputs
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in own_reports(reports)]
    assert len(documents) == 4
    pages = {document["run"]["html"] for document in documents}
    assert len(pages) == 4
    assert all((reports / page).stat().st_size for page in pages)
    assert latest_of(reports) in documents
    assert len(list(reports.iterdir())) == 10, "four of each kind and the two latest ones"


# ---- interrupted


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


def _wait_for(held: threading.Event, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while not held.wait(0.1):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end


def _accept(silent: socket.socket, held: threading.Event, go_on: threading.Event) -> None:
    """Take one connection and say nothing."""
    line, _ = silent.accept()
    with line:
        held.set()
        go_on.wait(120)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("where", "workers", "to_all"),
    [
        ("github", SERIAL, False),
        pytest.param("github", PARALLEL, True, marks=pytest.mark.slow),  # as a terminal does it
        ("github", PARALLEL, False),  # as a runner does it
        ("git", SERIAL, False),
        ("pip", SERIAL, False),
        pytest.param("pip", PARALLEL, True, marks=pytest.mark.slow),
    ],
)
def test_an_interrupt_ends_everything_at_once(
    where: str, workers: tuple[str, ...], to_all: bool, tmp_path: Path, reports: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    held, go_on = threading.Event(), threading.Event()

    def hold(request: Request | Request) -> None:
        if where != "pip" or "pip/" in request.headers.get("user-agent", ""):
            held.set()
            go_on.wait(120)

    def answer_github(request: Request) -> Reply | None:
        hold(request)
        return Reply(0) if go_on.is_set() else None

    def answer_index(request: Request) -> Reply | None:
        hold(request)
        return Reply(drop=True) if go_on.is_set() else None

    with world_of("released") as world, socket.create_server(("127.0.0.1", 0)) as silent:
        more = []
        if where == "github":
            world.github.intercept = answer_github
        elif where == "pip":
            world.index.intercept = answer_index
        else:
            more = ["--remote-url", f"git://127.0.0.1:{silent.getsockname()[1]}/silent"]
            threading.Thread(target=_accept, args=(silent, held, go_on), daemon=True).start()
        limits = ("--lookup-timeout", "120", "--install-timeout", "240")
        command = [sys.executable, "-m", "pytest", "checks/", "--version", "0.2.0", *options(world), *more, *workers]
        process = subprocess.Popen(
            [*command, *limits, "--reports-dir", str(reports)],
            cwd=ROOT,
            env=clean_environment(tmp_path, {"GITHUB_TOKEN": world.token, "TMPDIR": str(scratch)}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            _wait_for(held, process)
            time.sleep(1.5 if workers else 0.2)  # the workers wait for the snapshot by then
            started = time.monotonic()
            (os.killpg if to_all else os.kill)(process.pid, signal.SIGINT)
            output, _ = process.communicate(timeout=60)
            seconds = time.monotonic() - started
            left = _processes_of(scratch)
        finally:
            go_on.set()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()

    assert process.returncode == 2, output
    # A second or two; a machine with other work takes longer, but nothing is waited for up to its limit.
    assert seconds < 30
    assert left == []
    assert not list(scratch.glob("release-state*"))
    assert not list(reports.iterdir()), "nothing was observed, so there is no report"
    assert "html report" not in output
    assert "Traceback" not in output and ".py:" not in output, output
    early = ["interrupted before anything was judged"]
    assert output.split("\n")[-4:-1] == ["NO VERDICT", "exit code 2: interrupted", "report: none"] or (
        output.splitlines() == early
    )


def test_nothing_to_check_with(clean: World, reports: Path) -> None:
    """Bad usage is said before anybody is asked."""
    ran = run(clean, "--channel", "nowhere", reports=reports)

    assert ran.code == 4, ran.output
    assert (asked_github(clean), asked_index(clean)) == ([], [])
    assert not reports.exists()
