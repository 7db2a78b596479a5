"""Observe the maintainer's clone without changing a byte of it or running what its configuration names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event

from release_state.common.addresses import strip_credentials
from release_state.facts.filenames import UPLOADED
from release_state.model.observation import Observation, Problem, known, unavailable
from release_state.model.snapshot import Clone, Tag
from release_state.observe.git.command import Git, GitFailed, decode_output, find_decisive_line, observe_git
from release_state.observe.git.reader import CloneReader, open_clone
from release_state.observe.git.remote import parse_tags
from release_state.observe.git.work_tree import WorkTreeChanges, read_changes

OpenReader = Callable[[Path, Git], CloneReader]
SOURCE = "clone"
SHOWN = 50
"""Changed and untracked paths that are listed; the counts include all."""
_GITLINK = b"160000 "
_MOST_NAMES = 200


def observe_clone(
    path: Path,
    remote_name: str,
    timeout: float,
    reports_dir: Path | None,
    *,
    cancel: Event | None = None,
    open_reader: OpenReader = CloneReader,
) -> Observation[Clone]:
    """Read the clone at or above a path; `timeout` in seconds; `open_reader` returns its reader.

    Another commit checked out in a submodule counts as a change; changes inside its work tree do not. The reports of
    this suite in `reports_dir` never count. `ahead` and `behind` stay unavailable.
    """
    return observe_git(SOURCE, lambda: _observe(open_reader(path, Git(timeout, cancel)), remote_name, reports_dir))


def observe_clone_tags(path: Path, timeout: float, *, cancel: Event | None = None) -> Observation[tuple[Tag, ...]]:
    """Read only the tags of the clone at or above a path; `timeout` in seconds."""
    return observe_git(SOURCE, lambda: read_tags(open_clone(path, Git(timeout, cancel))))


def _observe(reader: CloneReader, remote_name: str, reports_dir: Path | None) -> Clone:
    top = reader.top()
    changes = WorkTreeChanges() if reader.bare else read_changes(reader, top, reports_dir)
    branch, head = changes.at or _read_head(reader)
    dirty: Observation[tuple[str, ...]] = known(()) if reader.bare else _find_dirty_submodules(reader, top)
    mirror = f"remote.{remote_name}.mirror"
    not_related: Observation[int] = unavailable(SOURCE, "not compared with the remote")
    return Clone(
        path=decode_output(os.fsencode(top)),
        branch=branch,
        head=head,
        bare=reader.bare,
        folds_case=reader.folds_case,
        shallow=reader.shallow,
        operation=find_operation(reader.git_dir),
        changed=changes.changed[:SHOWN],
        untracked=changes.untracked[:SHOWN],
        changed_count=len(changes.changed),
        untracked_count=len(changes.untracked),
        marked=changes.marked[:SHOWN],
        showing=changes.showing,
        ahead=not_related,
        behind=not_related,
        tags=read_tags(reader),
        remote_url=next(map(_show_url, reader.list_urls(remote_name)), None),
        push_urls=tuple(map(_show_url, reader.list_push_urls(remote_name))),
        mirrors=mirror in reader.config and reader.switch(mirror) == "true",
        dirty_submodules=dirty,
        dist_names=known(()) if reader.bare else _list_names(top / "dist"),
        no_identity=_list_missing_identity(reader, os.environ),
    )


def _read_head(reader: CloneReader) -> tuple[str | None, str | None]:
    symbolic = reader.run("symbolic-ref", "--quiet", "HEAD", accept=(0, 1)).text.removesuffix("\n")
    head = reader.run("rev-parse", "--quiet", "--verify", "HEAD^{commit}", accept=(0, 1)).text.strip()
    return symbolic.removeprefix("refs/heads/") if symbolic.startswith("refs/heads/") else None, head or None


def find_operation(git_dir: Path) -> str | None:
    """Return the operation in progress, by the files that git keeps for it in the work tree's git directory."""
    # A stopped rebase has a CHERRY_PICK_HEAD as well, so it comes first.
    if (git_dir / "rebase-merge").exists():
        return "rebase"
    if (git_dir / "rebase-apply").exists():
        return "am" if (git_dir / "rebase-apply" / "applying").exists() else "rebase"
    heads = {"MERGE_HEAD": "merge", "CHERRY_PICK_HEAD": "cherry-pick", "REVERT_HEAD": "revert"}
    for name, operation in heads.items():
        if (git_dir / name).exists():
            return operation
    if (git_dir / "sequencer" / "todo").exists():
        # Between two commits of a series neither head exists; the list of remaining commits tells which it is.
        with (git_dir / "sequencer" / "todo").open("rb") as todo:
            return "revert" if todo.read(6) == b"revert" else "cherry-pick"
    return "bisect" if (git_dir / "BISECT_LOG").exists() else None


def read_tags(reader: CloneReader) -> tuple[Tag, ...]:
    """Return the clone's tags. Raises GitFailed, also for a tag that cannot be read."""
    # Not for-each-ref: before git 2.45 it peels a tag of a tag by only one level.
    answer = reader.run("show-ref", "--tags", "--dereference", accept=(0, 1))
    # For an unreadable tag object git prints an error and exits with 0: the tag would look like a lightweight one.
    if re.search(r"broken|^(?:error|fatal):", answer.stderr, re.MULTILINE) or (answer.code and answer.stderr.strip()):
        raise GitFailed(f"the clone's tags cannot be read: {find_decisive_line(answer.stderr)[:200]}")
    pairs = (line.split(" ", 1) for line in answer.text.split("\n") if line)
    return parse_tags((ref, sha) for sha, ref in pairs)


def _show_url(url: str) -> str:
    return strip_credentials(decode_output(os.fsencode(url)))


def _find_dirty_submodules(reader: CloneReader, top: Path) -> Observation[tuple[str, ...]]:
    try:
        dirty = [path for path in _find_submodules(reader, top) if _is_dirty(reader, top / os.fsdecode(path))]
    except GitFailed as failed:
        problem = Problem(source=SOURCE, why=f"a submodule cannot be read: {failed.why}", remedy=failed.remedy)
        return Observation(value=None, unavailable=problem)
    return known(tuple(decode_output(path) for path in dirty))


def _find_submodules(reader: CloneReader, top: Path) -> Iterator[bytes]:
    """Yield the paths of the submodules that are checked out."""
    if not (top / ".gitmodules").is_file():
        return
    for entry in reader.run("ls-files", "--stage", "-z", cwd=top).output.split(b"\0"):
        path = entry.partition(b"\t")[2]
        folder = top / os.fsdecode(path)
        if not entry.startswith(_GITLINK) or not (folder / ".git").exists():
            continue
        if top.resolve() in folder.resolve().parents:  # after following links
            yield path


def _is_dirty(reader: CloneReader, folder: Path) -> bool:
    # A reader of its own also switches off what the submodule configures (filters, monitors).
    own = CloneReader(folder, reader.git)
    changes = read_changes(own, own.top(), None)
    return bool(changes.changed or changes.untracked)


def _list_names(folder: Path) -> Observation[tuple[str, ...]]:
    """Return the names of the distributions in a folder; none if it is missing or a link."""
    try:
        if folder.is_symlink():
            return known(())
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(UPLOADED))
    except (FileNotFoundError, NotADirectoryError):
        return known(())
    except OSError as error:
        return unavailable(SOURCE, f"{folder.name} cannot be read: {error.strerror}")
    return known(tuple(decode_output(os.fsencode(name))[:_MOST_NAMES] for name in names[:_MOST_NAMES]))


def _list_missing_identity(reader: CloneReader, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return those of user.name and user.email that neither the configuration nor the environment sets."""
    variables = {"user.name": ("GIT_COMMITTER_NAME",), "user.email": ("GIT_COMMITTER_EMAIL", "EMAIL")}
    # Only whether it is set: no report shows who somebody is.
    is_set = {name: name in reader.config or any(map(environ.get, names)) for name, names in variables.items()}
    return tuple(name for name in variables if not is_set[name])
