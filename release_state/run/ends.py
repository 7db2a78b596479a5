"""Early ends of a process: a signal, or something that the machine lacks. Exit code 2, 3 or 4 and one line, never 1.

Exit code 1 means "action needed", and Python ends with it when nobody catches an exception: no space for standard
output, no memory, no thread. Imports only the standard library: memory may be what is missing, and a signal can come
before anything else is loaded.
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
NO_DOCSTRINGS = "python -OO removes docstrings, which are the words of the checks: run without -OO"
_LIMITS = {
    errno.EMFILE: "this process may open no more files: raise `ulimit -n`",
    errno.ENFILE: "this machine has too many files open",
    errno.ENOMEM: "there is no more memory for this process: free some, or raise `ulimit -v`",
    errno.EAGAIN: "this process may start no more threads or programs: raise `ulimit -u` or `ulimit -v`",
}
_OUTPUT = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE, errno.EBADF})
LEAST_MEMORY = 512 * 2**20
"""Bytes of memory that a process must be allowed; with a fifth of it, Python 3.11 loops for ever at its end."""
_OURS = (f"{os.sep}release_state{os.sep}", f"{os.sep}_pytest{os.sep}", f"{os.sep}pytest{os.sep}")
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_PATIENCE_SECONDS = 5.0
"""A second Ctrl-C after this time ends even what should not be cut."""

Stage = Literal["starting", "running", "postponing", "ending"]


def describe_limit(error: BaseException) -> str | None:
    """What this machine lacks, in a line; None if the error has another cause, perhaps a defect."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    for each in causes:
        if isinstance(each, MemoryError):
            return _LIMITS[errno.ENOMEM]
        # The second text: a clean-up that joins a thread which never started.
        if isinstance(each, RuntimeError) and re.search("start new thread|join thread before it is", str(each)):
            return _LIMITS[errno.EAGAIN]
        if isinstance(each, OSError) and each.errno in _LIMITS:
            return _LIMITS[each.errno]
        if isinstance(each, OSError) and each.errno in _OUTPUT and each.filename is None:
            return f"standard output cannot be written to: {each.strerror}"
    return None


def guard_process() -> None:
    """Make an uncaught exception end the process with 3; open standard streams that are closed."""
    _open_streams()
    if sys.excepthook is not _end:
        sys.excepthook = _end
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _tell_unraisable


def explain_wrong_pytest(version: str) -> str | None:
    """Why this pytest cannot run the checks, or none if the version is empty; None if it can."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if OLDEST_PYTEST <= numbers < (9,):
        return None
    found = f"pytest {version} is installed, which runs no checks" if version else "pytest is missing"
    return f"{found}: pip install 'pytest>=8.4.2,<9' for {sys.executable}"


def drop_output() -> None:
    """Send to nowhere what is still to be written: the reader has closed the pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def lacks_docstrings() -> bool:
    """Whether the checks have no words: `python -OO` removes docstrings."""
    return sys.flags.optimize > 1


def find_obstacle() -> str | None:
    """Why no run is possible here: too little memory, or the current folder is gone; None if one is."""
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
    """Open closed standard streams; the next file opened would get their number and receive the output."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
        if getattr(sys, name) is None:
            with suppress(OSError):
                # Stays open for the life of the process: closing it would close the number.
                stream = open(number, "r" if number == 0 else "w", closefd=False, encoding="utf-8")  # noqa: SIM115
                setattr(sys, name, stream)


def _end(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt) or not _is_of_a_run(error, traceback):
        sys.__excepthook__(kind, error, traceback)
        return
    with suppress(BaseException):
        end(error)
    os._exit(DEFECT)


def _tell_unraisable(unraisable: sys.UnraisableHookArgs, /) -> None:
    """Say nothing of an interrupt that came while Python called back: `Interrupts.raise_again` raises it once more."""
    if not isinstance(unraisable.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)


def end(error: BaseException) -> None:
    """Print what ended the run and clean up; never returns."""
    with suppress(BaseException):
        if (why := describe_limit(error)) is None:
            from release_state.common.errors import format_traceback

            why = f"a defect of the suite, please report this:\n{format_traceback(error).rstrip()}"
        os.write(2, f"ERROR: {why}\n".encode(errors="backslashreplace"))
    with suppress(BaseException):
        atexit._run_exitfuncs()  # sys.exit would try to flush standard output
    os._exit(DEFECT)


def _is_of_a_run(error: BaseException, traceback: TracebackType | None) -> bool:
    """Whether an error comes from pytest or the suite, not from a program that runs them in its own process."""
    while traceback is not None:
        if any(part in traceback.tb_frame.f_code.co_filename for part in _OURS):
            return True
        traceback = traceback.tb_next
    return isinstance(error, MemoryError)


@contextmanager
def block_interrupts() -> Iterator[None]:
    """Block Ctrl-C in processes started here: a Python that is still starting would show a traceback."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def unblock_interrupts() -> None:
    """Unblock Ctrl-C in such a process; one that was held back arrives now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


class Interrupts:
    """Handles SIGINT, SIGTERM and SIGHUP in the main thread of the process that observes.

    What a signal does depends on `stage`. *starting*: nothing was made yet, the process ends. *running*:
    KeyboardInterrupt, as Python's own Ctrl-C. *ending*: the rest is short and must finish, so the signal is only noted.
    *postponing*: noted, then KeyboardInterrupt a moment later. Inside an import the exception could be swallowed and
    leave a lock that threads wait for; an xdist worker that has not got its tests yet would show a traceback.
    """

    def __init__(self) -> None:
        self.stage: Stage = "starting"
        self._asked_at: float | None = None
        self._before: dict[int, Any] = {}

    def start(self) -> None:
        """Install the handlers; signals that are ignored (`nohup`) stay ignored."""
        if threading.current_thread() is not threading.main_thread():
            return
        # Python tests the temporary folder with a file once. Now: an abrupt end later would leave that file.
        tempfile.gettempdir()
        for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
            if number not in self._before and (before := signal.getsignal(number)) not in (signal.SIG_IGN, None):
                self._before[number] = before
                signal.signal(number, self._received)

    def stop(self) -> None:
        """Restore the handlers of before."""
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before.clear()
        # Python notes a KeyboardInterrupt that leaves exec(), for example inside the making of a dataclass. `python -m`
        # then ends by SIGINT although the exception was caught, unless another exec() ran since.
        exec("")  # noqa: S102 - a fixed text

    @contextmanager
    def postpone(self) -> Iterator[None]:
        """Postpone signals until the block is done; errors in it after a signal are not reported."""
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
        """Raise KeyboardInterrupt again if something swallowed the first one."""
        if self._asked_at is not None and self.stage == "ending":
            raise KeyboardInterrupt

    def _received(self, number: int, frame: FrameType | None) -> None:
        if self.stage == "starting":
            sys.stderr.write("\ninterrupted before anything was read\n")
            sys.stderr.flush()
            os._exit(INTERRUPTED)
        asked_again = self._asked_at is not None and time.monotonic() - self._asked_at > _PATIENCE_SECONDS
        if self.stage == "running" or asked_again:
            # A second signal must not cut the clean-up that the first one started.
            self.stage, self._asked_at = "ending", time.monotonic()
            raise KeyboardInterrupt
        self._asked_at = self._asked_at or time.monotonic()
