"""The states that a release can be left in, as far as they can exist together, and how the demo world gets there."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

from release_state.demo import project
from release_state.demo.world import World

VERSION = "0.2.0"

TAGS = ("absent", "local", "remote", "both", "differ", "elsewhere", "lightweight")
INDEXES = ("absent", "whole", "sdist", "wheel", "part-yanked", "yanked")
RELEASES = ("absent", "draft", "published", "wrong-flag", "not-latest", "immutable")
PULLS = ("none", "open", "closed", "merged", "merged-left", "wrong-base")
BRANCHES = ("absent", "empty", "ahead", "moved")
RUNS = ("none", "failed")
OTHERS = ("none", "orphaned", "none", "merged", "none", "none", "unfinished", "none")
"""How the other release branch takes turns: mostly there is none."""
WORKFLOWS = ("commits", "bumps")
ADVICE = ("followed", "left")

ON_REMOTE = ("remote", "both", "differ", "elsewhere", "lightweight")
"""The values of `State.tag` in which the remote has the tag."""
ON_RELEASE = ("local", "remote", "both", "differ", "lightweight")
"""Those in which a tag, wherever it is, is on the released commit."""


@dataclass(frozen=True)
class State:
    """One state of version 0.2.0 on one channel."""

    channel: str
    tag: str
    """`differ`: the clone's is on another commit than the remote's; `elsewhere`: on a commit of another version."""
    index: str
    release: str
    pull: str
    """`merged`: squashed, the branch deleted; `merged-left`: squashed, the branch still there."""
    branch: str
    """`empty`: equal to main, as today's workflow leaves it; `moved`: on by a commit since the publication."""
    run: str = "none"
    others: str = "none"
    """Another release branch; `unfinished`: of a version that is published on the other channel."""
    workflow: str = "commits"
    """What a run started by the plan does: commit the version on its branch, or bump without a commit."""
    advice: str = "followed"
    """Whether the steps that may be left undone are done."""

    def __str__(self) -> str:
        return "-".join(f"{getattr(self, field.name)}" for field in fields(self))

    @property
    def is_published(self) -> bool:
        """Whether the index has files of it, yanked ones too."""
        return self.index != "absent"


def can_exist(state: State) -> bool:
    """Whether the parts of a state can exist together."""
    pulls = {
        # A pull request needs commits, and one whose branch is deleted is closed by that.
        "absent": ("none", "closed", "merged"),
        "empty": ("none", "closed"),
        "ahead": ("none", "open", "closed", "merged-left", "wrong-base"),
        "moved": ("none", "open", "closed", "merged-left", "wrong-base"),
    }
    if state.pull not in pulls[state.branch]:
        return False
    if state.release not in ("absent", "draft") and state.tag not in ON_REMOTE:
        return False  # without its tag a published release turns into a draft
    if state.branch == "moved" and not state.is_published:
        return False
    return state.channel == "pypi" or (state.tag, state.release, state.pull) == ("absent", "absent", "none")


def every_state() -> Iterator[State]:
    """Every combination of the traces of the version itself, on both channels."""
    for channel, *traces in itertools.product(("pypi", "testpypi"), TAGS, INDEXES, RELEASES, PULLS, BRANCHES):
        state = State(channel, *traces)
        if can_exist(state):
            yield state


def covering(states: Sequence[State], size: int) -> list[State]:
    """A part of the states in which values occur together that do so in some state: any `size` of channel, tag, index,
    GitHub Release and pull request, and any two of these and the branch.

    The greedy choice, always the same: the state that adds most; what surrounds the version takes turns.
    """

    def groups(state: State) -> set[tuple[tuple[int, str], ...]]:
        values = list(enumerate((state.channel, state.tag, state.index, state.release, state.pull, state.branch)))
        return {*itertools.combinations(values[:-1], size), *itertools.combinations(values, 2)}

    covered: set[tuple[tuple[int, str], ...]] = set()
    # What a state adds only shrinks: only the one on top has to be counted again.
    heap = [(-len(groups(state)), number) for number, state in enumerate(states)]
    heapq.heapify(heap)
    chosen: list[State] = []
    around = itertools.cycle(itertools.product(ADVICE, WORKFLOWS, OTHERS, RUNS))
    while heap:
        _, number = heapq.heappop(heap)
        adds = groups(states[number]) - covered
        if heap and -len(adds) > heap[0][0]:
            if adds:
                heapq.heappush(heap, (-len(adds), number))
            continue
        if adds:
            covered |= adds
            advice, workflow, others, run = next(around)
            chosen.append(replace(states[number], run=run, others=others, workflow=workflow, advice=advice))
    return chosen


def build(world: World, state: State) -> None:
    """Bring a world from its base into a state, by what a workflow and people do."""
    branch, main = world.branch(state.channel, VERSION), world.main()
    _other_branches(world, state)
    head = _released_commit(world, state, branch)
    sync(world)
    kinds = {"sdist": ("sdist",), "wheel": ("wheel",)}.get(state.index, ("sdist", "wheel"))
    files = world.publish(state.channel, VERSION, head, kinds=kinds) if state.is_published else []
    _tags(world, state, head, main)
    pull = _pull(world, state, branch)
    if state.branch == "moved":
        world.commit("fix: mend it after the publication", branch=branch)
    _release(world, state)
    if state.pull in ("merged", "merged-left") and pull is not None:
        if state.branch == "moved":  # merged as it was published, and pushed to since
            moved = world.remote_git.rev(f"refs/heads/{branch}")
            world.remote_git.set_ref(f"refs/heads/{branch}", head)
            world.merge_pull(pull)
            world.remote_git.set_ref(f"refs/heads/{branch}", moved)
        else:
            world.merge_pull(pull)
    if state.pull == "closed" and pull is not None:
        world.close_pull(pull)
    if state.branch in ("absent", "empty") and f"refs/heads/{branch}" in world.remote_git.refs():
        world.delete_branch(branch)
    if state.branch == "empty":
        world.remote_git.set_ref(f"refs/heads/{branch}", world.main())
    if state.index == "yanked":
        world.index.yank(state.channel, VERSION, "released by mistake")
    if state.index == "part-yanked":
        world.index.yank(state.channel, files[0], "a broken file")
    if state.run == "failed":
        log = f"Building {VERSION} on {branch}\n##[error]Process completed with exit code 1.\n"
        world.run_release(state.channel, "failure", "Build", log, head_sha=main)
    world.ci_green(world.main())
    sync(world)


def sync(world: World) -> None:
    """Bring the clone up to date as a maintainer does, its own tags left alone."""
    world.clone_git.run("fetch", "--quiet", "--prune", "--no-tags", "origin", "+refs/heads/*:refs/remotes/origin/*")
    world.clone_git.run("reset", "--quiet", "--hard", "origin/main")


def _released_commit(world: World, state: State, branch: str) -> str:
    """Make the commit that was, or would be, released, with the release branch that it is on."""
    if state.branch == "empty":
        # Bumped without a commit. A pull request can only have come from an earlier run, which did commit.
        if state.pull != "none":
            world.push_release_branch(state.channel, VERSION)
        return world.main()
    on_branch = state.branch != "absent" or state.pull != "none" or state.tag in ON_RELEASE
    if on_branch or state.channel == "testpypi":
        return world.push_release_branch(state.channel, VERSION)
    # No ref leads to anything but main: it was published from there.
    return world.bump(VERSION, "main") if state.is_published else world.main()


def _tags(world: World, state: State, head: str, main: str) -> None:
    if state.tag == "elsewhere":
        world.tag(VERSION, world.remote_git.rev(f"{main}~1"))
    elif state.tag != "absent":
        local = state.tag in ("local", "both")
        annotated = state.tag != "lightweight"
        world.tag(VERSION, head, annotated=annotated, local=local, remote=state.tag != "local")
    if state.tag == "differ":
        world.tag(VERSION, world.clone_git.rev(f"{main}~1"), local=True, remote=False)


def _pull(world: World, state: State, branch: str) -> int | None:
    if state.pull == "none":
        return None
    if state.pull != "wrong-base":
        return world.open_pull(VERSION, state.channel)
    world.remote_git.set_ref("refs/heads/develop", world.remote_git.rev(f"{world.main()}~1"))
    title = project.pull_title(VERSION)
    return world.github.add_pull(branch, "develop", title=title, user="release-bot", created_at=world.tick())


def _release(world: World, state: State) -> None:
    if state.release in ("draft", "published", "not-latest"):
        world.github_release(VERSION, draft=state.release == "draft", latest=state.release == "published")
    elif state.release != "absent":
        world.github.add_release(
            f"v{VERSION}",
            prerelease=state.release == "wrong-flag",
            immutable=state.release == "immutable",
            make_latest="true",
            created_at=world.time,
            published_at=world.tick(),
        )


def _other_branches(world: World, state: State) -> None:
    if state.others == "orphaned":
        world.push_release_branch("pypi", "0.1.5")
    elif state.others == "merged":
        pull = next(pull for pull in world.github.pulls.values() if pull.merged_at)
        world.remote_git.set_ref(f"refs/heads/{pull.head_ref}", pull.head_sha)
    elif state.others == "unfinished":
        other = "testpypi" if state.channel == "pypi" else "pypi"
        world.publish(other, "0.1.5", world.push_release_branch(other, "0.1.5"))
