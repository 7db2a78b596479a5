"""What an audit says of written histories: kinds of disagreement, habits, spellings, unknowns and the verdict."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from packaging.version import Version

from release_state.audit.audit import Audit
from release_state.audit.kinds import KINDS
from release_state.audit.run import check_usage, file_name
from release_state.audit.versions import AuditSnapshot
from release_state.common.errors import UsageProblem
from release_state.model.observation import known
from release_state.model.outcome import Exit, Outcome, merge_unknown
from release_state.settings.config import Arguments
from release_state.settings.sources import audited, selection
from tests.support.histories import (
    history,
    index,
    indexed,
    kinds_of,
    of,
    released,
    results,
    tagged,
    verdict_of,
    with_more,
)
from tests.support.states import branch, failed, open_pull, release, remote, run, runs, target

SDISTS = index(*(indexed(version, at, ["sdist"]) for at, version in enumerate(("0.1.0", "0.2.0", "0.3.0"))))
BOTH_KINDS = structs.replace(history().target, given=("expected-files",))
PULL: dict[str, Any] = {"head_branch": "release/pypi-v0.3.0"}
NO_RELEASES = {"releases": known(()), "latest_release": known(None)}


def without_tag(name: str, **changes: Any) -> AuditSnapshot:
    whole = history()
    tags = [tag for tag in whole.remote.present().tags if tag.name != name]
    return history(**{"remote": remote(*tags), **changes})


def without_release(version: str, **changes: Any) -> AuditSnapshot:
    whole = history()
    kept = tuple(found for found in whole.releases.present() if found.tag != f"v{version}")
    return history(**{"releases": known(kept), **changes})


# ---- kinds of disagreement: history, version, kinds


FOUND = {
    "whole": (history(), "0.2.0", []),
    "not-published": (with_more(tagged("v0.4.0")), "0.4.0", ["not-published"]),
    "released, not published": (
        with_more(tagged("v0.4.0"), releases=[released("0.4.0", 5)]),
        "0.4.0",
        ["not-published"],
    ),
    "listed, not published": (
        with_more(tagged("v0.4.0"), index=index(*history().index.present().versions, listed_without_files=("0.4.0",))),
        "0.4.0",
        ["not-published"],
    ),
    "listed-empty": (
        history(index=index(*history().index.present().versions, listed_without_files=("0.2.5",))),
        "0.2.5",
        ["listed-empty"],
    ),
    "files-missing": (
        with_more(tagged("v0.4.0"), more=[indexed("0.4.0", 4, ["wheel"])], releases=[released("0.4.0", 4)]),
        "0.4.0",
        ["files-missing"],
    ),
    "tag-missing": (without_tag("v0.2.0"), "0.2.0", ["tag-missing", "release-without-tag"]),
    "release-missing": (without_release("0.2.0"), "0.2.0", ["release-missing"]),
    "prerelease-flag": (
        without_release(
            "0.2.0", releases=known((released("0.1.0"), released("0.2.0", 1, prerelease=True), released("0.3.0", 2)))
        ),
        "0.2.0",
        ["prerelease-flag"],
    ),
    "a marked pre-release": (
        with_more(
            tagged("v0.4.0rc1"),
            more=[indexed("0.4.0rc1", 4)],
            releases=[released("0.4.0rc1", 4, prerelease=True)],
        ),
        "0.4.0rc1",
        [],
    ),
    "branch-left": (with_more(branch("release/pypi-v0.3.0")), "0.3.0", ["branch-left"]),
    "branch in use": (
        with_more(branch("release/pypi-v0.3.0"), open_pulls=known((open_pull(**PULL),))),
        "0.3.0",
        ["pull-open"],
    ),
    "a fork's pull request": (
        with_more(branch("release/pypi-v0.3.0"), open_pulls=known((open_pull(**PULL, head_repository="me/orbit"),))),
        "0.3.0",
        ["branch-left"],
    ),
    "a pull request into it": (
        with_more(
            branch("release/pypi-v0.3.0"),
            open_pulls=known((open_pull(head_branch="fix", base_branch="release/pypi-v0.3.0"),)),
        ),
        "0.3.0",
        ["branch-left"],
    ),
    "branch-orphaned": (with_more(branch("release/pypi-v0.4.0")), "0.4.0", ["branch-orphaned"]),
    "another channel's branch": (with_more(branch("release/testpypi-v0.3.0")), "0.3.0", []),
    "draft-left": (history(drafts=known((released("0.3.0", draft=True),))), "0.3.0", ["draft-left"]),
    "yanked": (
        history(index=index(indexed("0.1.0"), indexed("0.2.0", 1, yanked=["sdist", "wheel"]), indexed("0.3.0", 2))),
        "0.2.0",
        ["yanked"],
    ),
    "yanked and withdrawn": (
        without_release(
            "0.2.0",
            index=index(indexed("0.1.0"), indexed("0.2.0", 1, yanked=["sdist", "wheel"]), indexed("0.3.0", 2)),
            remote=remote(tagged("v0.1.0"), tagged("v0.3.0")),
        ),
        "0.2.0",
        [],
    ),
    "yanked-in-part": (
        history(index=index(indexed("0.1.0"), indexed("0.2.0", 1, yanked=["wheel"]), indexed("0.3.0", 2))),
        "0.2.0",
        ["yanked-in-part"],
    ),
    "tags-differ": (with_more(tagged("0.2.0")), "0.2.0", ["tags-differ"]),
    "the same commit twice": (with_more(tagged("0.2.0", tagged("v0.2.0").commit)), "0.2.0", []),
    "another spelling": (
        without_tag("v0.2.0", remote=remote(tagged("v0.1.0"), tagged("0.2.0"), tagged("v0.3.0"))),
        "0.2.0",
        ["release-without-tag"],
    ),
    "odd-tag": (with_more(tagged("v0.2.0-1")), "0.2.0.post1", ["odd-tag"]),
    "a post-release meant so": (with_more(tagged("v0.2.0.post1")), "0.2.0.post1", ["not-published"]),
    "clone-tag": (
        history(clone_tags=known((structs.replace(tagged("v0.2.0"), object="e" * 40),))),
        "0.2.0",
        ["clone-tag"],
    ),
    "the clone's tag alone": (
        without_tag("v0.2.0", clone_tags=known((tagged("v0.2.0"),))),
        "0.2.0",
        ["tag-missing", "clone-tag", "release-without-tag"],
    ),
    "the same tag in the clone": (history(clone_tags=known((tagged("v0.2.0"),))), "0.2.0", []),
}


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"skipped": ("orbit-0.4.0.msi",)}, Outcome.UNKNOWN),
        ({"skipped": ("orbit.tar.zst",)}, Outcome.UNKNOWN),
        ({"skipped": ("orbit-0.3.0.msi",)}, Outcome.ACTION_NEEDED),
        ({"skipped": ("orbit-0.4.0.msi",), "lists_versions": True}, Outcome.ACTION_NEEDED),
    ],
)
def test_a_file_that_cannot_be_read_leaves_open_whether_a_tagged_version_is_published(
    more: dict[str, Any], outcome: Outcome
) -> None:
    found = Audit(with_more(tagged("v0.4.0"), index=index(*history().index.present().versions, **more)))
    (judged,) = [each for each in found.judgements if str(each.audited) == "0.4.0"]
    assert judged.outcome is outcome, judged.words


@pytest.mark.parametrize(("found", "version", "kinds"), FOUND.values(), ids=FOUND)
def test_kinds_of_disagreement(found: AuditSnapshot, version: str, kinds: list[str]) -> None:
    audit = Audit(found)
    blocking = any(kind.blocking for kind in KINDS if kind.id in kinds)

    assert kinds_of(audit, version) == kinds
    judged = of(audit, version)
    assert judged.outcome is (Outcome.ACTION_NEEDED if kinds else Outcome.HOLDS)
    assert judged.blocking is (blocking or not kinds)
    verdict = verdict_of(audit)
    if blocking:
        assert (verdict.exit, verdict.words) == (Exit.ACTION_NEEDED, "ACTION NEEDED")
    elif kinds:
        assert verdict.exit is Exit.OK and verdict_of(audit, advice=True).exit is Exit.ACTION_NEEDED


def test_every_kind_was_seen() -> None:
    assert {kind for _, _, kinds in FOUND.values() for kind in kinds} == {kind.id for kind in KINDS}


def test_a_whole_history_agrees() -> None:
    verdict = verdict_of(Audit(history()))

    assert (verdict.words, verdict.exit) == ("HISTORY AGREES", Exit.OK)
    assert verdict.ran == verdict.expected == len(results(Audit(history())))
    skipped = {result.id for result in verdict.results if result.outcome is not Outcome.HOLDS}
    assert skipped == {"AUDIT-7"}, "there is no waiver"
    assert not verdict.plans and not verdict.waived


@pytest.mark.parametrize(
    ("found", "version", "why"),
    [
        (with_more(branch("release/pypi-v0.4.0"), open_pulls=known((open_pull(head_branch="release/pypi-v0.4.0"),))),
         "0.4.0", "in preparation: branch release/pypi-v0.4.0, pull request #7"),
        (history(drafts=known((released("0.4.0", draft=True),))), "0.4.0", "in preparation: draft for v0.4.0"),
        (with_more(tagged("v0.0.1")), "0.0.1",
         "tag v0.0.1; older than 0.1.0, since which versions are usually published here"),
    ],
)  # fmt: skip
def test_what_is_not_judged(found: AuditSnapshot, version: str, why: str) -> None:
    judged = of(Audit(found), version)

    assert (judged.outcome, judged.words) == (Outcome.NOT_APPLICABLE, why)
    assert verdict_of(Audit(found)).exit is Exit.OK


def test_an_unfinished_run_may_still_mend_what_is_newest() -> None:
    working = runs(run("in_progress"))
    newest = verdict_of(Audit(with_more(tagged("v0.4.0"), runs=working)))
    older = Audit(without_release("0.2.0", runs=working))
    ended = verdict_of(Audit(with_more(tagged("v0.4.0"), runs=runs(run()))))

    assert (newest.words, newest.exit) == ("IN PROGRESS", Exit.IN_PROGRESS)
    assert "release run #3 is in progress" in of(newest.audit, "0.4.0").words
    assert verdict_of(older).exit is Exit.ACTION_NEEDED, "no run mends what is older than a whole release"
    assert ended.exit is Exit.ACTION_NEEDED


# ---- habits: since when


def test_what_is_older_than_a_habit_is_not_measured_by_it() -> None:
    versions = [indexed("0.1", 0, ["sdist"]), indexed("0.2", 1, ["sdist"]), indexed("0.3", 2), indexed("0.4", 3)]
    found = history(
        index=index(*versions),
        remote=remote(tagged("v0.2"), tagged("v0.3"), tagged("v0.4")),
        releases=known((released("0.4", 3),)),
        latest_release=known(release("v0.4")),
    )
    audit = Audit(found)

    assert verdict_of(audit).exit is Exit.OK
    since = {trace: str(found.version) for trace, found in audit.habits.since.items()}
    assert since == {"index": "0.1", "tag": "0.2", "release": "0.4", "sdist": "0.1", "wheel": "0.3"}
    assert audit.habits.counts("wheel") == (2, 2)


def test_a_habit_holds_from_its_first_appearance_on() -> None:
    late = indexed("0.3.1", 5, ["sdist"])  # an old line, released after wheels began

    audit = Audit(with_more(tagged("v0.3.1"), more=[late], releases=[released("0.3.1", 5)]))

    assert kinds_of(audit, "0.3.1") == ["files-missing"]


def test_releases_made_for_old_tags_later_begin_no_earlier_habit() -> None:
    whole = [indexed("0.1", 0), indexed("0.2", 1), indexed("0.3", 200)]
    tags = remote(*(tagged(f"v{v}") for v in ("0.1", "0.2", "0.3")))
    made = known((released("0.1", 100), released("0.3", 200)))
    found = history(index=index(*whole), remote=tags, releases=made, latest_release=known(release("v0.3")))

    assert kinds_of(Audit(found), "0.2") == []


def test_an_index_without_upload_times_is_read_by_versions() -> None:
    versions = [indexed("0.1", None, ["sdist"]), indexed("0.2", None), indexed("0.3", None, ["sdist"])]
    audit = Audit(history(index=index(*versions), remote=remote(tagged("v0.2")), **NO_RELEASES))

    assert kinds_of(audit, "0.1") == []
    assert kinds_of(audit, "0.3") == ["files-missing", "tag-missing"]


@pytest.mark.parametrize(
    ("found", "about"),
    [
        (history(**NO_RELEASES, makes_releases=known(True)), "release"),
        (history(remote=remote(), **NO_RELEASES), "tag"),
        (history(index=SDISTS, target=BOTH_KINDS), "wheel"),
        (history(index=index(listed=False)), "index"),
    ],
)
def test_a_trace_that_never_appeared_is_said_once(found: AuditSnapshot, about: str) -> None:
    audit = Audit(found)
    verdict = verdict_of(audit)

    said = [r.target.rpartition(": ")[2] for r in verdict.project_results if r.id == "AUDIT-3" and r.is_finding]
    assert about in said and len(said) <= 2
    assert verdict.exit is Exit.ACTION_NEEDED
    assert not any(kind.blocking for kind in verdict.by_kind), "no version is measured by it"


def test_what_the_channel_does_not_leave_is_not_expected() -> None:
    tags_only = structs.replace(target(version="0", clone=None).channel, leaves=("tag",))
    found = history(
        target=target(version="0", clone=None, channel=tags_only), releases=failed(), latest_release=failed()
    )

    verdict = verdict_of(Audit(found))

    assert (verdict.exit, verdict.words) == (Exit.OK, "HISTORY AGREES")


# ---- which tags are whose


def tags_of(audit: Audit, version: str) -> list[str]:
    return [tag.name for tag in of(audit, version).audited.tags]


def test_tags_of_another_package_of_the_repository_are_left_aside() -> None:
    siblings = [tagged(f"v{number}.0.0") for number in range(1, 9)]  # of the main package
    ours = [tagged(f"orbit-v{version}") for version in ("0.1.0", "0.2.0", "0.3.0")]
    other = [tagged("orbit-extra-v0.9.0"), tagged("other==0.8.0")]
    audit = Audit(history(remote=remote(*siblings, *ours, *other), **NO_RELEASES))

    assert [str(judged.audited) for judged in audit.judgements] == ["0.1.0", "0.2.0", "0.3.0"]
    assert tags_of(audit, "0.2.0") == ["orbit-v0.2.0"]
    assert audit.spelt.foreign == {"v{version}": 8}


def test_a_tag_of_the_main_package_is_no_tag_of_ours() -> None:
    ours = [tagged("orbit-v0.1.0"), tagged("orbit-v0.3.0")]
    main = [tagged(f"v{version}") for version in ("0.1.0", "0.2.0", "0.3.0")]
    configured = structs.replace(history().target, tag_template="orbit-v{version}", given=("tag-template",))
    said = known(tuple(released(version, tag=f"orbit-v{version}") for version in ("0.1.0", "0.3.0")))
    whole = {"remote": remote(*ours, *main), "target": configured}
    latest = {"latest_release": known(release("v0.3.0"))}

    assert kinds_of(Audit(history(**whole, **NO_RELEASES)), "0.2.0") == ["tag-missing"]
    both = known((*said.present(), *(released(version) for version in ("0.1.0", "0.2.0", "0.3.0"))))
    audit = Audit(history(**whole, **latest, releases=both))
    assert kinds_of(audit, "0.2.0") == ["tag-missing", "release-missing"]
    assert kinds_of(audit, "0.3.0") == []
    (result,) = [result for result in results(audit) if result.id == "AUDIT-4"]
    assert result.outcome is Outcome.NOT_APPLICABLE and "another package" in result.found


def test_a_package_that_came_to_have_its_name_in_its_tags() -> None:
    tags = remote(tagged("v0.1.0"), tagged("v0.2.0"), tagged("orbit-v0.3.0"))
    configured = structs.replace(history().target, tag_template="orbit-v{version}")
    audit = Audit(history(remote=tags, target=configured, **NO_RELEASES))

    assert not verdict_of(audit).by_kind and tags_of(audit, "0.1.0") == ["v0.1.0"]
    assert audit.spelt.own == {"v{version}": 2, "orbit-v{version}": 1} and not audit.spelt.foreign


def test_one_number_that_fits_does_not_make_an_older_projects_spelling_ours() -> None:
    older = [tagged(f"v0.0.{number}") for number in range(1, 6)]
    tags = remote(*older, tagged("v0.1.0"), tagged("0.2.0"), tagged("0.3.0"))
    configured = structs.replace(history().target, tag_template="{version}")
    audit = Audit(history(remote=tags, target=configured, **NO_RELEASES))

    assert tags_of(audit, "0.1.0") == [] and audit.spelt.foreign == {"v{version}": 6}
    assert [str(judged.audited) for judged in audit.judgements] == ["0.1.0", "0.2.0", "0.3.0"]
    assert not verdict_of(audit).by_kind, "the habit began with 0.2.0"


def test_what_is_left_aside_of_a_spelling_is_counted() -> None:
    tags = remote(*(tagged(f"v{version}") for version in ("0.1.0", "0.2.0", "1.0.0")), tagged("orbit-v0.3.0"))
    named = structs.replace(history().target, given=("tag-template",))
    assert Audit(history(remote=tags, target=named, **NO_RELEASES)).spelt.own["v{version}"] == 3, "configured"

    configured = structs.replace(history().target, tag_template="orbit-v{version}")
    spelt = Audit(history(remote=tags, target=configured, **NO_RELEASES)).spelt
    assert (spelt.own, spelt.foreign) == ({"v{version}": 2, "orbit-v{version}": 1}, {"v{version}": 1})


@pytest.mark.parametrize("template", ["orbit-v{version}", "v{version}"])
def test_a_number_alone_is_not_ours_where_our_name_tags_it_elsewhere(template: str) -> None:
    ours = [tagged(f"orbit-v{version}") for version in ("0.1.0", "0.2.0", "0.3.0")]
    older, ours_too = tagged("0.2.0"), tagged("V0.3.0", ours[2].commit)
    configured = structs.replace(history().target, tag_template=template)
    audit = Audit(history(remote=remote(*ours, older, ours_too), target=configured, **NO_RELEASES))

    assert tags_of(audit, "0.2.0") == ["orbit-v0.2.0"] and audit.spelt.foreign == {"{version}": 1}
    assert sorted(tags_of(audit, "0.3.0")) == ["V0.3.0", "orbit-v0.3.0"]
    assert "tags-differ" not in {kind.id for kind in verdict_of(audit).by_kind}


def test_two_tags_of_ours_on_different_commits_are_told() -> None:
    configured = structs.replace(history().target, tag_template="{version}")
    tags = [tagged("0.1.0"), tagged("0.2.0"), tagged("0.3.0"), tagged("orbit-v0.2.0")]

    assert "tags-differ" in kinds_of(Audit(history(remote=remote(*tags), target=configured, **NO_RELEASES)), "0.2.0")


def test_the_configured_spelling_counts_where_nothing_tells_better() -> None:
    audit = Audit(history(remote=remote(tagged("v4.0.0"), tagged("v5.0.0")), **NO_RELEASES))

    assert kinds_of(audit, "5.0.0") == ["not-published"]


def test_a_template_that_changed_is_a_habit_of_its_time() -> None:
    whole = remote(tagged("0.1.0"), tagged("0.2.0"), tagged("v0.3.0"))
    found = history(remote=whole, releases=known((released("0.3.0", 2),)))

    assert verdict_of(Audit(found)).exit is Exit.OK
    assert tags_of(Audit(found), "0.1.0") == ["0.1.0"]


@pytest.mark.parametrize("name", ["v0", "v0.3"])
def test_moving_tags_are_no_versions(name: str) -> None:
    moved = tagged(name, tagged("v0.3.0").commit)

    audit = Audit(with_more(moved))

    assert [str(judged.audited) for judged in audit.judgements] == ["0.1.0", "0.2.0", "0.3.0"]
    assert verdict_of(audit).exit is Exit.OK


def test_a_short_tag_of_its_own_is_a_version() -> None:
    assert kinds_of(Audit(with_more(tagged("v0.4"))), "0.4") == ["not-published"]


@pytest.mark.parametrize(("name", "is_tag"), [("v0.4.0", True), ("0.4.0.0", True), ("v0.4", False), ("v0", False)])
def test_a_tag_with_fewer_numbers_is_no_tag_of_the_version_as_in_a_gate(name: str, is_tag: bool) -> None:
    versions = [indexed(f"0.{minor}.0", minor) for minor in range(1, 5)]
    tags = [tagged(f"v0.{minor}.0") for minor in range(1, 4)]
    audit = Audit(history(index=index(*versions), remote=remote(*tags, tagged(name)), **NO_RELEASES))
    assert (kinds_of(audit, "0.4.0") == []) is is_tag
    gate = target(version="0.4.0", tag_template="v{version}")
    assert gate.is_version_named_by(name) is is_tag


def test_pep_440_finds_the_tag() -> None:
    versions = [indexed("1.0rc1", 0), indexed("2022.5.18", 1), indexed("0.6", 2)]
    tags = remote(tagged("v1.0-rc.1"), tagged("v2022.05.18"), tagged("v0.6.0"))
    audit = Audit(history(index=index(*versions), remote=tags, **NO_RELEASES))

    assert not verdict_of(audit).by_kind


# ---- the latest release


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, Outcome.HOLDS),
        ({"latest_release": known(release("v0.2.0"))}, Outcome.ACTION_NEEDED),
        ({"latest_release": known(None)}, Outcome.ACTION_NEEDED),
        ({"latest_release": failed()}, Outcome.UNKNOWN),
        ({"index": failed("index pypi")}, Outcome.UNKNOWN),
        ({"latest_release": known(release("other-1.0"))}, Outcome.NOT_APPLICABLE),
        (NO_RELEASES, Outcome.NOT_APPLICABLE),
    ],
)
def test_the_latest_release(changes: dict[str, Any], outcome: Outcome) -> None:
    (result,) = [result for result in results(Audit(history(**changes))) if result.id == "AUDIT-4"]

    assert result.outcome is outcome
    if outcome is Outcome.ACTION_NEEDED:
        assert result.steps[0].lines() == ["gh release edit v0.3.0 --latest --repo github.example/octo/orbit"]


# ---- unknown is never green


@pytest.mark.parametrize("source", ["remote", "index", "releases", "latest_release", "clone_tags"])
def test_a_silent_source_leaves_no_version_green(source: str) -> None:
    verdict = verdict_of(Audit(history(**{source: failed(source)})))

    assert (verdict.exit, verdict.words) == (Exit.UNKNOWN, "COULD NOT VERIFY")
    said = [each for each in verdict.project_results if each.id == "AUDIT-1" and each.outcome is Outcome.UNKNOWN]
    assert len(said) == 1 and "answered 503" in said[0].found
    if source != "latest_release":
        assert {judged.outcome for judged in verdict.audit.judgements} == {Outcome.UNKNOWN}


def test_a_cause_of_several_unknowns_is_told_once() -> None:
    silent = ("releases", "latest_release", "open_pulls", "drafts", "runs")
    verdict = verdict_of(Audit(without_tag("v0.2.0", **dict.fromkeys(silent, failed()), clone_tags=failed("clone"))))

    clone, github = verdict.findings
    assert (clone.id, clone.found) == ("AUDIT-1", "could not read clone: answered 503")
    names = "AUDIT-1 (releases, latest_release), AUDIT-2 (advice, open_pulls, drafts, runs), AUDIT-3 (release), AUDIT-4"
    assert sorted(github.id.split("), ")) == sorted(names.split("), "))
    assert github.blocking and github.outcome is Outcome.UNKNOWN and "one cause" in github.title.lower()


def test_two_findings_of_the_same_words_are_two() -> None:
    said = structs.replace(results(Audit(history()))[0], outcome=Outcome.ACTION_NEEDED, found="none")

    assert merge_unknown([said, said]) == [said, said]


def test_a_quarantined_project_is_unknown() -> None:
    verdict = verdict_of(Audit(history(index=index(status="quarantined"))))

    assert verdict.exit is Exit.UNKNOWN
    assert {judged.outcome for judged in verdict.audit.judgements} == {Outcome.UNKNOWN}


def test_a_draft_is_published_only_where_its_tag_is() -> None:
    """GitHub would make the tag of any other, on the head of the default branch."""
    draft = known((released("0.2.0", draft=True),))
    respelled = without_tag("v0.2.0").remote.present().tags

    def lines(found: AuditSnapshot) -> list[str]:
        steps = verdict_of(Audit(found)).plans.values()
        return [line for step in steps for line in step.lines() if "gh release" in line]

    with_tag = lines(without_release("0.2.0", drafts=draft))
    assert len(with_tag) == 1
    assert with_tag[0].startswith("gh release edit v0.2.0 --draft=false ")
    untagged = lines(without_release("0.2.0", drafts=draft, remote=remote(*respelled)))
    assert not untagged
    other = lines(without_release("0.2.0", drafts=draft, remote=remote(*respelled, tagged("0.2.0"))))
    assert len(other) == 1
    assert other[0].startswith("gh release create 0.2.0 --verify-tag ")


@pytest.mark.parametrize("source", ["drafts", "open_pulls"])
def test_a_silent_hint_is_advice(source: str) -> None:
    verdict = verdict_of(Audit(history(**{source: failed(source)})))

    assert verdict.exit is Exit.OK
    assert [r.blocking for r in verdict.project_results if r.outcome is Outcome.UNKNOWN] == [False]
    assert verdict_of(verdict.audit, advice=True).exit is Exit.UNKNOWN


def test_a_release_branch_needs_the_pull_requests() -> None:
    verdict = verdict_of(Audit(with_more(branch("release/pypi-v0.3.0"), open_pulls=failed())))

    assert verdict.exit is Exit.UNKNOWN
    assert of(verdict.audit, "0.3.0").outcome is Outcome.UNKNOWN


def test_what_is_known_to_be_wrong_is_said_beside_what_is_unknown() -> None:
    verdict = verdict_of(Audit(without_tag("v0.2.0", releases=failed())))

    assert verdict.exit is Exit.ACTION_NEEDED
    assert kinds_of(verdict.audit, "0.2.0") == ["tag-missing"]
    assert of(verdict.audit, "0.1.0").outcome is Outcome.UNKNOWN


SOURCES = ("remote", "index", "releases", "latest_release", "clone_tags", "drafts", "open_pulls", "runs")
NAMES = st.sampled_from(["0.1.0", "0.2.0", "0.3.0", "0.4.0rc1", "1.0"])


@st.composite
def histories(draw: st.DrawFn) -> AuditSnapshot:
    some = st.lists(NAMES, unique=True, max_size=5)
    kinds = st.lists(st.sampled_from(["sdist", "wheel"]), unique=True, min_size=1)
    published = [indexed(v, draw(st.integers(0, 9)), draw(kinds), draw(kinds)) for v in sorted(draw(some), key=Version)]
    refs = [tagged(f"v{version}") for version in draw(some)]
    branches = [branch(f"release/pypi-v{version}") for version in draw(some)]
    made = tuple(released(v, draw(st.integers(0, 9)), prerelease=draw(st.booleans())) for v in draw(some))
    silent = draw(st.sets(st.sampled_from(SOURCES), max_size=3))
    return history(
        **{
            "index": index(*published),
            "remote": remote(*refs, *branches),
            "releases": known(made),
            "drafts": known(tuple(released(version, draft=True) for version in draw(some))),
            "latest_release": known(made[0] if made else None),
            **{source: failed(source) for source in silent},
        }
    )


@given(histories())
@settings(max_examples=60, deadline=None)
def test_whatever_the_history_green_means_known_and_no_plan_destroys(found: AuditSnapshot) -> None:
    audit = Audit(found)
    verdict = verdict_of(audit)

    assert verdict.exit is not Exit.DEFECT
    assert [judged.audited.version for judged in audit.judgements] == sorted(a.version for a in audit.versions)
    if verdict.exit is Exit.OK:
        assert all(audit.observation(source).is_known for source in audit.sources)
        assert not any(kind.blocking for kind in verdict.by_kind)
    for step in verdict.plans.values():
        assert step.commands or step.link or step.title
        for command in step.commands:
            assert command[0] in ("gh", "git", "release-state")
            assert not {"delete", "push", "--delete", "DELETE", "--force", "close", "merge"} & set(command)


# ---- less than the whole


def test_less_than_every_version_is_partial() -> None:
    audit = Audit(history())
    said = results(audit)

    verdict = verdict_of(audit, [result for result in said if "0.2.0" not in result.target])

    assert (verdict.words, verdict.exit) == (f"PARTIAL {len(said) - 1} of {len(said)}", Exit.UNKNOWN)
    hints_only = verdict_of(audit, [result for result in said if result.id != "AUDIT-2"])
    assert (hints_only.words, hints_only.exit) == (f"PARTIAL {len(said) - 3} of {len(said)}", Exit.OK)


def test_a_specifier_chooses_what_is_judged_and_not_what_is_known() -> None:
    chosen = Audit(without_tag("v0.1.0", selection=">=0.2,<0.3"))

    assert [str(judged.audited) for judged in chosen.judgements] == ["0.2.0"]
    assert str(chosen.habits.since["tag"].version) == "0.2.0"
    nothing = verdict_of(Audit(history(selection=">=7")))
    assert (nothing.words, nothing.exit) == ("NOTHING CHECKED", Exit.NOTHING_CHECKED)
    silent = verdict_of(Audit(history(selection=">=7", index=failed("index pypi"))))
    assert silent.exit is Exit.UNKNOWN, "there may be such a version"


# ---- what may be typed


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (["0.2.0"], None),
        (["0.2.0", "1!0.3"], None),
        (["all"], "all"),
        ([">=2,<3"], ">=2,<3"),
        (["==1.*"], "==1.*"),
        (["~=1.4"], "~=1.4"),
        (["!=1.0"], "!=1.0"),
    ],
)
def test_an_audit_is_asked_for_by_its_version(versions: list[str], expected: str | None) -> None:
    assert audited(versions) == expected


@pytest.mark.parametrize("versions", [["all", "0.2.0"], [">=2", "<3"], [">=two"], ["all,"], ["0.2.*"]])
def test_what_is_no_selection_is_refused(versions: list[str]) -> None:
    with pytest.raises(UsageProblem, match="--version"):
        audited(versions)


def test_prereleases_are_part_of_a_history() -> None:
    chosen = selection(">=2,<3")
    wanted = [text for text in ("1.9", "2.0rc1", "2.0", "2.1b1", "3.0rc1", "3.0") if Version(text) in chosen]
    assert wanted == ["2.0", "2.1b1"]


@pytest.mark.parametrize(
    ("arguments", "refused", "named", "said"),
    [
        (Arguments(audit="all", phase="rollback"), [], [], "an audit has no phase"),
        (Arguments(audit="all", plan="rollback"), [], [], "--plan cannot be combined"),
        (Arguments(audit="all"), ["--save-snapshot"], [], "--save-snapshot cannot be combined"),
        (Arguments(audit="all"), [], ["test_rollback.py"], "holds checks of single versions"),
    ],
)
def test_what_has_no_meaning_in_an_audit_is_refused(
    arguments: Arguments, refused: list[str], named: list[str], said: str
) -> None:
    with pytest.raises(UsageProblem, match=re.escape(said)):
        check_usage(arguments, refused, named)


def test_reports_are_named_after_the_selection() -> None:
    assert file_name("orbit-demo-0-pypi+testpypi", ">=2, <3") == "orbit-demo-gteq2-lt3-pypi+testpypi"
