"""The files that are about to be uploaded: read from a folder, compared with their names."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import structs
from packaging.utils import canonicalize_name

from release_state.common.text import join_items, sanitize
from release_state.facts.filenames import read_filename
from release_state.model.observation import Observation, known, unavailable
from release_state.model.snapshot import Built, BuiltFile, IndexFile
from release_state.model.target import parse_version
from release_state.observe.published.completeness import Difference, compare_wheel
from release_state.observe.published.files import MOST_OF_SDIST, Refused
from release_state.observe.published.opened import Broken, verify_file
from release_state.observe.published.refusals import find_metadata_refusal, find_name_refusal

_MOST = 1000
"""Files that are looked at."""
_LONGEST = 255
"""Bytes of a name that file systems take."""


def observe_built(folder: Path, package: str, seconds: float) -> Observation[Built]:
    """Compare the metadata in each of the folder's files with its name; nothing is unpacked to disk or run.

    Hidden files are left out: an upload of `dist/*` takes none, and uv leaves a `.gitignore`. One that is called as a
    distribution is not: the publishing action attests it. Unavailable: the folder cannot be listed. What cannot
    be read, or not within the limits, is unread.
    """
    deadline, shown = time.monotonic() + seconds, sanitize(str(folder))
    try:
        names = sorted(filter(_is_uploaded, os.listdir(folder)))  # noqa: PTH208 - names alone
    except OSError as error:
        why = f"{shown} cannot be listed: {error.strerror}"
        return unavailable("built files", why, "give the folder of the built files with --built")
    name = canonicalize_name(package)
    files = tuple(_compare(folder, [_read(folder / each, name, deadline) for each in names[:_MOST]], deadline))
    return known(Built(folder=shown, files=files, more=len(names) - len(files)))


def _compare(folder: Path, files: Sequence[BuiltFile], deadline: float) -> Iterator[BuiltFile]:
    """The files, each wheel compared with the sdist; neither if one of them is wrong, too large or not read."""
    good = {file.filename: file for file in files if file.kind and not (file.wrong or file.unread)}
    sdists = [file for file in good.values() if file.kind == "sdist" and (file.size or 0) <= MOST_OF_SDIST]
    for file in files:
        is_small = file.kind == "wheel" and (file.size or 0) <= MOST_OF_SDIST
        if not (is_small and file.filename in good and len(sdists) == 1) or time.monotonic() >= deadline:
            yield file
            continue
        try:
            wheel, sdist = (folder / each.filename for each in (file, sdists[0]))
            found = compare_wheel(wheel.read_bytes(), sdist.read_bytes(), sdist.name)
        except OSError:
            found = Difference()
        yield structs.replace(file, wrong=join_items(found.wrong), doubtful=join_items(found.doubtful))


def _is_uploaded(name: str) -> bool:
    return not name.startswith(".") or name.endswith((".whl", ".tar.gz"))


def _read(path: Path, name: str, deadline: float) -> BuiltFile:
    filename, read = sanitize(path.name, _LONGEST), read_filename(path.name, name)
    version = parse_version(read[0]) if read else None
    size, wrong, refused, unread = None, "", "", ""
    kind = read[1] if read and version is not None else ""
    try:
        status = path.lstat()
        size = status.st_size
        if stat.S_ISDIR(status.st_mode):
            kind, wrong = "", "it is a folder"
        elif not stat.S_ISREG(status.st_mode):
            unread = "it is a link, or no file: it is not followed"
        elif version is not None and time.monotonic() >= deadline:
            unread = "the time for look-ups was over"
        elif version is not None:
            with path.open("rb") as file:
                file.read(1)  # what may not be read is not broken
            listed = IndexFile(filename=path.name, version=str(version), kind=kind, url="")
            metadata = verify_file(path, listed, name, version, deadline)
            refused = find_name_refusal(path.name, name, version)
            refused = refused or (find_metadata_refusal(metadata) if metadata else "")
    except Broken as error:
        wrong = str(error)
    except Refused as error:
        unread = str(error)
    except OSError as error:
        unread = f"it cannot be read: {error.strerror}"
    number = None if version is None else str(version)
    return BuiltFile(
        filename=filename, size=size, kind=kind, version=number, wrong=wrong, refused=refused, unread=unread
    )
