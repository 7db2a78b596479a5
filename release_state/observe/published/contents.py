"""Whether the smallest wheels of a version have any module, and if not, which other file has one.

A wheel that its build left empty is small. So the smallest are read, up to the first that has a module.
"""

from __future__ import annotations

import hashlib
import io
import re
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePosixPath
from zipfile import BadZipFile, ZipFile

from msgspec import structs
from packaging.utils import canonicalize_name
from packaging.version import Version

from release_state.model.observation import Observation
from release_state.model.snapshot import Contents, IndexFile
from release_state.model.target import Channel
from release_state.observe.http.client import HttpClient, observe
from release_state.observe.index.access import Index
from release_state.observe.index.index import build_project
from release_state.observe.published.built import BESIDE
from release_state.observe.published.completeness import compare_wheel, inspect_wheel
from release_state.observe.published.files import MOST_OF_SDIST, Refused, read_sdist

MOST_BYTES = 8 * 2**20
"""Bytes of a wheel that is read; an empty one has some thousand."""
MOST_WHEELS = 5
_METADATA_LIMIT = 4 * 2**20
_RECORD_LIMIT = 32 * 2**20
_MODULES = (".py", ".pyi", ".pyc", ".so", ".pyd", ".dylib")
_PLAIN = frozenset(("", ".toml", ".cfg", ".ini", ".md", ".rst", ".txt", ".in", ".lock", ".yml", ".yaml", ".json"))
"""The ends of files that are no source."""
_TASKS = frozenset(("noxfile.py", "conftest.py", "tasks.py"))


def observe_contents(
    client: HttpClient,
    channel: Channel,
    package: str,
    files: Sequence[IndexFile],
    *,
    before: str | None = None,
    downloaded: dict[str, bytes] | None = None,
) -> Observation[Contents]:
    """Read the names in the smallest wheels of a version. Never raises; nothing is unpacked or run.

    One request for most versions. If no wheel has a module, one more for the sdist; `before` is the version whose wheel
    is asked about where there is no sdist, or the wheel has no dependencies either. `downloaded` keeps the files, by
    their address. Known and None: no wheel that is read. Sources: PEP 427, PEP 517.
    """
    wheels = _list_wheels(files)
    if not wheels:
        return Observation(value=None, unavailable=None)

    def ask() -> Contents:
        index = Index(client, channel, client.deadline(), f"wheels on {channel.name}")
        return _Reader(index, package, downloaded).read(wheels, files, before)

    return observe(ask)


def compare_contents(
    client: HttpClient,
    channel: Channel,
    package: str,
    files: Sequence[IndexFile],
    contents: Contents,
    sdist: str,
    downloaded: dict[str, bytes],
) -> Observation[Contents]:
    """Compare the wheel that was read with the sdist. No request for what is `downloaded`, by its address."""
    named = {file.filename: file for file in files}

    def ask() -> Contents:
        reader = _Reader(Index(client, channel, client.deadline(), f"wheels on {channel.name}"), package, downloaded)
        wheel, source = reader.download(named[contents.holder], MOST_BYTES), named[sdist]
        found = compare_wheel(wheel, reader.download(source, MOST_OF_SDIST), sdist)
        wrong, doubtful = ([f"{contents.holder} {each}" for each in group] for group in (found.wrong, found.doubtful))
        return structs.replace(contents, wrong=(*contents.wrong, *wrong), doubtful=tuple(doubtful))

    return observe(ask)


def _list_wheels(files: Iterable[IndexFile]) -> list[IndexFile]:
    """The wheels that are read, the smallest first."""
    wheels = (file for file in files if file.kind == "wheel" and (file.size or 0) <= MOST_BYTES)
    return sorted(wheels, key=lambda file: (file.size or 0, file.filename))[:MOST_WHEELS]


class _Reader:
    """Reads files of one index, each by one request."""

    def __init__(self, index: Index, package: str, downloaded: dict[str, bytes] | None = None) -> None:
        self._index, self._name = index, canonicalize_name(package)
        self._downloaded = {} if downloaded is None else downloaded

    def read(self, wheels: Sequence[IndexFile], files: Sequence[IndexFile], before: str | None) -> Contents:
        """What the wheels lack, and where it is."""
        empty: list[str] = []
        has_needs = False
        for wheel in wheels:
            names, needs, wrong = self._read_wheel(wheel)
            if module := find_module(names, self._name):
                faults = (f"{wheel.filename}: {wrong}",) if wrong else ()
                return Contents(empty=tuple(empty), module=module, holder=wheel.filename, wrong=faults)
            empty.append(wheel.filename)
            has_needs = has_needs or needs
        sdist = next((file for file in files if file.kind == "sdist"), None)
        if sdist is not None and (module := self._find_in_sdist(sdist)):
            return Contents(empty=tuple(empty), module=module, holder=sdist.filename)
        if before is not None and not (sdist is not None and has_needs):
            page, url = self._index.page(self._name), self._index.url_of(self._name)
            older = build_project(page, self._name, Version(before), url).files if page else ()
            for wheel in _list_wheels(older)[:1]:
                if module := find_module(self._read_wheel(wheel)[0], self._name):
                    return Contents(empty=tuple(empty), module=module, holder=wheel.filename)
        return Contents(empty=tuple(empty))

    def _read_wheel(self, wheel: IndexFile) -> tuple[list[str], bool, str]:
        """The names in a wheel, whether its metadata names dependencies, and what is wrong with the wheel."""
        body = self.download(wheel, MOST_BYTES)
        try:
            with ZipFile(io.BytesIO(body)) as archive:
                names = archive.namelist()
                metadata = next(filter(re.compile(r"[^/]+\.dist-info/METADATA").fullmatch, names), None)
                if metadata is None:
                    return names, False, ""
                folder = metadata.rpartition("/")[0]
                with archive.open(metadata) as file:
                    text = file.read(_METADATA_LIMIT)
                wrong = ""
                if f"{folder}/RECORD" in names:  # else nothing installs it
                    with archive.open(f"{folder}/RECORD") as file:
                        record = file.read(_RECORD_LIMIT)
                    wrong = inspect_wheel(archive, folder, record) if len(record) < _RECORD_LIMIT else ""
                return names, b"\nRequires-Dist:" in text, wrong
        except (BadZipFile, OSError, EOFError, ValueError, RuntimeError) as error:
            why = f"{wheel.filename} cannot be read ({type(error).__name__})"
            raise self._index.failure(why, "download it and check that it is the intended file") from None

    def _find_in_sdist(self, sdist: IndexFile) -> str:
        if sdist.size is not None and sdist.size > MOST_OF_SDIST:
            raise self._index.failure(f"{sdist.filename} has {sdist.size:,} bytes, and is not read")
        body, deadline = self.download(sdist, MOST_OF_SDIST), time.monotonic() + 30
        try:
            return find_package(read_sdist(sdist.filename, body, sha256=False, deadline=deadline), self._name)
        except Refused as refused:
            raise self._index.failure(f"{sdist.filename} is not read: {refused}") from None

    def download(self, file: IndexFile, most: int) -> bytes:
        """The bytes of a file of this run, or else of the index."""
        if (held := self._downloaded.get(file.url)) is not None:
            return held
        body = self._index.download(file, most)
        if file.sha256 and hashlib.sha256(body).hexdigest() != file.sha256:
            raise self._index.failure(f"{file.filename} is not the file that the index lists: its hash differs")
        self._downloaded[file.url] = body
        return body


def find_module(paths: Iterable[str], name: str) -> str:
    """Return a path in a wheel of that project that Python can import from; empty if there is none."""
    beside = BESIDE - set(name.split("-"))
    return next((path for path in paths if _is_installed_module(path, beside)), "")


def _is_installed_module(path: str, beside: Collection[str]) -> bool:
    parts = PurePosixPath(path).parts
    if parts and parts[0].endswith(".data"):
        parts = parts[2:] if parts[1:2] in (("purelib",), ("platlib",)) else ()
    is_metadata = bool(parts) and parts[0].endswith((".dist-info", ".egg-info"))
    return bool(parts) and not is_metadata and parts[0].lower() not in beside and path.lower().endswith(_MODULES)


def has_source(paths: Iterable[str], name: str) -> bool:
    """Return whether an sdist has a file that a build could install or compile, not counting tests and documents."""
    beside = BESIDE - set(name.split("-"))
    for path in map(PurePosixPath, paths):
        is_beside = any(folder.lower() in beside for folder in path.parts[:-1])
        if not is_beside and path.suffix.lower() not in _PLAIN and path.name not in _TASKS:
            return True
    return False


def find_package(paths: Iterable[str], name: str) -> str:
    """Return a path in an sdist that a wheel should have, of a package or a module of that name; empty if none."""
    own, beside = name.replace("-", "_"), BESIDE - set(name.split("-"))
    for path in sorted(paths):
        *folders, file = PurePosixPath(path).parts or ("",)
        if any(folder.lower() in beside or folder.startswith((".", "_")) for folder in folders):
            continue
        is_package = bool(folders) and file in ("__init__.py", "__init__.pyi")
        if is_package or (file.lower() == f"{own}.py" and folders in ([], ["src"])):
            return path
    return ""
