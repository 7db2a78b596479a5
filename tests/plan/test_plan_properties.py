"""Random snapshots, far beyond the states that are written down: the plan never fails and never loses anything."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import convert, structs, to_builtins

from release_state.facts.release import Release
from release_state.model.observation import NotObserved, Observation, Problem, known
from release_state.model.outcome import Verdict
from release_state.model.plan import Step, Undecided, Wanted, step
from release_state.model.snapshot import PullRequest, Snapshot, Tag
from release_state.model.target import Channel, Target, Trace
from release_state.plan.recovery import Recovery
from release_state.plan.steps.commands import suite_command
from release_state.plan.steps.prerequisites import find_out_first, merge_by_cause
from tests.plan.test_state_space import GREEN
from tests.support import states as s
from tests.support.doable import assert_can_be_done
from tests.support.judged import verdict_of
from tests.support.losses import assert_nothing_is_lost, commands, pushed_away

SHAS = [character * 40 for character in "abcdef"]
shas = st.sampled_from(SHAS)
BRANCHES = [
    *("release/pypi-v0.2.0", "release/testpypi-v0.2.0", "release/internal-v0.2.0", "release/pypi-v0.1.9"),
    *("release/v0.2.0", "release/v0.1.9", "release/1.x", "feature", "release/pypi-v0.2"),
]
TAGS = ["v0.2.0", "0.2.0", "v0.2", "v0", "orbit-v0.2.0", "other-v0.2.0", "v0.1.0", "v0.2.1", "v0.2.0rc1"]


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Observation[Any]]:
    """Known, or failed."""
    return st.one_of(strategy.map(known), st.just(s.failed()))


tags = st.builds(s.tag, st.sampled_from(TAGS), shas, annotated=st.booleans())
branches = st.builds(s.branch, st.sampled_from(BRANCHES), shas)
pulls = st.builds(
    lambda number, head, sha, base, state: s.pull(
        number,
        head_branch=head,
        head_sha=sha,
        base_branch=base,
        state="open" if state == "open" else "closed",
        merged=state == "merged",
    ),
    st.integers(1, 9),
    st.sampled_from(BRANCHES),
    shas,
    st.sampled_from(["main", "develop", *BRANCHES[:3]]),
    st.sampled_from(["open", "closed", "merged"]),
)
releases = st.builds(
    s.release,
    st.sampled_from(["v0.2.0", "v0.1.0", "v0.3.0"]),
    prerelease=st.booleans(),
    immutable=st.sampled_from([True, False, None]),
    has_notes=st.booleans(),
)
drafts = st.builds(s.release, st.just("v0.2.0"), draft=st.just(True), has_notes=st.booleans())
files = st.lists(st.builds(s.file, st.sampled_from(["wheel", "sdist"]), yanked=st.booleans()), max_size=3)
projects = st.builds(
    lambda found, more, listed: s.project(*found, releases=more, listed_without_files=listed).present(),
    files,
    st.dictionaries(st.sampled_from(["0.1.9", "0.2.1", "0.3.0", "1.0"]), st.booleans(), max_size=3),
    st.sampled_from([(), ("0.2.0",)]),
)
lineages = st.lists(
    st.builds(
        s.lineage,
        shas,
        on_base=st.booleans(),
        ahead=st.integers(0, 3),
        unmerged_count=st.integers(0, 3),
        declared_version=st.sampled_from(["0.2.0", "0.1.0", "banana", None]),
    ),
    max_size=6,
    unique_by=lambda lineage: lineage.sha,
)
runs = st.lists(st.builds(s.run, st.sampled_from(["completed", "queued", "in_progress", "waiting"])), max_size=2)


def internal(*leaves: Trace) -> Channel:
    """A channel that the project's configuration adds."""
    return Channel(name="internal", index_url="https://internal.example/simple/", leaves=leaves)


traces: tuple[Trace, ...] = ("tag", "release", "pull-request")
"""In a list of these, each channel has its own, or they are shared."""
several = st.lists(st.sampled_from(traces), unique=True).map(lambda leaves: internal(*leaves))


@st.composite
def targets(draw: st.DrawFn) -> Target:
    """Of a project with PyPI and TestPyPI, and perhaps a third channel; with a branch for each, or for all."""
    third = draw(st.one_of(st.none(), several))
    channels = (s.PYPI, s.TESTPYPI, *([third] if third else []))
    return s.target(
        channel=draw(st.sampled_from(channels)),
        channels=channels,
        clone=draw(st.sampled_from(["/home/me/orbit", None])),
        branch_template=draw(st.sampled_from(["release/{channel}-v{version}", "release/v{version}"])),
    )


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    found = draw(st.lists(pulls, max_size=4, unique_by=lambda pull: pull.number))
    target = draw(targets())
    channel = target.channel
    own = tuple(pull for pull in found if pull.head_branch == target.release_branch)
    opened = tuple(pull for pull in found if pull.is_open)
    refs = [*draw(st.lists(tags, max_size=4, unique_by=lambda tag: tag.name))]
    heads = draw(st.lists(branches, max_size=4, unique_by=lambda branch: branch.name))
    local = draw(st.lists(tags, max_size=2, unique_by=lambda tag: tag.name))
    history = draw(lineages)
    pairs = tuple(draw(st.lists(st.tuples(shas, shas), max_size=4)))
    clone = s.clone(tags=tuple(local)) if target.clone else known(None)
    others = {
        branch.name: draw(maybe(st.just(tuple(p for p in found if p.head_branch == branch.name)))) for branch in heads
    }
    return s.ready(
        target=target,
        remote=draw(st.one_of(st.just(s.remote(*refs, *heads)), st.just(s.failed()))),
        clone=draw(st.one_of(st.just(clone), st.just(s.failed()))),
        history=draw(st.one_of(st.just(s.history(*history, ancestors=pairs)), st.just(s.failed()))),
        index={
            one.name: draw(maybe(projects))
            for one in target.channels
            if one.name == channel.name or draw(st.sampled_from([True, True, False]))
        },
        pulls=draw(maybe(st.just(own))),
        open_pulls=draw(maybe(st.just(opened))),
        branch_pulls=others,
        release=draw(maybe(st.one_of(st.none(), releases))),
        latest_release=draw(maybe(st.one_of(st.none(), releases))),
        drafts=draw(maybe(st.lists(drafts, max_size=2).map(tuple))),
        runs=draw(st.one_of(runs.map(lambda found: s.runs(*found)), st.just(s.failed()))),
        repository=draw(st.sampled_from([s.ready().repository, s.failed()])),
    )


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(snapshots(), st.sampled_from(["auto", "complete", "rollback", "force-recovery"]))
def test_no_plan_fails_or_loses_anything(snapshot: Snapshot, wanted: Wanted) -> None:
    verdict = verdict_of(snapshot, wanted)
    assert verdict.diagnosis.scenario and verdict.diagnosis.title
    assert verdict.verdict is not Verdict.DEFECT
    assert_nothing_is_lost(snapshot, verdict.plan, str(verdict.plan))
    assert_can_be_done(snapshot, verdict.plan, str(verdict.plan))
    if wanted == "auto":
        needed = [step.title for step in verdict.plan.steps if not step.advice]
        assert (not needed) == (verdict.verdict in GREEN), f"{verdict.verdict} and {needed}"
    assert verdict_of(snapshot, wanted) == verdict


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(snapshots())
def test_nothing_unknown_is_ever_green(snapshot: Snapshot) -> None:
    """Taking a fact away never turns a verdict green."""
    before = verdict_of(snapshot)
    for field in ("remote", "pulls", "release", "runs"):
        after = verdict_of(structs.replace(snapshot, **{field: s.failed()}))
        assert after.verdict not in GREEN or before.verdict in GREEN


def test_force_recovery_leaves_no_branch_but_those_in_use() -> None:
    """The own branch and the orphans go, each after it was saved; a maintenance branch and one in use stay."""
    orphan, used = s.branch("release/testpypi-v0.1.5", "c" * 40), s.branch("release/pypi-v0.3.0", "d" * 40)
    held = [s.lineage(sha, unmerged_count=1) for sha in (s.HEAD, "c" * 40, "d" * 40)]
    snapshot = s.ready(
        remote=s.remote(s.branch(), orphan, used, s.branch("release/1.x", "e" * 40)),
        history=s.history(*held),
        open_pulls=known((s.open_pull(head_branch=used.name),)),
        branch_pulls={orphan.name: known(()), used.name: known(())},
        index={"pypi": s.project(), "testpypi": s.project(releases={"0.1.5": False})},
    )
    verdict = verdict_of(snapshot, "force-recovery")
    assert_nothing_is_lost(snapshot, verdict.plan, "force recovery")
    titles = [step.title for step in verdict.plan.steps]
    assert [title.split()[0] for title in titles] == ["Back", "Delete", "Back", "Delete"]
    assert "release/pypi-v0.2.0" in titles[1] and orphan.name in titles[3]


def test_a_printed_run_of_the_suite_names_the_same_project() -> None:
    """Typed in any folder, it is about this package and clone, with the spelling of tags and branches of this run."""
    target = s.target(tag_template="{version}", base_branch="trunk", given=("tag-template",))
    given = suite_command(target, "0.2.1")
    pairs = list(zip(given[1::2], given[2::2], strict=True))
    indexes = [value for name, value in pairs if name == "--index-url"]
    assert indexes == [f"pypi={s.PYPI.index_url}", f"testpypi={s.TESTPYPI.index_url}"]
    assert {name: value for name, value in pairs if name != "--index-url"} == {
        "--version": "0.2.1",
        "--channel": "pypi",
        "--package": "orbit",
        "--repository": "octo/orbit",
        "--repo": "/home/me/orbit",
        "--base-branch": "trunk",
        "--tag-template": "{version}",
        "--github-api-url": "https://api.github.example",
        "--github-server-url": "https://github.example",
    }
    public = tuple(structs.replace(channel, is_public_index=True) for channel in target.channels)
    server = {"github_api": "https://api.github.com", "github_web": "https://github.com"}
    usual = structs.replace(target, channels=public, **server)
    assert not {"--index-url", "--github-api-url", "--github-server-url", "--workflow"} & set(suite_command(usual))
    enterprise = {"github_api": "https://ghe.example/api/v3", "github_web": "https://ghe.example"}
    assert "--github-server-url" not in suite_command(structs.replace(target, **enterprise)), (
        "it follows from the API's"
    )
    named = {"workflow": "publish.yml", "given": ("workflow",)}
    assert suite_command(structs.replace(usual, **named))[-2:] == ["--workflow", "publish.yml"]


def test_a_printed_run_for_another_version_leaves_out_what_was_for_this_one() -> None:
    target = s.target(settings=(("plan", "rollback"), ("block-on-advice", "true")))
    assert {"--plan", "--block-on-advice"} <= set(suite_command(target))
    other = suite_command(target, "0.2.1")
    assert "--block-on-advice" in other and "--plan" not in other


def test_a_printed_run_judges_built_files_only_before_they_are_uploaded() -> None:
    target = s.target(settings=(("built", "dist"), ("block-on-advice", "true")))
    for phase, is_kept in (("", True), ("pre-release", True), ("rollback", False), ("post-release", False)):
        command = suite_command(target, **({"phase": phase} if phase else {}))
        assert ("--built" in command) is is_kept and "--block-on-advice" in command


def test_a_printed_run_finds_out_what_this_one_found_out() -> None:
    """An option would overrule it: without a workflow that publishes, `--workflow ''` would leave its runs out."""
    for found in ({"workflow": ""}, {"workflow": "publish.yml"}, {"tag_template": "{version}"}):
        assert not {"--workflow", "--tag-template"} & set(suite_command(s.target(**found)))


def test_the_version_after_a_burnt_candidate_is_the_next_candidate() -> None:
    """rc1 is used up, rc2 is tagged in another spelling: rc3 is next, and the final version stays free."""
    page = s.project(listed_without_files=("0.2.0rc1",))
    remote = s.remote(s.tag("v0.2.0-rc.2", s.OTHER))
    declared = s.history(s.lineage(s.BASE, on_base=True, ahead=0, declared_version="0.2.0rc1"))
    found = s.ready(target=s.target(version="0.2.0rc1"), index={"pypi": page}, remote=remote, history=declared)
    verdict = verdict_of(found)
    assert verdict.diagnosis.scenario == "burnt: deleted"
    titles = [step.title for step in verdict.plan.steps if not step.advice]
    assert titles == ["Release 0.2.0rc3 instead"]


PUBLIC = structs.replace(s.PYPI, is_public_index=True)


def incomplete(days: float | None, *kinds: str, **changes: Any) -> Snapshot:
    """Published on PyPI so many days ago, with these kinds of file alone; None: the page tells no time."""
    uploaded = None if days is None else s.NOW - timedelta(days=days)
    files = [s.file(kind, uploaded_at=uploaded) for kind in kinds]
    channel = {"channel": PUBLIC, "channels": (PUBLIC, s.TESTPYPI), **changes.pop("target", {})}
    return s.released(target=s.target(**channel), index={"pypi": s.project(*files)}, **changes)


@pytest.mark.parametrize("kind", ["sdist", "wheel"])
@pytest.mark.parametrize("tagged", [True, False])
def test_nothing_is_uploaded_to_a_version_that_is_older_than_14_days(kind: str, tagged: bool) -> None:
    untagged: dict[str, Any] = {} if tagged else {"remote": s.remote()}
    plan = verdict_of(incomplete(14.01, kind, **untagged)).plan
    commands = [line for step in plan.steps for line in step.lines()]
    assert not [line for line in commands if "twine" in line or "build" in line]
    first = next(step for step in plan.steps if step.mends == "index")
    assert first.title == "Release 0.2.1 instead"
    assert "takes no new file of a version whose first file is older than 14 days" in first.reason
    assert "over at 2026-01-02 02:49 UTC" in first.reason
    assert (
        plan.direction == "next version"
        and "the index accepts no more files" in verdict_of(incomplete(15, kind)).diagnosis.title
    )
    # What is there stays offered, and the other traces belong to it.
    assert not [step for step in plan.steps if step.destroys or "Yank" in step.title]
    assert any(step.mends == "tag" for step in plan.steps) is not tagged


@pytest.mark.parametrize(
    ("days", "target", "says"),
    [
        (13.99, {}, "; it is before 2026-01-02 03:18 UTC: after that, the index accepts no more files"),
        (None, {}, "; the index may refuse it: it accepts no file later than 14 days after"),
        (99, {"channel": s.PYPI}, ""),
        (None, {"channel": s.PYPI}, ""),
    ],
)
def test_a_step_says_until_when_a_file_can_follow(days: float | None, target: dict[str, Any], says: str) -> None:
    plan = verdict_of(incomplete(days, "sdist", target=target)).plan
    (upload,) = [step for step in plan.steps if any("twine" in line for line in step.lines())]
    assert plan.direction == "complete"
    assert (upload.precondition or "").startswith("you want to publish it: an upload can be yanked")
    assert (upload.precondition or "").partition("not deleted")[2].startswith(says)
    assert says or (upload.precondition or "").endswith("not deleted")


def test_the_first_file_decides_until_when_others_can_follow() -> None:
    old, new = (s.file("sdist", uploaded_at=s.NOW - timedelta(days=days)) for days in (15, 1))
    target = s.target(channel=PUBLIC, channels=(PUBLIC, s.TESTPYPI))
    facts = Release(s.released(target=target, index={"pypi": s.project(new, old)}))
    assert facts.accepts_files_until == s.NOW - timedelta(days=1)
    whole = s.released(target=target, index={"pypi": s.project(old, s.file(uploaded_at=old.uploaded_at))})
    assert verdict_of(whole).verdict is Verdict.VERIFIED


@pytest.mark.parametrize("wanted", ["auto", "complete", "rollback", "force-recovery"])
@pytest.mark.parametrize("tagged", [True, False])
@pytest.mark.parametrize("published", [True, False])
def test_a_lasting_branch_that_is_named_like_a_release_branch_is_never_touched(
    published: bool, tagged: bool, wanted: Wanted
) -> None:
    """The base branch of a release line, and the default branch, where both are called as release branches are."""
    base, default = "release/0.2.0", "release/1.0.0"
    target = s.target(base_branch=base, branch_template="release/{version}")
    tags = [s.tag()] if tagged else []
    remote = s.remote(s.branch(base, s.BASE), s.branch(default, s.OTHER), *tags).present()
    files = (s.file(), s.file("sdist")) if published else ()
    found = s.ready(
        target=target,
        remote=known(structs.replace(remote, default_branch=default)),
        index={"pypi": s.project(*files)},
        published=s.published(s.candidate()) if published else known(None),
        history=s.history(s.lineage(unmerged_count=1), s.lineage(s.OTHER, unmerged_count=1)),
        branch_pulls={default: known(())},
    )
    for command in commands(verdict_of(found, wanted).plan.steps):
        assert command[:2] != ("git", "push") or not any(word.endswith((base, default)) for word in command), command


@pytest.mark.parametrize("wanted", ["auto", "force-recovery"])
def test_a_branch_of_a_release_line_is_no_release_branch(wanted: Wanted) -> None:
    """`release/1.4` is where 1.4.1 and 1.4.2 come from, by whatever template; `release/1.4.1` is left over."""
    line, left = s.branch("release/1.4", "c" * 40), s.branch("release/1.4.1", "d" * 40)
    found = s.ready(
        target=s.target(branch_template="release/{version}"),
        remote=s.remote(line, left),
        history=s.history(*(s.lineage(branch.sha, unmerged_count=1) for branch in (line, left))),
        branch_pulls={line.name: known(()), left.name: known(())},
    )
    deleted = {pushed_away(command) for command in commands(verdict_of(found, wanted).plan.steps)} - {None}
    assert deleted == {"refs/heads/release/1.4.1"}


@pytest.mark.parametrize("wanted", ["auto", "force-recovery"])
def test_testpypi_leaves_the_branches_of_pypi_alone(wanted: Wanted) -> None:
    """An orphan of `pypi` is judged, and deleted, by who looks at `pypi`."""
    theirs, own = s.branch("release/pypi-v0.1.5", "c" * 40), s.branch("release/testpypi-v0.1.5", "d" * 40)
    found = s.ready(
        target=s.target(channel=s.TESTPYPI),
        remote=s.remote(theirs, own),
        history=s.history(*(s.lineage(branch.sha, unmerged_count=1) for branch in (theirs, own))),
        branch_pulls={theirs.name: known(()), own.name: known(())},
    )
    deleted = {pushed_away(command) for command in commands(verdict_of(found, wanted).plan.steps)} - {None}
    assert deleted == {f"refs/heads/{own.name}"}


@pytest.mark.parametrize(
    ("channel", "tags", "begins"),
    [
        (s.PYPI, (), "Start the release again"),
        (s.TESTPYPI, (), "Start the release again"),
        (s.TESTPYPI, (s.tag(),), "Publish 0.2.0 from its tag"),
    ],
)
def test_a_verification_before_the_release_says_how_to_release(
    channel: Channel, tags: tuple[Tag, ...], begins: str
) -> None:
    found = s.ready(
        target=s.target(channel=channel),
        phase="post-recovery",
        remote=s.remote(*tags),
        history=s.history(s.lineage()),
    )

    plan = Recovery(Release(found)).plan

    assert plan.direction == "complete"
    assert [step.title[: len(begins)] for step in plan.steps] == [begins]
    assert [step.starts_run for step in plan.steps] == [begins.startswith("Start")]


def test_a_step_equals_its_copy_from_a_worker_though_json_does_not_say_that_it_starts_a_run() -> None:
    [start] = Recovery(Release(s.ready(phase="post-recovery", history=s.history(s.lineage())))).plan.steps
    copy = convert(to_builtins(start), Step)
    assert start.starts_run and not copy.starts_run
    assert structs.replace(start, advice=True).starts_run
    assert tuple(dict.fromkeys((start, copy))) == (start,) and start != step("Another step")


@pytest.mark.parametrize(
    ("immutable", "wanted", "verdict"),
    [
        (True, "rollback", Verdict.ROLLED_BACK),
        (True, "auto", Verdict.ACTION_NEEDED),
        (False, "rollback", Verdict.ACTION_NEEDED),
    ],
)
def test_what_an_immutable_release_holds_counts_as_withdrawn(immutable: bool, wanted: Wanted, verdict: Verdict) -> None:
    """Deleted from the index: nothing else of it can go."""
    page = s.release(immutable=immutable)
    found = s.ready(
        remote=s.remote(s.tag()), release=known(page), latest_release=known(page), history=s.history(s.lineage())
    )
    assert verdict_of(found, wanted).verdict is verdict


def test_whoever_asks_whether_all_is_withdrawn_is_told_how_to_withdraw() -> None:
    snapshot = s.released(release=known(None), phase="rollback", phase_reason="as asked")
    asked = Recovery(Release(snapshot)).plan
    assert (asked.direction, asked.steps) == ("roll back", Recovery(Release(snapshot), "rollback").plan.steps)
    assert asked.steps and asked.other_way[-2:] == ("--plan", "complete")


def test_what_is_attached_to_a_release_is_downloaded_before_it_is_deleted() -> None:
    page = s.release(assets=2)
    steps = verdict_of(s.ready(release=known(page), latest_release=known(page)), "rollback").plan.steps
    download, delete = (step for step in steps if step.mends == "release")
    assert download.commands[0][:4] == ("gh", "release", "download", "v0.2.0")
    assert "DELETE" in delete.commands[-1] and delete.saves and "downloaded before" in delete.saves
    draft = s.release(assets=2, draft=True, id=6)
    beside = verdict_of(s.ready(release=known(s.release()), drafts=known((draft,))), "rollback").plan.steps
    (by_hand,) = (step for step in beside if step.title.startswith("Download"))
    assert by_hand.link and not by_hand.commands, "by the tag, gh downloads what is attached to the published release"
    none = s.release(assets=0)
    titles = [step.title for step in verdict_of(s.ready(release=known(none)), "rollback").plan.steps]
    assert not any(title.startswith("Download") for title in titles)


def test_a_strangers_pull_request_stops_no_plan() -> None:
    """Anybody may open one from a fork, from a branch that is called like the release branch."""
    strange = s.open_pull(9, head_repository="eve/orbit")
    found = s.ready(
        remote=s.remote(s.branch()), history=s.history(s.lineage(unmerged_count=1)), open_pulls=known((strange,))
    )
    titles = [step.title.split()[0] for step in verdict_of(found).plan.steps]
    assert titles == ["Back", "Delete", "Start"]


@pytest.mark.parametrize("published", [True, False])
def test_what_could_not_be_observed_is_found_out_once_for_each_cause(published: bool) -> None:
    """One step for each silent source, with all that hangs on it; the suite is run again once, after the last."""
    files = (s.file(), s.file("sdist")) if published else ()
    silent = dict.fromkeys(("release", "latest_release", "drafts", "pulls", "open_pulls", "runs"), s.failed())
    remote = dict.fromkeys(("remote", "history"), s.failed("git remote"))
    found = s.ready(index={"pypi": s.project(*files)}, published=s.failed("git remote"), **silent, **remote)
    git, github = (step for step in verdict_of(found).plan.steps if not step.advice)
    assert git.title.startswith("Look up again first, to decide whether it is tagged")
    assert git.title.endswith(": git remote") and not git.commands
    both = "whether there is a GitHub Release", "whether there is a pull request"
    assert github.undecided == Undecided(source="GitHub", decisions=both)
    assert github.title == f"Look up again first, to decide {' and '.join(both)}: GitHub"
    assert github.commands == (tuple(suite_command(found.target)),)


def test_what_a_step_finds_out_is_not_read_from_its_title() -> None:
    """A source or a decision may hold a colon, and a step may be called like one that finds something out."""
    index, why = Problem(source="index: a mirror", why="no answer"), ("whether a: b", "whether c")
    one, two = (find_out_first(Release(s.ready()), NotObserved(index), decision) for decision in why)
    like = step("Look up again first, to decide whether c: index: a mirror", reason=one.reason)
    joined, other = merge_by_cause([one, like, two, one])
    assert joined.undecided == Undecided(source=index.source, decisions=why)
    assert joined.title == "Look up again first, to decide whether a: b and whether c: index: a mirror"
    assert other == like


ORPHAN = s.branch("release/pypi-v0.1.5", "c" * 40)
INTO = s.open_pull(9, title="Mend\x1b[2J it", head_branch="mend", base_branch=ORPHAN.name, head_repository="eve/orbit")


@pytest.mark.parametrize("wanted", ["auto", "force-recovery"])
@pytest.mark.parametrize(
    ("opened", "line"),
    [
        ((INTO,), "gh api --hostname github.example --method PATCH --raw-field base=main"),
        ((structs.replace(INTO, head_branch="main", head_repository="Octo/Orbit"),), "gh pr close 9"),
        ((INTO, structs.replace(INTO, number=8, base_branch="main")), "gh pr close 9"),
    ],
    ids=["retargeted", "brings main", "two of one branch"],
)
def test_the_base_of_an_open_pull_request_is_not_deleted(
    opened: tuple[PullRequest, ...], line: str, wanted: Wanted
) -> None:
    """GitHub would close the pull request with it, for good: it gets another base first, or is closed knowingly."""
    found = s.ready(
        remote=s.remote(ORPHAN),
        history=s.history(s.lineage(ORPHAN.sha, unmerged_count=1)),
        branch_pulls={ORPHAN.name: known(())},
        open_pulls=known(opened),
    )
    (only,) = (step for step in verdict_of(found, wanted).plan.steps if not step.advice)
    assert only.lines()[0].startswith(line) and not only.destroys
    assert only.precondition, "a script asks before it"
    assert "#9" in only.title and ORPHAN.name in only.title
    assert "Mend" in only.reason and "\x1b" not in only.reason


@pytest.mark.parametrize(
    ("found", "title"),
    [
        (s.released(), "Published, and complete"),
        (
            s.released(release=known(None), drafts=known((s.release(draft=True),))),
            "Published and tagged, missing: GitHub Release (there is a draft)",
        ),
        (
            s.released(release=known(None), drafts=s.failed()),
            "Published and tagged, missing: GitHub Release (drafts are not visible)",
        ),
        (
            s.released(index={"pypi": s.project(s.file(yanked=True), s.file("sdist"))}),
            "Published, and some of its files are yanked",
        ),
        (
            s.released_on_testpypi(index={"testpypi": s.project(s.file(), s.file("sdist", yanked=True))}),
            "Published, and some of its files are yanked",
        ),
    ],
)
def test_what_is_not_whole_is_not_called_so(found: Snapshot, title: str) -> None:
    verdict = verdict_of(found)
    assert verdict.diagnosis.title == title
    assert (verdict.diagnosis.direction == "nothing") == (verdict.verdict in GREEN)


def test_a_release_that_is_missing_is_created_where_nobody_sees_drafts() -> None:
    """As without a token: the step asks for a look first, and sends to the page that shows them to who can push."""
    [step] = verdict_of(s.released(release=known(None), drafts=s.failed())).plan.steps
    assert step.lines()[0].startswith("gh release create v0.2.0 --verify-tag")
    assert step.precondition and "you see no draft of v0.2.0" in step.precondition
    assert step.link and step.link.endswith("/octo/orbit/releases")
    [seen] = verdict_of(s.released(release=known(None), drafts=known(()))).plan.steps
    assert (seen.precondition, seen.link) == ("", None)


def test_a_branch_that_the_base_branch_holds_leads_no_one_in_a_circle() -> None:
    """Of a version that is tagged and has no pull request: deleted at once, not sent back to a run that is green."""
    name = "release/pypi-v0.1.0"
    tag, ours = s.tag("v0.1.0", s.BASE), s.lineage(s.OTHER, on_base=True, ahead=0)
    found = s.ready(
        remote=s.remote(s.branch(name, s.OTHER), tag), branch_pulls={name: known(())}, history=s.history(ours)
    )
    assert Release(found).other_branches[0].state == "left over"
    [step] = verdict_of(found).plan.steps
    assert f":refs/heads/{name}" in step.commands[0]
    ahead = structs.replace(found, history=s.history(s.lineage(s.OTHER)))
    untagged = structs.replace(found, remote=s.remote(s.branch(name, s.OTHER)))
    assert [Release(each).other_branches[0].state for each in (ahead, untagged)] == ["unfinished", "unfinished"]


@pytest.mark.parametrize("wanted", ["auto", "rollback", "force-recovery"])
def test_a_branch_of_the_version_in_another_spelling_leads_no_one_in_a_circle(wanted: Wanted) -> None:
    """What it holds is kept and it is deleted: a run on its own version would be sent back here by the tag."""
    name = "release/pypi-v0.2"
    lineages = s.history(s.lineage(), s.lineage(s.OTHER))
    beside = {"branch_pulls": {name: known(())}, "history": lineages}
    found = s.released(remote=s.remote(s.tag(), s.branch(name, s.OTHER)), **beside)
    assert Release(found).other_branches[0].state == "unfinished"
    steps = verdict_of(found, wanted).plan.steps
    keep, delete = [each for each in steps if each.mends == "other-branches"]
    assert any(f"{s.OTHER}:refs/heads/backup/{name}" in word for word in keep.commands[-1])
    assert f":refs/heads/{name}" in delete.commands[0]
    # Seen from another version or channel, the way leads to the spelling that the tag has.
    there = s.rolled_back(remote=found.remote, **beside) if wanted == "rollback" else found
    assert all("0.2" not in command for each in verdict_of(there, wanted).plan.steps for command in each.commands)


OURS = "https://github.example/octo/orbit.git"


@pytest.mark.parametrize(
    ("push_urls", "named"),
    [
        ((), "origin"),
        ((OURS,), "origin"),
        (("git@github.example:Octo/orbit.git",), "origin"),
        (("https://github.example/eve/orbit.git",), OURS),
        ((OURS, "https://mirror.example/orbit.git"), OURS),
    ],
)
def test_nothing_is_pushed_to_where_only_the_clone_pushes(push_urls: tuple[str, ...], named: str) -> None:
    """As in a clone that fetches from the repository and pushes to a fork."""
    clone = s.clone(remote_url=OURS, push_urls=push_urls)
    found = s.ready(remote=s.remote(s.branch()), history=s.history(s.lineage()), clone=clone)
    pushes = [line for line in commands(verdict_of(found).plan.steps) if line[:2] == ("git", "push")]
    assert pushes and all(named in line for line in pushes)


@pytest.mark.parametrize("also_a_branch", [False, True])
def test_it_is_the_tag_that_is_published(also_a_branch: bool) -> None:
    """Of a branch and a tag of one name too; and where the commit is not to be had, there is nothing to build."""
    branches = [s.branch("v0.2.0", s.OTHER)] if also_a_branch else []
    found = s.released(remote=s.remote(s.tag(), *branches), index={"pypi": s.project()}, published=known(None))
    lines = commands(verdict_of(found).plan.steps)
    checked_out = [line[1:] for line in lines if "checkout" in line]
    assert checked_out == [("-C", "orbit-0.2.0", "checkout", "--quiet", s.HEAD)]
    assert any("refs/tags/v0.2.0:refs/tags/v0.2.0" in line for line in lines)


@pytest.mark.parametrize(("declared", "spelt"), [("0.2.0", "0.2.0"), ("0.2", "0.2"), (None, "0.2.0")])
def test_no_file_of_another_version_is_uploaded(declared: str | None, spelt: str) -> None:
    """Where the version is worked out from tags, a build may come out at another one, which no index gives back."""
    history = s.history(s.lineage(declared_version=declared))
    found = s.released(history=history, index={"pypi": s.project()}, published=known(None))
    [upload] = [line for line in commands(verdict_of(found).plan.steps) if "upload" in line]
    assert upload[-2:] == (f"orbit-0.2.0/dist/orbit-{spelt}.tar.gz", f"orbit-0.2.0/dist/orbit-{spelt}-*.whl")


@pytest.mark.parametrize("wanted", ["auto", "complete", "rollback"])
def test_what_a_quarantine_hides_is_neither_published_again_nor_withdrawn(wanted: Wanted) -> None:
    page = structs.replace(s.project(status="quarantined").present(), releases=())
    verdict = verdict_of(s.released(index={"pypi": known(page)}), wanted)
    assert verdict.verdict not in GREEN
    assert not [step.title for step in verdict.plan.steps if step.destroys or step.mends == "index"]


@pytest.mark.parametrize(
    ("version", "tag", "option", "value"),
    [
        ("0.2.0rc1", "v0.2.0-rc.1", "--tag-template", "v{semver}"),
        ("0.2", "v0.2.0", "--version", "0.2.0"),
    ],
)
def test_a_tag_in_another_spelling_is_not_doubled(version: str, tag: str, option: str, value: str) -> None:
    files = (s.file(version=version), s.file("sdist", version=version))
    page = s.project(*files, releases={version: False})
    found = s.released(target=s.target(version=version), remote=s.remote(s.tag(tag)), index={"pypi": page})
    verdict = verdict_of(found)
    assert verdict.verdict not in GREEN
    (only,) = (each for each in verdict.plan.steps if each.mends)  # others are said by advice
    assert only.title == f"Check {version} by its tag {tag} before anything else"
    assert (option, value) in itertools.pairwise(only.commands[0])
    changed = {option[2:].replace("-", "_"): value}
    told = structs.replace(found, target=s.target(**{"version": version, **changed}))
    assert Release(told).tag == s.tag(tag)


@pytest.mark.parametrize(("base", "where"), [(None, ()), ("main", ()), ("develop", ("--ref", "develop"))])
def test_a_release_is_started_again_from_the_base_branch(base: str | None, where: tuple[str, ...]) -> None:
    """GitHub runs the workflow on its default branch where no other is named."""
    branch = s.branch("develop", s.BASE)
    found = s.ready(
        target=s.target(base_branch=base),
        remote=s.remote(branch, s.branch("release/pypi-v0.2.0")),
        history=s.history(s.lineage(unmerged_count=1)),
    )
    (start,) = (line for line in commands(verdict_of(found).plan.steps) if line[1:3] == ("workflow", "run"))
    assert start[3 : 4 + len(where)] == ("release.yml", *where)


def test_no_run_starts_before_what_is_to_be_looked_up_about_another_branch() -> None:
    """Whether a leftover branch may go is not known, because its commit could not be fetched."""
    pulls = known((s.open_pull(1), s.open_pull(2)))
    state = s.ready(
        remote=s.remote(s.branch("release/testpypi-v0.2.0")),
        history=s.history(),
        branch_pulls={"release/testpypi-v0.2.0": known(())},
        pulls=pulls,
        open_pulls=pulls,
    )
    steps = Recovery(Release(state)).steps
    assert any(each.undecided for each in steps)
    assert not any(each.starts_run for each in steps)
