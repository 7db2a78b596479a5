"""Reads what the attestation of a published file says about its source; its signature is not verified."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from release_state.common.strict import decode_json
from release_state.common.text import sanitize
from release_state.model.snapshot import IndexFile
from release_state.observe.git.store import OBJECT_NAME
from release_state.observe.http.response import display_url
from release_state.observe.index.access import Index

ACCEPT = "application/vnd.pypi.integrity.v1+json, application/json;q=0.5"
_LIMIT = 8 * 2**20
"""Bytes."""

# Extensions of Fulcio's certificates, 1.3.6.1.4.1.57264.1.x, as DER writes an object identifier.
_ARC = bytes.fromhex("060a2b0601040183bf3001")
_SOURCE_URI, _SOURCE_DIGEST = _ARC + b"\x0c", _ARC + b"\x0d"
_BOOLEAN, _OCTETS, _UTF8 = 0x01, 0x04, 0x0C
_REPOSITORY = re.compile(r"[\w.-]+(?:/[\w.-]+)+")


@dataclass(frozen=True)
class Provenance:
    """The commit and repository (`owner/name`) that the attestations name; None if they name none, or several."""

    commit: str | None = None
    repository: str | None = None


def observe_provenance(index: Index, file: IndexFile) -> Provenance:
    """The source that the provenance of a file names, by one request; empty if the index has none for it.

    Raises LookupFailed if the index does not answer, not in the format of PEP 740, or with that of another file.
    """
    if not file.provenance_url:
        return Provenance()
    document, answer = index.get_json(file.provenance_url, ACCEPT, _LIMIT)
    if not isinstance(document, dict) or not isinstance(document.get("attestation_bundles"), list):
        raise index.failure(f"{answer.url}: not a provenance object of PEP 740")
    if file.sha256 and (others := _list_others(document, file.filename, file.sha256)):
        where = display_url(answer.url)
        why = f"{where}: requested the provenance of {file.filename}, the index gave that of {others[0]}"
        raise index.failure(sanitize(why, 400))
    return parse_provenance(document, file.filename, file.sha256)


def parse_provenance(document: dict[str, Any], filename: str, sha256: str | None) -> Provenance:
    """The source that attestations name whose subject is the file of this name and hash.

    Sources: PEP 740; the certificate's extensions: https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
    """
    commits: set[str] = set()
    repositories: set[str] = set()
    for attestation in _list_attestations(document):
        if sha256 is None or not any(_is_of(subject, filename, sha256) for subject in _list_subjects(attestation)):
            continue
        certificate = _decode(attestation.get("verification_material"), "certificate")
        commit = read_extension(certificate, _SOURCE_DIGEST) or ""
        path = urlsplit(read_extension(certificate, _SOURCE_URI) or "").path.strip("/")
        if OBJECT_NAME.fullmatch(commit):
            commits.add(commit)
        if _REPOSITORY.fullmatch(path):
            repositories.add(path)
    return Provenance(
        commits.pop() if len(commits) == 1 else None, repositories.pop() if len(repositories) == 1 else None
    )


def read_extension(certificate: bytes, identifier: bytes) -> str | None:
    """The text of an X.509 extension: after its identifier (DER) comes an octet string with a UTF-8 string in it."""
    start = certificate.find(identifier)
    if start < 0:
        return None
    rest = certificate[start + len(identifier) :]
    if rest[:1] == bytes([_BOOLEAN]):
        rest = rest[3:]  # the flag "critical"
    octets = _read_value(rest, _OCTETS)
    text = _read_value(octets, _UTF8) if octets is not None else None
    try:
        return None if text is None else text.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _read_value(data: bytes, tag: int) -> bytes | None:
    """The content of a DER element of this tag at the beginning of the data."""
    if len(data) < 2 or data[0] != tag:
        return None
    length, start = data[1], 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
    value = data[start : start + length]
    return value if len(value) == length else None


def _list_attestations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for bundle in _list_dicts(document.get("attestation_bundles")):
        yield from _list_dicts(bundle.get("attestations"))


def _list_subjects(attestation: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and hash of each file that the attestation's statement is about (in-toto Statement v1)."""
    try:
        statement = decode_json(_decode(attestation.get("envelope"), "statement"))
    except ValueError:
        return []
    found = []
    for subject in _list_dicts(statement.get("subject")) if isinstance(statement, dict) else ():
        digest = subject.get("digest")
        if isinstance(digest, dict):
            found.append((str(subject.get("name", "")), str(digest.get("sha256", "")).lower()))
    return found


def _is_of(subject: tuple[str, str], filename: str, sha256: str) -> bool:
    """Whether a subject is the file; an index may spell its name in the normalized form."""
    name, digest = subject
    return digest == sha256 and canonicalize_name(name) == canonicalize_name(filename)


def _list_others(document: dict[str, Any], filename: str, sha256: str) -> list[str]:
    """The files that the attestations are about, if none is about this one."""
    subjects = [subject for attestation in _list_attestations(document) for subject in _list_subjects(attestation)]
    if any(_is_of(subject, filename, sha256) for subject in subjects):
        return []
    return [f"{name or 'a file without a name'}, sha256 {digest[:12] or 'missing'}" for name, digest in subjects]


def _decode(holder: object, key: str) -> bytes:
    text = holder.get(key) if isinstance(holder, dict) else None
    try:
        return b64decode(text) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _list_dicts(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
