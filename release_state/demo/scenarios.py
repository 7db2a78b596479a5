"""The states of a release in the demo world, each built by the steps that lead to it, and the run on one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from msgspec import structs

from release_state.common.errors import UsageProblem
from release_state.demo import flows
from release_state.demo.flows import Flow
from release_state.demo.git import GitError
from release_state.demo.world import World
from release_state.settings.config import Arguments
from release_state.settings.validate import one_of

VERSION = "0.2.0"
"""The version that every scenario is about; 0.1.0 was released before."""


@dataclass(frozen=True)
class Scenario:
    """A state of the world, and what a run over it has to say."""

    name: str
    description: str
    phase: str
    """The phase that follows from what exists."""
    verdict: str
    build: Callable[[World], None]
    """Brings a world from its base into this state."""
    channel: str
    version: str = VERSION

    @property
    def exit_code(self) -> int:
        """The exit code of that run."""
        return int(self.verdict == "ACTION NEEDED")


SCENARIOS: dict[str, Scenario] = {}
"""Every scenario by its name, in the order in which they are best shown."""


def _scenario(
    description: str, *, phase: str = "post-recovery", verdict: str = "ACTION NEEDED", channel: str = "pypi"
) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    """Register what a function builds as a scenario of the function's name."""

    def register(build: Callable[[World], None]) -> Callable[[World], None]:
        name = build.__name__.strip("_").replace("_", "-")
        SCENARIOS[name] = Scenario(name, description, phase, verdict, build, channel)
        return build

    return register


def _refused(message: str) -> str:
    return f"{message}\n##[error]Process completed with exit code 128.\n"


def _seen_on_testpypi(world: World) -> None:
    world.release("testpypi", VERSION)


@_scenario(
    "Nothing of the version exists yet and everything is ready for its release",
    phase="pre-release",
    verdict="READY TO RELEASE",
)
def _clean(world: World) -> None:
    world.release("testpypi", f"{VERSION}rc1")


@_scenario("An interrupted run left its release branch, and the next run refused to go on")
def _branch_exists(world: World) -> None:
    _seen_on_testpypi(world)
    # A run that was interrupted after its push, and the next one, which finds the branch.
    world.push_release_branch("pypi", VERSION)
    world.run_release("pypi", "cancelled", "Build", "##[error]The operation was canceled.\n", minutes=20)
    found = _refused(f"fatal: a branch named 'release/pypi-v{VERSION}' already exists")
    world.run_release("pypi", "failure", "Create release branch", found)


@_scenario("The tag is on the remote and nothing else of the version exists")
def _tag_exists(world: World) -> None:
    _seen_on_testpypi(world)
    world.tag(VERSION, world.main())
    world.run_release("pypi", "failure", "Create tag", _refused(f"fatal: tag 'v{VERSION}' already exists"))


@_scenario("The index has the version, published from main, but there is no tag, GitHub Release or pull request")
def _version_published(world: World) -> None:
    _seen_on_testpypi(world)
    commit = world.bump(VERSION, "main")
    world.ci(commit)
    world.publish("pypi", VERSION, commit)
    world.run_release(
        "pypi",
        log=f"Version {VERSION} already exists on PyPI, skipping publish\nreleased=skipped\n",
        skipped=("Create tag", "Create pull request", "Create GitHub Release"),
    )
    world.sync_clone()


@_scenario("Published and tagged, then the pull request could not be created")
def _pr_failed(world: World) -> None:
    _seen_on_testpypi(world)
    world.release(
        "pypi",
        VERSION,
        until="tag",
        log="creating pull request failed: GitHub Actions is not permitted to create or approve pull requests\n"
        "##[error]Process completed with exit code 1.\n",
    )


@_scenario("Published, tagged and with its pull request open, but the GitHub Release is missing")
def _partial(world: World) -> None:
    _seen_on_testpypi(world)
    world.release(
        "pypi",
        VERSION,
        until="pull",
        log="HTTP 502: Bad Gateway (https://api.github.com/repos/example-org/orbit/releases)\n"
        "##[error]Process completed with exit code 1.\n",
    )


@_scenario("Everything was done: published, tagged, merged, released", verdict="RELEASED AND VERIFIED")
def _released(world: World) -> None:
    _seen_on_testpypi(world)
    done = world.release("pypi", VERSION)
    world.ci(done.merge or world.main())
    world.sync_clone()


@_scenario(
    "The version is on TestPyPI and its release branch is gone", verdict="RELEASED AND VERIFIED", channel="testpypi"
)
def _testpypi_released(world: World) -> None:
    _seen_on_testpypi(world)


@_scenario(
    "A release was withdrawn: files yanked, branch, tag, pull request and GitHub Release gone",
    phase="rollback",
    verdict="ROLLED BACK",
)
def _rolled_back(world: World) -> None:
    _seen_on_testpypi(world)
    done = world.release("pypi", VERSION, until="release")
    world.index.yank("pypi", VERSION, "released by mistake, use 0.1.0")
    if done.pull is not None:
        world.close_pull(done.pull)
    world.delete_github_release(VERSION)
    world.delete_tag(VERSION)
    world.delete_branch(world.branch("pypi", VERSION))


def _released_by(flow: Flow) -> Callable[[World], None]:
    """The builder of a world whose project releases otherwise, and has released the version completely."""

    def build(world: World) -> None:
        flows.begin(world, flow)
        flows.release(world, flow, VERSION)
        world.sync_clone()

    return build


_UNAVAILABLE = (
    "Uploading orbit_demo-0.2.0-py3-none-any.whl\n"
    "ERROR    HTTPError: 503 Service Unavailable from https://upload.pypi.example/legacy/\n"
    "##[error]Process completed with exit code 1.\n"
)


@_scenario("Tag-driven: the tag started the workflow, which published", verdict="RELEASED AND VERIFIED")
def _tag_driven(world: World) -> None:
    _released_by(flows.TAG_DRIVEN)(world)


@_scenario("Tag-driven: the upload failed in the run that the tag started")
def _tag_driven_failed(world: World) -> None:
    flows.begin(world, flows.TAG_DRIVEN)
    flows.announce(world, flows.TAG_DRIVEN, VERSION)
    flows.run(world, flows.TAG_DRIVEN, VERSION, "pypi", _UNAVAILABLE, started=flows.an_hour_ago())
    world.sync_clone()


@_scenario("Release-driven: the GitHub Release started the workflow, which published", verdict="RELEASED AND VERIFIED")
def _release_driven(world: World) -> None:
    _released_by(flows.RELEASE_DRIVEN)(world)


@_scenario("Release-driven: a workflow made the GitHub Release with GITHUB_TOKEN, which starts nothing")
def _release_driven_failed(world: World) -> None:
    flows.begin(world, flows.RELEASE_DRIVEN)
    flows.announce(world, flows.RELEASE_DRIVEN, VERSION)
    for release in world.github.releases.values():
        release.author = flows.BOT if release.tag == f"v{VERSION}" else release.author
    world.sync_clone()


@_scenario("release-please: its pull request was merged, and one run did the rest", verdict="RELEASED AND VERIFIED")
def _release_please(world: World) -> None:
    _released_by(flows.RELEASE_PLEASE)(world)


@_scenario("release-please: tag and GitHub Release were made, then the upload failed in the same run")
def _release_please_failed(world: World) -> None:
    flows.begin(world, flows.RELEASE_PLEASE)
    flows.announce(world, flows.RELEASE_PLEASE, VERSION)
    flows.run(world, flows.RELEASE_PLEASE, VERSION, "pypi", _UNAVAILABLE, started=flows.an_hour_ago())
    world.sync_clone()


@_scenario("Monorepo: released by the package's own tag and workflow", verdict="RELEASED AND VERIFIED")
def _monorepo(world: World) -> None:
    _released_by(flows.MONOREPO)(world)


@_scenario("Monorepo: published by hand without a tag, and the sibling package has the tag of the same version")
def _monorepo_failed(world: World) -> None:
    flows.begin(world, flows.MONOREPO)
    commit = flows.bump(world, flows.MONOREPO, VERSION)
    world.publish("pypi", VERSION, commit)
    world.remote_git.tag(f"{flows.SIBLING}-v{VERSION}", commit, when=world.tick(), message=f"Release {VERSION}")
    world.sync_clone()


_KEPT = ("lookup-timeout", "install-timeout", "install-size", "reports-dir", "ci-required")
"""The settings that count with `--demo`, too: how the run behaves, not what it looks at."""


@contextmanager
def enter_demo(name: str, arguments: Arguments) -> Iterator[tuple[Arguments, Mapping[str, str]]]:
    """A world in the scenario's state, and the arguments and environment of a run on it.

    No token and no setting of the machine's environment reaches the demo. Raises `UsageProblem` on an unknown scenario,
    and where git or the machine lets no world be built.
    """
    scenario = SCENARIOS[one_of("--demo", name, SCENARIOS)]
    with ExitStack() as stack:
        try:
            world = stack.enter_context(World())
            scenario.build(world)
        except FileNotFoundError as error:
            raise UsageProblem("the demo needs git, which is not on the PATH: install git 2.31 or newer") from error
        except GitError as error:
            raise UsageProblem(f"the demo world cannot be built: {str(error).splitlines()[0]}") from error
        settings = {key: value for key, value in arguments.settings.items() if key in _KEPT}
        settings |= {
            "package": world.package,
            "repository": world.repository,
            "remote-url": world.remote_url,
            "keep-answers": "false",  # no later run asks this world
            "github-status-url": world.status.page_url("github"),
            "index-status-url": world.status.page_url("pypi"),
        }
        demo = structs.replace(
            arguments,
            versions=arguments.versions or (scenario.version,),
            channels=arguments.channels or (scenario.channel,),
            repo=str(world.clone),
            settings=settings,
            index_urls=tuple(f"{channel}={world.index_url(channel)}" for channel in ("pypi", "testpypi")),
            leaves=(),
            environments=(),
            dependencies_index_urls=(),
            github_api_url=world.github.url,
            github_server_url="https://github.com",  # it stands in for that one, and its answers say so
        )
        yield demo, {"GITHUB_TOKEN": world.token}
