"""The command `release-state history`, which contacts nothing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import timezone
from pathlib import Path
from typing import Any, NoReturn

from packaging.utils import canonicalize_name

from release_state.common.errors import UsageProblem
from release_state.common.text import join_items, sanitize
from release_state.model.outcome import name_phase
from release_state.model.record import PastRun, Record
from release_state.observe.earlier_reports import read_reports
from release_state.observe.git.reader import find_repository
from release_state.settings import validate
from release_state.settings.reports import find_earlier_reports
from release_state.verdict.changes import find_changes

USAGE = """usage: release-state history [--version X.Y.Z] [--channel NAME] [--package NAME]
                             [--repo PATH] [--repository OWNER/NAME] [--reports-dir DIR]

Lists the runs whose reports are in the project's folder: when each was, its verdict, and what had changed since.
Reads the JSON reports and changes nothing; keeping or removing them is yours. A file that is no report is named.

Exit code: 0, also where there is none; 4 on wrong usage.
"""


OPTIONS = ("--version", "--channel", "--package", "--repo", "--repository", "--reports-dir")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageProblem(message)


def history(arguments: Sequence[str], environ: Mapping[str, str], cwd: Path) -> int:
    """List the runs; returns the exit code."""
    if any(argument in ("-h", "--help") for argument in arguments):
        sys.stdout.write(USAGE)
        return 0
    parser = _Parser(prog="release-state history", add_help=False, allow_abbrev=False)
    for name in OPTIONS:
        many: dict[str, Any] = {"action": "append", "default": []} if name in OPTIONS[:2] else {}
        parser.add_argument(name, **many)
    try:
        given, unknown = parser.parse_known_args(arguments)
        if unknown:
            raise UsageProblem(validate.describe_unknown(unknown[0], OPTIONS))
        versions = [validate.version(text) for text in given.version]
        package = canonicalize_name(validate.package(given.package)) if given.package else None
        named = {"repository": given.repository, "reports-dir": given.reports_dir}
        settings = {key: text for key, text in named.items() if text is not None}
        folder = find_earlier_reports(settings, environ, cwd, find_repository, given.repo)
        has_none = given.reports_dir is None and not folder.exists()  # no run has been made yet
        runs, notes = ([], []) if has_none else read_reports(folder)
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
