"""Steps about the index: publish, yank, and the next version when one is used up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import count

from packaging.version import Version

from release_state.common.addresses import parse_host
from release_state.facts.index import UPLOADS_AFTER_THE_FIRST
from release_state.facts.origin import find_commit_tagged_after, is_misplaced
from release_state.facts.release import Release
from release_state.facts.workflow.release_workflow import find_start
from release_state.model.observation import NotObserved
from release_state.model.plan import Step, step
from release_state.model.snapshot import IndexFile
from release_state.model.target import Channel, parse_version
from release_state.plan.steps.commands import FETCH, gh, index_page, suite_command
from release_state.settings.channels import pypi

_FOR_EVER = "you want to publish it: an upload can be yanked, not deleted"


_START = "Start the release again"


def starts_run(step: Step) -> bool:
    """Whether a step starts the release workflow: nothing may be deleted while it works, so that it comes last."""
    return step.mends == "index" and step.title.startswith(_START)


def publish_from(release: Release, ref: str) -> Step:
    """Publish what is missing from a tag or branch of the remote, by hand."""
    target = release.target
    folder = f"{target.name}-{release.version}"
    kind = "branch" if ref == target.release_branch else "tag"
    commit = _commit_of(release, ref)
    built = _built_as(release, commit)
    full = f"refs/{'tags' if kind == 'tag' else 'heads'}/{ref}"  # of a branch and a tag of one name, the right one
    return step(
        f"Publish {release.version} from its {kind} by hand, in an empty folder",
        ["git", "init", "--quiet", folder],
        ["git", "-C", folder, *FETCH[1:], "--depth", "1", target.remote_url, f"{full}:{full}"],
        # Nothing else was fetched: where the ref has been moved since, this fails, and there is nothing to be built,
        # whoever types the commands behind it all the same.
        ["git", "-C", folder, "checkout", "--quiet", commit or full],
        ["python", "-m", "build", folder],
        *_upload(release, *(f"{folder}/dist/*-{built}{_FILES[kind]}" for kind in release.missing_kinds)),
        mends="index",
        in_empty_folder=True,
        precondition=_in_time(release),
        reason=f"the {kind} says what to publish; a new release run would compute another version from it"
        + _how(release),
        verify=[suite_command(release.target)],
    )


def _commit_of(release: Release, ref: str) -> str | None:
    """The commit that a tag or the release branch names once the steps before are followed; None where none tells."""
    if ref == release.target.release_branch:
        return release.branch.sha if release.branch else None
    tag = release.remote.tag(ref)
    if tag is not None and not (tag == release.tag and is_misplaced(release)):
        return tag.commit
    released = find_commit_tagged_after(release)
    return released.sha if released else None


def _built_as(release: Release, commit: str | None) -> Version:
    """The version as the names of built files spell it; what a tree without tags would be called is not uploaded."""
    with suppress(NotObserved):
        declared = parse_version(release.lineage(commit).declared_version or "") if commit else None
        return declared if declared is not None and declared == release.version else release.version
    return release.version


def wheel_from_sdist(release: Release, sdist: IndexFile) -> Step:
    """Publish the missing wheel, built from the very sdist that is published."""
    folder = f"{release.target.name}-{release.version}-wheel"
    url = f"{sdist.url}#sha256={sdist.sha256}" if sdist.sha256 else sdist.url
    return step(
        f"Publish the wheel of {release.version}, built from its published sdist, in an empty folder",
        ["python", "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, url],
        *_upload(release, f"{folder}/*.whl"),
        mends="index",
        in_empty_folder=True,
        precondition=_in_time(release),
        reason="the wheel must be built from the published sdist, whatever a tag says; a package "
        f"with compiled parts gets its other wheels where it usually builds them{_how(release)}",
        verify=[suite_command(release.target)],
    )


def _in_time(release: Release) -> str:
    """What an upload is on condition of: that it is meant, and that the index takes further files of the version."""
    if not release.closes_to_uploads:
        return _FOR_EVER
    until, days = release.accepts_files_until, UPLOADS_AFTER_THE_FIRST.days
    if until is None:
        return f"{_FOR_EVER}; the index may refuse it: it accepts no file later than {days} days after the first one"
    return f"{_FOR_EVER}; it is before {until:%Y-%m-%d %H:%M} UTC: after that, the index accepts no more files"


_FILES = {"sdist": ".tar.gz", "wheel": "-*.whl"}
"""What follows the version in the names of built files, by kind."""


def _upload(release: Release, *files: str) -> list[list[str]]:
    """Upload what is missing, and nothing else: only PyPI and TestPyPI let twine skip what is there."""
    twine = ["python", "-m", "twine"]
    skipping = ["--skip-existing"] if release.channel.is_public_index else []
    where = ["--repository", _twine_repository(release.channel)]
    # Not --strict: a package without a long description is taken, too.
    return [[*twine, "check", *files], [*twine, "upload", *skipping, *where, *files]]


def _twine_repository(channel: Channel) -> str:
    """The section of `.pypirc` that uploads to the channel's index; twine itself knows PyPI and TestPyPI alone.

    A channel that is named as one of these and has another index is never uploaded to them.
    """
    if channel.is_public_index:
        return "pypi" if channel.index_url.rstrip("/") == pypi().rstrip("/") else "testpypi"
    return channel.name if channel.name not in ("pypi", "testpypi") else parse_host(channel.index_url)


def _how(release: Release) -> str:
    """What twine has to know to upload to an index of one's own."""
    channel = release.channel
    if channel.is_public_index:
        return ""
    return f"; twine reads the upload address from [{_twine_repository(channel)}] in ~/.pypirc, for {channel.index_url}"


def wait_for_index(release: Release) -> Step:
    """Let the Simple API catch up with an upload."""
    return step(
        f"Wait until the index lists {', '.join(release.catching_up)} for installers too",
        suite_command(release.target, wait="600"),
        mends="index",
        reason="it is published: the index's JSON API lists it; the Simple API follows some minutes later",
    )


def run_workflow(release: Release) -> Step:
    """Start the release workflow; right only where neither a tag nor a file of the version is there."""
    target = release.target
    if not target.workflow:
        return step(_START, mends="index", reason="the project names no release workflow")
    start = find_start(release)
    if start.hindrance:
        return step(
            f"{_START}, with the same inputs",
            mends="index",
            reason=f"there is no command for {target.workflow}: {start.hindrance}",
            link=f"{target.github_web}/{target.repository}/actions/workflows/{target.workflow}",
        )
    fields = (word for field in start.fields for word in ("--field", field))
    return step(
        f"{_START}, with the same inputs",
        gh(release, "workflow", "run", target.workflow, *_from_base(release), *fields),
        mends="index",
        reason="nothing of this version is published or tagged, so the workflow computes the same version",
        precondition="the remote has no release branch and no tag of this version",
        verify=[suite_command(release.target)],
    )


def _from_base(release: Release) -> list[str]:
    """On which branch the workflow is to run, where that is not known to be the default one, which GitHub takes."""
    base = release.base_branch
    return [] if base == release.remote.default_branch else ["--ref", base]


def yank(release: Release) -> list[Step]:
    """Yank what is still offered; only the index's web interface can."""
    offered = [*(file.filename for file in release.files if not file.yanked), *release.catching_up]
    if not offered:
        return []
    return [
        step(
            f"Yank {release.version} in the index's web interface",
            mends="index",
            reason=f"a published file can only be yanked; still offered: {', '.join(offered)}",
            link=index_page(release),
        )
    ]


def unyank(release: Release) -> Step:
    """Take a yank back; only the index's web interface can."""
    yanked = [file.filename for file in release.files if file.yanked]
    offered = [file.filename for file in release.files if not file.yanked]
    return step(
        f"Un-yank {release.version} in the index's web interface",
        mends="index",
        reason=f"yanked: {', '.join(yanked)}" + (f"; still offered: {', '.join(offered)}" if offered else ""),
        link=index_page(release),
    )


def next_version(release: Release, reason: str) -> Step:
    """Release the next version that nothing uses."""
    version = free_version(release)
    return step(
        f"Release {version} instead" if version else "Release the next version instead",
        *([suite_command(release.target, version, phase="pre-release")] if version else []),
        mends="index",
        reason=reason,
    )


def free_version(release: Release) -> str | None:
    """The next version that no spelling on the index or tag uses, remote or local; None where that is not known.

    The next patch version; after a pre-release the next one of its kind.
    """
    try:
        used = {Version(found.version) for found in release.project.releases}
        used |= {Version(listed) for listed in release.project.listed_without_files}
        names = [tag.name for tag in (*release.remote.tags, *release.all_local_tags)]
        used |= {version for name in names if (version := release.target.parse_tag(name))}
    except NotObserved:
        return None
    return next(str(version) for version in _following(release.version) if version not in used)


def _following(version: Version) -> Iterator[Version]:
    epoch = f"{version.epoch}!" if version.epoch else ""
    numbers = ".".join(map(str, version.release))
    major, minor, patch = [*version.release, 0, 0][:3]
    for number in count(1):
        if version.pre:
            yield Version(f"{epoch}{numbers}{version.pre[0]}{version.pre[1] + number}")
        else:
            yield Version(f"{epoch}{major}.{minor}.{patch + number}")
