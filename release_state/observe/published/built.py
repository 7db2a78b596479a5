"""Files of an sdist or a wheel that its build wrote or rewrote, and that tell nothing of its commit.

What each build backend does: uv-build rewrites pyproject.toml and keeps it as pyproject.toml.orig; pdm-backend writes
pyproject.toml from what it has resolved (`Config.write_to`), and what lies outside its folder below .pdm-external;
maturin rewrites every Cargo.toml, the lock file and a pyproject.toml that it moves to the top, and makes the
`__init__.py` of a module without Python; setuptools writes `[egg_info]` into setup.cfg; older flit and poetry make a
setup.py; setuptools-scm, hatch-vcs and versioneer write a file with the version that says so. `cargo vendor` marks
each crate with .cargo-checksum.json.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from release_state.common.project import find_table
from release_state.common.strict import decode_toml


class Files(dict[str, frozenset[str]]):
    """By path below the archive's top folder: the names of git objects that count as this file."""

    rewritten: frozenset[str] = frozenset()
    """The files that the build may have written: one counts only where it is as in the commit."""
    vendored: frozenset[str] = frozenset()
    """The files of vendored crates, which may be absent from the commit."""
    metadata: bytes = b""
    """The PKG-INFO of an sdist."""
    folder: str = ""
    """The project's folder below the archive's, where the build has moved its pyproject.toml to the top."""


BESIDE = frozenset(
    ("test", "tests", "testing", "doc", "docs", "example", "examples", "sample", "samples", "bench", "benchmark",
     "benchmarks", "script", "scripts", "tool", "tools", "ci", "contrib", "fixtures", "demo", "demos", "notebooks",
     "node_modules", "vendor", "third_party", "site-packages")
)  # fmt: skip
"""Folders beside a package: a wheel with nothing else lacks the package."""
KEPT = re.compile(
    r"pyproject\.toml(?:\.orig)?|(?:.*/)?(?:__init__|_*[a-z]*(?:version|sysinfo|about)[a-z_]*)\.(?:pyi?|txt)",
    re.IGNORECASE,
)
"""The files whose text `find_rewritten` reads."""
_BY_TOOL = re.compile(rb"\A(?:.*\n){0,4}?.*\bgenerated (?:by|with|from)\b", re.IGNORECASE)
_OF_MATURIN = re.compile(
    rb"from \.(\w+) import \*\s+__doc__ = \1\.__doc__\s+if hasattr\(\1, [\"']__all__[\"']\):\s+__all__ = \1\.__all__\s*"
)
_MOST_WRITTEN = 4096
"""Bytes of a file with a version that a build writes."""
_VENDORED = ".cargo-checksum.json"
_EXTERNAL = ".pdm-external/"
_STAMPED = re.compile(r"(?:.*/)?(?:__init__|__version__|__about__|_version)\.py")
"""The files into which poetry-dynamic-versioning writes the version unless it is configured otherwise."""


def is_generated(path: str, content: bytes) -> bool:
    """Whether every build writes the file of an sdist: core metadata, or a setup.cfg that setuptools has rewritten."""
    parts = path.split("/")
    if path == "PKG-INFO" or any(part.endswith(".egg-info") for part in parts[:-1]):
        return True
    return parts[-1] == "setup.cfg" and re.search(rb"^\[egg_info\]\s+tag_build\b", content, re.MULTILINE) is not None


def find_rewritten(files: Files, texts: Mapping[str, bytes]) -> Files:
    """Return the files with those marked that the build may have written; a kept original stands for its copy.

    `texts` has the beginning of the files of KEPT.
    """
    if "pyproject.toml.orig" in files and "pyproject.toml" in files:
        files["pyproject.toml"] = files.pop("pyproject.toml.orig")
    backend, dynamic, manifest = _read_backend(texts.get("pyproject.toml", b""))
    found = {path for path, text in texts.items() if path in files and _is_written(path, text)}
    # With it, maturin also makes a py.typed if the module has a stub.
    made = {f"{path.removesuffix('__init__.py')}py.typed" for path in found if path.endswith("__init__.py")}
    found |= made & files.keys()
    crates = tuple(path.removesuffix(_VENDORED) for path in files if path.endswith(f"/{_VENDORED}"))
    files.vendored = frozenset(path for path in files if path.startswith(crates))
    if backend.startswith("pdm."):
        found.update(path for path in files if path == "pyproject.toml" or path.startswith(_EXTERNAL))
    elif backend == "maturin":
        found.update(path for path in files if path.endswith(("Cargo.toml", "Cargo.lock")))
        found.add("pyproject.toml")
        files.folder = manifest.removesuffix("Cargo.toml") if manifest in files else ""
    elif dynamic:
        found.update(path for path in files if path == "pyproject.toml" or _STAMPED.fullmatch(path))
    files.rewritten = frozenset(found)
    return files


def _is_written(path: str, text: bytes) -> bool:
    if path.endswith("__init__.py"):
        return _OF_MATURIN.fullmatch(text) is not None
    return path != "pyproject.toml" and len(text) <= _MOST_WRITTEN and _BY_TOOL.match(text) is not None


def _read_backend(text: bytes) -> tuple[str, bool, str]:
    """The build backend of a pyproject.toml, whether poetry-dynamic-versioning changes the sources, and maturin's
    manifest.
    """
    try:
        document: Mapping[str, Any] = decode_toml(text.decode("utf-8-sig"))
    except ValueError:
        return "", False, ""
    backend = find_table(document, "build-system").get("build-backend")
    is_dynamic = find_table(document, "tool", "poetry-dynamic-versioning").get("enable") is True
    manifest = find_table(document, "tool", "maturin").get("manifest-path")
    return (
        backend if isinstance(backend, str) else "",
        is_dynamic or backend == "poetry_dynamic_versioning.backend",
        manifest if isinstance(manifest, str) else "",
    )
