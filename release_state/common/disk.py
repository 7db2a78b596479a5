"""A scratch folder for one run, and atomic file writes."""

from __future__ import annotations

import atexit
import errno
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def scratch_folder() -> Iterator[str]:
    """Create a folder for everything that `tempfile` makes until it is left.

    Removed at the end, and again when the process exits: abandoned threads may still write. Raises OSError if there is
    no room.
    """
    before = tempfile.tempdir
    folder = tempfile.mkdtemp(prefix="release-state-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tempfile.tempdir = folder
    try:
        yield folder
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)


def open_regular(path: Path) -> BinaryIO | None:
    """Open a regular file to read; None for anything else. Follows no link, and waits for no pipe. Raises OSError."""
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    return None


FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Errors of a place without space."""
NO_ROOM = FULL | {errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE}
"""Errors of an existing place that accepts no writes: full, read-only, or not ours."""


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write several files, or none of them if one cannot be written. Raises OSError."""
    staged: dict[Path, Path] = {}
    try:
        for path, data in files.items():
            staged[path] = path.with_name(f".release-state-{uuid.uuid4().hex}")
            write_atomically(staged[path], data)
        for path, part in staged.items():
            part.replace(path)
    finally:
        for part in staged.values():
            part.unlink(missing_ok=True)


def write_atomically(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Write a file atomically: a reader sees the old content or all of the new.

    A symbolic link is replaced, not followed: in a shared folder it could lead anywhere. A device or a pipe is written
    directly. Raises OSError and leaves nothing behind.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".release-state-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
