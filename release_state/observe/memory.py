"""A bound on the memory of programs: git keeps whatever a remote sends it, unpacked, until it has seen the end."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

REFS = 512 * 2**20
"""Bytes for a list of refs: some million of them."""
COMMITS = 4 * 2**30
"""Bytes for fetching commits and trees: those of the largest histories there are."""


def bound(group: int, limit: int) -> None:
    """
    Let a process and those that it started, and will start, allocate so many bytes each, and fail beyond.

    Not by a limit that the process is started with: Python sets one only in a fork of its own, which is not safe beside
    threads. On Linux alone; elsewhere, and for what has ended meanwhile, it does nothing.
    """
    prlimit = getattr(resource, "prlimit", None)
    if prlimit is None:
        return
    waiting = [group]
    while waiting:
        process = waiting.pop()
        with suppress(OSError, ValueError):
            prlimit(process, resource.RLIMIT_DATA, (limit, limit))
            children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
            waiting += map(int, children.split())
