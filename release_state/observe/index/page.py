"""The JSON API beside a Simple API: which files of a version it lists, and which versions there are.

After an upload it is right at once, while the Simple API can be behind for some minutes: what it lists is published.
Source: the JSON API in the documentation of PyPI
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from packaging.utils import canonicalize_name
from packaging.version import Version
from pypi_simple import DistributionPackage

from release_state.common.strict import is_sane
from release_state.facts.index import may_be_of_version
from release_state.model.snapshot import IndexFile, IndexProject, IndexRelease
from release_state.model.snapshot.index import IndexedVersion, IndexHistory
from release_state.model.target import parse_version
from release_state.observe.http.client import HttpClient, LookupFailed, origin_of
from release_state.observe.index.simple import IndexPage, NotSimple

_SIMPLE = "/simple/"
_BYTES = 8 * 2**20
_SECONDS = 10.0
"""The longest time that it is waited for: the Simple API has answered, and this is a second opinion."""
_LONGEST_NAME = 300
_MOST = 50


def look_up_files(
    client: HttpClient, root: str, authorization: str | None, package: str, version: Version, deadline: float
) -> tuple[str, ...]:
    """The names of the version's files; empty where there is no such API, or no answer of it that is one.

    `root` is the Simple API's. An error here says nothing: what the Simple API does not list is then not known to be
    published, as without this question.
    """
    found = _ask(client, root, authorization, f"{canonicalize_name(package)}/{quote(str(version))}", deadline)
    if not _is_of(found, package, version):
        return ()
    names = [file.get("filename") for file in found["urls"] if isinstance(file, dict)]
    return tuple(name for name in names if isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME)[:_MOST]


def look_up_versions(
    client: HttpClient, root: str, authorization: str | None, package: str, deadline: float
) -> frozenset[Version] | None:
    """
    Every version of the project, those without files too; None where there is no such API, or no answer that is one.

    `root` is the Simple API's. One that names a version which cannot be read says nothing of what there is.
    """
    found = _ask(client, root, authorization, canonicalize_name(package), deadline)
    releases = found.get("releases") if _is_of(found, package) else None
    if not isinstance(releases, dict):
        return None
    versions = [parse_version(text) for text in releases]
    told = [version for version in versions if version is not None]
    return frozenset(told) if told and len(told) == len(versions) else None


def _ask(client: HttpClient, root: str, authorization: str | None, path: str, deadline: float) -> Any:
    """The API's document of a path; None where there is none."""
    if not root.endswith(_SIMPLE):
        return None
    url = f"{root.removesuffix(_SIMPLE)}/pypi/{path}/json"
    try:
        found, answer = client.get_json(
            url,
            headers={"Authorization": authorization} if authorization else {},
            max_bytes=_BYTES,
            deadline=min(deadline, time.monotonic() + _SECONDS),
        )
    except LookupFailed:
        return None
    return found if origin_of(answer.url)[1:] == origin_of(url)[1:] else None


def _is_of(found: Any, package: str, version: Version | None = None) -> bool:
    info = found.get("info") if isinstance(found, dict) else None
    if not isinstance(info, dict) or (version is not None and not isinstance(found.get("urls"), list)):
        return False
    name, spelt = info.get("name"), info.get("version")
    if not isinstance(name, str) or not isinstance(spelt, str):
        return False
    ours = canonicalize_name(name) == canonicalize_name(package)
    return ours and (version is None or parse_version(spelt) == version)


_SKIPPED_LIMIT = 50
_MOST_UNREADABLE = 1000
"""Of a page that lists no versions; each of them has to be looked at for the one that is asked for."""
_SKIPPED_LENGTH = 200
"""Characters of a file name that is only there to be shown."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def build_project(page: IndexPage, name: str, version: Version, url: str) -> IndexProject:
    """The project with the files of one version; `name` normalized, `url` the page that was read."""
    held, common = _by_version(page, name, version)
    return IndexProject(
        url=url,
        listed=True,
        lists_versions=bool(page.versions),
        files=tuple(_file(package, version) for package in held.get(version, ())),
        releases=tuple(_release(each, held[each]) for each in sorted(held)),
        **common,
    )


def build_history(page: IndexPage, name: str, url: str) -> IndexHistory:
    """The project with the files of every version."""
    held, common = _by_version(page, name)
    return IndexHistory(
        url=url,
        listed=True,
        lists_versions=bool(page.versions),
        versions=tuple(_indexed(each, held[each]) for each in sorted(held)),
        **common,
    )


def _by_version(
    page: IndexPage, name: str, wanted: Version | None = None
) -> tuple[dict[Version, list[DistributionPackage]], dict[str, Any]]:
    """The files by version, and the fields that both models have in common.

    Of what is skipped, that comes first which may be of the version that is `wanted` and has no other file.
    """
    held: dict[Version, list[DistributionPackage]] = {}
    skipped = list(page.unreadable)
    parsed: dict[str, Version | None] = {}
    for package in page.packages:
        found = _version(package, name, parsed)
        if found is None:
            skipped.append(package.filename)
        else:
            held.setdefault(found, []).append(package)
    empty = {listed for text in page.versions if (listed := parse_version(text)) is not None} - held.keys()
    if wanted is not None and wanted not in held and (not page.versions or wanted in empty):
        if len(skipped) > _MOST_UNREADABLE:
            raise NotSimple(f"it lists more than {_MOST_UNREADABLE:,} files whose version cannot be read")
        skipped.sort(key=lambda filename: not may_be_of_version(filename, name, wanted))
    return held, {
        "status": page.status or None,
        "status_reason": page.status_reason or None,
        "listed_without_files": tuple(str(each) for each in sorted(empty)),
        "skipped": tuple(filename[:_SKIPPED_LENGTH] for filename in skipped[:_SKIPPED_LIMIT]),
    }


def _indexed(version: Version, packages: Sequence[DistributionPackage]) -> IndexedVersion:
    uploads = [uploaded for package in packages if (uploaded := _aware(package.upload_time))]
    return IndexedVersion(
        version=str(version),
        files=tuple((package.filename, package.package_type or "unknown", package.is_yanked) for package in packages),
        yanked_reason=next((package.yanked_reason for package in packages if package.yanked_reason), None),
        uploaded_at=min(uploads, default=None),
    )


def _version(package: DistributionPackage, name: str, parsed: dict[str, Version | None]) -> Version | None:
    """The version of a file of this project; None where it cannot be read or the file is another project's."""
    if package.version is None or canonicalize_name(package.project or "") != name:
        return None
    if package.version not in parsed:
        # Wheels and eggs write "_" for the "-" of the version (1.0_1 is 1.0-1, a post release).
        parsed[package.version] = parse_version(package.version) or parse_version(package.version.replace("_", "-"))
    return parsed[package.version]


def _file(package: DistributionPackage, version: Version) -> IndexFile:
    digest = package.digests.get("sha256", "").lower()
    return IndexFile(
        filename=package.filename,
        version=str(version),
        kind=package.package_type or "unknown",
        url=_public_url(package.url),
        size=package.size,
        sha256=digest if _SHA256.fullmatch(digest) else None,
        uploaded_at=_aware(package.upload_time),
        requires_python=package.requires_python or None,
        yanked=package.is_yanked,
        yanked_reason=package.yanked_reason or None,
        provenance_url=_public_url(package.provenance_url) if package.provenance_url else None,
    )


def _release(version: Version, packages: Sequence[DistributionPackage]) -> IndexRelease:
    uploads = [uploaded for package in packages if (uploaded := _aware(package.upload_time))]
    return IndexRelease(
        version=str(version),
        file_count=len(packages),
        yanked=all(package.is_yanked for package in packages),
        requires_python=next((package.requires_python for package in packages if package.requires_python), None),
        uploaded_at=min(uploads, default=None),
    )


def _aware(moment: datetime | None) -> datetime | None:
    if moment is None or not is_sane(moment):
        return None
    # PEP 700 wants UTC; who leaves the zone out means that.
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment


def _public_url(url: str) -> str:
    # Some indexes sign their file URLs: what is stored and shown has neither user name, password nor signature.
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
