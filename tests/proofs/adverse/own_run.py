"""Adverse facts of the run that asks: its tag was moved or deleted, it has begun to publish, or built else."""

from __future__ import annotations

import zipfile
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


def _left_over(world: World, green: Green, guise: str | None) -> None:
    """Beside the version's files is one of another version, or one of this version a second time."""
    if guise in (None, "version"):
        tagged.build(world, "0.1.0" if guise is None else "0.2.1.dev1+g1a2b3c4")
        return
    wheel, sdist = sorted((world.clone / "dist").iterdir())
    name = {"spelling": wheel.name.replace("orbit_demo", "Orbit.demo"), "zeros": sdist.name.replace("0.2.0", "0.2.0.0")}
    (wheel.parent / name[guise]).write_bytes((wheel if guise == "spelling" else sdist).read_bytes())


def _foreign(world: World, green: Green, guise: str | None) -> None:
    (world.clone / "dist" / "checksums.txt").touch()


def _renamed(world: World, green: Green, guise: str | None) -> None:
    """The wheel of another version, under the name of this one."""
    right = next((world.clone / "dist").glob("*.whl"))
    tagged.build(world, "0.1.0")
    right.with_name(right.name.replace("0.2.0", "0.1.0")).replace(right)
    right.with_name(right.name).touch()
    next(right.parent.glob("*-0.1.0.tar.gz")).unlink()


def _emptied(world: World, green: Green, guise: str | None) -> None:
    for path in (world.clone / "dist").iterdir():
        path.unlink()


def _without_record(world: World, green: Green, guise: str | None) -> None:
    """The wheel got a file after it was built, which its RECORD does not list."""
    with zipfile.ZipFile(next((world.clone / "dist").glob("*.whl")), "a") as wheel:
        wheel.writestr("orbit_demo/late.py", "")


_BUILT = ("DIST-1",)
FACTS = (
    Fact("tag moved since the run began", _moved, ("TAG-41",), inside, TAG, ("spelling", "zeros")),
    Fact("tag deleted since the run began", _deleted, ("TAG-41",), inside),
    Fact("publishing job at work", _job("in_progress"), ("RUN-41",), inside),
    Fact("publishing job failed", _job("completed", "failure"), ("RUN-41",), inside),
    Fact("other files are about to be uploaded too", _left_over, _BUILT, inside, TAG, ("version", "spelling", "zeros")),
    Fact("a foreign file is about to be uploaded", _foreign, _BUILT, inside),
    Fact("the built wheel is of another version", _renamed, _BUILT, inside),
    Fact("the built wheel has an unlisted file", _without_record, _BUILT, inside),
    Fact("nothing was built", _emptied, _BUILT, inside),
)
