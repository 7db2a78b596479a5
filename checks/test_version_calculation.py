"""The version that the commits call for, under the project's own rules, against the one that is being released."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name

from release_state.common.text import commits, listing
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


def calculated(release: Release) -> Calculation:
    """The calculation; ends the check where the project works no version out."""
    found = release.snapshot.calculation.present()
    if found.rules is None:
        wanted = release.target.version_rules
        raise NotApplicable(
            "nothing is to work the version out (--version-rules none)"
            if wanted == "none"
            else "the base branch configures nothing that works a version out of commits"
        )
    return found


def since(counted: Counted) -> str:
    """`the 3 commits since v0.1.0`."""
    place = f"since {counted.last_tag}" if counted.last_tag else "of the whole history"
    return f"the {commits(counted.total)} {place}"


def by(found: Calculation) -> str:
    """By which rules, and where they are configured."""
    rules = found.tool or (NAMES[found.rules] if found.rules else "no rules")
    return f"by {rules}" + (f" under {found.where}" if found.where else "")


@pytest.mark.pre_release
@check("VERSION-1", reads=["calculation"], advice=True)
def test_commits_follow_the_convention(release: Release) -> None:
    """Every commit since the last tag follows the convention that the version is worked out by.

    Conventional Commits for most projects. A commit that does not follow it counts for nothing, whatever it changed:
    the version that is worked out is then too small, and the changelog silent. Merge commits are left out. The last tag
    is that of the greatest version in the history of the base branch; tags elsewhere do not count.
    """
    counted = calculated(release).counted.present()
    if count := counted.not_conventional_count:
        strange = [f"{commit.sha[:9]} {commit.subject}" for commit in counted.not_conventional]
        raise ActionNeeded(
            expected=f"{since(counted)} of the form type(scope): subject",
            found=f"{count} {'is' if count == 1 else 'are'} not: {listing(strange, most=10, total=count)}",
            why="what they changed counts for nothing in the next version",
            steps=[step("Judge by hand whether one of them is a feature, a fix or a breaking change")],
        )


@pytest.mark.pre_release
@check("VERSION-2", reads=["calculation", "remote"], advice=True)
def test_commits_call_for_this_version(release: Release) -> None:
    """The commits since the last tag call for this version.

    As `semantic-release version --print` on the base branch says it, where the project uses python-semantic-release:
    that is asked itself, in a repository of the suite's own, if it is installed beside the suite (the extra
    `semantic-release`) and the project asks for no other version of it. A commit parser of the project's own is never
    imported: then this is unknown. Commitizen's standard rules, or plain rules, where the project uses those.
    """
    found = calculated(release)
    if found.no_release:
        raise ActionNeeded(
            expected=f"a release of {release.version} from {release.base_branch}",
            found=f"none at all {by(found)}: {found.no_release}",
            why="a workflow that works the version out makes no release",
            steps=[step("Name the branch in the configuration, or give another one with --base-branch")],
        )
    try:
        wanted = found.next_version.known()
    except NotObserved as missing:
        hint = f"; by plain rules the commits call for {found.plain}, for information only" if found.plain else ""
        raise NotObserved(missing.problem.model_copy(update={"why": f"{missing.problem.why}{hint}"})) from None
    counted = found.counted.present()
    decisive = listing((f"{commit.sha[:9]} {commit.subject}" for commit in counted.decisive), most=3)
    if wanted is None:
        raise ActionNeeded(
            expected=f"commits that call for {release.version}",
            found=f"nothing to release {by(found)}: {since(counted)} hold no feature, fix or breaking change",
            why="a workflow that works the version out does nothing, or takes the last version again",
            steps=[step("Release when there is something to release, or force the version in the tool that makes it")],
        )
    if not same_version(found, wanted, release):
        raise ActionNeeded(
            expected=f"{release.version}, the version that is looked at",
            found=f"{wanted} {by(found)}, because of {decisive or since(counted)}",
            why="a workflow that works the version out releases another one than this",
            steps=[step(f"Release {wanted} instead, or force {release.version} in the tool that makes the release")],
        )


def same_version(found: Calculation, wanted: str, release: Release) -> bool:
    """Whether the version that is called for is this one; rules that know no pre-releases call for their final one."""
    called_for = parse_version(wanted)
    if found.rules != "semantic-release" and called_for is not None:
        return str(called_for) == release.version.base_version or called_for == release.version
    return called_for == release.version


@pytest.mark.pre_release
@check("INDEX-6", reads=["calculation", "index"], advice=True)
def test_what_is_built_is_this_project(release: Release) -> None:
    """What the base branch builds is the project that is looked at.

    Names are compared as an index does: `Foo.Bar`, `foo_bar` and `foo-bar` are one project. Where the names differ, a
    release goes to another project than the one that was checked here. In a repository of several packages the name at
    the top may be that of none of them.
    """
    name = release.snapshot.calculation.present().project_name
    if name is None:
        raise NotApplicable("no name can be read at the top of the base branch")
    if canonicalize_name(name) != release.target.name:
        raise ActionNeeded(
            expected=f"{release.target.name}, normalized as an index does",
            found=f"{canonicalize_name(name)}, spelt {name}",
            why="what is released may be another project than the one whose index page was looked at",
            steps=[step("Name the project that is released with --package")],
        )


@pytest.mark.post_recovery
@check("VERSION-11", reads=["remote", "index", "calculation", "pulls", "published"], advice=True)
def test_next_version_is_free(release: Release, plan: Recovery) -> None:
    """What the commits call for next, while a published version lacks its tag, is a version that is still free.

    Without the tag, tools count from the tag before it, and work out the same version again: the index never takes it
    twice. Make the tag before the next release.
    """
    if "tag" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} leaves no tag: the same version comes again, as it should")
    if not release.files or release.version_tags:
        raise NotApplicable("the version is not published without a tag")
    found = calculated(release)
    wanted = found.next_version.known()
    called_for = parse_version(wanted) if wanted else None
    if called_for and any(parse_version(each.version) == called_for for each in release.project.releases):
        raise ActionNeeded(
            expected=f"a version that is not on {release.channel.name} yet",
            found=f"{wanted} again {by(found)}",
            why="without the tag the next release run works out a version that is used up",
            steps=plan.steps_for("tag"),
        )
