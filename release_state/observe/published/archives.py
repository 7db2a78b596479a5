"""The files of a published sdist or wheel with git's object names of them; read in memory, never unpacked to disk.

What would be dangerous to unpack is refused here too: no release builds an archive that cannot be unpacked safely.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import re
import stat
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from release_state.observe.git.messages import decode_output

MOST_MEMBERS = 20_000
MOST_BYTES = 256 * 2**20
"""Bytes of all files together once unpacked."""
_BLOCK = 64 * 2**10
_MOST_AT_ONCE = 2**20
"""Bytes; only a header that is made to fill the memory needs more at once."""
_HEADERS = 4096
"""Bytes of a tar file for each member besides its content: headers and padding."""
_PRELUDE = re.compile(r"(?:\./)+")

_BUILT = (".so", ".pyd", ".dll", ".dylib", ".pyc")

Files = dict[str, frozenset[str]]
"""By path below the archive's top folder: the names of git objects that count as this file."""


class Refused(Exception):  # noqa: N818 - a statement about an archive
    """The archive is not read; the text says why."""


def read_sdist(filename: str, data: bytes, *, sha256: bool, deadline: float) -> Files:
    """The files of an sdist (`.tar.gz` or `.zip`), without those that every build writes anew.

    A file with Windows line endings also counts as the one with plain line feeds. `sha256` says how the repository
    names its objects by; `deadline` is a time of `time.monotonic`. Raises Refused. Source: PEP 517, PEP 625.
    """
    if filename.endswith(".zip"):
        contents = read_zip_members(data)
    elif filename.endswith((".tar.gz", ".tgz")):
        contents = _read_tar_members(data)
    else:
        raise Refused("it is neither .tar.gz nor .zip")
    files: Files = {}
    tops: set[str] = set()
    for name, content in readable_members(contents, deadline):
        top, _, path = name.partition("/")
        tops.add(top)
        if path and not _is_generated(path, content):
            files[path] = name_objects(content, sha256=sha256)
    if len(tops) != 1:
        raise Refused(f"it has {len(tops)} folders at its top, not one")
    return files


def read_wheel(data: bytes, *, sha256: bool, deadline: float) -> Files:
    """The files of a wheel by path below site-packages, without its metadata, data folders and compiled files.

    Their folder in the repository (`src/` or the like) is found by comparing. `sha256` and
    `deadline` as for `read_sdist`. Raises Refused. Source: PEP 427.
    """
    return {
        name: name_objects(content, sha256=sha256)
        for name, content in readable_members(read_zip_members(data), deadline)
        if not _is_built(name)
    }


def _is_built(name: str) -> bool:
    top = name.partition("/")[0]
    return top.endswith((".dist-info", ".data")) or name.endswith(_BUILT)


def readable_members(contents: Iterator[tuple[str, bytes]], deadline: float) -> Iterator[tuple[str, bytes]]:
    """The members of an archive, until the deadline; raises Refused at the first one that cannot be read."""
    try:
        for member in contents:
            if time.monotonic() >= deadline:
                raise Refused("it could not be read within the time limit")
            yield member
    except Refused:
        raise
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        # NotImplementedError, for a compression that this Python lacks, is a RuntimeError.
        raise Refused(f"it cannot be read ({type(error).__name__})") from None


def _is_generated(path: str, content: bytes) -> bool:
    """Whether a build generates the file: core metadata, or a setup.cfg that setuptools has rewritten."""
    parts = path.split("/")
    if path == "PKG-INFO" or any(part.endswith(".egg-info") for part in parts[:-1]):
        return True
    return parts[-1] == "setup.cfg" and re.search(rb"^\[egg_info\]\s+tag_build\b", content, re.MULTILINE) is not None


def name_objects(content: bytes, *, sha256: bool) -> frozenset[str]:
    """Git's object names of a content, as it is and with plain line feeds."""
    algorithm: Callable[[bytes], hashlib._Hash] = hashlib.sha256 if sha256 else _sha1
    forms = {content, content.replace(b"\r\n", b"\n")}
    return frozenset(algorithm(b"blob %d\0" % len(form) + form).hexdigest() for form in forms)


def _sha1(data: bytes) -> hashlib._Hash:
    return hashlib.sha1(data, usedforsecurity=False)


def _check_name(name: str) -> str:
    """The name of a member, without a leading "./". Raises Refused if it points outside the archive."""
    name = _PRELUDE.sub("", name, count=1) if name.startswith("./") else name
    parts = name.rstrip("/").split("/")
    if name.startswith("/") or "\\" in name or re.match(r"[A-Za-z]:", name) or ".." in parts or "" in parts:
        raise Refused("a member's name points outside its folder")
    return name


class _Budget:
    """What may still be unpacked."""

    def __init__(self) -> None:
        self.members = self.bytes = 0

    def take(self, size: int) -> None:
        self.members += 1
        self.bytes += size
        if self.members > MOST_MEMBERS:
            raise Refused(f"it has more than {MOST_MEMBERS:,} members")
        if size < 0 or self.bytes > MOST_BYTES:
            raise Refused(f"it unpacks to more than {MOST_BYTES >> 20} MiB")


def read_zip_members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file; raises Refused for what would be dangerous to unpack."""
    budget = _Budget()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            budget.take(member.file_size)
            if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise Refused("a member is a link or a device")
            if member.flag_bits & 1:
                raise Refused("a member is encrypted")
            name = _check_name(member.filename)
            if not member.is_dir():
                with archive.open(member) as content:
                    yield name, _read_content(content, member.file_size)


def _read_tar_members(data: bytes) -> Iterator[tuple[str, bytes]]:
    budget = _Budget()
    with (
        gzip.GzipFile(fileobj=io.BytesIO(data)) as unpacked,
        tarfile.open(fileobj=Forward(unpacked), mode="r:", encoding="utf-8") as archive,
    ):
        while (member := archive.next()) is not None:
            budget.take(member.size)
            if not (member.isreg() or member.isdir()) or member.issparse():
                raise Refused("a member is a link, a device or sparse")
            name = decode_output(_check_name(member.name).encode("utf-8", "surrogateescape"))
            if member.isreg():
                content = archive.extractfile(member)
                if content is None:
                    raise Refused("a member has no content")
                yield name, _read_content(content, member.size)


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
