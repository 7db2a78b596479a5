"""Whether a wheel is complete: against its own RECORD and entry points, and against the sdist of its version (pure).

Sources: PEP 427, 643; https://packaging.python.org/specifications/entry-points
"""

from __future__ import annotations

import configparser
import csv
import hashlib
import io
import posixpath
import re
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from zipfile import BadZipFile, ZipFile

from msgspec import Struct
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from release_state.common.text import join_items, sanitize
from release_state.model.target import parse_version
from release_state.observe.published.built import BESIDE, KEPT, Files
from release_state.observe.published.files import Refused, read_sdist, read_wheel

_MOST_READ = 4 * 2**20
"""Bytes of a text that is read."""
_MOST_HASHED = 64 * 2**20
"""Bytes of a wheel's files, unpacked, whose hashes are compared."""
_SIGNATURES = ("RECORD", "RECORD.jws", "RECORD.p7s")
"""What a RECORD need not list."""
_MODULE = re.compile(r"(?:\.(?:cpython|pypy|abi|cp|pp)[\w-]*(?:\.[\w-]+)*)?\.(?:py|pyc|so|pyd)")
"""The end of a file that holds a module: `.py`, `.abi3.so`, `.cpython-313-x86_64-linux-gnu.so`."""
_OBJECT = re.compile(r"\s*([A-Za-z_]\w*(?:\.\w+)*)\s*(?::\s*[\w.]+\s*)?(?:\[[^\]]*\]\s*)?", re.ASCII)
_IMPORT = re.compile(r"^(?:from +(?P<module>\.*\w[\w.]*) +import\b|import +(?P<name>\w[\w.]*))", re.MULTILINE)
"""An import at the top of a module: what is within a block may be meant to fail."""
_OPEN = re.compile(rb"__path__|declare_namespace|sys\.modules|\.pth\b")
"""What a package does that finds its modules elsewhere, too."""
_STATIC = Version("2.2")
"""The metadata version from which an sdist's fields are those of its wheels unless they are dynamic (PEP 643)."""
_DATA = (".json", ".html", ".css", ".j2", ".jinja", ".jinja2", ".sql", ".yaml", ".yml", ".xml", ".mo", ".svg", ".png")
"""Ends of files that a package reads when it runs."""
_SHOWN = 200


class Difference(Struct, frozen=True):
    """What is wrong with a wheel for certain, and what may be meant; each in words."""

    wrong: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()


def inspect_wheel(archive: ZipFile, folder: str, record: bytes) -> str:
    """Return what is wrong with a wheel by its RECORD, entry points and licences; empty: nothing.

    `folder` is that of its metadata. Raises ValueError if the RECORD cannot be read.
    """
    record_fault = _find_record_fault(archive, folder, read_record(record))
    return record_fault or _find_missing_entry_point(archive, folder) or _find_missing_licence(archive, folder)


def read_record(content: bytes) -> dict[str, str]:
    """The hash of each file that a RECORD lists. Raises ValueError if it cannot be read."""
    try:
        rows = [row for row in csv.reader(io.StringIO(content.decode("utf-8"))) if row]
    except csv.Error as error:
        raise ValueError(f"{error}") from None
    if any(len(row) != 3 for row in rows):
        raise ValueError("a row has not three fields")
    return {row[0].replace("\\", "/"): row[1] for row in rows}


def _find_record_fault(archive: ZipFile, folder: str, listed: dict[str, str]) -> str:
    """Return what a RECORD says otherwise than the wheel: an installer may refuse it (PEP 427), and PyPI does."""
    own = {f"{folder}/{each}" for each in _SIGNATURES}
    held = {info.filename: info for info in archive.infolist() if not info.is_dir() and info.filename not in own}
    if unlisted := sorted(held.keys() - listed.keys()):
        return f"its RECORD does not list {_show(unlisted)}"
    if absent := sorted(listed.keys() - held.keys() - own):
        return f"it lacks {_show(absent)}, which its RECORD lists"
    left = _MOST_HASHED
    for name, info in held.items():
        left -= info.file_size
        if left < 0:
            break
        kind, _, digest = listed[name].partition("=")
        if kind == "sha256" and digest.rstrip("=") != _hash(archive.read(info)):
            return f"{_show([name])} has another hash than its RECORD says"
    return ""


def _hash(content: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _find_missing_entry_point(archive: ZipFile, folder: str) -> str:
    """Return which entry point names a module that the wheel's own package does not have; empty: none."""
    names = {_strip_data(name) for name in archive.namelist()}
    try:
        info = archive.getinfo(f"{folder}/entry_points.txt")
        if info.file_size > _MOST_READ or any(name.endswith(".pth") for name in names):
            return ""
        parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(archive.read(info).decode("utf-8"))
    except (KeyError, configparser.Error, UnicodeDecodeError, NotImplementedError):
        return ""
    modules = {_MODULE.sub("", name) for name in names if _MODULE.search(name)}
    for group in parser.sections():
        for name, value in parser[group].items():
            found = _OBJECT.fullmatch(value)
            path = found[1].replace(".", "/") if found else ""
            if not path or _is_beside(path) or _has(path, names, modules):
                continue
            if _is_closed(archive, path.partition("/")[0]):
                return sanitize(f"its entry point {name} names {path.replace('/', '.')}, which it lacks", _SHOWN)
    return ""


def _find_missing_licence(archive: ZipFile, folder: str) -> str:
    """Return which licence files a wheel's metadata names and the wheel lacks, for which PyPI refuses it (PEP 639)."""
    with archive.open(f"{folder}/METADATA") as file:
        metadata = BytesHeaderParser().parsebytes(file.read(_MOST_READ))
    if (parse_version(str(metadata.get("Metadata-Version"))) or Version("0")) < Version("2.4"):
        return ""
    named = {f"{folder}/licenses/{str(each).strip()}" for each in metadata.get_all("License-File") or ()}
    absent = sorted(named.difference(archive.namelist()))
    return f"it lacks {_show(absent)}, which its metadata names" if absent else ""


def _strip_data(name: str) -> str:
    """The name of a wheel's member below site-packages."""
    return re.sub(r"^[^/]+\.data/(?:purelib|platlib)/", "", name)


def _has(path: str, names: Collection[str], modules: Collection[str]) -> bool:
    return path in modules or f"{path}/__init__" in modules or any(name.startswith(f"{path}/") for name in names)


def _is_closed(archive: ZipFile, top: str) -> bool:
    """Whether all modules of a top-level package are its own: no namespace, and nothing that looks elsewhere."""
    try:
        info = archive.getinfo(f"{top}/__init__.py")
        return info.file_size <= _MOST_READ and not _OPEN.search(archive.read(info))
    except (KeyError, NotImplementedError):
        return False


def compare_wheel(wheel: bytes, sdist: bytes, filename: str) -> Difference:
    """Compare a wheel with the sdist of its version, which has this file name. Nothing is unpacked or run.

    What cannot be read is not compared. A package or module of the sdist is certain to be missing if a module of the
    wheel imports it. Metadata has to be the same unless the sdist calls it dynamic (PEP 643).
    """
    deadline = time.monotonic() + 30
    try:
        source = read_sdist(filename, sdist, sha256=False, deadline=deadline)
        built = read_wheel(wheel, sha256=False, deadline=deadline)
        with ZipFile(io.BytesIO(wheel)) as archive:
            wrong = _compare_metadata(archive, source.metadata)
            files = _compare_files(archive, source, built)
    except (Refused, BadZipFile, KeyError, OSError, EOFError, ValueError, RuntimeError):
        return Difference()
    return Difference((*wrong, *files.wrong), files.doubtful)


def _compare_files(archive: ZipFile, source: Files, built: Files) -> Difference:
    names = [_strip_data(name) for name in archive.namelist() if not name.endswith("/")]
    prefix = _find_prefix(source, built)
    if prefix is None:
        return Difference()
    inner = {path.removeprefix(prefix): path for path in source if path.startswith(prefix)}
    folders = {folder for name in names for folder in _list_folders(name)}
    packages = {posixpath.dirname(path) for path in inner if posixpath.basename(path) == "__init__.py"} - {""}
    expected = {each for each in packages if each.partition("/")[0] in folders and not _is_beside(each)}
    stems = {_MODULE.sub("", name) for name in names if _MODULE.search(name)}
    modules = {path[:-3] for path in inner if path.endswith(".py") and posixpath.dirname(path) in expected & folders}
    lacking = {each for each in expected - folders if posixpath.dirname(each) in ("", *folders)}
    imported = _list_imported(archive, names) if lacking or modules - stems else set[str]()
    needed = sorted(each for each in lacking | (modules - stems) if each in imported)
    doubtful = [f"lacks {_show(unsure)}"] if (unsure := sorted(lacking - set(needed))) else []
    data = {
        path for path in inner if _is_data(path) and any(each in folders & packages for each in _list_folders(path))
    }
    packed = {name.rpartition(".")[0] for name in names}  # index.json.gz
    if absent := sorted(path for path in data - set(names) - packed if not _is_beside(path)):
        doubtful.append(f"lacks {_show(absent)}")
    both = [path for path in inner if path in built and not {path, inner[path]} & (built.rewritten | source.rewritten)]
    if other := sorted(path for path in both if _is_written(path) and not source[inner[path]] & built[path]):
        doubtful.append(f"has another content of {_show(other)}")
    return Difference(tuple(f"lacks {each.replace('/', '.')}, which it imports" for each in needed), tuple(doubtful))


def _find_prefix(source: Files, built: Files) -> str | None:
    """The folder of the sdist that has most of the wheel's files; None if none has half of the modules."""
    votes = Counter[str]()
    for path in source:
        parts = path.split("/")
        inside = ("/".join(parts[start:]) for start in range(len(parts)))
        if (found := next((each for each in inside if each in built), None)) and found.endswith(".py"):
            votes[path.removesuffix(found)] += 1
    best = max(votes, key=lambda prefix: votes[prefix], default=None)
    count = sum(path.endswith(".py") for path in built)
    return best if best is not None and 2 * votes[best] >= count else None


def _list_folders(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path


def _is_beside(path: str) -> bool:
    return any(part.lower() in BESIDE for part in path.split("/"))


def _is_data(path: str) -> bool:
    return path.endswith(_DATA) or posixpath.basename(path) == "py.typed"


def _is_written(path: str) -> bool:
    """Whether a file is source that somebody wrote, and none with a version that a build writes."""
    name = posixpath.basename(path)
    return name.endswith((".py", ".pyi")) and (name == "__init__.py" or not KEPT.fullmatch(name))


def _list_imported(archive: ZipFile, names: Iterable[str]) -> set[str]:
    """The modules, as paths, that the wheel's modules import when they are imported themselves: nothing is compiled."""
    imported: set[str] = set()
    for name in names:
        info = archive.NameToInfo.get(name)
        if not name.endswith(".py") or _is_beside(name) or info is None or info.file_size > _MOST_READ:
            continue
        for found in _IMPORT.finditer(archive.read(info).decode("utf-8", "replace")):
            module = found["module"] or found["name"]
            level = len(module) - len(module.lstrip("."))
            parts = name.split("/")[:-level] if level else []
            imported.add("/".join((*parts, *module.strip(".").split("."))))
    return imported | {folder for each in imported for folder in _list_folders(each)}


def _compare_metadata(archive: ZipFile, pkg_info: bytes) -> list[str]:
    parser = BytesHeaderParser()
    member = next(filter(re.compile(r"[^/]+\.dist-info/METADATA").fullmatch, archive.namelist()), "")
    built, source = parser.parsebytes(archive.read(member)), parser.parsebytes(pkg_info)
    if (parse_version(str(source.get("Metadata-Version", "0"))) or Version("0")) < _STATIC:
        return []
    dynamic = {str(each).strip().lower() for each in source.get_all("Dynamic") or ()}
    wrong = []
    for field in ("Requires-Python", "Requires-Dist", "Provides-Extra"):
        here, there = _read_field(built, field), _read_field(source, field)
        if field.lower() not in dynamic and here != there:
            only = [f"{each} in {where} alone" for where, extra in (("it", here - there), ("the sdist", there - here))
                    for each in sorted(extra)[:2]]  # fmt: skip
            wrong.append(sanitize(f"has another {field} than the sdist: {join_items(only)}", _SHOWN))
    return wrong


def _read_field(metadata: Message, field: str) -> set[str]:
    texts = {str(each).strip() for each in metadata.get_all(field) or ()}
    if field == "Requires-Dist":
        return set(map(_normalize, texts))
    if field == "Provides-Extra":
        return set(map(canonicalize_name, texts))
    return {",".join(sorted(re.sub(r"\s", "", text).split(","))) for text in texts}


def _normalize(text: str) -> str:
    try:
        need = Requirement(text)
    except InvalidRequirement:
        return text
    need.name, need.extras = canonicalize_name(need.name), set(map(canonicalize_name, need.extras))
    return str(need)


def _show(paths: list[str]) -> str:
    return sanitize(join_items(paths), _SHOWN)
