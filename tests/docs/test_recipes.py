"""The recipes of docs/recipes.md in the demo world: their gates let a release pass, and their files have no fault."""

from __future__ import annotations

import re
from pathlib import Path

from release_state.demo import flows
from release_state.demo.github import Job
from tests.standins.world import World
from tests.support import tagged
from tests.support.cli import ROOT
from tests.support.worlds import Ran, run

TEXT = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8").replace("OWNER", "example-org")
FILES = [
    text.replace("@COMMIT", f"@{'a' * 40}")
    for text in re.findall(r"^```yaml\n(name: .*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
]
"""The whole workflow files: of a tag, of a release pull request, by hand."""
GOOD = ("holds", "not applicable")


def begin(world: World, name: str, text: str, event: str = "push") -> None:
    """Make a project that has released with this workflow before."""
    flows.begin(world, flows.Flow({name: text}, name, ("gate", "publish", "verify"), event=event))


def faults(ran: Ran) -> list[str]:
    """The checks of the workflow file, of its rights and of its runs that do not hold."""
    ours = ("WORKFLOW-", "PERMISSION-", "RUN-")
    return [f"{check}: {end}" for check, end in ran.only.items() if check.startswith(ours) and end not in GOOD]


def test_a_tag_starts_the_upload(tmp_path: Path) -> None:
    with World() as world:
        begin(world, "release.yml", FILES[0])
        sha = world.bump("0.2.0", "main")
        world.ci(sha)
        world.sync_clone()
        before = run(world, "--phase", "pre-release", reports=tmp_path)
        assert (before.code, before.verdict) == (0, "READY TO RELEASE"), before.output
        assert "WORKFLOW-6" in before.only and faults(before) == []

        world.tag("0.2.0", sha)
        world.github.add_run(
            *("release.yml",), status="in_progress", event="push", head_branch="v0.2.0", head_sha=sha,
            jobs=[Job("Build"), Job("Gate", status="in_progress")], check_runs=True, created_at=world.tick(),
        )  # fmt: skip
        environ, dist = tagged.environment(world), str(tagged.build(world))
        gate = run(world, "--phase", "pre-publish", "--built", dist, reports=tmp_path, env=environ)
        assert (gate.code, gate.verdict, gate.only["DIST-1"]) == (0, "READY TO PUBLISH", "holds"), gate.output


def test_a_release_pull_request_may_be_merged(tmp_path: Path) -> None:
    """While it is open, only advice says that the base branch declares the version before it."""
    with World() as world:
        flows.begin(world, flows.RELEASE_PLEASE)
        world.remote_git.set_ref(f"refs/heads/{flows.PLEASE_BRANCH}", world.main())
        title = "chore(main): release 0.2.0"
        world.commit(title, {"version.txt": b"0.2.0\n"}, branch=flows.PLEASE_BRANCH)
        world.github.add_pull(
            flows.PLEASE_BRANCH, "main", title=title, body="", user=flows.BOT, created_at=world.tick()
        )
        world.sync_clone()
        gate = run(world, "--phase", "pre-release", reports=tmp_path, version=title.rpartition(" ")[2])
    assert "${TITLE##* }" in FILES[1] and (gate.code, gate.verdict) == (0, "READY TO RELEASE"), gate.output
    assert gate.only["META-1"] == "action needed"


def test_a_release_by_hand_may_start(tmp_path: Path) -> None:
    with World() as world:
        begin(world, "release.yml", FILES[2], "workflow_dispatch")
        world.ci(world.bump("0.2.0", "main"))
        world.sync_clone()
        gate = run(world, "--phase", "pre-release", reports=tmp_path)
    assert (gate.code, gate.verdict) == (0, "READY TO RELEASE"), gate.output
    assert faults(gate) == []
