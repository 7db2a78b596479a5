"""Times of GitHub's are compared with GitHub's clock: this machine's may be hours off."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest

from release_state.demo.scenarios import SCENARIOS
from release_state.model.outcome import Verdict
from release_state.model.snapshot import Snapshot
from release_state.observe.collect import collect
from release_state.observe.git.reader import find_repository
from release_state.observe.http.limits import SharedLimit
from release_state.observe.http.response import measure_clock_ahead
from release_state.settings.config import Arguments, load
from tests.standins.world import World
from tests.support import states as s
from tests.support.built import built
from tests.support.judged import verdict_of
from tests.support.losses import commands

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def running(world: World, folder: Path, minutes: float) -> Snapshot:
    """What is observed of a release run that began so many minutes ago by GitHub's clock."""
    theirs = datetime.now(timezone.utc) + timedelta(seconds=world.github.clock_ahead)
    world.run_release("pypi", status="in_progress", started=theirs - timedelta(minutes=minutes))
    arguments = Arguments(
        versions=("0.2.0",),
        repo=str(world.clone),
        settings={"remote-url": world.remote_url, "package": world.package, "repository": world.repository},
        index_urls=tuple(f"{name}={world.index_url(name)}" for name in ("pypi", "testpypi")),
        github_api_url=world.github.url,
        install=False,
    )
    (found,) = collect(
        load(arguments, {}, folder, find_repository),
        None,
        fixed_phase=None,
        token=world.token,
        token_source="GITHUB_TOKEN",
        own_run_id=None,
        environ={},
    )
    return found


@pytest.mark.parametrize("hours", [-2, 0, 2])
@pytest.mark.parametrize(("minutes", "is_stuck"), [(5, False), (100, True)])
def test_a_run_is_stuck_by_githubs_clock_alone(hours: int, minutes: int, is_stuck: bool, tmp_path: Path) -> None:
    with built("clean", SCENARIOS["clean"].build, today=True) as world:
        world.github.clock_ahead = hours * 3600
        found = running(world, tmp_path, minutes)
    verdict = verdict_of(found)
    assert verdict.verdict is (Verdict.ACTION_NEEDED if is_stuck else Verdict.IN_PROGRESS)
    assert any("cancel" in line for line in commands(verdict.plan.steps)) is is_stuck
    assert found.clock_ahead == pytest.approx(-hours * 3600, abs=30)
    assert abs(found.observed_at - datetime.now(timezone.utc) - timedelta(hours=hours)) < timedelta(minutes=2)


def test_no_run_is_stuck_where_github_told_no_time() -> None:
    began = s.NOW - timedelta(hours=9)
    run = s.run("in_progress", created_at=began, started_at=began)
    assert verdict_of(s.ready(runs=s.runs(run))).verdict is Verdict.ACTION_NEEDED
    silent = verdict_of(s.ready(runs=s.runs(run), clock_ahead=None))
    assert silent.verdict is Verdict.IN_PROGRESS
    assert not any("cancel" in line for line in commands(silent.plan.steps))


@pytest.mark.parametrize(
    ("headers", "ahead"),
    [
        ({"Date": format_datetime(NOW, usegmt=True)}, 0.0),
        ({"date": format_datetime(NOW - timedelta(hours=2), usegmt=True)}, 7200.0),
        ({"Date": format_datetime(NOW - timedelta(minutes=5), usegmt=True), "Age": "300"}, 0.0),
        ({"Date": "yesterday"}, None),
        ({}, None),
    ],
)
def test_how_far_this_machines_clock_is_ahead(headers: dict[str, str], ahead: float | None) -> None:
    assert measure_clock_ahead(headers, NOW) == ahead


@pytest.mark.parametrize("hours", [-2, 0, 2])
def test_a_limit_is_waited_for_by_this_machines_clock(hours: int, tmp_path: Path) -> None:
    theirs = datetime.now(timezone.utc) + timedelta(hours=hours)
    reset = str(int((theirs + timedelta(minutes=10)).timestamp()))
    limit = SharedLimit(tmp_path)
    limit.note_response(
        403,
        {"Date": format_datetime(theirs, usegmt=True), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset},
    )
    until = limit.until()
    assert until is not None
    assert abs(until - datetime.now(timezone.utc) - timedelta(minutes=10)) < timedelta(minutes=1)
