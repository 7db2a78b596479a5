"""The one place where the product starts git: GitPython's `Git`, with what it leaves open closed.

GitPython starts the programs, and reads objects by `cat-file --batch` (see `objects.py`). Its other readers are not
used, each of them measured to be wrong or slow: refs and tags (4.3 s for 2,000 tags; UTF-8 alone), the configuration
(without GIT_CONFIG_*, and errors that print lines of included files), `is_dirty` (runs filters and monitors), and diffs
(201 processes for 100 commits). These are git commands.
"""

from __future__ import annotations

import errno
import importlib
import importlib.util
import os
import re
import stat
import subprocess
import sys
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, BinaryIO

from release_state.observe.git.answers import Answers, Limits, ObjectMissing
from release_state.observe.process import limit_memory, note_running, stop


def _load() -> ModuleType:
    """Return GitPython's module `git.cmd` without the rest of the package.

    The package's `__init__` imports every reader, which takes three times as long. And it runs the git that it finds on
    the PATH: with "." there, one in the current folder.
    """
    if "git" in sys.modules:
        return importlib.import_module("git.cmd")
    if (spec := importlib.util.find_spec("git")) is None:
        raise ModuleNotFoundError("No module named 'git'", name="git")
    sys.modules["git"] = importlib.util.module_from_spec(spec)
    try:
        return importlib.import_module("git.cmd")
    finally:
        # Whoever imports the package gets all of it.
        for name in [name for name in sys.modules if name.partition(".")[0] == "git"]:
            del sys.modules[name]


if TYPE_CHECKING:
    from git.cmd import Git as GitPython
    from git.exc import GitCommandNotFound
else:
    _cmd = _load()
    GitPython, GitCommandNotFound = _cmd.Git, _cmd.GitCommandNotFound


_HEADER = re.compile(rb"([0-9a-f]{40,64}) ([a-z]+) ([0-9]{1,18})\n")


class GitProgram(GitPython):
    """Git at an absolute `path`, run in a folder: with these variables and no others, and so much memory (bytes)."""

    GIT_PYTHON_TRACE = False

    def __init__(self, path: str, folder: Path, env: Mapping[str, str], memory: int) -> None:
        # GitPython expands variables in a folder's name, and runs git in the current folder where there is none. So it
        # starts at the root, and the folder is entered before git begins.
        super().__init__(Path(os.sep))
        self.GIT_PYTHON_GIT_EXECUTABLE = path
        self._folder = folder if folder.is_absolute() else Path.cwd() / folder
        self._env, self._memory, self.limits = dict(env), memory, Limits()
        self._ends: list[weakref.finalize[..., Any]] = []

    def start(self, *arguments: str, stdin: BinaryIO | int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start a command; the caller stops it. Raises OSError."""
        handle = self.execute([str(self.GIT_PYTHON_GIT_EXECUTABLE), *arguments], stdin)
        # The handle would end only the program, and not what that started.
        process: subprocess.Popen[bytes]
        process, handle.proc = handle.proc, None
        return process

    def execute(  # type: ignore[override]  # one of its many forms
        self, command: Sequence[str], istream: BinaryIO | int | None = None, **options: Any
    ) -> Any:
        """Start a command in a process group of its own; GitPython's options have no effect. Raises OSError."""
        _require_folder(self._folder)
        # GitPython adds to the inherited variables. Those that git must not get are emptied, since some are secrets,
        # and unset before git begins.
        inherited = sorted({*os.environ, "LANGUAGE"} - self._env.keys())
        limited = limit_memory(command, self._memory, without=inherited, folder=str(self._folder))
        env = {**dict.fromkeys(inherited, ""), **self._env}
        options = {"as_process": True, "shell": False, "start_new_session": True}
        try:
            handle = super().execute(limited, istream, env=env, **options)
        except GitCommandNotFound as error:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error
        if istream == subprocess.PIPE:  # one that stays, and answers
            note_running(handle.proc)
            self._ends.append(weakref.finalize(self, stop, handle.proc))
            handle.proc.stdout = Answers(handle.proc, self.limits)
        return handle

    def end(self, *, failed: bool = False) -> bytes:
        """End the programs that stay. If one `failed`, return what it says about that."""
        errors = b""
        for handle in (self.cat_file_all, self.cat_file_header):
            if handle is not None and handle.proc is not None:
                answers, handle.proc = handle.proc.stdout, None
                answers.is_over = answers.is_over or not failed
                errors += answers.end()
        self.cat_file_all = self.cat_file_header = None
        while self._ends:
            self._ends.pop()()
        return errors

    def _parse_object_header(self, header_line: bytes) -> tuple[str, str, int]:  # type: ignore[override]  # GitPython types bytes as str
        """Return name, type and size; GitPython takes names of SHA-1 alone. Raises ObjectMissing, and ValueError."""
        if header_line.endswith(b" missing\n"):
            raise ObjectMissing
        if (found := _HEADER.fullmatch(header_line)) is None:
            raise ValueError("git cat-file answered something else than an object")
        return found[1].decode(), found[2].decode(), int(found[3])


def _require_folder(path: Path) -> None:
    """Raise OSError if no program can begin here."""
    if not stat.S_ISDIR(path.stat().st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(path, os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
