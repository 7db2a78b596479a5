"""The package index: what one channel's Simple API says of one version, or of every version of the project."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from datetime import datetime, timezone
from functools import lru_cache
from threading import Thread
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urljoin, urlsplit, urlunsplit

from msgspec import structs
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from release_state.common.strict import is_sane
from release_state.facts.filenames import MOST_NAMES, choose_earlier, find_wheel_gap, read_filename
from release_state.facts.index import may_be_of_version
from release_state.model.observation import Observation, unavailable
from release_state.model.snapshot import IndexFile, IndexProject, IndexRelease
from release_state.model.snapshot.index import IndexedVersion, IndexHistory
from release_state.model.target import Channel, parse_version
from release_state.observe.http.client import HttpClient, observe
from release_state.observe.index.access import Index
from release_state.observe.index.page import IndexPage, ListedFile, NotSimple
from release_state.observe.index.page import is_sane as is_sane_name

T = TypeVar("T")

_SKIPPED_LIMIT = 50
_MOST_LATE = 50
"""Files that the Simple API does not list yet."""
_MOST_UNREADABLE = 1000
"""Files of a page that lists no versions: each could be of the wanted version."""
_SKIPPED_LENGTH = 200
"""Characters of a file name that is only shown."""


class _Package(NamedTuple):
    """A file of this project, whose name can be read."""

    file: ListedFile
    kind: str


_SHA256 = re.compile(r"[0-9a-f]{64}")


def observe_index(
    client: HttpClient, channel: Channel, package: str, version: str, expected: Collection[str] = ()
) -> Observation[IndexProject]:
    """The project's page on the channel's index, with the files of `version` by PEP 440 equality. Never raises.

    One request, and up to three more. The index's root, where an index that is not PyPI or TestPyPI answers 404: only
    an index that shows itself as one can say that it lists nothing. The JSON API, where files are `expected`, at the
    same time: it shows an upload first, and counts where a kind of file is missing, or a wheel as the version before
    had. The JSON API too, where a file name that cannot be read may be of this version and the page lists no versions.
    Sources: PEP 503, 592, 691, 700, 740, 792.
    """
    try:
        wanted = Version(version)
    except InvalidVersion:
        return unavailable(f"index {channel.name}", f"{version!r} is not a PEP 440 version")
    name = canonicalize_name(package)

    def read(index: Index) -> IndexProject:
        late = _start(lambda: index.files_by_json(name, wanted)) if expected else None
        page, url = index.page(name), index.url_of(name)
        project = IndexProject(url=url, listed=False) if page is None else build_project(page, name, wanted, url)
        kinds = {file.kind for file in project.files}
        if late and (set(expected) - kinds or find_wheel_gap(project, wanted).unexplained):
            known_names = {file.filename for file in project.files}
            more = tuple(file for file in late.result() if file not in known_names)
            project = structs.replace(project, catching_up=more[:_MOST_LATE])
        if not (project.files or project.catching_up or project.lists_versions) and any(
            may_be_of_version(file, name, wanted) for file in project.skipped
        ):
            listed = index.versions_by_json(name)
            project = structs.replace(project, lists_versions=listed is not None and wanted not in listed)
        return project

    return _observe(client, channel, read)


def _start(ask: Callable[[], T]) -> Future[T]:
    """Ask in a thread of its own. Nobody waits for it, not even the end of the run, unless its answer counts."""
    answer = Future[T]()

    def work() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=work, name="release-state-json", daemon=True).start()
    return answer


def observe_index_history(client: HttpClient, channel: Channel, package: str) -> Observation[IndexHistory]:
    """The project's page on the channel's index, with every version and its files."""
    name = canonicalize_name(package)

    def read(index: Index) -> IndexHistory:
        page, url = index.page(name), index.url_of(name)
        if page is None:
            return IndexHistory(url=url, listed=False)
        packages, common = _group_by_version(page, name)
        versions = tuple(_build_version(each, packages[each]) for each in sorted(packages))
        return IndexHistory(url=url, versions=versions, **common)

    return _observe(client, channel, read)


def _observe(client: HttpClient, channel: Channel, read: Callable[[Index], T]) -> Observation[T]:
    try:
        return observe(lambda: read(Index(client, channel, client.deadline())))
    except (ValueError, OverflowError) as error:
        # NotSimple, and what a parser makes of a hostile page: an URL or a date that cannot be.
        return unavailable(f"index {channel.name}", f"{error}"[:300] or "the answer cannot be understood")


def build_project(page: IndexPage, name: str, version: Version, url: str) -> IndexProject:
    """The project with the files of one version; `name` normalized, `url` the page that was read."""
    packages, common = _group_by_version(page, name, version)
    offered = {each: [p.file.filename for p in found if not p.file.is_yanked] for each, found in packages.items()}
    named, left = dict[Version, list[str]](), MOST_NAMES
    for each in choose_earlier((each for each, names in offered.items() if names), version):
        named[each] = offered[each][:left]
        left -= len(named[each])
    return IndexProject(
        url=url,
        files=tuple(_build_file(package, version, page.base) for package in packages.get(version, ())),
        releases=tuple(_build_release(each, packages[each], named.get(each, ())) for each in sorted(packages)),
        **common,
    )


def _group_by_version(
    page: IndexPage, name: str, wanted: Version | None = None
) -> tuple[dict[Version, list[_Package]], dict[str, Any]]:
    """The files by version, and the fields that both models have in common.

    Skipped names that may be of the `wanted` version come first, if it has no other file.
    """
    packages: dict[Version, list[_Package]] = {}
    skipped = []
    for file in page.files:
        read = read_filename(file.filename, name) if is_sane_name(file.filename) else None
        version = _parse_file_version(read[0]) if read else None
        if read is None or version is None:
            skipped.append(file.filename)
        else:
            packages.setdefault(version, []).append(_Package(file, read[1]))
    empty = {listed for text in page.versions if (listed := parse_version(text)) is not None} - packages.keys()
    if wanted is not None and wanted not in packages and (not page.versions or wanted in empty):
        if len(skipped) > _MOST_UNREADABLE:
            raise NotSimple(f"it lists more than {_MOST_UNREADABLE:,} files whose version cannot be read")
        skipped.sort(key=lambda filename: not may_be_of_version(filename, name, wanted))
    return packages, {
        "listed": True,
        "lists_versions": bool(page.versions),
        "status": page.status or None,
        "status_reason": page.status_reason or None,
        "listed_without_files": tuple(str(each) for each in sorted(empty)),
        "skipped": tuple(filename[:_SKIPPED_LENGTH] for filename in skipped[:_SKIPPED_LIMIT]),
    }


def _find_first_upload(packages: Sequence[_Package]) -> datetime | None:
    return min((moment for package in packages if (moment := _add_zone(package.file.upload_time))), default=None)


def _build_version(version: Version, packages: Sequence[_Package]) -> IndexedVersion:
    return IndexedVersion(
        version=str(version),
        files=tuple((package.file.filename, package.kind, package.file.is_yanked) for package in packages),
        yanked_reason=next((package.file.yanked_reason for package in packages if package.file.yanked_reason), None),
        uploaded_at=_find_first_upload(packages),
    )


@lru_cache(maxsize=10_000)
def _parse_file_version(text: str) -> Version | None:
    # Wheels and eggs write "_" for the "-" of the version (1.0_1 is 1.0-1, a post release).
    return parse_version(text) or parse_version(text.replace("_", "-"))


def _build_file(package: _Package, version: Version, base: str) -> IndexFile:
    file = package.file
    digest = (file.hashes or {}).get("sha256", "").lower()
    return IndexFile(
        filename=file.filename,
        version=str(version),
        kind=package.kind,
        url=_strip_url(urljoin(base, file.url)),
        size=file.size,
        sha256=digest if _SHA256.fullmatch(digest) else None,
        uploaded_at=_add_zone(file.upload_time),
        requires_python=file.requires_python or None,
        yanked=file.is_yanked,
        yanked_reason=file.yanked_reason or None,
        provenance_url=_strip_url(urljoin(base, file.provenance)) if file.provenance else None,
    )


def _build_release(version: Version, packages: Sequence[_Package], filenames: Sequence[str]) -> IndexRelease:
    return IndexRelease(
        version=str(version),
        file_count=len(packages),
        yanked=all(package.file.is_yanked for package in packages),
        requires_python=next(
            (package.file.requires_python for package in packages if package.file.requires_python), None
        ),
        uploaded_at=_find_first_upload(packages),
        filenames=tuple(filenames),
    )


def _add_zone(moment: datetime | None) -> datetime | None:
    if moment is None or not is_sane(moment):
        return None
    # PEP 700 requires UTC; a time without a zone means that.
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment


def _strip_url(url: str) -> str:
    # Some indexes sign their file URLs. User name, password and signature are neither stored nor shown.
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
