"""The demo's GitHub: in every scenario, what a run asks of it is a GET, and each answer is as GitHub publishes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from release_state.demo.scenarios import SCENARIOS
from release_state.observe.collect import collect
from release_state.observe.git.reader import find_repository
from release_state.settings.config import Arguments, load
from tests.standins.world import World
from tests.support import openapi
from tests.support.judged import verdict_of


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_answer_of_every_scenario_is_valid(name: str, tmp_path: Path) -> None:
    scenario = SCENARIOS[name]
    with World() as world:
        scenario.build(world)
        arguments = Arguments(
            versions=(scenario.version,),
            channels=(scenario.channel,),
            repo=str(world.clone),
            settings={"package": world.package, "repository": world.repository, "remote-url": world.remote_url},
            index_urls=tuple(f"{channel}={world.index_url(channel)}" for channel in ("pypi", "testpypi")),
            github_api_url=world.github.url,
            install=False,
        )
        config = load(arguments, {}, tmp_path, find_repository)
        before = len(world.github.requests)
        with openapi.validated(world.github) as violations:
            (snapshot,) = collect(
                config,
                None,
                fixed_phase=None,
                token=world.token,
                token_source="GITHUB_TOKEN",
                own_run_id=None,
                environ={},
            )
        asked = world.github.requests[before:]
    assert violations == []
    assert len(asked) >= 9
    assert {request.method for request in asked} == {"GET"}
    assert verdict_of(snapshot).verdict.value == scenario.verdict
    if name in ("clean", "version-published"):
        # Of the one it is what is released; of the other, published without a tag, it comes a second time.
        assert snapshot.calculation.present().next_version.known() == "0.2.0"
