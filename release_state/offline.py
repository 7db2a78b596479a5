"""The commands that contact nothing: `release-state explain LOGFILE` and `release-state history`."""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import timezone
from pathlib import Path
from typing import BinaryIO, NoReturn

from packaging.utils import canonicalize_name

from release_state.common.errors import UsageProblem
from release_state.common.text import join_items, quote_or_explain, sanitize
from release_state.facts.logs.archive import NotALog, read_logs
from release_state.facts.logs.attribution import find_channels, find_release_branches, find_versions, select_specific
from release_state.facts.logs.explanation import Explanation, explain_log
from release_state.facts.logs.lines import Line, parse_log
from release_state.model.outcome import name_phase
from release_state.model.record import PastRun, Record
from release_state.model.target import Channel, Target
from release_state.observe.earlier_reports import read_reports
from release_state.observe.git.reader import find_repository
from release_state.settings import validate
from release_state.settings.reports import find_earlier_reports
from release_state.verdict.changes import find_changes

MOST_BYTES = 32 * 2**20
MOST_FILES = 200
"""Files of a folder that are read."""

EXPLAIN_USAGE = """usage: release-state explain [--json] LOGFILE

Names the failure in the log of a release run, and its fix. LOGFILE is the log of a job, the output of
`gh run view --log`, the zip of a run's logs, or a folder of these; `-` reads it from the standard input.

Exit code: 0 recognised, 1 not recognised, 4 no log.
"""


def explain(arguments: Sequence[str]) -> int:
    """Explain one log; returns the exit code."""
    if list(arguments) in (["-h"], ["--help"]):
        sys.stdout.write(EXPLAIN_USAGE)
        return 0
    names = [argument for argument in arguments if argument != "--json"]
    if len(names) != 1 or (names[0].startswith("-") and names[0] != "-"):
        sys.stderr.write(EXPLAIN_USAGE)
        return 4
    try:
        logs, note = _logs_of(names[0])
    except NotALog as problem:
        return _refuse(names[0], str(problem))
    except OSError as error:
        return _refuse(names[0], (error.strerror or type(error).__name__).lower())
    job, lines, explanation = _decisive(logs)
    command = _command(lines)
    if "--json" in arguments:
        sys.stdout.write(json.dumps(_as_json(job, explanation, command), indent=2) + "\n")
    else:
        sys.stdout.write("\n".join([*([note] if note else []), *_as_text(job, explanation, command)]) + "\n")
    return 0 if explanation.known else 1


def _as_text(job: str | None, explanation: Explanation, command: list[str] | None) -> Iterator[str]:
    known = explanation.known
    yield f"scenario: {known.scenario if known else 'not recognised'}"
    if known:
        yield from (f"meaning:  {known.meaning}", f"next:     {known.fix}", f"version:  {known.version.value}")
    if job:
        yield f"job:      {sanitize(job, 200)}"
    if explanation.step:
        yield f"step:     {sanitize(explanation.step, 200)}"
    where = f" (from line {explanation.line})" if explanation.line else ""
    yield f"lines:{where}" if explanation.lines else "lines:    none that says why"
    yield from (f"  {sanitize(line)}" for line in explanation.lines)
    if command:
        yield f"command:  {quote_or_explain(command)}"


def _as_json(job: str | None, explanation: Explanation, command: list[str] | None) -> dict[str, object]:
    """The explanation as an object; a field that is not known is null."""
    known = explanation.known
    return {
        "scenario": known.scenario if known else None,
        "meaning": known.meaning if known else None,
        "next": known.fix if known else None,
        "version": known.version.value if known else None,
        "job": sanitize(job, 200) if job else None,
        "step": sanitize(explanation.step, 200) if explanation.step else None,
        "line": explanation.line,
        "lines": [sanitize(line) for line in explanation.lines],
        "command": command,
    }


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


HISTORY_USAGE = """usage: release-state history [--version X.Y.Z] [--channel NAME] [--package NAME]
                             [--repository OWNER/NAME] [--reports-dir DIR]

Lists the runs whose reports are in the project's folder: when each was, its verdict, and what had changed since.
Reads the JSON reports and changes nothing; keeping or removing them is yours. A file that is no report is named.

Exit code: 0, also where there is none; 4 on wrong usage.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageProblem(message)


def history(arguments: Sequence[str], environ: Mapping[str, str], cwd: Path) -> int:
    """List the runs; returns the exit code."""
    if any(argument in ("-h", "--help") for argument in arguments):
        sys.stdout.write(HISTORY_USAGE)
        return 0
    parser = _Parser(prog="release-state history", add_help=False, allow_abbrev=False)
    for name in ("--version", "--channel"):
        parser.add_argument(name, action="append", default=[])
    for name in ("--package", "--repository", "--reports-dir"):
        parser.add_argument(name)
    try:
        given = parser.parse_args(arguments)
        versions = [validate.version(text) for text in given.version]
        package = canonicalize_name(validate.package(given.package)) if given.package else None
        named = {"repository": given.repository, "reports-dir": given.reports_dir}
        settings = {key: text for key, text in named.items() if text is not None}
        folder = find_earlier_reports(settings, environ, cwd, find_repository)
        runs, notes = read_reports(folder)
    except UsageProblem as problem:
        sys.stderr.write(f"ERROR: {problem}\n")
        return 4
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        sys.stderr.write(
            f"ERROR: reports folder {sanitize(str(folder), 300)}: {why}: give another with --reports-dir\n"
        )
        return 4

    def wanted(key: str) -> bool:
        name, _, rest = key.partition("==")
        version, _, channel = rest.rpartition("@")
        return (
            (package is None or name == package)
            and (not versions or version in versions)
            and (not given.channel or channel in given.channel or "all" in given.channel)
        )

    told = _told(runs, wanted_keys=[key for key in _keys(runs) if wanted(key)])
    if not told:
        there = join_items(sanitize(key, 100) for key in _keys(runs))
        others = (
            f"; there are those of {there}" if there else ": the first run writes one; --reports-dir looks elsewhere"
        )
        told = [f"no report of such a run in {sanitize(str(folder), 300)}{others}"]
    sys.stdout.write("\n".join(told) + "\n")
    sys.stderr.write("".join(f"note: {note}\n" for note in notes))
    return 0


def _keys(runs: Sequence[PastRun]) -> list[str]:
    return list(dict.fromkeys(record.key for run in runs for record in run.records))


def _told(runs: Sequence[PastRun], wanted_keys: Sequence[str]) -> list[str]:
    """The lines to print: for each target its runs, oldest first."""
    lines: list[str] = []
    for key in wanted_keys:
        lines += ([""] if lines else []) + [sanitize(key, 200)]
        before: tuple[PastRun, Record] | None = None
        for run in runs:
            record = run.of(key)
            if record is None:
                continue
            when = f"{run.started_at.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
            words = f"{sanitize(record.verdict, 60)} ({sanitize(name_phase(record.phase), 20)})"
            lines.append(f"  {when}  {words}  {sanitize(run.path.name, 200)}")
            if not record.is_whole:
                lines.append(f"    {'part of its checks' if record.checks else 'nothing'} was run")
            elif before is None:
                lines.append("    the first report")
            else:
                lines.append(
                    f"    {sanitize(find_changes(before[1], record, before[0].started_at, before[0].path.name).words)}"
                )
            if record.is_whole:
                before = run, record
    return lines
