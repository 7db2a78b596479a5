"""Find a Python on this machine to install a package into, and one that its wheels are for."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from msgspec import Struct
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, platform_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from release_state.model.snapshot import IndexFile
from release_state.observe.process import run_bounded

_ASK_SECONDS = 5.0
"""For one interpreter, and for uv."""

_SEARCH_SECONDS = 30.0
"""For the whole search."""

_MINORS = range(15, 7, -1)

_QUESTION = """
import sys, importlib.util as util
usable = util.find_spec("venv") is not None and util.find_spec("ensurepip") is not None
usual = sys.implementation.name == "cpython" and not getattr(sys, "abiflags", "")
print("%d.%d.%d" % sys.version_info[:3], sys.version_info[3], int(usable), int(usual), sys.executable, sep="\\n")
"""
"""It asks for ensurepip: Debian's Python comes without it and then makes no environment."""

_KEPT = re.compile(
    r"PATH|LANG|LANGUAGE|LC_\w+|TZ|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE"
    r"|CURL_CA_BUNDLE|PYENV_ROOT|(?:HTTP|HTTPS|ALL|NO|http|https|all|no)_(?:PROXY|proxy)"
)
_PATHS = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class Interpreter(Struct, frozen=True):
    """A Python that can make virtual environments: its executable and its version, "3.13.0"."""

    path: str
    version: str
    final: bool = True
    """Whether it is a final release: no alpha, beta or candidate."""
    usual: bool = True
    """Whether it is a CPython with the usual ABI: most wheels are built for that."""

    @property
    def number(self) -> tuple[int, ...]:
        """The version to compare by."""
        return tuple(int(part) for part in self.version.split("."))

    @property
    def label(self) -> str:
        """Version and path, for a person."""
        return f"Python {self.version} ({self.path})"


def build_clean_environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the few variables that a foreign program needs, with `home` as its home, cache and scratch folder.

    A list of what stays, not of what goes: a token can have any name. Relative entries of PATH go: they would point
    into whatever folder the process runs in.
    """
    kept = {name: value for name, value in environ.items() if _KEPT.fullmatch(name)}
    for name in _PATHS:
        if name in kept:
            entries = [entry for entry in kept[name].split(os.pathsep) if Path(entry).is_absolute()]
            kept[name] = os.pathsep.join(entries)
    return {
        **{name: value for name, value in kept.items() if value},
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def find_interpreter(
    requires_python: str | None,
    environ: Mapping[str, str],
    *,
    accepts: Callable[[Interpreter], bool] | None = None,
    running: str = sys.executable,
    cancel: Event | None = None,
) -> Interpreter | None:
    """Return a Python that satisfies a Requires-Python specifier (and `accepts`); None if this machine has none.

    The running one if it fits, else the newest on PATH, of pyenv or of uv; a pre-release only if nothing else fits.
    Takes at most 30 seconds, or until `cancel`. Raises packaging's InvalidSpecifier for an unreadable specifier.
    """
    specifier = SpecifierSet(requires_python or "")

    def fits(found: Interpreter) -> bool:
        # As in pip: 3.15.0rc1 counts as 3.15.0.
        return specifier.contains(found.version, prereleases=True) and (accepts is None or accepts(found))

    with TemporaryDirectory(prefix="release-state-", ignore_cleanup_errors=True) as empty:
        search = _Search(environ, build_clean_environment(environ, Path(empty)), Path(empty), cancel)
        own = search.ask(running) if running else None
        if own is not None and own.final and fits(own):
            return own
        found = [each for each in (own, *search.others()) if each is not None and fits(each)]
    return max(found, key=lambda each: (each.final, each.usual, each.number), default=None)


class _Search(Struct, frozen=True):
    """Asks the Pythons of this machine in a clean environment and an empty folder."""

    environ: Mapping[str, str]
    env: dict[str, str]
    empty: Path
    cancel: Event | None

    def others(self) -> Iterator[Interpreter | None]:
        deadline = time.monotonic() + _SEARCH_SECONDS
        seen: set[str] = set()
        for path in self._candidates():
            if (self.cancel is not None and self.cancel.is_set()) or time.monotonic() >= deadline:
                return
            # Not resolved: a virtual environment's link to a Python is another Python than its target.
            if path not in seen:
                seen.add(path)
                yield self.ask(path)

    def _candidates(self) -> Iterator[str]:
        places = self.env.get("PATH", "")
        for name in (*(f"python3.{minor}" for minor in _MINORS), "python3"):
            if places and (path := shutil.which(name, path=places)):
                yield path
        home = Path(self.environ.get("HOME") or "/nonexistent")
        versions = Path(self.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
        if versions.is_absolute():
            yield from (str(path) for path in sorted(versions.glob("3*/bin/python"), reverse=True))
        if places and (uv := shutil.which("uv", path=places)):
            yield from self._ask_uv(uv)

    def _ask_uv(self, uv: str) -> Iterator[str]:
        # uv finds its Pythons through the user's own home.
        own = ("HOME", "XDG_DATA_HOME", "UV_PYTHON_INSTALL_DIR")
        env = {**self.env, **{name: self.environ[name] for name in own if self.environ.get(name)}}
        command = [uv, "python", "list", "--only-installed", "--offline", "--no-config", "--output-format", "json"]
        try:
            listed = json.loads(self._output(command, env))
        except (OSError, ValueError, RecursionError):
            return
        for entry in listed if isinstance(listed, list) else ():
            path = entry.get("path") if isinstance(entry, dict) else None
            if isinstance(path, str) and Path(path).is_absolute():
                yield path

    def ask(self, path: str) -> Interpreter | None:
        """Return the Python at a path; None if it cannot make environments, or does not answer."""
        try:
            # -S as well: nothing that other packages added to that Python's start-up runs.
            answer = self._output([path, "-I", "-S", "-c", _QUESTION], self.env).splitlines()
            version, level, usable, usual, executable = answer
        except (OSError, ValueError):
            return None
        if usable != "1" or not re.fullmatch(r"3\.\d+\.\d+", version):
            return None
        # pyenv's shims are no Pythons: the Python that they start says its own path.
        return Interpreter(executable or path, version, final=level == "final", usual=usual == "1")

    def _output(self, command: list[str], env: Mapping[str, str]) -> str:
        seconds, silent = _ASK_SECONDS, subprocess.DEVNULL
        done = run_bounded(command, env=env, cwd=self.empty, seconds=seconds, cancel=self.cancel, stderr=silent)
        if done.stopped or done.code != 0:
            raise OSError(f"{command[0]} did not answer")
        return done.text


_NEWEST_RELEASED = 14
"""The newest 3.x to recommend."""


class Wheel(Struct, frozen=True):
    """A wheel as the index lists it."""

    filename: str
    tags: frozenset[Tag]
    requires_python: str | None

    def fits(self, python: Interpreter) -> bool:
        """Return whether pip would choose it for that Python (PEP 425, PEP 345)."""
        try:
            allows = SpecifierSet(self.requires_python or "").contains(python.version, prereleases=True)
        except InvalidSpecifier:
            allows = True  # as pip does
        return allows and bool(self.tags & _tags(python.number[:2], python.usual))


def list_wheels(files: Iterable[IndexFile]) -> list[Wheel]:
    """Return the wheels among the files; those with an invalid name are left out, as pip does."""
    found = []
    for file in files:
        if file.kind == "wheel":
            try:
                found.append(Wheel(file.filename, parse_wheel_filename(file.filename)[3], file.requires_python))
            except InvalidWheelFilename:
                continue
    return found


def is_any_for_this_machine(wheels: Sequence[Wheel]) -> bool:
    """Return whether one of them is for this operating system and processor, with any Python."""
    return any(wheel.tags & _tags((3, minor), True) for wheel in wheels for minor in _MINORS)


def describe_needed_python(wheels: Sequence[Wheel]) -> tuple[str, str]:
    """Return which Python the wheels need, and how to install one; for a person."""
    wanted = sorted({wheel.requires_python for wheel in wheels if wheel.requires_python})
    needed = f"Python {' or '.join(wanted)}" if wanted else f"one for {', '.join(wheel.filename for wheel in wheels)}"
    for minor in range(_NEWEST_RELEASED, _MINORS[-1], -1):
        # A high micro version: what is installed today satisfies >=3.13.2.
        if any(wheel.fits(Interpreter("", f"3.{minor}.99")) for wheel in wheels):
            return needed, f"install one: uv python install 3.{minor}, or pyenv install 3.{minor}"
    return needed, "install one"


@lru_cache(maxsize=32)
def _tags(python: tuple[int, ...], usual: bool) -> frozenset[Tag]:
    platforms = list(platform_tags())
    interpreter = f"cp{python[0]}{python[1]}" if usual else None
    tags = set(compatible_tags(python, interpreter, platforms))
    return frozenset(tags | set(cpython_tags(python, platforms=platforms)) if usual else tags)
