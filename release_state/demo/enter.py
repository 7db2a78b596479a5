"""Turn a run into one against a demo world: started before the run, ended with it, nothing left behind."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from release_state.demo.scenarios import SCENARIOS
from release_state.demo.world import World
from release_state.settings.config import Arguments
from release_state.settings.validate import one_of

#: What may still be given beside `--demo`: how the run behaves, not what it looks at.
_KEPT = ("lookup-timeout", "install-timeout", "install-size", "reports-dir", "ci-required")


@contextmanager
def enter_demo(name: str, arguments: Arguments) -> Iterator[tuple[Arguments, Mapping[str, str]]]:
    """A world in the scenario's state, and the arguments and environment of a run on it.

    The environment of the machine is left out, so that no token and no setting of it reaches the demo. Raises
    UsageProblem on a scenario that is not known.
    """
    scenario = SCENARIOS[one_of("--demo", name, SCENARIOS)]
    with World() as world:
        scenario.build(world)
        settings = {key: value for key, value in arguments.settings.items() if key in _KEPT}
        settings |= {
            "package": world.package,
            "repository": world.repository,
            "remote-url": world.remote_url,
            "workflow": "release.yml",
            "keep-answers": "false",  # nobody asks this world again
            "github-status-url": world.status.page_url("github"),
            "index-status-url": world.status.page_url("pypi"),
        }
        demo = dataclasses.replace(
            arguments,
            versions=arguments.versions or (scenario.version,),
            channels=arguments.channels or (scenario.channel,),
            repo=str(world.clone),
            settings=settings,
            index_urls=tuple(f"{channel}={world.index_url(channel)}" for channel in ("pypi", "testpypi")),
            github_api_url=world.github.url,
            github_server_url="https://github.com",  # it stands in for that one, and its answers say so
        )
        yield demo, {"GITHUB_TOKEN": world.token}
