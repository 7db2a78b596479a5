"""The demo world at a distance, in processes of its own: `stage(0.1)` answers as if 100 ms away.

What is measured gets addresses of relays alone: of the git remote (smart HTTP), the index and GitHub's API.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlencode, urlsplit

from benchmarks.git_http import git_over_http
from benchmarks.history import lengthen
from release_state.demo.scenarios import SCENARIOS
from tests.proofs.convergence.real_gh import graphql
from tests.standins.github import GitHubServer
from tests.standins.index import IndexServer
from tests.standins.world import World

READER = "demo-token-that-may-read"
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Stage:
    """Where a world is."""

    root: Path
    clone: Path
    asked: Callable[[], Asked]
    remote_url: str
    github: str
    index: dict[str, str]
    token: str
    reader: str
    """A token that may read and see no drafts."""
    package: str
    repository: str

    def options(self) -> list[str]:
        """The options that send the suite there, but for version and channel."""
        indexes = [f"--index-url={name}={url}" for name, url in self.index.items()]
        return [
            *("--repo", str(self.clone), "--remote-url", self.remote_url, *indexes),
            *("--github-api-url", self.github, "--package", self.package, "--repository", self.repository),
        ]


@dataclass(frozen=True)
class Asked:
    """What was asked of the services since the last look: the requests, and when the first one came (epoch seconds)."""

    github: list[str]
    index: list[str]
    git: list[str]
    first: float | None


class _Process:
    """A module of ours in a process of its own, which answers each line with a line of JSON."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.told = self._line()

    def _line(self) -> Any:
        return json.loads(cast(IO[str], self.process.stdout).readline())

    def ask(self) -> Any:
        """Its next line."""
        given = cast(IO[str], self.process.stdin)
        given.write("\n")
        given.flush()
        return self._line()

    def close(self) -> None:
        """End it, by the end of its standard input."""
        self.process.communicate()


@contextmanager
def stage(scenario: str, round_trip: float, versions: int = 0) -> Iterator[Stage]:
    """A world in a scenario's state, `round_trip` seconds away, with so many versions in its past."""
    process = _Process("benchmarks.stage", scenario, str(round_trip), str(versions))
    try:
        told = process.told
        yield Stage(Path(told.pop("root")), Path(told.pop("clone")), lambda: Asked(**process.ask()), **told)
    finally:
        process.close()


def _serve(scenario: str, round_trip: float, versions: int) -> None:
    with ExitStack() as exits, World() as world, git_over_http(world.root) as git, graphql():
        lengthen(world, versions)
        SCENARIOS[scenario].build(world)
        world.github.tokens[READER] = "read"
        services: list[IndexServer | GitHubServer] = [world.index, world.github]
        ports = [git.port, *(urlsplit(service.url).port or 0 for service in services)]
        with closing(_Process("benchmarks.latency", str(round_trip), *map(str, ports))) as relays:
            # Without a distance there is no relay either: what it costs itself would be measured with it.
            ports = relays.told if round_trip else ports
            for service, port in zip(services, ports[1:], strict=True):
                service.front = f"http://127.0.0.1:{port}"
            remote_url = f"http://127.0.0.1:{ports[0]}/{world.repository}.git"
            world.clone_git.run("remote", "set-url", "origin", remote_url)
            told = {
                "root": str(world.root),
                "clone": str(world.clone),
                "remote_url": remote_url,
                "github": world.github.url,
                "index": {name: world.index_url(name) for name in ("pypi", "testpypi")},
                "token": world.token,
                "reader": READER,
                "package": world.package,
                "repository": world.repository,
            }
            print(json.dumps(told), flush=True)
            times: list[float] = []

            def noted(_: object) -> None:
                times.append(time.time())

            world.index.intercept = world.github.intercept = noted
            # Nothing is pushed any more: what the stand-in would list at each request is no part of what is measured.
            exits.enter_context(world.github.git.at_rest())
            for _ in sys.stdin:
                lists = (world.github.requests, world.index.requests)
                github, index = (
                    [f"{r.method} {r.path}" + (f"?{urlencode(r.query)}" if r.query else "") for r in requests]
                    for requests in lists
                )
                first = min(times, default=None)
                print(json.dumps(vars(Asked(github, index, list(git.requests), first))), flush=True)
                for asked in (*lists, git.requests, times):
                    asked.clear()


if __name__ == "__main__":
    _serve(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
