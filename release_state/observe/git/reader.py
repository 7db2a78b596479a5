"""Git commands inside the maintainer's clone, which only read; and how the clone is found."""

from __future__ import annotations

import os
import time
from copy import copy
from pathlib import Path

from release_state.common.errors import UsageProblem
from release_state.observe.git.command import Git, GitFailed, GitOutput
from release_state.observe.git.environment import add_settings, cut_network, list_filter_settings
from release_state.settings import validate
from release_state.settings.sources import LocalRepository

_OBJECTS = ("--path-format=absolute", "--git-path", "objects")
_LOCATE_SECONDS = 10.0
_LOCATED_SECONDS = 10.0
"""How long what was read of a clone when it was found stays true for the run: its settings can change."""


class CloneReader:
    """Git commands inside the clone. They only read, reach no network and run no program that the clone configures."""

    def __init__(self, path: Path, git: Git) -> None:
        """Raise GitFailed if git cannot read a repository here."""
        if not path.is_dir():
            raise GitFailed(f"{path} is not a directory", "give the path of a git repository")
        self.git, self.path, self.env = git, path, cut_network(git.environ)
        self._places: tuple[str, ...] = ()
        self._urls: dict[str, tuple[str, ...]] = {}
        bare, shallow, git_dir = self._facts()
        self.bare, self.shallow, self.git_dir = bare == "true", shallow == "true", Path(git_dir)
        # Listing runs nothing. It also shows the names in every included file.
        names = self.run("config", "--list", "--name-only", "-z").output.split(b"\0")
        self.config = tuple(os.fsdecode(name) for name in names if name)
        # On a case-sensitive file system, a file whose name differs only in case is another, untracked file.
        cases = () if self.folds_case else (("core.ignoreCase", "false"),)
        self.env = add_settings(self.env, (*list_filter_settings(self.config), *cases))

    def used_by(self, git: Git, path: Path | None = None) -> CloneReader:
        """Return the same reader for another look-up, with a time limit of its own; `path` is one in the same clone."""
        other = copy(self)
        other.git, other.path = git, path or self.path
        return other

    @property
    def folds_case(self) -> bool:
        """Whether HEAD and head are one file on the file system of the git directory."""
        return (self.git_dir / "head").exists()

    def _facts(self) -> list[str]:
        facts = ("rev-parse", "--is-bare-repository", "--is-shallow-repository", "--absolute-git-dir")
        # One command, if there is a work tree and no path holds a line feed.
        every = self.run(*facts, *_OBJECTS, "--show-toplevel", accept=(0, 128))
        lines = os.fsdecode(every.output).split("\n")
        if every.code == 0 and len(lines) == 6:
            self._places = tuple(lines[3:5])
            return lines[:3]
        # The path comes last: it may hold anything.
        return self.line(*facts).split("\n", 2)

    def run(
        self, *arguments: str, stdin: bytes = b"", accept: tuple[int, ...] = (0,), cwd: Path | None = None
    ) -> GitOutput:
        """Run a command that only reads, at `cwd` or the clone's path."""
        return self.git.run(*arguments, cwd=cwd or self.path, env=self.env, stdin=stdin, accept=accept)

    def line(self, *arguments: str) -> str:
        """Return the line that a command prints; a path in it may hold line feeds."""
        output = self.run(*arguments).output
        return os.fsdecode(output[:-1] if output.endswith(b"\n") else output)

    def switch(self, key: str) -> str:
        """Return a setting as git reads it: "true" or "false"; empty if it is missing or neither."""
        return self.run("config", "--get", "--type=bool", key, accept=(0, 1, 128)).text.strip()

    @property
    def is_partial(self) -> bool:
        """Whether the clone lacks objects and would fetch them on demand."""
        return any(
            name == "extensions.partialclone" or (name.startswith("remote.") and name.endswith(".promisor"))
            for name in self.config
        )

    def list_urls(self, remote: str) -> tuple[str, ...]:
        """Return the addresses of a remote to fetch from, as git rewrites them; none if there is no such remote."""
        if remote not in self._urls:
            self._urls[remote] = self._read_urls("--all", "--", remote)
        return self._urls[remote]

    def list_push_urls(self, remote: str) -> tuple[str, ...]:
        """Return the addresses of a remote to push to."""
        own = (f"remote.{remote}.pushurl", ".pushinsteadof")
        if any(name == own[0] or (name.startswith("url.") and name.endswith(own[1])) for name in self.config):
            return self._read_urls("--push", "--all", "--", remote)
        return self.list_urls(remote)

    def _read_urls(self, *options: str) -> tuple[str, ...]:
        answer = self.run("remote", "get-url", *options, accept=(0, 2))
        return tuple(url for url in os.fsdecode(answer.output).split("\n") if url) if answer.code == 0 else ()

    def top(self) -> Path:
        """Return the top of the work tree, or a bare git directory. Raises GitFailed if the top is elsewhere."""
        if self.bare:
            return self.git_dir
        top = Path(self._places[1] if self._places else self.line("rev-parse", "--show-toplevel"))
        if not self.path.resolve().is_relative_to(top.resolve()):
            raise GitFailed(f"the work tree of the repository at {self.path} is elsewhere: core.worktree is {top}")
        return top

    def objects(self) -> Path:
        """Return the folder of its objects; for a linked worktree, that of the main one."""
        return Path(self._places[0] if self._places else self.line("rev-parse", *_OBJECTS))


def find_repository(folder: Path, remote: str) -> LocalRepository | None:
    """Return the repository at or above a folder, and the URL of its remote; None if there is none.

    Raises UsageProblem if there is one that cannot be read: git is missing, or somebody else owns it (safe.directory).
    """
    try:
        reader = CloneReader(folder, Git(_LOCATE_SECONDS))
        top, urls = reader.top(), reader.list_urls(remote)
    except GitFailed as failed:
        # To take it for missing would ignore what it holds.
        if not any(os.path.lexists(above / ".git") for above in (folder, *folder.parents)):
            return None
        shown, advice = validate.shown(str(folder)), failed.remedy or "fix it, or run from outside of it"
        raise UsageProblem(f"the repository at {shown} cannot be read: {failed.why}; {advice}") from None
    _located[top] = time.monotonic(), reader
    url = next(iter(urls), None)
    bases = [name[4:-10] for name in reader.config if name.startswith("url.") and name.endswith(".insteadof")]
    return LocalRepository(top, url, url is not None and url.startswith(tuple(bases)))


def open_clone(path: Path, git: Git) -> CloneReader:
    """Return a reader of a clone: once that of `find_repository`, if it was found a moment ago. Raises GitFailed."""
    at, reader = _located.pop(path, (0.0, None))
    return reader.used_by(git, path) if reader and time.monotonic() - at < _LOCATED_SECONDS else CloneReader(path, git)


_located: dict[Path, tuple[float, CloneReader]] = {}
"""When a repository was found, and its reader, by the top of the work tree."""
