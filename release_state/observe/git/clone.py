"""The maintainer's clone, read without changing a byte of it and without running what its configuration names."""

from __future__ import annotations

import os
import re
from pathlib import Path
from threading import Event

from release_state.common.addresses import strip_credentials
from release_state.model.observation import Observation, known, unavailable
from release_state.model.snapshot import Clone, Tag
from release_state.observe.git.clone_details import read_details
from release_state.observe.git.command import Git, GitOutput
from release_state.observe.git.environment import with_settings, without_filters, without_network
from release_state.observe.git.messages import GitFailed, decisive, readable
from release_state.observe.git.remote import tags_of
from release_state.observe.git.work_tree import Changes, read_changes

SOURCE = "clone"
_OBJECTS = ("--path-format=absolute", "--git-path", "objects")
SHOWN = 50
"""Changed and untracked paths that are listed; all of them are counted."""


class CloneReader:
    """Git commands inside the clone. They read only, reach no network and run no program that the clone names."""

    def __init__(self, path: Path, git: Git) -> None:
        """Raise GitFailed where there is no repository that git will read."""
        if not path.is_dir():
            raise GitFailed(f"{path} is not a directory", "give the path of a git repository")
        self.git, self.path, self.env = git, path, without_network(git.environ)
        self._places: tuple[str, ...] = ()
        bare, shallow, git_dir = self._facts()
        self.bare, self.shallow, self.git_dir = bare == "true", shallow == "true", Path(git_dir)
        # Listing runs nothing; it shows the names of every file that is included, too.
        names = self.run("config", "--list", "--name-only", "-z").output.split(b"\0")
        self.config = tuple(os.fsdecode(name) for name in names if name)
        # Where the file system tells cases apart, a file that differs by its case alone is another, untracked one.
        cases = () if self.folds_case else (("core.ignoreCase", "false"),)
        self.env = with_settings(self.env, (*without_filters(self.config), *cases))

    @property
    def folds_case(self) -> bool:
        """Whether the file system of the git directory takes HEAD and head for one file."""
        return (self.git_dir / "head").exists()

    def _facts(self) -> list[str]:
        facts = ("rev-parse", "--is-bare-repository", "--is-shallow-repository", "--absolute-git-dir")
        # All at once, where there is a work tree, and no path holds a line feed.
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
        """Run a reading command, at the clone's path unless another one is given."""
        return self.git.run(*arguments, cwd=cwd or self.path, env=self.env, stdin=stdin, accept=accept)

    def line(self, *arguments: str) -> str:
        """The one line that a command prints; a path may hold anything but the final line feed."""
        output = self.run(*arguments).output
        return os.fsdecode(output[:-1] if output.endswith(b"\n") else output)

    @property
    def is_partial(self) -> bool:
        """Whether it lacks objects that it would fetch on demand."""
        return any(
            name == "extensions.partialclone" or (name.startswith("remote.") and name.endswith(".promisor"))
            for name in self.config
        )

    def top(self) -> Path:
        """
        The top of the work tree; of a bare repository the git directory.

        Raises GitFailed where the work tree is not around the path: the configuration sends git somewhere else.
        """
        if self.bare:
            return self.git_dir
        top = Path(self._places[1] if self._places else self.line("rev-parse", "--show-toplevel"))
        if not self.path.resolve().is_relative_to(top.resolve()):
            raise GitFailed(f"the work tree of the repository at {self.path} is elsewhere: core.worktree is {top}")
        return top

    def objects(self) -> Path:
        """Where its objects are; of a linked worktree those of the main one."""
        return Path(self._places[0] if self._places else self.line("rev-parse", *_OBJECTS))


def observe_clone(
    path: Path, remote_name: str, timeout: float, reports_dir: Path | None, *, cancel: Event | None = None
) -> Observation[Clone]:
    """
    Read the clone at or above a path; `timeout` in seconds.

    Changes inside a submodule's own work tree do not count; another commit checked out in it does. The reports of
    this suite in `reports_dir` never count. `ahead` and `behind` are left unavailable.
    """
    try:
        return known(_observe(CloneReader(path, Git(timeout, cancel)), remote_name, reports_dir))
    except GitFailed as failed:
        return Observation[Clone](value=None, unavailable=failed.as_problem(SOURCE))


def observe_clone_tags(path: Path, timeout: float, *, cancel: Event | None = None) -> Observation[tuple[Tag, ...]]:
    """The tags of the clone at or above a path, and nothing else of it; `timeout` in seconds."""
    try:
        return known(_tags(CloneReader(path, Git(timeout, cancel))))
    except GitFailed as failed:
        return Observation[tuple[Tag, ...]](value=None, unavailable=failed.as_problem(SOURCE))


def _observe(reader: CloneReader, remote_name: str, reports_dir: Path | None) -> Clone:
    top = reader.top()
    changes = Changes() if reader.bare else read_changes(reader, top, reports_dir)
    symbolic = reader.run("symbolic-ref", "--quiet", "HEAD", accept=(0, 1)).text.removesuffix("\n")
    head = reader.run("rev-parse", "--quiet", "--verify", "HEAD^{commit}", accept=(0, 1)).text.strip()
    details = read_details(reader, None if reader.bare else top, os.environ)
    not_related: Observation[int] = unavailable(SOURCE, "not compared with the remote")
    return Clone(
        path=readable(os.fsencode(top)),
        branch=symbolic.removeprefix("refs/heads/") if symbolic.startswith("refs/heads/") else None,
        head=head or None,
        bare=reader.bare,
        folds_case=reader.folds_case,
        shallow=reader.shallow,
        operation=operation_in(reader.git_dir),
        changed=changes.changed[:SHOWN],
        untracked=changes.untracked[:SHOWN],
        changed_count=len(changes.changed),
        untracked_count=len(changes.untracked),
        marked=changes.marked[:SHOWN],
        showing=changes.showing,
        ahead=not_related,
        behind=not_related,
        tags=_tags(reader),
        remote_url=_remote_url(reader, remote_name),
        push_urls=_push_urls(reader, remote_name),
        mirrors=_mirrors(reader, remote_name),
        dirty_submodules=details.dirty_submodules,
        built=details.built,
        no_identity=details.no_identity,
    )


def operation_in(git_dir: Path) -> str | None:
    """The operation that is in progress, by the files that git keeps of it in the (work tree's own) git directory."""
    # A rebase that stopped has a CHERRY_PICK_HEAD as well: it is asked for first.
    if (git_dir / "rebase-merge").exists():
        return "rebase"
    if (git_dir / "rebase-apply").exists():
        return "am" if (git_dir / "rebase-apply" / "applying").exists() else "rebase"
    heads = {"MERGE_HEAD": "merge", "CHERRY_PICK_HEAD": "cherry-pick", "REVERT_HEAD": "revert"}
    for name, operation in heads.items():
        if (git_dir / name).exists():
            return operation
    if (git_dir / "sequencer" / "todo").exists():
        # Between two commits of a series neither head is there; the list of what is left says which it is.
        with (git_dir / "sequencer" / "todo").open("rb") as todo:
            return "revert" if todo.read(6) == b"revert" else "cherry-pick"
    return "bisect" if (git_dir / "BISECT_LOG").exists() else None


def _tags(reader: CloneReader) -> tuple[Tag, ...]:
    # show-ref and not for-each-ref: until git 2.45 the latter peels a tag of a tag by one level only.
    answer = reader.run("show-ref", "--tags", "--dereference", accept=(0, 1))
    # A tag object that cannot be read is an error line and exit code 0: the tag would pass for a lightweight one.
    if re.search(r"broken|^(?:error|fatal):", answer.stderr, re.MULTILINE) or (answer.code and answer.stderr.strip()):
        raise GitFailed(f"the clone's tags cannot be read: {decisive(answer.stderr)[:200]}")
    pairs = (line.split(" ", 1) for line in answer.text.split("\n") if line)
    return tags_of((ref, sha) for sha, ref in pairs)


def _remote_url(reader: CloneReader, name: str) -> str | None:
    answer = reader.run("remote", "get-url", "--", name, accept=(0, 2))
    url = answer.text.split("\n")[0]
    return strip_credentials(url) if answer.code == 0 and url else None


def _mirrors(reader: CloneReader, name: str) -> bool:
    key = f"remote.{name}.mirror"
    return key in reader.config and reader.run("config", "--bool", "--get", key, accept=(0, 1, 128)).text == "true\n"


def _push_urls(reader: CloneReader, name: str) -> tuple[str, ...]:
    answer = reader.run("remote", "get-url", "--push", "--all", "--", name, accept=(0, 2))
    urls = answer.text.split("\n") if answer.code == 0 else []
    return tuple(strip_credentials(url) for url in urls if url)
