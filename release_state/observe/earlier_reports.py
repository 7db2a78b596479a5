"""Read the reports of earlier runs in a folder; nothing is changed, moved or deleted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import ValidationError, convert

from release_state.common import disk
from release_state.common.strict import decode_json, describe_invalid, is_sane
from release_state.common.text import sanitize
from release_state.model.observation import AwareDatetime, Model
from release_state.model.record import PastRun, Record

LARGEST = 32 * 2**20
"""The most bytes of a file."""
FORMAT = 1
_OTHER_KINDS = {"release_state_audit", "release_state_fleet"}
_COPIES = {"latest.json", "latest-audit.json", "latest-fleet.json"}
"""Copies of the latest reports."""
_MOST_READ = 50
_STAMP = re.compile(r"-(\d{8}T\d{6}Z)(?:-\d+)?\.json")


class NotAReport(ValueError):  # noqa: N818 - a statement about a file, which is skipped with a note
    """The file is not a report that this version reads; the text says why."""


class OtherKind(NotAReport):
    """The file is the report of an audit or a fleet, not of one version."""


class Unfinished(NotAReport):
    """The file is still empty: its run is not finished, or was killed."""


class _Run(Model, forbid_unknown_fields=False):
    started_at: AwareDatetime


class _Document(Model, forbid_unknown_fields=False):
    run: _Run
    targets: tuple[Record, ...]


def read_report(path: Path) -> PastRun:
    """Read one report. Raises OSError, and NotAReport for a foreign file, another format or a truncated file."""
    content = _read(path)
    if isinstance(content, dict) and content.keys() & _OTHER_KINDS:
        raise OtherKind("the report of an audit or of a fleet")
    if not isinstance(content, dict) or "release_state_report" not in content:
        raise NotAReport("not a report of release-state")
    if (found := content["release_state_report"]) != FORMAT:
        raise NotAReport(f"format {sanitize(repr(found), 40)}, this version of release-state reads {FORMAT}")
    try:
        document = convert(content, _Document)
    except ValidationError as error:
        raise NotAReport(f"a damaged report: {describe_invalid(error)}") from None
    if not is_sane(document.run.started_at):
        raise NotAReport("a damaged report: run.started_at: no moment that can be")
    return PastRun(path, document.run.started_at, document.targets)


def read_reports(folder: Path) -> tuple[list[PastRun], list[str]]:
    """Return every report of a folder, oldest first, and a note for each other `.json` file. Raises OSError."""
    runs, notes = [], []
    for path in _list_files(folder):
        try:
            runs.append(read_report(path))
        except OtherKind:
            continue
        except (NotAReport, OSError) as problem:
            notes.append(_describe(path, problem))
    return sorted(runs, key=lambda run: (run.started_at, run.path.name)), notes


def find_newest_whole(folder: Path, now: Mapping[str, Record], own: Path) -> tuple[dict[str, PastRun], list[str]]:
    """Return for each target the newest earlier run that ran all of its checks, and a note for each skipped file.

    `now` is what this run says, by key, and `own` its report. A target with unrun checks has no entry. Files with the
    name of a report are read only for these versions, newest first; all other files are read. Raises OSError.
    """
    wanted = [key for key, record in now.items() if record.is_whole]
    found: dict[str, PastRun] = {}
    notes: list[str] = []
    for path in sorted(_list_files(folder), key=_newest_first) if wanted else ():
        named = bool(_STAMP.search(path.name))
        if path == own or (named and not any(_may_hold(path.name, key) for key in wanted)):
            continue
        if named and len(found) == len(wanted):
            break
        try:
            run = read_report(path)
        except (Unfinished, OtherKind):
            continue
        except (NotAReport, OSError) as problem:
            notes += [_describe(path, problem)] if named else []
            continue
        for key in wanted:
            then = run.of(key)
            if then and then.is_whole and (key not in found or found[key].started_at < run.started_at):
                found[key] = run
    return found, notes


def find_newest(folder: Path, key: str, fits: Callable[[Record], bool]) -> PastRun | None:
    """Return the newest run whose record of the target `fits`, of its last fifty readable reports. Raises OSError."""
    looked = 0
    for path in sorted(_list_files(folder), key=_newest_first):
        if not _may_hold(path.name, key) or looked == _MOST_READ:
            continue
        looked += 1
        try:
            run = read_report(path)
        except (NotAReport, OSError):
            continue
        if (then := run.of(key)) and fits(then):
            return run
    return None


def _may_hold(name: str, key: str) -> bool:
    package, _, rest = key.partition("==")
    version = rest.rpartition("@")[0].replace("!", "_")
    return name.startswith(f"{package}-{version}-") or (name.startswith(f"{package}-") and "-more-" in name)


def _newest_first(path: Path) -> tuple[bool, int, str]:
    stamped = _STAMP.search(path.name)
    number = int(re.sub(r"\D", "", stamped[1])) if stamped else 0
    return bool(stamped), -number, path.name


def _list_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.suffix == ".json" and path.name not in _COPIES:
            yield path


def _describe(path: Path, problem: Exception) -> str:
    why = problem.strerror or str(problem) if isinstance(problem, OSError) else str(problem)
    return f"{sanitize(path.name, 200)} skipped: {why}"


def _read(path: Path) -> Any:
    if (file := disk.open_regular(path)) is None:
        raise NotAReport("not a file")
    with file:
        data = file.read(LARGEST + 1)
    if not data:
        raise Unfinished("empty: of a run that is still at work, or that was killed")
    if len(data) > LARGEST:
        raise NotAReport(f"larger than {LARGEST} bytes")
    try:
        return decode_json(data)
    except ValueError:
        raise NotAReport("not a whole JSON document; was it truncated?") from None
