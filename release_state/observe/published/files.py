"""The files of a published sdist or wheel, read in memory."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import posixpath
import re
import stat
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, TypeVar

from release_state.observe.git.command import decode_output
from release_state.observe.published.built import KEPT, Files, find_rewritten, is_generated

T = TypeVar("T")

MOST_MEMBERS = 20_000
MOST_OF_SDIST = 64 * 2**20
"""Bytes of an sdist; a larger one is not downloaded."""
MOST_BYTES = 256 * 2**20
"""Bytes of all files together once unpacked."""
_BLOCK = 64 * 2**10
_MOST_AT_ONCE = 2**20
"""Bytes; only a header that is made to fill the memory needs more at once."""
_HEADERS = 4096
"""Bytes of a tar file for each member besides its content: headers and padding."""
_PRELUDE = re.compile(r"(?:\./)+")

_BUILT = (".so", ".pyd", ".dll", ".dylib", ".pyc")


class Refused(Exception):  # noqa: N818 - a statement about an archive
    """The archive is not read; the text says why."""


def read_sdist(filename: str, data: bytes, *, sha256: bool, deadline: float) -> Files:
    """The files of an sdist (`.tar.gz` or `.zip`), without those that every build writes anew.

    A file with Windows line endings also counts as the one with plain line feeds. `sha256` says how the repository
    names its objects by; `deadline` is a time of `time.monotonic`. Raises Refused. Source: PEP 517, PEP 625.
    """
    if filename.endswith(".zip"):
        contents = _read_zip_members(data)
    elif filename.endswith((".tar.gz", ".tgz")):
        contents = _read_tar_members(data)
    else:
        raise Refused("it is neither .tar.gz nor .zip")
    files, texts = Files(), dict[str, bytes]()
    folders: set[str] = set()
    for name, content in _limit_time(contents, deadline):
        folder, _, path = name.partition("/")
        folders.add(folder)
        files.metadata = content if path == "PKG-INFO" else files.metadata
        if path and not is_generated(path, content):
            _add(files, texts, path, content, sha256)
    if len(folders) != 1:
        raise Refused(f"it has {len(folders)} folders at its top, not one")
    return find_rewritten(files, texts)


def read_wheel(data: bytes, *, sha256: bool, deadline: float) -> Files:
    """The files of a wheel by path below site-packages, without its metadata, data folders and compiled files.

    Their folder in the repository (`src/` or the like) is found by comparing. `sha256` and
    `deadline` as for `read_sdist`. Raises Refused. Source: PEP 427.
    """
    files, texts = Files(), dict[str, bytes]()
    for name, content in _limit_time(_read_zip_members(data), deadline):
        if not (name.partition("/")[0].endswith((".dist-info", ".data")) or name.endswith(_BUILT)):
            _add(files, texts, name, content, sha256)
    return find_rewritten(files, texts)


def _add(files: Files, texts: dict[str, bytes], path: str, content: bytes, sha256: bool) -> None:
    """Add a file; its text too, where that can tell what the build wrote."""
    files[path] = _name_objects(content, sha256=sha256)
    if KEPT.fullmatch(path):
        texts[path] = content[:_MOST_AT_ONCE]


def _limit_time(contents: Iterator[tuple[str, bytes]], deadline: float) -> Iterator[tuple[str, bytes]]:
    """The members of an archive, until the deadline; raises Refused at the first one that cannot be read."""
    try:
        for member in contents:
            if time.monotonic() >= deadline:
                raise Refused("it could not be read within the time limit")
            yield member
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        # NotImplementedError, for a compression that this Python lacks, is a RuntimeError.
        raise Refused(f"it cannot be read ({type(error).__name__})") from None


def _name_objects(content: bytes, *, sha256: bool) -> frozenset[str]:
    """Git's object names of a content, as it is and with plain line feeds."""
    algorithm = "sha256" if sha256 else "sha1"
    forms = {content, content.replace(b"\r\n", b"\n")}
    blobs = (b"blob %d\0" % len(form) + form for form in forms)
    return frozenset(hashlib.new(algorithm, blob, usedforsecurity=False).hexdigest() for blob in blobs)


def _check_name(name: str) -> str:
    """The name of a member, without a leading "./". Raises Refused if it points outside the archive."""
    name = _PRELUDE.sub("", name, count=1) if name.startswith("./") else name
    parts = name.rstrip("/").split("/")
    if name.startswith("/") or "\\" in name or re.match(r"[A-Za-z]:", name) or ".." in parts or "" in parts:
        raise Refused("a member's name points outside its folder")
    return name


def _limit_size(members: Iterable[T], get_size: Callable[[T], int]) -> Iterator[T]:
    """The members, as long as these do not have more bytes than may be unpacked."""
    total = 0
    for count, member in enumerate(members, 1):
        size = get_size(member)
        total += size
        if count > MOST_MEMBERS:
            raise Refused(f"it has more than {MOST_MEMBERS:,} members")
        if size < 0 or total > MOST_BYTES:
            raise Refused(f"it unpacks to more than {MOST_BYTES >> 20} MiB")
        yield member


def _read_zip_members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file; raises Refused for what would be dangerous to unpack."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in _limit_size(archive.infolist(), lambda member: member.file_size):
            if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise Refused("a member is a link or a device")
            if member.flag_bits & 1:
                raise Refused("a member is encrypted")
            name = _check_name(member.filename)
            if not member.is_dir():
                with archive.open(member) as content:
                    yield name, _read_content(content, member.file_size)


def _read_tar_members(data: bytes) -> Iterator[tuple[str, bytes]]:
    with (
        gzip.GzipFile(fileobj=io.BytesIO(data)) as unpacked,
        tarfile.open(fileobj=Forward(unpacked), mode="r:", encoding="utf-8") as archive,
    ):
        for member in _limit_size(iter(archive.next, None), lambda member: member.size):
            if not (member.isreg() or member.isdir() or _leads_inside(member)) or member.issparse():
                raise Refused("a member is a link out of its folder, a device or sparse")
            name = decode_output(_check_name(member.name).encode("utf-8", "surrogateescape"))
            if member.issym():  # never followed; git keeps its target as its content
                yield name, member.linkname.encode("utf-8", "surrogateescape")
            elif member.isreg():
                content = archive.extractfile(member)
                if content is None:
                    raise Refused("a member has no content")
                yield name, _read_content(content, member.size)


def _leads_inside(member: tarfile.TarInfo) -> bool:
    """Whether the member is a symbolic link to something below the archive's top folder."""
    if not member.issym() or member.linkname.startswith("/") or "\\" in member.linkname:
        return False
    place = posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.linkname))
    return place.partition("/")[0] == posixpath.normpath(member.name).partition("/")[0]


def _read_content(stream: IO[bytes], size: int) -> bytes:
    """The content of a member. Raises Refused if its size is not the one that the archive names."""
    content = bytearray()
    while len(content) <= size and (block := stream.read(min(_BLOCK, size + 1 - len(content)))):
        content += block
    if len(content) != size:
        raise Refused("a member's size differs from the size that the archive names")
    return bytes(content)


class Forward(io.RawIOBase):
    """The unpacked bytes, read forward only, with a limit on all of them and on each read."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile | bz2.BZ2File, most: int | None = None) -> None:
        self._stream, self._position, self._most = stream, 0, most or MOST_BYTES

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MOST_AT_ONCE:
            raise Refused(f"a header of it has more than {_MOST_AT_ONCE >> 20} MiB")
        data = self._stream.read(size)
        self._position += len(data)
        if self._position > self._most + MOST_MEMBERS * _HEADERS:
            raise Refused(f"it unpacks to more than {self._most >> 20} MiB")
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET or offset < self._position:
            raise Refused("its members are not in order")
        while self._position < offset and self.read(min(_BLOCK, offset - self._position)):
            pass
        return self._position
