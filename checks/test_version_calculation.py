"""The version that the commits call for under the project's own rules, compared with the one to release."""

from __future__ import annotations

import pytest
from msgspec import structs
from packaging.utils import canonicalize_name
from packaging.version import Version

from release_state.common.text import format_count, join_items
from release_state.facts.release import Release
from release_state.model.observation import NotObserved
from release_state.model.outcome import ActionNeeded, NotApplicable
from release_state.model.plan import step
from release_state.model.snapshot import Calculation, Counted
from release_state.model.target import parse_version
from release_state.plan.recovery import Recovery
from release_state.verdict.check import check

NAMES = {
    "semantic-release": "python-semantic-release",
    "commitizen": "commitizen's standard rules",
    "conventional": "plain rules of Conventional Commits",
}


def require_calculation(release: Release) -> Calculation:
    """Return the calculation; end the check as not applicable if the project computes no version."""
    found = release.snapshot.calculation.present()
    if found.rules is None:
        wanted = release.target.version_rules
        raise NotApplicable(
            "version calculation is turned off (--version-rules none)"
            if wanted == "none"
            else "the base branch configures no tool that computes the version from commits"
        )
    return found


def describe_commits(counted: Counted) -> str:
    """The counted commits in words: `the 3 commits since v0.1.0`."""
    place = f"since {counted.last_tag}" if counted.last_tag else "of the whole history"
    return f"the {format_count(counted.total, 'commit')} {place}"


def describe_rules(found: Calculation) -> str:
    """The rules in words, and where they are configured."""
    rules = found.tool or (NAMES[found.rules] if found.rules else "no rules")
    return f"by {rules}" + (f" under {found.where}" if found.where else "")


@pytest.mark.pre_release
@check("VERSION-1", reads=["calculation"], advice=True)
def test_commits_follow_the_convention(release: Release) -> None:
    """Every commit since the last tag follows the commit convention.

    That is Conventional Commits for most projects. A commit that does not follow it counts for nothing, whatever it
    changed. Then the computed version is too small, and the changelog lacks the change. Merge commits are left out. The
    last tag is the one for the greatest version in the base branch's history; tags elsewhere do not count.
    """
    counted = require_calculation(release).counted.present()
    if count := counted.not_conventional_count:
        strange = [f"{commit.sha[:9]} {commit.subject}" for commit in counted.not_conventional]
        raise ActionNeeded(
            expected=f"{describe_commits(counted)} in the form type(scope): subject",
            found=f"{count} {'is' if count == 1 else 'are'} not: {join_items(strange, most=10, total=count)}",
            why="they do not count for the next version",
            steps=[step("Check by hand whether one of them is a feature, a fix or a breaking change")],
        )


@pytest.mark.pre_release
@check("VERSION-2", reads=["calculation", "remote"], advice=True)
def test_commits_call_for_this_version(release: Release) -> None:
    """The commits since the last tag call for this version.

    For a project with python-semantic-release, the tool itself says it: `semantic-release version --print`, run in a
    repository of the suite's own. That needs the tool beside the suite, and a project that requires no other version
    of it. A project's own commit parser is never imported: then the result is unknown. For other projects, the
    standard rules of commitizen or plain Conventional Commits apply, as configured.
    """
    found = require_calculation(release)
    if found.no_release:
        raise ActionNeeded(
            expected=f"a release of {release.version} from {release.base_branch}",
            found=f"no release {describe_rules(found)}: {found.no_release}",
            why="a workflow that computes the version makes no release",
            steps=[step("Add the branch to the tool's configuration, or name another one with --base-branch")],
        )
    try:
        wanted = found.next_version.known()
    except NotObserved as missing:
        hint = f"; for information: plain rules give {found.plain}" if found.plain else ""
        raise NotObserved(structs.replace(missing.problem, why=f"{missing.problem.why}{hint}")) from None
    counted = found.counted.present()
    decisive = join_items((f"{commit.sha[:9]} {commit.subject}" for commit in counted.decisive), most=3)
    if wanted is None:
        raise ActionNeeded(
            expected=f"commits that call for {release.version}",
            found=f"no release {describe_rules(found)}: "
            f"{describe_commits(counted)} contain no feature, fix or breaking change",
            why="a workflow that computes the version does nothing, or repeats the last version",
            steps=[step("Release once there is something to release, or force the version in the release tool")],
        )
    if not is_same_version(found, wanted, release):
        raise ActionNeeded(
            expected=str(release.version),
            found=f"{wanted} {describe_rules(found)}, because of {decisive or describe_commits(counted)}",
            why="a workflow that computes the version releases another one",
            steps=[step(f"Release {wanted} instead, or force {release.version} in the release tool")],
        )


def is_same_version(found: Calculation, wanted: str, release: Release) -> bool:
    """Whether the computed version is this one; rules without pre-releases give the final version of a pre-release."""
    called_for, version = parse_version(wanted), Version(release.version.public)  # no commit calls for a local label
    if found.rules != "semantic-release" and called_for is not None:
        return str(called_for) == version.base_version or called_for == version
    return called_for == version


@pytest.mark.pre_release
@check("INDEX-6", reads=["calculation", "index"], advice=True)
def test_what_is_built_is_this_project(release: Release) -> None:
    """The base branch builds the project that is checked.

    Names are compared as an index does: `Foo.Bar`, `foo_bar` and `foo-bar` are one project. If the names differ, a
    release goes to another project than the checked one. In a repository of several packages, the name at the top may
    belong to none of them.
    """
    name = release.snapshot.calculation.present().project_name
    if name is None:
        raise NotApplicable("no readable project name at the top of the base branch")
    if canonicalize_name(name) != release.target.name:
        raise ActionNeeded(
            expected=release.target.name,
            found=f"{canonicalize_name(name)}, spelled {name}",
            why="the release may go to another project than the checked one",
            steps=[step("Name the released project with --package")],
        )


@pytest.mark.post_recovery
@check("VERSION-11", reads=["remote", "index", "calculation", "pulls", "published"], advice=True)
def test_next_version_is_free(release: Release, plan: Recovery) -> None:
    """The next computed version is unused.

    This matters while a published version lacks its tag. Tools then count from the tag before it, and compute the same
    version again, which the index never accepts twice. Create the tag before the next release.
    """
    if "tag" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} leaves no tag: the same version is computed again, as intended")
    if not release.files or release.version_tags:
        raise NotApplicable("the version is unpublished or has a tag")
    found = require_calculation(release)
    wanted = found.next_version.known()
    called_for = parse_version(wanted) if wanted else None
    if called_for and any(parse_version(each.version) == called_for for each in release.project.releases):
        raise ActionNeeded(
            expected=f"a version that {release.channel.name} does not have yet",
            found=f"{wanted} again {describe_rules(found)}",
            why="without the tag, the next release run computes a used-up version",
            steps=plan.steps_for("tag"),
        )
