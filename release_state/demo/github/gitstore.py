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

from release_state.demo.github.model import moment

GIT = shutil.which("git") or "git"
_HEX = re.compile(r"[0-9a-f]{4,40}")
# What git itself forbids in a ref name; also keeps revision syntax such as main~1 or @{-1} out.
_NOT_A_NAME = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/]|/$|\.lock$|\.$|^$")
_COMMIT = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00%x01"


class GitError(RuntimeError):
    """A git command failed; the text is what it said on its error stream."""


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

    # ------------------------------------------------------------------ writing

    def set_ref(self, name: str, sha: str, old: str | None = None) -> None:
        """Create or move a reference; ``old`` guards against a change that came between."""
        self._refs = None
        self.run("update-ref", name, sha, *([old] if old else []))

    def delete_ref(self, name: str) -> None:
        """Delete a reference."""
        self._refs = None
        self.run("update-ref", "-d", name)


def is_ref_name(name: str) -> bool:
    """Whether git would take this as a full reference name below ``refs/``."""
    return name.startswith("refs/") and name.count("/") >= 2 and not _NOT_A_NAME.search(name)
