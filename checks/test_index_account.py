"""The project on the index, as far as everybody can see it: whether it takes uploads, and whether they were tried."""

from __future__ import annotations

import pytest
from packaging.version import Version

from release_state.common.text import listing
from release_state.facts.release import Release
from release_state.model.outcome import ActionNeeded, NotApplicable, Phase
from release_state.model.plan import step
from release_state.verdict.check import check

MARKERS = {
    "archived": "an index takes no new file of an archived project; its owner can take the mark back in its settings",
    "quarantined": "an index takes and offers no file of a quarantined project; its administrators have to be asked",
    "deprecated": "who installs it may be told that it is obsolete",
}
"""The marks of PEP 792 that say something of a release, and what they mean for it."""


@pytest.mark.pre_release
@pytest.mark.post_recovery
@check("INDEX-5", reads=["index"], advice=True)
def test_index_takes_uploads_of_the_project(release: Release) -> None:
    """The index does not mark the project as archived, quarantined or deprecated.

    The status markers of PEP 792. An archived or quarantined project takes no upload, so that a release fails for
    certain; once the version is published, and for a deprecated project, it is advice alone. What a quarantined project
    has published is not known while its files are hidden. An index that knows no markers says nothing, which counts as
    active.
    """
    project = release.page_on(release.channel.name)
    if not project.listed:
        raise NotApplicable(f"{release.channel.name} lists nothing of this name now")
    if (mark := project.status or "active") in MARKERS:
        reason = f": {project.status_reason}" if project.status_reason else ""
        raise ActionNeeded(
            expected=f"{release.target.name} active on {release.channel.name}",
            found=f"{mark}{reason}",
            why=MARKERS[mark],
            steps=[step(f"Look at the project's page, and end that it is {mark} before a release", link=project.url)],
            blocks=mark != "deprecated" and release.snapshot.phase == Phase.PRE_RELEASE,
        )


@pytest.mark.pre_release
@check("TESTPYPI-1", reads=["rehearsal"], advice=True)
def test_version_was_tried_on_testpypi(release: Release) -> None:
    """The version, or a pre-release of it, is on TestPyPI: its release was tried before.

    A file name that an index once had is used up; what is wrong with a description, a name or a workflow is better
    found where it does no harm.
    """
    page = release.snapshot.rehearsal.known()
    if page is None:
        raise NotApplicable("only a release to pypi is tried on testpypi before")
    if not any(rehearses(Version(found.version), release.version) for found in page.releases):
        newest = [found.version for found in page.releases[-3:]]
        raise ActionNeeded(
            expected=f"{release.version}, or a pre-release of it, on testpypi",
            found=f"the newest there: {listing(newest)}" if newest else "nothing of this project",
            why="what goes wrong on pypi cannot be taken back",
            steps=[step("Release it to testpypi first", link=page.url)],
        )


def rehearses(tried: Version, version: Version) -> bool:
    """Whether one version is the other one or an earlier pre-release of it."""
    same = (tried.epoch, tried.release) == (version.epoch, version.release)
    return tried == version or (same and tried.is_prerelease and tried < version)
