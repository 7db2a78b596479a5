"""How a release is started again, as its process is."""

from __future__ import annotations

import pytest

from release_state.facts.logs.failure import Completion, describe_restart
from release_state.model.process import Process, Publisher, Start, StartKind, VersionWriter

SAME, NEXT, DEPENDS = Completion.SAME, Completion.NEXT, Completion.DEPENDS


def process(*kinds: StartKind, writer: VersionWriter | None = None) -> Process:
    """A process whose workflow these start."""
    starts = tuple(Start(kind=kind) for kind in kinds)
    publisher = Publisher(workflow="release.yml", job="publish", job_name="publish", how="twine", starts=starts)
    return Process(publishers=(publisher,), version_writer=writer)


@pytest.mark.parametrize(
    ("kind", "version", "says", "not_says"),
    [
        (
            "tag",
            SAME,
            "in octo/orbit, a pushed tag starts release.yml; where nothing has to change, re-run",
            "next version",
        ),
        ("tag", DEPENDS, "a tag on it; take the next version if any file of this one is published", "by hand"),
        ("tag", NEXT, "a tag on it; take the next version", "re-run"),
        ("release", DEPENDS, "a GitHub Release of that tag; take the next version if any file", "by hand"),
        ("dispatch", DEPENDS, "start it by hand with the same inputs", "tag"),
        ("branch", SAME, "a fix is a new commit on that branch, which starts it again", "tag"),
        ("pull-request", SAME, "a fix needs the next release pull request", "tag"),
    ],
)
def test_the_next_step_fits(kind: StartKind, version: Completion, says: str, not_says: str) -> None:
    said = describe_restart(process(kind), version, "octo/orbit")
    assert said is not None and says in said and not_says not in said


def test_a_run_that_sets_the_version_makes_the_next_one() -> None:
    writer = VersionWriter(workflow="release.yml", how="semantic-release")
    said = describe_restart(process("dispatch", writer=writer), DEPENDS, "octo/orbit")
    assert said is not None and said.endswith("a new start makes the next one if the tag is there already")


def test_nothing_is_said_of_an_unknown_process() -> None:
    assert describe_restart(Process(), SAME, "octo/orbit") is None
    assert describe_restart(process("schedule"), SAME, "octo/orbit") is None
    assert describe_restart(process("workflow", "dispatch"), SAME, "octo/orbit") is None


def test_every_start_is_named() -> None:
    said = describe_restart(process("tag", "dispatch", "workflow"), SAME, "octo/orbit")
    assert said is not None and said.startswith(
        "in octo/orbit, a pushed tag starts release.yml; a start by hand starts release.yml, too; "
        "the end of another workflow starts release.yml, too; where nothing has to change"
    )
