"""The pool of projects: each is claimed and observed by one thread of one process, and anybody can wait for its row.

Each process that runs checks takes part. A claim is a file that only one process can create, so each project is
observed once; its row is a file in the same private folder.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from release_state.audit.fleet.projects import ProjectRow
from release_state.common import disk

AT_ONCE = 8
"""Projects that a run observes at the same time, over all its processes."""
_POLL_SECONDS = 0.02
_LOST = (
    "the process that observed the project has ended, or the temporary folder has no room for what it saw: "
    "free space, or set TMPDIR"
)


class Pool:
    """The projects that are still to be observed; `look` gives the row of one by its number."""

    def __init__(self, folder: Path, look: Callable[[int], ProjectRow], cancel: threading.Event) -> None:
        self.folder, self._look, self._cancel = folder, look, cancel
        self._threads: list[threading.Thread] = []
        self._rows: dict[int, ProjectRow] = {}
        """Rows that the folder had no space for; this process still has them."""

    def start(self, numbers: Sequence[int], threads: int) -> None:
        """Start to observe these projects in so many threads; other processes take from the same list."""
        for _ in range(min(threads, len(numbers))):
            thread = threading.Thread(
                target=self._work, args=(tuple(numbers),), name="release-state-fleet", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def join(self, seconds: float) -> None:
        """Wait until nothing is observed any more, at most so many seconds."""
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _work(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            if self._cancel.is_set():
                return
            with self._claimed(number) as ours:
                if not ours:
                    continue
                row = self._look(number)
                if self._cancel.is_set():
                    return  # a look-up that was cut off observed nothing
                try:
                    disk.write_atomically(self.folder / f"{number}.json", msgspec.json.encode(row).decode())
                except FileNotFoundError:
                    return  # the run has ended
                except OSError:
                    self._rows[number] = row

    @contextmanager
    def _claimed(self, number: int) -> Iterator[bool]:
        """Try to claim a project; yields whether it is this thread's. The claim stays locked while it is observed."""
        claim = self.folder / f"{number}.claim"
        if claim.exists() or not self.folder.is_dir():
            yield False
            return
        try:
            descriptor, name = tempfile.mkstemp(dir=self.folder)
        except OSError as error:
            descriptor, name = -1, ""
            # Without space for a claim, the project is observed here, and perhaps elsewhere too.
            ours = error.errno in disk.NO_ROOM
        if descriptor == -1:
            yield ours
            return
        try:
            # Locked before it gets its name: an unlocked claim means that its process has ended.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            try:
                os.link(name, claim)
            except (FileExistsError, FileNotFoundError):
                yield False
            else:
                yield True
        finally:
            Path(name).unlink(missing_ok=True)
            os.close(descriptor)

    def row(self, number: int) -> ProjectRow | None:
        """The row of a project, None where it is not there yet."""
        try:
            return msgspec.json.decode((self.folder / f"{number}.json").read_text(encoding="utf-8"), type=ProjectRow)
        except FileNotFoundError:
            return self._rows.get(number)

    def wait(self, number: int) -> ProjectRow:
        """Wait for the row of a project, whichever process observes it.

        Raises RuntimeError if that process or the run has ended, or had no space for the row.
        """
        while True:
            # Checked before the row: a row written by then is found below.
            orphaned, over = self._is_orphaned(number), not self.folder.is_dir()
            if (row := self.row(number)) is not None:
                return row
            if over or orphaned:
                raise RuntimeError("the run has ended" if over else _LOST)
            time.sleep(_POLL_SECONDS)

    def _is_orphaned(self, number: int) -> bool:
        """Whether a project was claimed by a process that has ended."""
        try:
            descriptor = os.open(self.folder / f"{number}.claim", os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True
