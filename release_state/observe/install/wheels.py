"""What wheels need: the Python and the machine by their names, direct URLs by their metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from functools import lru_cache
from pathlib import Path
from threading import Event
from zipfile import BadZipFile, ZipFile

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, platform_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from release_state.model.snapshot import IndexFile
from release_state.observe.install.interpreters import Interpreter, find_interpreter

_METADATA_LIMIT = 4 * 2**20
"""Bytes of the metadata to read."""


def find_direct_dependency(wheel: Path, python: str) -> str | None:
    """Return the first requirement with a direct URL that applies to this Python (`3.12.1`); None if there is none."""
    markers = {"extra": "", "python_full_version": python, "python_version": ".".join(python.split(".")[:2])}
    try:
        with ZipFile(wheel) as archive:
            inside = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
            with archive.open(inside) as file:
                metadata = BytesHeaderParser().parsebytes(file.read(_METADATA_LIMIT))
        for text in metadata.get_all("Requires-Dist", []):
            requirement = Requirement(str(text))
            if requirement.url and (requirement.marker is None or requirement.marker.evaluate(markers)):
                return str(text)
    except (BadZipFile, StopIteration, InvalidRequirement, RuntimeError, NotImplementedError):
        pass  # pip will say what is wrong with it
    return None


_MINORS = range(8, 16)
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
    for minor in range(_NEWEST_RELEASED, _MINORS[0], -1):
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
