"""For which platforms and Pythons the wheels of a version are, and which an earlier version had besides (pure).

Sources: PEP 425, 427, 513, 600, 656, 703, 738, 783; https://packaging.python.org/specifications/platform-compatibility-tags
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from msgspec import Struct
from packaging.specifiers import InvalidSpecifier, SpecifierSet

ANY = "any platform"
_DESKTOPS = {"Linux", "macOS", "Windows"}
_COMMON = ("Linux x86_64", "macOS arm64", "Windows amd64", "Linux aarch64")
"""Platforms that hardly any project stops to build wheels for."""
_OLD_MACHINES = (" i686", " x86", " armv7l", " armv6l")
"""Machines that projects give up in patch releases, too."""
_MOST_TAGS = 16
"""Tags of one kind in a name; a real one has three or four."""
_LONGEST = 60
_PYTHON = re.compile(r"([a-z_]+?)(\d)(\d{0,3})")
_FAMILIES = (
    (re.compile(r"(?:manylinux(?:1|2010|2014|_\d+_\d+)|linux)_(\w+)"), "Linux"),
    (re.compile(r"musllinux_\d+_\d+_(\w+)"), "Linux (musl)"),
    (re.compile(r"macosx_\d+_\d+_(\w+)"), "macOS"),
    (re.compile(r"win(?:_(?=[ai])|(?=32))(\w+)"), "Windows"),
    (re.compile(r"(?:emscripten|pyodide|pyemscripten)_\d+_\d+(?:_\d+)?_(\w+)"), "Emscripten"),
    (re.compile(r"android_\d+_(\w+)"), "Android"),
    (re.compile(r"ios_\d+_\d+_(\w+)"), "iOS"),
)
_MACHINES: dict[str, tuple[str, ...]] = {
    "32": ("x86",),
    "universal2": ("arm64", "x86_64"),
    "intel": ("x86_64",),
    "universal": ("x86_64",),
    "fat": (),
    "fat32": (),
    "fat64": ("x86_64",),
}
"""Machines that a tag names otherwise; of macOS' for several, without those that no Python is built for any more."""

Python = tuple[str, tuple[int, int]]
"""Implementation, with a "t" for a free-threaded build, and its number: `("cp", (3, 13))`."""


class WheelTags(Struct, frozen=True):
    """What the tags in a wheel's name say."""

    pythons: frozenset[Python]
    platforms: frozenset[str]
    """In words, `macOS arm64`; "any platform" for all."""
    serves_later: bool
    """Whether it serves every later Python too: a stable or no ABI, and not one Python."""


class Gap(Struct, frozen=True):
    """Wheels that an earlier version had and that this one lacks, in words; falsy if there are none."""

    version: str
    """The earlier version."""
    unexplained: tuple[str, ...] = ()
    """Platforms, or Pythons on a platform, that no project drops like this on purpose."""
    likely_dropped: tuple[str, ...] = ()
    """Less common machines that a feature release lacks, machines and old Pythons that went as a whole while a wheel
    for any platform serves them, and kinds of Python, such as PyPy, that no wheel is for."""
    has_fallback: bool = False
    """Whether there is a wheel for any platform, which an installer takes where it finds no other."""

    def __bool__(self) -> bool:
        return bool(self.unexplained or self.likely_dropped)


@lru_cache(maxsize=4096)
def parse_wheel(filename: str) -> WheelTags | None:
    """Return the tags of a wheel's name; None for another file, or a name that has too many of them."""
    parts = filename.removesuffix(".whl").rsplit("-", 3)
    if not filename.endswith(".whl") or len(parts) != 4:
        return None
    tags, abis, platforms = (part.lower().split(".") for part in parts[1:])
    if max(map(len, (tags, abis, platforms))) > _MOST_TAGS:
        return None
    is_free = bool(abis) and all(re.fullmatch(r"cp\d+d?t", abi) for abi in abis)
    pythons = frozenset(_parse_python(tag, "t" if is_free else "") for tag in tags)
    has_no_abi = abis == ["none"] and all(line == "py" for line, _ in pythons)
    serves_later = has_no_abi or any(abi.startswith("abi3") for abi in abis)
    names = frozenset(name for each in platforms for name in _name_platform(each))
    return WheelTags(pythons, names, serves_later)


def _parse_python(tag: str, suffix: str) -> Python:
    found = _PYTHON.fullmatch(tag)
    if found is None:
        return tag[:_LONGEST] + suffix, (0, 0)
    return found[1] + suffix, (int(found[2]), int(found[3] or 0))


def _name_platform(tag: str) -> tuple[str, ...]:
    if tag == "any":
        return (ANY,)
    for pattern, family in _FAMILIES:
        if found := pattern.fullmatch(tag):
            machines = _MACHINES.get(found[1], (found[1],))
            return tuple(f"{family} {machine}"[:_LONGEST] for machine in machines)
    return (tag[:_LONGEST],)


def find_gap(version: str, before: Iterable[str], now: Iterable[str], *, is_feature: bool, requires: str | None) -> Gap:
    """Return which wheels are missing `now` that the earlier `version` had `before`; both are names of files.

    `is_feature`: this is no patch release of that version. `requires` is its Requires-Python. A new wheel for any
    platform leaves no gap, as it serves all. No wheel at all leaves none either: then a kind of file is missing.
    """
    earlier, here = _collect(before), _collect(now)
    if not here or (ANY in here and ANY not in earlier):
        return Gap(version)
    families, everywhere = set(map(_name_family, here)), {each for place in here.values() for each in place.pythons}
    lines = {line for line, _ in everywhere}
    if set(earlier) == {ANY} and (families >= _DESKTOPS or (is_feature and len(families) > 1)):
        return Gap(version)  # it is compiled now, with a wheel for each of them
    unexplained, dropped, fallback = set[str](), set[str](), here.get(ANY)
    for platform, place in earlier.items():
        is_common = platform in _COMMON or not (is_feature or platform.endswith(_OLD_MACHINES))
        if platform not in here:
            is_served = fallback is not None and all(map(fallback.serves, place.pythons))
            is_common = platform in _COMMON or (is_common and not is_served) or _name_family(platform) not in families
            (unexplained if is_common else dropped).add(platform)
            continue
        for python in place.pythons - place.stable:
            if here[platform].serves(python) or not _is_lost(python, here[platform], lines, requires):
                continue
            is_sure = is_common
            if here[platform].is_older(python):
                is_gone = python not in everywhere and not (fallback and fallback.serves(python))
                is_sure = not is_feature and (is_gone or (python in everywhere and platform in _COMMON[:3]))
            words = f"{_name_python(python)} on {platform}"
            (unexplained if python[0] == "cp" and is_sure else dropped).add(words)
    return Gap(version, tuple(sorted(unexplained)), tuple(sorted(dropped)), fallback is not None)


def _is_lost(python: Python, place: _Place, lines: Collection[str], requires: str | None) -> bool:
    """Whether nothing explains that a Python has no wheel on a platform: neither its age nor Requires-Python.

    In 450 releases of 30 projects, ten have an unexplained gap by these rules.
    """
    line, number = python
    if line != "cp":
        return line not in lines  # of PyPy and free-threaded builds, projects keep one or two
    return not place.is_older(python) or _admits(requires, number)


@lru_cache(maxsize=256)
def _admits(requires: str | None, number: tuple[int, int]) -> bool:
    try:
        return SpecifierSet(requires or "<0").contains(f"{number[0]}.{number[1]}.99")
    except InvalidSpecifier:
        return False


@dataclass
class _Place:
    """The Pythons that have a wheel on one platform."""

    pythons: set[Python] = field(default_factory=set)
    stable: set[Python] = field(default_factory=set)
    """The least Pythons of wheels that serve every later one too."""

    def is_older(self, python: Python) -> bool:
        """Whether a Python is older than the oldest here, of its kind and not of an earlier major version."""
        line, number = python
        oldest = min((least for each, least in self.pythons if each == line and least[0] >= number[0]), default=None)
        return oldest is not None and number < oldest

    def serves(self, python: Python) -> bool:
        line, number = python
        is_later = any(
            each in (line, "py") and least[0] == number[0] and least <= number for each, least in self.stable
        )
        return python in self.pythons or is_later


def _collect(filenames: Iterable[str]) -> dict[str, _Place]:
    places: dict[str, _Place] = defaultdict(_Place)
    for wheel in filter(None, map(parse_wheel, filenames)):
        for platform in wheel.platforms:
            places[platform].pythons |= wheel.pythons
            places[platform].stable |= wheel.pythons if wheel.serves_later else set()
    return dict(places)


def _name_family(platform: str) -> str:
    return platform if platform == ANY else platform.rpartition(" ")[0] or platform


def _name_python(python: Python) -> str:
    """A Python as tags spell it: `cp313`, `cp314t`."""
    line, (major, minor) = python
    is_free = line.endswith("t") and line != "t"
    return f"{line.removesuffix('t')}{major}{minor}t" if is_free else f"{line}{major}{minor}"
