"""What a git that stays answers: read as GitPython does, but within limits of time and size."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from release_state.observe.process import Pipes

ANSWER_LIMIT = 65 * 2**20
"""Bytes of an answer that are kept."""
_LAST_SECONDS = 0.2
"""How long a program that fails may take to say why."""


class ObjectMissing(Exception):  # noqa: N818 - an answer
    """The repository has no object of this name."""


class AnswerFailed(Exception):  # noqa: N818 - reads as what happened
    """A program gave no answer; holds why it has to be stopped, as ProgramResult does. Empty: it has ended."""

    def __init__(self, stopped: str) -> None:
        super().__init__(stopped)
        self.stopped = stopped


@dataclass
class Limits:
    """When the next answer is given up: at the deadline (monotonic clock), or on `cancel`."""

    deadline: float = 0.0
    cancel: Event | None = None


class Answers:
    """Stands for the standard output of a program that stays."""

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits) -> None:
        self._stream, self._limits, self._pipes = process.stdout, limits, Pipes(process, ANSWER_LIMIT)
        self.is_over = False
        """Nothing is read any more: GitPython reads the rest of an answer when it lets go of it."""

    def end(self) -> bytes:
        """Read no more; return the end of what the program wrote to its standard error, by when it ends by itself."""
        if not self.is_over:
            self._pipes.read_until(min(self._limits.deadline, time.monotonic() + _LAST_SECONDS), self._limits.cancel)
        self.is_over = True
        return bytes(self._pipes.errors)

    def readline(self) -> bytes:
        """Return a line. Raises AnswerFailed."""
        self._wait(lambda: b"\n" in self._pipes.output)
        return self._take(self._pipes.output.find(b"\n") + 1)

    def read(self, size: int) -> bytes:
        """Return so many bytes. Raises AnswerFailed."""
        self._wait(lambda: len(self._pipes.output) >= size)
        return self._take(size)

    def _wait(self, is_there: Callable[[], bool]) -> None:
        if self.is_over or is_there():
            return
        stopped = self._pipes.read_until(self._limits.deadline, self._limits.cancel, is_enough=is_there)
        if not is_there():
            self.is_over = True
            raise AnswerFailed(stopped)

    def _take(self, size: int) -> bytes:
        taken = b"" if self.is_over else bytes(self._pipes.output[:size])
        del self._pipes.output[: len(taken)]
        return taken

    def close(self) -> None:
        """Close the stream behind it."""
        if self._stream:
            self._stream.close()
