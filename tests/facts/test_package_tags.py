"""Tags by number alone in a repository of several packages: another package's, or this one's."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from release_state.facts.package_tags import find_sibling_tags
from release_state.facts.release import Release
from release_state.model.observation import known
from release_state.model.outcome import CheckResult, Outcome, Phase, Verdict
from release_state.model.snapshot import Snapshot, Tag
from tests.support import states as s
from tests.support.judged import verdict_of

BY_NAME = s.target(tag_template="{package}-v{version}")
ELSEWHERE = "7" * 40


def tags(**commits: str) -> list[Tag]:
    """Tags by what their commits begin with: `v0_1_0` is v0.1.0, and `orbit_v0_1_0` is orbit-v0.1.0."""
    names = {name: name.replace("orbit_", "orbit-").replace("_", ".") for name in commits}
    return [Tag(name=names[n], object=sha * 40, commit=sha * 40, annotated=False) for n, sha in commits.items()]


@pytest.mark.parametrize(
    ("there", "template", "found"),
    [
        # The main package goes on by number, beside the tags by name.
        (tags(v0_0_9="1", orbit_v0_1_0="2", v0_1_0="3", v0_2_0="4"), "{package}-v{version}", {"v0.1.0", "v0.2.0"}),
        # Both tags of a version are on one commit.
        (tags(orbit_v0_1_0="2", v0_1_0="2", v0_2_0="4", v0_3_0="5"), "orbit-v{version}", {"v0.2.0", "v0.3.0"}),
        # From before the first by name; a single one; no tag by name; numbers alone are the template.
        (tags(v0_1_0="3", v0_2_0="4", orbit_v0_3_0="2"), "{package}-v{version}", set()),
        (tags(orbit_v0_1_0="2", v0_2_0="4"), "{package}-v{version}", set()),
        (tags(v0_1_0="3", v0_2_0="4"), "{package}-v{version}", set()),
        (tags(orbit_v0_1_0="2", v0_1_0="3", v0_2_0="4"), "v{version}", set()),
        (tags(orbit_v0_1_0="2", v0_1_0="3", v0_2_0="4"), "release-{version}", set()),
    ],
)
def test_which_numbers_are_another_packages(there: list[Tag], template: str, found: set[str]) -> None:
    assert find_sibling_tags(s.target(tag_template=template), there) == found


def several(*more: Tag, **changes: Any) -> Snapshot:
    """A repository where orbit is tagged by its name, and another package by number."""
    others = tags(orbit_v0_1_0="2", v0_1_0="3", v0_2_0="e")
    return s.ready(target=BY_NAME, remote=s.remote(*others, *more), clone=s.clone(tags=(*others, *more)), **changes)


def test_a_number_of_another_package_is_in_nobodys_way() -> None:
    verdict = verdict_of(several())
    assert (verdict.verdict, verdict.phase, verdict.plan.steps) == (Verdict.READY, Phase.PRE_RELEASE, ())
    assert Release(several()).version_tags == () and Release(several()).other_tags == ()
    (stray,) = tags(v0_2_0="e")
    remote = s.remote(*tags(orbit_v0_1_0="2"), stray)
    alone = verdict_of(structs.replace(several(), remote=remote, clone=s.clone()))
    (tag_11,) = (result for result in alone.findings if result.id == "TAG-11")
    assert "in another spelling: v0.2.0 at" in tag_11.found, "one of its kind may be spelled by mistake"


def tag_15(snapshot: Snapshot) -> CheckResult:
    (found,) = (result for result in verdict_of(snapshot).results if result.id == "TAG-15")
    return found


def test_tag_15_names_no_number_of_another_package() -> None:
    own = s.tag("orbit-v0.2.0")
    released = s.released(target=BY_NAME, remote=several(own).remote, clone=several(own).clone)
    assert tag_15(released).outcome is Outcome.HOLDS
    twice = Tag(name="orbit-0.2.0", object=ELSEWHERE, commit=ELSEWHERE, annotated=False)
    result = tag_15(structs.replace(released, remote=several(own, twice).remote))
    assert result.outcome is Outcome.ACTION_NEEDED and result.found == f"orbit-0.2.0 at {ELSEWHERE[:12]}"


def test_a_tag_of_another_package_that_the_clone_alone_has_is_not_deleted() -> None:
    """Nobody has pushed it yet; that of this package is in the way of a release."""
    there, own = several().remote, s.tag("orbit-v0.2.0")
    remote = known(structs.replace(there.present(), tags=there.present().tags[:2]))
    (theirs,) = tags(v0_2_0="e")
    clone = s.clone(tags=(*tags(orbit_v0_1_0="2", v0_1_0="3"), theirs))
    assert not verdict_of(structs.replace(several(), remote=remote, clone=clone)).plan.steps
    clone = s.clone(tags=(*tags(orbit_v0_1_0="2", v0_1_0="3"), theirs, own))
    (step,) = verdict_of(structs.replace(several(), remote=remote, clone=clone)).plan.steps
    kept, deleted = step.commands
    assert kept[-2:] == (f"refs/backup/tags/{own.name}-{own.object[:7]}", own.object)
    assert deleted[-4:] == ("update-ref", "-d", f"refs/tags/{own.name}", own.object)
