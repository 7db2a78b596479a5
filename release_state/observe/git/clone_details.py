"""What else lies in a clone: submodules with changes, built files, and whether git knows who is committing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from release_state.model.observation import Observation, Problem, known
from release_state.observe.git.messages import GitFailed, readable
from release_state.observe.git.work_tree import read_changes

if TYPE_CHECKING:
    from release_state.observe.git.clone import CloneReader

_GITLINK = b"160000 "
_MOST = 200
_SUFFIXES = (".whl", ".tar.gz", ".zip")


@dataclass(frozen=True)
class Details:
    """See Clone."""

    dirty_submodules: Observation[tuple[str, ...]]
    built: Observation[tuple[str, ...]]
    no_identity: tuple[str, ...]


def read_details(reader: CloneReader, top: Path | None, environ: Mapping[str, str]) -> Details:
    """Look at a clone and its work tree, if it has one; `environ` may hold the person's identity. Never raises."""
    dirty: Observation[tuple[str, ...]] = known(()) if top is None else _dirty_submodules(reader, top)
    return Details(dirty, known(()) if top is None else _built(top / "dist"), _no_identity(reader, environ))


def _dirty_submodules(reader: CloneReader, top: Path) -> Observation[tuple[str, ...]]:
    try:
        dirty = [path for path in _submodules(reader, top) if _is_dirty(reader, top / os.fsdecode(path))]
    except GitFailed as failed:
        problem = Problem(source="clone", why=f"a submodule cannot be read: {failed.why}", remedy=failed.remedy)
        return Observation[tuple[str, ...]](value=None, unavailable=problem)
    return known(tuple(readable(path) for path in dirty))


def _submodules(reader: CloneReader, top: Path) -> Iterator[bytes]:
    """The paths of the submodules that are checked out."""
    if not (top / ".gitmodules").is_file():
        return
    for entry in reader.run("ls-files", "--stage", "-z", cwd=top).output.split(b"\0"):
        path = entry.partition(b"\t")[2]
        folder = top / os.fsdecode(path)
        if entry.startswith(_GITLINK) and (folder / ".git").exists() and _is_inside(folder, top):
            yield path


def _is_inside(folder: Path, top: Path) -> bool:
    """Whether no link on the way leads out of the clone."""
    return top.resolve() in folder.resolve().parents


def _is_dirty(reader: CloneReader, folder: Path) -> bool:
    # A reader of its own: what the submodule's configuration names (filters, monitors) is switched off there as well.
    own = type(reader)(folder, reader.git)
    changes = read_changes(own, own.top(), None)
    return bool(changes.changed or changes.untracked)


def _built(folder: Path) -> Observation[tuple[str, ...]]:
    """The names of the distributions in a folder; none where there is no such folder. A link is not followed."""
    try:
        if folder.is_symlink():
            return known(())
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(_SUFFIXES))
    except (FileNotFoundError, NotADirectoryError):
        return known(())
    except OSError as error:
        problem = Problem(source="clone", why=f"{folder.name} cannot be read: {error.strerror}")
        return Observation[tuple[str, ...]](value=None, unavailable=problem)
    return known(tuple(readable(os.fsencode(name))[:_MOST] for name in names[:_MOST]))


def _no_identity(reader: CloneReader, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Which of user.name and user.email neither the configuration nor the environment gives to git."""
    variables = {"user.name": ("GIT_COMMITTER_NAME",), "user.email": ("GIT_COMMITTER_EMAIL", "EMAIL")}
    missing = []
    for name, names in variables.items():
        # Only whether it is there: who somebody is belongs into no report.
        if not any(environ.get(variable) for variable in names) and name not in reader.config:
            missing.append(name)
    return tuple(missing)
