"""A run on a project whose pushed tags start its publication, and whose commits declare the version."""

from __future__ import annotations

from pathlib import Path

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
