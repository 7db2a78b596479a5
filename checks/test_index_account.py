"""The project's public state on the index: whether it accepts uploads, and whether the release was rehearsed."""

from __future__ import annotations

import pytest
from packaging.version import Version

from release_state.common.text import join_items
from release_state.facts.release import Release
from release_state.facts.workflow.indexes import TESTPYPI
from release_state.facts.workflow.publishing import find_uploads
from release_state.model.outcome import ActionNeeded, NotApplicable, Phase
from release_state.model.plan import step
from release_state.verdict.check import check

MARKERS = {
    "archived": "the index accepts no files for an archived project; its owner can unarchive it in its settings",
    "quarantined": "the index accepts and offers no files of a quarantined project; ask its administrators",
    "deprecated": "installers may tell users that it is obsolete",
}
"""The status markers of PEP 792 that matter to a release, and what each means for it."""


@pytest.mark.pre_release
@pytest.mark.pre_publish
@pytest.mark.post_recovery
@check("INDEX-5", reads=["index"], advice=True, may_block=[Phase.PRE_RELEASE, Phase.PRE_PUBLISH])
def test_index_takes_uploads_of_the_project(release: Release) -> None:
    """The index does not archive, quarantine or deprecate the project.

    These are the status markers of PEP 792. An archived or quarantined project accepts no uploads, so that a release is
    certain to fail. Once the version is published, and for a deprecated project, this is only advice. While a project
    is quarantined, nobody knows what it has published: its files are hidden. An index without markers counts as active.
    """
    project = release.find_page_on(release.channel.name)
    if not project.listed:
        raise NotApplicable(f"{release.channel.name} does not list this name now")
    if (mark := project.status or "active") in MARKERS:
        reason = f": {project.status_reason}" if project.status_reason else ""
        fix = step(
            f"Open the project's page, and make sure that it is no longer {mark} before you release", link=project.url
        )
        raise ActionNeeded(
            found=f"{mark}{reason}",
            why=MARKERS[mark],
            steps=[fix],
            blocks=mark != "deprecated" and release.snapshot.phase in (Phase.PRE_RELEASE, Phase.PRE_PUBLISH),
        )


@pytest.mark.pre_release
@check("TESTPYPI-1", reads=["rehearsal", "remote", "workflow_files"], advice=True)
def test_version_was_tried_on_testpypi(release: Release) -> None:
    """The version, or a pre-release of it, was tried on TestPyPI.

    An index never accepts a file name twice. So find a wrong description, name or workflow where it does no harm.
    Skipped for a project that does not try its releases there: TestPyPI has nothing of it, no workflow can upload to
    it, and the configuration gives no `leaves` of `testpypi`.
    """
    page = release.snapshot.rehearsal.known()
    if page is None:
        raise NotApplicable("only a release to pypi is tried on testpypi first")
    if not page.releases and not _tries_releases(release):
        raise NotApplicable("this project does not try its releases on testpypi")
    if not any(is_rehearsal(Version(found.version), release.version) for found in page.releases):
        newest = [found.version for found in page.releases[-3:]]
        raise ActionNeeded(
            found=f"newest there: {join_items(newest)}" if newest else "nothing from this project",
            why="mistakes on pypi cannot be undone",
            steps=[step("Release it to testpypi first", link=page.url)],
        )


def _tries_releases(release: Release) -> bool:
    """Whether a workflow can upload to TestPyPI, or the configuration says what such a release leaves."""
    if "channels.testpypi.leaves" in release.target.given:
        return True
    files = release.snapshot.workflow_files.known()
    return files is not None and any(upload.may_be_to(TESTPYPI) for upload in find_uploads(files.texts))


def is_rehearsal(tried: Version, version: Version) -> bool:
    """Whether `tried` is the version itself, without a local label, or an earlier pre-release of it."""
    version = Version(version.public)
    same = (tried.epoch, tried.release) == (version.epoch, version.release)
    return tried == version or (same and tried.is_prerelease and tried < version)
