"""How a process ends that cannot go on: exit code 2, 3 or 4 and a line, never 1, which says that action is needed.

Python ends with 1 where nobody catches an exception: no room on standard output, no memory, no thread. Imports the
standard library alone: what is missing may be the memory for more, and a signal can come before anything else is there.
"""

from __future__ import annotations

import atexit
import errno
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, Literal

INTERRUPTED, DEFECT = 2, 3
OLDEST_PYTEST = (8, 4, 2)
NO_DOCSTRINGS = "python -OO takes the checks' words away, which are docstrings: leave it out"
_LIMITS = {
    errno.EMFILE: "this process may open no more files: raise `ulimit -n`",
    errno.ENFILE: "this machine has too many files open",
    errno.ENOMEM: "there is no more memory for this process: free some, or raise `ulimit -v`",
    errno.EAGAIN: "this process may start no more threads or programs: raise `ulimit -u` or `ulimit -v`",
}
_OUTPUT = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE, errno.EBADF})
LEAST_MEMORY = 512 * 2**20
"""Bytes that a process must be allowed: with a fifth of it, Python 3.11 runs in a circle when it ends."""
_OURS = (f"{os.sep}release_state{os.sep}", f"{os.sep}_pytest{os.sep}", f"{os.sep}pytest{os.sep}")
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_PATIENCE_SECONDS = 5.0
"""After so long a person who asks again means it."""

Stage = Literal["starting", "running", "postponing", "ending"]


def describe_limit(error: BaseException) -> str | None:
    """What of this machine ended the run; None where it was something else, a defect perhaps."""
    for each in _causes(error):
        if isinstance(each, MemoryError):
            return _LIMITS[errno.ENOMEM]
        # The second: whoever puts away what could not start.
        if isinstance(each, RuntimeError) and re.search("start new thread|join thread before it is", str(each)):
            return _LIMITS[errno.EAGAIN]
        if isinstance(each, OSError) and each.errno in _LIMITS:
            return _LIMITS[each.errno]
        if isinstance(each, OSError) and each.errno in _OUTPUT and each.filename is None:
            return f"standard output cannot be written to: {each.strerror}"
    return None


def guard_process() -> None:
    """Let an exception that nobody catches end the process with 3; open standard streams that are closed."""
    _open_streams()
    if sys.excepthook is not _end:
        sys.excepthook = _end


def explain_wrong_pytest(version: str) -> str | None:
    """Why this pytest runs no checks; None where it does."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if OLDEST_PYTEST <= numbers < (9,):
        return None
    return f"pytest {version} is installed, which runs no checks: pip install 'pytest>=8.4.2,<9' for {sys.executable}"


def lacks_docstrings() -> bool:
    """Whether the checks have no words: `python -OO` leaves docstrings out."""
    return sys.flags.optimize > 1


def find_obstacle() -> str | None:
    """Why nothing can be run here: too little memory, or a current folder that is gone; None where it can."""
    try:
        os.getcwd()  # noqa: PTH109 - nothing more is imported before this is known
    except OSError as error:
        return f"the current folder cannot be used: {(error.strerror or '').lower()}: change to another"
    try:
        import resource
    except ImportError:
        return None  # not POSIX
    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    if allowed != resource.RLIM_INFINITY and allowed < LEAST_MEMORY:
        return f"{allowed >> 20} MiB of memory are too little for a run (`ulimit -v`): give {LEAST_MEMORY >> 20} MiB"
    return None


def _open_streams() -> None:
    """What is opened next would take the number of a closed stream, and get what is printed."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
        if getattr(sys, name) is None:
            with suppress(OSError):
                # For as long as the process lives: closing it would close the number.
                stream = open(number, "r" if number == 0 else "w", closefd=False, encoding="utf-8")  # noqa: SIM115
                setattr(sys, name, stream)


def _end(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt) or not _is_of_a_run(error, traceback):
        sys.__excepthook__(kind, error, traceback)
        return
    with suppress(BaseException):
        end(error)
    os._exit(DEFECT)


def end(error: BaseException) -> None:
    """Say what ended the run, and put away what it made; never returns."""
    with suppress(BaseException):
        said = describe_limit(error) or _told(error)
        os.write(2, f"ERROR: {said}\n".encode(errors="backslashreplace"))
    with suppress(BaseException):
        atexit._run_exitfuncs()  # not by sys.exit, which would try to write what is left of standard output
    os._exit(DEFECT)


def _told(error: BaseException) -> str:
    from release_state.common.errors import format_traceback

    return f"a defect of the suite, please report this:\n{format_traceback(error).rstrip()}"


def _is_of_a_run(error: BaseException, traceback: TracebackType | None) -> bool:
    """Whether it comes out of pytest or the suite: a program that runs them in its own process has other ends."""
    while traceback is not None:
        if any(part in traceback.tb_frame.f_code.co_filename for part in _OURS):
            return True
        traceback = traceback.tb_next
    return isinstance(error, MemoryError)


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in found:
        found.append(each)
        each = each.__cause__ or each.__context__
    return found


@contextmanager
def block_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back from the processes that are started here: a Python that has hardly begun shows a traceback."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def unblock_interrupts() -> None:
    """In such a process: from here on a Ctrl-C, one that was held back too, does what it should."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


class Interrupts:
    """
    What a signal does, by how far the run is; for the main thread of the process that observes.

    *starting*: nothing was made yet, the process ends. *running*: KeyboardInterrupt, as Python does it for Ctrl-C.
    *ending*: what is left is short and must not be cut, so that the signal is only noted. *postponing*: noted as well, and
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
        for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
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
    def postpone(self) -> Iterator[None]:
        """Let nothing that is done here be cut; what breaks of it once a signal came is not worth telling."""
        before, self.stage = self.stage, "postponing"
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

    def raise_again(self) -> None:
        """Raise KeyboardInterrupt again where something on the way swallowed the first one."""
        if self._asked_at is not None and self.stage == "ending":
            raise KeyboardInterrupt

    def _received(self, number: int, frame: FrameType | None) -> None:
        if self.stage == "starting":
            sys.stderr.write("\ninterrupted before anything was looked at\n")
            sys.stderr.flush()
            os._exit(INTERRUPTED)
        asked_again = self._asked_at is not None and time.monotonic() - self._asked_at > _PATIENCE_SECONDS
        if self.stage == "running" or asked_again:
            # From here on: a second signal must not cut the cleaning up that the first one began.
            self.stage, self._asked_at = "ending", time.monotonic()
            raise KeyboardInterrupt
        self._asked_at = self._asked_at or time.monotonic()
