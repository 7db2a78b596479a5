"""A demo world on a bench: brought back to its base for each state, observed and judged as a run does."""

from __future__ import annotations

import copy
import itertools
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest

from release_state.demo.flows import Flow
from release_state.demo.github.model import Limits
from release_state.model.outcome import Phase
from release_state.model.plan import Wanted
from release_state.model.snapshot import LOOKUPS, Snapshot
from release_state.observe.collect import collect
from release_state.observe.git.reader import find_repository
from release_state.settings.config import Arguments, RunConfig, load
from release_state.verdict.verdict import TargetVerdict
from tests.proofs.convergence.programs import Programs
from tests.proofs.convergence.started import Started
from tests.proofs.convergence.workflow import run_release_workflow
from tests.standins.world import World
from tests.support.judged import verdict_of

_COPIED = ("pulls", "releases", "check_runs", "statuses", "workflows", "workflow_runs")
#: Read by advice alone, on which no step of a recovery rests.
_ADVICE = {
    "services",
    "rehearsal",
    "branch_rules",
    "actions_settings",
    "environments",
    "base_runs",
    "workflow_states",
}
_LOOKED_UP = frozenset(LOOKUPS) - _ADVICE


class Bench:
    """A world that can be brought back to its base, with the programs that a plan's commands need."""

    def __init__(self, world: World, flow: Flow | None = None) -> None:
        self.world = world
        self.started = Started(world, flow) if flow else None
        """What events start, where the project does not release by hand from a release branch."""
        self.workflow = "commits"
        """How a started workflow writes the version: it "commits" it on its branch, or "bumps" without a commit."""
        self.has_clone = True
        """Whether the clone is looked at."""
        self.rules = "auto"
        """By what the next version is worked out: "auto" asks the project's own tool, in a process for each head."""
        self.snapshots: list[Snapshot] = []
        """What was observed since the world was at its base."""
        self.programs = Programs(self)
        self._fresh: tuple[str, str, Wanted, Phase | None, TargetVerdict] | None = None
        self._dispatched: list[str] = []
        self._saved = world.root / "base"
        world.remote_git.run("repack", "-adq")
        for place in (world.remote, world.clone):
            shutil.copytree(place, self._saved / place.name, symlinks=True)
        self._github = {name: copy.deepcopy(getattr(world.github, name)) for name in (*_COPIED, "latest_release")}
        self._index = copy.deepcopy(world.index.channels)
        self._time, self._number, self._id = world.time, max(world.github.pulls, default=0) + 1, next(world.github._ids)

    def restore(self) -> None:
        """Bring the world back to its base."""
        world, github = self.world, self.world.github
        for place in (world.remote, world.clone):
            shutil.rmtree(place)
            shutil.copytree(self._saved / place.name, place, symlinks=True)
        with github.lock:
            for name, value in self._github.items():
                setattr(github, name, copy.deepcopy(value))
            github._numbers, github._ids = itertools.count(self._number), itertools.count(self._id)
            github.limits = Limits()
            github.requests.clear()
        with world.index.lock:
            world.index.channels = copy.deepcopy(self._index)
            world.index.requests.clear()
        world.time = self._time
        self.workflow, self.has_clone, self.rules = "commits", True, "auto"
        if self.started:
            self.started.begin()
        self.changed()
        # What a state was answered helps no other one, and each answer more is looked through at each that is kept.
        shutil.rmtree(world.root / "cache" / "release-state" / "answers", ignore_errors=True)
        self.snapshots.clear()

    @contextmanager
    def open(self) -> Iterator[Bench]:
        """Lay out the programs and listen to them."""
        self.world.github.on_dispatch = self.started.dispatch if self.started else self._dispatch
        self.world.github.on_event = self.started.hear if self.started else None
        with self.programs.open(), pytest.MonkeyPatch.context() as patch:
            # Where commits are kept that no clone lends.
            patch.setenv("XDG_CACHE_HOME", str(self.world.root / "cache"))
            yield self

    def _dispatch(self, file: str, ref: str, inputs: Mapping[str, Any]) -> None:
        self._dispatched.append(str(inputs["target_environment"]))

    def run_what_was_started(self) -> None:
        """What the world's GitHub does not do by itself: a started workflow runs, step by step."""
        if self.started:
            if self.started.run():
                self.changed()
            return
        while self._dispatched:
            self.changed()
            run_release_workflow(self.world, self._dispatched.pop(), commits=self.workflow == "commits")

    # ---- observing

    @cache  # noqa: B019 - benches are few, and each lives as long as its tests
    def config(self, version: str, channel: str, wanted: Wanted, has_clone: bool, rules: str) -> RunConfig:
        """The configuration of a run over the world; nothing that is done in it changes where things are."""
        world = self.world
        arguments = Arguments(
            versions=(version,),
            channels=(channel,),
            repo=str(world.clone) if has_clone else None,
            settings={
                "package": world.package,
                "repository": world.repository,
                "remote-url": world.remote_url,
                **({} if self.started else {"workflow": "release.yml"}),
                "version-rules": rules,
            },
            index_urls=tuple(f"{name}={world.index_url(name)}" for name in ("pypi", "testpypi")),
            github_api_url=world.github.url,
            github_server_url="https://github.com",  # whose name the real gh is sent to it by
            plan=wanted,
            install=False,
        )
        return load(arguments, {"GITHUB_TOKEN": world.token}, world.root, find_repository)

    def snapshot(self, version: str, channel: str, wanted: Wanted, phase: Phase | None) -> Snapshot:
        """What is observed now."""
        with self.world.github.git.at_rest():
            (found,) = collect(
                self.config(version, channel, wanted, self.has_clone, self.rules),
                _LOOKED_UP,
                fixed_phase=phase,
                token=self.world.token,
                token_source="GITHUB_TOKEN",
                own_run_id=None,
                environ={},
            )
        return found

    def changed(self) -> None:
        """Something was done: what was observed is not what is now."""
        self._fresh = None

    def observe(self, version: str, channel: str, wanted: Wanted = "auto", phase: Phase | None = None) -> TargetVerdict:
        """The verdict on what is observed now, with its printed plan."""
        if self._fresh is None or self._fresh[:4] != (version, channel, wanted, phase):
            self.snapshots.append(self.snapshot(version, channel, wanted, phase))
            self._fresh = version, channel, wanted, phase, verdict_of(self.snapshots[-1], wanted, phase)
        return self._fresh[4]
