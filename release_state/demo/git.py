"""Git repositories of the demo world: the bare remote and a clone, with the same commit hashes in each run.

Commits are written by `git fast-import`, one short process each and without a work tree, much as a hosting service
writes them. Nothing of the user's own git configuration, hooks or environment takes part.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

_NULL = os.devnull

_CONFIG = {
    "init.defaultBranch": "main",
    "protocol.file.allow": "always",
    "core.hooksPath": _NULL,
    "core.autocrlf": "false",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "push.gpgSign": "false",
    "advice.detachedHead": "false",
    # No process of git's may outlive the world.
    "gc.auto": "0",
    "maintenance.auto": "false",
}

_REMOTE_CONFIG = """\
[uploadpack]
\tallowAnySHA1InWant = true
\tallowFilter = true
[receive]
\tdenyDeletes = false
"""
"""As GitHub answers: any object can be asked for by hash, and partial clones are served."""


class GitError(RuntimeError):
    """A git command of the demo world failed; the text holds the command and what it said."""


@dataclass(frozen=True)
class Person:
    """An author, committer or tagger."""

    name: str
    email: str


MAINTAINER = Person("Ada Maintainer", "ada@example.org")
RELEASE_BOT = Person("release-bot", "release-bot@example.org")
WEB = Person("GitHub", "noreply@github.com")
"""The committer of what is merged in the web interface."""


def environment(root: Path, when: datetime | None = None, person: Person = MAINTAINER) -> dict[str, str]:
    """The environment for git: nothing inherited that steers it, a fixed identity and date, and `root` as the home."""
    # An inherited GIT_DIR or GIT_INDEX_FILE (as inside a hook) would send commands to the user's own repository.
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env.update(
        HOME=str(root),
        XDG_CONFIG_HOME=str(root),
        LC_ALL="C",
        TZ="UTC",
        GIT_CONFIG_GLOBAL=_NULL,
        GIT_CONFIG_SYSTEM=_NULL,
        GIT_CONFIG_NOSYSTEM="1",
        GIT_ATTR_NOSYSTEM="1",
        GIT_TERMINAL_PROMPT="0",
        # Hashes have to stay what they are when git changes its defaults.
        GIT_DEFAULT_HASH="sha1",
        GIT_AUTHOR_NAME=person.name,
        GIT_AUTHOR_EMAIL=person.email,
        GIT_COMMITTER_NAME=person.name,
        GIT_COMMITTER_EMAIL=person.email,
        GIT_CONFIG_COUNT=str(len(_CONFIG)),
    )
    for number, (key, value) in enumerate(_CONFIG.items()):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    if when is not None:
        env["GIT_AUTHOR_DATE"] = env["GIT_COMMITTER_DATE"] = _date(when)
    return env


def _date(when: datetime) -> str:
    return f"{int(when.astimezone(timezone.utc).timestamp())} +0000"


def run_git(path: Path, env: Mapping[str, str], *args: str, stdin: bytes = b"") -> bytes:
    """
    The standard output of one git command in a folder.

    Raises `GitError` when it fails, and `ConnectionAbortedError` when a signal ends it: the whole run ends then, and
    nobody waits for an answer.
    """
    done = subprocess.run(  # noqa: S603 - an argument list, no shell
        ["git", "-C", str(path), *args],  # noqa: S607 - the user's git, wherever it is
        env=env,
        input=stdin,
        capture_output=True,
        check=False,
    )
    if done.returncode < 0:
        raise ConnectionAbortedError(f"signal {-done.returncode} ended git")
    if done.returncode:
        stderr = done.stderr.decode("utf-8", "replace").strip()
        raise GitError(f"git {' '.join(args)}: exit code {done.returncode}: {stderr}")
    return done.stdout


class Repository:
    """A git repository on disk, bare or a clone; every method runs one git process or two."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self._root = root

    @classmethod
    def create_bare(cls, path: Path, root: Path) -> Repository:
        """Make an empty bare repository that answers fetches as GitHub does."""
        path.mkdir(parents=True)
        repository = cls(path, root)
        repository.run("init", "--quiet", "--bare", "--template=", "--initial-branch=main", ".")
        with (path / "config").open("a", encoding="utf-8") as config:
            config.write(_REMOTE_CONFIG)
        return repository

    @classmethod
    def clone_of(cls, url: str, path: Path, root: Path) -> Repository:
        """Clone `url` to `path`, tags included."""
        path.mkdir(parents=True)
        repository = cls(path, root)
        repository.run("clone", "--quiet", "--template=", url, ".")
        return repository

    def run(self, *args: str, stdin: bytes = b"", when: datetime | None = None, person: Person = MAINTAINER) -> str:
        """The standard output of one git command here, stripped; raises `GitError` when it fails."""
        return run_git(self.path, environment(self._root, when, person), *args, stdin=stdin).decode().strip()

    def commit(
        self,
        branch: str,
        message: str,
        *,
        when: datetime,
        files: Mapping[str, bytes | None] | None = None,
        parents: tuple[str, ...] | None = None,
        tree: str | None = None,
        author: Person = MAINTAINER,
        committer: Person | None = None,
    ) -> str:
        """
        Put one commit on a branch and return its hash.

        `files` maps paths to their new content, None removes the file; `tree` is the tree to begin with instead of the
        first parent's. `parents` defaults to the branch's head; an empty tuple makes a root commit. A clone's work tree
        and index stay as they are, so this is for bare repositories.
        """
        stream = io.BytesIO()

        def data(content: bytes) -> None:
            stream.write(b"data %d\n%b\n" % (len(content), content))

        ref = f"refs/heads/{branch}"
        by = committer or author
        stream.write(f"commit {ref}\nmark :1\n".encode())
        stream.write(f"author {author.name} <{author.email}> {_date(when)}\n".encode())
        stream.write(f"committer {by.name} <{by.email}> {_date(when)}\n".encode())
        data(message.encode() + b"\n")
        for number, parent in enumerate((f"{ref}^0",) if parents is None else parents):
            stream.write(f"{'merge' if number else 'from'} {parent}\n".encode())
        if tree is not None:
            stream.write(f'M 040000 {tree} ""\n'.encode())
        for path, content in (files or {}).items():
            if content is None:
                stream.write(f"D {path}\n".encode())
            else:
                stream.write(f"M 100644 inline {path}\n".encode())
                data(content)
        # An empty stream end is an error only when it is announced: a commit cut short must not pass.
        stream.write(b"get-mark :1\ndone\n")
        return self.run("fast-import", "--quiet", "--done", "--date-format=raw", stdin=stream.getvalue())

    def merged_tree(self, base: str, head: str) -> str:
        """
        The tree that merging `head` into `base` gives.

        Raises `GitError` when they conflict (or, for branches that diverged, when git is older than 2.38).
        """
        if self.run("merge-base", base, head) == self.rev(base):
            return self.rev(f"{head}^{{tree}}")
        return self.run("merge-tree", "--write-tree", base, head).splitlines()[0]

    def rev(self, name: str) -> str:
        """The hash that a name stands for; raises `GitError` when there is none."""
        return self.run("rev-parse", "--verify", "--quiet", name)

    def refs(self) -> dict[str, str]:
        """Every ref with the hash it holds (of an annotated tag, the tag object's)."""
        lines = self.run("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ") for line in lines)

    def files(self, commit: str) -> dict[str, bytes]:
        """The files of a commit's tree: path → content."""
        # Level with a checkout: the world's trees have no attributes that archive would act on.
        tar = run_git(self.path, environment(self._root), "archive", "--format=tar", commit)
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            return {
                member.name: content.read()
                for member in archive.getmembers()
                if member.isfile() and (content := archive.extractfile(member)) is not None
            }

    def log(self, *args: str) -> list[str]:
        """Subjects of the commits that `git log` finds with these arguments, newest first."""
        return self.run("log", "--format=%s", *args).splitlines()

    def set_ref(self, ref: str, value: str) -> None:
        """Create or move a ref, a pull request's recorded head included."""
        self.run("update-ref", ref, value)

    def delete_ref(self, ref: str) -> None:
        """Delete a ref; deleting one that does not exist is an error, as on a real remote."""
        self.run("update-ref", "-d", ref, self.rev(ref))

    def tag(self, name: str, commit: str, *, when: datetime, message: str | None, person: Person = RELEASE_BOT) -> str:
        """Create a tag, annotated when there is a message, and return the hash that the ref holds."""
        kind = () if message is None else ("--annotate", "--message", message)
        self.run("tag", *kind, name, commit, when=when, person=person)
        return self.rev(f"refs/tags/{name}")
