"""Many small projects on this machine: a git remote and a GitHub repository for each, one index and one GitHub API."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from release_state.demo.dists import build_sdist, build_wheel
from release_state.demo.git import Repository
from release_state.demo.github.model import Limits
from release_state.demo.loopback import Reply, Request, Service
from tests.standins.github import GitHubServer
from tests.standins.index import IndexServer
from tests.standins.world import NOW

if TYPE_CHECKING:
    from typing_extensions import Self

VERSIONS = ("0.1.0", "0.2.0", "0.3.0")


class _Api(Service):
    """The API address that all projects of a fleet share."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__()
        self._fleet = fleet

    def answer(self, request: Request) -> Reply:
        """The fleet's answer."""
        return self._fleet.answer(request)


class Fleet:
    """
    So many projects, `orbit-001` and on, each with three released versions; a context manager.

    Of every ten, one lacks the GitHub Release of 0.2.0 and one the tag of 0.2.0; the others are whole. All of them are
    behind one API address and share its rate limit.
    """

    token = "demo-token-that-may-write"
    owner = "example-org"

    def __init__(self, count: int) -> None:
        self.names = [f"orbit-{number:03}" for number in range(1, count + 1)]
        self.servers: dict[str, GitHubServer] = {}
        self.limits = Limits()
        self.requests: list[Request] = []
        self.intercept: Callable[[Request], Reply | None] | None = None
        """Called before each answer of the API; a reply that it returns is sent instead."""
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        """Start the servers and build the projects."""
        with ExitStack() as exits:
            self.root = Path(
                exits.enter_context(
                    tempfile.TemporaryDirectory(prefix="release-state-demo-", ignore_cleanup_errors=True)
                )
            ).resolve()
            self.index = exits.enter_context(IndexServer())
            self._api = exits.enter_context(_Api(self))
            self._build()
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the servers and remove the folder."""
        self._exits.close()

    @property
    def url(self) -> str:
        """The API's root."""
        return self._api.url

    @property
    def project_list(self) -> str:
        """The list of the projects, as a TOML file says it."""
        defaults = '[defaults]\nworkflow = ""\n'
        entries = (
            f'\n[[project]]\npackage = "{name}"\nrepository = "{self.owner}/{name}"\n'
            f'remote-url = "{self.remote(name)}"\n'
            for name in self.names
        )
        return defaults + "".join(entries)

    def remote(self, name: str) -> str:
        """The address of a project's repository for git."""
        return self._remote(name).as_uri()

    def _remote(self, name: str) -> Path:
        return self.root / self.owner / f"{name}.git"

    def answer(self, request: Request) -> Reply:
        """The answer of the repository that a request is for."""
        self.requests.append(request)
        reply = self.intercept(request) if self.intercept else None
        if reply is not None:
            return reply
        parts = request.path.split("/")
        name = parts[3] if parts[1:2] == ["repos"] and len(parts) > 3 else ""
        server = self.servers.get(name) or next(iter(self.servers.values()))
        return server.answer(request)

    def _build(self) -> None:
        template = Repository.create_bare(self.root / "template.git", self.root)
        commits = {
            version: template.commit(
                "main",
                f"chore(release): v{version}",
                when=NOW - timedelta(days=30 - number),
                files={"pyproject.toml": f'[project]\nname = "orbit"\nversion = "{version}"\n'.encode()},
                parents=None if number else (),
            )
            for number, version in enumerate(VERSIONS)
        }
        for version, commit in commits.items():
            template.tag(f"v{version}", commit, when=NOW - timedelta(days=10), message=f"Release v{version}")
        for number, name in enumerate(self.names):
            shutil.copytree(self.root / "template.git", self._remote(name))
            if number % 10 == 7:
                Repository(self._remote(name), self.root).delete_ref("refs/tags/v0.2.0")
            self._publish(name, number)

    def _publish(self, name: str, number: int) -> None:
        server = GitHubServer(self._remote(name), f"{self.owner}/{name}")
        server.limits, server.tokens[self.token], server.front = self.limits, "write", self.url
        self.servers[name] = server
        for age, version in enumerate(VERSIONS):
            when = NOW - timedelta(days=10 - age)
            sources = {f"{name.replace('-', '_')}.py": b""}
            wheel = build_wheel(name, version, sources=sources)
            sdist = build_sdist(name, version, files={"pyproject.toml": b"", **sources})
            for filename, content in (wheel, sdist):
                self.index.upload("pypi", filename, content, when)
            if not (version == "0.2.0" and number % 10 in (3, 7)):
                server.add_release(f"v{version}", created_at=when, published_at=when, make_latest="true")
