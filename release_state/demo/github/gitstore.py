"""The bare git repository behind the stand-in, read and written with the `git` command."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from release_state.demo.github.model import moment, stamp

GIT = shutil.which("git") or "git"
_HEX = re.compile(r"[0-9a-f]{4,40}")
# What git itself forbids in a ref name; also keeps revision syntax such as main~1 or @{-1} out.
_NOT_A_NAME = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/]|/$|\.lock$|\.$|^$")
_COMMIT = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00%x01"


class GitError(RuntimeError):
    """A git command failed; the text is what it said on its error stream."""


class MergeConflictError(GitError):
    """Two commits can not be merged without a person."""


@dataclass(frozen=True)
class Ref:
    """A reference; ``commit`` is what it leads to when ``sha`` is an annotated tag's own object."""

    name: str
    sha: str
    type: str
    commit: str


@dataclass(frozen=True)
class Person:
    """An author or committer as the commit records it."""

    name: str
    email: str
    date: datetime


@dataclass(frozen=True)
class Commit:
    """A commit; immutable, as git's own."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


@dataclass(frozen=True)
class Change:
    """One file's difference between two commits; ``status`` in GitHub's words."""

    path: str
    status: str
    additions: int
    deletions: int
    sha: str | None
    previous: str | None = None


@dataclass(frozen=True)
class Entry:
    """One entry of a tree; ``size`` in bytes, 0 for a folder."""

    mode: str
    type: str
    sha: str
    size: int
    path: str


class GitStore:
    """A bare repository.

    Every command gets an argument list and an environment without the caller's own git configuration, so that a
    signing key, a hook path or an alias of the machine changes nothing.
    """

    def __init__(self, git_dir: Path) -> None:
        self.git_dir = git_dir
        # Commits never change, so what was read of one stays true.
        self.commit = lru_cache(maxsize=None)(self._read_commit)
        self._at_rest = False
        self._refs: list[Ref] | None = None

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """For as long as nobody else writes to the repository: its references are listed once, not at each request."""
        self._at_rest, self._refs = True, None
        try:
            yield
        finally:
            self._at_rest = False

    def run(self, *arguments: str, data: bytes | None = None, environment: dict[str, str] | None = None) -> bytes:
        """What one git command prints.

        Raises:
            GitError: it ended with another status than 0.
            ConnectionAbortedError: a signal ended it, as it ends the whole run: nobody waits for an answer any more.

        """
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        clean.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1", LC_ALL="C", TZ="UTC")
        done = subprocess.run(  # noqa: S603 - an argument list, no shell
            [GIT, "--git-dir", str(self.git_dir), *arguments],
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            env={**clean, **(environment or {})},
            check=False,
        )
        if done.returncode < 0:
            raise ConnectionAbortedError(f"git was ended by signal {-done.returncode}")
        if done.returncode:
            raise GitError(done.stderr.decode("utf-8", "replace").strip() or f"git ended with {done.returncode}")
        return done.stdout

    def text(self, *arguments: str) -> str:
        """As `run`, decoded and without the last line's end."""
        return self.run(*arguments).decode("utf-8", "replace").rstrip("\n")

    # ------------------------------------------------------------------ reading

    def refs(self, prefix: str = "refs/") -> list[Ref]:
        """The references whose full name begins with the prefix, by name; a prefix need not end at a slash."""
        every = self._refs if self._at_rest else None
        if every is None:
            every = self._refs = self._listed()
        return [ref for ref in every if ref.name.startswith(prefix)]

    def _listed(self) -> list[Ref]:
        layout = "%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)"
        found = []
        for line in self.text("for-each-ref", "--sort=refname", f"--format={layout}").splitlines():
            name, sha, kind, peeled = line.split("\0")
            found.append(Ref(name, sha, kind, peeled or sha))
        return found

    def ref(self, name: str) -> Ref | None:
        """The reference of exactly this full name."""
        return next((ref for ref in self.refs(name) if ref.name == name), None)

    def resolve(self, name: str) -> str | None:
        """The commit that GitHub would take the name for: a branch, a tag, a partial ref, or a (short) hash."""
        if _NOT_A_NAME.search(name):
            return None
        refs = {ref.name: ref for ref in self.refs()}
        names = (f"refs/heads/{name}", f"refs/tags/{name}", f"refs/{name}", name)
        found = next((refs[full] for full in names if full in refs), None)
        if found is not None and found.type == "commit":
            return found.sha
        if found is None and name != "HEAD" and not _HEX.fullmatch(name):
            return None
        spot = found.name if found else name
        try:
            return self.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{spot}^{{commit}}")
        except GitError:
            return None

    def _read_commit(self, sha: str) -> Commit:
        return self.log(sha, limit=1)[0]

    def log(self, *revisions: str, limit: int | None = None, skip: int = 0, reverse: bool = False,
            path: str | None = None, since: str | None = None, until: str | None = None) -> list[Commit]:  # fmt: skip
        """The commits that `git log` lists for the revisions, newest first unless reversed."""
        options = [f"--format={_COMMIT}", f"--skip={skip}", *(["--reverse"] if reverse else [])]
        options += [f"--max-count={limit}"] if limit is not None else []
        options += [f"--since={since}"] if since else []
        options += [f"--until={until}"] if until else []
        printed = self.text("log", *options, "--end-of-options", *revisions, "--", *([path] if path else []))
        commits = []
        for record in printed.split("\0\x01"):
            fields = record.lstrip("\n").split("\0")
            if len(fields) == 10:
                sha, tree, parents, an, ae, ad, cn, ce, cd, message = fields
                author, committer = Person(an, ae, moment(ad)), Person(cn, ce, moment(cd))
                commits.append(Commit(sha, tree, tuple(parents.split()), author, committer, message.rstrip("\n")))
        return commits

    def count(self, *revisions: str) -> int:
        """How many commits the revisions select."""
        return int(self.text("rev-list", "--count", "--end-of-options", *revisions, "--"))

    def has(self, sha: str) -> bool:
        """Whether the repository holds this object."""
        try:
            self.run("cat-file", "-e", sha)
        except GitError:
            return False
        return True

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor, or None for unrelated histories."""
        try:
            return self.text("merge-base", one, other)
        except GitError:
            return None

    def changes(self, before: str | None, after: str) -> list[Change]:
        """The files that differ; ``before`` None stands for an empty tree (a first commit)."""
        start = before or self.run("hash-object", "-t", "tree", "--stdin", data=b"").decode().strip()
        raw = self.text("diff-tree", "-r", "-M", "--raw", "--no-abbrev", "-z", start, after).split("\0")
        numbers = self._numstat(start, after)
        words = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
        found: list[Change] = []
        fields = iter(raw)
        for head in fields:
            if not head:
                continue
            _, _, _, sha, letter = head.split(" ")
            path = next(fields)
            previous = None
            if letter[0] in "RC":
                previous, path = path, next(fields)
            added, removed = numbers.get(path, (0, 0))
            blob = None if letter[0] == "D" else sha
            found.append(Change(path, words.get(letter[0], "changed"), added, removed, blob, previous))
        return found

    def _numstat(self, before: str, after: str) -> dict[str, tuple[int, int]]:
        found = {}
        fields = iter(self.text("diff-tree", "-r", "-M", "--numstat", "-z", before, after).split("\0"))
        for head in fields:
            if not head:
                continue
            added, removed, path = head.split("\t")
            if not path:  # a rename: the two names follow
                next(fields)
                path = next(fields)
            # A binary file has a dash for both numbers.
            found[path] = (int(added) if added != "-" else 0, int(removed) if removed != "-" else 0)
        return found

    def tree(self, commit: str, path: str) -> list[Entry] | Entry | None:
        """What a commit has at a path: a folder's entries, one file's entry, or None."""
        if path:
            lines = self.text("ls-tree", "-l", "-z", commit, "--", path).split("\0")
            entry = _entry(lines[0]) if lines[0] else None
            if entry is None or entry.type != "tree":
                return entry
        spot = f"{commit}:{path}" if path else commit
        entries = [_entry(line) for line in self.text("ls-tree", "-l", "-z", spot).split("\0") if line]
        return [Entry(e.mode, e.type, e.sha, e.size, f"{path}/{e.path}" if path else e.path) for e in entries]

    def blob(self, sha: str) -> bytes:
        """A file's bytes."""
        return self.run("cat-file", "blob", sha)

    # ------------------------------------------------------------------ writing

    def set_ref(self, name: str, sha: str, old: str | None = None) -> None:
        """Create or move a reference; ``old`` guards against a change that came between."""
        self._refs = None
        self.run("update-ref", name, sha, *([old] if old else []))

    def delete_ref(self, name: str) -> None:
        """Delete a reference."""
        self._refs = None
        self.run("update-ref", "-d", name)

    def merge(self, base: str, head: str, message: str, *, squash: bool, who: Person) -> str:
        """The hash of a new commit on ``base`` with the changes of ``head``; no reference is moved.

        Raises:
            MergeConflictError: the two do not merge by themselves.

        """
        try:
            tree = self.text("merge-tree", "--write-tree", base, head).splitlines()[0]
        except GitError as error:
            raise MergeConflictError(str(error)) from error
        parents = ["-p", base] + ([] if squash else ["-p", head])
        date = stamp(who.date)
        environment = {
            "GIT_AUTHOR_NAME": who.name, "GIT_AUTHOR_EMAIL": who.email, "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_NAME": "GitHub", "GIT_COMMITTER_EMAIL": "noreply@github.com", "GIT_COMMITTER_DATE": date,
        }  # fmt: skip
        made = self.run("commit-tree", tree, *parents, data=message.encode(), environment=environment)
        return made.decode().strip()


def is_ref_name(name: str) -> bool:
    """Whether git would take this as a full reference name below ``refs/``."""
    return name.startswith("refs/") and name.count("/") >= 2 and not _NOT_A_NAME.search(name)


def _entry(line: str) -> Entry:
    head, path = line.split("\t", 1)
    mode, kind, sha, size = head.split()
    return Entry(mode, kind, sha, 0 if size == "-" else int(size), path)
