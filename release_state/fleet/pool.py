"""Who observes which project: each is claimed by one thread of one process, and waited for by whoever asks.

Every process that runs checks takes part. A claim is a file that only one can create, so that a project is observed
once however many there are; its row is a file in the same private folder.
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

from release_state.common import disk
from release_state.fleet.projects import ProjectRow

AT_ONCE = 8
"""Projects that a run observes side by side, over all of its processes."""
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
        """What found no room in the folder: this process knows it all the same."""

    def start(self, numbers: Sequence[int], threads: int) -> None:
        """Begin to observe these projects, so many at once; others of the run take from the same list."""
        for _ in range(min(threads, len(numbers))):
            thread = threading.Thread(
                target=self._work, args=(tuple(numbers),), name="release-state-fleet", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def join(self, seconds: float) -> None:
        """Wait until nothing is being observed any more, but not longer than this."""
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
                    return  # what was cut off is no observation
                try:
                    disk.write_atomically(self.folder / f"{number}.json", row.model_dump_json())
                except FileNotFoundError:
                    return  # the run has ended meanwhile
                except OSError:
                    self._rows[number] = row

    @contextmanager
    def _claimed(self, number: int) -> Iterator[bool]:
        """Whether the project is this thread's to observe; the claim is locked for as long as it works on it."""
        claim = self.folder / f"{number}.claim"
        if claim.exists() or not self.folder.is_dir():
            yield False
            return
        try:
            descriptor, name = tempfile.mkstemp(dir=self.folder)
        except OSError as error:
            descriptor, name = -1, ""
            # Where there is no room for a claim, the project is observed here, and perhaps elsewhere, too.
            ours = error.errno in disk.NO_ROOM
        if descriptor == -1:
            yield ours
            return
        try:
            # Locked before it gets its name: whoever finds it unlocked knows that its process has ended.
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
            return ProjectRow.model_validate_json((self.folder / f"{number}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return self._rows.get(number)

    def wait(self, number: int) -> ProjectRow:
        """
        The row of a project, whoever observes it.

        Raises RuntimeError where that process or the run has ended, or found no room to say it.
        """
        while True:
            # Asked before the row is: one that was written by then is seen below.
            orphaned, over = self._is_orphaned(number), not self.folder.is_dir()
            if (row := self.row(number)) is not None:
                return row
            if over or orphaned:
                raise RuntimeError("the run has ended" if over else _LOST)
            time.sleep(_POLL_SECONDS)

    def _is_orphaned(self, number: int) -> bool:
        """Whether a project was claimed, and nobody works on it any more."""
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
