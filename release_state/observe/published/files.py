"""The files of a published sdist or wheel, read in memory, and how well the tree of a commit matches them."""

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
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TypeVar

from release_state.observe.git.command import decode_output
from release_state.observe.git.patches import parse_raw
from release_state.observe.git.store import Store

T = TypeVar("T")

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
        contents = _read_zip_members(data)
    elif filename.endswith((".tar.gz", ".tgz")):
        contents = _read_tar_members(data)
    else:
        raise Refused("it is neither .tar.gz nor .zip")
    files: Files = {}
    folders: set[str] = set()
    for name, content in _limit_time(contents, deadline):
        folder, _, path = name.partition("/")
        folders.add(folder)
        if path and not _is_generated(path, content):
            files[path] = _name_objects(content, sha256=sha256)
    if len(folders) != 1:
        raise Refused(f"it has {len(folders)} folders at its top, not one")
    return files


def read_wheel(data: bytes, *, sha256: bool, deadline: float) -> Files:
    """The files of a wheel by path below site-packages, without its metadata, data folders and compiled files.

    Their folder in the repository (`src/` or the like) is found by comparing. `sha256` and
    `deadline` as for `read_sdist`. Raises Refused. Source: PEP 427.
    """
    return {
        name: _name_objects(content, sha256=sha256)
        for name, content in _limit_time(_read_zip_members(data), deadline)
        if not (name.partition("/")[0].endswith((".dist-info", ".data")) or name.endswith(_BUILT))
    }


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


def _is_generated(path: str, content: bytes) -> bool:
    """Whether a build generates the file: core metadata, or a setup.cfg that setuptools has rewritten."""
    parts = path.split("/")
    if path == "PKG-INFO" or any(part.endswith(".egg-info") for part in parts[:-1]):
        return True
    return parts[-1] == "setup.cfg" and re.search(rb"^\[egg_info\]\s+tag_build\b", content, re.MULTILINE) is not None


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


LINK = "120000"
_MODULE = "160000"
_RAW = ("--raw", "-r", "-z", "--no-renames", "--no-abbrev", "--no-color", "--ignore-submodules=none")
_AT_ONCE = 50
"""Commits in one call: its output has a line for each changed file."""
_MOST_ALIKE = 20
"""An object of so many files, like the empty one, does not show where the project is."""

Entry = tuple[str, str]
"""Mode and object."""
Tree = dict[str, Entry]
"""By path; without submodules."""


@dataclass(frozen=True)
class TreeChange:
    """A path that differs between two trees, and its entry in each (None: no entry)."""

    path: str
    before: Entry | None
    after: Entry | None


@dataclass(frozen=True)
class Match:
    """The comparison of a tree with an sdist; every list is complete."""

    prefix: str
    """The project's folder in the tree: "", or a path with a slash at its end."""
    equal: int
    differing: tuple[str, ...]
    absent: tuple[str, ...]


def read_tree(store: Store, commit: str) -> Tree:
    """The whole tree of a commit."""
    tree: Tree = {}
    for line in store.run("ls-tree", "-r", "-z", "--full-tree", commit).output.split(b"\0"):
        facts, _, path = line.partition(b"\t")
        mode, _, name = [*decode_output(facts).split(" "), "", "", ""][:3]
        if path and mode != _MODULE:
            tree[decode_output(path)] = (mode, name)
    return tree


def read_changes(store: Store, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, list[TreeChange]]]:
    """For each pair (commit, earlier commit), in order: the first, and the changes between the two."""
    for start in range(0, len(pairs), _AT_ONCE):
        # The second commit counts as the parent, so the first is compared with it.
        stdin = "".join(f"{commit} {earlier}\n" for commit, earlier in pairs[start : start + _AT_ONCE]).encode()
        output = store.run("diff-tree", "--stdin", "--always", "--format=%x01%H%x02", *_RAW, stdin=stdin).output
        for block in output.split(b"\x01")[1:]:
            commit, _, rest = block.partition(b"\x02")
            yield decode_output(commit), [_parse_change(path, entry) for path, entry in parse_raw(rest).items()]


def _parse_change(path: bytes, entry: bytes) -> TreeChange:
    parts = [*decode_output(entry.lstrip(b":")).split(" "), "", "", "", ""]
    before, after = (parts[0], parts[2]), (parts[1], parts[3])
    entries = [each if each[1].strip("0") and each[0] != _MODULE else None for each in (before, after)]
    return TreeChange(decode_output(path), entries[0], entries[1])


class Votes:
    """Counts the files of the sdist that a tree has below each folder; follows the tree through changes.

    Only files with a distinctive content count: the result chooses what to compare.
    """

    def __init__(self, files: Files, tree: Mapping[str, Entry] | None = None) -> None:
        paths: dict[str, list[str]] = defaultdict(list)
        for path, names in files.items():
            for name in names:
                paths[name].append(path)
        self._paths = {name: alike for name, alike in paths.items() if len(alike) <= _MOST_ALIKE}
        self._counts: Counter[str] = Counter()
        for path, entry in (tree or {}).items():
            self._vote(path, entry, 1)

    def apply(self, changes: Iterable[TreeChange], *, undo: bool = False) -> None:
        """Apply changes to the tree, or undo them."""
        for change in changes:
            self._vote(change.path, change.before, 1 if undo else -1)
            self._vote(change.path, change.after, -1 if undo else 1)

    def find_best(self) -> tuple[str, int]:
        """The folder with the most files, and their number; of equal ones the one nearest to the top."""
        voted = (folder for folder, count in self._counts.items() if count > 0)
        folder = min(voted, key=lambda folder: (-self._counts[folder], len(folder), folder), default="")
        return folder, self._counts[folder]

    def _vote(self, path: str, entry: Entry | None, by: int) -> None:
        for wanted in self._paths.get(entry[1], ()) if entry else ():
            if path == wanted or path.endswith(f"/{wanted}"):
                self._counts[path[: len(path) - len(wanted)]] += by


def compare_trees(files: Files, tree: Tree) -> Match:
    """Compare every file of the sdist with the tree, below the folder that fits best.

    A link is equal if the tree has its target's content; so is a file that only the top of a monorepo has (a licence).
    """
    prefix, _ = Votes(files, tree).find_best()
    equal, differing, absent = 0, list[str](), list[str]()
    objects = {name for _, name in tree.values()}
    for path, names in sorted(files.items()):
        entry = tree.get(prefix + path)
        if entry is not None and entry[0] == LINK:
            is_same = not objects.isdisjoint(names)
        elif entry is None and prefix:
            is_same = path in tree and tree[path][1] in names
        else:
            is_same = entry is not None and entry[1] in names
        if is_same:
            equal += 1
        else:
            (absent if entry is None else differing).append(path)
    return Match(prefix, equal, tuple(differing), tuple(absent))
