"""One running git, and all that it starts: a group of processes with a limit of time, and a bound on its output."""

from __future__ import annotations

import atexit
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event
from typing import IO

from release_state.observe.git.messages import GitFailed

_ERROR_LIMIT = 64 * 2**10
_GRACE_SECONDS = 0.5
_POLL_SECONDS = 0.1
_running: set[int] = set()


class GitProcess:
    """One process group."""

    def __init__(self, command: list[str], cwd: Path, env: Mapping[str, str], stdin: bytes, limit: int) -> None:
        self.stdout, self.stderr, self.code, self._limit = bytearray(), bytearray(), -1, limit
        with _given(stdin) as given:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - an argument list, no shell
                    command,
                    cwd=cwd,
                    env=dict(env),
                    stdin=given,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    # A group of its own, to stop what git starts (git-remote-https, ssh) along with it; and no terminal
                    # to ask for a password on.
                    start_new_session=True,
                )
            except OSError as error:
                raise GitFailed(f"git could not be run in {cwd}: {error.strerror}") from None
        _running.add(self._process.pid)

    def wait(self, deadline: float, cancel: Event | None) -> str | None:
        """Read until the end; return why it was stopped: "time", "cancelled", "too much"."""
        try:
            return self._read(deadline, cancel)
        finally:
            self._stop()

    def _read(self, deadline: float, cancel: Event | None) -> str | None:
        stdout, stderr = self._process.stdout, self._process.stderr
        assert stdout and stderr  # noqa: S101 - for the type checker: both are pipes
        with selectors.DefaultSelector() as selector:
            for stream in (stdout, stderr):
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ)
            while True:
                if cancel is not None and cancel.is_set():
                    return "cancelled"
                if (left := deadline - time.monotonic()) <= 0:
                    return "time"
                # Whether it ended is asked before reading: what was in the pipe by then is read below. Not waiting for
                # the pipe's end, which a process that outlives git (an ssh that others share) can hold open.
                ended = self._process.poll() is not None
                if not ended and not selector.get_map():
                    with suppress(subprocess.TimeoutExpired):
                        self._process.wait(min(left, _POLL_SECONDS))
                    continue
                for key, _ in selector.select(0 if ended else min(left, _POLL_SECONDS)):
                    stream = stdout if key.fileobj is stdout else stderr
                    if not self._take(stream, stream is stdout):
                        selector.unregister(stream)
                    if len(self.stdout) > self._limit:
                        return "too much"
                if ended:
                    self._drain(stdout, stderr)
                    self.code = self._process.returncode
                    return "too much" if len(self.stdout) > self._limit else None

    def _take(self, stream: IO[bytes], is_output: bool) -> bool:
        """Read what is there; False at the end of the stream."""
        try:
            data = os.read(stream.fileno(), 2**16)
        except BlockingIOError:
            return True
        if is_output:
            self.stdout += data
        else:
            self.stderr = (self.stderr + data)[-_ERROR_LIMIT:]
        return bool(data)

    def _drain(self, stdout: IO[bytes], stderr: IO[bytes]) -> None:
        for stream in (stdout, stderr):
            with suppress(BlockingIOError):
                while len(self.stdout) <= self._limit and (data := os.read(stream.fileno(), 2**16)):
                    if stream is stdout:
                        self.stdout += data
                    else:
                        self.stderr = (self.stderr + data)[-_ERROR_LIMIT:]

    def _stop(self) -> None:
        """Also after a good end: nothing that was started here goes on."""
        process = self._process
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
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()


def _given(data: bytes) -> IO[bytes]:
    """A file, not a pipe: nothing blocks on a git that does not read."""
    try:
        with ExitStack() as stack:
            given = stack.enter_context(tempfile.TemporaryFile())
            given.write(data)
            given.seek(0)
            stack.pop_all()
    except OSError as error:
        raise GitFailed(f"no temporary file could be written: {error.strerror}", "free space, or set TMPDIR") from None
    return given


@atexit.register
def stop_running() -> None:
    """Kill every git that is still running, and all that it started."""
    # An interrupt reaches the main thread only; the threads that wait for git end with the interpreter, git would not.
    for group in tuple(_running):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
