"""When a project's commits declare the version of a release, and where the package states another one (pure)."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from release_state.facts.process import SOURCE, explain_unknown
from release_state.facts.publishers import describe_starts
from release_state.facts.release import Release
from release_state.model.observation import NotObserved, Problem
from release_state.model.process import StartKind, VersionWriter
from release_state.model.snapshot import Lineage, Tag
from release_state.model.target import Target, parse_version

_LATER = "the release itself writes the version (expected-before-release)"
_BEFORE: tuple[StartKind, ...] = ("tag", "release", "branch", "pull-request")
_DESCRIBING = re.compile(r"scm|vcs|versioneer|versioningit")
"""Tools that ask `git describe`."""
_SETTING = ("_PRETEND_VERSION", "PBR_VERSION", "_VERSIONING_BYPASS")
"""Parts of variables that set a version which is computed otherwise."""
_REMEDY = "if the release writes the version, set `expected-before-release` to an empty list"


def explain_written_later(release: Release) -> str:
    """Return why no commit need declare the version before a release; empty if one has to.

    Raises NotObserved if it is not known how the project releases.
    """
    target, process = release.target, release.target.process
    if "version" in target.expected_before_release:
        return ""
    if "expected-before-release" in target.given:
        return _LATER
    if process.version_writer and (writer := _find_writer(release, release.base_head)):
        return f"{writer.workflow} sets the version: {writer.how}"
    if process.candidates:
        raise NotObserved(explain_unknown(target))
    release.snapshot.workflow_files.known()
    if process.is_started_by(*_BEFORE):
        return ""
    raise NotObserved(_explain_doubt(target))


def _explain_doubt(target: Target) -> Problem:
    """Why it is not known whether a commit has to declare the version: nothing seen sets it, or starts the upload."""
    publisher = next(iter(target.process.publishers), None)
    if publisher is not None:
        how = f"{publisher.workflow} is started by {describe_starts(publisher)}"
    else:
        how = f"{target.workflow or 'no workflow'} is {'not ' * bool(target.workflow)}seen to publish"
    why = f"{how}, and no step is seen to set the version: what is committed may be what is released"
    return Problem(source=SOURCE, why=why, remedy=f"commit the version first; {_REMEDY}")


def explain_no_tag(release: Release, lineage: Lineage) -> Problem | None:
    """Return why a run that a person or a schedule starts would build another version; None if nothing says so.

    A tool computes the version from tags, the commit has none, and no step is seen to make it or to set the version.
    """
    process, files = release.target.process, release.snapshot.workflow_files.value
    texts = files.texts.values() if files else ()
    is_made = any(map(process.makes, ("tag", "release", "draft"))) or process.version_writer is not None
    kinds = {start.kind for start in process.starts}
    if (
        not kinds
        or not kinds <= {"dispatch", "schedule"}
        or is_made
        or any(mark in text for text in texts for mark in _SETTING)
    ):
        return None
    publisher = process.publishers[0]
    how = f"{publisher.workflow} is started by {describe_starts(publisher)}, and no step is seen to make the tag"
    why = f"{lineage.declared_where} computes the version from tags; {how}: it may build another version"
    remedy = "tag the commit first and check that; if a run makes the tag before it builds, say --makes tag"
    return Problem(source=SOURCE, why=why, remedy=remedy)


def find_described_instead(release: Release, tag: Tag) -> Tag | None:
    """Return the tag of another version that `git describe` prefers to a lightweight one; None if there is none.

    Source: https://git-scm.com/docs/git-describe
    """
    if tag.annotated or not _DESCRIBING.search(release.lineage(tag.commit).declared_where):
        return None
    beside = (each for each in release.remote.tags if each.annotated and each.commit == tag.commit)
    return next((each for each in beside if release.target.parse_tag(each.name) not in (None, release.version)), None)


def is_started_by_version(release: Release) -> bool:
    """Return whether the commit that sets the version starts the release itself: a push to a branch, nothing else."""
    target = release.target
    kinds = {start.kind for start in target.process.starts}
    return "version" not in target.expected_before_release and bool(kinds) and kinds.isdisjoint({"tag", "release"})


def _find_writer(release: Release, commit: str) -> VersionWriter | None:
    """The step that sets the version; None if there is none, or it writes other files than the one that declares it."""
    writer = release.target.process.version_writer
    if writer is None or not writer.files:
        return writer
    lineage = release.lineage(commit)
    names, where = {PurePosixPath(file).name for file in writer.files}, lineage.declared_where or ""
    is_other = lineage.declared_version is not None and PurePosixPath(where).name not in names
    return None if is_other else writer


def find_build_writer(release: Release, tag: Tag) -> str:
    """Return the step that sets the version in a run that the tag has started; empty if none is seen to."""
    writer, publishers = _find_writer(release, tag.commit), release.target.process.publishers
    if writer is None:
        return ""
    every = [start for each in publishers if each.workflow == writer.workflow for start in each.starts]
    is_by_tag = {start.kind for start in every} <= {"tag", "release"} and not any(start.is_of_word for start in every)
    return writer.how if every and is_by_tag else ""


def explain_no_version(release: Release, lineage: Lineage) -> Problem | None:
    """Return why it is not known which version a build of a commit carries; None if it is what the commit declares."""
    declared, files = parse_version(lineage.declared_version or ""), release.snapshot.workflow_files.value
    if lineage.declared_version is None:
        why = f"no readable version at {lineage.sha[:12]}: {lineage.declared_where or 'nothing declares it'}"
    elif "version" in release.target.expected_before_release:
        return None
    elif declared is not None and not any(declared.release):
        why = f"{lineage.declared_where} says {declared}, a placeholder, and no workflow is seen to replace it"
    elif files is not None and files.unread:
        why = f"{lineage.declared_where} says {declared}, and {files.unread[0]}, which may set it, was not read"
    else:
        return None
    return Problem(source="git history", why=why, remedy=_REMEDY)
