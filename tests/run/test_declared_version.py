"""A run on a project whose pushed tags start its publication, and whose commits declare the version."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.standins.world import World
from tests.support.tagged import FLOW
from tests.support.worlds import run


def test_what_the_base_branch_declares_is_compared_before_the_tag(tmp_path: Path) -> None:
    with World() as world:
        world.ci(world.commit("ci: publish what is tagged", {".github/workflows/release.yml": FLOW.encode()}))
        world.sync_clone()
        early = run(world, "--no-install", reports=tmp_path).only
        assert (early["META-1"], early["META-31"]) == ("action needed", "holds")
        world.bump("0.2.0", "main")
        world.ci(world.commit("fix: x", {"src/orbit_demo/__init__.py": b'__version__ = "0.1.0"\n'}))
        world.sync_clone()
        half = run(world, "-k", "META", reports=tmp_path).only
        assert (half["META-1"], half["META-31"]) == ("holds", "action needed")


ANY_TAG = (
    FLOW.replace('"v*"', '"*"')
    .replace("needs: sign,", "needs: sign, if: \"startsWith(github.ref, 'refs/tags/v')\",")
    .replace("jobs:", "permissions: {contents: read, id-token: write}\njobs:")
)
"""The filter takes any tag, and the condition of the upload says which ones start it."""
BY_HAND = ANY_TAG.replace("on: {", "on: {workflow_dispatch: , ")
ALONE = FLOW.replace('{push: {tags: ["v*"]}}', "workflow_dispatch").replace(
    "jobs:", "permissions: {contents: read, id-token: write}\njobs:"
)


ELSEWHERE = ANY_TAG.replace(
    "{run: pytest}", "{run: 'sed -i s/version/x/ README.md'}, {run: hatch version > version.txt}"
)
"""What is set there is not what the build backend reads."""


@pytest.mark.parametrize(
    ("flow", "code", "outcome"),
    [
        (ANY_TAG, 1, "action needed"),
        (BY_HAND, 1, "action needed"),
        (ALONE, 6, "unknown"),
        (ELSEWHERE, 1, "action needed"),
    ],
    ids=["any tag", "any tag, or by hand", "by hand alone", "another version set"],
)
def test_no_release_is_ready_while_the_version_before_is_declared(
    flow: str, code: int, outcome: str, tmp_path: Path
) -> None:
    with World() as world:
        world.ci(world.commit("ci: publish", {".github/workflows/release.yml": flow.encode()}))
        world.sync_clone()
        early = run(world, "--no-install", reports=tmp_path)
        assert (early.code, early.only["META-1"]) == (code, outcome), early.output
        world.ci(world.bump("0.2.0", "main"))
        world.sync_clone()
        ready = run(world, "--no-install", reports=tmp_path)
        assert (ready.code, ready.only["META-1"]) == (0, "holds"), ready.output
