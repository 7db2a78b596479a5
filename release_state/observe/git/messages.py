"""Why git failed: the decisive line of its messages, without credentials, and what a person can do about it (pure)."""

from __future__ import annotations

import re

from release_state.common.redaction import list_spellings
from release_state.common.shell import find_obstacle, quote_command
from release_state.model.observation import Problem
from release_state.observe.http.response import NOT_REACHED

_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*@|[^\s/'\":@]+:[^\s/'\"@]+@")
_QUERY = re.compile(r"(://[^\s?'\"]*)\?[^\s'\"]*")
_NOISE = re.compile(r"\s*$|warning:|hint:|Please make sure|and the repository exists|Cloning into", re.IGNORECASE)
_TROUBLE = re.compile(
    r"could not resolve host|connection (?:timed out|refused|reset)|failed to connect|operation timed out"
    r"|network is unreachable|no route to host|returned error: (?:429|5\d\d)|early EOF|hung up unexpectedly"
    r"|RPC failed|empty reply from server|transfer closed|bytes missing|temporary failure in name resolution",
    re.IGNORECASE,
)
"""Messages about a network or a server that may recover soon."""
_NOT_REACHED = re.compile(
    r"could not resolve host|connection (?:timed out|refused)|failed to connect|network is unreachable"
    r"|no route to host|temporary failure in name resolution",
    re.IGNORECASE,
)
_NO_ACCESS = re.compile(
    r"could not read Username|unable to get password|Authentication failed|Permission denied|HTTP 40[13]|403"
)


class GitFailed(Exception):  # noqa: N818 - reads as what happened
    """Git gave no answer; the text is one line for a person, without credentials."""

    def __init__(self, why: str, remedy: str | None = None, *, stderr: str = "", stopped: str = "") -> None:
        super().__init__(why)
        self.why, self.remedy, self.stderr = why, remedy, stderr
        self.stopped = stopped
        """"time", "cancelled", "too much" or "shallow" if a retry is useless, else empty."""

    def as_problem(self, source: str) -> Problem:
        """Return why the look-up failed."""
        temporary = self.stopped == "time" or (not self.stopped and bool(_TROUBLE.search(self.stderr)))
        return Problem(source=source, why=self.why, remedy=self.remedy, is_temporary=temporary)


def decode_output(data: bytes) -> str:
    """Output of git as text for JSON: bytes that are not UTF-8 become backslash escapes."""
    return data.decode("utf-8", errors="backslashreplace")


def scrub(text: str, password: str = "") -> str:
    """Return the text without this password, and without user names, passwords and queries in its addresses."""
    for spelling in list_spellings(password) if len(password) > 3 else ():
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
