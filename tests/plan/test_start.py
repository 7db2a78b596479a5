"""The project's own workflow publishes a tag that is there: what the plan says, by what starts it."""

from __future__ import annotations

import threading
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from release_state.facts.release import Release
from release_state.model.observation import Observation, known
from release_state.model.outcome import Verdict
from release_state.model.plan import Step, Wanted
from release_state.model.process import Made, Process, Publisher, Start, StartKind
from release_state.model.snapshot import (
    LOOKUPS,
    Commit,
    ExplainedRun,
    History,
    Repository,
    Snapshot,
    WorkflowFile,
    WorkflowFiles,
)
from release_state.model.snapshot.runs import WorkflowState
from release_state.observe.waiting import Waiting, find_pending
from release_state.plan.recovery import Recovery
from release_state.plan.steps.commands import explain_start
from release_state.plan.steps.publication import publish_from
from tests.support import states as s
from tests.support.facts import build, workflow
from tests.support.judged import verdict_of

TAGGED = s.tag()


def publisher(*kinds: StartKind, filters: tuple[str, ...] = (), **changes: Any) -> Publisher:
    """A job that these start."""
    starts = tuple(Start(kind=kind, filters=filters if kind == "release" else ()) for kind in kinds)
    return build(
        Publisher, workflow="ship.yml", job="job up", job_name="up", how="uv publish", starts=starts, **changes
    )


def tagged(found: Publisher, leaves: tuple[str, ...] = ("tag", "release"), **changes: Any) -> Snapshot:
    """0.2.0 is tagged and not published, in a project with this process."""
    channel = structs.replace(s.PYPI, leaves=leaves)
    about = s.target(channel=channel, channels=(channel, s.TESTPYPI), workflow="ship.yml")
    about = structs.replace(about, process=Process(publishers=(found,)))
    values: dict[str, Any] = {
        "target": about,
        "remote": s.remote(TAGGED),
        "clone": s.clone(tags=(TAGGED,)),
        "history": s.history(s.lineage(s.HEAD, on_base=True, ahead=0)),
        "phase": "post-recovery",
        "runs": s.runs(),
        **changes,
    }
    return s.ready(**values)


def steps(snapshot: Snapshot) -> tuple[Step, ...]:
    """The steps of its plan."""
    return Recovery(Release(snapshot)).steps


def commands(snapshot: Snapshot) -> list[str]:
    """The commands of its plan, without the repository, a line each."""
    return [
        " ".join(words).replace(" --repo github.example/octo/orbit", "")
        for each in steps(snapshot)
        for words in each.commands
    ]


def failed_run(**changes: Any) -> Any:
    """A failed run that the tag started."""
    values = {"conclusion": "failure", "event": "push", "head_branch": "v0.2.0", "head_sha": s.HEAD, **changes}
    return s.run(workflow="ship.yml", **values)


def test_the_failed_jobs_of_the_run_that_the_tag_started_are_run_again() -> None:
    state = tagged(publisher("tag"), runs=s.runs(failed_run(), failed_run(id=7, created_at=s.NOW - timedelta(days=1))))
    first = steps(state)[0]
    assert commands(state)[0] == "gh run rerun 99 --failed"
    assert "if the cause is in the commit, release the next version" in (first.precondition or "")
    assert first.starts_run and not any("build" in line or "twine" in line for line in commands(state))


@pytest.mark.parametrize(
    "other",
    [
        failed_run(created_at=s.NOW - timedelta(days=31)),
        failed_run(head_branch="v0.1.0"),
        failed_run(head_sha=s.OTHER),
    ],
)
def test_a_run_that_is_too_old_or_of_another_commit_is_not_repeated(other: Any) -> None:
    state = tagged(publisher("tag", "dispatch"), runs=s.runs(other))
    assert commands(state)[0].startswith("gh workflow run ship.yml --ref v0.2.0")


def test_the_runs_of_this_tag_alone_are_no_new_ones() -> None:
    others = (failed_run(head_sha=s.OTHER, number=12), failed_run(id=7, number=13, head_branch="v0.1.0"))
    told = [each.precondition or "" for each in steps(tagged(publisher("tag"), runs=s.runs(*others)))]
    assert "lists no run but #12, ten minutes" in " ".join(told), told


def test_a_tag_makes_the_github_release_where_its_run_does() -> None:
    found = Release(tagged(publisher("tag", "release", makes=("release",))))
    assert "and makes the GitHub Release" in explain_start(found, "tag")
    assert "makes the GitHub Release" not in explain_start(found, "release")


def test_a_half_made_upload_is_repeated_only_by_a_job_that_skips_what_is_there() -> None:
    half: dict[str, Any] = {"index": {"pypi": s.project(s.file("sdist"))}, "runs": s.runs(failed_run())}
    assert commands(tagged(publisher("tag", skips_existing=True), **half))[0] == "gh run rerun 99 --failed"
    assert commands(tagged(publisher("tag"), **half))[0] != "gh run rerun 99 --failed"


def test_a_green_run_that_published_nothing_is_looked_at_first() -> None:
    state = tagged(publisher("tag"), runs=s.runs(failed_run(conclusion="success")))
    assert commands(state)[:2] == ["gh run view 99", "gh run rerun 99"]
    assert "published nothing" in steps(state)[0].title


def test_a_tag_that_started_nothing_is_pushed_again_with_the_same_object() -> None:
    told = commands(tagged(publisher("tag"), leaves=("tag",)))
    assert told[0] == "gh run list --workflow ship.yml --branch v0.2.0", "a run may have begun since"
    assert f"--force-with-lease=refs/tags/v0.2.0:{s.TAG_OBJECT}" in told[-2] and told[-2].endswith(" :refs/tags/v0.2.0")
    assert told[-1].endswith(f" {s.TAG_OBJECT}:refs/tags/v0.2.0")


def test_a_workflow_that_is_switched_off_is_switched_on_first() -> None:
    """Nothing begins, though the tag is new; and what starts it again would start nothing."""
    off = known((WorkflowState(file="ship.yml", state="disabled_manually"),))
    for runs, then in ((s.runs(), "gh run list --workflow ship.yml"), (s.runs(failed_run()), "gh run rerun 99")):
        state = tagged(publisher("tag"), leaves=("tag",), workflow_states=off, history=made(2), runs=runs)
        told = commands(state)
        assert told[0] == "gh workflow enable ship.yml" and told[1].startswith(then)
        assert verdict_of(state).verdict is Verdict.ACTION_NEEDED


def test_a_tag_with_a_github_release_is_never_deleted_for_it() -> None:
    told = commands(tagged(publisher("tag"), release=known(s.release())))
    assert not any(":refs/tags/" in line for line in told), told


def made(minutes: float, *, commit: float | None = None) -> Observation[History]:
    """The history in which the tag was made so many minutes ago, and its commit."""
    lineage = s.lineage(s.HEAD, on_base=True, ahead=0)
    found = structs.replace(s.history(lineage).present(), tag_dates={s.TAG_OBJECT: s.NOW - timedelta(minutes=minutes)})
    if commit is None:
        return known(found)
    subject = Commit(sha=s.HEAD, subject="x", committed_at=s.NOW - timedelta(minutes=commit))
    return known(structs.replace(found, commits=(subject,)))


def pushed(minutes: float) -> Observation[Repository]:
    return s.repository(pushed_at=s.NOW - timedelta(minutes=minutes))


def head(minutes: float) -> Commit:
    return Commit(sha=s.BASE, subject="x", committed_at=s.NOW - timedelta(minutes=minutes))


MAKER = publisher("tag", makes=("release",))
FRESH: dict[str, tuple[Publisher, dict[str, Any]]] = {
    "the tag": (MAKER, {"history": made(2)}),
    "its commit": (MAKER, {"history": made(60, commit=2)}),
    "a clock that is ahead": (MAKER, {"history": made(-3)}),
    "a clock that is far ahead": (MAKER, {"history": made(-60, commit=2)}),
    "a clock that is far ahead, and an old commit": (
        MAKER,
        {"history": made(-60, commit=60 * 24 * 30), "repository": pushed(2)},
    ),
    "the GitHub Release, whose tag started another run": (
        publisher("release", only_releases=False),
        {"release": known(s.release(published_at=s.NOW)), "runs": s.runs(failed_run(conclusion="success"))},
    ),
    "a tag that was made long before it was pushed": (MAKER, {"history": made(60), "repository": pushed(2)}),
    "the GitHub Release": (publisher("release"), {"release": known(s.release(published_at=s.NOW))}),
}


@pytest.mark.parametrize("fresh", FRESH)
def test_what_was_made_just_now_is_not_made_again(fresh: str) -> None:
    """GitHub lists the run some seconds after the push: until then, nothing is wrong, and nothing to be destroyed."""
    found, changes = FRESH[fresh]
    state = tagged(found, **changes)
    (only,) = steps(state)
    assert only.title == "Wait for the run of ship.yml to begin and to end" and not only.destroys
    assert commands(state)[0].endswith("--wait 600")
    verdict = verdict_of(state)
    assert verdict.verdict is Verdict.IN_PROGRESS, verdict.findings
    assert ("runs",) in [each.key for each in find_pending(state, LOOKUPS)]


@pytest.mark.parametrize(
    "changes",
    [
        {"history": made(11, commit=11)},
        {"history": made(-11)},
        {"history": made(2), "runs": s.runs(failed_run())},
        {"history": made(2), "runs": s.failed()},
        {"history": made(2), "index": {"pypi": s.project(s.file("sdist"))}},
        {"history": made(60), "repository": pushed(11)},
        {"history": made(8 * 24 * 60), "repository": pushed(2)},
        {"history": known(structs.replace(made(60).present(), commits=(head(3),))), "repository": pushed(2)},
    ],
    ids=[
        *("too old", "of the future", "its run is known", "runs are unknown", "something is published"),
        *("the last push is old", "the tag is older than a week", "the last push was of the base branch"),
    ],
)
def test_who_has_waited_long_enough_waits_no_more(changes: dict[str, Any]) -> None:
    state = tagged(publisher("tag"), **changes)
    assert not any(each.title.startswith("Wait for the run") for each in steps(state))
    assert verdict_of(state).verdict is not Verdict.IN_PROGRESS
    assert ("runs",) not in [each.key for each in find_pending(state, LOOKUPS) if "begin" in each.what]


@pytest.mark.parametrize("unread", ["repository", "history"])
def test_nothing_is_pushed_again_while_nobody_knows_whether_it_was_pushed_just_now(unread: str) -> None:
    told = commands(tagged(publisher("tag"), leaves=("tag",), **{"history": made(60), unread: s.failed()}))
    assert not any(":refs/tags/" in line for line in told), told


BY_HAND = "on: {push: {tags: ['v*']}, workflow_dispatch: %s}\njobs: {release: {steps: [{run: make}]}}\n"
CHOICE = "{inputs: {target_environment: {type: choice, options: [testpypi, pypi]}}}"
DEFAULT = "{inputs: {where: {default: testpypi}}}"


@pytest.mark.parametrize(
    ("base", "at_tag", "told"),
    [
        (CHOICE, None, "--field target_environment=pypi"),
        (CHOICE, CHOICE, "--field target_environment=pypi"),
        ("{}", CHOICE, "--field target_environment=pypi"),
        (CHOICE, "{}", "v0.2.0"),
        (CHOICE, DEFAULT, None),
        ("{}", DEFAULT, None),
        (CHOICE, "", None),
    ],
)
def test_a_start_on_the_tag_has_the_inputs_of_the_tags_file(base: str, at_tag: str | None, told: str | None) -> None:
    """A start with the defaults of another file could publish elsewhere."""
    files = workflow(BY_HAND % base).present()
    there = () if at_tag == "" else (WorkflowFile(path=files.path, text=BY_HAND % at_tag),)
    files = structs.replace(files, at_tag=None if at_tag is None else there)
    maker = structs.replace(publisher("tag", "dispatch"), workflow="release.yml")
    state = tagged(maker, workflow_files=known(files), history=made(60))
    state = structs.replace(state, target=structs.replace(state.target, workflow="release.yml"))
    starts = [line for line in commands(state) if line.startswith("gh workflow run")]
    if told is None:
        assert starts == [], starts
    else:
        [start] = starts
        assert start.startswith("gh workflow run release.yml --ref v0.2.0") and start.endswith(told)


REPEATED = [
    failed_run(id=5, head_branch="v0.1.0", updated_at=s.NOW - timedelta(minutes=minutes)) for minutes in (30, 0)
]


@pytest.mark.parametrize(
    ("before", "after"),
    [((), (failed_run(conclusion="success"),)), ((REPEATED[0],), (REPEATED[1],))],
    ids=["a new run", "a run that was repeated"],
)
def test_a_run_that_began_and_ended_between_two_looks_made_something(before: tuple[Any], after: tuple[Any]) -> None:
    begun = tagged(publisher("tag"), history=made(2), runs=s.runs(*before))
    ended = tagged(publisher("tag"), history=made(2), runs=s.runs(*after))
    asked: list[set[str]] = []

    def look(again: Collection[tuple[Any, ...]]) -> list[Snapshot]:
        asked.append({str(key[0]) for key in again})
        return [ended]

    waiting = Waiting(30, lambda phase: LOOKUPS, lambda line: None)
    waiting.pauses = lambda: iter([0.01] * 3)
    waiting.wait_until_settled([begun], look, threading.Event())
    assert asked[0] == {"runs"} and "index" in asked[1]


def test_a_gate_in_the_run_does_not_wait_for_it() -> None:
    state = structs.replace(tagged(publisher("tag"), history=made(2)), phase="pre-publish")
    assert not any(each.title.startswith("Wait for the run") for each in steps(state))


def test_a_tag_that_starts_nothing_begins_nothing() -> None:
    other = structs.replace(publisher("tag"), starts=(Start(kind="tag", filters=("v9*",)),))
    state = tagged(other, history=made(2))
    assert not any(each.title.startswith("Wait for the run") for each in steps(state))


@pytest.mark.parametrize("unread", ["runs", "release"])
@pytest.mark.parametrize("kinds", [("tag",), ("release",), ("tag", "release")], ids="-".join)
def test_nothing_is_started_again_while_nobody_knows_what_was_started(
    kinds: tuple[StartKind, ...], unread: str
) -> None:
    observed: dict[str, Any] = {"release": known(s.release()), unread: s.failed()}
    state = tagged(publisher(*kinds), **observed)
    told = commands(state)
    assert not any(":refs/tags/" in line or "--draft" in line or "rerun" in line for line in told), told
    assert any(each.title.startswith("Look up again first") for each in steps(state)), steps(state)


@pytest.mark.parametrize(
    ("start", "version"),
    [
        (Start(kind="tag", filters=("v[0-9]+.[0-9]+.[0-9]+",)), "0.2.0rc1"),
        (Start(kind="release", filters=("released",)), "0.2.0rc1"),
        (Start(kind="release", filters=("prereleased",)), "0.2.0"),
    ],
)
def test_what_the_upload_does_not_wait_for_is_not_made_again(start: Start, version: str) -> None:
    """Pushing such a tag again, or publishing such a GitHub Release anew, would start nothing."""
    tag = s.tag(f"v{version}")
    declared = s.history(s.lineage(s.HEAD, on_base=True, ahead=0, declared_version=version))
    found = structs.replace(publisher(), starts=(start,))
    state = tagged(found, remote=s.remote(tag), clone=s.clone(tags=(tag,)), history=declared)
    about = structs.replace(state.target, version=version)
    for release in (None, s.release(tag.name, prerelease="rc" in version)):
        told = commands(structs.replace(state, target=about, release=known(release)))
        assert any("twine upload" in line for line in told), told
        assert not any(" :refs/tags/" in line or "--draft" in line for line in told), told


def test_a_github_release_is_published_anew() -> None:
    state = tagged(publisher("release", filters=("published",)), release=known(s.release()))
    look, again = "gh run list --workflow ship.yml --branch v0.2.0", "gh release edit v0.2.0 --draft"
    assert commands(state) == [look, again, f"{again}=false --latest=true"]
    newer: dict[str, Any] = {"index": {"pypi": s.project(releases={"0.3.0": False})}}
    state = tagged(publisher("release"), release=known(s.release()), **newer)
    assert commands(state)[-1] == f"{again}=false --latest=false", "GitHub calls what is published last the latest"
    assert steps(state)[1].precondition and not steps(state)[0].starts_run


@pytest.mark.parametrize("immutable", [True, None])
@pytest.mark.parametrize("types", [("published",), ("created",), ()], ids="-".join)
def test_a_github_release_that_may_be_immutable_is_never_made_a_draft(
    types: tuple[str, ...], immutable: bool | None
) -> None:
    """GitHub would not take its tag name again."""
    told = commands(tagged(publisher("release", filters=types), release=known(s.release(immutable=immutable))))
    assert not any("--draft" in line or "DELETE" in line for line in told), told


def test_one_that_waits_for_created_is_made_again_and_the_plan_says_why() -> None:
    state = tagged(publisher("release", filters=("created",)), release=known(s.release()))
    told = commands(state)
    assert told[-1].startswith("gh release create v0.2.0 --verify-tag") and "DELETE" in told[-2]
    assert "GitHub does not send when a draft is published" in steps(state)[-1].reason


def test_a_missing_github_release_is_the_start_and_the_plan_says_so() -> None:
    state = tagged(publisher("release", filters=("published",)))
    (only,) = steps(state)
    assert only.commands[0][:4] == ("gh", "release", "create", "v0.2.0")
    assert "this starts ship.yml, which publishes" in only.reason


def test_no_step_does_what_the_started_run_makes() -> None:
    state = tagged(publisher("tag", makes=("release",)), runs=s.runs(failed_run()))
    assert commands(state) == ["gh run rerun 99 --failed"]
    alone = commands(tagged(publisher("tag"), runs=s.runs(failed_run())))
    assert any(line.startswith("gh release create v0.2.0") for line in alone)


@pytest.mark.parametrize(
    ("makes", "is_left_to_it"), [((), False), (("release",), False), (("pull-request",), True), (("branch",), True)]
)
def test_a_pull_request_and_its_branch_are_left_to_the_run_that_makes_them(
    makes: tuple[Made, ...], is_left_to_it: bool
) -> None:
    """The next look has the step if the run has not made them."""
    history, about = s.history(s.lineage(s.HEAD, on_base=False, ahead=1)), publisher("tag", makes=makes)
    state = tagged(about, ("tag", "pull-request"), history=history, pulls=known(()), runs=s.runs(failed_run()))
    first, *told = commands(state)
    assert first == "gh run rerun 99 --failed"
    assert any(line.startswith("gh pr create") for line in told) is not is_left_to_it, told
    assert any(line.endswith(":refs/heads/release/pypi-v0.2.0") for line in told) is not is_left_to_it, told


def stopped(job: str = "up", conclusion: str = "failure", **changes: Any) -> Any:
    """The version's last run: it ended in a job, after another job had tagged its commit."""
    run = failed_run(**{"head_branch": "main", "conclusion": conclusion, **changes})
    return known(ExplainedRun(run=run, attributed_by="log", job=job))


TAGS_APART = publisher("branch", makes=("tag", "release"), tag_jobs=("make",))


@pytest.mark.parametrize("job", ["up", "build", "maker", "up / publish"])
def test_a_run_that_tagged_in_another_job_goes_on_where_it_stopped(job: str) -> None:
    (only,) = steps(tagged(TAGS_APART, last_run=stopped(job)))
    assert only.commands[0][:5] == ("gh", "run", "rerun", "99", "--failed")
    assert "the job that makes the tag is not repeated" in only.reason and only.starts_run


@pytest.mark.parametrize(
    ("found", "last"),
    [
        (TAGS_APART, stopped("make")),
        (TAGS_APART, stopped("make (3.12)")),
        (TAGS_APART, stopped("make / tag")),
        (publisher("branch", makes=("tag",), tag_jobs=("make ${{ inputs.version }}",)), stopped("make 0.2.0")),
        (TAGS_APART, stopped("")),
        (TAGS_APART, stopped(head_sha=s.OTHER)),
        (TAGS_APART, stopped(conclusion="success")),
        (TAGS_APART, stopped(created_at=s.NOW - timedelta(days=31))),
        (TAGS_APART, known(None)),
        (TAGS_APART, s.failed()),
        (publisher("branch", makes=("tag",), tag_jobs=("up",)), stopped()),
        (publisher("branch"), stopped()),
        (structs.replace(TAGS_APART, workflow="other.yml"), stopped()),
    ],
)
def test_a_run_whose_repetition_may_upload_another_version_is_not_repeated(found: Publisher, last: Any) -> None:
    told = commands(tagged(found, last_run=last))
    assert not any("rerun" in line for line in told), told


@pytest.mark.parametrize("skips", [True, False])
def test_pushing_a_missing_tag_leaves_the_github_release_to_the_run_that_it_starts(skips: bool) -> None:
    """A run whose upload fails on the published files gets no further."""
    found = publisher("tag", makes=("release",), skips_existing=skips)
    about = tagged(found).target
    state = s.released(target=about, remote=s.remote(), clone=s.clone(), release=known(None), runs=s.runs())
    told, reason = commands(state), steps(state)[0].reason
    assert any(line.startswith("git push") and line.endswith("refs/tags/v0.2.0") for line in told), told
    assert any(line.startswith("gh release create") for line in told) is not skips, told
    assert ("skips the files that are there and makes the GitHub Release" in reason) is skips, reason


def test_a_process_that_is_started_by_hand_and_tags_by_itself_is_completed_by_hand() -> None:
    told = commands(tagged(publisher("dispatch", makes=("tag", "release"))))
    assert any("build" in line for line in told)


def test_one_machine_does_not_build_the_wheels_of_several_platforms() -> None:
    told = commands(tagged(publisher("dispatch", makes=("tag",), platform_wheels=True)))
    assert not any("-m build" in line or "twine" in line for line in told)


def misplaced(found: Publisher, declared: str | None = "0.2.0", **changes: Any) -> Snapshot:
    """0.2.0 is tagged on a commit that declares 0.1.0, and not published; the base branch declares another version."""
    wrong = s.lineage(s.HEAD, on_base=True, ahead=0, declared_version="0.1.0")
    return tagged(found, history=s.history(wrong, s.lineage(s.BASE, declared_version=declared)), **changes)


def test_a_release_that_a_tag_starts_is_started_again_by_the_tag() -> None:
    state = misplaced(publisher("tag", "dispatch", makes=("release",)))
    told, last = commands(state), steps(state)[-1]
    assert any("--force-with-lease=refs/tags/v0.2.0" in line for line in told), told
    assert told[-2] == f"git tag --annotate v0.2.0 {s.BASE} --message Release v0.2.0"
    aside = [line.partition("update-ref ")[2] for line in told[-4:-2]]
    own = s.tag().object
    assert aside == [f"refs/backup/tags/v0.2.0-{own[:7]} {own}", f"-d refs/tags/v0.2.0 {own}"], "its own is kept"
    assert told[-1].endswith("refs/tags/v0.2.0") and last.starts_run and last.destroys
    assert "this starts ship.yml, which publishes and makes the GitHub Release" in last.reason


@pytest.mark.parametrize("wanted", ["auto", "complete", "rollback"])
def test_a_tag_that_only_the_clone_has_is_moved_aside_once(wanted: Wanted) -> None:
    """A second time there is nothing to move: git would end the plan before its start."""
    left = s.branch("release/pypi-v0.2.0")
    state = tagged(publisher("tag"), remote=s.remote(left), history=s.history(s.lineage(s.HEAD, on_base=True, ahead=0)))
    told = [" ".join(line) for each in verdict_of(state, wanted).plan.steps for line in each.commands]
    assert [line for line in told if "update-ref -d refs/tags/v0.2.0" in line] == [
        f"git -C /home/me/orbit update-ref -d refs/tags/v0.2.0 {TAGGED.object}"
    ]


def test_a_release_that_a_github_release_starts_is_started_again_by_it() -> None:
    told = commands(misplaced(publisher("release", filters=("published",))))
    assert told[-1].startswith(f"gh release create v0.2.0 --title v0.2.0 --generate-notes --target {s.BASE}"), told
    by_hand = misplaced(publisher("release", "dispatch", tag_jobs=("up",)))
    assert not any("gh release create" in line for line in commands(by_hand))


@pytest.mark.parametrize("kind", ["tag", "release"])
def test_a_backport_is_never_tagged_on_the_head_of_the_default_branch(kind: StartKind) -> None:
    """Where tags decide the version, the newest development would be published under an old number."""
    newer: dict[str, Any] = {"index": {"pypi": s.project(releases={"0.3.0": False})}}
    state = misplaced(publisher(kind), declared=None, **newer)
    told = commands(state)
    assert not any("git tag" in line or "release create" in line for line in told), told
    assert steps(state)[-1].title.endswith("on its own branch, and name that with --base-branch")
    named = structs.replace(state, target=structs.replace(state.target, base_branch="main"))
    assert any(s.BASE in line for line in commands(named)), commands(named)


def test_a_channel_without_tags_pushes_none_to_start_again() -> None:
    """The tag would start the publication to another index, too."""
    channel = structs.replace(s.TESTPYPI, leaves=())
    about = structs.replace(tagged(publisher("tag", "release")).target, channel=channel)
    left = s.branch("release/testpypi-v0.2.0")
    state = tagged(publisher("tag"), target=about, remote=s.remote(left), clone=s.clone())
    told = commands(state)
    assert not any("refs/tags/" in line or "release create" in line for line in told), told
    assert steps(state)[-1].title.startswith("Start the release again"), steps(state)


def test_what_the_base_branch_does_not_declare_is_not_tagged() -> None:
    last = steps(misplaced(publisher("tag"), "0.1.0"))[-1]
    assert not last.commands and last.title.startswith("Set the version 0.2.0 on main, then tag that commit as v0.2.0")
    text = "on: {workflow_dispatch: {inputs: {version: {}}}}\njobs: {tag: {steps: [{run: git tag x}]}}\n"
    tagger = WorkflowFile(path=".github/workflows/tag.yml", text=text)
    files = known(WorkflowFiles(commit=s.BASE, branch="main", path=".github/workflows/ship.yml", files=(tagger,)))
    last = steps(structs.replace(misplaced(publisher("tag"), "0.1.0"), workflow_files=files))[-1]
    assert not last.commands and last.title == "Start tag.yml, which makes the tag v0.2.0" and last.starts_run
    assert "it asks for version, and makes the tag, which starts ship.yml" in last.reason
    unread = commands(misplaced(publisher("tag"), None))
    assert any(f"--annotate v0.2.0 {s.BASE}" in line for line in unread), "worked out at the build"


# ---- a release that is ready


def started(found: Publisher, **changes: Any) -> list[str]:
    """The commands that start a release of which nothing is there, without the repository."""
    here = {"remote": s.remote(), "clone": s.clone(), "phase": "pre-release", **changes}
    lineage = s.lineage(s.BASE, on_base=True, declared_version="0.2.0")
    verdict = verdict_of(tagged(found, history=s.history(lineage), **here))
    if verdict.start is None:
        return []
    assert verdict.verdict is Verdict.READY and not any(each.destroys for each in verdict.start.steps)
    assert verdict.plan.direction in ("nothing", "tidy up") and all(each.advice for each in verdict.plan.steps)
    lines = [" ".join(words) for each in verdict.start.steps for words in each.commands]
    return [line.replace(" --repo github.example/octo/orbit", "") for line in lines]


def test_what_is_ready_is_started_as_the_project_releases() -> None:
    assert started(publisher("tag"))[-1].endswith("refs/tags/v0.2.0")
    assert started(publisher("release")) == [
        f"gh release create v0.2.0 --title v0.2.0 --generate-notes --target {s.BASE} --latest=true"
    ]
    assert started(publisher("dispatch")) == ["gh workflow run ship.yml --field channel=pypi"]
    assert not started(publisher("tag"), ci=s.ci("failure")), "what is not ready is not started"


def test_a_package_leaves_the_latest_mark_to_the_one_that_has_it() -> None:
    """GitHub has one latest release for all packages of a repository."""
    sibling = known(s.release("sibling-v3.0.0"))
    for template, tag, flag in (("{package}-v{version}", "orbit-v0.2.0", "false"), ("v{version}", "v0.2.0", "true")):
        about = s.target(tag_template=template)
        found = s.released(
            target=about, remote=s.remote(s.tag(tag)), release=known(None), latest_release=sibling, clone=s.clone()
        )
        [create] = [line for line in commands(found) if line.startswith("gh release create")]
        assert create.endswith(f"--latest={flag}"), create


def test_the_github_release_that_starts_it_is_marked_and_made_once() -> None:
    """GitHub calls a new release the latest one, whatever its version is; a draft with its notes may be prepared."""
    older = {"pypi": s.project(releases={"0.3.0": False})}
    assert started(publisher("release"), index=older)[0].endswith("--latest=false"), "a backport"
    drafted = started(publisher("release"), drafts=known((s.release(draft=True, published_at=None),)))
    assert drafted == [f"gh release edit v0.2.0 --draft=false --target {s.BASE} --latest=true"]
    unfinished = tagged(publisher("release"), remote=s.remote(), clone=s.clone(), phase="pre-release")
    about = structs.replace(unfinished.target, version="0.2.0rc1")
    lineage = s.history(s.lineage(s.BASE, on_base=True, declared_version="0.2.0rc1"))
    start = verdict_of(structs.replace(unfinished, target=about, history=lineage)).start
    assert start and "--prerelease" in start.steps[0].commands[0]


def test_a_start_is_verified_by_what_it_makes() -> None:
    for kind, program in (("tag", "sh"), ("release", "gh")):
        ready = tagged(publisher(kind), remote=s.remote(), clone=s.clone(), phase="pre-release")  # type: ignore[arg-type]
        assert Recovery(Release(ready)).start[-1].verify[0][0] == program
    for drafts, title in (
        ((), "Create the GitHub Release"),
        ((s.release(draft=True),), "Publish the draft GitHub Release"),
    ):
        ready = tagged(
            publisher("release"), remote=s.remote(), clone=s.clone(), phase="pre-release", drafts=known(drafts)
        )
        assert Recovery(Release(ready)).start[-1].title.startswith(f"{title} v0.2.0 on {s.BASE[:12]}")


@pytest.mark.parametrize(
    ("kind", "makes", "is_said"),
    [("dispatch", ("tag",), True), ("dispatch", (), False), ("tag", ("tag",), False), ("release", ("tag",), False)],
)
def test_a_run_that_makes_its_own_tag_would_make_another_version(
    kind: StartKind, makes: tuple[Made, ...], is_said: bool
) -> None:
    reason = publish_from(Release(tagged(publisher(kind, makes=makes))), "v0.2.0").reason
    assert ("would compute another version" in reason) is is_said
