"""Find what differs in a work tree, whatever hides it: `git status` without filter drivers, and Git LFS computed here.

Marks and settings of the clone can hide changes from `git status`. Marked entries are compared by content. Settings are
overridden: see `environment.py` for those that are the same in every clone.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from release_state.observe.git.command import GitFailed, decode_output
from release_state.observe.git.hidden_entries import Entry, find_hidden_changes, find_reports_path, is_own_report
from release_state.observe.git.objects import Objects
from release_state.observe.git.reader import CloneReader

_STATUS = (
    "status",
    "--porcelain=v2",
    "-z",
    "--no-ahead-behind",
    "--no-renames",
    "--ignored=no",
    # Otherwise git starts another git in each submodule, with that submodule's configuration.
    "--ignore-submodules=dirty",
)
_HEAD = re.compile(rb"# branch\.oid ([0-9a-f]{40,64}|\(initial\))\0# branch\.head ([^\0]+)\0")
_POINTER_LIMIT = 1024


_REGULAR = {b"100644", b"100755"}
_SHOWING = {"core.checkstat": "core.checkStat=default", "core.trustctime": "core.trustctime=true"}
"""Settings with which `git status` can miss a change, and what shows it all the same."""


class WorkTreeChanges(Struct, frozen=True):
    """Paths relative to the top, as text; all of them."""

    changed: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()
    """Those of the changed that git does not show because of a mark (assume-unchanged, skip-worktree)."""
    at: tuple[str | None, str | None] | None = None
    """The branch and the commit of HEAD, if `git status` says both for certain."""
    showing: tuple[str, ...] = ()
    """Settings (`name=value`) that git needs to show a change that the clone's own settings may hide."""


def read_changes(reader: CloneReader, top: Path, reports_dir: Path | None) -> WorkTreeChanges:
    """Return what differs, without reports. Raises GitFailed if only a filter driver could tell; none is run."""
    reports = find_reports_path(reports_dir, top)
    modes = "core.fileMode=true"
    status = reader.run("-c", modes, *_STATUS, "--branch", "--untracked-files=normal").output
    at = _find_head(status)
    hides_modes = bool(changed_modes := _find_changed_modes(status)) and reader.switch("core.fileMode") == "false"
    if hides_modes and not _keeps_modes(reader, top, changed_modes):
        modes = "core.fileMode=false"
        status = reader.run("-c", modes, *_STATUS, "--untracked-files=normal").output
    tracked, untracked = parse_status(status)
    marked = find_hidden_changes(reader, top, modes)
    entries = [entry for entry in (*tracked, *marked) if not is_own_report(entry.path, reports, top)]
    changed = [entry.path for entry in entries if not entry.only_by_content]
    changed += _find_changed(reader, top, [entry for entry in entries if entry.only_by_content], bool(changed))
    changed = sorted(set(changed))
    hidden = {entry.path for entry in marked}
    kept = [path for path in untracked if not _is_only_reports(reader, top, path, reports)]
    # Our own setting is listed too: a second one is the clone's.
    showing = [shown for name, shown in _SHOWING.items() if reader.config.count(name) > 1]
    if hides_modes and modes.endswith("true"):
        showing.append(modes)
    return WorkTreeChanges(
        tuple(decode_output(path) for path in changed),
        tuple(decode_output(path) for path in kept),
        tuple(decode_output(path) for path in changed if path in hidden),
        at,
        tuple(showing),
    )


def _find_head(status: bytes) -> tuple[str | None, str | None] | None:
    found = _HEAD.match(status)
    # In parentheses it is detached, or on no branch, or on a branch of such a name.
    if found is None or found[2].startswith(b"("):
        return None
    return decode_output(found[2]), None if found[1] == b"(initial)" else decode_output(found[1])


def _find_changed_modes(status: bytes) -> list[bytes]:
    """Return the paths of files that are executable while the index says that they are not, or the other way round."""
    entries = (entry.split(b" ", 8) for entry in status.split(b"\0") if entry.startswith(b"1 .M N... "))
    return [parts[8] for parts in entries if parts[4] != parts[5] and {parts[4], parts[5]} <= _REGULAR]


def _keeps_modes(reader: CloneReader, top: Path, paths: list[bytes]) -> bool:
    """Return whether the file system shows that it keeps modes: some files are executable, and HEAD is not."""
    hooks = reader.git_dir / "hooks"
    others = list(hooks.iterdir()) if hooks.is_dir() else []
    executable = any(os.access(path, os.X_OK) for path in (*others, *(top / os.fsdecode(path) for path in paths)))
    return executable and not (reader.git_dir / "HEAD").stat().st_mode & 0o111


def parse_status(output: bytes) -> tuple[list[Entry], list[bytes]]:
    """Return the tracked and untracked paths of `git status --porcelain=v2 -z`. Raises GitFailed."""
    tracked: list[Entry] = []
    untracked: list[bytes] = []
    fields = iter(output.split(b"\0"))
    for entry in fields:
        kind = entry[:2]
        if kind == b"1 " and len(parts := entry.split(b" ", 8)) == 9:
            only = parts[1] == b".M" and parts[2] == b"N..." and parts[4] == parts[5]
            tracked.append(Entry(parts[8], only, decode_output(parts[7])))
        elif kind == b"2 " and len(parts := entry.split(b" ", 9)) == 10:
            next(fields, None)
            tracked.append(Entry(parts[9], False))
        elif kind == b"u " and len(parts := entry.split(b" ", 10)) == 11:
            tracked.append(Entry(parts[10], False))
        elif kind == b"? ":
            untracked.append(entry[2:])
        elif entry and kind not in (b"# ", b"! "):
            raise GitFailed("git status answered an entry of an unknown kind")
    return tracked, untracked


def _find_changed(reader: CloneReader, top: Path, entries: list[Entry], others: bool) -> list[bytes]:
    filters = _find_filters(reader, top, entries)
    changed: list[bytes] = []
    unclear: list[bytes] = []
    with closing(Objects(reader.git_dir, reader.env)) as objects:
        for entry in entries:
            driver = filters.get(entry.path)
            if driver is None:
                changed.append(entry.path)
            elif driver != b"lfs":
                unclear.append(entry.path)
            elif _make_lfs_pointer(top / os.fsdecode(entry.path)) != _read_pointer(reader, objects, entry.index_object):
                changed.append(entry.path)
    if unclear and not changed and not others:
        raise GitFailed(
            f"unknown whether {decode_output(unclear[0])} differs, without running a filter that the clone configures",
            "run git -c core.checkStat=default -c core.trustctime=true status yourself in the clone: a clean one is "
            "then seen as clean, unless git ls-files -v marks the file",
        )
    return changed + unclear


def _find_filters(reader: CloneReader, top: Path, entries: list[Entry]) -> dict[bytes, bytes]:
    """Return the configured filter driver of each path that has one. Reading attributes runs nothing."""
    if not entries:
        return {}
    stdin = b"".join(entry.path + b"\0" for entry in entries)
    values = reader.run("check-attr", "-z", "--stdin", "filter", stdin=stdin, cwd=top).output.split(b"\0")
    configured = {os.fsencode(name[7:].rpartition(".")[0]) for name in reader.config if name.startswith("filter.")}
    found = zip(values[0::3], values[2::3], strict=False)
    return {path: driver for path, driver in found if driver in configured}


def _make_lfs_pointer(path: Path) -> bytes | None:
    """Return the pointer that `git lfs clean` makes of a file; None if it cannot be read."""
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
                size += len(block)
    except OSError:
        return None
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest.hexdigest()}\nsize {size}\n".encode()


def _read_pointer(reader: CloneReader, objects: Objects, name: str) -> bytes:
    if (found := objects.read(reader.git, name, _POINTER_LIMIT + 1)) is None:
        raise GitFailed(f"the object {name} is missing")
    return found.data if len(found.data) <= _POINTER_LIMIT else b""


def _is_only_reports(reader: CloneReader, top: Path, path: bytes, reports: bytes | None) -> bool:
    """Return whether an untracked path is a report, or a folder of nothing but reports: git names only the folder."""
    if not path.endswith(b"/") or reports is None:
        return is_own_report(path, reports, top)
    if not (reports + b"/").startswith(path):
        return False
    arguments = ("--literal-pathspecs", *_STATUS, "--untracked-files=all", "--", os.fsdecode(path))
    inside = parse_status(reader.run(*arguments, cwd=top).output)[1]
    return all(is_own_report(found, reports, top) for found in inside)
