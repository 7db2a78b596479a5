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

    def tag(
        self, version: str, commit: str, *, annotated: bool = True, local: bool = False, remote: bool = True
    ) -> str:
        """Tag a commit on the remote and/or in the clone, which has to hold it; returns what the ref holds."""
        when = self.tick()
        message = f"Release v{version}" if annotated else None
        places = ([self.remote_git] if remote else []) + ([self.clone_git] if local else [])
        tag = self.tags.format(version=version)
        return [place.tag(tag, commit, when=when, message=message) for place in places][-1]
