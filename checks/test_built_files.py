"""The files that are about to be uploaded: a tag says nothing of what was built from it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import pytest
from packaging.utils import parse_wheel_filename

from release_state.common.text import join_items
from release_state.facts.release import Release
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import ActionNeeded, NotApplicable, Phase
from release_state.model.plan import step
from release_state.model.snapshot import Built, BuiltFile
from release_state.model.target import parse_version
from release_state.verdict.check import check

_TAKEN = (".whl", ".tar.gz", ".zip")
"""What twine and PyPI take: https://peps.python.org/pep-0527/."""


@pytest.mark.pre_release
@pytest.mark.pre_publish
@pytest.mark.post_recovery
@pytest.mark.rollback
@check("DIST-1", reads=["built", "index"])
def test_built_files_are_of_this_version(release: Release) -> None:
    """The built files are this version's, and no others.

    The folder of `--built` has the expected kinds of file, each of this package and exactly this version, in its name
    and in its metadata. The tag alone does not say so: setuptools-scm in a shallow checkout builds 0.1.dev1, an older
    wheel is left in the folder, or it is empty. Such an upload fails half-way or publishes something else. An upload
    of the folder also fails on files that are no distributions, except an attestation or a signature beside its own.
    Hidden files are not uploaded.
    """
    phase, target = Phase(release.snapshot.phase), release.target
    if phase not in (Phase.PRE_RELEASE, Phase.PRE_PUBLISH):
        raise NotApplicable("built files are looked at before their upload")
    built = release.snapshot.built.known()
    if built is None:
        raise NotApplicable("--built names no folder")
    unread = [f"{file.filename}: {file.unread}" for file in built.files if file.unread]
    unread += [f"{built.more:,} more files were not looked at"] if built.more else []
    if faults := list(find_faults(built, release)):
        raise _wrong(release, join_items([*faults, *unread]))
    if unread:
        remedy = "build into an empty folder, of plain files that this run may read; or raise --lookup-timeout"
        raise NotObserved(Problem(source="built files", why=join_items(unread), remedy=remedy))
    kinds = {file.kind for file in built.files}
    if missing := [kind for kind in target.expected_files if kind not in kinds]:
        _ = release.project  # which kinds a release has follows from the index: unknown if that is
        raise _wrong(release, f"no {' and no '.join(missing)} in {built.folder}")


def find_faults(built: Built, release: Release) -> Iterator[str]:
    """Each file that must not be uploaded, with what it is instead."""
    index = release.snapshot.index.get(release.channel.name)
    published = {file.filename for file in index.value.files} if index and index.value else set()
    seen: dict[Hashable, str] = {}
    if not built.files:
        yield f"{built.folder} is empty"
    for file in built.files:
        name, version = file.filename, file.version
        if file.kind not in ("sdist", "wheel") or not name.endswith(_TAKEN):
            if file.wrong or not any(belongs(name, other.filename) for other in built.files if other.kind):
                yield f"{name}: {file.wrong or f'no distribution of {release.target.package}'}"
        elif version is None or parse_version(version) != release.version:
            yield f"{name}: version {version}"
        elif file.wrong:
            yield f"{name}: {file.wrong}"
        elif name in published:
            yield f"{name}: {release.channel.name} has it already, an upload fails on it unless it skips such files"
        elif not file.unread and (other := seen.setdefault(identify(file), name)) != name:
            yield f"{name}: the same distribution as {other}"


def belongs(name: str, other: str) -> bool:
    """Whether a file is a signature or an attestation of the other one, as twine takes them."""
    return name == f"{other}.asc" or (name.startswith(f"{other}.") and name.endswith(".attestation"))


def identify(file: BuiltFile) -> Hashable:
    """What no two files of one version may share: an index takes one sdist, and each wheel in one spelling."""
    return parse_wheel_filename(file.filename) if file.kind == "wheel" else file.kind


def _wrong(release: Release, found: str) -> ActionNeeded:
    return ActionNeeded(
        found=found,
        why="the upload fails half-way, or publishes something else",
        steps=[
            step(
                f"Build {release.version} again into an empty folder, from its commit with the tags (fetch-depth: 0); "
                "put nothing else there, and look again"
            )
        ],
    )
