"""The look-ups of a run share their time, and what it asks is bounded."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from release_state.model.observation import Observation, known
from release_state.model.snapshot import LOOKUPS, Snapshot
from release_state.observe import sources
from release_state.observe.collect import collect
from release_state.observe.defects import guard
from release_state.observe.http.client import HttpClient
from release_state.observe.http.limits import Stage as StageOfTime
from release_state.observe.http.limits import TimeLeft
from release_state.observe.lookups import name_source
from release_state.settings.config import RunConfig
from tests.proofs.faults.gateway import Exchange, Gateway
from tests.proofs.faults.kinds import FAULTS
from tests.proofs.faults.rows import READY, RowOf, rows_of
from tests.proofs.faults.states import STATES, Stage
from tests.standins.world import World

SECONDS = 8.0


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Gateway, Stage]]:
    with Gateway() as gateway, Stage(STATES[READY]) as stage:
        yield gateway, stage


def observe(config: RunConfig, world: World, wanted: frozenset[str]) -> Snapshot:
    (snapshot,) = collect(
        config, wanted, fixed_phase=None, token=world.token, token_source="x", own_run_id=None, environ={}
    )
    return snapshot


def _late(exchange: Exchange) -> None:
    exchange.stopping.wait(0.4 * SECONDS)
    exchange.send(exchange.true_reply())


@pytest.mark.slow
def test_two_slow_sources_in_a_row_take_the_time_of_one(place: tuple[Gateway, Stage]) -> None:
    gateway, stage = place
    silent = FAULTS["read time-out"].play
    late, never = ("git: refs", "GitHub: repository"), ("GitHub: check runs", "GitHub: pull requests")
    played = {**dict.fromkeys(late, (0, _late)), **dict.fromkeys(never, (0, silent))}
    visit = gateway.visit(stage.services, RowOf(rows_of(READY)), played)
    began = time.monotonic()
    found = observe(stage.config(visit, SECONDS), stage.world, frozenset({"remote", "ci", "pulls", "repository"}))
    seconds = time.monotonic() - began
    assert found.remote.value and found.repository.value
    for unknown, limit in ((found.pulls, "4"), (found.ci, "8")):
        assert unknown.unavailable and unknown.unavailable.why.endswith(f"no complete answer within {limit} s")
        assert "--lookup-timeout" in str(unknown.unavailable.remedy)
    assert seconds < SECONDS + 2.5, "each has a time of its own again: 3 s later"


def test_what_is_asked_too_late_is_not_asked_and_says_so() -> None:
    asked: list[Observation[int]] = []

    def ask() -> Observation[int]:
        asked.append(known(7))
        return asked[-1]

    late = guard("ci", ask, TimeLeft(0), StageOfTime.FIRST, None)()
    assert late.unavailable and late.unavailable.is_temporary and not asked
    assert late.unavailable.why == "not asked: its prerequisites took the 0 s that they share"
    assert guard("ci", ask, TimeLeft(60), StageOfTime.FIRST, None)().present() == 7


def test_every_look_up_has_its_source_in_words() -> None:
    """A person reads it; a new look-up that does not ask GitHub needs words of its own."""
    settings = {
        "actions_settings",
        "environments",
        "base_rules",
        "base_runs",
        "branch_rules",
        "rulesets",
        "workflow_states",
    }
    releases = {"release", "latest_release", "earlier_releases", "drafts", "pulls", "open_pulls", "earlier_pulls"}
    of_github = {"repository", "ci", "runs", "own_jobs", *settings, *releases}
    assert {name for name in LOOKUPS if name_source(name) == "GitHub"} == of_github
    assert name_source("calculation") == "version calculation" and name_source("clone_tags") == "clone"


def test_a_round_has_the_whole_time_anew() -> None:
    shared = TimeLeft(60)
    client = HttpClient(100, time_left=shared)
    shared._began -= 50
    assert client.deadline() == shared.ends
    with shared.within(StageOfTime.FIRST):
        assert client.deadline() == shared.ends < time.monotonic() and client.limit == 30
    shared.begin()
    assert 59 < shared.left <= 60
    assert HttpClient(5, time_left=shared).deadline() < shared.ends


def test_many_release_branches_cost_no_request_each(
    place: tuple[Gateway, Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, stage = place
    monkeypatch.setattr(sources, "MOST_BRANCHES", 0)
    wanted = frozenset({"remote", "open_pulls"})

    def look() -> tuple[Snapshot, list[str]]:
        visit = gateway.visit(stage.services, RowOf(rows_of(READY)))
        found = observe(stage.config(visit, 30.0), stage.world, wanted)
        return found, [asked.target for asked in visit.asked if "head=" in asked.target]

    listed, asked = look()
    assert listed.branch_pulls and not asked
    monkeypatch.undo()
    one_by_one, asked = look()
    assert asked
    assert {name: found.present() for name, found in listed.branch_pulls.items()} == {
        name: found.present() for name, found in one_by_one.branch_pulls.items()
    }
    assert any(found.present() for found in listed.branch_pulls.values())
