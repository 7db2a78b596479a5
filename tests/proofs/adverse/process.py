"""Adverse facts of how the project releases: what publishes beside the release workflow, and what releases leave."""

from __future__ import annotations

from release_state.demo import project
from release_state.demo.github import Job
from release_state.facts.workflow.document import LARGEST
from release_state.model.outcome import Phase
from tests.proofs.adverse.fact import Fact
from tests.proofs.adverse.worlds import Green
from tests.standins.world import World

SECOND = ".github/workflows/nightly.yml"
"""Publishes to an index that only a run can tell, every night and by hand."""
_SECOND = """\
on:
  schedule:
    - cron: "0 3 * * *"
  workflow_dispatch:
jobs:
  publish:
    runs-on: ubuntu-latest
    steps:
      - run: twine upload --repository-url ${{ vars.INDEX }} dist/*
"""
_LARGE = _SECOND + "# a comment\n" * (LARGEST // 10)


def _commit(world: World, files: dict[str, bytes | None]) -> None:
    """Change the base branch; its CI stays green."""
    world.ci(world.commit("ci: change the workflows", files))
    world.sync_clone()


def _second_run(world: World, green: Green, guise: str | None) -> None:
    """A second workflow publishes, and a run of it is at work."""
    before = world.main()
    _commit(world, {SECOND: _SECOND.encode()})
    event = "schedule" if guise == "event" else "workflow_dispatch"
    run = {"event": event, "status": "in_progress", "conclusion": None, "jobs": [Job("publish")], "head_sha": before}
    world.github.add_run("nightly.yml", **run, created_at=world.tick())  # type: ignore[arg-type] # the stand-in's own keywords


def _unread(world: World, green: Green, guise: str | None) -> None:
    """A workflow file that is too large to be read."""
    _commit(world, {SECOND: _LARGE.encode()})


def _by_hand(world: World, green: Green, guise: str | None) -> None:
    """No workflow makes the release pull request any more, and this version's was closed; the one before has one."""
    workflow = project.RELEASE_WORKFLOW.replace("gh pr create --base main", "echo gh")
    assert workflow != project.RELEASE_WORKFLOW
    _commit(world, {project.RELEASE_PATH: workflow.encode()})
    head = world.branch(green.channel, "0.2.0")
    for number in [number for number, pull in world.github.pulls.items() if pull.head_ref == head]:
        world.close_pull(number)


def _locked_out(world: World, green: Green, guise: str | None) -> None:
    """The job that uploads names an environment that the base branch may not deploy to."""
    workflow = project.RELEASE_WORKFLOW.replace("environment: ${{ inputs.target_environment }}", "environment: Room")
    assert workflow != project.RELEASE_WORKFLOW
    world.github.environments["room"] = [{"name": "trunk", "type": "branch"}]
    _commit(world, {project.RELEASE_PATH: workflow.encode()})


def _switched_off(world: World, green: Green, guise: str | None) -> None:
    """GitHub starts no run of the workflow that publishes any more."""
    number = item.id if (item := world.github.find_workflow("release.yml")) else world.github.add_workflow()
    world.github.workflows[number].state = "disabled_inactivity"


def _watched(green: Green) -> bool:
    """An audit looks at runs only to explain what is missing; a run that a tag started reads the tag's workflows."""
    return green.phase not in (None, Phase.PRE_PUBLISH)


FACTS = (
    Fact(
        "run at work of a second workflow that publishes",
        _second_run,
        ("RUN-1", "RUN-11", "RUN-21"),
        _watched,
        guises=("event",),
    ),
    Fact(
        "workflow file that nobody can read",
        _unread,
        ("RUN-1", "RUN-11", "RUN-21"),
        _watched,
    ),
    Fact(
        "no release pull request, as the version before had",
        _by_hand,
        ("PULL-11",),
        lambda green: green.name == "released, pull request open",
    ),
    Fact(
        "workflow that is switched off",
        _switched_off,
        ("WORKFLOW-7",),
        lambda green: green.phase is Phase.PRE_RELEASE,
    ),
    Fact(
        "environment that refuses the ref",
        _locked_out,
        ("WORKFLOW-14",),
        lambda green: green.phase is Phase.PRE_RELEASE,
    ),
)
