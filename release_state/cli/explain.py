"""The command `release-state explain LOGFILE`, which contacts nothing."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from release_state.common.errors import UsageProblem
from release_state.common.text import quote_or_explain, sanitize
from release_state.facts.logs.archive import NotALog, read_logs
from release_state.facts.logs.attribution import find_channels, find_release_branches, find_versions, select_specific
from release_state.facts.logs.explanation import Explanation, explain_log
from release_state.facts.logs.failure import describe_restart
from release_state.facts.logs.lines import Line, parse_log
from release_state.model.target import Channel, Target

MOST_BYTES = 32 * 2**20
MOST_FILES = 200
"""Files of a folder that are read."""

USAGE = """usage: release-state explain [--json] LOGFILE

Names the failure in the log of a release run, and its fix; in a clone of the project, also how its release is started
again. LOGFILE is the log of a job, the output of `gh run view --log`, the zip of a run's logs, or a folder of these;
`-` reads it from the standard input.

Exit code: 0 recognised, 1 not recognised, 4 no log.
"""
_UNKNOWN = (
    "give the whole log of the job that failed (`gh run view RUN --log-failed`); "
    "`release-state check --version X.Y.Z` says what there is, without a log"
)


def explain(arguments: Sequence[str]) -> int:
    """Explain one log; returns the exit code."""
    if list(arguments) in (["-h"], ["--help"]):
        sys.stdout.write(USAGE)
        return 0
    names = [argument for argument in arguments if argument != "--json"]
    if len(names) != 1 or (names[0].startswith("-") and names[0] != "-"):
        sys.stderr.write(USAGE)
        return 4
    try:
        logs, note = _logs_of(names[0])
    except NotALog as problem:
        return _refuse(names[0], str(problem))
    except OSError as error:
        return _refuse(names[0], (error.strerror or type(error).__name__).lower())
    job, lines, explanation = _decisive(logs)
    command = _command(lines)
    again = _find_restart(explanation)
    if "--json" in arguments:
        sys.stdout.write(json.dumps(_as_json(job, explanation, command, again), indent=2) + "\n")
    else:
        sys.stdout.write("\n".join([*([note] if note else []), *_as_text(job, explanation, command, again)]) + "\n")
    return 0 if explanation.known else 1


def _as_text(job: str | None, explanation: Explanation, command: list[str] | None, again: str | None) -> Iterator[str]:
    known = explanation.known
    yield f"scenario: {known.scenario if known else 'not recognised'}"
    if explanation.version:
        yield f"meaning:  {explanation.meaning}"
        yield f"next:     {explanation.fix}"
        yield f"version:  {explanation.version.value}"
    if again:
        yield f"again:    {sanitize(again)}"
    if job:
        yield f"job:      {sanitize(job, 200)}"
    if explanation.step:
        yield f"step:     {sanitize(explanation.step, 200)}"
    where = f" (from line {explanation.line})" if explanation.line else ""
    yield f"lines:{where}" if explanation.lines else "lines:    none that says why"
    yield from (f"  {sanitize(line)}" for line in explanation.lines)
    if not known:
        yield f"next:     {_UNKNOWN}"
    if command:
        yield f"command:  {quote_or_explain(command)}"


def _as_json(
    job: str | None, explanation: Explanation, command: list[str] | None, again: str | None
) -> dict[str, object]:
    """The explanation as an object; a field that is not known is null."""
    known = explanation.known
    return {
        "scenario": known.scenario if known else None,
        "meaning": explanation.meaning or None,
        "next": explanation.fix or None,
        "version": explanation.version.value if explanation.version else None,
        "again": sanitize(again) if again else None,
        "job": sanitize(job, 200) if job else None,
        "step": sanitize(explanation.step, 200) if explanation.step else None,
        "line": explanation.line,
        "lines": [sanitize(line) for line in explanation.lines],
        "command": command,
    }


def _find_restart(explanation: Explanation) -> str | None:
    """How the release of the clone in the current folder is started again; None without a clone or a known process."""
    if not explanation.version:
        return None
    from release_state.observe.from_clone import read_process
    from release_state.observe.git.reader import find_repository
    from release_state.settings.config import PLACEHOLDER, load
    from release_state.settings.sources import Arguments

    try:
        loaded = load(Arguments(versions=(PLACEHOLDER,)), os.environ, Path.cwd(), find_repository)
    except UsageProblem:
        return None  # no project here: the log is explained by itself
    targets = read_process(loaded.targets[:1]).targets
    # A log does not say whose it is: the repository is named.
    about = targets[0] if targets else None
    return describe_restart(about.process, explanation.version, about.repository) if about else None


def _logs_of(name: str) -> tuple[list[tuple[str | None, str]], str | None]:
    """The logs of a file or of the files in a folder, each with its job's name, and a note if not all was read."""
    if name == "-" or not Path(name).is_dir():
        data, note = _bytes_of(name)
        return read_logs(data, MOST_BYTES), note
    logs: list[tuple[str | None, str]] = []
    files = sorted(path for path in Path(name).rglob("*") if path.suffix in (".txt", ".log", ".zip") and path.is_file())
    left = MOST_BYTES
    for path in files[:MOST_FILES]:
        data, _ = _bytes_of(str(path))
        found = read_logs(data, left)
        left -= sum(len(text) for _, text in found)
        logs += [(job or path.stem, text) for job, text in found]
        if left <= 0:
            break
    if not logs:
        raise NotALog("a folder without a log: .txt, .log or .zip")
    return logs, None if len(files) <= MOST_FILES and left > 0 else "note:     not every file of the folder was read"


def _decisive(logs: Sequence[tuple[str | None, str]]) -> tuple[str | None, list[Line], Explanation]:
    """The job of a run whose log says most about the failure: one job, never a mixture of several.

    A job that failed by itself comes before those that were cancelled for it, skipped or successful.
    """
    parsed = ((job, parse_log(text)) for job, text in logs)
    explained = [(job, lines, explain_log(lines)) for job, lines in parsed]
    return min(explained, key=lambda one: (not one[2].failed, one[2].known.rank if one[2].known else sys.maxsize))


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
