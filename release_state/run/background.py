"""Observation in a background thread, and the private folder that passes its result to xdist workers."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Generic, TypeVar

from msgspec import convert, to_builtins

from release_state.common import disk
from release_state.common.errors import format_error
from release_state.model.observation import Model
from release_state.model.outcome import Exit, Judged
from release_state.observe.defects import Defects

M = TypeVar("M", bound=Model)

_OBSERVED, _FAILED = "observed.json", "failed.txt"
LOOK_SECONDS = 0.2
"""How often a thread looks whether another one is done."""
POLL_SECONDS = 0.02
"""How often a process looks for a file that another one writes."""
_END_SECONDS = 5.0
"""Longest wait for a stopped observation to end; each of its parts checks several times a second."""


class Background(Generic[M]):
    """Observes in a thread of its own; under xdist, writes the result where the workers wait for it.

    `observe` gets the event that is set when the run is over.
    """

    def __init__(self, observe: Callable[[threading.Event], Sequence[M]], *, with_workers: bool) -> None:
        self._observe = observe
        self._done: Future[Sequence[M]] = Future()
        self._thread: threading.Thread | None = None
        self.cancel = threading.Event()
        self.defects: Defects = []
        """Errors inside look-ups; everything else was observed."""
        self.exchange = Path(tempfile.mkdtemp(prefix="release-state-")) if with_workers else None

    def start(self) -> None:
        """Start the observation."""
        self._thread = threading.Thread(target=self._run, name="release-state-observe", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            observed = self._observe(self.cancel)
            if self.cancel.is_set():
                return  # nobody waits for it, and a look-up that was cut off observed nothing
            if self.exchange:
                documents = [to_builtins(each) for each in observed]
                _hand_on(json.dumps(documents), self.exchange / _OBSERVED)
            self._done.set_result(observed)
        except BaseException as error:
            if self.cancel.is_set():
                return
            self._done.set_exception(error)
            if self.exchange and self.exchange.is_dir():
                try:
                    disk.write_atomically(self.exchange / _FAILED, format_error(error))
                except OSError:  # the disk is full: without the folder, workers end
                    shutil.rmtree(self.exchange, ignore_errors=True)

    def wait(self) -> Sequence[M]:
        """Wait for the observation and return it; raises whatever it raised."""
        return self._done.result()

    def is_over(self, seconds: float) -> bool:
        """Whether the observation has ended; waits at most this long for it."""
        return bool(wait([self._done], seconds).done)

    def result(self) -> Sequence[M] | None:
        """The observation, without waiting; None while it runs and after a defect."""
        return None if not self._done.done() or self._done.exception() else self._done.result()

    def defect(self) -> BaseException | None:
        """The error that ended the observation itself; None if there was none."""
        return self._done.exception() if self._done.done() else None

    def verdicts(self) -> Sequence[Judged]:
        """One verdict for each target or channel; empty if nothing was observed."""
        raise NotImplementedError

    def exit_code(self) -> Exit:
        """The exit code of the run; never 0 if nothing ran."""
        if self.defect() is not None or self.defects:
            return Exit.DEFECT
        return Exit.worst([verdict.exit for verdict in self.verdicts()])

    def close(self) -> None:
        """Stop the observation, remove the exchange folder, and wait until no program is running."""
        self.cancel.set()
        if self.exchange:
            shutil.rmtree(self.exchange, ignore_errors=True)
        if self._thread is not None:
            self._thread.join(_END_SECONDS)


def _hand_on(text: str, path: Path) -> None:
    """Write the file that the workers wait for; on a full disk into memory (Linux), while this process lives."""
    try:
        disk.write_atomically(path, text)
    except OSError as error:
        if error.errno not in disk.NO_ROOM or not hasattr(os, "memfd_create"):
            raise
        with os.fdopen(os.memfd_create(path.name), "wb", closefd=False) as file:
            file.write(text.encode())
            # Each worker opens it by name and gets a file position of its own.
            path.symlink_to(f"/proc/{os.getpid()}/fd/{file.fileno()}")


def wait_for(exchange: Path, model: type[M]) -> list[M]:
    """Wait in an xdist worker for what the controller observed, and return it.

    Ends the process if the controller has ended. Raises RuntimeError if the observation broke.
    """
    # No time limit: every look-up has one, and xdist ends its workers together with the controller.
    while not (exchange / _OBSERVED).exists():
        if (exchange / _FAILED).exists():
            raise RuntimeError((exchange / _FAILED).read_text(encoding="utf-8"))
        if not exchange.is_dir():
            os._exit(Exit.INTERRUPTED)
        time.sleep(POLL_SECONDS)
    documents = json.loads((exchange / _OBSERVED).read_text(encoding="utf-8"))
    return [convert(document, model) for document in documents]
