"""The published files that the installation did not use: downloaded, compared with the index, and verified.

A wheel for another platform cannot be installed here, but the metadata in it can be compared with its name.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import re
import struct
import tarfile
import time
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from release_state.common.text import sanitize
from release_state.model.observation import Observation, Problem, known
from release_state.model.snapshot import IndexFile, Opened, OpenedFile
from release_state.model.target import Channel, parse_version
from release_state.observe.http.client import HttpClient, LookupFailed
from release_state.observe.index.access import Index
from release_state.observe.published.completeness import inspect_wheel, read_record
from release_state.observe.published.files import Forward, Refused

_BLOCK = 64 * 2**10
_DIRECTORY_LIMIT = 8 * 2**20
"""Bytes of a zip file's directory: some 50,000 members. Each takes ten times as much in memory."""
_METADATA_LIMIT = 4 * 2**20
"""Bytes of a metadata file."""
_MOST_FAILURES = 3
"""After so many failed files the others are not downloaded."""
_MOST_MEMBERS = 200_000
_RECORD_LIMIT = 32 * 2**20
_UNPACKED_LIMIT = 2**31
"""Bytes of an sdist that are unpacked in search of its metadata."""
_LEAVE_OUT = "or skip it with --no-install"

_BEGINS = {"rpm": b"\xed\xab\xee\xdb", "msi": b"\xd0\xcf\x11\xe0", "wininst": b"MZ"}
"""First bytes of formats that are not read here; no installer of Python packages uses them."""
_COMPRESSED = {".gz": b"\x1f\x8b", ".tgz": b"\x1f\x8b", ".bz2": b"BZh", ".xz": b"\xfd7zXZ\x00", ".zip": b"PK"}
_UNREADABLE = (
    tarfile.TarError, BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, RuntimeError, OverflowError,
)  # fmt: skip


class Broken(Exception):  # noqa: N818 - a statement about a file
    """The file cannot be read as the format that its name shows; the text says why."""


class Differs(Broken):
    """The file can be read, but is not what the index and its name say."""


def observe_opened(
    client: HttpClient,
    channel: Channel,
    package: str,
    version: str,
    files: Sequence[IndexFile],
    *,
    installed: str | None,
    seconds: float,
    most_bytes: int,
    downloaded: dict[str, bytes] | None = None,
) -> Observation[Opened]:
    """Download and verify each of the version's files except the one that was `installed`.

    One request for each, the smallest first; `seconds` and `most_bytes` limit all of them together. Nothing is
    unpacked to disk or run. A file in `downloaded`, by its address, needs no request. Known: what is wrong with each.
    Unavailable, if nothing is known to be wrong: a file could not be downloaded, is not the one that the index lists,
    or could not be read within the limits.
    """
    deadline = time.monotonic() + seconds
    index = Index(client, channel, deadline, f"files on {channel.name}")
    name, bodies = canonicalize_name(package), {} if downloaded is None else downloaded
    attempt = _Verification(index, name, Version(version), seconds, deadline, most_bytes, most_bytes, bodies)
    opened: list[OpenedFile] = []
    problems: list[Problem] = []
    with TemporaryDirectory(prefix="release-state-", ignore_cleanup_errors=True) as folder:
        for file in sorted(files, key=lambda file: file.size or 0):
            if file.filename == installed:
                continue
            try:
                opened.append(OpenedFile(filename=file.filename, wrong=attempt.verify(file, Path(folder) / "file")))
            except LookupFailed as failed:
                problems.append(failed.problem)
                if len(problems) == _MOST_FAILURES:
                    break
    if problems and not any(file.wrong for file in opened):
        return Observation(value=None, unavailable=problems[0])
    return known(Opened(files=tuple(opened)))


@dataclass
class _Verification:
    index: Index
    name: str
    version: Version
    seconds: float
    deadline: float
    most: int
    """Bytes of all files together."""
    left: int
    downloaded: dict[str, bytes]

    def verify(self, file: IndexFile, path: Path) -> str:
        """What is wrong with a file; empty: nothing. `path` is a place for it meanwhile.

        Raises LookupFailed if that cannot be decided.
        """
        self._download(file, path)
        try:
            self._compare_hash(file, path)
            verify_file(path, file, self.name, self.version, self.deadline)
        except Broken as broken:
            if file.sha256 is None and not isinstance(broken, Differs):
                why = f"{broken}, and the index lists no hash that says whether this is the file"
                raise self._failure(file, why, "download it and check that it is the intended file") from None
            return str(broken)
        except Refused as refused:
            raise self._failure(file, f"{refused}", f"inspect it by other means, {_LEAVE_OUT}") from None
        finally:
            path.unlink(missing_ok=True)
        return ""

    def _download(self, file: IndexFile, path: Path) -> None:
        if file.size is not None and file.size > self.left:
            why = f"not checked: all files together have more than {self.most / 2**20:g} MiB"
            raise self._failure(file, why, f"allow more with --install-size, {_LEAVE_OUT}")
        why, remedy = (
            f"not read within {self.seconds:g} seconds",
            f"try again, or raise --install-timeout, {_LEAVE_OUT}",
        )
        too_late = self._failure(file, why, remedy, may_pass=True)
        if time.monotonic() >= self.deadline:
            raise too_late
        try:
            if (body := self.downloaded.pop(file.url, None)) is not None:
                path.write_bytes(body)
            else:
                self.index.download(file, max(1, self.left), into=path)
        except LookupFailed:
            if time.monotonic() >= self.deadline:
                raise too_late from None
            raise
        self.left -= path.stat().st_size

    def _compare_hash(self, file: IndexFile, path: Path) -> None:
        digest = hashlib.sha256()
        with path.open("rb") as content:
            while block := content.read(2**20):
                digest.update(block)
        if file.sha256 and digest.hexdigest() != file.sha256:
            remedy = "try again; if it persists, download the file and compare: the index may serve another one"
            raise self._failure(file, "its hash differs from the one on the index", remedy)

    def _failure(self, file: IndexFile, why: str, remedy: str, *, may_pass: bool = False) -> LookupFailed:
        return self.index.failure(f"{file.filename[:200]}: {why}", remedy, is_temporary=may_pass)


def verify_file(path: Path, file: IndexFile, name: str, version: Version, deadline: float) -> Message | None:
    """Verify that a downloaded file is what the index lists: `name` (normalized) in `version`.

    Returns its metadata; None for a format that is not read here. `deadline` is a time of `time.monotonic`. Raises
    Broken, or Refused if a limit keeps the file from being read. Sources: PEP 427, PEP 566, PEP 625, PEP 643.
    """
    try:
        content = _read_metadata(path, file, name, deadline)
        if content is None:
            return None
        metadata = BytesHeaderParser().parsebytes(content)
        _compare(metadata, file, name, version)
        return metadata
    except _UNREADABLE as error:
        raise Broken(f"it cannot be read ({type(error).__name__})") from None


def _read_metadata(path: Path, file: IndexFile, name: str, deadline: float) -> bytes | None:
    """The core metadata in a file; None for a format that has none that is read here."""
    lower = file.filename.lower()
    if file.kind == "wheel":
        with _open_zip(path) as archive:
            return _read_wheel_metadata(archive, file, name)
    if lower.endswith(".egg"):
        with _open_zip(path) as archive:
            return _read_member(archive, "EGG-INFO/PKG-INFO", _METADATA_LIMIT)
    if file.kind == "sdist" and lower.endswith(".zip"):
        with _open_zip(path) as archive:
            member = next(filter(_is_metadata, archive.namelist()), None)
            if member is None:
                raise Broken("it has no PKG-INFO")
            return _read_member(archive, member, _METADATA_LIMIT)
    if file.kind == "sdist" and (stream := _open_tar(path, lower)) is not None:
        with closing(stream):
            return _read_tar_metadata(stream, deadline)
    begins = _BEGINS.get(file.kind) or next((b for end, b in _COMPRESSED.items() if lower.endswith(end)), b"")
    with path.open("rb") as content:
        if content.read(len(begins)) != begins:
            raise Broken("its first bytes are not those of such a file")
    return None


def _compare(metadata: Message, file: IndexFile, name: str, version: Version) -> None:
    its_name, number = metadata.get("Name"), metadata.get("Version")
    if its_name is None or number is None:
        raise Broken("its metadata has no name and version")
    if canonicalize_name(str(its_name).strip()) != name:
        raise Differs(f"its metadata names the project {sanitize(str(its_name), 80)}")
    if parse_version(str(number).strip()) != version:
        raise Differs(f"its metadata names the version {sanitize(str(number), 80)}")
    python = str(metadata.get("Requires-Python") or "").strip()
    if file.requires_python is not None and not _is_same(python, file.requires_python):
        text = sanitize(python, 80) or "no Python in particular"
        raise Differs(f"its metadata asks for {text}, the index says {sanitize(file.requires_python, 80)}")


def _is_same(python: str, listed: str) -> bool:
    try:
        return SpecifierSet(python) == SpecifierSet(listed)
    except InvalidSpecifier:
        return re.sub(r"\s", "", python) == re.sub(r"\s", "", listed)


def _open_zip(path: Path) -> ZipFile:
    if _measure_directory(path) > _DIRECTORY_LIMIT:
        raise Refused(f"its directory has more than {_DIRECTORY_LIMIT >> 20} MiB")
    return ZipFile(path)


def _measure_directory(path: Path) -> int:
    """Bytes of the directory that the zip module would read at once, by the record at the end of the file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 65_535 - 22 - 76))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise Broken("it is not a zip file")
    length: int = struct.unpack_from("<I", tail, at + 12)[0]
    if tail[max(0, at - 20) :].startswith(b"PK\x06\x07") and at >= 76:  # zip64
        length = max(length, struct.unpack_from("<Q", tail, at - 76 + 40)[0])
    return length


def _read_member(archive: ZipFile, member: str, limit: int) -> bytes:
    basename = member.rpartition("/")[2]
    try:
        info = archive.getinfo(member)
    except KeyError:
        raise Broken(f"it has no {basename}") from None
    if info.flag_bits & 1:
        raise Broken("it is encrypted")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise Refused("its compression is not read here")
    with archive.open(info) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise Refused(f"its {basename} has more than {limit >> 20} MiB")
    return content


def _read_wheel_metadata(archive: ZipFile, file: IndexFile, name: str) -> bytes:
    try:
        parse_wheel_filename(file.filename)
    except InvalidWheelFilename:
        raise Differs("its name is not that of a wheel") from None
    members = [member for member in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", member)]
    if len(members) != 1:
        raise Broken(f"it has {len(members)} METADATA" if members else "it has no METADATA")
    folder = members[0].rpartition("/")[0]
    if canonicalize_name(folder.partition("-")[0]) != name:
        raise Differs(f"its metadata lies in {sanitize(folder, 100)}")
    number = str(
        BytesHeaderParser().parsebytes(_read_member(archive, f"{folder}/WHEEL", _METADATA_LIMIT)).get("Wheel-Version")
        or ""
    )
    if not re.fullmatch(r"\s*1\.\d+\s*", number):
        raise Differs(f"its WHEEL has format {sanitize(number, 40)}" if number else "its WHEEL names no format")
    metadata = _read_member(archive, members[0], _METADATA_LIMIT)
    record = _read_member(archive, f"{folder}/RECORD", _RECORD_LIMIT)
    _compare_record(record, members[0], metadata)
    if wrong := inspect_wheel(archive, folder, record):
        raise Differs(wrong)
    return metadata


def _compare_record(record: bytes, member: str, content: bytes) -> None:
    """Raise Broken or Differs unless the list of files can be read and has the hash of this metadata."""
    try:
        listed = read_record(record).get(member)
    except ValueError:
        raise Broken("its RECORD cannot be read") from None
    digest = urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    if listed is None:
        raise Differs("its RECORD does not list its METADATA")
    if listed.startswith("sha256=") and listed.removeprefix("sha256=").rstrip("=") != digest:
        raise Differs("its METADATA is not the one that its RECORD lists")


def _open_tar(path: Path, filename: str) -> BinaryIO | gzip.GzipFile | bz2.BZ2File | None:
    if filename.endswith((".tar.gz", ".tgz")):
        return gzip.open(path, "rb")
    if filename.endswith((".tar.bz2", ".tbz")):
        return bz2.open(path, "rb")
    return path.open("rb") if filename.endswith(".tar") else None


def _is_metadata(member: str) -> bool:
    return re.fullmatch(r"(?:\./)*[^/]+/PKG-INFO", member) is not None


def _read_tar_metadata(stream: BinaryIO | gzip.GzipFile | bz2.BZ2File, deadline: float) -> bytes:
    with tarfile.open(fileobj=Forward(stream, _UNPACKED_LIMIT), mode="r:", encoding="utf-8") as archive:
        for _ in range(_MOST_MEMBERS):
            if (member := archive.next()) is None:
                raise Broken("it has no PKG-INFO")
            if time.monotonic() >= deadline:
                raise Refused("it could not be read within the time limit")
            if member.isreg() and _is_metadata(member.name) and (content := archive.extractfile(member)) is not None:
                if member.size > _METADATA_LIMIT:
                    raise Refused(f"its PKG-INFO has more than {_METADATA_LIMIT >> 20} MiB")
                return b"".join(iter(lambda: content.read(_BLOCK), b""))
            archive.members.clear()  # type: ignore[attr-defined]  # known to all Pythons, and not to typeshed
    raise Refused(f"it has more than {_MOST_MEMBERS:,} members")
