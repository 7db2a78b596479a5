"""The JSON API beside a Simple API: which files of a version it lists, and which versions there are.

After an upload it is right at once, while the Simple API can be behind for some minutes: what it lists is published.
Source: the JSON API in the documentation of PyPI
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

from packaging.utils import canonicalize_name
from packaging.version import Version

from release_state.observe.http import HttpClient, LookupFailed, origin_of
from release_state.target import parse_version

_SIMPLE = "/simple/"
_BYTES = 8 * 2**20
_SECONDS = 10.0
"""The longest time that it is waited for: the Simple API has answered, and this is a second opinion."""
_LONGEST_NAME = 300
_MOST = 50


def files_by_json(
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


def versions_by_json(
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
