"""Objects of a repository, read by GitPython from one `git cat-file --batch` that stays."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from release_state.common.strict import OBJECT_NAME, convert_epoch
from release_state.observe.git.answers import AnswerFailed, ObjectMissing
from release_state.observe.git.command import OUTPUT_LIMIT, Git, GitFailed, decode_output, explain_failure
from release_state.observe.process import GIT_MEMORY

if TYPE_CHECKING:
    from release_state.observe.git.program import GitProgram

_MOST_KEPT = 200_000
"""Entries of trees that are kept: the same tree is part of many commits."""
_HEADERS = 2**20
"""Bytes of a commit or a tag that are read."""
_SKIPPED = 2**20
"""Bytes of an object that are read without need; with more, git is ended."""
_FEW = 50
_POLL_SECONDS = 0.1
_TAGGER = re.compile(rb"^tagger [^\n]*> (\d{1,12}) [+-]\d{4}$", re.MULTILINE)
_COMMITTER = re.compile(rb"^committer [^\n]*> (\d{1,12}) [+-]\d+$", re.MULTILINE)
_ENCODING = re.compile(
    # Those that commits are written in; a stranger could name one that takes very long.
    rb"^encoding (iso-?8859-?\d+|latin-?\d|windows-?125\d|cp\d+|koi8-[ru]|euc-?\w+|s(?:hift)?[-_]?jis|gb\w+|big5)$",
    re.MULTILINE | re.IGNORECASE,
)
_PARENT = re.compile(rb"^parent ([0-9a-f]{40,64})$", re.MULTILINE)
_TREE = re.compile(rb"tree ([0-9a-f]{40,64})\n")


class GitObject(NamedTuple):
    """An object's type, and the beginning of its content."""

    kind: str
    data: bytes


class TreeEntry(NamedTuple):
    """An entry of a tree, with the mode as `git ls-tree` prints it."""

    mode: str
    name: bytes
    sha: str

    @property
    def is_tree(self) -> bool:
        """Whether it is a folder."""
        return self.mode == "040000"

    @property
    def is_file(self) -> bool:
        """Whether it is a file or a link, and no submodule."""
        return self.mode.startswith("1") and self.mode != "160000"


class Objects:
    """The objects of the repository at `folder`, a git directory. Safe to use from many threads.

    Fetches nothing, and needs an environment in which git does not either.
    """

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder, self._env = folder, env
        self._lock, self._keeping, self._kept = Lock(), Lock(), 0
        self._program: GitProgram | None = None
        self._trees: dict[str, tuple[TreeEntry, ...]] = {}

    def read(self, git: Git, name: str, most: int = OUTPUT_LIMIT) -> GitObject | None:
        """Return an object with the first `most` bytes of it; None if it is missing. Raises GitFailed.

        Git believes what a name leads to. What is read whole is held against its name: a clone lends objects.
        """
        with self._asking(git) as program:
            found, kind, size, stream = program.stream_object_data(name)
            data = stream.read(min(size, most))
            if size - most > _SKIPPED:
                program.end()
            elif size > most:  # what is left comes before the next answer
                stream.read()
            if found != name:
                raise GitFailed(f"git cat-file answered {found[:64]} when asked for {name[:64]}")
            if len(data) == size and not _is_named(name, kind, data):
                raise GitFailed(f"the object {name[:12]} has another content than its name says", "run git fsck")
            return GitObject(kind, data)
        return None

    def list_missing(self, git: Git, names: Collection[str]) -> list[str]:
        """Return those of the names that no object has. Raises GitFailed."""
        if len(names) <= _FEW:  # whoever asks about few reads them next: no second program for that
            return [name for name in sorted(names) if self.read(git, name, 1) is None]
        return [name for name in sorted(names) if not self._has(git, name)]

    def _has(self, git: Git, name: str) -> bool:
        with self._asking(git) as program:
            return bool(program.get_object_header(name))
        return False

    @contextmanager
    def _asking(self, git: Git) -> Iterator[GitProgram]:
        """One question, within the time of a look-up. Leaves the block early if the object is missing."""
        while not self._lock.acquire(timeout=max(0.0, min(_POLL_SECONDS, git.left))):
            if git.cancel is not None and git.cancel.is_set():
                raise git.stopped("cancelled", "cat-file")
            if git.left <= 0:
                raise git.stopped("time", "cat-file")
        try:
            program = self._begin(git)
            program.limits.deadline, program.limits.cancel = git.deadline, git.cancel
            try:
                yield program
            except ObjectMissing:
                return
            except BaseException as error:
                # Nobody knows what the next answer would belong to.
                stderr = decode_output(program.end(failed=isinstance(error, OSError)))
                if isinstance(error, AnswerFailed) and error.stopped:
                    raise git.stopped(error.stopped, "cat-file") from None
                if isinstance(error, (AnswerFailed, OSError, ValueError)):
                    raise GitFailed(*explain_failure(stderr, 128), stderr=stderr) from None
                raise
        finally:
            self._lock.release()

    def _begin(self, git: Git) -> GitProgram:
        if self._program is None:
            from release_state.observe.git.program import GitProgram

            self._program = GitProgram(git.program, self._folder, self._env, GIT_MEMORY)
            self._program.set_persistent_git_options(git_dir=self._folder)
        return self._program

    def close(self) -> None:
        """End the programs; the next question starts them again."""
        with self._lock:
            if self._program is not None:
                self._program.end()

    def read_tree(self, git: Git, name: str) -> tuple[TreeEntry, ...]:
        """Return the entries of a commit's top folder, or of a tree. Raises GitFailed if it is missing or neither."""
        if kept := self._trees.get(name):
            return kept
        found = self.read(git, name)
        if found and found.kind == "commit" and (top := _TREE.match(found.data)):
            entries = self.read_tree(git, top[1].decode())
        elif found and found.kind == "tree":
            entries = tuple(parse_tree(found.data, len(name) // 2))
        else:
            raise GitFailed(f"{name[:64]} is {'missing' if found is None else 'no tree'}")
        with self._keeping:
            if self._kept > _MOST_KEPT:
                self._trees.clear()
                self._kept = 0
            self._trees[name] = entries
            self._kept += len(entries)
        return entries

    def parents(self, git: Git, name: str) -> tuple[str, ...]:
        """Return the parents of a commit. Raises GitFailed if it is missing, or something else."""
        found = self.read(git, name, _HEADERS)
        if found is None or found.kind != "commit":
            raise GitFailed(f"{name[:64]} is {'missing' if found is None else 'no commit'}")
        return tuple(sha.decode() for sha in _PARENT.findall(found.data.partition(b"\nauthor ")[0]))

    def walk(self, git: Git, name: str) -> Iterator[tuple[bytes, TreeEntry]]:
        """Yield every file, link and submodule of a tree with its path, in git's order. Raises GitFailed."""
        left, size = [(b"", entry) for entry in reversed(self.read_tree(git, name))], 0
        while left:
            folder, entry = left.pop()
            path = folder + entry.name
            if not entry.is_tree:
                size += len(path) + 60
                if size > OUTPUT_LIMIT:  # as for the output of a command: trees can name each other many times
                    raise git.stopped("too much", "cat-file")
                yield path, entry
                continue
            if git.left <= 0:
                raise git.stopped("time", "cat-file")
            left += [(path + b"/", inner) for inner in reversed(self.read_tree(git, entry.sha))]


def _is_named(name: str, kind: str, data: bytes) -> bool:
    """Whether a name is the hash of an object. Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects"""
    made = hashlib.sha256() if len(name) == 64 else hashlib.sha1(usedforsecurity=False)
    made.update(f"{kind} {len(data)}\0".encode())
    made.update(data)
    return made.hexdigest() == name


def parse_tree(data: bytes, width: int) -> Iterator[TreeEntry]:
    """Yield the entries of a tree object; `width` is the size of a hash in bytes. Raises GitFailed."""
    place = 0
    while place < len(data):
        space = data.find(b" ", place)
        end = data.find(b"\0", space)
        sha = data[end + 1 : end + 1 + width]
        if space < 0 or end < 0 or len(sha) != width or not re.fullmatch(rb"[0-7]{1,7}", data[place:space]):
            raise GitFailed("git cat-file answered a tree that cannot be read")
        yield TreeEntry(_name_mode(int(data[place:space], 8)), data[space + 1 : end], sha.hex())
        place = end + 1 + width


def _name_mode(mode: int) -> str:
    """Return a mode as git takes it: files are executable or not."""
    kind = mode >> 12
    if kind == 0o10:
        return "100755" if mode & 0o100 else "100644"
    return {0o12: "120000", 0o4: "040000"}.get(kind, "160000")


def _read_headers(objects: Objects, git: Git, name: str, kind: str) -> bytes | None:
    found = objects.read(git, name, _HEADERS) if OBJECT_NAME.fullmatch(name) else None
    return found.data if found and found.kind == kind else None


def read_commit_line(objects: Objects, git: Git, name: str) -> tuple[str, datetime] | None:
    """Return the subject of a commit and when it was committed; None if one of them cannot be read."""
    if (data := _read_headers(objects, git, name, "commit")) is None:
        return None
    headers, _, message = data.partition(b"\n\n")
    committer, encoding = _COMMITTER.search(headers), _ENCODING.search(headers)
    at = convert_epoch(committer[1]) if committer else None
    return (_find_subject(message, encoding[1].decode() if encoding else "utf-8"), at) if at else None


def _find_subject(message: bytes, encoding: str) -> str:
    """Return the first paragraph in one line, as `%s` of `git log`."""
    lines: list[bytes] = []
    for line in message.partition(b"\0")[0].split(b"\n"):
        if trimmed := line.rstrip(b" \t\r"):
            lines.append(trimmed)
        elif lines:
            break
    subject = b" ".join(lines)
    try:
        return subject.decode(encoding)
    except (LookupError, UnicodeDecodeError):
        return decode_output(subject)


def read_tag_date(objects: Objects, git: Git, name: str) -> datetime | None:
    """Return when an annotated tag was made; None if it is missing or says no date."""
    # The headers end at the first empty line. What follows is free text.
    tagger = _TAGGER.search((_read_headers(objects, git, name, "tag") or b"").partition(b"\n\n")[0])
    return convert_epoch(tagger[1]) if tagger else None
