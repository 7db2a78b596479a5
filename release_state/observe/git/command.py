"""Run git commands within a deadline, and say why one failed: without credentials, and with what a person can do."""

from __future__ import annotations

import functools
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from msgspec import Struct

from release_state.common.errors import list_spellings
from release_state.common.text import find_obstacle, quote_command
from release_state.model.observation import Observation, Problem, known
from release_state.observe.git.environment import build_environment, cut_network, list_secrets
from release_state.observe.http.limits import PAUSES
from release_state.observe.http.response import NOT_REACHED
from release_state.observe.process import GIT_MEMORY, supervise

if TYPE_CHECKING:
    from release_state.observe.git.access import TokenAccess
    from release_state.observe.git.program import GitProgram

T = TypeVar("T")

_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*@|[^\s/'\":@]+:[^\s/'\"@]+@")
_QUERY = re.compile(r"(://[^\s?'\"]*)\?[^\s'\"]*")
_NOISE = re.compile(r"\s*$|warning:|hint:|Please make sure|and the repository exists|Cloning into", re.IGNORECASE)
_NOT_REACHED = re.compile(
    r"could not resolve host|connection (?:timed out|refused)|failed to connect|network is unreachable"
    r"|no route to host|temporary failure in name resolution",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    rf"{_NOT_REACHED.pattern}|connection reset|operation timed out|returned error: (?:429|5\d\d)|early EOF"
    r"|hung up unexpectedly|RPC failed|empty reply from server|transfer closed|bytes missing",
    re.IGNORECASE,
)
"""Messages about a network or a server that may recover soon."""
_NO_ACCESS = re.compile(
    r"could not read Username|unable to get password|Authentication failed|Permission denied|(?:HTTP|error:) 40[13]\b"
)


class GitFailed(Exception):  # noqa: N818 - reads as what happened
    """Git gave no answer; the text is one line for a person, without credentials."""

    def __init__(self, why: str, remedy: str | None = None, *, stderr: str = "", stopped: str = "") -> None:
        super().__init__(why)
        self.why, self.remedy, self.stderr = why, remedy, stderr
        self.stopped = stopped
        """"time", "cancelled", "too much", "shallow" or "not fetched" if a retry is useless, else empty."""

    @property
    def is_refusal(self) -> bool:
        """Whether the remote may hide the repository from those who have no access."""
        return bool(_NO_ACCESS.search(self.stderr) or "not found" in self.stderr)

    def as_problem(self, source: str) -> Problem:
        """Return why the look-up failed."""
        temporary = self.stopped == "time" or (not self.stopped and bool(_TROUBLE.search(self.stderr)))
        return Problem(source=source, why=self.why, remedy=self.remedy, is_temporary=temporary)


def observe_git(source: str, ask: Callable[[], T]) -> Observation[T]:
    """Return what `ask` returns as known; unavailable if git fails."""
    try:
        return known(ask())
    except GitFailed as failed:
        return Observation(value=None, unavailable=failed.as_problem(source))


def decode_output(data: bytes) -> str:
    """Output of git as text for JSON: bytes that are not UTF-8 become backslash escapes."""
    return data.decode("utf-8", errors="backslashreplace")


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text without these secrets, and without user names, passwords and queries in its addresses."""
    for spelling in (spelling for secret in secrets if len(secret) > 3 for spelling in list_spellings(secret)):
        text = text.replace(spelling, "***")
    return _QUERY.sub(r"\1", _CREDENTIALS.sub("", text))


def find_decisive_line(stderr: str) -> str:
    """Return the one or two lines of git's messages that say what is wrong."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", stderr) if not _NOISE.match(line)]
    chosen = [line for line in lines if line.startswith(("fatal:", "error:"))][:1] or lines[-1:]
    if chosen and chosen[0].endswith(":"):
        chosen = lines[lines.index(chosen[0]) :][:2]
    elif chosen and "Could not read from remote" in chosen[0]:
        # ssh gives the reason on the line before; git's own line only says that it failed.
        chosen = lines[max(0, lines.index(chosen[0]) - 1) : lines.index(chosen[0]) + 1]
    return re.sub(r"[\x00-\x1f\x7f]+", " ", "; ".join(chosen))[:400]


def explain_failure(stderr: str, code: int) -> tuple[str, str | None]:
    """Return what went wrong, and what a person can do about it."""
    why = find_decisive_line(stderr) or f"git ended with exit code {code} and no message"
    if found := re.search(r"dubious ownership in repository at '(.+)'\s*$", stderr, re.MULTILINE):
        trusting = ("git", "config", "--global", "--add", "safe.directory", found[1])
        if "?" in found[1] or find_obstacle(trusting):  # git itself shows a control character as a question mark
            return why, "if you trust it, add its path to safe.directory of your git configuration"
        return why, f"if you trust it: {quote_command(trusting)}"
    if "out of memory" in stderr.lower():
        return f"git needs more memory than a run may take: {why}", None
    if "not a git repository" in stderr:
        return why, "give the path of a git repository"
    if "Host key verification failed" in stderr:
        return why, "compare the server's host key with the one that it publishes, and accept it once with ssh yourself"
    if _NOT_REACHED.search(stderr):
        return why, NOT_REACHED
    if _NO_ACCESS.search(stderr):
        return why, "give git access: a credential helper in your git configuration, or an ssh key in the agent"
    return why, None


_PASSING = re.compile(
    # Failures that the HTTP client retries too, in the words of git, curl and ssh.
    r"""returned\ error:\ (?:429|50[234]) | HTTP\ (?:429|50[234])\b
    | Could\ not\ resolve\ host | Failed\ to\ connect | [Cc]onnection\ (?:refused|reset|timed\ out)
    | Recv\ failure | Empty\ reply | Connection\ closed\ by | kex_exchange_identification
    | early\ EOF | transfer\ closed | unexpected\ disconnect | hung\ up\ unexpectedly""",
    re.VERBOSE,
)


def ask_patiently(git: Git, ask: Callable[[], GitOutput]) -> GitOutput:
    """Return the output of a command that asks a remote, after at most three tries. Raises the last GitFailed."""
    for pause in PAUSES:
        try:
            return ask()
        except GitFailed as failed:
            if failed.stopped or not _PASSING.search(failed.stderr) or pause >= git.left:
                raise
        if git.cancel is None:
            time.sleep(pause)
        elif git.cancel.wait(pause):
            raise GitFailed("no retry with git: the run was cancelled", stopped="cancelled")
    return ask()


OUTPUT_LIMIT = 64 * 2**20
"""Bytes of standard output; a command that writes more is stopped and fails."""
OLDEST = (2, 31)


class GitOutput(Struct, frozen=True):
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
    access: TokenAccess | None = None
    """Access by GitHub's token, for commands that talk to its remote."""
    environ: Mapping[str, str] = field(default_factory=lambda: build_environment(os.environ))
    deadline: float = field(init=False)
    program: str = field(init=False)

    def __post_init__(self) -> None:
        """Raise GitFailed if git is missing or too old."""
        object.__setattr__(self, "deadline", time.monotonic() + self.seconds)
        object.__setattr__(self, "program", _find(self.environ.get("PATH", os.defpath)))

    def run(
        self,
        *arguments: str,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        accept: Collection[int] = (0,),
        first: int | None = None,
        seconds: float | None = None,
        memory: int = GIT_MEMORY,
    ) -> GitOutput:
        """Run one command. `first` reads only so many bytes of its output; `memory` limits each process (bytes).

        Raises GitFailed for an exit code that is not in `accept`, at the time limit and beyond the output limit.
        """
        env = self.environ if env is None else env
        with _temporary_file(stdin) as given:
            try:
                process = _program(self.program, cwd, env, memory).start("--no-pager", *arguments, stdin=given)
            except OSError as error:
                raise GitFailed(f"git could not be run in {cwd}: {error.strerror}") from None
            ended = supervise(
                process,
                self.left if seconds is None else seconds,
                cancel=self.cancel,
                most_output=OUTPUT_LIMIT if first is None else first,
            )
        stderr = scrub(decode_output(ended.stderr), list_secrets(env))
        if ended.stopped == "too much" and first is not None:
            return GitOutput(0, ended.output[:first], stderr)
        if ended.stopped:
            command = next((word for word in arguments if not word.startswith("-")), "")
            raise self.stopped(ended.stopped, command, stderr)
        if ended.code not in accept:
            raise GitFailed(*explain_failure(stderr, ended.code), stderr=stderr)
        return GitOutput(ended.code, ended.output, stderr)

    @property
    def left(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self.deadline - time.monotonic()

    def stopped(self, why: str, command: str, stderr: str = "") -> GitFailed:
        """Return the failure of a command that was stopped: why, as ProgramResult says it."""
        text = {
            "time": f"git {command} gave no answer within {self.seconds:g} s",
            "cancelled": f"git {command} was stopped: the run was cancelled",
        }.get(why, f"git {command} wrote more than {OUTPUT_LIMIT >> 20} MiB")
        return GitFailed(text, stderr=stderr, stopped=why)


def _program(path: str, folder: Path, env: Mapping[str, str], memory: int = GIT_MEMORY) -> GitProgram:
    # Where a recorded snapshot is judged, git is not run, and GitPython stays out.
    from release_state.observe.git.program import GitProgram

    return GitProgram(path, folder, env, memory)


def _temporary_file(data: bytes) -> BinaryIO:
    """Return a file to read from: with a pipe, a git that does not read would block the writer."""
    try:
        with ExitStack() as stack:
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(data)
            file.seek(0)
            stack.pop_all()
    except OSError as error:
        raise GitFailed(f"no temporary file could be written: {error.strerror}", "free space, or set TMPDIR") from None
    return cast(BinaryIO, file)  # typed as IO[bytes]


@functools.lru_cache(maxsize=8)
def _find(path: str) -> str:
    # Only absolute folders: with "." on the path, a program called git in the inspected folder would run.
    folders = os.pathsep.join(folder for folder in path.split(os.pathsep) if Path(folder).is_absolute())
    if (program := shutil.which("git", path=folders)) is None:
        raise GitFailed("git is not on the PATH", "install git 2.31 or newer")
    env = cut_network(build_environment(os.environ))
    try:
        answer = supervise(_program(program, Path(os.sep), env).start("version"), 10)
    except OSError as error:
        raise GitFailed(f"{program} could not be run: {type(error).__name__}") from None
    if answer.stopped:
        raise GitFailed(f"{program} could not be run: TimeoutExpired")
    found = re.match(r"git version (\d+)\.(\d+)", answer.text)
    if not found:
        raise GitFailed(f"{program} printed no version", "install git 2.31 or newer")
    if (int(found[1]), int(found[2])) < OLDEST:
        raise GitFailed(f"{found[0]} is too old", "install git 2.31 or newer")
    return program
