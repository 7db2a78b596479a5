"""Steps about the index: publish, yank, and the next version when one is used up."""

from __future__ import annotations

import glob
import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count

from packaging.version import Version

from release_state.common.addresses import parse_host
from release_state.facts.index import UPLOADS_AFTER_THE_FIRST
from release_state.facts.origin import find_commit_tagged_after, is_misplaced
from release_state.facts.process import explain_unknown
from release_state.facts.release import Release
from release_state.facts.release_workflow import find_start
from release_state.model.observation import NotObserved, value_or
from release_state.model.outcome import Phase
from release_state.model.plan import Step, step
from release_state.model.snapshot import IndexFile
from release_state.model.target import Channel, parse_version, read_version
from release_state.plan.steps.commands import FETCH, gh, suite_command, workflow_page
from release_state.settings.channels import pypi

_index_step = partial(step, mends="index")


def publish_from(release: Release, ref: str) -> Step:
    """Publish what is missing from a tag or branch of the remote, by hand."""
    folder, commit = f"{release.target.name}-{release.version}", _find_commit(release, ref)
    source, kind = ("branch", "heads") if ref == release.target.release_branch else ("tag", "tags")
    full, (version, inner) = f"refs/{kind}/{ref}", _find_built(release, commit)
    built = posixpath.normpath(f"{folder}/{inner}")
    name = f"{glob.escape(built)}/dist/{_match_name(release.target.package)}-{version}"
    return _publish(
        release,
        f"Publish {release.version} from its {source} by hand, in an empty folder",
        ["git", "init", "--quiet", folder],
        ["git", "-C", folder, *FETCH[1:], "--depth", "1", release.target.remote_url, f"{full}:{full}"],
        # Nothing else was fetched: if the ref has moved, this fails, and the later commands find nothing to build.
        ["git", "-C", folder, "checkout", "--quiet", commit or full],
        ["python", "-m", "build", built],
        files=[f"{name}{_FILES[kind]}" for kind in release.missing_kinds],
        reason=f"the {source} says what to publish" + _explain_no_run(release),
    )


def _explain_no_run(release: Release) -> str:
    """Why no new run publishes it: one that makes the tag works out another version; empty if nothing is known."""
    process = release.target.process
    tags_itself = process.makes("tag") and not process.is_started_by("tag", "release")
    if tags_itself if process.publishers else release.target.workflow:
        return "; a new release run would compute another version from it"
    return ""


def _find_commit(release: Release, ref: str) -> str | None:
    """The commit that a tag or the release branch will name after the steps before; None if unknown."""
    if ref == release.target.release_branch:
        return release.branch.sha if release.branch else None
    tag = release.remote.tag(ref)
    if tag is not None and not (tag == release.tag and is_misplaced(release)):
        return tag.commit
    commit = find_commit_tagged_after(release)
    return commit.sha if commit else None


def _find_built(release: Release, commit: str | None) -> tuple[Version, str]:
    """The version as the names of built files spell it, which the commit declares, and the package's folder in it."""
    lineage = value_or(None, lambda: release.lineage(commit)) if commit else None
    version = parse_version((lineage and lineage.declared_version) or "")
    known = lineage or value_or(None, lambda: release.lineage(release.base_head))
    folder = known.package_folder if known else ""
    return version if version is not None and version == release.version else release.version, folder


def _match_name(package: str) -> str:
    """The pattern for a package in the name of a built file: of another package of the repository, none is uploaded.

    Tools write `-`, `_` and `.` as one of them, and small letters or not.
    """
    return "".join(f"[{each}{each.lower()}]" if each.isupper() else each for each in re.sub(r"[-_.]+", "?", package))


def wheel_from_sdist(release: Release, sdist: IndexFile) -> Step:
    """Publish the missing wheel, built from the published sdist."""
    folder = f"{release.target.name}-{release.version}-wheel"
    url = f"{sdist.url}#sha256={sdist.sha256}" if sdist.sha256 else sdist.url
    return _publish(
        release,
        f"Publish the wheel of {release.version}, built from its published sdist, in an empty folder",
        ["python", "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, url],
        files=[f"{folder}/*.whl"],
        reason="the wheel must be built from the published sdist, whatever a tag says; a package "
        "with compiled parts gets its other wheels where it usually builds them",
    )


def _describe_condition(release: Release) -> str:
    """The precondition of an upload: the person means it, and the index accepts more files of the version."""
    condition = "you want to publish it: an upload can be yanked, not deleted"
    if not release.closes_to_uploads:
        return condition
    until, days = release.accepts_files_until, UPLOADS_AFTER_THE_FIRST.days
    if until is None:
        return f"{condition}; the index may refuse it: it accepts no file later than {days} days after the first one"
    return f"{condition}; it is before {until:%Y-%m-%d %H:%M} UTC: after that, the index accepts no more files"


_FILES = {"sdist": ".tar.gz", "wheel": "-*.whl"}
"""The end of a built file's name after the version, by kind."""


def _publish(release: Release, title: str, *building: Sequence[str], files: Sequence[str], reason: str) -> Step:
    """Build the files and upload them; only PyPI and TestPyPI let twine skip existing ones."""
    twine = ["python", "-m", "twine"]
    skipping = ["--skip-existing"] if release.channel.is_public_index else []
    section = _twine_repository(release.channel)
    if not release.channel.is_public_index:
        reason += f"; twine reads the upload address from [{section}] in ~/.pypirc, for {release.channel.index_url}"
    return _index_step(
        title,
        *building,
        [*twine, "check", *files],  # not --strict: the index also accepts a package without a long description
        [*twine, "upload", *skipping, "--repository", section, *files],
        in_empty_folder=True,
        precondition=_describe_condition(release),
        reason=reason,
        verify=[suite_command(release.target)],
    )


def _twine_repository(channel: Channel) -> str:
    """The section of `.pypirc` for the channel's index; twine itself knows only PyPI and TestPyPI.

    A channel with the name of one of these and another index never uploads to them.
    """
    if channel.is_public_index:
        return "pypi" if channel.index_url.rstrip("/") == pypi().rstrip("/") else "testpypi"
    return channel.name if channel.name not in ("pypi", "testpypi") else parse_host(channel.index_url)


def wait_for_index(release: Release) -> Step:
    """Wait until the Simple API lists an upload."""
    return _index_step(
        f"Wait until the index lists {', '.join(release.catching_up)} for installers too",
        suite_command(release.target, wait="600"),
        reason="it is published: the index's JSON API lists it; the Simple API follows some minutes later",
    )


def run_workflow(release: Release) -> Step:
    """Start the release workflow; only right if no tag and no file of the version exists."""
    target, is_first = release.target, release.snapshot.phase == Phase.PRE_RELEASE
    title = "Start the release" if is_first else "Start the release again"
    unread = None if "workflow" in target.given else release.snapshot.workflow_files.unavailable
    if unread or not target.workflow:
        problem = unread or (explain_unknown(target) if target.process.candidates else None)
        return _index_step(title, reason=problem.why if problem else "the project has no release workflow").mark_start()
    start, title = find_start(release), title if is_first else f"{title}, with the same inputs"
    if start.hindrance:
        return _index_step(
            title,
            reason=f"there is no command for {target.workflow}: {start.hindrance}",
            link=workflow_page(target, target.workflow),
        ).mark_start()
    fields = (word for field in start.fields for word in ("--field", field))
    base = release.base_branch
    on_base = [] if base == release.remote.default_branch else ["--ref", base]  # GitHub takes the default branch
    return _index_step(
        title,
        gh(release, "workflow", "run", target.workflow, *on_base, *fields),
        reason="nothing of this version is published or tagged",
        precondition=f"the remote has no release branch and no tag of this version{_describe_computed(release)}",
        verify=[suite_command(release.target)],
    ).mark_start()


def _describe_computed(release: Release) -> str:
    """What else has to be so if the workflow computes its version, and the commits call for another one."""
    found = release.snapshot.calculation.value
    wanted = found.next_version.value if found and found.rules else None
    called_for = parse_version(wanted or "")
    if called_for is None or release.version.base_version == called_for.base_version:
        return ""
    return f", and the workflow releases {release.version}: the commits call for {called_for}"


def yank(release: Release) -> list[Step]:
    """Yank the offered files in the index's web interface, the only way; empty if none is offered."""
    offered_files = [*(file.filename for file in release.files if not file.yanked), *release.catching_up]
    if not offered_files:
        return []
    title = f"Yank {release.version} in the index's web interface"
    reason = f"a published file can only be yanked; still offered: {', '.join(offered_files)}"
    return [_index_step(title, reason=reason, link=release.target.index_page)]


def unyank(release: Release) -> Step:
    """Un-yank the files in the index's web interface, the only way."""
    yanked_files = [file.filename for file in release.files if file.yanked]
    offered = ", ".join(file.filename for file in release.files if not file.yanked)
    return _index_step(
        f"Un-yank {release.version} in the index's web interface",
        reason=f"yanked: {', '.join(yanked_files)}" + (f"; still offered: {offered}" if offered else ""),
        link=release.target.index_page,
    )


def verify(release: Release) -> Step:
    """Verify what is published, instead of publishing it again."""
    return _index_step(
        f"Verify {release.version} on {release.channel.name}",
        suite_command(release.target, phase="post-release"),
        reason="an index never accepts a file twice: see what this run or another one has published already",
    )


def next_version(release: Release, reason: str) -> Step:
    """Release the next unused version."""
    version = _find_free_version(release)
    return _index_step(
        f"Release {version} instead" if version else "Release the next version instead",
        *([suite_command(release.target, version, phase="pre-release")] if version else []),
        reason=reason,
    )


def _find_free_version(release: Release) -> str | None:
    """The next patch version, or pre-release of its kind, that no index and no tag uses; None if unknown."""
    try:
        used = {read_version(found.version) for found in release.project.releases}
        used |= {read_version(version) for version in release.project.listed_without_files}
        names = [tag.name for tag in (*release.remote.tags, *release.all_local_tags)]
        used |= {version for name in names if (version := release.target.parse_tag(name))}
    except NotObserved:
        return None
    return next(str(version) for version in _following(release.version) if version not in used)


def _following(version: Version) -> Iterator[Version]:
    epoch = f"{version.epoch}!" if version.epoch else ""
    major, minor, last = [*version.release, 0, 0][:3]
    prefix = f"{epoch}{major}.{minor}."
    if version.pre:
        prefix, last = f"{epoch}{'.'.join(map(str, version.release))}{version.pre[0]}", version.pre[1]
    return (Version(f"{prefix}{last + number}") for number in count(1))
