"""What another channel has published decides what may go of what both leave: it is asked, and only then."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from release_state.facts.published import find_sharing, find_sharing_any
from release_state.facts.release import Release
from release_state.model.observation import NotObserved, known
from release_state.model.outcome import Verdict
from release_state.model.plan import Wanted
from release_state.model.snapshot import Snapshot
from release_state.model.target import Channel, Target, Trace
from release_state.observe.collect import collect
from release_state.observe.git.reader import find_repository
from release_state.plan.recovery import Recovery
from release_state.settings.config import Arguments, load
from tests.standins.world import World
from tests.support import states as s
from tests.support.judged import verdict_of
from tests.support.losses import assert_nothing_is_lost
from tests.support.worlds import world_of

BOTH = {"pypi": s.project(s.file(), s.file("sdist")), "internal": s.project()}
"""Published on PyPI, not on the other index."""
OTHERS = s.history(s.lineage(declared_version="0.1.0"))
"""The tagged commit declares another version: a release that nothing rested on would be withdrawn."""


def internal(*leaves: Trace) -> Channel:
    return Channel(name="internal", index_url="https://internal.example/simple/", leaves=leaves)


def aim(*leaves: Trace, **changes: Any) -> Target:
    channel = internal(*leaves)
    return s.target(channel=channel, channels=(s.PYPI, s.TESTPYPI, channel), **changes)


def destroying(found: Snapshot, wanted: Wanted = "auto") -> list[str]:
    plan = verdict_of(found, wanted).plan
    assert_nothing_is_lost(found, plan, str(plan))
    return [step.title for step in plan.steps if step.destroys]


@pytest.mark.parametrize("wanted", ["auto", "rollback", "force-recovery"])
@pytest.mark.parametrize("leaves", [("tag",), ("tag", "release"), ("tag", "release", "pull-request")])
def test_what_another_channel_has_released_stays(leaves: tuple[Trace, ...], wanted: Wanted) -> None:
    found = s.released(target=aim(*leaves), index=BOTH, pulls=known(()), history=OTHERS)
    assert destroying(found, wanted) == []
    alone = structs.replace(found, index={**BOTH, "pypi": s.project()})
    assert (destroying(alone, wanted) != []) == (wanted != "force-recovery"), "nobody rests on it: it goes"


@pytest.mark.parametrize("wanted", ["auto", "rollback"])
@pytest.mark.parametrize("index", [s.failed("index pypi"), None, s.project(status="quarantined")])
def test_where_the_other_index_is_silent_it_is_found_out_first(index: Any, wanted: Wanted) -> None:
    if index is not None and index.is_known:
        index = known(structs.replace(index.present(), releases=()))
    pages = {"internal": s.project(), **({} if index is None else {"pypi": index})}
    found = s.released(target=aim("tag", "release"), index=pages, pulls=known(()), history=OTHERS)
    verdict = verdict_of(found, wanted)
    assert destroying(found, wanted) == []
    assert any(step.undecided and step.undecided.source == "index pypi" for step in verdict.plan.steps)
    assert verdict.verdict not in (Verdict.READY, Verdict.VERIFIED, Verdict.ROLLED_BACK)


def test_what_rests_on_another_channel_alone_is_withdrawn_here_already() -> None:
    found = s.released(target=aim("tag", "release"), index=BOTH, pulls=known(()))
    verdict = verdict_of(found, "rollback")
    assert verdict.verdict is Verdict.ROLLED_BACK
    assert [step.title.partition(":")[0] for step in verdict.plan.steps] == [
        "Keep the GitHub Release v0.2.0",
        "Keep the tag v0.2.0",
    ]
    assert all(step.advice for step in verdict.plan.steps)


def test_a_yanked_version_keeps_what_another_channel_rests_on() -> None:
    """Of two channels that leave everything, one withdraws: its files are yanked, the GitHub Release is the other's."""
    yanked = s.project(s.file(yanked=True), s.file("sdist", yanked=True))
    pages = {"internal": yanked, "pypi": BOTH["pypi"]}
    found = s.released(target=aim("tag", "release", "pull-request"), index=pages, pulls=known(()))
    assert destroying(found, "rollback") == []
    assert verdict_of(found, "rollback").verdict is Verdict.ROLLED_BACK


def test_a_tag_that_two_channels_rest_on_is_moved_by_neither() -> None:
    misplaced = s.history(s.lineage(declared_version="0.1.0"), s.lineage(s.OTHER))
    pages = {"internal": BOTH["pypi"], "pypi": BOTH["pypi"]}
    found = s.released(
        target=aim("tag"), index=pages, history=misplaced, published=s.published(s.candidate(s.OTHER)), pulls=known(())
    )
    assert destroying(found) == []
    (first,) = (step for step in verdict_of(found).plan.steps if step.mends == "all")
    assert first.title.startswith("First check 0.2.0 on pypi") and "pypi" in first.commands[0]
    assert first.reason.startswith("0.2.0 is published on pypi, too, which needs the ")
    own = structs.replace(found, index={**pages, "pypi": s.project()})
    assert [title.split()[0] for title in destroying(own)] == ["Move"], "of its own channel alone it moves as before"


@pytest.mark.parametrize("wanted", ["auto", "rollback", "complete", "force-recovery"])
def test_nothing_is_done_to_the_traces_of_another_package(wanted: Wanted) -> None:
    base = s.lineage(s.BASE, on_base=True, ahead=0, other_packages=("orbit-demo",))
    new = s.project(listed=False, releases={})
    found = s.released(index={"pypi": new}, history=s.history(base), published=known(None))
    (only,) = Recovery(Release(found), wanted).plan.steps
    assert only.destroys is None and only.commands[0][only.commands[0].index("--package") + 1] == "orbit-demo"
    several = s.history(structs.replace(base, other_packages=("orbit-demo", "orbit-more")))
    (only,) = Recovery(Release(structs.replace(found, history=several)), wanted).plan.steps
    assert only.title.endswith("orbit-demo; orbit-more") and not only.commands


@pytest.mark.parametrize("published", [True, False])
def test_a_branch_that_channels_share_is_kept_for_who_has_published_from_it(published: bool) -> None:
    """By a template without the channel's name; the same holds for force, and for another version's branch."""
    template, older = "release/v{version}", s.branch("release/v0.1.9", s.OTHER)
    page = s.project(s.file(), s.file("sdist"), releases={"0.1.9": False}) if published else s.project()
    found = s.ready(
        target=aim("tag", branch_template=template),
        remote=s.remote(s.branch("release/v0.2.0"), older),
        history=s.history(s.lineage(unmerged_count=1), s.lineage(s.OTHER, unmerged_count=1)),
        branch_pulls={older.name: known(())},
        index={"internal": s.project(), "pypi": page},
    )
    ways: tuple[Wanted, ...] = ("auto", "rollback", "force-recovery")
    for wanted in ways:
        gone = [title for title in destroying(found, wanted) if title.startswith("Delete")]
        assert bool(gone) is not published, wanted


def test_a_version_in_flight_keeps_its_branch_from_force() -> None:
    branch = s.branch("release/pypi-v0.1.9", s.OTHER)
    found = s.ready(
        remote=s.remote(branch),
        history=s.history(s.lineage(s.OTHER, unmerged_count=1)),
        branch_pulls={branch.name: known(())},
        index={"pypi": s.project(releases={"0.1.9": False})},
    )
    assert destroying(found, "force-recovery") == []
    titles = [step.title for step in verdict_of(found, "force-recovery").plan.steps]
    assert "Check the unfinished release of 0.1.9 on pypi" in titles


def test_the_clones_tag_of_a_version_that_another_channel_published_stays() -> None:
    """It may be the very tag that is missing on the remote."""
    found = s.ready(target=aim("tag"), clone=s.clone(tags=(s.tag(),)), index=BOTH)
    assert destroying(found) == []
    alone = structs.replace(found, index={**BOTH, "pypi": s.project()})
    assert destroying(alone) == ["Delete the clone's tag v0.2.0"]


def test_no_run_is_started_over_what_another_channel_has_published() -> None:
    found = s.ready(target=aim("tag"), phase="post-recovery", remote=s.remote(s.branch("release/internal-v0.2.0")))
    found = structs.replace(found, history=s.history(s.lineage(unmerged_count=1)), index=BOTH)
    alone = structs.replace(found, index={**BOTH, "pypi": s.project()})
    titles = [[step.title for step in verdict_of(each).plan.steps] for each in (found, alone)]
    starts = [any(title.startswith("Start the release again") for title in each) for each in titles]
    assert starts == [False, True], titles


def test_testpypi_and_pypi_rest_on_nothing_of_each_other() -> None:
    for channel in (s.PYPI, s.TESTPYPI):
        assert find_sharing_any(s.target(channel=channel)) == ()
    shared = s.target(channel=s.TESTPYPI, branch_template="release/v{version}")
    assert find_sharing(shared, "branch") == (s.PYPI,)
    assert find_sharing(s.target(branch_template="release/v{version}"), "branch") == ()


WITH_TAGS = {"channels": {"testpypi": {"leaves": ["tag"]}}}


def observed(world: World, folder: Path, channel: str, configured: dict[str, Any]) -> Snapshot:
    arguments = Arguments(
        versions=("0.2.0",),
        channels=(channel,),
        repo=str(world.clone),
        settings={"remote-url": world.remote_url, "package": world.package, "repository": world.repository},
        index_urls=tuple(f"{name}={world.index_url(name)}" for name in ("pypi", "testpypi")),
        github_api_url=world.github.url,
        install=False,
    )
    config = load(arguments, {}, folder, find_repository, (configured, "a list"))
    (found,) = collect(
        config,
        frozenset({"index", "remote", "pulls", "release", "drafts", "runs", "history"}),
        fixed_phase=None,
        token=world.token,
        token_source="GITHUB_TOKEN",
        own_run_id=None,
        environ={},
    )
    return found


@pytest.mark.parametrize(
    ("channel", "configured", "asked"),
    [
        ("pypi", {}, ["pypi"]),
        ("testpypi", {}, ["testpypi"]),
        ("testpypi", WITH_TAGS, ["pypi", "testpypi"]),
        ("testpypi", {"channels": {**WITH_TAGS["channels"], "pypi": {"leaves": []}}}, ["testpypi"]),
    ],
)
def test_another_index_is_asked_only_where_it_decides(
    channel: str, configured: dict[str, Any], asked: list[str], tmp_path: Path
) -> None:
    with world_of("released") as world:
        world.index.requests.clear()
        found = observed(world, tmp_path, channel, configured)
        pages = {match[1] for each in world.index.requests if (match := re.match(r"/(\w+)/simple/", each.path))}
    assert sorted(pages) == asked
    assert sorted(found.index) == asked
    if channel == "testpypi":
        assert destroying(found, "rollback") == []


def test_a_file_that_may_be_of_this_version_is_no_proof_that_nothing_is_published() -> None:
    doubtful = ("orbit-0.2.0.exe",)
    for page, is_known in ((s.project(skipped=doubtful), False), (s.project(s.file(), skipped=doubtful), True)):
        release = Release(s.released(target=aim("tag"), index={"internal": s.project(), "pypi": page}))
        if is_known:
            assert release.find_dependents("tag") == ("pypi",)
        else:
            with pytest.raises(NotObserved):
                release.find_dependents("tag")


def test_a_branch_that_is_left_over_here_is_kept_for_who_has_published_from_it() -> None:
    pages = {"internal": BOTH["pypi"], "pypi": BOTH["pypi"]}
    found = s.released(
        target=aim("tag", branch_template="release/v{version}"),
        remote=s.remote(s.tag(), s.branch("release/v0.2.0")),
        history=s.history(s.lineage(unmerged_count=1)),
        index=pages,
        pulls=known(()),
    )
    assert destroying(found) == []
    alone = structs.replace(found, index={**pages, "pypi": s.project()})
    assert destroying(alone) == ["Delete the release branch release/v0.2.0"]
