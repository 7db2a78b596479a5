"""Steps about the index: publish, yank, and the next version when one is used up."""

from __future__ import annotations

from release_state.model import NotObserved
from release_state.plan import Step, step
from release_state.release import Release
from release_state.snapshot import Tag
from release_state.steps.commands import gh, index_page, suite


def publish_from_tag(release: Release, tag: Tag) -> list[Step]:
    """Publish what is missing from the tag, by hand."""
    target = release.target
    folder = f"{target.name}-{release.version}"
    return [
        step(
            f"Publish {release.version} from its tag by hand, in an empty folder",
            ["git", "clone", "--branch", tag.name, "--depth", "1", target.remote_url, folder],
            ["python", "-m", "build", folder],
            ["python", "-m", "twine", "check", "--strict", f"{folder}/dist/*"],
            [
                "python",
                "-m",
                "twine",
                "upload",
                "--skip-existing",
                "--repository",
                target.channel.name,
                f"{folder}/dist/*",
            ],
            mends="index",
            reason="the tag says what to publish; a new run of the workflow would work out another version from it",
            verify=[suite(release.target)],
        )
    ]


def wait_for_index(release: Release) -> Step:
    """Let the Simple API catch up with an upload."""
    return step(
        f"Wait until the index lists {', '.join(release.catching_up)} for installers too",
        [*suite(release.target), "--wait", "600"],
        mends="index",
        reason="it is published: the index's JSON API lists it, and its Simple API is some minutes behind",
    )


def run_workflow(release: Release) -> Step:
    """Start the release workflow; right only where neither a tag nor a file of the version is there."""
    target = release.target
    if not target.workflow:
        return step("Start the release again", mends="index", reason="the project names no release workflow")
    return step(
        "Start the release again, with the same inputs",
        gh(release, "workflow", "run", target.workflow, "--field", f"target_environment={target.channel.name}"),
        mends="index",
        reason="nothing of the version is published or tagged, so that the workflow works out the same version",
        precondition="no release branch and no tag of the version is on the remote",
        verify=[suite(release.target)],
    )


def yank(release: Release) -> list[Step]:
    """Yank what is still offered; only the index's web interface can."""
    offered = [*(file.filename for file in release.files if not file.yanked), *release.catching_up]
    if not offered:
        return []
    return [
        step(
            f"Yank {release.version} in the web interface of the index",
            mends="index",
            reason=f"a publication cannot be taken back, only yanked; still offered: {', '.join(offered)}",
            link=index_page(release),
        )
    ]


def unyank(release: Release) -> Step:
    """Take a yank back, where it was a mistake."""
    yanked = [file.filename for file in release.files if file.yanked]
    return step(
        "If the yank is a mistake: take it back in the web interface of the index",
        mends="index",
        reason=f"yanked: {', '.join(yanked)}",
        link=index_page(release),
    )


def next_version(release: Release, reason: str) -> Step:
    """Release the next patch version that nothing uses."""
    version = free_version(release)
    return step(
        f"Release {version} instead" if version else "Release the next version instead",
        *([[*suite(release.target, version), "--phase", "pre-release"]] if version else []),
        mends="index",
        reason=reason,
    )


def free_version(release: Release) -> str | None:
    """The next patch version that no spelling on the index or tag uses; None where that is not known."""
    try:
        used = {found.version for found in release.project.releases} | set(release.project.listed_without_files)
        used |= {str(v) for tag in release.remote.tags if (v := release.target.version_of_tag(tag.name))}
    except NotObserved:
        return None
    epoch = f"{release.version.epoch}!" if release.version.epoch else ""
    major, minor, patch = [*release.version.release, 0, 0][:3]
    while True:
        patch += 1
        candidate = f"{epoch}{major}.{minor}.{patch}"
        if candidate not in used:
            return candidate
