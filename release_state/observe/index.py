"""The package index: what the Simple API of one channel says of one version, and of the project as a whole."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timezone
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from pypi_simple import DistributionPackage

from release_state.model import Observation, Problem, known, unavailable
from release_state.observe.http import Answer, HttpClient, LookupFailed, clean_url, origin_of
from release_state.observe.simple import ACCEPT, Page, project_page, root_projects
from release_state.snapshot import IndexFile, IndexProject, IndexRelease
from release_state.target import Channel, parse_version

_PAGE_LIMIT = 64 * 2**20
"""Bytes. The largest project pages of the public index have some 20 MiB."""

_ROOT_LIMIT = 16 * 2**20
"""Bytes. A root larger than that is a mirror of everything, which is no answer to one question."""

_SKIPPED_LIMIT = 50
_SKIPPED_LENGTH = 200
"""Characters of a file name that is only there to be shown."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def observe_index(client: HttpClient, channel: Channel, package: str, version: str) -> Observation[IndexProject]:
    """
    The project's page on the channel's index, with the files of `version` by PEP 440 equality.

    One request; a second one, of the index's root, where an index that is not PyPI or TestPyPI answers 404: only an
    index that shows itself as one can say that it lists nothing. User name and password in the index's URL are used
    and never kept. Never raises: what is no answer is unavailable. Sources: PEP 503, 592, 691, 700, 740, 792.
    """
    source = f"index {channel.name}"
    try:
        root, authorization = split_credentials(channel.index_url)
    except ValueError:
        why = "the index URL is none of http or https; a folder (file://) cannot be observed"
        return unavailable(source, why, "configure the index's address; a folder can be served with pypiserver")
    index = _Index(client, channel, source, root, authorization)
    try:
        return known(index.project(canonicalize_name(package), Version(version)))
    except LookupFailed as failed:
        return Observation(value=None, unavailable=failed.problem)
    except InvalidVersion:
        return unavailable(source, f"{version!r} is no version by PEP 440")
    except (ValueError, OverflowError) as error:
        # NotSimple, and what a parser makes of a hostile page: an URL or a date that cannot be.
        return unavailable(source, f"{error}"[:300] or "the answer cannot be understood")


def split_credentials(url: str) -> tuple[str, str | None]:
    """
    An index URL without user name and password and with one slash at its end; and the Authorization header they make.

    Raises ValueError where the text is no http or https URL.
    """
    parts = urlsplit(url.strip())
    clean = clean_url(urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/", query="", fragment="")))
    if "@" not in parts.netloc:
        return clean, None
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    pair = f"{unquote(user)}:{unquote(password)}"
    return clean, f"Basic {b64encode(pair.encode()).decode()}"


class _Index:
    def __init__(self, client: HttpClient, channel: Channel, source: str, root: str, authorization: str | None) -> None:
        self._client = client
        self._channel = channel
        self._source = source
        self._root = root
        self._deadline = client.deadline()
        self._headers = {"Authorization": authorization} if authorization else {}

    def project(self, name: str, version: Version) -> IndexProject:
        url = f"{self._root}{name}/"
        answer = self._get(url, _PAGE_LIMIT)
        if answer.status != 404:
            return _project(project_page(answer.body, answer.headers, name, answer.url), name, version, url)
        if not self._channel.is_public_index:
            # A wrong path, a proxy or a closed door answers 404 as well.
            root = self._get(self._root, _ROOT_LIMIT)
            if root.status == 404:
                raise self._failed(
                    "neither the project's page nor the index's root is there (404)", "check the channel's index_url"
                )
            if name in root_projects(root.body, root.headers, root.url):
                raise self._failed("the index lists the project and answers 404 for its page")
        return IndexProject(url=url, listed=False)

    def _get(self, url: str, limit: int) -> Answer:
        answer = self._client.get(
            url,
            headers=self._headers,
            accept=ACCEPT,
            max_bytes=limit,
            allow_status={404},
            deadline=self._deadline,
            source=self._source,
        )
        (_, host, port), (_, answered, its_port) = origin_of(url), origin_of(answer.url)
        upgraded = url.startswith("http:") and answer.url.startswith("https:")
        if host != answered or (port != its_port and not upgraded):
            # pypiserver sends what it lacks on to another index, whose answer says nothing about this one.
            raise self._failed(
                f"the index sent the question on to another host, {answered}",
                "configure the address that answers itself, or switch the index's fallback off",
            )
        return answer

    def _failed(self, why: str, remedy: str | None = None) -> LookupFailed:
        return LookupFailed(Problem(source=self._source, why=why, remedy=remedy))


def _project(page: Page, name: str, version: Version, url: str) -> IndexProject:
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
    return IndexProject(
        url=url,
        listed=True,
        status=page.status or None,
        status_reason=page.status_reason or None,
        files=tuple(_file(package, version) for package in held.get(version, ())),
        releases=tuple(_release(each, held[each]) for each in sorted(held)),
        listed_without_files=tuple(str(each) for each in sorted(empty)),
        skipped=tuple(filename[:_SKIPPED_LENGTH] for filename in skipped[:_SKIPPED_LIMIT]),
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
    # PEP 700 wants UTC; who leaves the zone out means that.
    return moment.replace(tzinfo=timezone.utc) if moment and moment.tzinfo is None else moment


def _public_url(url: str) -> str:
    # Some indexes sign their file URLs: what is stored and shown has neither user name, password nor signature.
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
