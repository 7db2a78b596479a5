"""One scratch folder for a run: whatever it makes on the way is below it, and goes with it however the run ends."""

from __future__ import annotations

import atexit
import errno
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder() -> Iterator[str]:
    """
    Make the folder, and let `tempfile` put everything into it meanwhile.

    Removed at the end, and once more when the process ends: threads that were cut can still have written.
    Raises OSError where there is no room for it.
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


NO_ROOM = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE}
)
"""What a place to write to answers that is there and takes nothing: full, read-only, not ours."""


def write_together(files: Mapping[Path, bytes]) -> None:
    """
    Write several files that belong together: all of them, or none where there is no room for one.

    Raises OSError.
    """
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
    """
    Write a file so that a reader sees all of it or what was there before.

    A link in its place is replaced and not followed: in a folder that others fill it could lead anywhere. A device or a
    pipe is written to as it is. Raises OSError; then nothing is left of it.
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
