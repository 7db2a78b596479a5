"""A project whose pushed tags start its publication, with the run of a tag, which has not uploaded anything yet."""

from __future__ import annotations

from pathlib import Path

from release_state.demo.dists import build_sdist, build_wheel
from release_state.demo.github import Job
from tests.standins.world import World

VERSION, TAG = "0.2.0", "v0.2.0"
FLOW = """\
on: {push: {tags: ["v*"]}}
jobs:
  test: {steps: [{run: pytest}]}
  gate: {needs: test, steps: [{run: release-state}]}
  sign: {needs: [gate, test], steps: [{run: sign}]}
  publish: {name: Upload, needs: sign, steps: [{uses: pypa/gh-action-pypi-publish@release/v1}]}
"""


def push_tag(world: World, *, tests: str | None = "success") -> None:
    """Bump main, let its CI pass, and push its tag: the run that it starts has tested, and now asks the gate."""
    world.commit("ci: publish what is tagged", {".github/workflows/release.yml": FLOW.encode()})
    sha = world.bump(VERSION, "main")
    world.ci(sha)
    world.tag(VERSION, sha)
    jobs = [Job("test", status="completed", conclusion=tests), Job("gate", status="in_progress")]
    world.github.add_run(
        *("release.yml",), status="in_progress", event="push", head_branch=TAG, head_sha=sha, jobs=jobs,
        check_runs=True, created_at=world.tick(),
    )  # fmt: skip


def build(world: World, version: str = VERSION) -> Path:
    """Build both files of a version, without what is in them, into the `dist/` of the clone; return that folder."""
    folder = world.clone / "dist"
    folder.mkdir(exist_ok=True)
    for name, content in (
        build_wheel(world.package, version, sources={}),
        build_sdist(world.package, version, files={}),
    ):
        (folder / name).write_bytes(content)
    return folder


def environment(world: World) -> dict[str, str]:
    """What GitHub Actions puts into the environment of the gate's job."""
    run = next(run for run in world.github.workflow_runs.values() if run.head_branch == TAG)
    return {
        "GITHUB_RUN_ID": str(run.id),
        "GITHUB_REF": f"refs/tags/{TAG}",
        "GITHUB_SHA": run.head_sha,
        "GITHUB_WORKFLOW_REF": f"{world.repository}/.github/workflows/release.yml@refs/tags/{TAG}",
        "GITHUB_JOB": "gate",
    }
