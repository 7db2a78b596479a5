"""The bare git repository behind GitHub, as its API reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from release_state.demo.git import GitError, environment, run_git
from release_state.demo.github.model import moment

_HEX = re.compile(r"[0-9a-f]{4,40}")
NOT_A_NAME = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/]|/$|\.lock$|\.$|^$")
"""What git itself forbids in a ref name; also keeps revision syntax such as main~1 or @{-1} out."""
_COMMIT = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00%x01"


@dataclass(frozen=True)
class Ref:
    """A reference; `commit` is what it leads to when `sha` is an annotated tag's own object."""

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
    """What GitHub reads of a bare repository."""

    def __init__(self, git_dir: Path) -> None:
        self.git_dir = git_dir
        # Commits never change, so what was read of one stays true.
        self.commit = lru_cache(maxsize=None)(lambda sha: self.log("--max-count=1", "--end-of-options", sha)[0])

    def run(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """The output of one git command; raises `GitError` when it fails."""
        return run_git(self.git_dir, environment(self.git_dir) | dict(env or {}), *args, stdin=stdin)

    def text(self, *args: str) -> str:
        """As `run`, decoded and without the last line's end."""
        return self.run(*args).decode("utf-8", "replace").rstrip("\n")

    def refs(self, prefix: str = "refs/") -> list[Ref]:
        """The references whose full name begins with the prefix, by name; a prefix need not end at a slash."""
        return [ref for ref in self.list_refs() if ref.name.startswith(prefix)]

    def list_refs(self) -> list[Ref]:
        """All references, by name."""
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
        if NOT_A_NAME.search(name):
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

    def log(self, *args: str) -> list[Commit]:
        """The commits that `git log` lists with these options and revisions, newest first unless reversed."""
        printed = self.text("log", f"--format={_COMMIT}", *args)
        commits = []
        for record in printed.split("\0\x01"):
            fields = record.lstrip("\n").split("\0")
            if len(fields) == 10:
                sha, tree, parents, an, ae, ad, cn, ce, cd, message = fields
                author, committer = Person(an, ae, moment(ad)), Person(cn, ce, moment(cd))
                commits.append(Commit(sha, tree, tuple(parents.split()), author, committer, message.rstrip("\n")))
        return commits

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

    def set_ref(self, name: str, sha: str) -> None:
        """Create or move a reference."""
        self.run("update-ref", name, sha)
