"""Requests to one channel's index: its pages, its JSON API, its files and their provenance."""

from __future__ import annotations

import re
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from msgspec import Struct
from packaging.utils import canonicalize_name
from packaging.version import Version

from release_state.common.strict import OBJECT_NAME, decode_json
from release_state.common.text import sanitize
from release_state.model.observation import Problem
from release_state.model.snapshot import IndexFile
from release_state.model.target import Channel, parse_version
from release_state.observe.http.client import HttpClient, LookupFailed, Response, clean_url, is_other_host, origin_of
from release_state.observe.http.response import display_url
from release_state.observe.index.page import IndexPage
from release_state.observe.index.simple import ACCEPT, parse_project_page, parse_root

_PAGE_LIMIT = 64 * 2**20
"""Bytes. The largest project pages of the public index have some 20 MiB."""
_ROOT_LIMIT = 16 * 2**20
"""Bytes. A larger root is that of a mirror of everything, which says nothing about one project."""
_JSON_LIMIT = 8 * 2**20
_JSON_SECONDS = 10.0
"""The longest wait for the JSON API, which is a second opinion on the page."""
_SIMPLE = "/simple/"
_LONGEST_NAME = 300
_MOST_NAMES = 2_000
_PROVENANCE_TYPES = "application/vnd.pypi.integrity.v1+json, application/json;q=0.5"
# Extensions of Fulcio's certificates, 1.3.6.1.4.1.57264.1.x, as DER writes an object identifier.
_ARC = bytes.fromhex("060a2b0601040183bf3001")
_SOURCE_URI, _SOURCE_DIGEST = _ARC + b"\x0c", _ARC + b"\x0d"
_BOOLEAN, _OCTETS, _UTF8 = 0x01, 0x04, 0x0C
_REPOSITORY = re.compile(r"[\w.-]+(?:/[\w.-]+)+")


class Index:
    """The index of one channel. Its credentials are sent to its own origin alone.

    `source` names it in problems; `deadline` (`time.monotonic`) ends every request. Raises LookupFailed if the index
    URL is not http or https.
    """

    def __init__(self, client: HttpClient, channel: Channel, deadline: float, source: str | None = None) -> None:
        self._client, self._channel, self._deadline = client, channel, deadline
        self.source = source or f"index {channel.name}"
        try:
            self.root, self._authorization = split_credentials(channel.index_url)
        except ValueError:
            raise self.failure(
                "the index URL is not http or https; a folder (file://) cannot be observed",
                "configure the index's address; a folder can be served with pypiserver",
            ) from None

    def failure(self, why: str, remedy: str | None = None, *, is_temporary: bool = False) -> LookupFailed:
        """The error of a look-up that this index did not answer."""
        return LookupFailed(Problem(source=self.source, why=why, remedy=remedy, is_temporary=is_temporary))

    def page(self, name: str) -> IndexPage | None:
        """The project's page; None if the index says that it lists no such project. `name` is normalized."""
        response = self._get(self.url_of(name), _PAGE_LIMIT, may_keep=True)
        if response.status != 404:
            page = parse_project_page(response.body, response.headers, name, response.url)
            self._client.keep(response)
            return page
        if not self._channel.is_public_index:
            # A wrong path, a proxy or missing access answers 404 as well.
            root = self._get(self.root, _ROOT_LIMIT)
            if root.status == 404:
                raise self.failure(
                    "neither the project's page nor the index's root exists (404)", "check the channel's index_url"
                )
            if name in parse_root(root.body, root.headers, root.url):
                raise self.failure("the index lists the project and answers 404 for its page")
        elif response.is_html:
            # The public index's own 404 of a project page is a line of plain text.
            raise self.failure("answered 404 with an HTML page, which is not the index's own (a proxy?)", "try again")
        return None

    def url_of(self, name: str) -> str:
        """The address of a project's page."""
        return f"{self.root}{name}/"

    def _get(self, url: str, limit: int, *, may_keep: bool = False) -> Response:
        response = self._client.get(
            url, accept=ACCEPT, max_bytes=limit, allow_status={404}, may_keep=may_keep, **self._options(url)
        )
        if is_other_host(url, response.url):
            # pypiserver redirects what it lacks to another index, whose answer says nothing about this one.
            raise self.failure(
                f"the index redirected the request to another host, {origin_of(response.url)[1]}",
                "configure the address that answers itself, or switch the index's fallback off",
            )
        if "next" in response.links:
            # No Simple API has pages (PEP 503, 691); where a server makes some, the first is a part.
            raise self.failure(
                "the index answered with a page of several, and the Simple API has one", "ask the index's operator"
            )
        return response

    def _options(self, url: str) -> dict[str, Any]:
        """What every request has; the credentials only for an address of the index's own origin."""
        is_own = self._authorization is not None and origin_of(url) == origin_of(self.root)
        headers = {"Authorization": str(self._authorization)} if is_own else {}
        return {"headers": headers, "deadline": self._deadline, "source": self.source}

    def download(self, file: IndexFile, most: int, into: Path | None = None) -> bytes:
        """The bytes of a file, at most `most`; written to `into` instead, if given."""
        options = self._options(file.url)
        # Without a content encoding: the hash is of the file's own bytes.
        options["headers"]["Accept-Encoding"] = "identity"
        return self._client.get(file.url, max_bytes=most, into=into, **options).body

    def fetch_provenance(self, url: str) -> tuple[Any, Response]:
        """The JSON document at the address of a file's provenance, and the response."""
        return self._client.get_json(url, accept=_PROVENANCE_TYPES, max_bytes=_JSON_LIMIT, **self._options(url))

    def files_by_json(self, package: str, version: Version) -> tuple[str, ...]:
        """The names of the version's files by the JSON API; empty if its answer is not usable.

        It shows an upload at once, while the Simple API can be minutes behind.
        """
        document = self._fetch_document(f"{canonicalize_name(package)}/{quote(str(version))}")
        if not _is_of(document, package, version):
            return ()
        names = [file.get("filename") for file in document["urls"] if isinstance(file, dict)]
        return tuple(name for name in names if isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME)[:_MOST_NAMES]

    def versions_by_json(self, package: str) -> frozenset[Version] | None:
        """Every version of the project by the JSON API, also without files; None if it gives no usable answer.

        An answer with a version that cannot be parsed does not show which versions exist.
        """
        document = self._fetch_document(canonicalize_name(package))
        releases = document.get("releases") if _is_of(document, package) else None
        if not isinstance(releases, dict):
            return None
        versions = frozenset(map(parse_version, releases))
        return frozenset(filter(None, versions)) if versions and None not in versions else None

    def _fetch_document(self, path: str) -> Any:
        """The JSON API's document of a path; None if it cannot be read: then it shows nothing."""
        if not self.root.endswith(_SIMPLE):
            return None
        url = f"{self.root.removesuffix(_SIMPLE)}/pypi/{path}/json"
        options = self._options(url)
        options["deadline"] = min(self._deadline, time.monotonic() + _JSON_SECONDS)
        try:
            document, response = self._client.get_json(url, max_bytes=_JSON_LIMIT, **options)
        except LookupFailed:
            return None
        return document if origin_of(response.url)[1:] == origin_of(url)[1:] else None


def _is_of(document: Any, package: str, version: Version | None = None) -> bool:
    """Whether a document of the JSON API is of this project (and of this version, if any)."""
    info = document.get("info") if isinstance(document, dict) else None
    if not isinstance(info, dict) or (version is not None and not isinstance(document.get("urls"), list)):
        return False
    name, number = info.get("name"), info.get("version")
    if not isinstance(name, str) or not isinstance(number, str):
        return False
    is_ours = canonicalize_name(name) == canonicalize_name(package)
    return is_ours and (version is None or parse_version(number) == version)


def split_credentials(url: str) -> tuple[str, str | None]:
    """The index URL with one slash at its end, without user name and password; and the header that these make.

    Raises ValueError if the text is not an http or https URL.
    """
    parts = urlsplit(url.strip())
    clean = clean_url(urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/", query="", fragment="")))
    if "@" not in parts.netloc:
        return clean, None
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    pair = f"{unquote(user)}:{unquote(password)}"
    return clean, f"Basic {b64encode(pair.encode()).decode()}"


class Provenance(Struct, frozen=True):
    """The commit and repository (`owner/name`) that the attestations name; None if they name none, or several."""

    commit: str | None = None
    repository: str | None = None


def observe_provenance(index: Index, file: IndexFile) -> Provenance:
    """The source that the provenance of a file names, by one request; empty if the index has none for it.

    Raises LookupFailed if the index does not answer, not in the format of PEP 740, or with that of another file.
    """
    if not file.provenance_url:
        return Provenance()
    document, response = index.fetch_provenance(file.provenance_url)
    if not isinstance(document, dict) or not isinstance(document.get("attestation_bundles"), list):
        raise index.failure(f"{response.url}: not a provenance object of PEP 740")
    subjects = [subject for attestation in _list_attestations(document) for subject in _list_subjects(attestation)]
    if file.sha256 and subjects and not any(_is_subject(each, file.filename, file.sha256) for each in subjects):
        name, digest = subjects[0]
        other = f"{name or 'a file without a name'}, sha256 {digest[:12] or 'missing'}"
        what = f"requested the provenance of {file.filename}, the index gave that of {other}"
        raise index.failure(sanitize(f"{display_url(response.url)}: {what}", 400))
    return parse_provenance(document, file.filename, file.sha256)


def parse_provenance(document: dict[str, Any], filename: str, sha256: str | None) -> Provenance:
    """The source that attestations name whose subject is the file of this name and hash.

    Sources: PEP 740; the certificate's extensions: https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
    """
    commits: set[str] = set()
    repositories: set[str] = set()
    for attestation in _list_attestations(document):
        if not any(_is_subject(subject, filename, sha256) for subject in _list_subjects(attestation)):
            continue
        certificate = _decode(attestation.get("verification_material"), "certificate")
        commit = _read_extension(certificate, _SOURCE_DIGEST)
        path = urlsplit(_read_extension(certificate, _SOURCE_URI)).path.strip("/")
        commits |= {commit} if OBJECT_NAME.fullmatch(commit) else set()
        repositories |= {path} if _REPOSITORY.fullmatch(path) else set()
    commit_or_none = commits.pop() if len(commits) == 1 else None
    return Provenance(commit_or_none, repositories.pop() if len(repositories) == 1 else None)


def _read_extension(certificate: bytes, identifier: bytes) -> str:
    """The text of an X.509 extension: after its identifier (DER) comes an octet string with a UTF-8 string in it."""
    rest = certificate.partition(identifier)[2]
    if rest[:1] == bytes([_BOOLEAN]):
        rest = rest[3:]  # the flag "critical"
    try:
        return _read_value(_read_value(rest, _OCTETS), _UTF8).decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _read_value(data: bytes, tag: int) -> bytes:
    """The content of a DER element of this tag at the beginning of the data; empty if there is no such element."""
    if len(data) < 2 or data[0] != tag:
        return b""
    length, start = data[1], 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
    value = data[start : start + length]
    return value if len(value) == length else b""


def _list_attestations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for bundle in _list_dicts(document.get("attestation_bundles")):
        yield from _list_dicts(bundle.get("attestations"))


def _list_subjects(attestation: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and hash of each file that the attestation's statement is about (in-toto Statement v1)."""
    try:
        statement = decode_json(_decode(attestation.get("envelope"), "statement"))
    except ValueError:
        return []
    subjects = _list_dicts(statement.get("subject")) if isinstance(statement, dict) else ()
    return [
        (str(subject.get("name", "")), str(digest.get("sha256", "")).lower())
        for subject in subjects
        if isinstance(digest := subject.get("digest"), dict)
    ]


def _is_subject(subject: tuple[str, str], filename: str, sha256: str | None) -> bool:
    """Whether a subject is the file; an index may spell its name in the normalized form."""
    name, digest = subject
    return digest == sha256 and canonicalize_name(name) == canonicalize_name(filename)


def _decode(holder: object, key: str) -> bytes:
    text = holder.get(key) if isinstance(holder, dict) else None
    try:
        return b64decode(text) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _list_dicts(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
