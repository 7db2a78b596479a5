"""Every state that the traces of a release can be in together: each has a name, a way out, and loses nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from release_state.model import Observation, known
from release_state.outcome import Verdict
from release_state.plan import Plan, Step
from release_state.snapshot import Snapshot
from release_state.verdict import TargetVerdict
from tests import states as s
from tests.judged import verdict_of

GREEN = {Verdict.READY, Verdict.VERIFIED, Verdict.ROLLED_BACK}
MOVED = "e" * 40

TAGS = ("absent", "local", "remote", "both", "differ", "elsewhere", "on base", "lightweight", "unknown")
INDEXES = ("absent", "whole", "sdist", "wheel", "part yanked", "yanked", "no files", "unknown")
RELEASES = ("absent", "draft", "published", "immutable", "wrong flag", "not latest", "unknown")
PULLS = ("none", "open", "closed", "merged", "wrong base", "several", "unknown")
BRANCHES = ("absent", "empty", "unmerged", "moved", "history unknown")
RUNS = ("none", "running", "unknown")
CLONES = ("clean", "none", "dirty", "behind", "shallow", "unknown")


def tag_facts(tag: str) -> tuple[list[Any], tuple[Any, ...]]:
    """The remote's tags and the clone's."""
    remote, local = s.tag(), s.tag()
    return {
        "absent": ([], ()),
        "local": ([], (local,)),
        "remote": ([remote], ()),
        "both": ([remote], (local,)),
        "differ": ([remote], (s.tag(commit=s.OTHER, annotated=False),)),
        "elsewhere": ([s.tag(commit=s.OTHER)], ()),
        "on base": ([s.tag(commit=s.BASE)], ()),
        "lightweight": ([s.tag(annotated=False)], ()),
        "unknown": ([], ()),
    }[tag]


def index_facts(index: str) -> Observation[Any]:
    """The project's page."""
    yanked = s.file(yanked=True), s.file("sdist", yanked=True)
    return {
        "absent": s.project(),
        "whole": s.project(s.file(), s.file("sdist")),
        "sdist": s.project(s.file("sdist")),
        "wheel": s.project(s.file()),
        "part yanked": s.project(s.file(yanked=True), s.file("sdist")),
        "yanked": s.project(*yanked),
        "no files": s.project(listed_without_files=("0.2.0",)),
        "unknown": s.failed("index"),
    }[index]


def release_facts(release: str) -> dict[str, Observation[Any]]:
    """The GitHub Release, its drafts, and the latest one."""
    none, old = known(None), known(s.release("v0.1.0"))
    published = s.release(immutable=release == "immutable", prerelease=release == "wrong flag")
    if release == "unknown":
        return {"release": s.failed(), "drafts": s.failed(), "latest_release": s.failed()}
    if release in ("absent", "draft"):
        drafts = (s.release(draft=True),) if release == "draft" else ()
        return {"release": none, "drafts": known(drafts), "latest_release": old}
    latest = old if release == "not latest" else known(published)
    return {"release": known(published), "drafts": known(()), "latest_release": latest}


def pull_facts(pull: str) -> dict[str, Observation[Any]]:
    """The pull requests of the release branch."""
    if pull == "unknown":
        return {"pulls": s.failed(), "open_pulls": s.failed()}
    pulls = {
        "none": (),
        "open": (s.open_pull(),),
        "closed": (s.pull(merged=False),),
        "merged": (s.pull(),),
        "wrong base": (s.open_pull(base_branch="develop"),),
        "several": (s.pull(merged=False), s.open_pull(8)),
    }[pull]
    return {"pulls": known(pulls), "open_pulls": known(tuple(pull for pull in pulls if pull.is_open))}


def branch_facts(branch: str, name: str) -> tuple[list[Any], Observation[Any]]:
    """The release branch and what is known of the commits."""
    others = (s.lineage(s.OTHER), s.lineage(s.BASE, on_base=True, ahead=0))
    history = s.history(s.lineage(), *others, s.lineage(MOVED, ahead=2, unmerged_count=2), ancestors=((s.HEAD, MOVED),))
    return {
        "absent": ([], history),
        "empty": ([s.branch(name, s.BASE)], history),
        "unmerged": ([s.branch(name)], history),
        "moved": ([s.branch(name, MOVED)], history),
        "history unknown": ([s.branch(name)], s.failed("git history")),
    }[branch]


def clone_facts(clone: str, tags: tuple[Any, ...]) -> Observation[Any]:
    """The maintainer's clone."""
    if clone == "none":
        return known(None)
    if clone == "unknown":
        return s.failed("clone")
    changes: dict[str, dict[str, Any]] = {
        "clean": {},
        "dirty": {"changed": ("a",), "changed_count": 1},
        "behind": {"head": s.OTHER, "behind": known(3)},
        "shallow": {"shallow": True},
    }
    return s.clone(tags=tags, **changes[clone])


def state(
    channel: Any, tag: str, index: str, release: str, pull: str, branch: str, run: str, clone: str = "clean"
) -> Snapshot:
    """The snapshot of one state."""
    target = s.target(channel=channel)
    remote_tags, local_tags = tag_facts(tag)
    branches, history = branch_facts(branch, target.release_branch)
    found_clone = clone_facts(clone, local_tags)
    runs = {"none": s.runs(s.run()), "running": s.runs(s.run("in_progress")), "unknown": s.failed()}[run]
    return s.ready(
        target=target,
        remote=s.failed("git remote") if tag == "unknown" else s.remote(*remote_tags, *branches),
        clone=found_clone,
        history=s.failed("git history") if tag == "unknown" else history,
        index={channel.name: index_facts(index)},
        runs=runs,
        **release_facts(release),
        **pull_facts(pull),
    )


def can_exist(tag: str, pull: str, branch: str) -> bool:
    """Whether the traces can be there together: an open pull request has its branch, and commits to merge."""
    if tag == "unknown":
        return branch == "absent"  # the remote answered neither
    return not (pull in ("open", "several") and branch in ("absent", "empty"))


def product() -> Iterator[tuple[Any, ...]]:
    """Every state of the remote, GitHub and the index, on both channels."""
    for channel in (s.PYPI, s.TESTPYPI):
        for names in itertools.product(TAGS, INDEXES, RELEASES, PULLS, BRANCHES, RUNS):
            tag, _, _, pull, branch, _ = names
            if can_exist(tag, pull, branch):
                yield (channel, *names)


def clones() -> Iterator[tuple[Any, ...]]:
    """Every state of the clone, with what of the remote it meets."""
    for channel in (s.PYPI, s.TESTPYPI):
        for clone, tag, index in itertools.product(CLONES, TAGS, INDEXES):
            yield (channel, tag, index, "absent", "none", "absent", "none", clone)


STATES = [*product(), *clones()]
#: Ten are enough to spread them over the workers; every state is in exactly one part.
PARTS = 10


def commands(steps: tuple[Step, ...]) -> list[tuple[str, ...]]:
    return [command for step in steps for command in step.commands]


def pushed_away(command: tuple[str, ...]) -> str | None:
    """The ref of the remote that a command deletes."""
    return (
        next((word[1:] for word in command if word.startswith(":refs/")), None)
        if command[:2] == ("git", "push")
        else None
    )


def assert_nothing_is_lost(snapshot: Snapshot, plan: Plan, described: str) -> None:
    """No step destroys what cannot be had again, and none rests on what was not observed."""
    published = bool((snapshot.index[snapshot.target.channel.name].value or s.project().present()).files)
    kept: set[str] = set()
    closed: set[str] = set()
    undecided = False
    for step in plan.steps:
        undecided |= step.title.startswith("Find out first")
        for command in step.commands:
            line = " ".join(command)
            assert "None" not in command and "{" not in line, f"{described}: {line}"
            kept |= {word for word in command if ":refs/heads/backup/" in word}
            if command[:3] == ("gh", "pr", "close"):
                closed.add(command[3])
            ref = pushed_away(command)
            deletes = ref is not None or "--method" in command or command[3:5] == ("tag", "--delete")
            assert deletes is False or step.destroys, f"{described}: not marked as destroying: {line}"
            if ref is not None:
                assert step.precondition, described
                assert any(word.startswith("--force-with-lease=") for word in command), f"{described}: {line}"
                assert_deletable(snapshot, ref, published, kept, closed, described)
            if "workflow" in command:
                assert not undecided, f"{described}: {line}"
                assert not published and not snapshot.remote.present().tag("v0.2.0"), f"{described}: {line}"
            if "--method" in command and step.mends == "release":  # a draft is never immutable
                assert snapshot.release.is_known, described
                assert not (snapshot.release.value and snapshot.release.value.immutable), described


def assert_deletable(
    snapshot: Snapshot, ref: str, published: bool, kept: set[str], closed: set[str], described: str
) -> None:
    index = snapshot.index[snapshot.target.channel.name]
    assert snapshot.runs.is_known and not any(not run.is_finished for run in snapshot.runs.present().runs), described
    if ref.startswith("refs/tags/"):
        assert index.is_known and not published, f"{described}: the tag of a published version"
        assert snapshot.release.is_known, f"{described}: a release may rest on the tag"
        assert not (snapshot.release.value and snapshot.release.value.immutable), described
        assert snapshot.target.channel.leaves, f"{described}: not this channel's tag"
        return
    name = ref.removeprefix("refs/heads/")
    own = name == snapshot.target.release_branch
    asked = snapshot.pulls if own else snapshot.branch_pulls[name]
    assert snapshot.open_pulls.is_known and asked.is_known, f"{described}: pull requests not known"
    still_open = [pull for pull in snapshot.open_pulls.present() if str(pull.number) not in closed]
    assert not any(pull.head_branch == name for pull in still_open), f"{described}: an open pull request needs it"
    branch = snapshot.remote.present().branch(name)
    assert branch
    if branch.sha == s.BASE:
        return  # the very head of the base branch: it holds nothing else
    lineage = snapshot.history.present().lineage(branch.sha)
    merged = any(pull.merged and pull.head_sha == branch.sha for pull in asked.present())
    if lineage.ahead and not merged:
        assert any(word.startswith(branch.sha) for word in kept), f"{described}: commits are lost"


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_state_has_a_name_and_a_safe_way_out(part: int) -> None:
    assert_safe(STATES[part::PARTS])


def test_a_spread_of_states_has_names_and_safe_ways_out() -> None:
    assert_safe(STATES[::37])  # no divisor of a dimension's size: every value of each meets every other


# What they look at is the same in every state: judging it once is enough, and 86,544 times takes minutes.
UNVARIED = frozenset({"permission", "setting", "workflow", "token", "service", "testpypi"})


def test_what_no_state_varies_changes_no_verdict() -> None:
    for names in STATES[:: len(STATES) // 100]:
        whole, narrowed = verdict_of(state(*names)), verdict_of(state(*names), left_out=UNVARIED)
        assert (whole.verdict, whole.plan) == (narrowed.verdict, narrowed.plan)


def assert_safe(states: list[tuple[Any, ...]]) -> None:
    verdicts: dict[str, int] = {}
    for names in states:
        described = ", ".join(str(getattr(name, "name", name)) for name in names)
        snapshot = state(*names)
        verdict = verdict_of(snapshot, left_out=UNVARIED)
        assert verdict.diagnosis.scenario and verdict.diagnosis.title, described
        assert verdict.verdict not in (Verdict.DEFECT, Verdict.NOTHING_CHECKED), described
        assert_nothing_is_lost(snapshot, verdict.plan, described)
        needed = [step.title for step in verdict.plan.steps if not step.advice]
        assert (not needed) == (verdict.verdict in GREEN), f"{described}: {verdict.verdict} and {needed}"
        if not snapshot.target.channel.leaves:
            assert_channel_minds_its_own(verdict, described)
        verdicts[verdict.words] = verdicts.get(verdict.words, 0) + 1
    assert len(verdicts) > 3, verdicts


def assert_channel_minds_its_own(verdict: TargetVerdict, described: str) -> None:
    """Nothing that the other channel owns is touched."""
    for command in commands(verdict.plan.steps):
        assert command[:2] not in (("gh", "release"), ("git", "tag")), f"{described}: {command}"
        assert command[:3] not in (("gh", "pr", "create"), ("gh", "pr", "close")), f"{described}: {command}"


def test_the_same_snapshot_gives_the_same_plan() -> None:
    for names in STATES[:: len(STATES) // 200]:
        assert verdict_of(state(*names)) == verdict_of(state(*names))


def test_the_number_of_states_is_what_the_documents_say() -> None:
    assert len(STATES) == len(set(map(str, STATES)))
    assert len(STATES) == 86_544  # docs/states.md
