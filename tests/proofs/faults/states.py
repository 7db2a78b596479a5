"""The states of the demo world in which the matrix is run: together they make a run ask everything that it can ask."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import structs

from release_state.demo import project
from release_state.demo.scenarios import SCENARIOS, VERSION
from release_state.model.observation import Model
from release_state.model.outcome import Phase
from release_state.observe.git.reader import find_repository
from release_state.settings.config import Arguments, RunConfig, load
from tests.proofs.faults.gateway import Services, Visit
from tests.standins.world import World
from tests.support.built import built
from tests.support.tagged import push_tag

OTHER = "0.3.0rc1"
"""A version on its way to TestPyPI meanwhile: its branch makes a run look at the second index."""
CHANNELS = ("pypi", "testpypi")
ROOTS = {
    "git": "git",
    "github": "github",
    "pypi": "index",
    "testpypi": "index",
    "github-status": "status",
    "pypi-status": "status",
}
"""Where a run can be sent: a root, and the service behind it."""
TAGGED_TWICE = {"channels": {"testpypi": {"leaves": ["tag"]}}}
"""Then the second index says whether the tag is that channel's, too."""
SETTINGS = frozenset({"rulesets", "branch_rules", "base_rules", "actions_settings"})
PASSWORD = "password-for-the-remote-alone"
_LOGIN = f"reader:{PASSWORD}@"

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class State:
    """A state of the world, and what a run over it looks at."""

    name: str
    build: Callable[[World], None]
    exit_code: int
    """Of a run without faults."""
    wanted: frozenset[str] | None = None
    """The look-ups of a run with faults, where not all that can be; a run without faults does them all."""
    settings: Mapping[str, str] = field(default_factory=dict)
    configured: Mapping[str, Any] = field(default_factory=dict)
    """What the project's own table of settings says."""
    phase: Phase | None = None
    """The phase that a run is given; None: it finds it out."""


def _ready(world: World) -> None:
    SCENARIOS["clean"].build(world)
    world.push_release_branch("testpypi", OTHER)
    world.open_pull(OTHER, "testpypi")
    branch = world.branch("pypi", VERSION)
    world.run_release("pypi", "failure", "Build", f"Switched to a new branch '{branch}'\n##[error]no space left\n")


def _released(world: World) -> None:
    SCENARIOS["released"].build(world)
    for file in world.index.files("pypi", VERSION):
        file.provenance = {"version": 1, "attestation_bundles": []} if file.filename.endswith(".tar.gz") else None


def _behind(world: World) -> None:
    SCENARIOS["released"].build(world)
    # The clone does not have it: git has to fetch.
    world.ci(world.commit("docs: what comes next"))


def _guarded(world: World) -> None:
    SCENARIOS["clean"].build(world)
    github, check = world.github, {"context": project.CI_JOBS[0]}
    github.tokens[world.token] = "admin"
    github.protection["main"] = {"required_status_checks": {"strict": False, "contexts": [check["context"]]}}
    rule = {"type": "required_status_checks", "parameters": {"required_status_checks": [check]}}
    conditions = {"ref_name": {"include": ["refs/heads/main"], "exclude": []}}
    github.rulesets.append({"name": "main", "conditions": conditions, "rules": [rule]})
    github.rules["main"] = [rule]


def _with_environment(world: World) -> None:
    SCENARIOS["clean"].build(world)
    environment = "environment: ${{ inputs.target_environment }}"
    assert environment in project.RELEASE_WORKFLOW
    workflow = project.RELEASE_WORKFLOW.replace(environment, "environment: pypi")
    world.ci(world.commit("ci: name the environment", {project.RELEASE_PATH: workflow.encode()}))
    world.sync_clone()
    world.github.environments["pypi"] = [{"name": "main", "type": "branch"}, {"name": "v*", "type": "tag"}]


def _new_project(world: World) -> None:
    SCENARIOS["clean"].build(world)
    text = (world.clone / "pyproject.toml").read_text(encoding="utf-8").replace("orbit-demo", "comet-demo")
    world.ci(world.commit("fix: the name", {"pyproject.toml": text.encode()}))
    world.sync_clone()


def _ancestor(world: World) -> None:
    SCENARIOS["clean"].build(world)
    # With the token of a run, which starts no workflow.
    world.github.add_push(after=world.commit("chore: of which CI took no notice"), actor="github-actions[bot]")
    world.sync_clone()


def _untagged(world: World) -> None:
    SCENARIOS["version-published"].build(world)


def _of_two_channels(world: World) -> None:
    SCENARIOS["released"].build(world)
    world.index.delete("testpypi", VERSION)  # what is missing there may be on its way: its JSON API is asked, too


def _twice(world: World) -> None:
    SCENARIOS["released"].build(world)
    world.remote_git.run("tag", VERSION, f"v{VERSION}^{{commit}}")


STATES = {
    state.name: state
    for state in (
        State("ready to release", _ready, 0),
        State("released", _released, 0),
        State("guarded", _guarded, 0, SETTINGS | {"base_runs", "ci"}),
        State("an upload with an environment", _with_environment, 0, frozenset({"environments"})),
        State("clone that is behind", _behind, 0, frozenset({"history", "published", "clone", "runs"})),
        State("new project", _new_project, 0, frozenset({"index", "rehearsal"}), {"package": "comet-demo"}),
        State("CI of an ancestor", _ancestor, 0, frozenset({"ci", "index"})),
        State("tagged twice", _twice, 0, frozenset({"release", "index"})),
        State("published without a tag", _untagged, 1, frozenset({"published"})),
        State("about to publish", push_tag, 0, frozenset({"own_jobs"}), phase=Phase.PRE_PUBLISH),
        State("a tag of two channels", _of_two_channels, 0, frozenset({"index"}), {}, TAGGED_TWICE),
    )
}


class Stage:
    """A world in a state, its services, and configurations that send a run to a visit of them; a context manager."""

    def __init__(self, state: State) -> None:
        self.state = state
        # Of today: release runs are looked at for seventy days.
        self._world = built(f"faults {state.name}", state.build, today=True)
        self.folder = tempfile.TemporaryDirectory(prefix="release-state-faults-")

    def __enter__(self) -> Stage:
        """Build the world."""
        self.world = self._world.__enter__()
        self.services = Services(self.world)
        return self

    def __exit__(self, *error: object) -> None:
        """End the world."""
        self._world.__exit__(None, None, None)
        self.folder.cleanup()

    def config(
        self, visit: Visit, timeout: float, broken: Mapping[str, str] | None = None, *, keep_answers: bool = True
    ) -> RunConfig:
        """A run's configuration; `broken` gives other roots of `ROOTS`."""
        roots = {name: visit.url(service) for name, service in ROOTS.items()} | dict(broken or {})

        def sent(text: str) -> str:
            for name, root in roots.items():
                text = text.replace(f"http://{name}.root", root)
                text = text.replace(f"http://{_LOGIN}{name}.root", root.replace("://", f"://{_LOGIN}"))
            return text

        template = self._template
        channels = {name: _sent(channel, sent) for name, channel in template.channels.items()}
        return structs.replace(
            template,
            targets=tuple(_sent(target, sent) for target in template.targets),
            remote_url=sent(template.remote_url),
            channels=channels,
            lookup_timeout=timeout,
            keep_answers=keep_answers,
        )

    @cached_property
    def _template(self) -> RunConfig:
        """The configuration of every run, with names for the roots: git is asked about the clone once."""
        arguments = Arguments(
            versions=(VERSION,),
            channels=("pypi",),
            repo=str(self.world.clone),
            settings={
                "package": self.world.package,
                "repository": self.world.repository,
                # With a password, to see where it goes.
                "remote-url": f"http://{_LOGIN}git.root/{self.world.repository}.git",
                "github-status-url": "http://github-status.root/github",
                "index-status-url": "http://pypi-status.root/pypi",
                **self.state.settings,
            },
            index_urls=tuple(f"{name}=http://{name}.root/{name}/simple/" for name in CHANNELS),
            github_api_url="http://github.root",
            install=False,
        )
        configured = self.state.configured
        listed = (configured, "the project's table") if configured else None
        return load(arguments, {}, Path(self.folder.name), find_repository, listed)


def _sent(model: M, sent: Callable[[str], str]) -> M:
    return msgspec.json.decode(sent(msgspec.json.encode(model).decode()), type=type(model))
