"""The demo world with services that tests observe, change and disturb."""

from __future__ import annotations

from release_state.demo import world
from tests.standins.github import GitHubServer
from tests.standins.index import IndexServer
from tests.standins.services import StatusPages

NOW = world.NOW


class World(world.World):
    """The demo world for tests."""

    index_type = IndexServer
    github_type = GitHubServer
    status_type = StatusPages
    index: IndexServer
    github: GitHubServer
    status: StatusPages
