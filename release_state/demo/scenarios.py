"""The states that a release can be found in, each built in the demo world by the steps that lead to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from release_state.demo.world import World

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
    exit_code: int
    build: Callable[[World], None]
    """Brings a world from its base into this state."""
    version: str = VERSION
    channel: str = "pypi"


def _refused(message: str) -> str:
    return f"{message}\n##[error]Process completed with exit code 128.\n"


def _seen_on_testpypi(world: World) -> None:
    world.release("testpypi", VERSION)


def _clean(world: World) -> None:
    world.release("testpypi", f"{VERSION}rc1")


def _branch_exists(world: World) -> None:
    _seen_on_testpypi(world)
    # A run that was interrupted after its push, and the next one, which finds the branch.
    world.push_release_branch("pypi", VERSION)
    world.run_release("pypi", "cancelled", "Build", "##[error]The operation was canceled.\n", minutes=20)
    found = _refused(f"fatal: a branch named 'release/pypi-v{VERSION}' already exists")
    world.run_release("pypi", "failure", "Create release branch", found)


def _tag_exists(world: World) -> None:
    _seen_on_testpypi(world)
    world.tag(VERSION, world.main())
    world.run_release("pypi", "failure", "Create tag", _refused(f"fatal: tag 'v{VERSION}' already exists"))


def _version_published(world: World) -> None:
    _seen_on_testpypi(world)
    commit = world.bump(VERSION, "main")
    world.ci_green(commit)
    world.publish("pypi", VERSION, commit)
    world.run_release(
        "pypi",
        log=f"Version {VERSION} already exists on PyPI, skipping publish\nreleased=skipped\n",
        skipped=("Create tag", "Create pull request", "Create GitHub Release"),
    )
    world.sync_clone()


def _pr_failed(world: World) -> None:
    _seen_on_testpypi(world)
    world.release(
        "pypi",
        VERSION,
        until="tag",
        log="creating pull request failed: GitHub Actions is not permitted to create or approve pull requests\n"
        "##[error]Process completed with exit code 1.\n",
    )


def _partial(world: World) -> None:
    _seen_on_testpypi(world)
    world.release(
        "pypi",
        VERSION,
        until="pull",
        log="HTTP 502: Bad Gateway: the release was not created\n##[error]Process completed with exit code 1.\n",
    )


def _released(world: World) -> None:
    _seen_on_testpypi(world)
    done = world.release("pypi", VERSION)
    world.ci_green(done.merge or world.main())
    world.sync_clone()


def _testpypi_released(world: World) -> None:
    _seen_on_testpypi(world)


def _rolled_back(world: World) -> None:
    _seen_on_testpypi(world)
    done = world.release("pypi", VERSION, until="release")
    world.index.yank("pypi", VERSION, "released by mistake, use 0.1.0")
    if done.pull is not None:
        world.close_pull(done.pull)
    world.delete_github_release(VERSION)
    world.delete_tag(VERSION)
    world.delete_branch(world.branch("pypi", VERSION))


_ALL = (
    Scenario(
        "clean",
        "Nothing of the version exists yet and everything is ready for its release",
        "pre-release",
        "READY TO RELEASE",
        0,
        _clean,
    ),
    Scenario(
        "branch-exists",
        "An interrupted run left its release branch, and the next run refused to go on",
        "post-recovery",
        "ACTION NEEDED",
        1,
        _branch_exists,
    ),
    Scenario(
        "tag-exists",
        "The tag is on the remote and nothing else of the version exists",
        "post-recovery",
        "ACTION NEEDED",
        1,
        _tag_exists,
    ),
    Scenario(
        "version-published",
        "The index has the version, published from main, but there is no tag, GitHub Release or pull request",
        "post-recovery",
        "ACTION NEEDED",
        1,
        _version_published,
    ),
    Scenario(
        "pr-failed",
        "Published and tagged, then the pull request could not be created",
        "post-recovery",
        "ACTION NEEDED",
        1,
        _pr_failed,
    ),
    Scenario(
        "partial",
        "Published, tagged and with its pull request open, but the GitHub Release is missing",
        "post-recovery",
        "ACTION NEEDED",
        1,
        _partial,
    ),
    Scenario(
        "released",
        "Everything was done: published, tagged, merged, released",
        "post-recovery",
        "RELEASED AND VERIFIED",
        0,
        _released,
    ),
    Scenario(
        "testpypi-released",
        "The version is on TestPyPI and its release branch is gone",
        "post-recovery",
        "RELEASED AND VERIFIED",
        0,
        _testpypi_released,
        channel="testpypi",
    ),
    Scenario(
        "rolled-back",
        "A release was withdrawn: files yanked, branch, tag, pull request and GitHub Release gone",
        "rollback",
        "ROLLED BACK",
        0,
        _rolled_back,
    ),
)

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
"""Every scenario by its name, in the order in which they are best shown."""
