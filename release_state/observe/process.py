"""Foreign programs: run with a time limit for them and all that they start, and with a limit on what they say."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event

_TAIL = 64 * 2**10
"""Bytes of the output that are read: the last ones."""

_POLL_SECONDS = 0.1
_MEASURE_SECONDS = 0.5
"""How often it is looked at what a program has written."""


@dataclass(frozen=True)
class Finished:
    """What became of a program."""

    code: int | None
    """Its exit code, None where it was stopped: at the limit, or because the run was cancelled."""
    output: str
    """The end of what it wrote, standard output and error in one."""
    is_too_much: bool = False
    """Whether it was stopped for what it had written into its folder."""


@dataclass(frozen=True)
class Room:
    """A folder that programs write to, and how many bytes it may come to hold."""

    folder: Path
    most_bytes: int

    @property
    def is_exceeded(self) -> bool:
        """Whether it holds more; what goes while it is being measured counts for nothing."""
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
    errors: bool = True,
    room: Room | None = None,
) -> Finished:
    """
    Run a program in a process group of its own, and kill the group at the limit, on `cancel` and on an interrupt; and
    where it has filled its `room`.

    `errors` false leaves standard error out of the output. Raises OSError where the program cannot be started.
    """
    deadline = time.monotonic() + seconds
    # A file, not a pipe: a grandchild that outlives the program and keeps the pipe open would make the reader wait.
    with TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 - an argument list, no shell
            list(command),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if errors else subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code = _wait(process, deadline, cancel, room)
        finally:
            # Also after a good end: nothing that was started here goes on.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        size = output.seek(0, os.SEEK_END)
        output.seek(max(0, size - _TAIL))
        return Finished(code, output.read().decode(errors="replace"), room is not None and room.is_exceeded)


def _wait(process: subprocess.Popen[bytes], deadline: float, cancel: Event | None, room: Room | None) -> int | None:
    measured = time.monotonic()
    while (left := deadline - time.monotonic()) > 0 and not (cancel is not None and cancel.is_set()):
        with suppress(subprocess.TimeoutExpired):
            return process.wait(min(left, _POLL_SECONDS))
        if room is not None and time.monotonic() - measured > _MEASURE_SECONDS:
            if room.is_exceeded:
                return None
            measured = time.monotonic()
    return None
