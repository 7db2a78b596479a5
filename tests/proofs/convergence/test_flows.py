"""Projects that release by a tag, a GitHub Release, release-please or in a monorepo: their printed plans lead out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from release_state.demo import flows
from release_state.demo.flows import Flow
from release_state.demo.scenarios import SCENARIOS, VERSION
from release_state.model.outcome import Verdict
from release_state.model.plan import Wanted
from tests.proofs.convergence.bench import Bench
from tests.proofs.convergence.journey import End, Journey, needed
from tests.proofs.convergence.remains import Remains
from tests.support.built import built

FLOWS = {
    "tag-driven": flows.TAG_DRIVEN,
    "release-driven": flows.RELEASE_DRIVEN,
    "release-please": flows.RELEASE_PLEASE,
    "monorepo": flows.MONOREPO,
}
LINES = {
    "tag-driven": ("gh run rerun",),
    "release-driven": ("gh release edit v0.2.0 --draft ", "gh release edit v0.2.0 --draft=false"),
    "release-please": ("gh run rerun",),
    "monorepo": ("git tag --annotate orbit-demo-v0.2.0", "git push"),
}
"""What the plan of each failed release consists of, beside look-ups."""


@contextmanager
def bench_of(scenario: str, flow: Flow) -> Iterator[Bench]:
    """A bench with the world of a scenario."""
    with built(scenario, SCENARIOS[scenario].build) as world:
        world.tags, world.folder = flow.tags, flow.folder
        with Bench(world, flow).open() as bench:
            yield bench


def gone(bench: Bench, wanted: Wanted = "auto") -> End:
    """Where the printed plans lead; nothing is lost on the way."""
    before = Remains(bench, "pypi")
    journey = Journey(bench, "pypi", wanted)
    end = journey.go()
    before.assert_nothing_is_lost(journey.follower, end.story)
    assert not needed(end.verdict), end.story
    return end


@pytest.mark.parametrize("name", FLOWS)
def test_what_is_printed_completes_a_failed_release(name: str) -> None:
    """Each command is one of those that this process calls for, and the release is whole afterwards."""
    with bench_of(f"{name}-failed", FLOWS[name]) as bench:
        end = gone(bench)
        assert end.verdict.verdict is Verdict.VERIFIED, end.story
        told = [line.removeprefix("  $ ") for line in end.story.splitlines() if line.startswith("  $ ")]
        did = [line for line in told if not line.startswith(("release-state ", "git fetch", "sh "))]
        assert len(did) == len(LINES[name]), end.story
        for line, begins in zip(did, LINES[name], strict=True):
            assert line.startswith(begins), end.story
        assert {release.tag for release in bench.world.github.releases.values() if not release.draft} == {
            bench.world.tags.format(version=version) for version in (*flows.EARLIER, VERSION)
        }


@pytest.mark.slow
@pytest.mark.parametrize("state", ["", "-failed"])
@pytest.mark.parametrize("name", FLOWS)
def test_what_is_printed_withdraws_a_release(name: str, state: str) -> None:
    with bench_of(f"{name}{state}", FLOWS[name]) as bench:
        end = gone(bench, "rollback")
        assert end.verdict.verdict is Verdict.ROLLED_BACK, end.story
        assert all(file.yanked for file in bench.world.index.files("pypi", VERSION))
