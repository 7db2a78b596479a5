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
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

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


@dataclass(frozen=True)
class Interpreter:
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
        env = build_clean_environment(environ, Path(empty))
        own = _ask(running, env, empty, cancel) if running else None
        if own is not None and own.final and fits(own):
            return own
        found = [own] if own is not None and fits(own) else []
        found += [each for each in _others(environ, env, empty, cancel) if fits(each)]
    return max(found, key=lambda each: (each.final, each.usual, each.number), default=None)


def _others(environ: Mapping[str, str], env: dict[str, str], empty: str, cancel: Event | None) -> Iterator[Interpreter]:
    deadline = time.monotonic() + _SEARCH_SECONDS
    seen: set[str] = set()
    for path in _candidates(environ, env, empty, cancel):
        # Not resolved: a virtual environment's link to a Python is another Python than its target.
        if cancel is not None and cancel.is_set():
            return
        if path not in seen and time.monotonic() < deadline:
            seen.add(path)
            if (found := _ask(path, env, empty, cancel)) is not None:
                yield found


def _candidates(environ: Mapping[str, str], env: Mapping[str, str], empty: str, cancel: Event | None) -> Iterator[str]:
    search = env.get("PATH", "")
    for name in (*(f"python3.{minor}" for minor in _MINORS), "python3"):
        if search and (path := shutil.which(name, path=search)):
            yield path
    home = Path(environ.get("HOME") or "/nonexistent")
    versions = Path(environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    if versions.is_absolute():
        yield from (str(path) for path in sorted(versions.glob("3*/bin/python"), reverse=True))
    if search and (uv := shutil.which("uv", path=search)):
        yield from _known_to_uv(uv, environ, env, empty, cancel)


def _known_to_uv(
    uv: str, environ: Mapping[str, str], env: Mapping[str, str], empty: str, cancel: Event | None
) -> Iterator[str]:
    # uv finds its Pythons through the user's own home.
    places = ("HOME", "XDG_DATA_HOME", "UV_PYTHON_INSTALL_DIR")
    own = {**env, **{name: environ[name] for name in places if environ.get(name)}}
    command = [uv, "python", "list", "--only-installed", "--offline", "--no-config", "--output-format", "json"]
    try:
        listed = json.loads(_output(command, own, empty, cancel))
    except (OSError, ValueError, RecursionError):
        return
    for entry in listed if isinstance(listed, list) else ():
        path = entry.get("path") if isinstance(entry, dict) else None
        if isinstance(path, str) and Path(path).is_absolute():
            yield path


def _ask(path: str, env: Mapping[str, str], empty: str, cancel: Event | None) -> Interpreter | None:
    try:
        # -S as well: nothing that other packages added to that Python's start-up runs.
        answer = _output([path, "-I", "-S", "-c", _QUESTION], env, empty, cancel).splitlines()
        version, level, usable, usual, executable = answer
    except (OSError, ValueError):
        return None
    if usable != "1" or not re.fullmatch(r"3\.\d+\.\d+", version):
        return None
    # pyenv's shims are no Pythons: the Python that they start says its own path.
    return Interpreter(executable or path, version, final=level == "final", usual=usual == "1")


def _output(command: list[str], env: Mapping[str, str], cwd: str, cancel: Event | None) -> str:
    done = run_bounded(command, env=env, cwd=Path(cwd), seconds=_ASK_SECONDS, cancel=cancel, stderr=subprocess.DEVNULL)
    if done.stopped or done.code != 0:
        raise OSError(f"{command[0]} did not answer")
    return done.text


_NEWEST_RELEASED = 14
"""The newest 3.x to recommend."""


@dataclass(frozen=True)
class Wheel:
    """A wheel as the index lists it."""

    filename: str
    tags: frozenset[Tag]
    requires_python: str | None

    def fits(self, python: Interpreter) -> bool:
        """Return whether pip would choose it for that Python (PEP 425, PEP 345)."""
        return bool(self.tags & _tags(python.number[:2], python.usual)) and self._allows(python.version)

    def _allows(self, version: str) -> bool:
        try:
            return SpecifierSet(self.requires_python or "").contains(version, prereleases=True)
        except InvalidSpecifier:
            return True  # as pip does


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


def find_python(wheels: Sequence[Wheel], environ: Mapping[str, str], cancel: Event | None = None) -> Interpreter | None:
    """Return a Python on this machine that one of the wheels is for; None if there is none."""
    return find_interpreter(
        None, environ, accepts=lambda python: any(wheel.fits(python) for wheel in wheels), cancel=cancel
    )


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
