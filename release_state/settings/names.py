"""What the files of a clone name the package, within limits of time and size."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from release_state.common.project import CONFIGURATION, PYPROJECT, UNREAD, find_table, parse_toml, read_project_name
from release_state.settings.sources import Value

_LARGEST, _LARGEST_BELOW = 2**20, 2**16
"""Bytes of a file at the top, and of one below."""
_MOST_BYTES = 2**21
"""Of all files together."""
_MOST_STEPS = 500_000
"""Folders that are compared with a glob."""
_MOST_PATTERNS, _DEEPEST = 500, 20


def find_name(top: Path, repository: str) -> Value | None:
    """Return the name of the package that a repository builds; None if its files don't say.

    It is the name at the top. Where that is a workspace or nothing, it is the package below that is named like the
    repository. Without one, it is the name of the workspace or of its only member, if everything below was read: what
    was not could be the package. Source: https://docs.astral.sh/uv/concepts/projects/workspaces/
    """
    clone = _Clone(top)
    files = clone.read_files(top)
    own = clone.find_name(top, files)
    if not clone.is_whole:
        return None
    uv = find_table(parse_toml(files[PYPROJECT] or "") or {}, "tool", "uv")
    alike = canonicalize_name(repository.rpartition("/")[2])
    likes = {alike, alike.removeprefix("python-"), alike.removesuffix("-python")}
    if own and ("workspace" not in uv or canonicalize_name(own.text) in likes):
        return own
    members = clone.list_members(find_table(uv, "workspace"))
    below = chain(members, clone.list_others())
    if found := next((name for name in below if canonicalize_name(name.text) == alike), None):
        return found
    return (own or (members[0] if len(members) == 1 else None)) if clone.is_whole else None


@dataclass
class _Clone:
    """The project files of a clone, and what was not read of them."""

    top: Path
    is_whole: bool = True
    """Whether everything that was asked for is found, readable and within the limits."""
    _bytes_left: int = _MOST_BYTES
    _steps_left: int = _MOST_STEPS
    _folders: dict[Path, list[Path]] = field(default_factory=dict)
    """What each listed folder holds."""
    _done: set[Path] = field(default_factory=set)

    def read_files(self, folder: Path) -> dict[str, str | None]:
        """The texts of the files that can name a package."""
        return {file: self._read(folder / file) for file in CONFIGURATION}

    def find_name(self, folder: Path, files: Mapping[str, str | None], *, is_member: bool = False) -> Value | None:
        """The package that a folder with these files builds."""
        self._done.add(folder)
        try:
            found = read_project_name(files.get)
        except ValueError:
            self.is_whole = False
            return None
        if found is None and is_member:
            # Other folders can be there, but an empty one is a submodule that is not checked out.
            self.is_whole &= all(text is None for text in files.values()) and self._has_entries(folder)
        return Value(found.text, f"{found.key} of {folder / found.file}") if found and found.text else None

    def list_members(self, workspace: Mapping[str, Any]) -> list[Value]:
        """The packages of uv's workspace, but for the top."""
        found: dict[Path, None] = {}
        for pattern in self._list_patterns(workspace, "members"):
            matched = _expand(self.top, pattern, self._list_folders)
            self.is_whole &= bool(matched)  # a checkout can lack folders
            found |= dict.fromkeys(matched)
        below: dict[Path, list[Path]] = {}
        for path in dict.fromkeys(each for folder in found for each in (folder, *folder.parents)):
            below.setdefault(path.parent, []).append(path)
        for pattern in self._list_patterns(workspace, "exclude"):
            for folder in _expand(self.top, pattern, lambda folder: below.get(folder, [])):
                found.pop(folder, None)
        members = (self.find_name(each, self.read_files(each), is_member=True) for each in found if each != self.top)
        return [name for name in members if name]

    def list_others(self) -> Iterator[Value]:
        """The packages of the two levels below the top, but for those that were read and hidden folders."""
        first = [each for each in self._list_folders(self.top) if not each.name.startswith(".")]
        for folder in chain(first, (inner for each in first for inner in self._list_folders(each))):
            is_shown = not folder.name.startswith(".") and folder not in self._done
            if is_shown and (name := self.find_name(folder, self.read_files(folder))):
                yield name

    def _list_patterns(self, workspace: Mapping[str, Any], key: str) -> Iterator[list[str]]:
        """The globs of a list, by their parts."""
        listed = workspace.get(key, [])
        texts = listed if isinstance(listed, list) and all(isinstance(each, str) for each in listed) else [".."]
        self.is_whole &= len(texts) <= _MOST_PATTERNS
        for text in texts[:_MOST_PATTERNS]:
            parts = [part for part in text.split("/") if part not in ("", ".")]
            if text.startswith("/") or ".." in parts or len(parts) > _DEEPEST:
                self.is_whole = False
            else:
                yield parts

    def _list_folders(self, folder: Path) -> list[Path]:
        if folder not in self._folders:
            try:
                with os.scandir(folder) as entries:
                    self._folders[folder] = sorted(Path(entry.path) for entry in entries if entry.is_dir())
            except OSError:
                self._folders[folder], self.is_whole = [], False
        found = self._folders[folder]
        self._steps_left -= 1 + len(found)
        self.is_whole &= self._steps_left >= 0
        return found if self._steps_left >= 0 else []

    def _has_entries(self, folder: Path) -> bool:
        try:
            with os.scandir(folder) as entries:
                return any(entries)
        except OSError:
            return False

    def _read(self, path: Path) -> str | None:
        """The text of a file of the clone; UNREAD if it cannot be read, leads out of the clone or is over a limit."""
        most = min(_LARGEST if path.parent == self.top else _LARGEST_BELOW, self._bytes_left)
        try:
            path.lstat()
            if not path.is_file() or not path.resolve().is_relative_to(self.top.resolve()):
                return UNREAD
            with path.open("rb") as file:
                content = file.read(most + 1)
            self._bytes_left -= min(len(content), most)
            return content.decode("utf-8") if len(content) <= most else UNREAD
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError):
            return UNREAD


def _expand(top: Path, pattern: Sequence[str], list_folders: Callable[[Path], list[Path]]) -> list[Path]:
    """The folders that a glob of uv matches: `*` stays within a part, and `**` is any number of folders."""
    found = [top]
    for part in pattern:
        if part == "**":
            reached = set(found)
            for folder in found:  # it grows meanwhile
                new = [each for each in list_folders(folder) if each not in reached and not each.is_symlink()]
                reached.update(new)
                found.extend(new)
        else:
            found = [each for folder in found for each in list_folders(folder) if fnmatchcase(each.name, part)]
    return found
