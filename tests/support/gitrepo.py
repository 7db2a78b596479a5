"""Real git repositories for tests, with nothing of the developer's configuration in them."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ENV = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_ALLOW_PROTOCOL": "file",
    "GIT_EDITOR": "true",
    "LC_ALL": "C",
}


@dataclass(frozen=True)
class Repo:
    """A repository with a work tree, or a bare one."""

    path: Path

    def git(self, *arguments: str, ok: bool = True, stdin: str | bytes = b"") -> str:
        """Run git here and return what it prints."""
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            env=ENV,
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0 or not ok, (arguments, done.stderr)
        return os.fsdecode(done.stdout).strip()

    def commit(self, message: str, **files: str) -> str:
        """Write files (`a__b` for a.b), commit them, and return the commit."""
        for name, text in files.items():
            (self.path / name.replace("__", ".")).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.head

    @property
    def head(self) -> str:
        """The commit of HEAD."""
        return self.git("rev-parse", "HEAD")

    def clone(self, path: Path, *options: str) -> Repo:
        """A clone of this repository over the real transport."""
        self.git("clone", "--quiet", *options, self.path.as_uri(), str(path))
        return Repo(path)


def make(path: Path, *, bare: bool = False) -> Repo:
    """A new repository whose branch is main."""
    path.mkdir(parents=True)
    repo = Repo(path)
    repo.git("init", "--quiet", "--initial-branch=main", *(["--bare"] if bare else []))
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    return repo


def fingerprint(folder: Path) -> dict[str, tuple[str, int]]:
    """Each file below a folder with its hash and its time of change."""
    found = {}
    for path in sorted(folder.rglob("*")):
        data = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        found[str(path)] = (hashlib.sha256(data).hexdigest(), path.lstat().st_mtime_ns)
    return found
