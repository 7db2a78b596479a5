"""The states that the traces of a release can be in together, and a spread of them that shows every three at once.

A state has one value of each dimension. Values that hang on each other are enumerated together, so that every choice of
one for each group is a state that can exist, and the number of states is the product of the groups' sizes.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from msgspec import structs

from release_state.model.observation import Observation, known
from release_state.model.snapshot import IndexRelease, Snapshot
from release_state.model.target import Target
from tests.support import states as s

MOVED = "e" * 40
OLDER = "1" * 40
"""A commit of another version."""

DIMENSIONS: dict[str, tuple[str, ...]] = {
    "channel": ("pypi", "testpypi"),
    "tag": (
        "absent",
        "local",
        "local aside",
        "remote",
        "both",
        "differ",
        "aside",
        "on base",
        "of another version",
        "lightweight",
        "respelled",
        "unavailable",
    ),
    "pulls": ("none", "open", "closed", "merged", "wrong base", "several", "unavailable"),
    "branch": ("absent", "empty", "unmerged", "moved", "commits unavailable"),
    "index": (
        "absent",
        "superseded",
        "whole",
        "respelled",
        "sdist",
        "wheel",
        "part yanked",
        "yanked",
        "catching up",
        "no files",
        "unavailable",
    ),
    "evidence": ("none", "released", "squashed", "on base", "another", "nothing fits", "built parts", "unavailable"),
    "release": (
        "absent",
        "draft",
        "absent, drafts unavailable",
        "published",
        "with a draft",
        "immutable",
        "immutable?",
        "wrong flag",
        "not latest",
        "drafts unavailable",
        "respelled",
        "unavailable",
    ),
    "at work": ("no", "yes", "unavailable"),
    # These take turns.
    "clone": ("clean", "none", "dirty", "behind", "shallow", "unavailable"),
    "rules": ("none", "reviews", "in the way", "unavailable"),
    "into": ("nothing", "own", "fork"),
    "runs": ("none", "failed", "timed out", "skipped", "explanation unavailable", "running", "queued", "stuck"),
}
TURNS = ("clone", "rules", "into", "runs")
FINISHED, UNFINISHED = DIMENSIONS["runs"][:5], DIMENSIONS["runs"][5:]
COMPARED = ("released", "squashed", "on base", "another", "nothing fits", "unavailable")
"""Which commit the files show to have been built from: the release branch's, which the base may hold in another form,
the base's head, another; or none."""


def _refs() -> Iterator[tuple[str, ...]]:
    """Tags, pull requests and branches that can be there together."""
    for tag, pull, branch in itertools.product(*(DIMENSIONS[name] for name in ("tag", "pulls", "branch"))):
        if tag == "unavailable" and branch != "absent":
            continue  # the remote answered neither
        if pull in ("open", "several") and branch in ("absent", "empty"):
            continue  # an open pull request has its branch, and commits to merge
        yield tag, pull, branch


def _files() -> Iterator[tuple[str, ...]]:
    """Files, and what they say of the commit that they were built from."""
    compared: dict[str, tuple[str, ...]] = {
        **dict.fromkeys(("whole", "respelled", "sdist", "part yanked", "yanked"), COMPARED),
        "wheel": (*COMPARED, "built parts"),
        "catching up": ("unavailable",),
    }
    for index in DIMENSIONS["index"]:
        yield from ((index, evidence) for evidence in compared.get(index, ("none",)))


GROUPS: tuple[tuple[tuple[str, ...], tuple[tuple[str, ...], ...]], ...] = (
    (("channel",), tuple((value,) for value in DIMENSIONS["channel"])),
    (("tag", "pulls", "branch"), tuple(_refs())),
    (("index", "evidence"), tuple(_files())),
    (("release",), tuple((value,) for value in DIMENSIONS["release"])),
    (("at work",), tuple((value,) for value in DIMENSIONS["at work"])),
)
NUMBER = math.prod(len(values) for _, values in GROUPS)
"""How many states there are."""

State = dict[str, str]


def numbered(number: int) -> State:
    """One of the states; what surrounds a release takes turns."""
    found: State = {}
    rest = number
    for names, values in GROUPS:
        rest, at = divmod(rest, len(values))
        found.update(zip(names, values[at], strict=True))
    return _surrounded(found, number)


def _surrounded(found: State, number: int) -> State:
    # A prime number each time: no size of a group divides it, so that each meets each.
    found["clone"] = DIMENSIONS["clone"][number // 7 % 6]
    found["rules"] = DIMENSIONS["rules"][number // 11 % 4]
    found["into"] = DIMENSIONS["into"][number // 17 % 3]
    runs = {"no": FINISHED, "yes": UNFINISHED}.get(found["at work"], ("none",))
    found["runs"] = runs[number // 13 % len(runs)]
    return found


@cache
def spread(size: int = 3, seed: int = 0) -> tuple[State, ...]:
    """States in which any values of `size` dimensions occur together that do so in some state (a covering array).

    For each such combination that no state has shown yet: one that has it, with everything else by lot, always the
    same. What takes turns is chosen freely.
    """
    lot = random.Random(seed)
    free = [((name,), tuple((value,) for value in DIMENSIONS[name])) for name in ("clone", "rules", "into")]
    runs = [("no", ended) for ended in FINISHED] + [("yes", busy) for busy in UNFINISHED] + [("unavailable", "none")]
    groups = [*GROUPS[:-1], (("at work", "runs"), tuple(runs)), *free]
    order = [name for names, _ in groups for name in names]
    place = {name: number for number, (names, _) in enumerate(groups) for name in names}
    seen: set[tuple[tuple[str, str], ...]] = set()
    chosen: list[State] = []
    for names in itertools.combinations(order, size):
        for values in itertools.product(*(DIMENSIONS[name] for name in names)):
            wanted = tuple(zip(names, values, strict=True))
            if wanted in seen:
                continue
            found: State = {}
            for number, (members, choices) in enumerate(groups):
                asked = {name: value for name, value in wanted if place[name] == number}
                fitting = _fitting(number, tuple(asked.items()), members, choices)
                if not fitting:
                    break
                found.update(zip(members, lot.choice(fitting), strict=True))
            else:
                chosen.append(found)
                seen.update(itertools.combinations([(name, found[name]) for name in order], size))
    return tuple(chosen)


@cache
def _fitting(
    number: int, asked: tuple[tuple[str, str], ...], members: tuple[str, ...], choices: tuple[tuple[str, ...], ...]
) -> Sequence[tuple[str, ...]]:
    places = [(members.index(name), value) for name, value in asked]
    return [choice for choice in choices if all(choice[at] == value for at, value in places)]


# ── From a state to its snapshot


@cache
def target_on(channel: str) -> Target:
    """The version on a channel."""
    return s.target(channel=s.PYPI if channel == "pypi" else s.TESTPYPI)


@cache
def _tags(tag: str) -> tuple[list[Any], tuple[Any, ...]]:
    """The remote's tags and the clone's."""
    remote, local, aside = s.tag(), s.tag(), s.tag(commit=s.OTHER, annotated=False)
    return {
        "absent": ([], ()),
        "local": ([], (local,)),
        "local aside": ([], (aside,)),
        "remote": ([remote], ()),
        "both": ([remote], (local,)),
        "differ": ([remote], (aside,)),
        "aside": ([s.tag(commit=s.OTHER)], ()),
        "on base": ([s.tag(commit=s.BASE)], ()),
        "of another version": ([s.tag(commit=OLDER)], ()),
        "lightweight": ([s.tag(annotated=False)], ()),
        "respelled": ([s.tag("0.2.0")], ()),
        "unavailable": ([], ()),
    }[tag]


@cache
def _page(index: str) -> Observation[Any]:
    """The project's page."""
    yanked = s.file(yanked=True), s.file("sdist", yanked=True)
    both = s.file(), s.file("sdist")
    respelt = s.file(version="0.2"), s.file("sdist", version="0.2")
    releases = [*s.project().present().releases, IndexRelease(version="0.2", file_count=2, yanked=False)]
    return {
        "absent": s.project(),
        "superseded": s.project(releases={"0.2.1": False}),
        "whole": s.project(*both),
        "respelled": known(structs.replace(s.project(*respelt).present(), releases=tuple(releases))),
        "sdist": s.project(s.file("sdist")),
        "wheel": s.project(s.file()),
        "part yanked": s.project(s.file(yanked=True), s.file("sdist")),
        "yanked": s.project(*yanked),
        "catching up": s.project(catching_up=tuple(file.filename for file in both)),
        "no files": s.project(listed_without_files=("0.2.0",)),
        "unavailable": s.failed("index"),
    }[index]


@cache
def _evidence(evidence: str, index: str) -> Observation[Any]:
    """From which commit the files were built."""
    if evidence == "none":
        return known(None)
    if evidence == "unavailable":
        return s.failed("published commit")
    named = {"sdist": None, "wheel": "orbit-0.2.0-py3-none-any.whl"} if index == "wheel" else {}
    if evidence == "built parts":
        return s.published(sdist=None, wheel=None, compared=0)
    is_head = evidence in ("released", "squashed")
    head = s.candidate(equal=8 if is_head else 5, **_lacking(not is_head))
    base = s.candidate(
        s.BASE,
        equal={"on base": 8, "squashed": 7}.get(evidence, 5),
        ref="refs/heads/main",
        what="the head of main",
        on_base=True,
        **({"differing": ("pyproject.toml",)} if evidence == "squashed" else _lacking(evidence != "on base")),
    )
    other = s.candidate(
        s.OTHER,
        equal=8 if evidence == "another" else 4,
        ref=None,
        what="a commit of another branch",
        **_lacking(evidence != "another"),
    )
    older = s.candidate(OLDER, equal=3, ref=None, what="an older commit", declared_version="0.1.9", **_lacking(True))
    if evidence == "nothing fits":
        return s.published(older, **named)
    return s.published(*sorted((head, base, other, older), key=lambda found: -found.equal), **named)


def _lacking(lacks: bool) -> dict[str, Any]:
    return {"differing": ("pyproject.toml", "src/orbit/__init__.py")} if lacks else {}


@cache
def _release(release: str, tag: str) -> dict[str, Any]:
    """The GitHub Release, its drafts, and the latest one; a respelled one is published where its tag is."""
    respelled = s.release("0.2.0", draft=tag != "respelled")
    others: dict[str, Observation[Any]] = {"0.2.0": known(None)} if tag == "respelled" else {}
    if release == "respelled" and others:
        found = _release("absent", "absent")
        return {**found, "other_releases": {"0.2.0": known(respelled)}, "latest_release": known(respelled)}
    if release == "respelled":
        return {**_release("absent", "absent"), "drafts": known((respelled,))}
    return {
        **_of_tag(release),
        "other_releases": {"0.2.0": s.failed()} if release == "unavailable" and others else others,
    }


@cache
def _of_tag(release: str) -> dict[str, Observation[Any]]:
    none: Observation[Any] = known(None)
    old = known(s.release("v0.1.0"))
    if release == "unavailable":
        return {"release": s.failed(), "drafts": s.failed(), "latest_release": s.failed()}
    drafts = known((s.release(draft=True),) if release in ("draft", "with a draft") else ())
    if release in ("absent", "draft", "absent, drafts unavailable"):
        drafts = drafts if release != "absent, drafts unavailable" else s.failed()
        return {"release": none, "drafts": drafts, "latest_release": old}
    immutable = {"immutable": True, "immutable?": None}.get(release, False)
    published = s.release(immutable=immutable, prerelease=release == "wrong flag")
    latest = old if release == "not latest" else known(published)
    drafts = s.failed() if release == "drafts unavailable" else drafts
    return {"release": known(published), "drafts": drafts, "latest_release": latest}


@cache
def _pulls(pull: str, head: str, into: str) -> dict[str, Observation[Any]]:
    """The pull requests of the release branch, and the open one that is to be merged into it."""
    if pull == "unavailable":
        return {"pulls": s.failed(), "open_pulls": s.failed()}
    pulls = {
        "none": (),
        "open": (s.open_pull(head_branch=head),),
        "closed": (s.pull(merged=False, head_branch=head),),
        "merged": (s.pull(head_branch=head),),
        "wrong base": (s.open_pull(base_branch="develop", head_branch=head),),
        "several": (s.pull(merged=False, head_branch=head), s.open_pull(8, head_branch=head)),
    }[pull]
    owners = {"nothing": (), "own": ("octo/orbit",), "fork": ("eve/orbit",)}[into]
    based = [s.open_pull(9, head_branch="mend", head_repository=owner, base_branch=head) for owner in owners]
    opened = tuple(pull for pull in pulls if pull.is_open)
    return {"pulls": known(pulls), "open_pulls": known((*opened, *based))}


@cache
def _remote(tag: str, branch: str, name: str) -> dict[str, Observation[Any]]:
    """The refs of the remote, and what is known of the commits."""
    if tag == "unavailable":
        return {"remote": s.failed("git remote"), "history": s.failed("git history")}
    commits = {"empty": s.BASE, "moved": MOVED}
    branches = [] if branch == "absent" else [s.branch(name, commits.get(branch, s.HEAD))]
    others = (
        s.lineage(s.OTHER),
        s.lineage(s.BASE, on_base=True, ahead=0),
        s.lineage(OLDER, on_base=True, ahead=0, declared_version="0.1.9"),
        s.lineage(MOVED, ahead=2, unmerged_count=2),
    )
    history = s.history(s.lineage(), *others, ancestors=((s.HEAD, MOVED),))
    return {
        "remote": s.remote(*_tags(tag)[0], *branches),
        "history": s.failed("git history") if branch == "commits unavailable" else history,
    }


@cache
def _clone(clone: str, tag: str) -> Observation[Any]:
    """The maintainer's clone."""
    if clone == "none":
        return known(None)
    if clone == "unavailable":
        return s.failed("clone")
    changes: dict[str, dict[str, Any]] = {
        "clean": {},
        "dirty": {"changed": ("a",), "changed_count": 1},
        "behind": {"head": s.OTHER, "ahead": known(0), "behind": known(3)},
        "shallow": {"shallow": True},
    }
    return s.clone(tags=_tags(tag)[1], **changes[clone])


@cache
def _runs(runs: str, at_work: str) -> dict[str, Observation[Any]]:
    """The runs of the release workflow, and how the last one of the version ended."""
    if at_work == "unavailable":
        return {"runs": s.failed(), "last_run": s.failed()}
    late = "The job exceeded its time limit; GitHub shows such a run as cancelled."
    last = {
        "failed": s.explained(),
        "timed out": s.explained("cancelled", step="Publish", scenario="time limit", meaning=late),
        "skipped": s.explained("success", scenario="C", lines=("released=skipped",)),
        "explanation unavailable": s.failed(),
    }
    run = {
        "running": s.run("in_progress"),
        "queued": s.run("queued"),
        "stuck": s.run("in_progress", created_at=s.NOW - timedelta(hours=2)),
    }.get(runs, s.run())
    return {"runs": s.runs(run), "last_run": last.get(runs, known(None))}


@cache
def _rules(rules: str) -> dict[str, Observation[Any]]:
    """What the base branch asks for, and what is in the way of what a release pushes."""
    found: dict[str, dict[str, Observation[Any]]] = {
        "none": {},
        "reviews": {"base_rules": s.base_rules(s.rule("pull_request", approvals=1))},
        "in the way": {
            "rulesets": known((s.ruleset(s.rule("creation"), target="branch", include=("refs/heads/release/**",)),)),
            "branch_rules": known((s.rule("creation"),)),
        },
        "unavailable": {"base_rules": s.failed(), "rulesets": s.failed(), "branch_rules": s.failed()},
    }
    return found[rules]


def snapshot(state: State, target: Target | None = None) -> Snapshot:
    """What is observed in a state; of another target than the version on that channel, where one is given."""
    target = target or target_on(state["channel"])
    tag, branch = state["tag"], target.release_branch
    return s.ready(
        target=target,
        **_remote(tag, state["branch"], branch),
        clone=_clone(state["clone"], tag),
        index={target.channel.name: _page(state["index"])},
        published=_evidence(state["evidence"], state["index"]),
        **_runs(state["runs"], state["at work"]),
        **_release(state["release"], tag),
        **_pulls(state["pulls"], branch, state["into"] if state["branch"] != "absent" else "nothing"),
        **_rules(state["rules"]),
    )
