"""The green worlds of the matrix: each phase, channel and process of releasing, and how one is put back as it was."""

from __future__ import annotations

import copy
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from release_state.audit.audit import Audit
from release_state.audit.collect import collect_history
from release_state.demo import project
from release_state.demo.github import Job
from release_state.demo.github.model import Limits
from release_state.demo.scenarios import SCENARIOS, VERSION
from release_state.model.outcome import Phase
from release_state.model.snapshot import Snapshot
from release_state.observe.collect import collect
from release_state.observe.git.reader import find_repository
from release_state.observe.http.cache import ResponseCache
from release_state.observe.http.client import HttpClient
from release_state.observe.waiting import Again, Waiting
from release_state.settings.config import Arguments, RunConfig, load
from tests.standins.world import World
from tests.support.built import built
from tests.support.tagged import build, environment, push_tag

CHANNELS = ("pypi", "testpypi", "internal")
LINES = ("tag", "release")
"""What a project without release pull requests leaves."""


@dataclass(frozen=True, eq=False)
class Green:
    """A state of the world in which a run is green, and how it is asked about."""

    name: str
    phase: Phase | None
    """None: the whole history is audited."""
    build: Callable[[World], None]
    channel: str = "pypi"
    leaves: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What releases leave, where not as by default; by channel."""
    settings: Mapping[str, str] = field(default_factory=dict)
    clone: bool = True
    token: bool = True

    @property
    def has_tag(self) -> bool:
        """Whether a release of this process has a tag."""
        return self.channel == "pypi" or "tag" in self.leaves.get(self.channel, ())

    @property
    def has_release(self) -> bool:
        """Whether a release of this process has a GitHub Release."""
        return self.channel == "pypi" or "release" in self.leaves.get(self.channel, ())

    @property
    def place(self) -> str:
        """The phase in a word, or that it is an audit."""
        return self.phase.value if self.phase else "audit"


# ---- what the worlds are made of


def _ready(world: World) -> None:
    SCENARIOS["clean"].build(world)


def _queued(world: World) -> None:
    """Merged by a merge queue: CI ran for the group, on the very commit that became the head."""
    _ready(world)
    sha = world.commit("feat: add a third orbit (#12)")
    jobs = [Job(name) for name in project.CI_JOBS]
    for event, branch in (("merge_group", f"gh-readonly-queue/main/pr-12-{sha}"), ("push", "main")):
        when = world.tick(4)
        world.github.add_run(
            "ci.yml", event=event, head_branch=branch, head_sha=sha, jobs=jobs, check_runs=True, created_at=when,
            updated_at=when + timedelta(minutes=3),
        )  # fmt: skip
    rule = {"type": "merge_queue", "parameters": {}}
    world.github.rules["main"] = [rule]
    world.sync_clone()


def _bumped(world: World) -> None:
    """The head is the bump of the release before, which starts no CI; its parent is green."""
    _ready(world)
    world.commit("docs: of which CI took no notice [skip ci]")
    world.sync_clone()


def _written(world: World) -> None:
    """The version and its heading are committed before the release."""
    _ready(world)
    world.ci(world.bump(VERSION, "main"))
    world.sync_clone()


def _first(world: World) -> None:
    """Nothing of the project was ever released."""
    world.delete_github_release("0.1.0")
    world.delete_tag("0.1.0")
    world.clone_git.run("tag", "--delete", "v0.1.0")
    world.index.channels["pypi"].clear()
    world.index.channels["testpypi"].clear()


def _inside(world: World) -> None:
    """A tag has started its publication, which now asks whether it may upload."""
    push_tag(world)
    world.sync_clone()
    build(world)


def _released(world: World) -> None:
    SCENARIOS["released"].build(world)


def _rehearsed(world: World) -> None:
    SCENARIOS["testpypi-released"].build(world)
    world.sync_clone()


def _waiting(world: World) -> None:
    """Everything is there, the pull request is still open."""
    world.release("pypi", VERSION, until="release")
    world.sync_clone()


def _merged(world: World) -> None:
    done = world.release("pypi", VERSION, squash=False)
    world.ci(done.merge or world.main())
    world.sync_clone()


def _from_base(world: World) -> None:
    """Without a pull request: the bump is pushed to the base branch, and released from there."""
    commit = world.bump(VERSION, "main")
    world.ci(commit)
    world.publish("pypi", VERSION, commit)
    world.tag(VERSION, commit)
    world.github_release(VERSION)
    world.run_release("pypi")
    world.sync_clone()


def _internal(world: World) -> None:
    """On an index of one's own, of which a tag is left."""
    commit = world.bump(VERSION, "main")
    world.ci(commit)
    world.publish("internal", VERSION, commit)
    world.tag(VERSION, commit)
    world.run_release("pypi")
    world.sync_clone()


def _withdrawn(world: World) -> None:
    SCENARIOS["rolled-back"].build(world)
    world.sync_clone()


def _yanked_rehearsal(world: World) -> None:
    _rehearsed(world)
    world.index.yank("testpypi", VERSION, "a rehearsal")


def _withdrawn_inside(world: World) -> None:
    _internal(world)
    world.index.yank("internal", VERSION, "by mistake")
    world.delete_tag(VERSION)
    world.clone_git.delete_ref(f"refs/tags/v{VERSION}")


_BEFORE, _AFTER, _BACK = Phase.PRE_RELEASE, Phase.POST_RECOVERY, Phase.ROLLBACK
_INSIDE = {"internal": ("tag",)}
_PLAIN = {"pypi": LINES}
WORLDS: Mapping[str, Green] = {
    each.name: each
    for each in (
        Green("ready", _BEFORE, _ready),
        Green("ready, no clone", _BEFORE, _ready, clone=False),
        Green("ready, no token", _BEFORE, _ready, token=False),
        Green("ready for TestPyPI", _BEFORE, _ready, "testpypi"),
        Green("ready for an index of its own", _BEFORE, _ready, "internal", _INSIDE),
        Green("ready, no pull requests", _BEFORE, _ready, leaves=_PLAIN),
        Green("ready, merge queue", _BEFORE, _queued),
        Green("ready, head without CI", _BEFORE, _bumped),
        Green("ready, version written before", _BEFORE, _written, settings={
            "expected-before-release": "version,changelog",
        }),
        Green("ready, first release", _BEFORE, _first),
        Green("about to publish", Phase.PRE_PUBLISH, _inside),
        Green("released", _AFTER, _released),
        Green("released, no clone", _AFTER, _released, clone=False),
        Green("released, no token", _AFTER, _released, token=False),
        Green("released on TestPyPI", _AFTER, _rehearsed, "testpypi"),
        Green("released on an index of its own", _AFTER, _internal, "internal", _INSIDE),
        Green("released, no pull requests", _AFTER, _from_base, leaves=_PLAIN),
        Green("released, merge commit", _AFTER, _merged),
        Green("released, pull request open", _AFTER, _waiting),
        Green("rolled back", _BACK, _withdrawn),
        Green("rolled back, no clone", _BACK, _withdrawn, clone=False),
        Green("rolled back on TestPyPI", _BACK, _yanked_rehearsal, "testpypi"),
        Green("rolled back on an index of its own", _BACK, _withdrawn_inside, "internal", _INSIDE),
        Green("audited", None, _released),
        Green("audited, no clone", None, _released, clone=False),
        Green("audited, TestPyPI", None, _rehearsed, "testpypi"),
    )
}  # fmt: skip

_OF_GITHUB = (
    *("pulls", "releases", "latest_release", "check_runs", "statuses", "workflows", "workflow_runs", "protection"),
    *("rules", "rulesets", "workflow_permissions", "environments", "fork_of", "archived", "private", "tokens"),
)
"""What of GitHub's state a fact can change; lists and tables are kept by their own name, so that routes see them."""
_OF_GIT = ("refs", "packed-refs", "HEAD", "config")


def _build(green: Green, world: World) -> None:
    world.index.channels["internal"] = {}
    green.build(world)


class Stage:
    """A green world that facts are put into and taken out of again; a context manager."""

    def __init__(self, green: Green) -> None:
        self.green = green
        # Of today: release runs are looked at for seventy days. Several are built alike, and looked at otherwise.
        self._world = built(f"adverse {green.build.__name__}", partial(_build, green), today=True)
        self._folder = tempfile.TemporaryDirectory(prefix="release-state-adverse-")
        self.folder = Path(self._folder.name)

    def __enter__(self) -> Stage:
        """Build the world and keep what it was."""
        self.world = self._world.__enter__()
        self._keep()
        return self

    def __exit__(self, *error: object) -> None:
        """End the world."""
        self._world.__exit__(None, None, None)
        self._folder.cleanup()

    def _keep(self) -> None:
        world = self.world
        self._time = world.time
        self._github = {name: copy.deepcopy(getattr(world.github, name)) for name in _OF_GITHUB}
        self._index = copy.deepcopy(world.index.channels)
        shutil.copytree(world.clone, self.folder / "clone", symlinks=True)
        for name in _OF_GIT:
            _copy(world.remote / name, self.folder / "remote" / name)

    def put_back(self) -> None:
        """Make the world what it was before the first fact."""
        world = self.world
        world.time = self._time
        world.github.rewrite = world.github.intercept = None
        world.github.limits = Limits()
        world.github.requests.clear()
        world.index.requests.clear()
        for name, value in self._github.items():
            setattr(world.github, name, copy.deepcopy(value))
        world.index.channels = copy.deepcopy(self._index)
        shutil.rmtree(world.clone)
        shutil.copytree(self.folder / "clone", world.clone, symlinks=True)
        for name in _OF_GIT:
            _copy(self.folder / "remote" / name, world.remote / name)

    @contextmanager
    def changed(self, put: Callable[[World], None]) -> Iterator[World]:
        """The world with something put into it, for as long as the block lasts."""
        try:
            put(self.world)
            yield self.world
        finally:
            self.put_back()

    def config(self, *, keep_answers: bool = False, install: bool = False) -> RunConfig:
        """A run's configuration."""
        world, green = self.world, self.green
        arguments = Arguments(
            versions=(VERSION,) if green.phase else (),
            audit=None if green.phase else "all",
            channels=(green.channel,),
            repo=str(world.clone) if green.clone else None,
            built=str(world.clone / "dist") if green.phase is Phase.PRE_PUBLISH else None,
            settings={
                "package": world.package,
                "repository": world.repository,
                "remote-url": world.remote_url,
                "github-status-url": world.status.page_url("github"),
                "index-status-url": world.status.page_url("pypi"),
                "keep-answers": "true" if keep_answers else "false",
                # Without a process for each commit: what works the next version out decides nothing.
                "version-rules": "conventional",
                # Not green has to be for the fact, and not for a busy machine.
                "lookup-timeout": "1200",
                **green.settings,
            },
            github_api_url=world.github.url,
            install=install,
        )
        channels: dict[str, dict[str, Any]] = {
            name: {"index-url": world.index_url(name)} for name in (*CHANNELS[:2], *green.leaves)
        }
        for name, leaves in green.leaves.items():
            channels[name]["leaves"] = list(leaves)
        return load(arguments, {}, self.folder, find_repository, ({"channels": channels}, "the world's settings"))

    def look(
        self, *, keep_answers: bool = False, install: bool = False, meanwhile: Callable[[], None] | None = None
    ) -> Snapshot:
        """What a run over the version observes now; `meanwhile` happens in one that takes long, after a first look."""
        phase = self.green.phase if self.green.phase is Phase.PRE_PUBLISH else None
        environ = environment(self.world) if phase else {}
        (snapshot,) = collect(
            self.config(keep_answers=keep_answers, install=install),
            None,
            fixed_phase=phase,
            token=self.world.token if self.green.token else None,
            token_source="GITHUB_TOKEN" if self.green.token else None,
            own_run_id=int(environ["GITHUB_RUN_ID"]) if phase else None,
            environ=environ,
            waiting=_Slow(meanwhile) if meanwhile else None,
        )
        return snapshot

    def audit(self, *, keep_answers: bool = False) -> Audit:
        """What an audit observes now."""
        config, cancel = self.config(keep_answers=keep_answers), threading.Event()
        client = HttpClient(
            config.lookup_timeout,
            token=self.world.token,
            token_host=self.world.github.url,
            cancel=cancel,
            cache=ResponseCache() if keep_answers else None,
        )
        (history,) = collect_history(config, client=client, token_source="GITHUB_TOKEN", own_run_id=None, cancel=cancel)
        return Audit(history)


class _Slow(Waiting):
    """A run whose first look is old by the time that it ends."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__(0.0, lambda phase: (), lambda line: None, fresh=0.0)
        self.meanwhile = meanwhile

    def wait_until_settled(
        self, first: list[Snapshot], again: Again, cancel: threading.Event, began: float | None = None
    ) -> list[Snapshot]:
        """Let something happen, then look again as a run does."""
        self.meanwhile()
        return super().wait_until_settled(first, again, cancel, began)


def _copy(source: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    elif target.exists():
        target.unlink()
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
