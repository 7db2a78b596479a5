"""What a step says of its reason, and the steps that hang on one fact."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest
from msgspec import structs

from release_state.facts.release import Release
from release_state.model.observation import Observation, known
from release_state.model.outcome import Exit
from release_state.model.plan import Step, Wanted, step
from release_state.model.snapshot import Candidate, Snapshot, Tag
from release_state.plan.steps import pulls, tagging
from release_state.plan.steps.commands import push
from release_state.plan.steps.conflicts import make_room_for_branch, make_room_for_tag
from release_state.plan.steps.prerequisites import end_or_wait, tidy_up
from release_state.plan.steps.protection import put_permission_first
from release_state.plan.steps.publication import publish_from, unyank, wheel_from_sdist
from release_state.plan.steps.releases import handle_other_spelling
from release_state.plan.steps.tagging import describe_fit
from tests.checks.cases.names import FOLDER, IN_THE_WAY
from tests.support import states as s
from tests.support.judged import verdict_of


def steps(snapshot: Snapshot, begins: str) -> list[Step]:
    return [step for step in verdict_of(snapshot).plan.steps if step.title.startswith(begins)]


@pytest.mark.parametrize(
    ("candidate", "said"),
    [
        (s.candidate(), "all 8 files of orbit-0.2.0.tar.gz match"),
        (s.candidate(equal=6, differing=("a", "b")), "6 of 8 files of orbit-0.2.0.tar.gz match; different: a; b"),
        (s.candidate(equal=7, absent=("c",)), "7 of 8 files of orbit-0.2.0.tar.gz match; missing: c"),
    ],
)
def test_how_well_a_commit_fits(candidate: Candidate, said: str) -> None:
    assert describe_fit(Release(s.released(published=s.published(candidate))), candidate) == said


def test_files_are_counted_beyond_those_that_are_listed() -> None:
    candidate = s.candidate(
        equal=2, left_out=10, differing=tuple("abcdef"), more_differing=40, more_absent=1, absent=("x",)
    )
    said = describe_fit(Release(s.released(published=s.published(candidate, compared=60))), candidate)
    assert said.startswith("2 of 50 files") and "a; b; c; d; e; and 41 more" in said and "x; and 1 more" in said


WRONG = s.history(s.lineage(declared_version="0.1.0"))
TAGGED = Release(s.released())
FOREIGN = s.candidate(equal=0, absent=tuple("abcdefgh"), declared_version=None)


def test_a_tag_on_another_projects_commit_blocks_and_moves_to_the_published_one() -> None:
    found = verdict_of(s.released(published=s.published(s.candidate(s.OTHER), FOREIGN)))
    [result] = [each for each in found.results if each.id == "TAG-16"]
    assert result.decides(False) and result.found.startswith("0 of 8 files")
    assert any(step.title.startswith(f"Move the tag v0.2.0 to {s.OTHER[:12]}") for step in found.plan.steps)


def test_a_tag_moves_only_to_a_commit_that_holds_all_of_the_files() -> None:
    closest = s.candidate(s.OTHER, equal=6, differing=("README.md",))
    found = verdict_of(s.released(published=s.published(closest, FOREIGN, unseen=1)))
    [result] = [each for each in found.results if each.id == "TAG-16"]
    assert result.decides(False) and "closest: cccccccccccc" in result.steps[0].reason
    assert not any("Move the tag" in step.title for step in found.plan.steps)


def test_a_commit_with_none_of_the_files_is_never_recommended() -> None:
    alone = s.published(FOREIGN)
    found = verdict_of(s.released(published=alone))
    assert any(each.id == "TAG-16" and each.decides(False) for each in found.results)
    assert not any("Move the tag" in step.title or "Yank" in step.title for step in found.plan.steps)
    for clone, remote in ((s.clone(tags=(s.tag(),)), s.remote()), (s.clone(), s.remote(s.tag("0.2.0")))):
        release = Release(s.released(published=alone, clone=clone, remote=remote, pulls=known(())))
        assert [step.title for step in tagging.create(release)] == ["Find the commit that was published"]


def test_a_version_published_under_another_versions_tag() -> None:
    """v0.2.0 is on the commit that 0.3.0 was published from: the tag and the GitHub Release belong to 0.3.0."""
    history = s.history(s.lineage(s.HEAD, declared_version="0.3.0"), ancestors=((s.HEAD, s.HEAD),))
    page: dict[str, Any] = {"index": {"pypi": s.project(releases={"0.3.0": False})}, "history": history}
    immutable = known(s.release(immutable=True))
    evidence = s.published(s.candidate(declared_version="0.3.0"), version="0.3.0")
    found = verdict_of(s.released(**page, published=evidence))
    titles = [step.title for step in found.plan.steps]
    assert titles[:2] == [
        f"Tag {s.HEAD[:12]}, the commit of v0.2.0, as v0.3.0",
        "Move the GitHub Release v0.2.0 to v0.3.0",
    ]
    assert "Delete the tag v0.2.0 on the remote" in titles and not any(step.starts_run for step in found.plan.steps)
    assert "0.2.0 is not to be released" in found.plan.reason
    bound = verdict_of(s.released(**page, published=evidence, release=immutable, latest_release=immutable))
    assert not any(step.destroys for step in bound.plan.steps), "an immutable GitHub Release keeps both"
    for other in (s.published(s.candidate(equal=3, differing=("a",)), version="0.3.0"), known(None), s.failed()):
        withdrawn = verdict_of(s.released(**page, published=other))
        assert not any("v0.3.0" in step.title for step in withdrawn.plan.steps), "its files do not say so"


def test_a_tag_of_another_project_is_kept() -> None:
    """In a monorepo, the package declares 0.1.5 at v0.2.0, and another project declares 0.2.0 there."""
    claimed = s.lineage(declared_version="0.1.5", claimed_by=("packages/core/pyproject.toml",))
    alone: dict[str, Any] = {"history": s.history(claimed), "index": {"pypi": s.project()}, "pulls": known(())}
    published = s.released(history=s.history(claimed), published=s.published(s.candidate(s.OTHER, on_base=True)))
    for snapshot in (s.released(**alone), s.released(**alone, release=known(None)), published):
        for wanted in get_args(Wanted):
            found = verdict_of(snapshot, wanted)
            assert not any(step.destroys for step in found.plan.steps), (wanted, found.plan.steps)
            assert not any(step.title.startswith("Move") for step in found.plan.steps)
    found = verdict_of(s.released(**alone))
    assert found.exit is Exit.ACTION_NEEDED and "packages/core/pyproject.toml declares 0.2.0" in found.plan.reason
    assert any("Keep the tag v0.2.0: it is of packages/core/pyproject.toml" in step.title for step in found.plan.steps)


def test_nothing_is_said_of_files_that_are_not_compared() -> None:
    for published in (known(None), s.failed()):
        assert describe_fit(Release(s.released(published=published)), s.candidate()) == ""


def test_a_choice_says_what_else_fits_and_where_it_lies() -> None:
    one, two = s.candidate(on_base=True), s.candidate(s.OTHER, what="the head of main")
    beside = s.candidate(s.OTHER, equal=7, on_base=True, differing=("a",), what="the head of main")

    def said(*found: Candidate, **changes: Any) -> str:
        untagged = s.released(remote=s.remote(), clone=s.clone(), published=s.published(*found, **changes))
        return next(step.reason for step in verdict_of(untagged).plan.steps if step.mends == "tag")

    assert "fits just as well, beside main" in said(one, two)
    assert "fits just as well" not in said(one)
    assert "does not see this tag" not in said(one) and "does not see this tag" in said(two)
    alone = said(two, beside)
    assert "The alternative, cccccccccccc, the head of main" in alone and "published: a differs. Tag" in alone
    for commit, named in ((s.HEAD, "names the same commit"), (s.OTHER, "names another commit, cccccccccccc")):
        assert named in said(one, provenance_commit=commit)
    assert "attestation" not in said(one)


@pytest.mark.parametrize(
    ("unmerged", "reason"),
    [(1, "it has 1 commit that main lacks"), (2, "it has 2 commits that main lacks"),
     (0, "main has these changes only as other commits")],
)  # fmt: skip
def test_a_backup_says_what_it_keeps(unmerged: int, reason: str) -> None:
    found = s.ready(remote=s.remote(s.branch()), history=s.history(s.lineage(unmerged_count=unmerged)))
    assert [step.reason for step in steps(found, "Back up")][:1] == [reason]


@pytest.mark.parametrize(
    ("channel", "section"),
    [
        (structs.replace(s.PYPI, is_public_index=True), "testpypi"),
        (s.PYPI, "index.example"),
        (structs.replace(s.PYPI, name="internal"), "internal"),
    ],
)
def test_an_upload_never_goes_to_another_index(channel: Any, section: str) -> None:
    target = s.target(channel=channel, channels=(channel,))
    found = s.released(target=target, index={channel.name: s.project()}, published=known(None))
    lines = [line for step in verdict_of(found).plan.steps for line in step.commands if "upload" in line]
    assert [line[line.index("--repository") + 1] for line in lines] == [section]
    assert all(("--skip-existing" in line) == channel.is_public_index for line in lines)


MISPLACED: dict[str, Any] = {
    "history": s.history(s.lineage(declared_version="0.1.0"), s.lineage(s.OTHER)),
    "published": s.published(s.candidate(s.OTHER)),
    "pulls": known(()),
}
OWN = structs.replace(s.tag(), object="e" * 40)


@pytest.mark.parametrize(
    ("clone", "is_named"),
    [(s.clone(tags=(s.tag(),)), False), (s.clone(tags=(OWN,)), True), (s.clone(), False), (s.failed(), False)],
    ids=["the same", "another", "none", "silent"],
)
def test_a_moved_tag_keeps_the_clones_own(clone: Any, is_named: bool) -> None:
    (move,) = steps(s.released(clone=clone, **MISPLACED), "Move the tag")
    assert (OWN.object in (move.destroys or "")) is is_named
    assert ("the clone's is kept as refs/backup/tags/v0.2.0-eeeeeee" in (move.saves or "")) is is_named
    assert (("git", "update-ref", "refs/tags/v0.2.0", OWN.object) in move.restore) is is_named


@pytest.mark.parametrize("immutable", [True, None])
def test_nothing_is_built_from_a_tag_that_stays_on_another_commit(immutable: bool | None) -> None:
    """Where a tool takes the version from the tag, the sdist would be of another commit than the wheel."""
    wheel = s.file()
    compared = s.published(s.candidate(s.OTHER), FOREIGN, sdist=None, wheel=wheel.filename)
    dynamic = s.history(s.lineage(declared_version=None, version_is_dynamic=True), s.lineage(s.OTHER))
    for history in (MISPLACED["history"], dynamic):
        found = {"history": history, "published": compared, "release": known(s.release(immutable=immutable))}
        plan = verdict_of(s.released(index={"pypi": s.project(wheel)}, **found), "complete").plan
        assert not [line for each in plan.steps for line in each.commands if "build" in line], plan


def test_a_tag_that_sibling_packages_may_share_says_so_before_it_goes() -> None:
    """Of a package in a folder whose tags do not name it, as in a repository that releases all of them at once."""
    for folder, template, shared in (
        ("libs/orbit/", "v{version}", True),
        ("libs/orbit/", "orbit-v{version}", False),
        ("", "v{version}", False),
    ):
        target = s.target(tag_template=template)
        tag = structs.replace(s.tag(), name=target.tag)
        heads = [s.lineage(package_folder=folder), s.lineage(s.BASE, on_base=True, ahead=0, package_folder=folder)]
        found = {"history": s.history(*heads), "remote": s.remote(tag), "release": known(s.release(tag.name))}
        plan = verdict_of(s.released(target=target, index={"pypi": s.project()}, **found), "rollback").plan
        gone = [each for each in plan.steps if each.destroys and each.mends in ("tag", "release")]
        says = f"no other package of the repository is released as {tag.name}"
        assert [says in (each.precondition or "") for each in gone] == [shared, shared]


@pytest.mark.parametrize(("changes", "atomic"), [(("a",), False), (("a", "b"), True)])
def test_several_changes_are_one_push(changes: tuple[str, ...], atomic: bool) -> None:
    assert ("--atomic" in push(Release(s.ready()), *changes)) is atomic


@pytest.mark.parametrize(
    ("release", "begins"),
    [
        ({"immutable": True}, "Note in the GitHub Release 0.2.0"),
        ({"immutable": True, "draft": True}, "Withdraw"),
        ({"immutable": False}, "Withdraw"),
    ],
)
def test_an_immutable_release_of_another_spelling_stays(release: dict[str, Any], begins: str) -> None:
    only = handle_other_spelling(Release(s.rolled_back()), s.release("0.2.0", **release))
    assert only.title.startswith(begins) or (begins == "Withdraw" and not only.title.startswith("Note"))


@pytest.mark.parametrize(
    ("tags", "index", "shown", "withdrawn"),
    [
        ((s.tag("0.2.0"),), {"pypi": s.project()}, True, True),
        ((s.tag("0.2.0"),), {"pypi": s.project(s.file(yanked=True))}, True, False),
        ((), {"pypi": s.project()}, False, False),
    ],
)
def test_a_tag_of_another_spelling_is_withdrawn_by_its_own_run(
    tags: tuple[Tag, ...], index: dict[str, Any], shown: bool, withdrawn: bool
) -> None:
    other: dict[str, Observation[Any]] = {tag.name: known(None) for tag in tags}
    found = verdict_of(s.rolled_back(remote=s.remote(*tags), index=index, other_releases=other), "rollback").plan.steps
    lines = [line for step in found for line in step.commands]
    assert any("refs/tags/0.2.0" in line for line in lines) is shown
    assert any("{version}" in line and "rollback" in line for line in lines) is withdrawn


@pytest.mark.parametrize(
    ("minutes", "first"), [(5, "Wait for release run #3"), (21, "Check run #3, then cancel it"), (20, "Wait for")]
)
def test_a_run_past_its_limit_is_ended(minutes: int, first: str) -> None:
    run = s.run("in_progress", created_at=s.NOW - timedelta(minutes=minutes))
    assert [step.title[: len(first)] for step in end_or_wait(Release(s.ready(runs=s.runs(run), clock_ahead=0.0)))] == [
        first
    ]


def test_a_pull_request_into_another_branch_is_set_to_the_base_branch() -> None:
    for base, begins in (("main", []), ("develop", ["Change the b"])):
        found = s.released(pulls=known((s.open_pull(base_branch=base),)), remote=s.remote(s.tag(), s.branch()))
        assert [step.title[:12] for step in verdict_of(found).plan.steps if step.mends == "pull-request"] == begins


RUNNING = s.runs(s.run("in_progress"))


@pytest.mark.parametrize(
    ("snapshot", "begins", "why"),
    [
        (s.ready(remote=s.remote(FOLDER)), "Rename the branch release to kept-release-", ""),
        (s.ready(remote=s.remote(FOLDER), open_pulls=known((s.open_pull(9, head_branch="release"),))), "First merge",
         "pull request #9 needs it"),
        (s.ready(remote=s.remote(FOLDER), runs=RUNNING), "First merge", "a release run is in progress"),
        (s.ready(remote=s.remote(FOLDER), runs=s.failed()), "Look up again", ""),
        (s.ready(**IN_THE_WAY), "Rename the tag v0.2.0/x to refs/backup/tags/", ""),
        (s.ready(**{**IN_THE_WAY, "other_releases": {"v0.2.0/x": known(s.release("v0.2.0/x"))}}), "Decide what happens",
         "a GitHub Release uses it"),
        (s.ready(**IN_THE_WAY, runs=RUNNING), "Decide what happens", "a release run is in progress"),
    ],
    ids=["branch", "branch of a pull", "branch in a run", "runs unknown", "tag", "released tag", "tag in a run"],
)  # fmt: skip
def test_a_name_in_the_way_is_renamed_only_where_nothing_needs_it(snapshot: Snapshot, begins: str, why: str) -> None:
    (first, *_) = (step for make in (make_room_for_branch, make_room_for_tag) for step in make(Release(snapshot)))
    assert first.title.startswith(begins) and first.reason.endswith(why)
    assert first.link == (f"{s.WEB}/releases/tag/v0.2.0/x" if why.startswith("a GitHub Release") else None)


def test_what_is_unyanked_says_what_is_still_offered() -> None:
    wheel, sdist = s.file(yanked=True), s.file("sdist")
    for files, offered in (((wheel, sdist), f"; still offered: {sdist.filename}"), ((wheel,), "")):
        step = unyank(Release(s.released(index={"pypi": s.project(*files)})))
        assert step.reason == f"yanked: {wheel.filename}{offered}"


@pytest.mark.parametrize(
    ("rule", "snapshot", "what"),
    [
        ("deletion", s.released(index={"pypi": s.project()}, pulls=known(()), history=WRONG), "delete the tag v0.2.0"),
        ("update", s.released(published=s.published(s.candidate(s.OTHER), FOREIGN)), "replace the tag v0.2.0"),
        (
            "deletion",
            s.ready(remote=s.remote(s.branch()), history=s.history(s.lineage())),
            "delete the branch release/",
        ),
        ("creation", s.released(index={"pypi": s.project()}, pulls=known(()), history=WRONG), ""),
    ],
)
def test_what_a_ruleset_refuses_is_asked_before_anything_is_deleted(rule: str, snapshot: Snapshot, what: str) -> None:
    """GitHub refuses to delete the tag once its GitHub Release is deleted."""
    found = tuple(s.ruleset(s.rule(rule), target=each, include=("~ALL",)) for each in ("tag", "branch"))
    planned, plain = (
        verdict_of(each).plan.steps for each in (structs.replace(snapshot, rulesets=known(found)), snapshot)
    )
    asks = [number for number, each in enumerate(planned) if each.title.startswith(f"Make sure that you may {what}")]
    first = next(number for number, each in enumerate(planned) if each.destroys)
    assert (asks == [first - 1]) is bool(what), [each.title for each in planned]
    assert not what or "nobody may bypass it" in planned[asks[0]].reason
    assert [each for each in planned if each in plain] == list(plain)
    off = tuple(structs.replace(each, enforcement="evaluate") for each in found)
    assert verdict_of(structs.replace(snapshot, rulesets=known(off))).plan.steps == plain
    unread = [*verdict_of(structs.replace(snapshot, rulesets=s.failed())).plan.steps]
    look = unread.pop(first := next(number for number, each in enumerate(plain) if each.destroys))
    assert unread == list(plain) and plain[first].destroys
    assert look.title.startswith("Make sure that no ruleset and no protection keeps you from this: "), look.title
    assert what in look.title and look.link == "https://github.example/octo/orbit/rules"


def test_a_tag_that_is_pushed_again_needs_its_creation_too() -> None:
    """Deleted, and then refused: the tag would be gone."""
    again = step("Push the tag again", push(TAGGED, ":refs/tags/v0.2.0"), push(TAGGED, "a:refs/tags/v0.2.0"))
    rulesets = known((s.ruleset(s.rule("creation"), bypass=None),))
    release = Release(s.released(rulesets=rulesets))
    [ask, last] = put_permission_first(release, [again])
    assert ask.title.startswith("Make sure that you may create the tag v0.2.0") and last == again
    assert "this token cannot see who may bypass it" in ask.reason


@pytest.mark.parametrize(
    ("published", "title", "said"),
    [
        (s.published(s.candidate()), "Push the clone's tag v0.2.0", "all 8 files"),
        (s.published(), "Push the clone's tag v0.2.0, if it is on the published commit", ""),
        (
            s.published(s.candidate(s.OTHER, equal=6, differing=("a", "b"))),
            "Push the clone's tag v0.2.0, if it is on the published commit",
            f"the best other match is {s.OTHER[:12]}",
        ),
    ],
    ids=["it fits", "nothing was compared", "another was compared"],
)
def test_the_clones_tag_is_pushed_with_what_is_known_of_its_commit(published: Any, title: str, said: str) -> None:
    release = Release(s.released(published=published, remote=s.remote(), clone=s.clone(tags=(s.tag(),))))
    first = tagging.create(release)[0]
    assert first.title == title and said in first.reason
    assert bool(first.precondition) == title.endswith("commit")
    assert ("could not be compared" in first.reason) == ("best" in said)


def test_a_tag_of_a_version_that_was_never_published_is_told_where_it_is_in_the_way() -> None:
    refs = s.remote(s.tag("v0.3.0"), s.tag("v0.1.0"), s.tag("latest"))
    release = Release(s.released(remote=refs, clone=s.clone()))
    reason = tagging.create(release)[0].reason
    assert [name for name in ("v0.3.0", "v0.1.0", "latest") if f"{name} is on it too" in reason.lower()] == ["v0.3.0"]


@pytest.mark.parametrize(
    ("declared", "spelt"), [("0.2", "0.2"), ("0.2.0", "0.2.0"), ("0.1.0", "0.2.0"), (None, "0.2.0")]
)
def test_files_are_named_as_the_commit_spells_the_version(declared: str | None, spelt: str) -> None:
    release = Release(s.ready(remote=s.remote(s.tag()), history=s.history(s.lineage(declared_version=declared))))
    files = [word for word in publish_from(release, "v0.2.0").commands[-1] if word.endswith(".tar.gz")]
    assert files and all(word.endswith(f"-{spelt}.tar.gz") for word in files)


def test_the_sdist_that_a_wheel_is_built_from_is_that_with_the_indexs_hash() -> None:
    sdist = s.file("sdist", sha256="ab" * 32)
    for file, url in ((sdist, f"{sdist.url}#sha256={'ab' * 32}"), (s.file("sdist"), sdist.url)):
        assert wheel_from_sdist(Release(s.released()), file).commands[0][-1] == url


SET_ANEW = "Set the branch release/pypi-v0.2.0 to the tag"


@pytest.mark.parametrize(
    ("branch", "lineages", "first"),
    [
        (None, (), "Recreate the branch release/pypi-v0.2.0 from the tag"),
        (s.branch(), (), None),
        (s.branch(sha=s.OTHER), (s.lineage(s.OTHER),), None),  # what it has is nobody's to drop
        (
            s.branch(sha=s.OTHER),
            (s.lineage(s.OTHER, on_base=True, ahead=0),),
            "Set the branch release/pypi-v0.2.0 to the tag",
        ),
        (s.branch(sha=s.BASE), (), SET_ANEW),
    ],
    ids=["none", "at the tag", "other commits", "nothing of its own", "at the base's head"],
)
def test_a_head_branch_is_moved_only_if_nothing_is_lost(branch: Any, lineages: Any, first: str | None) -> None:
    refs = s.remote(*filter(None, (s.tag(), branch)))
    release = Release(s.released(pulls=known(()), remote=refs, history=s.history(s.lineage(), *lineages)))
    titles = [each.title for each in pulls.create(release)]
    assert titles == [*([first] if first else []), "Create the pull request"]


@pytest.mark.parametrize(
    ("marked", "paths"), [((), None), (("a", "b c"), ("a", "b c")), (("a", "caf\\303"), ())], ids=["none", "two", "odd"]
)
def test_marks_are_removed_by_the_names_that_git_takes(marked: tuple[str, ...], paths: tuple[str, ...] | None) -> None:
    *unmark, show = tidy_up(Release(s.ready()), s.clone(marked=marked).present())
    assert show.commands[-1][-2:] == ("status", "--short") and bool(unmark) is (paths is not None)
    assert [each[-len(paths or ()) :] for step in unmark for each in step.commands] == [paths] * 2 * bool(paths)


def test_without_a_clone_git_needs_a_repository_and_nothing_else_does() -> None:
    alone: dict[str, Any] = {"target": s.target(clone=None), "clone": s.failed("clone")}
    untagged = s.released(**alone, remote=s.remote())
    unannounced = s.released(**alone, release=known(None), latest_release=known(s.release("v0.1.0")))
    for snapshot, is_needed in ((untagged, True), (unannounced, False), (s.released(remote=s.remote()), False)):
        assert bool(steps(snapshot, "Create an empty repository")) is is_needed
