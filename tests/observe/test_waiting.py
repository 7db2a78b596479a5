"""Waiting with `--wait`: what is waited for, how long, what is asked again, and how it ends."""

from __future__ import annotations

import dataclasses
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from release_state.common.errors import UsageProblem
from release_state.common.strict import FRESH_SECONDS
from release_state.demo.loopback import Request
from release_state.model.observation import Observation, Problem, known, unavailable
from release_state.model.outcome import Exit, Phase
from release_state.model.process import Process
from release_state.model.snapshot import Snapshot
from release_state.observe.call import Key
from release_state.observe.collect import collect
from release_state.observe.git.reader import find_repository
from release_state.observe.recorded import save
from release_state.observe.waiting import Waiting, find_moved, find_pending, make_pauses
from release_state.settings.config import Arguments, RunConfig, load
from release_state.verdict.check import select_phase
from tests.standins.services import Reply
from tests.standins.world import World
from tests.support import states as s
from tests.support.cli import ROOT, clean_environment, suite
from tests.support.judged import CHECKS, verdict_of
from tests.support.worlds import asked_github, asked_index, forget_requests, options, run, world_of

WHEEL = "orbit-0.2.0-py3-none-any.whl"


def deciding(phase: Phase) -> frozenset[str]:
    """The look-ups that a phase's blocking checks read."""
    checks = select_phase(tuple(CHECKS.values()), phase)
    return frozenset(name for check in checks if check.blocking for name in check.reads)


def silent(source: str = "GitHub", retry_at: datetime | None = None, *, temporary: bool = True) -> Observation[Any]:
    """A look-up that failed."""
    problem = Problem(source=source, why="answered 503", retry_at=retry_at, is_temporary=temporary)
    return Observation(value=None, unavailable=problem)


def keys(snapshot: Snapshot) -> list[Key]:
    """What of a snapshot would be asked again."""
    return [one.key for one in find_pending(snapshot, deciding(Phase(snapshot.phase)))]


# --- what is pending

LAGS = {"index": {"pypi": s.project(catching_up=(WHEEL,))}}


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (s.released(), []),
        (s.ready(), []),
        (s.released(release=known(None)), []),  # nobody makes it: a person has to
        (s.ready(runs=s.runs(s.run("in_progress"))), [("runs",)]),
        (s.released(runs=s.runs(s.run("queued"))), [("runs",)]),
        (s.ready(ci=s.ci("success", "pending")), [("ci",)]),
        (s.ready(ci=s.ci("failure", "pending")), []),  # red already
        (s.released(ci=s.ci("pending")), []),  # not judged after a release
        (s.released(**LAGS), [("index", "pypi", "0.2.0")]),
        (s.released(release=silent()), [("release", "v0.2.0")]),
        (s.released(pulls=silent()), [("pulls", "release/pypi-v0.2.0")]),
        (s.released(remote=silent("git remote")), [("remote",)]),
        (s.released(installation=silent("installation")), [("installation", "orbit==0.2.0@pypi")]),
        (s.released(release=silent(temporary=False)), []),
        (s.released(release=unavailable("GitHub", "not permitted (403)", "give a token")), []),
        (s.ready(workflow_files=silent("git history")), [("workflow_files",)]),
        (s.released(earlier_pulls={"release/x": silent()}), [("earlier_pulls", "release/x")]),
        (s.released(earlier_releases={"v0.1.0": silent()}), [("earlier_releases", "v0.1.0")]),
        (s.ready(earlier_pulls={"release/x": silent()}), []),  # the channel's leaves stay in force
        (s.released(target=s.target(process=Process(tag="0.2.0")), release=silent()), [("release", "0.2.0")]),
        (s.ready(services={"GitHub": silent("status page of GitHub")}), []),  # advice decides nothing
        (s.ready(drafts=silent()), []),
        (s.ready(index={"pypi": silent("index pypi")}), [("index", "pypi", "0.2.0")]),
    ],
)
def test_what_is_waited_for(snapshot: Snapshot, expected: list[Key]) -> None:
    assert keys(snapshot) == expected


def test_a_run_that_is_stuck_is_not_waited_for() -> None:
    began = s.NOW - timedelta(days=3)
    old = s.run("in_progress", created_at=began, started_at=began)
    snapshot = s.ready(runs=s.runs(old))
    assert keys(snapshot) == ([] if verdict_of(snapshot).exit is Exit.ACTION_NEEDED else [("runs",)])


def test_advice_that_decides_is_waited_for() -> None:
    everything = frozenset(name for check in CHECKS.values() for name in check.reads)
    found = [one.key for one in find_pending(s.ready(services={"GitHub": silent("status page")}), everything)]
    assert found == [("services",)]


def test_everything_that_is_pending_by_a_check_is_waited_for() -> None:
    """A run that ends IN PROGRESS has something to wait for; written states and what the checks say of them."""
    for snapshot in (s.ready(runs=s.runs(s.run("waiting"))), s.ready(ci=s.ci("pending")), s.released(**LAGS)):
        assert verdict_of(snapshot).exit is Exit.IN_PROGRESS
        assert keys(snapshot)


# --- when


def test_the_pauses_grow_to_a_minute() -> None:
    assert list(itertools.islice(make_pauses(), 8)) == [2, 4, 8, 16, 32, 60, 60, 60]


class Clock:
    """Snapshots in a row, as looks find them, and what was asked for each."""

    def __init__(self, *rounds: Snapshot) -> None:
        self.rounds = list(rounds)
        self.asked: list[set[Key]] = []
        self.told: list[str] = []

    def again(self, wanted: Collection[Key]) -> list[Snapshot]:
        self.asked.append(set(wanted))
        return [self.rounds.pop(0) if len(self.rounds) > 1 else self.rounds[0]]

    def waiting(self, seconds: float = 60, steps: Sequence[float] = (0.01,)) -> Waiting:
        waiting = Waiting(seconds, deciding, self.told.append)
        waiting.pauses = lambda: itertools.chain(steps, itertools.repeat(steps[-1]))
        return waiting


def test_it_ends_when_nothing_is_pending() -> None:
    clock = Clock(s.released(**LAGS), s.released())
    waiting = clock.waiting()
    [last] = waiting.wait_until_settled([s.released(**LAGS)], clock.again, threading.Event())
    assert last == s.released()
    assert clock.asked == [{("index", "pypi", "0.2.0")}] * 2
    assert clock.told == [f"waiting for the index to list {WHEEL} (60 s at the most)"], "once, not at each look"
    assert waiting.waited and (waiting.waited.looks, waiting.waited.still) == (2, ())
    assert waiting.waited.words.endswith("looked again 2 times; nothing is pending any more")


def test_nothing_to_wait_for_is_no_waiting() -> None:
    clock = Clock(s.released())
    waiting = clock.waiting()
    assert waiting.wait_until_settled([s.released()], clock.again, threading.Event()) == [s.released()]
    assert (clock.asked, clock.told, waiting.waited) == ([], [], None)


def test_it_ends_when_the_time_is_up_with_a_last_look() -> None:
    clock = Clock(s.released(**LAGS))
    waiting = clock.waiting(seconds=0.3, steps=(0.1, 10.0))
    started = time.monotonic()
    waiting.wait_until_settled([s.released(**LAGS)], clock.again, threading.Event())
    assert time.monotonic() - started >= 0.3, "the last pause is cut to the time that is left"
    assert len(clock.asked) == 2
    assert waiting.waited and waiting.waited.still == (f"the index to list {WHEEL}",)
    assert "still pending: the index to list" in waiting.waited.words


def test_an_interrupt_ends_it_at_once() -> None:
    clock, cancel = Clock(s.released(**LAGS)), threading.Event()
    waiting = clock.waiting(seconds=3600, steps=(3600.0,))
    threading.Timer(0.1, cancel.set).start()
    waiting.wait_until_settled([s.released(**LAGS)], clock.again, cancel)
    assert clock.asked == []


def test_the_time_that_a_service_names_is_respected() -> None:
    soon = datetime.now(timezone.utc) + timedelta(seconds=0.5)
    first = s.released(release=silent(retry_at=soon), **LAGS)
    clock = Clock(first, first, s.released())
    waiting = clock.waiting(steps=(0.2,))
    waiting.wait_until_settled([first], clock.again, threading.Event())
    assert clock.asked[0] == {("index", "pypi", "0.2.0")}, "the other one is not asked before its time"
    assert {("release", "v0.2.0"), ("index", "pypi", "0.2.0")} in clock.asked


def test_what_a_service_puts_off_until_later_than_that_is_not_waited_for() -> None:
    late = datetime.now(timezone.utc) + timedelta(hours=1)
    clock = Clock(s.released(release=silent(retry_at=late)))
    waiting = clock.waiting()
    waiting.wait_until_settled([clock.rounds[0]], clock.again, threading.Event())
    assert clock.asked == [] and waiting.waited and waiting.waited.still == ("an answer of GitHub",)


def test_after_a_release_run_everything_that_it_makes_is_looked_at() -> None:
    working = s.released(runs=s.runs(s.run("in_progress")), release=unavailable("GitHub", "404"))
    clock = Clock(working, s.released(), s.released())
    clock.waiting().wait_until_settled([working], clock.again, threading.Event())
    assert clock.asked[:2] == [{("runs",)}, {("runs",)}], "while it works, it alone"
    assert {("remote",), ("index",), ("release",), ("pulls",)} <= clock.asked[2]
    assert len(clock.asked) == 3


def test_what_grew_old_in_the_waiting_is_looked_at_again() -> None:
    clock = Clock(s.released(), s.released(**LAGS), s.released())
    waiting = clock.waiting()
    waiting.fresh = 0.05
    waiting.pauses = lambda: itertools.repeat(0.06)
    waiting.wait_until_settled([s.released(**LAGS)], clock.again, threading.Event())
    assert {("remote",), ("runs",), ("ci",), ("clone",)} <= clock.asked[1]
    assert clock.asked[2] == {("index", "pypi", "0.2.0")}, "which may show something else to wait for"
    assert {("remote",), ("ci",)} <= clock.asked[3]
    assert len(clock.asked) == 4


def moving(number: int) -> Snapshot:
    """A state that is another one at each look."""
    return s.released(runs=s.runs(s.run(number=number, id=number)))


@pytest.mark.parametrize(
    ("rounds", "looks", "expected"),
    [
        ([moving(1)], 1, ()),
        ([moving(2), moving(2)], 2, ()),
        ([moving(2), moving(3)], 2, ("runs",)),
        ([s.released(runs=silent())], 2, ()),  # and a third look finds the same: it is unknown
    ],
    ids=["the same", "moved once", "keeps moving", "does not answer any more"],
)
def test_what_took_long_is_looked_at_again_without_waiting_too(
    rounds: list[Snapshot], looks: int, expected: tuple[str, ...]
) -> None:
    clock = Clock(*rounds)
    waiting = dataclasses.replace(clock.waiting(seconds=0), fresh=0)
    [last] = waiting.wait_until_settled([moving(1)], clock.again, threading.Event())
    assert len(clock.asked) == looks and all({("remote",), ("index",), ("ci",)} <= asked for asked in clock.asked)
    assert last.moved == expected
    assert waiting.waited is None
    if expected:
        verdict = verdict_of(last)
        assert (verdict.exit, verdict.verdict.value) == (Exit.IN_PROGRESS, "IN PROGRESS")
        assert "changed during this run: GitHub; run again" in verdict.phase_reason


def test_the_release_of_another_spelling_moves() -> None:
    before = s.released(other_releases={"0.2.0": known(None)})
    after = s.released(other_releases={"0.2.0": known(s.release("0.2.0"))})
    assert (find_moved(before, before), find_moved(before, after)) == ((), ("other_releases",))


def test_what_moved_makes_nothing_better() -> None:
    red = s.released(release=known(None))
    assert verdict_of(red).exit is verdict_of(structs.replace(red, moved=("runs",))).exit is Exit.ACTION_NEEDED


# --- what is asked again


@pytest.fixture(scope="module")
def shared_world() -> Iterator[World]:
    """Released and verified; every test puts it back."""
    with world_of("released") as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """The shared world, with no request counted yet."""
    forget_requests(shared_world)
    yield shared_world
    shared_world.github.intercept = None
    shared_world.index.intercept = None
    shared_world.index.lag("pypi", "0.2.0", lags=False)


def config_of(world: World, folder: Path, clone: Path | None = None, **settings: str) -> RunConfig:
    """What sends a run to the world."""
    arguments = Arguments(
        versions=("0.2.0",), repo=str(clone or world.clone), github_api_url=world.github.url, install=False,
        settings={
            "package": world.package, "repository": world.repository, "remote-url": world.remote_url, **settings,
        },
        index_urls=tuple(f"{channel}={world.index_url(channel)}" for channel in ("pypi", "testpypi")),
    )  # fmt: skip
    return load(arguments, {"RELEASE_STATE_LOOKUP_TIMEOUT": "20"}, folder, find_repository)


def looked_at(
    world: World, folder: Path, at_the_first_look: Callable[[], None], seconds: float = 30, fresh: float = FRESH_SECONDS
) -> tuple[Snapshot, list[Any]]:
    """Observe with a waiting whose first words bring the change about; and what was asked since then."""
    config = config_of(world, folder)

    def tell(words: str) -> None:
        forget_requests(world)
        at_the_first_look()

    waiting = Waiting(seconds, deciding, tell, fresh=fresh)
    waiting.pauses = lambda: itertools.repeat(0.05)
    [snapshot] = collect(
        config,
        None,
        fixed_phase=None,
        token=world.token,
        token_source=None,
        own_run_id=None,
        environ={},
        waiting=waiting,
    )
    assert waiting.waited and not waiting.waited.still
    return snapshot, [*asked_github(world), *asked_index(world)]


def test_an_index_that_catches_up_is_asked_alone(world: World, tmp_path: Path) -> None:
    world.index.lag("pypi", "0.2.0")
    snapshot, asked = looked_at(world, tmp_path, lambda: world.index.lag("pypi", "0.2.0", lags=False))
    assert verdict_of(snapshot).exit is Exit.OK
    index = ("release-state", "GET", "/pypi/simple/orbit-demo/")
    sdist = ("release-state", "GET", "/pypi/files/orbit_demo-0.2.0.tar.gz")
    wheel = ("release-state", "GET", "/pypi/files/orbit_demo-0.2.0-py3-none-any.whl")
    late = ("release-state", "GET", "/pypi/pypi/orbit-demo/0.2.0/json")
    assert asked == sorted([index, late, sdist, wheel]), "and what its files hold, once they are there"


def test_a_question_that_got_no_answer_is_asked_alone(world: World, tmp_path: Path) -> None:
    path = f"/repos/{world.repository}/releases/tags/v0.2.0"

    def refuse(request: Request) -> Reply | None:
        return Reply(503, {"Content-Length": "0"}) if request.path == path else None

    def mend() -> None:
        world.github.intercept = None

    world.github.intercept = refuse
    snapshot, asked = looked_at(world, tmp_path, mend)
    assert verdict_of(snapshot).exit is Exit.OK
    assert asked == [("GET", "{repository}/releases/tags/v0.2.0")]


def test_a_service_that_was_away_is_asked_for_all_that_it_did_not_tell(world: World, tmp_path: Path) -> None:
    def mend() -> None:
        world.github.intercept = None

    world.github.intercept = lambda request: Reply(502, {"Content-Length": "0"})
    snapshot, asked = looked_at(world, tmp_path, mend)
    assert verdict_of(snapshot).exit is Exit.OK
    assert [request[1] for request in asked].count("{repository}") == 1
    assert not [request for request in asked if request[0] != "GET"], "the index is not asked again"


def test_a_run_that_works_is_asked_alone_and_then_what_it_made(tmp_path: Path) -> None:
    with world_of("partial") as world:
        number = world.run_release("pypi", status="in_progress", conclusion=None, started=datetime.now(timezone.utc))  # type: ignore[arg-type]

        def done() -> None:
            with world.github.lock:
                found = world.github.workflow_runs[number]
                found.status, found.conclusion = "completed", "success"
            world.github_release("0.2.0")

        snapshot, asked = looked_at(world, tmp_path, done)
    assert verdict_of(snapshot).exit is Exit.OK
    paths = [request[1] for request in asked if len(request) == 2]
    assert paths.count("{repository}") == 0, "its name is known"
    assert len([path for path in paths if "/workflows/release.yml/runs" in path]) == 1
    assert "{repository}/releases/tags/v0.2.0" in paths
    assert not [path for path in paths if "check-runs" in path], "CI is not of its making"


def test_what_was_pushed_while_it_waited_for_ci_is_seen(tmp_path: Path) -> None:
    with world_of("clean") as world:
        waited_for = world.commit("fix: the last one")
        number = world.ci(waited_for, None, status="in_progress")
        world.sync_clone()

        def done() -> None:
            world.ci(world.commit("feat: another one"), "failure")
            with world.github.lock:
                found = world.github.workflow_runs[number]
                found.status, found.conclusion = "completed", "success"
                for check in world.github.check_runs:
                    if check.sha == waited_for:
                        check.status, check.conclusion = "completed", "success"

        snapshot, _ = looked_at(world, tmp_path, done, fresh=0)
        assert snapshot.ci.present().sha == world.main() != waited_for
    assert verdict_of(snapshot).exit is Exit.ACTION_NEEDED


def test_a_quick_run_looks_once_and_a_slow_one_twice(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look() -> tuple[Snapshot, int]:
        forget_requests(world)
        [snapshot] = collect(
            config_of(world, tmp_path),
            None, fixed_phase=None, token=world.token, token_source=None, own_run_id=None, environ={},
        )  # fmt: skip
        return snapshot, len([path for _, path in asked_github(world) if path.endswith(RELEASE)])

    quick, once = look()
    monkeypatch.setattr("release_state.observe.collect.FRESH_SECONDS", 0)
    slow, twice = look()
    assert (once, twice) == (1, 2)
    assert find_moved(quick, slow) == (), "what did not change is the same at each look"
    deleted_after(world, 1)
    gone, looks = look()
    assert looks == 3, "what moved is observed once more"
    assert (gone.release.is_known, gone.release.value, gone.moved) == (True, None, ())


RELEASE = "/releases/tags/v0.2.0"


def deleted_after(world: World, looks: int) -> None:
    """The GitHub Release is gone when it was looked at so often."""
    seen = []

    def intercept(request: Request) -> Reply | None:
        seen.append(request.path.endswith(RELEASE))
        if not seen[-1] or sum(seen) <= looks:
            return None
        return Reply(404, {"Content-Type": "application/json"}, b'{"message": "Not Found"}')

    world.github.intercept = intercept


LATE = "import release_state.run.session; release_state.run.session.FRESH_SECONDS = 0"


def test_what_did_not_move_before_the_verdict_is_green(tmp_path: Path) -> None:
    """Before a release, too: the page of TestPyPI is looked at again with the others."""
    (tmp_path / "late.py").write_text(LATE, encoding="utf-8")
    with world_of("clean") as world:
        ran = run(world, "-p", "late", reports=tmp_path / "reports", env={"PYTHONPATH": str(tmp_path)})
    assert (ran.code, ran.verdict) == (0, "READY TO RELEASE"), ran.output


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["serial", "n1"])
def test_what_moved_before_the_verdict_is_no_green_run(world: World, workers: tuple[str, ...], tmp_path: Path) -> None:
    """The run was suspended when it had looked, or its checks took long."""
    (tmp_path / "late.py").write_text(LATE, encoding="utf-8")
    options = ("-p", "late", "--no-install", *workers)
    path = {"PYTHONPATH": str(tmp_path)}
    ran = run(world, *options, reports=tmp_path / "reports", env=path)
    assert (ran.code, ran.verdict) == (0, "RELEASED AND VERIFIED"), ran.output
    deleted_after(world, 1)
    ran = run(world, *options, reports=tmp_path / "reports", env=path)
    assert (ran.code, ran.verdict) == (8, "IN PROGRESS"), ran.output
    assert "changed during this run: GitHub; run again" in ran.output
    assert "changed during this run: GitHub" in ran.document["targets"][0]["phase_reason"]
    page = (tmp_path / "reports" / ran.page).read_text(encoding="utf-8")
    assert '<title id="head-title">IN PROGRESS: ' in page


# --- a run


SLOW_COLLECTION = """
import pathlib, time, pytest

@pytest.hookimpl(tryfirst=True)
def pytest_make_collect_report(collector):
    if collector.nodeid.endswith("test_ci.py"):
        pathlib.Path({mark!r}).touch()
        time.sleep(3)  # what is printed meanwhile is captured
"""


def test_a_run_waits_and_then_judges(tmp_path: Path) -> None:
    mark = tmp_path / "collecting"
    (tmp_path / "slow_collection.py").write_text(SLOW_COLLECTION.format(mark=str(mark)), encoding="utf-8")
    with world_of("released") as world:
        world.index.lag("pypi", "0.2.0")
        seen: list[str] = []

        def catch_up(request: Request) -> None:
            seen.append(request.path)
            until = time.monotonic() + 20
            while len(seen) == 1 and not mark.exists() and time.monotonic() < until:
                time.sleep(0.02)  # the first look ends while files are collected
            if seen.count("/pypi/simple/orbit-demo/") == 2:  # the second look still finds it lagging
                threading.Timer(0.5, world.index.lag, ("pypi", "0.2.0"), {"lags": False}).start()

        world.index.intercept = catch_up
        slowly, path = ("-p", "slow_collection"), {"PYTHONPATH": str(tmp_path), "PYTHONUNBUFFERED": "1"}
        ran = run(world, *slowly, "--wait", "120", "--no-install", reports=tmp_path / "reports", env=path)
    assert (ran.code, ran.verdict) == (0, "RELEASED AND VERIFIED"), ran.output
    lines = [line for line in ran.output.splitlines() if line.startswith("waiting for ")]
    assert len(lines) == 1 and lines[0].endswith("(120 s at the most)")
    assert "nothing is pending any more" in ran.output
    waited = ran.document["run"]["waited"]
    assert waited["looks"] >= 2 and waited["still"] == []


def test_without_waiting_it_is_in_progress(tmp_path: Path) -> None:
    with world_of("released") as world:
        world.index.lag("pypi", "0.2.0")
        ran = run(world, "--no-install", reports=tmp_path / "reports")
    assert (ran.code, ran.verdict, ran.only["INDEX-11"]) == (8, "IN PROGRESS", "in progress"), ran.output
    assert ran.document["run"]["waited"] is None


@pytest.mark.parametrize("workers", [(), pytest.param(("-n", "2"), marks=pytest.mark.slow)], ids=["serial", "n2"])
def test_an_interrupt_while_waiting_ends_with_2(workers: tuple[str, ...], tmp_path: Path) -> None:
    with world_of("released") as world:
        world.index.lag("pypi", "0.2.0")
        command = [sys.executable, "-u", "-m", "pytest", "checks/", "--version", "0.2.0", *options(world), *workers]
        process = subprocess.Popen(
            [*command, "--wait", "3600", "--reports-dir", str(tmp_path / "reports")],
            cwd=ROOT, env=clean_environment(tmp_path, {"GITHUB_TOKEN": world.token}), start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            assert process.stdout
            output = ""
            for line in process.stdout:
                output += line
                if line.startswith("waiting for "):
                    break
            started = time.monotonic()
            os.kill(process.pid, signal.SIGINT)
            output += process.communicate(timeout=60)[0]
            seconds = time.monotonic() - started
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
    assert process.returncode == 2, output
    assert seconds < 30
    assert "Traceback" not in output
    assert not list((tmp_path / "reports").iterdir()), "nothing was judged, so there is no report"


@pytest.mark.parametrize("given", ["soon", "-1", "nan", "1e9", ""])
def test_a_time_that_is_none_is_refused(given: str, tmp_path: Path) -> None:
    arguments = Arguments(versions=("1",), settings={"package": "a", "repository": "a/b"}, wait=given)
    with pytest.raises(UsageProblem, match="is not a number of seconds"):
        load(arguments, {}, tmp_path, find_repository)
    assert load(structs.replace(arguments, wait="0"), {}, tmp_path, find_repository).wait == 0


def test_a_recorded_snapshot_is_not_waited_for(tmp_path: Path) -> None:
    save(tmp_path / "s.json", [s.released()])
    done = suite("--snapshot", str(tmp_path / "s.json"), "--wait", "5", reports_dir=tmp_path)
    assert done.returncode == 4 and "--snapshot and --wait exclude each other" in done.stderr
