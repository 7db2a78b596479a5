"""Names beside which git refuses those of a release: the plan makes room, keeps what it moves, and then goes on."""

from __future__ import annotations

import pytest

from release_state.demo.git import GitError
from release_state.model.outcome import Verdict
from tests.proofs.convergence.bench import Bench
from tests.proofs.convergence.journey import assert_completed, needed, of_state, prepare
from tests.proofs.convergence.remains import Remains
from tests.proofs.convergence.states import VERSION, State

BRANCH, TAG = f"refs/heads/release/pypi-v{VERSION}", f"refs/tags/v{VERSION}"
FOLDER, BELOW, BELOW_TAG = "refs/heads/release", f"{BRANCH}/x", f"{TAG}/x"
NOTHING = State("pypi", "absent", "absent", "absent", "none", "absent")
CASES = {
    "a branch is the folder": (NOTHING, FOLDER, Verdict.READY),
    "a branch is below": (NOTHING, BELOW, Verdict.READY),
    "a tag is below": (NOTHING, BELOW_TAG, Verdict.READY),
    "testpypi": (State("testpypi", "absent", "absent", "absent", "none", "absent"), FOLDER, Verdict.READY),
    "a draft is left": (State("pypi", "absent", "absent", "draft", "none", "absent"), BELOW_TAG, Verdict.VERIFIED),
    "found after the upload": (
        State("pypi", "absent", "whole", "absent", "open", "ahead"),
        BELOW_TAG,
        Verdict.VERIFIED,
    ),
    "a pull request lacks": (State("pypi", "both", "whole", "published", "none", "absent"), FOLDER, Verdict.VERIFIED),
}


@pytest.mark.parametrize(("state", "ref", "ends"), CASES.values(), ids=CASES)
def test_room_is_made_for_what_git_refuses(bench: Bench, state: State, ref: str, ends: Verdict) -> None:
    prepare(bench, state)
    world, wanted = bench.world, TAG if "tags" in ref else BRANCH
    held = world.main()
    if ref == BELOW:
        world.remote_git.set_ref("refs/heads/side", held)
        held = world.remote_git.commit("side", "feat: only there", when=world.tick(), files={"only": b"there\n"})
        world.remote_git.delete_ref("refs/heads/side")
    if ref == BELOW_TAG:
        held = world.remote_git.tag(f"v{VERSION}/x", held, when=world.tick(), message="a tag of something else")
        world.clone_git.run("fetch", "--quiet", "--no-tags", "origin", f"{ref}:{ref}")
    else:
        world.remote_git.set_ref(ref, held)
    if state.channel == "pypi":
        with pytest.raises(GitError):
            world.remote_git.set_ref(wanted, world.main())
    bench.changed()
    before = Remains(bench, state.channel)
    journey = of_state(bench, state, "auto")
    end = journey.go()
    before.assert_nothing_is_lost(journey.follower, end.story)
    assert_completed(end)
    assert end.verdict.verdict is ends, end.story
    refs = world.remote_git.refs()
    flat = f"{ref.split('/', 2)[2].replace('/', '-')}-{held[:7]}"
    assert refs[f"refs/backup/tags/{flat}" if wanted == TAG else f"refs/heads/kept-{flat}"] == held, end.story
    assert ref not in refs and ref not in world.clone_git.refs()


def test_what_rests_on_a_name_is_not_moved(bench: Bench) -> None:
    """A tag with a GitHub Release, a branch with an open pull request: a person decides, and nothing is created."""
    prepare(bench, NOTHING)
    world = bench.world
    world.remote_git.tag(f"v{VERSION}/x", world.main(), when=world.tick(), message="a tag of something else")
    world.github.add_release(f"v{VERSION}/x", body="notes", author="somebody")
    bench.changed()
    verdict = bench.observe(VERSION, "pypi")
    assert verdict.verdict is Verdict.ACTION_NEEDED
    assert [step.title.partition(" to ")[0] for step in needed(verdict)] == ["Decide what happens"]
    assert not [step for step in verdict.plan.steps if step.destroys]


def test_the_base_branch_is_never_moved(bench: Bench) -> None:
    prepare(bench, NOTHING)
    world = bench.world
    world.remote_git.set_ref(FOLDER, world.main())
    world.remote_git.run("symbolic-ref", "HEAD", FOLDER)
    bench.changed()
    verdict = bench.observe(VERSION, "pypi")
    world.remote_git.run("symbolic-ref", "HEAD", "refs/heads/main")
    assert any("--branch-template" in step.title for step in needed(verdict))
    assert not [step for step in verdict.plan.steps if step.destroys]
