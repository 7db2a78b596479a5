"""Real repositories that look as a written state says: its commits, tags and branches, under hashes of git's own."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from release_state.model.snapshot import Snapshot

#: What people have set in their git, and what would make a careless command do something else, or nothing.
SETTINGS = """[user]
name = M. Maintainer
email = m@h.invalid
[push]
followTags = true
recurseSubmodules = only
gpgSign = true
default = nothing
[remote]
pushDefault = nowhere
[fetch]
prune = true
pruneTags = true
[pull]
rebase = true
[merge]
ff = only
[checkout]
guess = false
[clone]
defaultRemoteName = elsewhere
[log]
showSignature = true
[advice]
detachedHead = true
"""
_SHA = re.compile(r"\b([0-9a-f])\1{39}\b")


class Repositories:
    """A remote and a clone of it; `run` runs what is printed for the state in them."""

    def __init__(self, folder: Path, template: Repositories | None = None) -> None:
        self.folder, self.remote, self.clone = folder, folder / "remote.git", folder / "clone"
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C.UTF-8",
            **{f"GIT_{who}_DATE": "2026-01-02T03:04:00Z" for who in ("AUTHOR", "COMMITTER")},
        }
        self.shas: dict[str, str] = template.shas if template else {}
        if template:
            shutil.copytree(template.folder, folder)
            self.git(self.clone, "remote", "set-url", "origin", self.url)
            return
        folder.mkdir()
        (folder / ".gitconfig").write_text(SETTINGS, encoding="utf-8")
        self.git(folder, "init", "--quiet", "--bare", "--initial-branch", "main", str(self.remote))
        for name in ("allowAnySHA1InWant", "allowFilter"):
            self.git(self.remote, "config", f"uploadpack.{name}", "true")
        root = self._commit("root")
        for letter in "0123456789abcdef":
            self.shas[letter * 40] = self._commit(letter, root)
        self.git(self.remote, "update-ref", "refs/heads/main", self.shas["b" * 40])
        self.git(folder, "clone", "--quiet", "--origin", "origin", self.url, str(self.clone))
        # A second remote with the same branch: `git switch` has to be told whose is meant.
        self.git(self.clone, "remote", "add", "fork", self.url)
        self.git(self.clone, "config", "remote.origin.tagOpt", "--tags")

    @property
    def url(self) -> str:
        """The remote's address."""
        return f"file://{self.remote}"

    def _commit(self, text: str, *parents: str) -> str:
        blob = self.git(self.remote, "hash-object", "-w", "--stdin", given=f'version = "0.2.0" # {text}\n')
        tree = self.git(self.remote, "mktree", given=f"100644 blob {blob}\tpyproject.toml\n")
        heads = (word for parent in parents for word in ("-p", parent))
        identity = ("-c", "user.name=M", "-c", "user.email=m@h.invalid")
        return self.git(self.remote, *identity, "commit-tree", tree, *heads, "-m", f"feat: {text}")

    def git(self, folder: Path, *arguments: str, given: str = "") -> str:
        """Run a git command that has to succeed."""
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            input=given, env=self.environment, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout.strip()

    def look_as(self, snapshot: Snapshot) -> None:
        """Make the refs of the state, on the remote and in the clone."""
        remote, clone = snapshot.remote.value, snapshot.clone.value
        lines = [f"update {ref} {self.real(sha)}" for ref, sha in self._refs_of(snapshot).items()]
        for place, tags in ((self.remote, remote.tags if remote else ()), (self.clone, clone.tags if clone else ())):
            for tag in tags:
                sha = self.real(tag.commit)
                if place == self.clone:
                    self.git(place, "fetch", "--quiet", "--no-tags", "fork", sha)
                kind = ("--annotate", "--message", "Release") if tag.annotated else ()
                self.git(place, "tag", "--force", *kind, tag.name, sha)
                if tag.annotated:
                    self.shas = {**self.shas, tag.object: self.git(place, "rev-parse", f"refs/tags/{tag.name}")}
        self.git(self.remote, "update-ref", "--stdin", given="".join(f"{line}\n" for line in lines))
        self.git(self.clone, "fetch", "--quiet", "--no-tags", "origin", "+refs/heads/*:refs/remotes/origin/*")
        self.git(self.clone, "fetch", "--quiet", "--no-tags", "fork", "+refs/heads/*:refs/remotes/fork/*")

    def _refs_of(self, snapshot: Snapshot) -> dict[str, str]:
        remote = snapshot.remote.value
        refs = {f"refs/heads/{branch.name}": branch.sha for branch in remote.branches} if remote else {}
        published = snapshot.published.value
        for found in published.candidates if published else ():
            if found.ref and found.ref.startswith("refs/pull/"):
                refs[found.ref] = found.sha  # GitHub keeps it, whatever becomes of the pull request
        pulls = (*(snapshot.pulls.value or ()), *(snapshot.open_pulls.value or ()))
        return {**refs, **{f"refs/pull/{pull.number}/head": pull.head_sha for pull in pulls}}

    def real(self, text: str) -> str:
        """The text with the hashes that these repositories have."""
        return _SHA.sub(lambda found: self.shas[found[0]], text)

    def refs(self) -> Mapping[str, str]:
        """The refs of the remote."""
        pairs = (line.split() for line in self.git(self.remote, "show-ref").splitlines())
        return {ref: sha for sha, ref in pairs}

    def run(self, command: Sequence[str], snapshot: Snapshot, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run a printed command, its addresses and hashes those of these repositories."""
        target = snapshot.target
        words = []
        for word in command:
            word = self.real(word).replace(target.remote_url, self.url)
            words.append(word.replace(target.clone, str(self.clone)) if target.clone else word)
        return subprocess.run(
            words, cwd=folder, env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
