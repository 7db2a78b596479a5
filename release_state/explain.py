"""`release-state explain LOGFILE`: what the log of a failed release run on disk means; nothing is contacted."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from release_state.common.text import quote_or_explain, sanitize
from release_state.facts.logs.attribution import find_channels, find_release_branches, find_versions, select_specific
from release_state.facts.logs.log import Explanation, Line, NotALog, explain_log, parse_log, read_logs
from release_state.model.target import Channel, Target

MOST_BYTES = 32 * 2**20

USAGE = """usage: release-state explain LOGFILE

Names the failure that the log of a release run shows, and what to look at next. LOGFILE is the log of a job, what
`gh run view --log` prints, or the zip of a run's logs; `-` reads it from the standard input.

Exit code: 0 recognised, 1 not recognised, 4 no log.
"""


def main(arguments: Sequence[str]) -> int:
    """Explain one log; returns the exit code."""
    if list(arguments) in (["-h"], ["--help"]):
        sys.stdout.write(USAGE)
        return 0
    if len(arguments) != 1 or (arguments[0].startswith("-") and arguments[0] != "-"):
        sys.stderr.write(USAGE)
        return 4
    try:
        data, note = _bytes_of(arguments[0])
        logs = read_logs(data, MOST_BYTES)
    except NotALog as problem:
        return _refuse(arguments[0], str(problem))
    except OSError as error:
        return _refuse(arguments[0], (error.strerror or type(error).__name__).lower())
    job, lines, explanation = _decisive(logs)
    known = explanation.known
    told = [
        *([note] if note else []),
        f"scenario: {known.scenario if known else 'not recognised'}",
        *([f"meaning:  {known.meaning}", f"next:     {known.fix}"] if known else []),
        *([f"job:      {sanitize(job, 200)}"] if job else []),
        *([f"step:     {sanitize(explanation.step, 200)}"] if explanation.step else []),
        "lines:" if explanation.lines else "lines:    none that says why",
        *(f"  {sanitize(line)}" for line in explanation.lines),
    ]
    if command := _command(lines):
        told.append(f"command:  {quote_or_explain(command)}")
    sys.stdout.write("\n".join(told) + "\n")
    return 0 if known else 1


def _decisive(logs: Sequence[tuple[str | None, str]]) -> tuple[str | None, list[Line], Explanation]:
    """The job of a run whose log says most about the failure: one job, never a mixture of several."""
    read_logs = [(job, lines, explain_log(lines)) for job, lines in ((job, parse_log(text)) for job, text in logs)]
    return min(read_logs, key=lambda one: one[2].known.rank if one[2].known else sys.maxsize)


def _refuse(name: str, why: str) -> int:
    sys.stderr.write(f"ERROR: {sanitize(name, 300)}: {sanitize(why, 300)}\n")
    return 4


def _bytes_of(name: str) -> tuple[bytes, str | None]:
    """The content of a file, and a note if it is too long: then only its end is read, where the failure is."""
    if name == "-":
        return _no_more(sys.stdin.buffer), None
    with Path(name).open("rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size <= MOST_BYTES:
            return _no_more(file), None
        if file.read(2) == b"PK":
            raise NotALog(f"a zip of more than {MOST_BYTES} bytes")
        file.seek(-MOST_BYTES, os.SEEK_END)
        return file.read(MOST_BYTES), f"note:     only the last {MOST_BYTES} of {status.st_size} bytes were read"


def _no_more(file: BinaryIO) -> bytes:
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise NotALog(f"more than {MOST_BYTES} bytes")
    return data


def _command(lines: Sequence[Line]) -> list[str] | None:
    """The command that checks the log's version and channel; None if the log does not name one of each."""
    target = _defaults()
    texts = select_specific(lines)
    branches = find_release_branches(texts, target)
    versions = {version for _, version in branches} or {str(version) for version in find_versions(texts, target)}
    channels = {channel for channel, _ in branches} or find_channels(texts, target)
    if len(versions) != 1 or len(channels) != 1:
        return None
    return ["release-state", "--version", versions.pop(), "--channel", channels.pop()]


def _defaults() -> Target:
    """A target with default names: a log on disk belongs to no repository."""
    channels = (Channel(name="pypi", index_url=""), Channel(name="testpypi", index_url=""))
    return Target(
        package="package",
        repository="owner/name",
        version="0",
        channel=channels[0],
        channels=channels,
        remote_url="",
        github_api="",
        github_web="",
    )
