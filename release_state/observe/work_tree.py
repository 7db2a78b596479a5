"""What differs in a work tree: `git status` without filter drivers, and Git LFS worked out here."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from release_state.observe.git_messages import GitFailed, readable

if TYPE_CHECKING:
    from release_state.observe.clone import CloneReader

_STATUS = (
    "status",
    "--porcelain=v2",
    "-z",
    "--no-ahead-behind",
    "--no-renames",
    "--ignored=no",
    # Git would start another git in each submodule, under that submodule's own configuration.
    "--ignore-submodules=dirty",
)
_POINTER_LIMIT = 1024


@dataclass(frozen=True)
class Changes:
    """Paths relative to the top, as text; all of them."""

    changed: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()


def read_changes(reader: CloneReader, top: Path, reports_dir: Path | None) -> Changes:
    """
    The tracked paths that differ and the untracked ones, without what lies below the reports folder.

    Raises GitFailed where it cannot be told without running a filter driver that the clone names.
    """
    reports = _relative(reports_dir, top)
    tracked, untracked = parse_status(reader.run(*_STATUS, "--untracked-files=normal").output)
    tracked = [entry for entry in tracked if not _below(entry.path, reports)]
    changed = [entry.path for entry in tracked if not entry.only_by_content]
    changed += _really_changed(reader, top, [entry for entry in tracked if entry.only_by_content], bool(changed))
    kept = [path for path in untracked if not _below(path, reports) and not _only_reports(reader, top, path, reports)]
    return Changes(tuple(readable(path) for path in sorted(changed)), tuple(readable(path) for path in kept))


@dataclass(frozen=True)
class Entry:
    """A tracked path that git calls different, and the object that the index holds for it."""

    path: bytes
    only_by_content: bool
    """The index equals HEAD, the file is there and of the same kind: only what it holds differs."""
    index_object: str = ""


def parse_status(output: bytes) -> tuple[list[Entry], list[bytes]]:
    """
    The tracked and untracked paths of `git status --porcelain=v2 -z`.

    Raises GitFailed on an entry of a kind that is not known.
    """
    tracked: list[Entry] = []
    untracked: list[bytes] = []
    fields = iter(output.split(b"\0"))
    for entry in fields:
        kind = entry[:2]
        if kind == b"1 " and len(parts := entry.split(b" ", 8)) == 9:
            only = parts[1] == b".M" and parts[2] == b"N..." and parts[4] == parts[5]
            tracked.append(Entry(parts[8], only, readable(parts[7])))
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


def _really_changed(reader: CloneReader, top: Path, entries: list[Entry], others: bool) -> list[bytes]:
    """Those that differ also when what a filter driver would do is taken into account."""
    filters = _filters(reader, top, entries)
    changed: list[bytes] = []
    unclear: list[bytes] = []
    for entry in entries:
        driver = filters.get(entry.path)
        if driver is None:
            changed.append(entry.path)
        elif driver != b"lfs":
            unclear.append(entry.path)
        elif _lfs_pointer(top / os.fsdecode(entry.path)) != _blob(reader, entry.index_object):
            changed.append(entry.path)
    if unclear and not changed and not others:
        raise GitFailed(
            f"whether {readable(unclear[0])} differs cannot be told without running a filter that the clone names",
            "run git status yourself in the clone; a clean one will then be seen as clean",
        )
    return changed + unclear


def _filters(reader: CloneReader, top: Path, entries: list[Entry]) -> dict[bytes, bytes]:
    """The filter driver of each path that has one and whose driver is configured. Reading attributes runs nothing."""
    if not entries:
        return {}
    stdin = b"".join(entry.path + b"\0" for entry in entries)
    values = reader.run("check-attr", "-z", "--stdin", "filter", stdin=stdin, cwd=top).output.split(b"\0")
    configured = {os.fsencode(name[7:].rpartition(".")[0]) for name in reader.config if name.startswith("filter.")}
    found = zip(values[0::3], values[2::3], strict=False)
    return {path: driver for path, driver in found if driver in configured}


def _lfs_pointer(path: Path) -> bytes | None:
    """What `git lfs clean` makes of a file: its pointer. None where it cannot be read."""
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
                size += len(block)
    except OSError:
        return None
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest.hexdigest()}\nsize {size}\n".encode()


def _blob(reader: CloneReader, name: str) -> bytes:
    size = reader.run("cat-file", "-s", name).text.strip()
    return reader.run("cat-file", "blob", name).output if int(size) <= _POINTER_LIMIT else b""


def _relative(reports_dir: Path | None, top: Path) -> bytes | None:
    """The reports folder relative to the top; None where it is elsewhere, or is the top or above it."""
    if reports_dir is None:
        return None
    for folder, root in ((reports_dir.absolute(), top), (reports_dir.resolve(), top.resolve())):
        if folder != root and folder.is_relative_to(root):
            return os.fsencode(folder.relative_to(root))
    return None


def _below(path: bytes, folder: bytes | None) -> bool:
    return folder is not None and (path.rstrip(b"/") == folder or path.startswith(folder + b"/"))


def _only_reports(reader: CloneReader, top: Path, path: bytes, reports: bytes | None) -> bool:
    """Whether an untracked folder, which git names without looking inside, holds nothing but the reports folder."""
    if reports is None or not path.endswith(b"/") or not reports.startswith(path):
        return False
    arguments = ("--literal-pathspecs", *_STATUS, "--untracked-files=all", "--", os.fsdecode(path))
    inside = reader.run(*arguments, cwd=top)
    paths: Iterable[bytes] = parse_status(inside.output)[1]
    return all(_below(found, reports) for found in paths)
