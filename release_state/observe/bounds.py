"""How much memory a run and the programs that it starts may take: the one place where that is said."""

from __future__ import annotations

from collections.abc import Sequence

from release_state.common.strict import loads

LISTING_MEMORY = 256 * 2**20
"""Bytes for a git that only asks a remote for its refs: a few hundred bytes for each of them."""

GIT_MEMORY = 2**30
"""Bytes for any other git: walking a history takes about 400 bytes for each of its objects."""

RUN_MEMORY = 512 * 2**20
"""Bytes that the run itself stays below: each answer has a limit of its own, and of what it may hold."""

MOST_VALUES = 2_000_000
"""Of a JSON answer: a few bytes of it can become a hundred in memory. The largest pages hold some 400,000."""

MOST_FILES = 200_000
"""Of a project on an index. The largest have some 30,000."""

PIP_MEMORY = 2**31
"""Bytes for pip, and for what builds a package where that is allowed."""

_LIMITED = 'ulimit -d "$1" 2>/dev/null; test "$2" = 0 || ulimit -f "$2" 2>/dev/null; shift 2; exec "$@"'


def with_memory(command: Sequence[str], most: int, *, file_size: int = 0) -> list[str]:
    """
    The command, in which no process can take more than `most` bytes of memory: it, and each of those it starts.
    Nor can one write a file of more than `file_size` bytes; 0: of any size.

    The kernel refuses what is more (Linux, RLIMIT_DATA: what a process has for itself alone, not files that it maps);
    the program then ends with a message of its own. Where a lower limit is in force, that one stays.
    """
    # Not `preexec_fn`, which can hang a process with threads, and not a limit that is set from here once the program
    # runs: what it had started by then would have none. The shell gives its place up to the program: the same process.
    return ["/bin/sh", "-c", _LIMITED, "sh", str(most >> 10), str(file_size >> 9), *command]


def loaded_json(body: bytes) -> object:
    """
    The JSON of an answer.

    Raises ValueError where it is none, or holds more values than a run can keep.
    """
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MOST_VALUES:
        raise ValueError("more values than a run can keep")
    return loads(body)
