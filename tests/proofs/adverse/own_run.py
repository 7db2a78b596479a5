"""Adverse facts of the run that asks: its tag was moved or deleted, or it has begun to publish."""

from __future__ import annotations

from dataclasses import replace

from release_state.demo.github import Job
from tests.proofs.adverse.fact import Fact, Put, inside
from tests.proofs.adverse.places import TAG
from tests.proofs.adverse.worlds import Green
from tests.standins.world import World
from tests.support import tagged


def _moved(world: World, green: Green, guise: str | None) -> None:
    """The version's tag, or a second one of it, is on another commit."""
    name = {None: tagged.TAG, "spelling": "0.2.0", "zeros": "v0.2.0.0"}[guise]
    world.remote_git.set_ref(f"refs/tags/{name}", world.remote_git.rev("main~1"))


def _deleted(world: World, green: Green, guise: str | None) -> None:
    world.delete_tag(tagged.VERSION)


def _job(status: str, conclusion: str | None = None) -> Put:
    """The publishing job of the run in this state."""

    def put(world: World, green: Green, guise: str | None) -> None:
        run = next(run for run in world.github.workflow_runs.values() if run.head_branch == tagged.TAG)
        job = replace(world.github._complete(Job("Upload", status=status, conclusion=conclusion), run, ""))
        with world.github.lock:
            run.jobs.append(job)

    return put


FACTS = (
    Fact("tag moved since the run began", _moved, ("TAG-41",), inside, TAG, ("spelling", "zeros")),
    Fact("tag deleted since the run began", _deleted, ("TAG-41",), inside),
    Fact("publishing job at work", _job("in_progress"), ("RUN-41",), inside),
    Fact("publishing job failed", _job("completed", "failure"), ("RUN-41",), inside),
)
