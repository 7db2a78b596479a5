"""Ctrl-C, SIGTERM and SIGHUP: one way out of a run, exit code 2, nothing left behind.

Imports the standard library alone: the plugin needs it before anything else of the package.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Literal

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_PATIENCE_SECONDS = 5.0
"""After so long a person who asks again means it."""
_EXIT = 2

Stage = Literal["starting", "running", "uncut", "ending"]


@contextmanager
def held_back() -> Iterator[None]:
    """Hold Ctrl-C back from the processes that are started here: a Python that has hardly begun shows a traceback."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def let_in() -> None:
    """In such a process: from here on a Ctrl-C, one that was held back too, does what it should."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


class Interrupts:
    """
    What a signal does, by how far the run is; for the main thread of the process that observes.

    *starting*: nothing was made yet, the process ends. *running*: KeyboardInterrupt, as Python does it for Ctrl-C.
    *ending*: what is left is short and must not be cut, so that the signal is only noted. *uncut*: noted as well, and
    KeyboardInterrupt a moment later: within an import it can be swallowed, and keep a lock that threads wait for; and a
    worker of xdist that is started and not told what to run shows a traceback.
    """

    def __init__(self) -> None:
        self.stage: Stage = "starting"
        self._asked_at: float | None = None
        self._before: dict[int, Any] = {}

    def start(self) -> None:
        """Take the signals; those that are ignored (`nohup`) stay so."""
        if threading.current_thread() is not threading.main_thread():
            return
        # Python tries the folder with a file, which an end at once would leave: now, and then never again.
        tempfile.gettempdir()
        for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
            if number not in self._before and (before := signal.getsignal(number)) not in (signal.SIG_IGN, None):
                self._before[number] = before
                signal.signal(number, self._received)

    def stop(self) -> None:
        """Give the signals back."""
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before.clear()
        # Python notes a KeyboardInterrupt that leaves a text it executes, as of a dataclass that is being made, and in
        # the end a `python -m` ends by SIGINT for it, though it was caught: unless another text was executed since.
        exec("")  # noqa: S102 - a fixed text

    @contextmanager
    def uncut(self) -> Iterator[None]:
        """Let nothing that is done here be cut; what breaks of it once a signal came is not worth telling."""
        before, self.stage = self.stage, "uncut"
        try:
            yield
        except Exception:
            if self._asked_at is None:
                raise
        finally:
            self.stage = before
        if self._asked_at is not None:
            self.stage = "ending"
            raise KeyboardInterrupt

    def insist(self) -> None:
        """Raise KeyboardInterrupt again where something on the way swallowed the first one."""
        if self._asked_at is not None and self.stage == "ending":
            raise KeyboardInterrupt

    def _received(self, number: int, frame: FrameType | None) -> None:
        if self.stage == "starting":
            sys.stderr.write("\ninterrupted before anything was looked at\n")
            sys.stderr.flush()
            os._exit(_EXIT)
        asked_again = self._asked_at is not None and time.monotonic() - self._asked_at > _PATIENCE_SECONDS
        if self.stage == "running" or asked_again:
            # From here on: a second signal must not cut the cleaning up that the first one began.
            self.stage, self._asked_at = "ending", time.monotonic()
            raise KeyboardInterrupt
        self._asked_at = self._asked_at or time.monotonic()
