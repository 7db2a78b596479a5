"""Entries of the index that git was told not to look at: assume-unchanged and skip-worktree, compared by content.

`git status` passes over both. They are put into an index of our own in a scratch folder, without the marks and without
times, and git compares that one with the work tree; the clone's own index is only read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from release_state.observe.git_environment import with_settings
from release_state.observe.git_messages import GitFailed, readable

if TYPE_CHECKING:
    from release_state.observe.clone import CloneReader

_OWN_INDEX = (
    # A split index would put a file beside the clone's own, and a sparse one would fold what is looked at.
    ("core.splitIndex", "false"),
    ("core.sparseCheckout", "false"),
    ("index.sparse", "false"),
    ("diff.autoRefreshIndex", "true"),
)
_COMPARE = ("diff", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--ignore-submodules=dirty")


@dataclass(frozen=True)
class Entry:
    """A tracked path that git calls different, and the object that the index holds for it."""

    path: bytes
    only_by_content: bool
    """The index equals HEAD, the file is there and of the same kind: only what it holds differs."""
    index_object: str = ""


def hidden_changes(reader: CloneReader, top: Path, modes: str) -> list[Entry]:
    """
    The entries with one of the marks whose file differs from the index.

    A file that is not there is a change as well, unless a sparse checkout leaves it out. `modes` is the setting
    that says whether a changed mode is a change. Raises GitFailed.
    """
    skipped, assumed = _marked(reader, top)
    absent = {path for path in skipped if not os.path.lexists(top / os.fsdecode(path))}
    looked_at = (skipped - absent) | assumed
    changed = [] if not absent or _is_sparse(reader) else [Entry(path, False) for path in sorted(absent)]
    if looked_at:
        changed += _compared(reader, top, looked_at, modes)
    return changed


def _marked(reader: CloneReader, top: Path) -> tuple[set[bytes], set[bytes]]:
    """The paths that are marked skip-worktree, and those that are assumed to be unchanged, and nothing else."""
    skipped, assumed = set(), set()
    for line in reader.run("ls-files", "-v", "-z", cwd=top).output.split(b"\0"):
        mark, path = line[:1], line[2:]
        if mark in b"Ss" and mark:
            skipped.add(path)
        elif mark.islower():
            assumed.add(path)
    return skipped, assumed


def _is_sparse(reader: CloneReader) -> bool:
    said = reader.run("config", "--get", "--type=bool", "core.sparseCheckout", accept=(0, 1, 128))
    return said.text.strip() == "true"


def _compared(reader: CloneReader, top: Path, paths: set[bytes], modes: str) -> list[Entry]:
    staged = reader.run("ls-files", "--stage", "-z", cwd=top).output.split(b"\0")
    entries = b"".join(entry + b"\0" for entry in staged if entry.partition(b"\t")[2] in paths)
    with TemporaryDirectory(prefix="release-state-") as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        env = with_settings({**reader.env, **index}, _OWN_INDEX)
        reader.git.run("update-index", "-z", "--index-info", cwd=top, env=env, stdin=entries)
        found = reader.git.run("-c", modes, *_COMPARE, cwd=top, env=env).output.split(b"\0")
    return [_entry(facts, path) for facts, path in zip(found[0::2], found[1::2], strict=False)]


def _entry(facts: bytes, path: bytes) -> Entry:
    """An entry of `git diff --raw -z`: `:100644 100644 <object> <zeros> M`."""
    parts = facts.removeprefix(b":").split(b" ")
    if len(parts) != 5 or not facts.startswith(b":"):
        raise GitFailed("git diff answered an entry of an unknown kind")
    return Entry(path, parts[4] == b"M" and parts[0] == parts[1], readable(parts[2]))
