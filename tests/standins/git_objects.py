"""What the stand-in for GitHub reads and writes of git for the routes that the suite itself never asks."""

from __future__ import annotations

from dataclasses import dataclass

from release_state.demo.git import GitError
from release_state.demo.github.gitstore import NOT_A_NAME, GitStore, Person
from release_state.demo.github.model import Pull, stamp


class MergeConflictError(GitError):
    """Two commits can not be merged without a person."""


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


def changes(git: GitStore, before: str | None, after: str) -> list[Change]:
    """The files that differ; ``before`` None stands for an empty tree (a first commit)."""
    start = before or git.run("hash-object", "-t", "tree", "--stdin").decode().strip()
    raw = git.text("diff-tree", "-r", "-M", "--raw", "--no-abbrev", "-z", start, after).split("\0")
    numbers = _numstat(git, start, after)
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


def _numstat(git: GitStore, before: str, after: str) -> dict[str, tuple[int, int]]:
    found = {}
    fields = iter(git.text("diff-tree", "-r", "-M", "--numstat", "-z", before, after).split("\0"))
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


def tree(git: GitStore, commit: str, path: str) -> list[Entry] | Entry | None:
    """What a commit has at a path: a folder's entries, one file's entry, or None."""
    if path:
        lines = git.text("ls-tree", "-l", "-z", commit, "--", path).split("\0")
        entry = _entry(lines[0]) if lines[0] else None
        if entry is None or entry.type != "tree":
            return entry
    spot = f"{commit}:{path}" if path else commit
    entries = [_entry(line) for line in git.text("ls-tree", "-l", "-z", spot).split("\0") if line]
    return [Entry(e.mode, e.type, e.sha, e.size, f"{path}/{e.path}" if path else e.path) for e in entries]


def is_ref_name(name: str) -> bool:
    """Whether git would take this as a full reference name below `refs/`."""
    return name.startswith("refs/") and name.count("/") >= 2 and not NOT_A_NAME.search(name)


def count(git: GitStore, *revisions: str) -> int:
    """How many commits the revisions select."""
    return int(git.text("rev-list", "--count", "--end-of-options", *revisions, "--"))


def drop_ref(git: GitStore, name: str) -> None:
    """Delete a reference."""
    git.run("update-ref", "-d", name)


def own_commits(git: GitStore, pull: Pull) -> list[str]:
    """The hashes of a pull request's own commits; none when the repository no longer holds them."""
    try:
        return [commit.sha for commit in git.log(pull.head_sha, f"^{pull.base_sha}")]
    except GitError:
        return []


def blob(git: GitStore, sha: str) -> bytes:
    """A file's bytes."""
    return git.run("cat-file", "blob", sha)


def merge(git: GitStore, base: str, head: str, message: str, *, squash: bool, who: Person) -> str:
    """The hash of a new commit on ``base`` with the changes of ``head``; no reference is moved.

    Raises:
        MergeConflictError: the two do not merge by themselves.

    """
    try:
        tree = git.text("merge-tree", "--write-tree", base, head).splitlines()[0]
    except GitError as error:
        raise MergeConflictError(str(error)) from error
    parents = ["-p", base] + ([] if squash else ["-p", head])
    date = stamp(who.date)
    environment = {
        "GIT_AUTHOR_NAME": who.name, "GIT_AUTHOR_EMAIL": who.email, "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_NAME": "GitHub", "GIT_COMMITTER_EMAIL": "noreply@github.com", "GIT_COMMITTER_DATE": date,
    }  # fmt: skip
    made = git.run("commit-tree", tree, *parents, stdin=message.encode(), env=environment)
    return made.decode().strip()


def _entry(line: str) -> Entry:
    head, path = line.split("\t", 1)
    mode, kind, sha, size = head.split()
    return Entry(mode, kind, sha, 0 if size == "-" else int(size), path)
