"""The gate inside a run that a tag started: whole runs over a project whose tags start its publication."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from release_state.common.errors import UsageProblem
from release_state.demo.github import Job
from release_state.model.observation import known
from release_state.model.outcome import Exit, Phase
from release_state.observe.github.own_run import read_own_run
from release_state.observe.recorded import load, save
from tests.checks.cases.pre_publish import TO_TESTPYPI
from tests.checks.cases.pre_publish import tagged as tagged_state
from tests.proofs.adverse.worlds import WORLDS, Stage
from tests.standins.services import Reply
from tests.standins.world import World
from tests.support import states as s
from tests.support import tagged
from tests.support.judged import verdict_of
from tests.support.worlds import Ran, run

OUTSIDE = {
    "GITHUB_RUN_ID": "7",
    "GITHUB_REF": "refs/tags/v0.2.0",
    "GITHUB_SHA": "a" * 40,
}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A world in which a pushed tag has started its run; what a test puts into it is taken out again."""
    with Stage(WORLDS["about to publish"]) as made:
        yield made


def test_a_run_may_upload_what_its_tag_names(stage: Stage, tmp_path: Path) -> None:
    world = stage.world
    ran = run(world, "--phase", "pre-publish", reports=tmp_path, env=tagged.environment(world))
    assert (ran.code, ran.verdict) == (0, "READY TO PUBLISH"), ran.output
    (target,) = ran.document["targets"]
    assert target["phase"] == "pre-publish" and target["plan"]["steps"] == []
    assert {"TAG-41", "RUN-41", "TAG-14", "META-11", "CI-1", "INDEX-1", "RUN-1"} <= set(ran.only)
    assert "Plan" not in ran.output
    outside = run(world, "--phase", "pre-publish", reports=tmp_path)
    assert outside.code == Exit.USAGE and outside.document is None
    assert outside.output.count("ERROR: --phase pre-publish is for a GitHub Actions run that a tag") == 1


def test_what_was_built_decides_too(stage: Stage, tmp_path: Path) -> None:
    """The tag is right all along: the right files may be uploaded, a wrong one among them holds the upload up."""

    def gate(*more: str) -> Ran:
        environ = tagged.environment(stage.world)
        return run(stage.world, "--phase", "pre-publish", *more, reports=tmp_path, env=environ)

    folder = str(tagged.build(stage.world))
    right = gate("--built", folder)
    assert (right.code, right.verdict, right.only["DIST-1"]) == (0, "READY TO PUBLISH", "holds"), right.output

    later = run(stage.world, "--built", folder, reports=tmp_path)
    assert "--built is not applicable in the phase verification" in " ".join(later.output.split())
    assert "DIST-1" not in later.only

    def put(world: World) -> None:
        tagged.build(world, "0.1.dev1")

    with stage.changed(put):
        wrong, blind = gate("--built", folder), gate()
    assert (wrong.code, wrong.only["DIST-1"]) == (1, "action needed"), wrong.output
    for name in ("orbit_demo-0.1.dev1-py3-none-any.whl", "orbit_demo-0.1.dev1.tar.gz"):
        assert f"{name}: version 0.1.dev1" in " ".join(wrong.output.split())
    assert (blind.code, blind.verdict, blind.only["DIST-1"]) == (0, "READY TO PUBLISH", "not applicable")


def _upload(world: World) -> None:
    world.publish("pypi", "0.2.0", world.main(), kinds=("wheel",))


def _lag(world: World) -> None:
    _upload(world)
    world.index.lag("pypi", "0.2.0")


def _other_version(world: World) -> None:
    """The tag was pushed to a commit that declares 0.1.0; the run is of that commit."""
    sha = world.remote_git.rev("main~1")
    world.ci(sha)
    world.remote_git.set_ref("refs/tags/v0.2.0", sha)
    for found in world.github.workflow_runs.values():
        if found.head_branch == tagged.TAG:
            found.head_sha = sha


def _red(world: World) -> None:
    world.ci(world.main(), "failure")


def _red_in_this_run(world: World) -> None:
    """A job of this very run that the gate needs failed."""
    for check in world.github.check_runs:
        if check.name == "test":
            check.conclusion = "failure"


def _pending(world: World) -> None:
    world.ci(world.main(), None, status="in_progress")


def _another_run(world: World) -> None:
    world.run_release("pypi", status="in_progress", head_sha=world.remote_git.rev("main~2"))


def _begun(world: World) -> None:
    (own,) = (found for found in world.github.workflow_runs.values() if found.head_branch == tagged.TAG)
    own.jobs.append(replace(world.github._complete(Job("Upload", status="in_progress"), own, "")))


def _unreadable(world: World) -> None:
    world.github.intercept = lambda request: Reply(503, {}, b"") if request.path.endswith("/jobs") else None


def _moved(world: World) -> None:
    world.remote_git.set_ref("refs/tags/v0.2.0", world.remote_git.rev("main~1"))


ADVERSE: list[tuple[Callable[[World], None], str, Exit]] = [
    (_moved, "TAG-41", Exit.ACTION_NEEDED),
    (_other_version, "META-11", Exit.ACTION_NEEDED),
    (_upload, "INDEX-1", Exit.ACTION_NEEDED),
    (_lag, "INDEX-1", Exit.ACTION_NEEDED),
    (_red, "CI-1", Exit.ACTION_NEEDED),
    (_red_in_this_run, "CI-1", Exit.ACTION_NEEDED),
    (_pending, "CI-1", Exit.IN_PROGRESS),
    (_another_run, "RUN-1", Exit.IN_PROGRESS),
    (_begun, "RUN-41", Exit.UNKNOWN),
    (_unreadable, "RUN-41", Exit.UNKNOWN),
]


@pytest.mark.parametrize(("put", "check", "code"), ADVERSE, ids=[put.__name__ for put, _, _ in ADVERSE])
def test_what_must_not_be_uploaded(put: Callable[[World], None], check: str, code: Exit, stage: Stage) -> None:
    with stage.changed(put):
        verdict = verdict_of(stage.look(), fixed_phase=Phase.PRE_PUBLISH)
    assert verdict.exit is code, verdict.findings
    assert check in {result.id for result in verdict.findings}
    commands = [list(line) for step in verdict.plan.steps for line in step.commands]
    assert not any("pre-publish" in line for line in commands), "nobody can type that outside of the run"
    assert not (put is _begun and any("rerun" in line for line in commands)), "it would not be asked again"
    deletes = [number for number, line in enumerate(commands) if ":refs/tags/v0.2.0" in line]
    assert not deletes or any("fetch" in line for line in commands[: deletes[0]]), "fetched before it is deleted"


def test_a_line_counts_as_the_base_does(stage: Stage) -> None:
    """A tag on a maintenance line, which the base branch lacks, with the line's own CI."""

    def put(world: World) -> None:
        sha = world.commit("fix: on the line", branch="main")
        world.remote_git.set_ref("refs/heads/0.2.x", sha)
        world.remote_git.set_ref("refs/heads/main", world.remote_git.rev(f"{sha}~1"))
        world.remote_git.set_ref("refs/tags/v0.2.0", sha)
        jobs = [Job(name) for name in ("lint", "test (3.12)")]
        when = world.tick()
        world.github.add_run("ci.yml", event="push", head_branch="0.2.x", head_sha=sha, jobs=jobs, check_runs=True,
                             created_at=when, updated_at=when)  # fmt: skip
        for found in world.github.workflow_runs.values():
            if found.head_branch == tagged.TAG:
                found.head_sha = sha

    with stage.changed(put):
        snapshot = stage.look()
    verdict = verdict_of(snapshot, fixed_phase=Phase.PRE_PUBLISH)
    assert verdict.exit is Exit.OK, verdict.findings
    assert snapshot.ci.present().sha == snapshot.own_run.present().sha


@pytest.mark.parametrize(
    "changes",
    [
        {"GITHUB_RUN_ID": ""},
        {"GITHUB_RUN_ID": "seven"},
        {"GITHUB_REF": "refs/heads/main"},
        {"GITHUB_REF": "v0.2.0"},
        {"GITHUB_REF": "refs/tags/v0.2.0\nx"},
        {"GITHUB_SHA": ""},
        {"GITHUB_SHA": "abc"},
    ],
)
def test_only_a_run_that_a_tag_started_can_be_gated(changes: dict[str, str]) -> None:
    assert read_own_run(OUTSIDE).sha == "a" * 40
    with pytest.raises(UsageProblem, match="pre-publish is for a GitHub Actions run"):
        read_own_run(OUTSIDE | changes)


def test_names_of_the_environment_that_are_none_are_left_out() -> None:
    given = {"GITHUB_WORKFLOW_REF": "octo/orbit/.github/workflows/ship it.yml@refs/tags/v1", "GITHUB_JOB": "a b"}
    found = read_own_run(OUTSIDE | given)
    assert (found.workflow, found.job) == ("", "")


@pytest.mark.parametrize(
    "changes", [{"release": known(s.release()), "latest_release": known(s.release())}, TO_TESTPYPI]
)
def test_a_release_that_started_it_and_a_channel_without_tags_are_no_findings(changes: dict[str, Any]) -> None:
    verdict = verdict_of(tagged_state(**changes), fixed_phase=Phase.PRE_PUBLISH)
    assert (verdict.exit, verdict.plan.steps, verdict.diagnosis.scenario) == (Exit.OK, (), "publishing")


@pytest.mark.parametrize("name", ["remote", "history", "index", "ci", "runs", "own_run", "own_jobs", "workflow_files"])
def test_a_look_up_that_failed_lets_nothing_be_uploaded(name: str) -> None:
    failed: Any = {"pypi": s.failed("index pypi")} if name == "index" else s.failed()
    verdict = verdict_of(tagged_state(**{name: failed}), fixed_phase=Phase.PRE_PUBLISH)
    assert verdict.exit is Exit.UNKNOWN and verdict.plan.steps
    programs = {line[0] for step in verdict.plan.steps for line in step.commands}
    assert programs == ({"release-state"} if name == "own_run" else {"gh"}), "the gate itself is asked again"


def test_a_recorded_gate_is_judged_again(tmp_path: Path) -> None:
    save(tmp_path / "snapshot.json", [tagged_state()])
    (again,) = load(tmp_path / "snapshot.json")
    assert verdict_of(again, fixed_phase=Phase.PRE_PUBLISH).exit is Exit.OK


def test_the_same_facts_outside_are_the_verification() -> None:
    snapshot = tagged_state()
    assert verdict_of(snapshot, fixed_phase=Phase.PRE_PUBLISH).exit is Exit.OK
    assert verdict_of(snapshot).phase is Phase.POST_RECOVERY
    recorded = s.ready(ci=snapshot.ci, own_run=snapshot.own_run)
    assert verdict_of(recorded, fixed_phase=Phase.PRE_RELEASE).exit is Exit.UNKNOWN, "its CI is of another commit"
