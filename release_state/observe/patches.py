"""Which commits of a branch hold a change that the base does not hold: by patch equivalence, squashes included."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from release_state.observe.git_command import GitFailed, readable
from release_state.observe.git_store import Store
from release_state.snapshot import Commit

_RAW = ("--raw", "-r", "-z", "--no-renames", "--no-abbrev", "--no-color")
_PATCH = ("-p", "-r", "--no-renames", "--full-index", "--no-color", "--no-textconv", "--no-ext-diff", "--no-commit-id")
_MOST_MERGES = 100


@dataclass(frozen=True)
class Change:
    """A commit and what it changes: `files` holds, by path, git's raw entry (modes, objects, kind of change)."""

    commit: Commit
    files: dict[bytes, bytes]


def unmerged_commits(store: Store, base: str, head: str) -> list[Commit]:
    """
    The commits of `head` whose change `base` lacks, newest first.

    Equivalent are: a commit with the same patch (`git cherry`), and one commit on the base with the patch of the whole
    branch (a squash merge). An empty commit holds no change; a merge commit does where it differs from both sides.
    """
    alone = ("rev-list", "--cherry-pick", "--right-only", "--no-merges", f"{base}...{head}", "--")
    names = store.run(*alone, may_fetch=True).text.split()
    changes = [change for change in read_changes(store, names) if change.files]
    merges = _merges_of_their_own(store, base, head)
    if (changes or merges) and _is_squashed(store, base, head):
        return []
    return [change.commit for change in changes] + [change.commit for change in read_changes(store, merges)]


def read_changes(store: Store, names: Sequence[str]) -> list[Change]:
    """The commits of these names with the files that they change; of a merge, none."""
    if not names:
        return []
    form = "--format=%x01%H %ct %s%x02"
    stdin = "".join(f"{name}\n" for name in names).encode()
    options = ("--no-walk=unsorted", "--stdin", "--encoding=UTF-8", "--no-mailmap", "--no-notes", "--no-show-signature")
    output = store.run("log", *options, form, *_RAW, stdin=stdin).output
    return [_change(block) for block in re.split(rb"(?:\A|\0)\0?\x01(?=[0-9a-f]{40})", output) if block.strip(b"\0\n")]


def _change(block: bytes) -> Change:
    header, _, rest = block.partition(b"\x02")
    sha, seconds, subject = [*header.split(b" ", 2), b"", b""][:3]
    commit = Commit(sha=readable(sha), subject=readable(subject), committed_at=_moment(seconds))
    return Change(commit, parse_raw(rest))


def parse_raw(output: bytes) -> dict[bytes, bytes]:
    """Raw entries by path, from `--raw -z --no-renames`."""
    fields = output.lstrip(b"\0\n").split(b"\0")
    return {path: entry for entry, path in zip(fields[0::2], fields[1::2], strict=False) if entry.startswith(b":")}


def _moment(seconds: bytes) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), timezone.utc)
    except (ValueError, OverflowError, OSError):
        # A commit can claim any date.
        return datetime.fromtimestamp(0, timezone.utc)


def _merges_of_their_own(store: Store, base: str, head: str) -> list[str]:
    """Merge commits whose result is on neither side: a conflict solved, or a change slipped in."""
    most = f"--max-count={_MOST_MERGES}"
    merges = store.run("rev-list", "--merges", "--right-only", most, f"{base}...{head}", "--").text.split()
    show = ("diff-tree", "--cc", *_PATCH)
    return [merge for merge in merges if store.run(*show, merge, "--", may_fetch=True, first=1).output]


def _is_squashed(store: Store, base: str, head: str) -> bool:
    """Whether one commit on the base since the branch left it makes the change of the whole branch."""
    fork = store.run("merge-base", base, head, accept=(0, 1)).text.strip()
    if not fork:
        return False
    whole = parse_raw(store.run("diff-tree", *_RAW, fork, head, "--").output)
    if not whole:
        return False
    names = store.run("rev-list", "--no-merges", f"{fork}..{base}", "--").text.split()
    # Which files it touches is known without their contents; only where that agrees are patches compared.
    alike = [change for change in read_changes(store, names) if change.files.keys() == whole.keys()]
    if any(change.files == whole for change in alike):
        return True
    try:
        wanted = list(patch_signature(_patch(store, fork, head))) if alike else []
        return any(list(patch_signature(_patch(store, change.commit.sha))) == wanted for change in alike)
    except GitFailed as failed:
        if failed.stopped == "too much":
            # Not compared is not equal: the commits then stay on the list of what is to be looked at.
            return False
        raise


def _patch(store: Store, *commits: str) -> bytes:
    root = ("--root",) if len(commits) == 1 else ()
    return store.run("diff-tree", *_PATCH, *root, *commits, "--", may_fetch=True).output


def patch_signature(patch: bytes) -> Iterator[bytes]:
    """
    The lines of a patch that make it what it is, wherever in its files it applies.

    As `git patch-id` does, without line numbers and white space; of binary files the objects count, which older
    versions of `git patch-id` leave out.
    """
    index = b""
    for line in patch.split(b"\n"):
        if line.startswith(b"index "):
            index = line
        elif line.startswith(b"Binary files "):
            yield index
            yield line
        elif line.startswith(b"@@ "):
            yield b"@@"
        else:
            yield re.sub(rb"\s+", b"", line)
