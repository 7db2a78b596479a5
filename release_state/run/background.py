"""Observing in the background, and the private folder through which xdist workers get what was observed."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any, Generic, TypeVar

from release_state.common import disk
from release_state.common.errors import format_error
from release_state.model.outcome import Exit

T = TypeVar("T")

_OBSERVED, _FAILED = "observed.json", "failed.txt"
_POLL_SECONDS = 0.02
_SWITCH_SECONDS = 0.001
_END_SECONDS = 5.0
"""How long what was stopped may take to end; each part of it looks several times a second."""


class Background(Generic[T]):
    """
    Observes in a thread of its own; under xdist, puts what was observed where the workers wait for it.

    `observe` is given the event that says that the run is over; `dump` makes plain JSON data of what it gave.
    """

    def __init__(
        self, observe: Callable[[threading.Event], T], dump: Callable[[T], Any], *, with_workers: bool
    ) -> None:
        self._observe, self._dump = observe, dump
        self._done: Future[T] = Future()
        self._thread: threading.Thread | None = None
        self.cancel = threading.Event()
        self.seconds = 0.0
        self.exchange = Path(tempfile.mkdtemp(prefix="release-state-")) if with_workers else None

    def start(self) -> None:
        """Begin to observe."""
        # The main thread imports and collects meanwhile: a look-up with an answer to read shall not wait 5 ms for it.
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._thread = threading.Thread(target=self._run, name="release-state-observe", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        started = time.monotonic()
        try:
            observed = self._observe(self.cancel)
            if self.cancel.is_set():
                return  # nobody waits any more, and what was cut off is no observation
            self.seconds = time.monotonic() - started
            if self.exchange:
                _hand_on(json.dumps(self._dump(observed)), self.exchange / _OBSERVED)
            self._done.set_result(observed)
        except BaseException as error:
            if self.cancel.is_set():
                return
            self._done.set_exception(error)
            if self.exchange and self.exchange.is_dir():
                try:
                    disk.write_atomically(self.exchange / _FAILED, format_error(error))
                except OSError:
                    shutil.rmtree(self.exchange, ignore_errors=True)  # no room to say it: the workers end

    def wait(self) -> T:
        """What was observed. Raises whatever the observation raised."""
        return self._done.result()

    def is_over(self, seconds: float) -> bool:
        """Whether the observation has ended; waits for it, but not longer than this."""
        return bool(wait([self._done], seconds).done)

    def result(self) -> T | None:
        """What was observed, without waiting; None while observing and after a defect."""
        return None if not self._done.done() or self._done.exception() else self._done.result()

    def defect(self) -> BaseException | None:
        """What broke the observation itself, if anything did."""
        return self._done.exception() if self._done.done() else None

    def close(self) -> None:
        """Stop what is still observing, remove the exchange folder, and wait until no program runs any more."""
        self.cancel.set()
        if self.exchange:
            shutil.rmtree(self.exchange, ignore_errors=True)
        if self._thread is not None:
            self._thread.join(_END_SECONDS)


def _hand_on(text: str, path: Path) -> None:
    """Write what the workers wait for; where the disk has no room, into memory (Linux), for as long as this process is.

    Raises OSError where neither takes it.
    """
    try:
        disk.write_atomically(path, text)
    except OSError as error:
        if error.errno not in disk.NO_ROOM or not hasattr(os, "memfd_create"):
            raise
        with os.fdopen(os.memfd_create(path.name), "wb", closefd=False) as file:
            file.write(text.encode())
            # Read by its name, which makes a description of its own: each worker begins at the beginning.
            path.symlink_to(f"/proc/{os.getpid()}/fd/{file.fileno()}")


def wait_for(exchange: Path) -> Any:
    """
    What the controller observed, as plain data, in an xdist worker; waits for it.

    Ends the process where the controller ended: nobody listens any more.
    Raises RuntimeError where the observation broke.
    """
    # No limit of its own: every look-up has one, and xdist ends its workers together with the controller.
    while not (exchange / _OBSERVED).exists():
        if (exchange / _FAILED).exists():
            raise RuntimeError((exchange / _FAILED).read_text(encoding="utf-8"))
        if not exchange.is_dir():
            os._exit(Exit.INTERRUPTED)
        time.sleep(_POLL_SECONDS)
    return json.loads((exchange / _OBSERVED).read_text(encoding="utf-8"))
