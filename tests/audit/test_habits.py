"""Since when a history is measured by a trace, which versions are excused, and that a run over one version agrees."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec import structs

from release_state.audit.audit import Audit
from release_state.audit.report.history import describe_habits
from release_state.audit.versions import AuditSnapshot
from release_state.facts.process import resolve
from release_state.facts.release import Release
from release_state.model.observation import known
from release_state.model.outcome import Outcome
from release_state.model.snapshot import IndexRelease
from tests.support.histories import BOTH, history, index, indexed, kinds_of, of, released, results, tagged
from tests.support.states import failed, project, ready, remote, target

NO_RELEASES = {"releases": known(()), "latest_release": known(None), "makes_releases": known(False)}


def told(published: str, tags: str, kinds: Sequence[str] = BOTH) -> Audit:
    """A history of these versions, a day apart, and these tags; without a GitHub Release."""
    versions = [indexed(version, at, kinds) for at, version in enumerate(published.split())]
    return Audit(history(index=index(*versions), remote=remote(*map(tagged, tags.split())), **NO_RELEASES))


def missing(audit: Audit, kind: str = "tag-missing") -> str:
    """The versions with this kind of disagreement."""
    found = (judged for judged in audit.judgements if any(finding.kind.id == kind for finding in judged.findings))
    return " ".join(str(judged.audited) for judged in found)


def outcome(audit: Audit, check: str, about: str = "") -> Outcome:
    """How a check of the whole project ended."""
    return next(r.outcome for r in results(audit) if r.id == check and r.target.endswith(about))


def line(of_: str, *patches: int) -> str:
    return " ".join(f"{of_}.{patch}" for patch in patches)


def numbered(prefix: str, *patches: int) -> str:
    return " ".join(f"v{prefix}.{patch}" for patch in patches)


OLD, NEW = tuple(range(12)), tuple(range(12, 24))
RCS = " ".join(f"{version}rc1 {version}" for version in ("0.1", "0.2", "0.3", "0.4"))
FINALS = "v0.1 v0.2 v0.3 v0.4"


@pytest.mark.parametrize(
    ("published", "tags", "lacking"),
    [
        # One early tag, far from those of later.
        (line("1", *OLD, *NEW), numbered("1", 0, *NEW), ""),
        (line("1", *OLD, *NEW), numbered("1", 0, 12, *NEW[2:]), "1.13"),
        # Tags began at once, and some are missing.
        (line("1", *OLD), numbered("1", 0, 1, *OLD[3:]), "1.2"),
        ("0.1 0.2", "v0.1", "0.2"),
        ("0.1 0.2 0.3", "v0.1 v0.3", "0.2"),
        # Every new version lacks one: a habit does not end by itself.
        (line("1", *OLD, *NEW), numbered("1", *OLD), line("1", *NEW)),
        # A long gap within, and a short one.
        (line("1", *OLD, *NEW, 24, 25), numbered("1", *OLD, 24, 25), ""),
        (line("1", *OLD, 12, 13, 14), numbered("1", *OLD, 14), "1.12 1.13"),
        # Only finals, only pre-releases, too few of them to tell, and one that is missing among them.
        (RCS, FINALS, ""),
        (RCS, "v0.1rc1 v0.2rc1 v0.3rc1 v0.4rc1", ""),
        ("0.1 0.2 0.3rc1 0.3", "v0.1 v0.2 v0.3", "0.3rc1"),
        (RCS, f"{FINALS} v0.1rc1 v0.2rc1 v0.4rc1", "0.3rc1"),
        ("0.1a1 0.1a2 0.1a3 0.1", "v0.1a1 v0.1a2 v0.1a3", "0.1"),
        (f"{RCS} 0.5.dev1 0.5.dev2 0.5.dev3", f"{FINALS} v0.1rc1 v0.2rc1 v0.3rc1 v0.4rc1", ""),
    ],
)
def test_which_versions_lack_a_tag(published: str, tags: str, lacking: str) -> None:
    assert missing(told(published, tags)) == lacking


def test_final_versions_without_tags_are_said_once_and_each_is_blocked_by_no_habit() -> None:
    reverse = told(RCS, "v0.1rc1 v0.2rc1 v0.3rc1 v0.4rc1")
    assert outcome(reverse, "AUDIT-3", "tag") is Outcome.ACTION_NEEDED

    audit = told(line("1", *OLD), numbered("1", 0))
    assert missing(audit) == "" and outcome(audit, "AUDIT-3", "tag") is Outcome.ACTION_NEEDED
    assert "tags: only 1 of 1, so no version needs it" in describe_habits(audit)


@pytest.mark.parametrize(
    ("published", "tags", "lacking"),
    [
        # Pre-releases are tagged and never published; development versions begin a cycle.
        ("0.1 0.2 0.3 0.4", f"{FINALS} v0.2rc1 v0.3rc1 v0.4rc1 v0.5rc1 v0.5.dev0 v0.6.dev0 v0.7.dev0", ""),
        (RCS, f"{FINALS} v0.5rc1", "0.5rc1"),
        # An early upload under this name, and the versions of another name that was used until later.
        (line("1", 0, 30, 31, 32), numbered("1", *OLD, 30, 31, 32), ""),
        # Tags of another project's history between, and the newest, whose uploads failed.
        (f"{line('1', *OLD)} 3.0 3.1", f"{numbered('1', *OLD)} {numbered('2', *OLD)} v3.0 v3.1", ""),
        (line("1", *OLD), numbered("1", *OLD, *NEW), line("1", *NEW)),
    ],
)
def test_which_tags_are_not_published(published: str, tags: str, lacking: str) -> None:
    assert missing(told(published, tags), "not-published") == lacking


def test_a_tag_of_a_stage_that_is_never_published_is_not_judged() -> None:
    audit = told("0.1 0.2 0.3 0.4", f"{FINALS} v0.2rc1 v0.3rc1 v0.4rc1")

    judged = of(audit, "0.4rc1")
    assert (judged.outcome, judged.note) == (
        Outcome.NOT_APPLICABLE,
        "tag v0.4rc1; pre-releases are usually not published here",
    )


@pytest.mark.parametrize(
    ("wheels", "lacking"),
    [
        ([], ""),  # never
        ([0], "1.1 1.2 1.3"),  # once, long ago
        (range(6), "1.6 1.7 1.8"),  # they ended; the first without one could not know
        ([4, 5, 7, 8, 9, 10, 11], "1.6"),
        (range(11), "1.11"),
    ],
)
def test_the_three_versions_before_tell_which_kinds_of_file_one_has(wheels: Sequence[int], lacking: str) -> None:
    versions = [indexed(f"1.{at}", at, ["sdist", *["wheel"] * (at in wheels)]) for at in OLD]
    tags = remote(*(tagged(f"v1.{at}") for at in OLD))
    assert missing(Audit(history(index=index(*versions), remote=tags, **NO_RELEASES)), "files-missing") == lacking


def test_one_early_github_release_begins_no_habit() -> None:
    versions = [indexed(f"1.{at}", at) for at in (*OLD, *NEW)]
    made = known(tuple(released(f"1.{at}", at) for at in (0, *NEW)))
    tags = remote(*(tagged(f"v1.{at}") for at in (*OLD, *NEW)))
    assert missing(Audit(history(index=index(*versions), remote=tags, releases=made)), "release-missing") == ""


def test_what_is_excused_is_said_with_the_habit() -> None:
    lines = describe_habits(told(f"{line('1', *OLD, *NEW, 24, 25)} 2.0rc1 2.0rc2 2.0rc3", numbered("1", *OLD, 24, 25)))

    (tags,) = (found for found in lines if found.startswith("tags:"))
    assert tags == (
        "tags: since 1.0 (2020-01-01), 14 of 14 published versions; the other 15 need none; none in long gaps: "
        "12 final versions between 1.12 and 1.23; pre-releases usually have none"
    )


# ---- how tags are spelled


def test_a_package_that_went_back_to_numbers_alone() -> None:
    published = "0.8 0.9 1.0 1.1 1.2 2.0 2.1 2.2 2.3"
    ours = "orbit-0.8 orbit-0.9 orbit-1.0 orbit-1.1 orbit-1.2"
    found = told(published, f"{ours} 2.0 2.1 2.2 2.3")
    assert missing(found) == "" and found.target.tag_template == "{version}" and not found.spelt.foreign
    # Too few to tell, and tags of which most name no version of this package.
    for tags in ("2.0 2.1", "2.0 2.1 2.2 7.0 7.1 7.2"):
        assert missing(told(published, f"{ours} {tags}")) == "2.0 2.1 2.2 2.3"
    # A stray tag by name makes no other package of those by number.
    assert missing(told(published, "0.8 0.9 1.0 1.1 1.2 orbit-2.0 2.0 2.1 2.2 2.3")) == ""


def test_a_spelling_that_was_found_is_said_once() -> None:
    audit = told("0.1 0.2 0.3 0.4 0.5", "v0.1 0.2 v0.3 v0.4 0.5")
    (said,) = (result for result in results(audit) if result.id == "AUDIT-6")

    assert audit.target.tag_template == "{version}", "that of the newest"
    assert (said.outcome, said.blocking) == (Outcome.ACTION_NEEDED, False)
    assert said.found == "2 versions tagged otherwise: v0.3; v0.4"
    assert not any(judged.findings for judged in audit.judgements)
    assert outcome(told("0.1 0.2", "v0.1 0.2"), "AUDIT-6") is Outcome.HOLDS, "it changed"
    assert outcome(Audit(history(remote=failed("git remote"))), "AUDIT-6") is Outcome.UNKNOWN


SAME = {
    "padded dates": ("2026.1.9 2026.2.1 2026.10.3", "v2026.01.09 v2026.10.03"),
    "post-releases": ("0.1.0 0.1.0.post1 0.2.0", "v0.1.0 v0.1.0-post1"),
    "plain tags": ("0.1.0 0.2.0 0.3.0", "0.1.0 0.3.0"),
    "tags by package": ("0.1.0 0.2.0 0.3.0", "orbit-v0.1.0 orbit-v0.2.0 other-v0.3.0 v0.3.0 v9.0.0"),
    "numbers again": ("0.1.0 0.2.0 0.3.0 0.4.0 0.5.0", "orbit-0.1.0 0.2.0 0.3.0 0.4.0"),
    "underscores": ("1.4.0 2.0.0b1 2.0.1", "rel_1_4_0 rel_2_0_0b1"),
    "a spelling of its own": ("0.1.0 0.2.0 0.3.0", "lang_0.1.0 lang_0.2.0 x-9.0.0"),
    "a language": ("0.1.0 0.2.0 0.3.0", "python-v0.1.0 python-v0.2.0 rust-v0.9.0"),
}


@pytest.mark.parametrize(("published", "tags"), SAME.values(), ids=SAME)
def test_a_run_over_one_version_finds_the_tag_that_the_audit_finds(published: str, tags: str) -> None:
    audit = told(published, tags)
    there = tuple(IndexRelease(version=version, file_count=2, yanked=False) for version in published.split())
    for version in published.split():
        page = structs.replace(project(releases={}).present(), releases=there)
        about = target(version=version, clone=None)
        snapshot = ready(target=about, remote=audit.history.remote, index={"pypi": known(page)}, clone=known(None))
        one = Release(resolve(snapshot))

        judged = of(audit, version)
        assert (one.tag.name if one.tag else None) == next((tag.name for tag in judged.audited.tags), None), version
        said = [finding.found for finding in judged.findings if finding.kind.id == "tag-missing"]
        assert said == ([] if one.tag else [f"no tag {one.target.tag}"]), version


# ---- GitHub Releases


def never(**changes: object) -> AuditSnapshot:
    return history(**{**NO_RELEASES, **changes})


def test_a_project_without_github_releases_needs_none_unless_something_makes_them() -> None:
    given = structs.replace(history().target, given=("channels.pypi.leaves",))
    assert outcome(Audit(never()), "AUDIT-3", "release") is Outcome.NOT_APPLICABLE
    assert outcome(Audit(never(makes_releases=known(True))), "AUDIT-3", "release") is Outcome.ACTION_NEEDED
    assert outcome(Audit(never(makes_releases=failed())), "AUDIT-3", "release") is Outcome.UNKNOWN
    assert outcome(Audit(never(target=given)), "AUDIT-3", "release") is Outcome.ACTION_NEEDED
    for word, wanted in (("release", Outcome.ACTION_NEEDED), ("tag", Outcome.NOT_APPLICABLE)):
        named = structs.replace(history().target, process_kind=word)
        assert outcome(Audit(never(target=named)), "AUDIT-3", "release") is wanted, "the setting process asks for it"
    assert kinds_of(Audit(never()), "0.2.0") == []
