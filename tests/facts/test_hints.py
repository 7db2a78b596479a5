"""What is configured and matches nothing is said, with what is likely right; nothing is said where nobody knows."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from release_state.facts.hints import find_hints
from release_state.facts.process import resolve
from release_state.model.observation import known, unavailable
from release_state.model.snapshot import Branch, Snapshot
from release_state.model.target import Target
from tests.checks.cases.calculation import calculation
from tests.facts.test_process import CI, ON_TAG, snapshot, tags, target
from tests.support import states as s
from tests.support.judged import verdict_of

UNKNOWN: Any = unavailable("git remote", "no answer")


def hints(about: Target, texts: dict[str, str] | None = None, **changes: Any) -> tuple[str, ...]:
    return find_hints(resolve(snapshot({"ship.yml": ON_TAG} if texts is None else texts, about, **changes)))


def with_tags(*names: str, branches: tuple[str, ...] = ()) -> dict[str, Any]:
    base = snapshot({}).remote.present()
    lines = (*base.branches, *(Branch(name=name, sha=s.BASE) for name in branches))
    return {"remote": known(structs.replace(base, tags=tags(*names), branches=lines))}


def page(*versions: str) -> dict[str, Any]:
    found = s.project(releases=dict.fromkeys(versions, False)).present()
    releases = tuple(each for each in found.releases if each.version in versions)
    return {"index": {"pypi": known(structs.replace(found, releases=releases, listed=bool(versions)))}}


def test_a_template_that_matches_no_tag_names_the_one_that_does() -> None:
    given = target("0.3.0", "tag-template", tag_template="{version}")
    (hint,) = hints(given)
    assert hint == (
        "tag-template {version} matches no tag; 2 of 2 tags of the remote are spelled v{version}: "
        "--tag-template 'v{version}'"
    )
    (padded,) = hints(target("0.3.0", "tag-template"), **with_tags("rel_0_1_0", "rel_0_2_0"), **page("0.1.0", "0.2.0"))
    assert padded.endswith("--tag-template 'rel_{underscored}'")


def test_a_start_that_the_workflow_does_not_have_names_those_that_it_has() -> None:
    given = target("0.3.0", "started-by", started_by=("release",))
    assert hints(given) == ("started-by release is no trigger of ship.yml: --started-by tag",)
    assert hints(target("0.3.0", "started-by", started_by=("tag", "dispatch"))) == ()
    (lost,) = hints(given, {"ci.yml": CI})
    assert lost == "started-by has no effect: no workflow is known to publish: name it with --workflow FILE"
    assert hints(given, workflow_files=UNKNOWN) == ()


def test_an_environment_that_is_of_no_publishing_job_names_theirs() -> None:
    def hint(configured: str, named: str = "environment: live, ", **changes: Any) -> tuple[str, ...]:
        about = target("0.3.0", "channels.pypi.environment")
        about = structs.replace(about, channel=structs.replace(about.channel, environment=configured))
        return hints(about, {"ship.yml": ON_TAG.replace("{steps", f"{{{named}steps")}, **changes)

    likely = "environment {} is of no job that publishes to pypi; theirs is live (ship.yml): --environment pypi=live"
    assert hint("release") == (likely.format("release"),)
    assert hint("") == (likely.format("none"),)
    assert hint("release", "")[0].endswith("theirs is none (ship.yml): --environment pypi=")
    assert hint("Live") == (), "GitHub takes it in any case"
    assert hint("", "") == ()
    assert hint("release", "environment: '${{ inputs.to }}', ") == (), "a run chooses it"
    assert hint("release", workflow_files=UNKNOWN) == ()


@pytest.mark.parametrize(
    ("given", "template", "changes"),
    [
        ((), "{version}", {}),  # found out: it is replaced
        (("tag-template",), "v{version}", {}),  # it matches
        (("tag-template",), "v{version}", with_tags("v0.1.0-rc.1")),  # as semver spells it
        (("tag-template",), "{version}", with_tags()),  # the first release
        (("tag-template",), "{version}", {"remote": UNKNOWN}),
        (("tag-template",), "{package}-v{version}", {}),  # the first of this package, beside another's tags
    ],
)
def test_a_template_that_matches_or_that_nothing_contradicts_has_no_hint(
    given: tuple[str, ...], template: str, changes: dict[str, Any]
) -> None:
    assert hints(target("0.3.0", *given, tag_template=template), **changes) == ()


def test_a_workflow_that_is_not_there_names_the_one_that_publishes() -> None:
    gone = target("0.3.0", "workflow", workflow="release.yml")
    assert hints(gone) == ("workflow release.yml is not on main; ship.yml publishes (uv publish): --workflow ship.yml",)
    assert hints(gone, {"ci.yml": CI}) == ("workflow release.yml is not on main; there are ci.yml",)
    assert hints(gone, {}) == ("workflow release.yml is not on main; there is none",)
    other = target("0.3.0", "workflow", workflow="ci.yml")
    assert hints(other, {"ci.yml": CI, "ship.yml": ON_TAG}) == (
        "workflow ci.yml is not seen to publish; ship.yml publishes (uv publish): --workflow ship.yml",
    )
    assert hints(other, {"ci.yml": CI}) == (), "it may publish in a way that is not known"
    assert hints(target("0.3.0", "workflow", workflow="ship.yml")) == ()
    assert hints(target("0.3.0", "workflow", workflow=""), {"ci.yml": CI}) == ()
    assert hints(gone, workflow_files=UNKNOWN) == ()


def test_a_branch_template_that_never_matched_names_the_spelling_of_the_branches() -> None:
    given = target("0.3.0", "branch-template", branch_template="prepare/{version}")
    lines = with_tags("v0.1.0", branches=("release-0.2.0", "release-0.3.0", "fix/release-notes"))
    assert hints(given, **lines) == (
        "branch-template prepare/{version} matches no branch; 2 branches are spelled release-{version}",
    )
    assert hints(given, **lines, earlier_pulls={}) == (), "nobody looked whether it ever matched"
    assert hints(given, **lines, earlier_pulls={"prepare/0.2.0": UNKNOWN}) == ()
    assert hints(given, **lines, earlier_pulls={"prepare/0.2.0": known((s.pull(),))}) == ()
    assert hints(given, **with_tags("v0.1.0", branches=("prepare/0.2.0", "release-0.2.0"))) == ()
    assert hints(given) == ()
    assert hints(target("0.3.0"), **lines) == (), "nobody configured one"


def test_a_package_that_neither_index_nor_tags_know_names_the_likely_one() -> None:
    wrong = target("0.3.0", package="orbit-dmo")
    declared = calculation(project_name="Orbit.Demo")
    assert hints(wrong, calculation=declared, **page()) == (
        "package orbit-dmo is not on pypi, and no tag names it: is it orbit-demo?",
    ), "the name that the base branch declares is nearer than the repository's"
    assert hints(wrong, **with_tags("orbit-demo-v0.1.0", "orbit-demo-v0.2.0"), **page()) == (
        "package orbit-dmo is not on pypi, and no tag names it: is it orbit-demo?",
    )
    many = with_tags("v0.1.0", "v0.2.0", "v0.3.0")
    assert hints(target("0.4.0", package="comet"), **many, **page()) == (
        "package comet is not on pypi, and no tag names it; the remote has 3 tags of versions",
    )
    assert hints(wrong, **with_tags("orbit-dmo-v0.1.0"), **page()) == ()
    assert hints(target("0.4.0", package="comet"), **many, **page("0.1.0")) == ()
    assert hints(target("0.4.0", package="comet"), **many, index={"pypi": UNKNOWN}) == ()
    assert hints(target("0.1.0", package="comet"), **with_tags(), **page()) == (), "the first release"
    rehearsal = target("0.4.0", package="comet", channel=s.TESTPYPI)
    assert hints(rehearsal, **many, index={"testpypi": page()["index"]["pypi"]}) == ()


def test_the_findings_say_it_too() -> None:
    files = snapshot({"ship.yml": ON_TAG}).workflow_files.present()
    named = known(structs.replace(files, path=".github/workflows/release.yml"))
    before = s.ready(target=s.target(given=("workflow",)), workflow_files=named, runs=s.runs(exists=False))
    after = s.released(
        target=s.target(given=("tag-template",), tag_template="{version}"), remote=s.remote(*tags("v0.1.0", "v0.2.0"))
    )
    found = {result.id: result.found for each in (before, after) for result in verdict_of(each).results}
    for check in ("WORKFLOW-1", "RUN-1"):
        assert "ship.yml publishes (uv publish): --workflow ship.yml" in found[check]
    assert "2 of 2 tags of the remote are spelled v{version}" in found["TAG-11"]


def test_a_hint_is_one_bounded_line() -> None:
    about: Snapshot = snapshot({"x\x1b[2J\n.yml": CI}, target("0.3.0", "workflow", workflow="a.yml"))
    (hint,) = find_hints(resolve(about))
    assert "\x1b" not in hint and "\n" not in hint
    (long,) = hints(target("0.3.0", "workflow", workflow="a.yml"), {"x" * 5_000 + ".yml": CI})
    assert len(long) < 400
