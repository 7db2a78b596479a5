"""What is asked ahead, by the refs that the clone has: it saves waiting, and never decides what is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs, to_builtins

from release_state.demo.github.model import Job
from release_state.model.observation import Observation, known, unavailable
from release_state.model.outcome import Phase
from release_state.model.snapshot import LOOKUPS, OwnRun, Remote, Snapshot
from release_state.observe.call import Call, Key, View
from release_state.observe.collect import _Foreseer, _Observer, _Shared
from release_state.observe.defects import Progress
from release_state.observe.git.clone import observe_clone
from release_state.observe.git.command import Git
from release_state.observe.git.reader import CloneReader
from release_state.observe.git.remote import foresee_refs
from release_state.observe.http.limits import TimeLeft
from release_state.observe.lookups import ROWS, with_needs
from release_state.observe.sources import Sources
from tests.observe.test_waiting import config_of
from tests.standins.world import World
from tests.support import states as s
from tests.support.worlds import asked_github, asked_index, forget_requests, world_of

ALL = with_needs(LOOKUPS)


class _Run:
    """A look at a world whose remote answers when the test says so."""

    def __init__(
        self, world: World, folder: Path, pool: ThreadPoolExecutor, own_run: OwnRun | None, clone: Path | None
    ) -> None:
        settings = {"workflow": own_run.workflow} if own_run else {}
        self.config, self.world = config_of(world, folder, clone, **settings), world
        time = TimeLeft(self.config.lookup_timeout)
        number = own_run.id if own_run else None
        self.sources = Sources(self.config, world.token, number, {}, threading.Event(), None, time, own_run)
        self.shared = _Shared(pool, Progress(), None, time)
        phase = Phase.PRE_PUBLISH if own_run else None
        self.observed = (self.config.targets[0], phase, ALL, self.sources, self.shared)

    def ask_ahead(self) -> None:
        """Ask everything that can be asked before the remote answers."""
        never: Future[Observation[Any]] = Future()
        _Foreseer(*self.observed, never).ask_ahead()

    def observe(self) -> Snapshot:
        return _Observer(*self.observed).observe(None)


@contextmanager
def looking(world: World, folder: Path, own_run: OwnRun | None = None, clone: Path | None = None) -> Iterator[_Run]:
    with ThreadPoolExecutor(16) as pool:
        run = _Run(world, folder, pool, own_run, clone)
        try:
            yield run
        finally:
            run.sources.close()


def facts(snapshot: Snapshot) -> dict[str, Any]:
    """Everything observed, without the moments of the look."""
    left_out = {"observed_at", "clock_ahead", "rate_limit"}
    return {name: value for name, value in to_builtins(snapshot).items() if name not in left_out}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with world_of("released") as world:
        yield world


@pytest.mark.parametrize("scenario", ["clean", "released", "partial", "tag-driven"])
def test_an_up_to_date_clone_foresees_every_question_but_the_last_ones(scenario: str, tmp_path: Path) -> None:
    with world_of(scenario) as world:
        compare(world, tmp_path)


CLONES = {
    "as actions/checkout makes it": ("--depth=1",),
    "without contents": ("--filter=blob:none", "--no-checkout"),
    "without trees": ("--filter=tree:0", "--no-checkout"),
    "without history and contents": ("--depth=1", "--filter=blob:none", "--no-checkout"),
    "of a tag alone": ("--depth=1", "--single-branch", "--branch"),
}


@pytest.mark.parametrize("scenario", ["tag-driven"])
def test_what_a_clone_lacks_changes_nothing_that_is_observed(scenario: str, tmp_path: Path) -> None:
    with world_of(scenario) as world:
        world.remote_git.run("config", "uploadpack.allowFilter", "true")
        tag = world.remote_git.run("for-each-ref", "--format=%(refname:short)", "refs/tags").split()[-1]
        with looking(world, tmp_path) as run:
            whole = facts(run.observe())
        for number, (kind, options) in enumerate(CLONES.items()):
            clone, more = tmp_path / str(number), [tag] if options[-1] == "--branch" else []
            world.clone_git.run("clone", "--quiet", *options, *more, world.remote_url, str(clone))
            for ahead in (False, True):
                with looking(world, tmp_path, clone=clone) as run:
                    if ahead:
                        run.ask_ahead()
                    found = facts(run.observe())
                    for seen in (found, whole):
                        seen["clone"] = None
                        seen["target"].update(clone=None, settings=())
                    assert found == whole, f"{kind}, {'' if ahead else 'not '}asked ahead"


def test_a_branch_that_only_the_clone_takes_for_the_base_decides_nothing(tmp_path: Path) -> None:
    """It has the same head as the base branch, and the clone knows no default branch: after actions/checkout, say."""
    with world_of("tag-driven") as world:
        world.remote_git.run("branch", "dev", "main")
        clone = tmp_path / "clone"
        world.clone_git.run("clone", "--quiet", "--branch", "dev", world.remote_url, str(clone))
        (clone / ".git" / "refs" / "remotes" / "origin" / "HEAD").unlink()
        with looking(world, tmp_path, clone=clone) as run:
            run.ask_ahead()
            assert run.observe().workflow_files.present().branch == "main"


def test_a_clone_whose_history_is_cut_foresees(tmp_path: Path) -> None:
    with world_of("clean") as world:
        clone = tmp_path / "clone"
        world.clone_git.run("clone", "--quiet", "--depth=1", world.remote_url, str(clone))
        with looking(world, tmp_path, clone=clone) as run:
            run.ask_ahead()
            forget_requests(world)
            run.observe()
        later = [path for _, path, *_ in asked_github(world)]
    assert [path for path in later if "/runs" in path or ("check-runs" in path and "{parent}" not in path)] == []


def test_history_that_the_clone_lacks_is_fetched_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with world_of("clean") as world:
        clone = tmp_path / "clone"
        world.clone_git.run("clone", "--quiet", "--depth=1", world.remote_url, str(clone))
        with looking(world, tmp_path, clone=clone) as run:
            run.ask_ahead()
            wait(run.shared._ahead.values())
            fetched = list(tmp_path.glob("cache/**/*.pack"))
            assert len(fetched) == 1
            assert run.observe().history.is_known
            assert list(tmp_path.glob("cache/**/*.pack")) == fetched


def compare(world: World, tmp_path: Path) -> None:
    with looking(world, tmp_path / "plain") as run:
        forget_requests(world)
        plain, asked = facts(run.observe()), [*asked_github(world), *asked_index(world)]
    with looking(world, tmp_path / "ahead") as run:
        forget_requests(world)
        run.ask_ahead()
        ahead = [*asked_github(world), *asked_index(world)]
        forget_requests(world)
        assert facts(run.observe()) == plain
        later = [*asked_github(world), *asked_index(world)]
    assert sorted([*ahead, *later]) == sorted(asked), "nothing is asked twice, and nothing in vain"
    assert all("jobs" in path for _, path, *_ in later), "only the last run's jobs and log follow from other answers"


def test_what_the_clone_says_is_no_fact(tmp_path: Path) -> None:
    """The remote has moved on: a commit was pushed, and the tag is gone, which the clone has not seen."""
    with world_of("released") as world:
        world.delete_tag("0.2.0")
        head = world.commit("A change that the clone has not fetched.")
        with looking(world, tmp_path / "plain") as run:
            plain = facts(run.observe())
        with looking(world, tmp_path / "ahead") as run:
            run.ask_ahead()
            found = run.observe()
    assert facts(found) == plain
    assert found.ci.present().sha == head and found.remote.present().tag("v0.2.0") is None


GATED = b"""
on: {push: {tags: ['*']}}
jobs:
  test: {runs-on: x, steps: [{run: pytest}]}
  gate: {needs: test, runs-on: x, steps: [{run: release-state}]}
  pypi: {needs: gate, runs-on: x, permissions: {id-token: write}, steps: [{uses: pypa/gh-action-pypi-publish@v1}]}
"""


def test_what_a_gate_needs_is_part_of_its_question(tmp_path: Path) -> None:
    """Ahead, nobody may know yet which jobs the gate needs: its own commit is not fetched. One of them failed."""
    with world_of("tag-driven") as world:
        sha, when = world.commit("feat: a gate", {".github/workflows/publish.yml": GATED}), world.tick(4)
        world.remote_git.run("tag", "-f", "0.2.0", sha)
        jobs = [Job("test", status="completed", conclusion="failure"), Job("gate", status="in_progress")]
        number = world.github.add_run(
            "publish.yml", status="in_progress", conclusion=None, event="push", head_branch="0.2.0", head_sha=sha,
            jobs=jobs, created_at=when, updated_at=when, check_runs=True,
        )  # fmt: skip
        own = OwnRun(id=number, ref="refs/tags/0.2.0", sha=sha, workflow="publish.yml", job="gate")
        with looking(world, tmp_path, own) as run:
            run.ask_ahead()
            found = run.observe().ci.present()
    assert [(each.name, each.state, each.is_needed) for each in found.results] == [("test", "failure", True)]


def test_two_workflows_and_two_spellings_are_two_questions(world: World, tmp_path: Path) -> None:
    """What is known of the process when a question is asked is part of it: ahead, less may be known than later."""
    with looking(world, tmp_path) as run:
        snapshot = run.observe()
        for name, other in [
            ("expected_ci", {"workflow": "other.yml"}),
            ("ci", {"workflow": "other.yml"}),
            ("base_runs", {"workflow": "other.yml"}),
            ("runs", {"workflow": "other.yml"}),
            ("last_run", {"workflow": "other.yml"}),
            ("calculation", {"tag_template": "build-{version}"}),
            ("drafts", {"tag_template": "build-{version}"}),
            ("published", {"tag_template": "build-{version}"}),
        ]:
            keys = set[Key]()
            snapshots = (snapshot, structs.replace(snapshot, target=structs.replace(snapshot.target, **other)))
            for seen in snapshots:
                call = ROWS[name].ask(run.sources, View(seen, Phase.PRE_RELEASE, ALL))
                assert isinstance(call, Call), name
                keys.add((*ROWS[name].beginning(seen.target), *call.inputs))
            assert len(keys) == 2, name
    repeated = [s.run(updated_at=s.NOW + timedelta(hours=hours)) for hours in (0, 1)]
    asked = [s.ready(runs=s.runs(run), repository=s.repository()) for run in repeated]
    calls = [ROWS["last_run"].ask(run.sources, View(seen, Phase.PRE_RELEASE, ALL)) for seen in asked]
    first, second = (call.inputs for call in calls if isinstance(call, Call))
    assert first != second, "a run that is repeated keeps its number"


def test_a_failure_ahead_counts_for_nothing(tmp_path: Path) -> None:
    row = ROWS["workflow_files"]
    answers: Iterator[Observation[Any]] = iter([unavailable("git", "not there yet"), known(None)])
    with ThreadPoolExecutor(2) as pool:
        shared = _Shared(pool, Progress(), None, TimeLeft(10))
        assert shared.ask_ahead(row, ("key",), lambda: next(answers)).result().unavailable
        assert shared.ask(row, ("key",), lambda: next(answers)).result() == known(None)
        part_failed: Observation[Any] = known({"a": unavailable("GitHub", "no answer")})
        shared.ask_ahead(row, ("parts",), lambda: part_failed)
        assert shared.ask(row, ("parts",), lambda: known({"a": known(1)})).result() == known({"a": known(1)})


def test_a_defect_ahead_is_no_defect_of_the_run() -> None:
    def break_down() -> Observation[Any]:
        raise LookupError("a defect")

    with ThreadPoolExecutor(2) as pool:
        shared = _Shared(pool, Progress(), None, TimeLeft(10))
        assert shared.ask_ahead(ROWS["ci"], ("key",), break_down).result().unavailable
        assert shared.ask(ROWS["ci"], ("key",), lambda: known(1)).result() == known(1)
        shared.ask_ahead(ROWS["ci"], ("other",), break_down)
        with pytest.raises(LookupError):
            shared.ask(ROWS["ci"], ("other",), break_down).result()


def test_what_was_asked_ahead_is_not_kept_for_another_look() -> None:
    with ThreadPoolExecutor(2) as pool:
        shared = _Shared(pool, Progress(), None, TimeLeft(10))
        shared.ask_ahead(ROWS["ci"], ("ci", "old"), lambda: known("old"))
        shared.forget([("pulls",)])
        assert shared.ask(ROWS["ci"], ("ci", "old"), lambda: known("new")).result() == known("new")


def foreseen(world: World, url: str = "") -> Remote | None:
    clone = observe_clone(world.clone, "origin", 20, None).present()
    return foresee_refs(CloneReader(world.clone, Git(20)), clone, "origin", url or world.remote_url)


def test_the_clone_says_what_it_last_saw(world: World) -> None:
    found = foreseen(world)
    assert found and found.default_branch == "main" and found.branch("main") and found.tag("v0.2.0")
    assert not found.branch("HEAD"), "it is no branch"


def test_a_clone_of_something_else_foresees_nothing(world: World) -> None:
    assert foreseen(world, "https://git.example/other.git") is None


def test_a_look_begins_when_nothing_is_asked_ahead_any_more() -> None:
    """Stores and shared answers of a look must not be forgotten under a look-up that still uses them."""
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> Observation[Any]:
        begun.set()
        assert go_on.wait(20)
        return known(1)

    with ThreadPoolExecutor(2) as pool:
        shared = _Shared(pool, Progress(), None, TimeLeft(20))
        asked = shared.ask_ahead(ROWS["ci"], ("ci",), slow)
        assert begun.wait(20)
        forgetting = pool.submit(shared.forget, [("pulls",)])
        assert wait([forgetting], timeout=0.3).not_done, "it waits"
        go_on.set()
        forgetting.result(20)
        assert asked.done()
