"""One scratch folder for a run: whatever it makes on the way is below it, and goes with it however the run ends."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


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
