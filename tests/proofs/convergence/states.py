"""The states that a release can be left in, as far as they can exist together."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

VERSION = "0.2.0"

TAGS = ("absent", "local", "remote", "both", "differ", "elsewhere", "aside", "lightweight")
INDEXES = ("absent", "whole", "respelled", "sdist", "wheel", "part-yanked", "yanked", "deleted")
RELEASES = ("absent", "draft", "published", "wrong-flag", "not-latest", "immutable")
PULLS = ("none", "open", "closed", "several", "merged", "merged-left", "wrong-base")
BRANCHES = ("absent", "empty", "ahead", "moved")

RUNS = ("none", "failed", "timed-out", "none", "running", "none", "failed", "stuck", "none")
CLONES = ("clean", "behind", "clean", "dirty", "shallow", "clean", "none")
OTHERS = ("none", "orphaned", "none", "merged", "none", "none", "unfinished", "none")
"""The other release branch: mostly there is none."""
WORKFLOWS = ("commits", "bumps")
ADVICE = ("followed", "left")

ON_REMOTE = ("remote", "both", "differ", "elsewhere", "aside", "lightweight")
"""The values of `State.tag` in which the remote has the tag."""
ON_RELEASE = ("local", "remote", "both", "differ", "lightweight")
"""Those in which a tag, wherever it is, is on the released commit."""
IN_CLONE = ("local", "both", "differ")
"""Those in which the clone has a tag."""


@dataclass(frozen=True)
class State:
    """One state of version 0.2.0 on one channel."""

    channel: str
    tag: str
    """`differ`: the clone's is on another commit than the remote's. On a commit of another version: `elsewhere` on
    main, `aside` off it."""
    index: str
    """`respelled`: as 0.2; `deleted`: listed without any file."""
    release: str
    pull: str
    """`several`: one closed, one open; `merged`: squashed, the branch deleted; `merged-left`: the branch is left."""
    branch: str
    """`empty`: equal to main, as today's workflow leaves it; `moved`: on by a commit since the publication."""
    run: str = "none"
    clone: str = "clean"
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
        return self.index not in ("absent", "deleted")


def can_exist(state: State) -> bool:
    """Whether the parts of a state can exist together."""
    pulls = {
        # A pull request needs commits, and one whose branch is deleted is closed by that.
        "absent": ("none", "closed", "merged"),
        "empty": ("none", "closed"),
        "ahead": ("none", "open", "closed", "several", "merged-left", "wrong-base"),
        "moved": ("none", "open", "closed", "several", "merged-left", "wrong-base"),
    }
    if state.pull not in pulls[state.branch]:
        return False
    if state.release not in ("absent", "draft") and state.tag not in ON_REMOTE:
        return False  # without its tag a published release turns into a draft
    if state.branch == "moved" and not state.is_published:
        return False
    return state.channel == "pypi" or (state.tag, state.release, state.pull) == ("absent", "absent", "none")


def every_state() -> list[State]:
    """Every combination of the traces of the version itself, on both channels; what surrounds it takes turns."""
    names = itertools.product(("pypi", "testpypi"), TAGS, INDEXES, RELEASES, PULLS, BRANCHES)
    states = [state for traces in names if can_exist(state := State(*traces))]
    return [_surrounded(state, around) for state, around in zip(states, _turns(), strict=False)]


def _turns() -> Iterator[tuple[str, str, str, str, str]]:
    # The lengths have few divisors in common, so that each meets each.
    return zip(*map(itertools.cycle, (RUNS, CLONES, OTHERS, WORKFLOWS + ADVICE[:1], ADVICE)), strict=True)


def _surrounded(state: State, around: tuple[str, str, str, str, str]) -> State:
    run, clone, others, workflow, advice = around
    clone = "clean" if clone == "none" and state.tag in IN_CLONE else clone
    workflow = "commits" if workflow not in WORKFLOWS else workflow
    return replace(state, run=run, clone=clone, others=others, workflow=workflow, advice=advice)


def covering(states: Sequence[State], size: int, most: int | None = None) -> list[State]:
    """A part of the states in which values occur together that do so in some state: any `size` of channel, tag, index,
    GitHub Release and pull request, and any two of these and the branch, the run and the clone.

    The greedy choice, always the same: the state that adds most; `most` ends it early.
    """

    def groups(state: State) -> set[tuple[tuple[int, str], ...]]:
        traces = (state.channel, state.tag, state.index, state.release, state.pull)
        values = list(enumerate((*traces, state.branch, state.run, state.clone)))
        return {*itertools.combinations(values[: len(traces)], size), *itertools.combinations(values, 2)}

    covered: set[tuple[tuple[int, str], ...]] = set()
    # What a state adds only shrinks: only the one on top has to be counted again.
    heap = [(-len(groups(state)), number) for number, state in enumerate(states)]
    heapq.heapify(heap)
    chosen: list[State] = []
    while heap and len(chosen) != most:
        _, number = heapq.heappop(heap)
        adds = groups(states[number]) - covered
        if heap and -len(adds) > heap[0][0]:
            if adds:
                heapq.heappush(heap, (-len(adds), number))
            continue
        if adds:
            covered |= adds
            chosen.append(states[number])
    return chosen
