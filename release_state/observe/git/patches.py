"""Find the commits of a branch whose change the base lacks: by patch equivalence, squash merges included.

As `git cherry` does, but with the contents of few files, all fetched at once. In a repository without file contents,
git would fetch them one by one, each over its own connection.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timezone
from itertools import islice

from msgspec import Struct

from release_state.common.strict import convert_epoch
from release_state.model.snapshot import Commit
from release_state.observe.git.command import GitFailed, decode_output
from release_state.observe.git.store import Store

RAW = ("--raw", "-r", "-z", "--no-renames", "--no-abbrev", "--no-color", "--ignore-submodules=none")
_PATCH = ("-p", "-r", "--no-renames", "--full-index", "--no-color", "--no-textconv", "--no-ext-diff", "--no-relative")
_MOST_MERGES = 100
_AT_ONCE = 50
_NO_OBJECT = re.compile(rb"0+")

Files = dict[bytes, bytes]
"""Git's raw entry by path: modes, objects and kind of the change."""


class Change(Struct, frozen=True):
    """A commit and the files that it changes; a merge has none."""

    commit: Commit
    files: Files


def find_unmerged_commits(
    store: Store, head: str, ahead: Sequence[str], behind: Sequence[str], fork: str | None
) -> list[Commit]:
    """Return the commits of `head` whose change the base lacks, newest first.

    `ahead` and `behind` are the commits that only `head` and only the base have, `fork` is where the two part.
    The base has a change if one of its commits has the same patch, or the patch of the whole branch (a squash merge).
    An empty commit has no change. A merge commit has one if its result is on neither side.
    """
    # A merge has no files here.
    whole = (f"{head} {fork}",) if fork else ()
    changes = read_changes(store, [*ahead, *behind, *whole])
    if [change.commit.sha for change in changes] != [*ahead, *behind, *(whole and (head,))]:
        raise GitFailed("git diff-tree answered other commits than it was asked for")
    ours = [change for change in changes[: len(ahead)] if change.files]
    merges = read_changes(store, _find_changing_merges(store, ahead))
    if not ours and not merges:
        return []
    theirs = changes[len(ahead) : len(ahead) + len(behind)]
    patches = [Patch((change.commit.sha,), change.files) for change in ours]
    branch = Patch((fork, head), changes[-1].files) if fork and changes[-1].files else None
    if branch:
        patches.append(branch)
    others = [Patch((change.commit.sha,), change.files) for change in theirs if change.files]
    found = find_equivalent(store, patches, others)
    if branch in found:
        return []
    return [change.commit for change, patch in zip(ours, patches, strict=False) if patch not in found] + [
        change.commit for change in merges
    ]


def read_changes(store: Store, names: Sequence[str]) -> list[Change]:
    """Return the commits of these names with the files that they change, in this order.

    A name can be followed by another commit, to compare with instead of the parent.
    """
    if not names:
        return []
    stdin = "".join(f"{name}\n" for name in names).encode()
    options = ("--stdin", "--always", "--root", "--encoding=UTF-8", "--format=%x01%H %ct %s%x02")
    blocks = parse_blocks(store.run("diff-tree", *options, *RAW, stdin=stdin).output)
    return [_change(header, files) for header, files in blocks]


def _change(header: bytes, files: Files) -> Change:
    sha, seconds, subject = [*header.split(b" ", 2), b"", b""][:3]
    at = convert_epoch(seconds) or datetime.fromtimestamp(0, timezone.utc)  # a commit can claim any date
    return Change(Commit(sha=decode_output(sha), subject=decode_output(subject), committed_at=at), files)


def parse_blocks(output: bytes) -> Iterator[tuple[bytes, Files]]:
    """Yield each header with its raw entries by path, from `--format=%x01…%x02 --raw -z --no-renames`."""
    fields = iter(output.split(b"\0"))
    header: bytes | None = None
    files: Files = {}
    for field in fields:
        start = field.lstrip(b"\n")
        if start.startswith(b":"):
            files[next(fields, b"")] = start  # a path may look like anything
        elif start.startswith(b"\x01"):
            if header is not None:
                yield header, files
            header, files = start[1:].removesuffix(b"\x02"), {}
    if header is not None:
        yield header, files


def _find_changing_merges(store: Store, commits: Iterable[str]) -> list[str]:
    """Merge commits whose result is on neither side: a resolved conflict, or a change that slipped in."""
    merges = list(islice((name for name in commits if len(store.objects.parents(store.git, name)) > 1), _MOST_MERGES))
    # Few merges have a file that is as on no side. Only these need contents: fetched at once, not merge by merge.
    listed = _list_own_files(store, merges)
    store.obtain_files({name for entries in listed.values() for entry in entries for name in _list_objects(entry)})
    show = ("diff-tree", "--cc", "--no-commit-id", *_PATCH)
    wanted = [merge for merge in merges if listed.get(merge, True)]
    return [merge for merge in wanted if store.run(*show, merge, "--", may_fetch=True, first=1).output]


def _list_own_files(store: Store, merges: Sequence[str]) -> dict[str, list[bytes]]:
    """Return git's combined raw entries by merge: of the files that are as on no side."""
    listed: dict[str, list[bytes]] = {}
    if merges:
        stdin = "".join(f"{merge}\n" for merge in merges).encode()
        output = store.run("diff-tree", "--stdin", "-c", "--always", "--format=%x01%H", *RAW, stdin=stdin).output
        fields = iter(output.split(b"\0"))
        merge = ""
        for field in fields:
            if field.startswith(b"::"):
                listed.setdefault(merge, []).append(field)
                next(fields, None)  # its path, which may look like anything
            elif field.startswith(b"\x01"):
                merge = decode_output(field[1:])
                listed.setdefault(merge, [])
    return listed


def _list_objects(entry: bytes) -> Iterator[str]:
    """Yield the objects of a raw entry, also of a combined one; a submodule's and a missing file's are none."""
    words = entry.lstrip(b":").split()
    sides = len(entry) - len(entry.lstrip(b":")) + 1
    for mode, name in zip(words[:sides], words[sides : 2 * sides], strict=False):
        if mode != b"160000" and not _NO_OBJECT.fullmatch(name):
            yield decode_output(name)


class Patch(Struct, frozen=True, eq=False):
    """A change between two trees: a parent and its commit, or the fork and the head of a branch."""

    names: tuple[str, ...]
    files: Files

    @property
    def shape(self) -> frozenset[tuple[bytes, bytes]]:
        """What equivalent patches share and what is known without file contents."""
        entries = ((path, entry, [*entry.split(b" ", 4), b"", b"", b"", b""]) for path, entry in self.files.items())
        # Of a modified file: both modes and the kind of the change, not the objects.
        return frozenset((path, b" ".join((p[0], p[1], p[4])) if p[4] == b"M" else entry) for path, entry, p in entries)

    def objects(self) -> set[str]:
        """Return the objects that git needs to print the patch; submodules (mode 160000) need none."""
        return {name for entry in self.files.values() for name in _list_objects(entry)}


def find_equivalent(store: Store, patches: Collection[Patch], others: Iterable[Patch]) -> set[Patch]:
    """Return those of the patches that are equivalent to one of the others."""
    by_shape: dict[frozenset[tuple[bytes, bytes]], list[Patch]] = defaultdict(list)
    for other in others:
        by_shape[other.shape].append(other)
    alike = {patch: by_shape[patch.shape] for patch in patches if patch.shape in by_shape}
    found = {patch for patch, candidates in alike.items() if any(patch.files == other.files for other in candidates)}
    unclear = {patch: candidates for patch, candidates in alike.items() if patch not in found}
    needed = {*unclear, *(other for candidates in unclear.values() for other in candidates)}
    store.obtain_files({name for patch in needed for name in patch.objects()})
    signatures = _sign_commits(store, [patch for patch in needed if len(patch.names) == 1])
    signatures |= {patch: _sign(store, patch) for patch in needed if patch not in signatures}
    for patch, candidates in unclear.items():
        signature = signatures[patch]
        if signature is not None and any(signatures[other] == signature for other in candidates):
            found.add(patch)
    return found


def _sign_commits(store: Store, patches: Sequence[Patch]) -> dict[Patch, list[bytes] | None]:
    """Return what identifies patches of one commit each, many by one command; without those that are too large."""
    signed: dict[Patch, list[bytes] | None] = {}
    for start in range(0, len(patches), _AT_ONCE):
        named = {patch.names[0]: patch for patch in patches[start : start + _AT_ONCE]}
        stdin = "".join(f"{name}\n" for name in named).encode()
        arguments = ("diff-tree", "--stdin", "--root", "--format=%x01%H", *_PATCH)
        try:
            output = store.run(*arguments, stdin=stdin, may_fetch=True).output
        except GitFailed as failed:
            if failed.stopped != "too much":
                raise
            continue
        # Each line of a patch has a mark of git's before its content: none can pass for a commit's line.
        for block in (b"\n" + output).split(b"\n\x01")[1:]:
            name, _, patch = block.partition(b"\n")
            if decode_output(name) in named:
                signed[named[decode_output(name)]] = sign_patch(patch.strip(b"\n") + b"\n")
    return signed


def _sign(store: Store, patch: Patch) -> list[bytes] | None:
    """None if the patch is too large to compare: its commits then count as unmerged."""
    try:
        arguments = ("diff-tree", "--root", "--no-commit-id", *_PATCH, *patch.names, "--")
        return sign_patch(store.run(*arguments, may_fetch=True).output)
    except GitFailed as failed:
        if failed.stopped == "too much":
            return None
        raise


def sign_patch(patch: bytes) -> list[bytes]:
    """Return the lines that identify a patch, as for `git patch-id`: without line numbers and white space."""
    # Binary files count by their objects, which older versions of `git patch-id` leave out.
    lines: list[bytes] = []
    index = b""
    for line in patch.split(b"\n"):
        if line.startswith(b"index "):
            index = line
        elif line.startswith(b"Binary files "):
            lines += [index, line]
        elif line.startswith(b"@@ "):
            lines.append(b"@@")
        else:
            lines.append(re.sub(rb"\s+", b"", line))
    return lines
