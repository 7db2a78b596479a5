"""Running git: argument lists only, within a time limit for it and all that it starts, with a bound on its output.

GitPython's `Git.execute` is not used: it adds to the inherited environment and cannot take GIT_DIR out of it, bounds
no output, and leaves the processes that git started alive on an interrupt; its import fails without a git program.
"""

from __future__ import annotations

import atexit
import functools
import os
import re
import selectors
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Collection, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import IO

from release_state.model import Problem
from release_state.observe.bounds import GIT_MEMORY, with_memory
from release_state.observe.git_environment import base_environment, password_in, without_network

OUTPUT_LIMIT = 64 * 2**20
"""Bytes of standard output; a command that writes more is stopped and has failed."""
_ERROR_LIMIT = 64 * 2**10
OLDEST = (2, 31)
_GRACE_SECONDS = 0.5
_POLL_SECONDS = 0.1

_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*@|[^\s/'\":@]+:[^\s/'\"@]+@")
_QUERY = re.compile(r"(://[^\s?'\"]*)\?[^\s'\"]*")
_NOISE = re.compile(r"\s*$|warning:|hint:|Please make sure|and the repository exists|Cloning into", re.IGNORECASE)
_TROUBLE = re.compile(
    r"could not resolve host|connection (?:timed out|refused|reset)|failed to connect|operation timed out"
    r"|network is unreachable|no route to host|returned error: (?:429|5\d\d)|early EOF|hung up unexpectedly"
    r"|RPC failed|empty reply from server|transfer closed|bytes missing|temporary failure in name resolution",
    re.IGNORECASE,
)
"""What git says of a network or a server that may be well again in a while."""
_NO_ACCESS = re.compile(
    r"could not read Username|unable to get password|Authentication failed|Permission denied|HTTP 40[13]|403"
)
_running: set[int] = set()


class GitFailed(Exception):  # noqa: N818 - reads as what happened
    """Git did not answer; holds one line for a person, without credentials."""

    def __init__(self, why: str, remedy: str | None = None, *, stderr: str = "", stopped: str = "") -> None:
        super().__init__(why)
        self.why, self.remedy, self.stderr = why, remedy, stderr
        self.stopped = stopped
        """"time", "cancelled", "too much" or "shallow" where trying again makes no sense, else empty."""

    def as_problem(self, source: str) -> Problem:
        """Why the look-up failed."""
        temporary = self.stopped == "time" or (not self.stopped and bool(_TROUBLE.search(self.stderr)))
        return Problem(source=source, why=self.why, remedy=self.remedy, is_temporary=temporary)


@dataclass(frozen=True)
class Answer:
    """What a git command said: its exit code, its output, and its messages (without credentials)."""

    code: int
    output: bytes
    stderr: str

    @property
    def text(self) -> str:
        """The output as text; bytes that are not UTF-8 show as backslash escapes."""
        return readable(self.output)


@dataclass(frozen=True)
class Git:
    """Git with a deadline that all its commands share. `cancel` stops the running one."""

    seconds: float
    cancel: Event | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: base_environment(os.environ))
    deadline: float = field(init=False)
    program: str = field(init=False)

    def __post_init__(self) -> None:
        """Raise GitFailed where there is no git, or one that is too old."""
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
    ) -> Answer:
        """
        Run one command; `first` asks for so many bytes of its output and no more, `memory` bounds each process (bytes).

        Raises GitFailed on an exit code that is not in `accept`, at the time limit and beyond the output limit.
        """
        command = [self.program, "--no-pager", *arguments]
        limit = OUTPUT_LIMIT if first is None else first
        run = _Run(with_memory(command, memory), cwd, self.environ if env is None else env, stdin, limit)
        stopped = run.wait(deadline or self.deadline, self.cancel)
        stderr = scrubbed(readable(bytes(run.stderr)), password_in(self.environ if env is None else env))
        if stopped == "too much" and first is not None:
            return Answer(0, bytes(run.stdout[:first]), stderr)
        if stopped:
            raise GitFailed(self._why_stopped(stopped, arguments), stderr=stderr, stopped=stopped)
        if run.code not in accept:
            raise GitFailed(*_explain(stderr, run.code), stderr=stderr)
        return Answer(run.code, bytes(run.stdout), stderr)

    @staticmethod
    def now() -> float:
        """The time that deadlines are in."""
        return time.monotonic()

    def _why_stopped(self, stopped: str, arguments: tuple[str, ...]) -> str:
        command = next((word for word in arguments if not word.startswith("-")), "")
        if stopped == "time":
            return f"git {command} gave no answer within {self.seconds:g} s"
        if stopped == "cancelled":
            return f"git {command} was stopped: the run was cancelled"
        return f"git {command} wrote more than {OUTPUT_LIMIT >> 20} MiB"


class _Run:
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


def readable(data: bytes) -> str:
    """Bytes from git as text that can be written to JSON: what is not UTF-8 as backslash escapes."""
    return data.decode("utf-8", errors="backslashreplace")


def scrubbed(text: str, password: str = "") -> str:
    """The text without user names, passwords and queries of the addresses in it, and without a password."""
    text = text.replace(password, "***") if len(password) > 3 else text
    return _QUERY.sub(r"\1", _CREDENTIALS.sub("", text))


def decisive(stderr: str) -> str:
    """The line or two of git's messages that say what is wrong."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", stderr) if not _NOISE.match(line)]
    chosen = [line for line in lines if line.startswith(("fatal:", "error:"))][:1] or lines[-1:]
    if chosen and chosen[0].endswith(":"):
        chosen = lines[lines.index(chosen[0]) :][:2]
    elif chosen and "Could not read from remote" in chosen[0]:
        # ssh says why on the line before; git's own line only says that it failed.
        chosen = lines[max(0, lines.index(chosen[0]) - 1) : lines.index(chosen[0]) + 1]
    return re.sub(r"[\x00-\x1f\x7f]+", " ", "; ".join(chosen))[:400]


def _explain(stderr: str, code: int) -> tuple[str, str | None]:
    """What went wrong, and what a person can do about it."""
    why = decisive(stderr) or f"git ended with exit code {code} and no message"
    if found := re.search(r"dubious ownership in repository at '(.+)'\s*$", stderr, re.MULTILINE):
        return why, f"if you trust it: git config --global --add safe.directory {shlex.quote(found[1])}"
    if "out of memory" in stderr.lower():
        return f"git was given no more memory than a run takes: {why}", None
    if "not a git repository" in stderr:
        return why, "give the path of a git repository"
    if "Host key verification failed" in stderr:
        return why, "compare the server's host key with the one that it publishes, and accept it once with ssh yourself"
    if _NO_ACCESS.search(stderr):
        return why, "give git access: a credential helper in your git configuration, or an ssh key in the agent"
    return why, None


@functools.lru_cache(maxsize=8)
def _find(path: str) -> str:
    # Only absolute folders: with "." on the path, a program called git in the inspected directory would be run.
    folders = os.pathsep.join(folder for folder in path.split(os.pathsep) if Path(folder).is_absolute())
    if (program := shutil.which("git", path=folders)) is None:
        raise GitFailed("there is no git program on the PATH", "install git 2.31 or newer")
    return program


@functools.lru_cache(maxsize=8)
def _require_version(program: str) -> None:
    try:
        answer = subprocess.run(  # noqa: S603 - an argument list, no shell
            [program, "version"],
            env=without_network(base_environment(os.environ)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitFailed(f"{program} could not be run: {type(error).__name__}") from None
    found = re.match(r"git version (\d+)\.(\d+)", answer.stdout)
    if not found:
        raise GitFailed(f"{program} did not say its version", "install git 2.31 or newer")
    if (int(found[1]), int(found[2])) < OLDEST:
        raise GitFailed(f"{found[0]} is too old", "install git 2.31 or newer")
