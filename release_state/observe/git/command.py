"""Run git commands within a deadline, and ask a remote again after trouble that passes: git itself asks once."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import IO

from release_state.observe.git.environment import build_environment, cut_network, find_password
from release_state.observe.git.messages import GitFailed, decode_output, explain_failure, scrub
from release_state.observe.http.limits import PAUSES
from release_state.observe.process import GIT_MEMORY, limit_memory, run_bounded

_PASSING = re.compile(
    # Failures that the HTTP client retries too, in the words of git, curl and ssh.
    r"""returned\ error:\ (?:429|50[234]) | HTTP\ (?:429|50[234])\b
    | Could\ not\ resolve\ host | Failed\ to\ connect | [Cc]onnection\ (?:refused|reset|timed\ out)
    | Recv\ failure | Empty\ reply | Connection\ closed\ by | kex_exchange_identification
    | early\ EOF | transfer\ closed | unexpected\ disconnect | hung\ up\ unexpectedly""",
    re.VERBOSE,
)


def ask_patiently(git: Git, ask: Callable[[], GitOutput]) -> GitOutput:
    """Return the output of a command that asks a remote, after at most three tries within the time of `git`.

    Raises GitFailed with the last failure.
    """
    for pause in PAUSES:
        try:
            return ask()
        except GitFailed as failed:
            left = git.deadline - time.monotonic()
            if failed.stopped or not _PASSING.search(failed.stderr) or pause >= left:
                raise
        if git.cancel is None:
            time.sleep(pause)
        elif git.cancel.wait(pause):
            raise GitFailed("no retry with git: the run was cancelled", stopped="cancelled")
    return ask()


OUTPUT_LIMIT = 64 * 2**20
"""Bytes of standard output; a command that writes more is stopped and fails."""
OLDEST = (2, 31)


@dataclass(frozen=True)
class GitOutput:
    """The exit code, the output and the messages (without credentials) of a git command."""

    code: int
    output: bytes
    stderr: str

    @property
    def text(self) -> str:
        """The output as text; bytes that are not UTF-8 become backslash escapes."""
        return decode_output(self.output)


@dataclass(frozen=True)
class Git:
    """Git with a deadline that all its commands share. `cancel` stops the running command."""

    seconds: float
    cancel: Event | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: build_environment(os.environ))
    deadline: float = field(init=False)
    program: str = field(init=False)

    def __post_init__(self) -> None:
        """Raise GitFailed if git is missing or too old."""
        object.__setattr__(self, "deadline", time.monotonic() + self.seconds)
        object.__setattr__(self, "program", _find(self.environ.get("PATH", os.defpath)))
        _require_version(self.program)

    def run(
        self,
        *arguments: str,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        accept: Collection[int] = (0,),
        first: int | None = None,
        deadline: float | None = None,
        memory: int = GIT_MEMORY,
    ) -> GitOutput:
        """Run one command. `first` reads only so many bytes of its output; `memory` limits each process (bytes).

        Raises GitFailed for an exit code that is not in `accept`, at the time limit and beyond the output limit.
        """
        command = limit_memory([self.program, "--no-pager", *arguments], memory)
        env = self.environ if env is None else env
        with _temporary_file(stdin) as given:
            try:
                ended = run_bounded(
                    command,
                    env=env,
                    cwd=cwd,
                    seconds=(deadline or self.deadline) - self.now(),
                    cancel=self.cancel,
                    stdin=given,
                    stderr=subprocess.PIPE,
                    most_output=OUTPUT_LIMIT if first is None else first,
                )
            except OSError as error:
                raise GitFailed(f"git could not be run in {cwd}: {error.strerror}") from None
        stderr = scrub(decode_output(ended.stderr), find_password(env))
        if ended.stopped == "too much" and first is not None:
            return GitOutput(0, ended.output[:first], stderr)
        if ended.stopped:
            raise GitFailed(self._why_stopped(ended.stopped, arguments), stderr=stderr, stopped=ended.stopped)
        if ended.code not in accept:
            raise GitFailed(*explain_failure(stderr, ended.code), stderr=stderr)
        return GitOutput(ended.code, ended.output, stderr)

    @staticmethod
    def now() -> float:
        """Return the current time, on the clock of deadlines."""
        return time.monotonic()

    def _why_stopped(self, stopped: str, arguments: tuple[str, ...]) -> str:
        command = next((word for word in arguments if not word.startswith("-")), "")
        if stopped == "time":
            return f"git {command} gave no answer within {self.seconds:g} s"
        if stopped == "cancelled":
            return f"git {command} was stopped: the run was cancelled"
        return f"git {command} wrote more than {OUTPUT_LIMIT >> 20} MiB"


def _temporary_file(data: bytes) -> IO[bytes]:
    """Return a file to read from: with a pipe, a git that does not read would block the writer."""
    try:
        with ExitStack() as stack:
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(data)
            file.seek(0)
            stack.pop_all()
    except OSError as error:
        raise GitFailed(f"no temporary file could be written: {error.strerror}", "free space, or set TMPDIR") from None
    return file


@functools.lru_cache(maxsize=8)
def _find(path: str) -> str:
    # Only absolute folders: with "." on the path, a program called git in the inspected folder would run.
    folders = os.pathsep.join(folder for folder in path.split(os.pathsep) if Path(folder).is_absolute())
    if (program := shutil.which("git", path=folders)) is None:
        raise GitFailed("git is not on the PATH", "install git 2.31 or newer")
    return program


@functools.lru_cache(maxsize=8)
def _require_version(program: str) -> None:
    env = cut_network(build_environment(os.environ))
    try:
        answer = run_bounded([program, "version"], env=env, cwd=Path("/"), seconds=10, stderr=subprocess.DEVNULL)
    except OSError as error:
        raise GitFailed(f"{program} could not be run: {type(error).__name__}") from None
    if answer.stopped:
        raise GitFailed(f"{program} could not be run: TimeoutExpired")
    found = re.match(r"git version (\d+)\.(\d+)", answer.text)
    if not found:
        raise GitFailed(f"{program} printed no version", "install git 2.31 or newer")
    if (int(found[1]), int(found[2])) < OLDEST:
        raise GitFailed(f"{found[0]} is too old", "install git 2.31 or newer")
