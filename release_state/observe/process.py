"""Run a program with limits on time, memory, output and disk that also hold for all that it starts."""

from __future__ import annotations

import atexit
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import IO

from msgspec import Struct

LISTING_MEMORY = 256 * 2**20
"""Bytes for a git that only lists the refs of a remote: a few hundred bytes for each of them."""
GIT_MEMORY = 2**30
"""Bytes for any other git: walking a history takes about 400 bytes for each of its objects."""
PIP_MEMORY = 2**31
"""Bytes for pip, and for what builds a package where that is allowed."""

_TAIL = 64 * 2**10
"""Bytes kept of a stream without a limit: the last ones."""
_CHUNK = 2**16
_MOST_CHUNKS_LEFT = 16
"""Chunks that a pipe can still hold when the program has ended."""
_POLL_SECONDS = 0.1
_MEASURE_SECONDS = 0.5
"""How often the size of a folder is measured."""
_GRACE_SECONDS = 0.5
_running: set[int] = set()

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LIMITED = (
    'ulimit -d "$1" 2>/dev/null; test "$2" = 0 || ulimit -f "$2" 2>/dev/null; '
    # `command`: a variable that the shell keeps ends nothing.
    'for name in $3; do command unset -v "$name" 2>/dev/null; done; '
    'test -z "$4" || cd -P -- "$4" || exit 125; shift 4; exec "$@"'
)


def limit_memory(
    command: Sequence[str], most: int, *, file_size: int = 0, without: Iterable[str] = (), folder: str = ""
) -> list[str]:
    """The command with a limit on each process: at most `most` bytes of memory and files of `file_size` bytes (0: any).

    The kernel refuses what is more (Linux, RLIMIT_DATA: private memory, not mapped files), also to each process that
    the program starts; it then ends with a message of its own. A lower limit that is already in force stays.

    The program does not get the variables in `without`, and begins in `folder` (an absolute path; empty: where it is
    started), or not at all.
    """
    # Not `preexec_fn`, which can hang a process with threads. Nor a limit set from here once the program runs: what it
    # had started by then would have none. The shell replaces itself with the program: the same process.
    names = " ".join(filter(_NAME.fullmatch, without))
    return ["/bin/sh", "-c", _LIMITED, "sh", str(most >> 10), str(file_size >> 9), names, folder, *command]


class ProgramResult(Struct, frozen=True):
    """How a program ended."""

    code: int
    """Its exit code; of no meaning if it was stopped."""
    output: bytes
    stderr: bytes
    """The end of standard error, if it was read apart from the output."""
    stopped: str
    """Why it was stopped: "time", "cancelled", "too much" (output) or "room" (its folder is full); else empty."""

    @property
    def text(self) -> str:
        """The output as text."""
        return self.output.decode(errors="replace")


class FolderLimit(Struct, frozen=True):
    """A folder that programs write to, and how many bytes it may hold."""

    folder: Path
    most_bytes: int

    @property
    def is_exceeded(self) -> bool:
        """Whether it holds more. Files that vanish during the measurement do not count."""
        size = 0
        for where, _, files in os.walk(self.folder):
            for name in files:
                with suppress(OSError):
                    size += os.lstat(os.path.join(where, name)).st_size  # noqa: PTH118 - thousands of files, often
        return size > self.most_bytes


def run_bounded(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    seconds: float,
    cancel: Event | None = None,
    stderr: int = subprocess.STDOUT,
    room: FolderLimit | None = None,
) -> ProgramResult:
    """Run a program in its own process group, as `supervise` does; keeps the last 64 KiB of its output.

    `stderr` is `subprocess.STDOUT` (part of the output) or `DEVNULL`. Raises OSError if the program cannot be started.
    """
    process = subprocess.Popen(  # noqa: S603 - an argument list, no shell
        list(command),
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        # A group of its own, to stop what it starts (git-remote-https, ssh) with it; and no terminal to ask for a
        # password on.
        start_new_session=True,
    )
    return supervise(process, seconds, cancel=cancel, room=room)


def supervise(
    process: subprocess.Popen[bytes],
    seconds: float,
    *,
    cancel: Event | None = None,
    most_output: int | None = None,
    room: FolderLimit | None = None,
) -> ProgramResult:
    """Return how a program ends. Stop its process group at a limit, on `cancel` and on an interrupt.

    The program leads a group of its own (`start_new_session`). It is stopped once it writes more than `most_output`
    bytes; None keeps the last 64 KiB.
    """
    note_running(process)
    pipes = Pipes(process, most_output)
    try:
        stopped = pipes.read_until(time.monotonic() + seconds, cancel, room)
    finally:
        stop(process)
    if room is not None and room.is_exceeded:
        stopped = "room"
    return ProgramResult(process.returncode, bytes(pipes.output), bytes(pipes.errors), stopped)


def note_running(process: subprocess.Popen[bytes]) -> None:
    """Have a program, the leader of its group, stopped when this one ends."""
    _running.add(process.pid)


class Pipes:
    """What a running program writes: all of its output up to the limit (None: the end of it), and the end of errors."""

    def __init__(self, process: subprocess.Popen[bytes], most: int | None) -> None:
        self.output, self.errors = bytearray(), bytearray()
        self._process, self._most, self._output = process, most, process.stdout
        self._streams = [stream for stream in (process.stdout, process.stderr) if stream]

    def read_until(
        self,
        deadline: float,
        cancel: Event | None,
        room: FolderLimit | None = None,
        is_enough: Callable[[], bool] = lambda: False,
    ) -> str:
        """Read until the program ends, or until it is enough; return why it has to be stopped, else an empty text."""
        measured = time.monotonic()
        with selectors.DefaultSelector() as selector:
            for stream in self._streams:
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ, stream)
            while True:
                if cancel is not None and cancel.is_set():
                    return "cancelled"
                if (left := deadline - time.monotonic()) <= 0:
                    return "time"
                # Asked before reading: what was in the pipe by then is read below. The end of the pipe is not waited
                # for: a process that outlives the program (an ssh that others share) can hold it open.
                has_ended = self._process.poll() is not None
                if has_ended:
                    self._read_rest()
                elif selector.get_map():
                    for key, _ in selector.select(min(left, _POLL_SECONDS)):
                        if self._read_chunk(key.data) == b"":
                            selector.unregister(key.fileobj)
                else:
                    with suppress(subprocess.TimeoutExpired):
                        self._process.wait(min(left, _POLL_SECONDS))
                if self._most is not None and len(self.output) > self._most:
                    return "too much"
                if has_ended or is_enough():
                    return ""
                if room is not None and time.monotonic() - measured > _MEASURE_SECONDS:
                    if room.is_exceeded:
                        return "room"
                    measured = time.monotonic()

    def _read_rest(self) -> None:
        for stream in self._streams:
            for _ in range(_MOST_CHUNKS_LEFT):
                if not self._read_chunk(stream):
                    break

    def _read_chunk(self, stream: IO[bytes]) -> bytes | None:
        """Keep what is there; empty at the end of the stream, None if there is nothing yet."""
        try:
            data = os.read(stream.fileno(), _CHUNK)
        except BlockingIOError:
            return None
        if stream is not self._output:
            self.errors = (self.errors + data)[-_TAIL:]
        elif self._most is None:
            self.output = (self.output + data)[-_TAIL:]
        else:
            self.output += data
        return data


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the whole group, also after a good end: nothing that was started here goes on."""
    try:
        if process.poll() is None:
            # Gently at first: git then removes its lock files.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_SECONDS)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        _running.discard(process.pid)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                with suppress(BrokenPipeError):  # what it was still to be told
                    stream.close()


@atexit.register
def stop_running() -> None:
    """Kill every program that is still running, and all that it started."""
    # An interrupt reaches only the main thread. The threads that wait for a program end with the interpreter; the
    # program would not.
    for group in tuple(_running):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
