"""Compare by content the entries of the index that git was told to skip: assume-unchanged and skip-worktree.

`git status` ignores both. They go into an index of our own in a scratch folder, without marks and times, and git
compares that index with the work tree. The clone's own index is only read.
"""

from __future__ import annotations

import os
import re
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from release_state.common import disk
from release_state.observe.git.command import GitFailed, decode_output
from release_state.observe.git.environment import add_settings
from release_state.observe.git.reader import CloneReader

_OWN_INDEX = (
    # A split index would add a file beside the clone's own; a sparse one would fold folders into one entry.
    ("core.splitIndex", "false"),
    ("core.sparseCheckout", "false"),
    ("index.sparse", "false"),
    ("diff.autoRefreshIndex", "true"),
)
_COMPARE = ("diff", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--ignore-submodules=dirty")


class Entry(Struct, frozen=True):
    """A tracked path that differs for git, and its object in the index."""

    path: bytes
    only_by_content: bool
    """The index equals HEAD, and the file exists and is of the same kind: only its content differs."""
    index_object: str = ""


def find_hidden_changes(reader: CloneReader, top: Path, modes: str) -> list[Entry]:
    """Return the marked entries whose file differs or is missing, unless a sparse checkout leaves it out.

    `modes` is the setting for whether a changed mode is a change. Raises GitFailed.
    """
    skipped, assumed = _list_marked(reader, top)
    absent = {path for path in skipped if not os.path.lexists(top / os.fsdecode(path))}
    looked_at = (skipped - absent) | assumed
    is_sparse = bool(absent) and reader.switch("core.sparseCheckout") == "true"
    changed = [] if is_sparse else [Entry(path, False) for path in sorted(absent)]
    if looked_at:
        changed += _compare_by_content(reader, top, looked_at, modes)
    return changed


def _list_marked(reader: CloneReader, top: Path) -> tuple[set[bytes], set[bytes]]:
    skipped, assumed = set(), set()
    for line in reader.run("ls-files", "-v", "-z", cwd=top).output.split(b"\0"):
        mark, path = line[:1], line[2:]
        if mark in b"Ss" and mark:
            skipped.add(path)
        elif mark.islower():
            assumed.add(path)
    return skipped, assumed


def _compare_by_content(reader: CloneReader, top: Path, paths: set[bytes], modes: str) -> list[Entry]:
    staged = reader.run("ls-files", "--stage", "-z", cwd=top).output.split(b"\0")
    entries = b"".join(entry + b"\0" for entry in staged if entry.partition(b"\t")[2] in paths)
    with TemporaryDirectory(prefix="release-state-") as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        env = add_settings({**reader.env, **index}, _OWN_INDEX)
        reader.git.run("update-index", "-z", "--index-info", cwd=top, env=env, stdin=entries)
        found = reader.git.run("-c", modes, *_COMPARE, cwd=top, env=env).output.split(b"\0")
    return [_entry(facts, path) for facts, path in zip(found[0::2], found[1::2], strict=False)]


def _entry(facts: bytes, path: bytes) -> Entry:
    """Return an entry of `git diff --raw -z`: `:100644 100644 <object> <zeros> M`."""
    parts = facts.removeprefix(b":").split(b" ")
    if len(parts) != 5 or not facts.startswith(b":"):
        raise GitFailed("git diff answered an entry of an unknown kind")
    return Entry(path, parts[4] == b"M" and parts[0] == parts[1], decode_output(parts[2]))


_NAME = re.compile(
    rb"(?:.+-\d{8}T\d{6}Z(?:-\d+)?|latest(?:-audit|-fleet)?)\.(json|html)|\.release-state-\w+", re.DOTALL
)
_JSON = re.compile(rb'\s*\{\s*"release_state_(?:report|audit|fleet)"\s*:')
_HTML = re.compile(rb"\s*<!doctype html>", re.IGNORECASE)
_BEGINNING = 200


def find_reports_path(reports_dir: Path | None, top: Path) -> bytes | None:
    """The reports folder relative to the top of the work tree, empty for the top itself; None if it is elsewhere."""
    if reports_dir is None:
        return None
    for folder, root in ((reports_dir.absolute(), top), (reports_dir.resolve(), top.resolve())):
        if folder.is_relative_to(root):
            found = os.fsencode(folder.relative_to(root))
            return b"" if found == b"." else found
    return None


def is_own_report(path: bytes, reports: bytes | None, top: Path) -> bool:
    """Return whether a path is a report, directly in the reports folder, by its name and first bytes."""
    # A page counts only with its document beside it. The document that a run has reserved is still empty.
    folder, _, name = path.rpartition(b"/")
    if reports is None or folder != reports or (found := _NAME.fullmatch(name)) is None:
        return False
    file = top / os.fsdecode(path)
    begins = _read_beginning(file)
    if begins is None:
        return False
    if found[1] == b"html":
        beside = path[: -len(b"html")] + b"json"
        return bool(_HTML.match(begins)) and is_own_report(beside, reports, top)
    is_reserved = begins == b"" and not name.startswith(b"latest")
    return is_reserved or bool(_JSON.match(begins)) or (found[1] is None and bool(_HTML.match(begins)))


def _read_beginning(path: Path) -> bytes | None:
    try:
        with disk.open_regular(path) or nullcontext() as file:
            return file.read(_BEGINNING) if file else None
    except OSError:
        return None
