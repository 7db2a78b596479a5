"""Versions that the head of the base branch says nothing about: tags on other branches, and workflows that moved."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from release_state.demo import flows
from release_state.demo.github.model import Job
from tests.incidents.test_states import announce, commit_of, found, judge, steps
from tests.standins.world import World

FLOW = flows.TAG_DRIVEN


@pytest.mark.parametrize("branch", ["master", "0.2.x", "release/0.2", "v0.2-release"])
def test_a_tag_on_another_branch_that_stays_is_in_its_place(branch: str, tmp_path: Path) -> None:
    """As with git-flow, maintenance lines, and release branches that never merge."""

    def build(world: World) -> None:
        flows.begin(world, FLOW)
        commit = commit_of(world, "0.2.0", branch, world.main())
        world.publish("pypi", "0.2.0", commit)
        announce(world, "0.2.0", commit, "0.2.0")
        flows.run(world, FLOW, "0.2.0")

    ran = judge(build, tmp_path)
    assert (ran.code, ran.verdict, steps(ran)) == (0, "RELEASED AND VERIFIED", [])


@pytest.mark.parametrize("status", ["in_progress", "completed"])
def test_the_run_of_a_tag_is_of_the_workflow_that_the_tag_has(status: str, tmp_path: Path) -> None:
    """The file has another name on the base branch by now; a run of the old one can still upload."""

    def build(world: World) -> None:
        flows.begin(world, FLOW)
        commit = flows.announce(world, FLOW, "0.2.0")
        flows.do_jobs(world, FLOW, "0.2.0", FLOW.jobs)
        world.github.add_run(
            "publish.yml", status=status, conclusion="success" if status == "completed" else None, event="push",
            head_branch="0.2.0", head_sha=commit, title="Release",
            created_at=flows.an_hour_ago() + timedelta(minutes=55),
            jobs=[Job(name, status=status) for name in FLOW.jobs],
        )  # fmt: skip
        old = ".github/workflows/publish.yml"
        moved = {old: None, ".github/workflows/ship.yml": world.remote_git.files("main")[old]}
        world.ci(world.commit("ci: rename the workflow", moved))
        world.github.add_workflow(".github/workflows/ship.yml", "Publish", created_at=world.time)

    ran = judge(build, tmp_path)
    process = ran.document["targets"][0]["process"]
    assert process["workflows"] == ["ship.yml", "publish.yml"]
    assert any(line.startswith("workflow at the version's tag: publish.yml, ") for line in process["evidence"])
    if status == "completed":
        assert ran.code == 0, ran.output
    else:
        assert (ran.code, found(ran)) == (8, {"RUN-11"}), ran.output


def test_a_tag_that_was_pushed_just_now_waits_for_its_run(tmp_path: Path) -> None:
    """GitHub lists a run some seconds after the push. Nothing is wrong yet, and nothing is to be pushed again."""

    def build(world: World) -> None:
        flows.begin(world, FLOW)
        world.time = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(minutes=5)
        flows.announce(world, FLOW, "0.2.0")

    ran = judge(build, tmp_path)
    assert (ran.code, ran.verdict) == (8, "IN PROGRESS"), ran.output
    assert steps(ran) == ["Wait for the run of publish.yml to begin and to end"]
    assert "the run of publish.yml that it starts may not be listed yet" in ran.output


@pytest.mark.parametrize(
    ("flow", "now", "step"),
    [
        (flows.TAG_DRIVEN, flows.RELEASE_DRIVEN, "Push the tag {} again, as a person"),
        (flows.RELEASE_DRIVEN, flows.TAG_DRIVEN, "Publish the GitHub Release {} anew"),
    ],
)
def test_a_tag_is_published_by_what_starts_the_workflow_that_it_has(
    flow: flows.Flow, now: flows.Flow, step: str, tmp_path: Path
) -> None:
    """What starts the workflow changed after the tag, which nothing was published of yet."""

    def build(world: World) -> None:
        flows.begin(world, flow)
        flows.announce(world, flow, "0.2.0")
        path = ".github/workflows/publish.yml"
        world.ci(world.commit("ci: start it otherwise", {path: now.files["publish.yml"].encode()}))

    ran = judge(build, tmp_path)
    tag = flow.tags.format(version="0.2.0")
    assert ran.code == 1 and step.format(tag) in steps(ran)[:2], ran.output
