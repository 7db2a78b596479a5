"""Merged pull requests of one release branch: those that brought what is tagged, and those of an earlier attempt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from release_state.model.outcome import Outcome, Verdict
from release_state.verdict.verdict import TargetVerdict
from tests.proofs.convergence.bench import Bench
from tests.proofs.convergence.journey import Journey
from tests.proofs.convergence.states import VERSION

CODE = {"src/orbit_demo/mended.py": b"MENDED = True\n"}


def released(bench: Bench, tagged: str) -> TargetVerdict:
    """The verdict, once a commit is published, tagged and has its GitHub Release."""
    world = bench.world
    world.publish("pypi", VERSION, tagged)
    world.tag(VERSION, tagged)
    world.github_release(VERSION)
    world.ci(world.main())
    world.sync_clone()
    bench.changed()
    return bench.observe(VERSION, "pypi")


def outcome_of(verdict: TargetVerdict, check: str = "PULL-11") -> Outcome:
    (found,) = (result.outcome for result in verdict.results if result.id == check)
    return found


def merged(bench: Bench, *, squash: bool = True) -> tuple[str, str]:
    """A first attempt whose pull request is merged and whose branch is gone; its release commit, and the merge."""
    world = bench.world
    head = world.push_release_branch("pypi", VERSION)
    merge = world.merge_pull(world.open_pull(VERSION), squash=squash)
    world.delete_branch(world.branch("pypi", VERSION))
    return head, merge


@pytest.mark.parametrize("goes_on_from", ["head", "merge"])
@pytest.mark.parametrize("branch", ["there", "gone"])
def test_a_pull_request_of_an_earlier_attempt_does_not_count(bench: Bench, branch: str, goes_on_from: str) -> None:
    """What was added in a later attempt is tagged and published; the plan brings it to the base branch."""
    world, name = bench.world, bench.world.branch("pypi", VERSION)
    head, merge = merged(bench)
    world.remote_git.set_ref(f"refs/heads/{name}", head if goes_on_from == "head" else merge)
    later = world.commit("fix: mend it", CODE, branch=name)
    verdict = released(bench, later)
    if branch == "gone":
        world.delete_branch(name)
        bench.changed()
        verdict = bench.observe(VERSION, "pypi")
    assert outcome_of(verdict) is Outcome.ACTION_NEEDED
    assert not [step.title for step in verdict.plan.steps if step.destroys]
    end = Journey(bench, "pypi").go()
    assert end.verdict.verdict is Verdict.VERIFIED, end.story
    world.github.refresh_pulls()
    number = max(world.github.pulls)
    assert world.github.pulls[number].head_sha == later
    world.merge_pull(number)
    world.delete_branch(name)
    bench.changed()
    assert outcome_of(bench.observe(VERSION, "pypi")) is Outcome.HOLDS


def several_commits(bench: Bench) -> str:
    """What is tagged is the first of two commits of the branch, squashed into one."""
    world, name = bench.world, bench.world.branch("pypi", VERSION)
    tagged = world.push_release_branch("pypi", VERSION)
    world.commit("docs: say more", branch=name)
    world.merge_pull(world.open_pull(VERSION))
    return tagged


def rebased(bench: Bench) -> str:
    """The base branch moved on, and the branch was rebased with another changelog before the merge."""
    world, name = bench.world, bench.world.branch("pypi", VERSION)
    tagged = world.push_release_branch("pypi", VERSION)
    world.commit(
        "fix: something else", {**CODE, "CHANGELOG.md": b"# Changelog\n\n## Unreleased\n\n- Something else.\n"}
    )
    world.delete_branch(name)
    world.bump(VERSION, name, world.main())
    world.merge_pull(world.open_pull(VERSION))
    return tagged


def merge_commit(bench: Bench) -> str:
    """The base branch holds the tagged commit itself."""
    return merged(bench, squash=False)[0]


def tagged_after(bench: Bench) -> str:
    """The tag was made after the merge, on what it left on the base branch."""
    merged(bench)
    return bench.world.commit("docs: say more")


def picked(bench: Bench) -> str:
    """A later commit of the release branch is on the base branch too, in a commit of its own."""
    world, name = bench.world, bench.world.branch("pypi", VERSION)
    world.remote_git.set_ref(f"refs/heads/{name}", merged(bench)[1])
    world.commit("docs: say more")
    tagged = world.commit("fix: mend it", CODE, branch=name)
    world.commit("fix: mend it (#9)", CODE)
    return tagged


@pytest.mark.parametrize("attempt", [several_commits, rebased, merge_commit, tagged_after, picked])
def test_the_pull_request_of_what_is_tagged_counts(bench: Bench, attempt: Callable[[Bench], str]) -> None:
    """However it was merged, and where the tag was made afterwards: nothing that blocks is asked for."""
    tagged = attempt(bench)
    world = bench.world
    if f"refs/heads/{(name := world.branch('pypi', VERSION))}" in world.remote_git.refs():
        world.delete_branch(name)
    verdict = released(bench, tagged)
    assert outcome_of(verdict) is Outcome.HOLDS
    assert verdict.verdict is Verdict.VERIFIED, verdict.findings
