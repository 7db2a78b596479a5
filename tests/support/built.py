"""Demo worlds that are built once for all workers of a test run, and copied: git needs dozens of processes for each."""

from __future__ import annotations

import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from release_state.demo.git import Repository
from tests.standins.world import NOW, World
from tests.support.browser import once

_OF_THE_SERVER = {
    *("lock", "requests", "intercept", "rewrite", "on_answer", "front", "limits", "_thread", "_server"),
    *("git", "now", "on_dispatch", "on_event", "stopping", "_numbers", "_ids"),
}
"""What of a service is no state of the world: its connections, and what a test hangs on it."""
_COUNTERS = ("_numbers", "_ids")

_shared: Path | None = None


def share(folder: Path) -> None:
    """Keep what is built in a folder that other workers of the test run keep it in, too."""
    global _shared
    _shared = folder


@cache
def _own() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="release-state-built-")


class _Copy(World):
    """A world that begins as the copy of one in a folder."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        state = pickle.loads((kept / "state").read_bytes())
        self._state: dict[str, Any] = state
        super().__init__(state["now"])

    def _build_base(self) -> None:
        """Take over what is kept, under the addresses of this world."""
        shutil.rmtree(self.remote)
        shutil.copytree(self._kept / "root", self.root, symlinks=True, dirs_exist_ok=True)
        was = self._state["remote_url"].encode()
        for path in _texts(self.clone / ".git"):
            if was in (text := path.read_bytes()):
                path.write_bytes(text.replace(was, self.remote_url.encode()))
        self.clone_git = Repository(self.clone, self.root)
        # The files of a copy are new ones to git: as a checkout leaves it, it knows them.
        self.clone_git.run("update-index", "-q", "--refresh")
        self.time = self._state["time"]
        for name in ("github", "index", "status"):
            vars(getattr(self, name)).update(self._state[name])
        for name, number in self._state["counters"].items():
            setattr(self.github, name, count(number))


@contextmanager
def built(name: str, build: Callable[[World], None], *, today: bool = False) -> Iterator[World]:
    """
    A world as `build` leaves it; `name` stands for that alone, in the whole of a test run.

    `today` begins it at the day of the run, not on the demo's. What is built must not name its own address.
    """
    folder = _shared or Path(_own().name)
    now = _today(folder) if today else NOW
    kept = folder / f"{name}{' today' if today else ''}"

    def make() -> None:
        with World(now) as world:
            build(world)
            _keep(world, kept)

    with _Copy(once(kept, make)) as world:
        yield world


def proven(name: str, prove: Callable[[], None]) -> None:
    """Do what proves something of a built world, unless a worker of this test run has; what fails is done again."""
    once((_shared or Path(_own().name)) / "proven" / name, prove)


def state_of(world: World) -> dict[str, Any]:
    """What a world holds beside its repositories, and what those point to: of equal worlds, it is equal."""
    state: dict[str, Any] = {"now": world.now, "time": world.time}
    for name in ("github", "index", "status"):
        state[name] = {key: value for key, value in vars(getattr(world, name)).items() if key not in _OF_THE_SERVER}
    for name, git in (("remote", world.remote_git), ("clone", world.clone_git)):
        state[name] = git.refs(), git.rev("HEAD")
    return {**state, "changed": world.clone_git.run("status", "--porcelain")}


def _keep(world: World, kept: Path) -> None:
    """Write a world down."""
    state = {**state_of(world), "remote_url": world.remote_url}
    state["counters"] = {name: next(getattr(world.github, name)) for name in _COUNTERS}
    written = pickle.dumps(state)
    for address in (world.index.url, world.github.url, world.status.url):
        assert address.encode() not in written, f"the world names its own address {address}"
    shutil.copytree(world.root, kept / "root", symlinks=True)
    (kept / "state").write_bytes(written)


def _today(folder: Path) -> datetime:
    """The moment that worlds of today are built for: one for all of a run, so that they can be shared."""
    file = folder / "today" / "is"

    def make() -> None:
        file.write_text(datetime.now(timezone.utc).replace(microsecond=0).isoformat(), encoding="utf-8")

    return datetime.fromisoformat((once(file.parent, make) / file.name).read_text(encoding="utf-8"))


def _texts(git_dir: Path) -> Iterator[Path]:
    """The files of a clone that may name where it came from."""
    yield from (path for path in (git_dir / "config", git_dir / "FETCH_HEAD") if path.exists())
    yield from (path for path in (git_dir / "logs").rglob("*") if path.is_file())
