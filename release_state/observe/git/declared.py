"""The version that a source tree declares, read from its files without running any of them."""

from __future__ import annotations

import configparser
import re
import sys
from collections.abc import Mapping
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FIRST_FILES = ("pyproject.toml", "setup.cfg")
SIZE_LIMIT = 2**20
"""Bytes; a larger file is not read."""

_IN_SOURCE = re.compile(
    r"^(?:__version__|VERSION)(?:[ \t]*:[ \t]*str)?[ \t]*=[ \t]*(['\"])v?([^'\"\n]+)\1", re.MULTILINE | re.IGNORECASE
)


def declared_version(files: Mapping[str, str]) -> tuple[str | None, bool]:
    """
    The static version of a tree, as it is spelt there, and whether the version is dynamic.

    `files` maps paths to texts: FIRST_FILES and what `further_file` names, as far as they are there. (None, False):
    none is declared or it cannot be read. (None, True): it is worked out when the package is built.
    """
    document = _toml(files)
    if document is None:
        return None, False
    project, poetry = _table(document, "project"), _table(document, "tool", "poetry")
    if isinstance(version := project.get("version"), str):
        return version, False
    if isinstance(version := poetry.get("version"), str):
        works_out = _table(document, "tool", "poetry-dynamic-versioning").get("enable") is True
        return (None, True) if works_out else (version, False)
    dynamic = project.get("dynamic")
    if isinstance(dynamic, list) and "version" in dynamic:
        path = further_file(files)
        found = _IN_SOURCE.search(files[path]) if path and path in files else None
        return (found[2].strip(), False) if found else (None, True)
    if _table(document, "tool", "setuptools_scm") or "setuptools_scm" in _table(document, "tool"):
        return None, True
    return _of_setup_cfg(files.get("setup.cfg", ""))


def further_file(files: Mapping[str, str]) -> str | None:
    """The one more file that has to be read, because hatch or pdm are told that the version stands in it."""
    document = _toml(files) or {}
    hatch, pdm = _table(document, "tool", "hatch", "version"), _table(document, "tool", "pdm", "version")
    # With a pattern of its own the version may be anything in that file: it counts as dynamic.
    if hatch and "pattern" not in hatch and hatch.get("source", "regex") == "regex":
        path = hatch.get("path")
    else:
        path = pdm.get("path") if pdm.get("source") == "file" else None
    if not isinstance(path, str) or not path or re.search(r"[\x00-\x1f]", path):
        return None
    parts = [part for part in path.replace("\\", "/").split("/") if part != "."]
    return "/".join(parts) if all(part not in ("", "..") for part in parts) else None


def _of_setup_cfg(text: str) -> tuple[str | None, bool]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None, False
    version = parser.get("metadata", "version", fallback="").strip()
    if re.match(r"(?:attr|file):", version):
        return None, True
    return version or None, False


def _toml(files: Mapping[str, str]) -> dict[str, Any] | None:
    """The content of pyproject.toml, empty where there is none, None where it cannot be read."""
    try:
        return tomllib.loads(files.get("pyproject.toml", ""))
    except (ValueError, RecursionError):  # ValueError: no TOML, and a number of thousands of digits
        return None


def _table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    for key in keys:
        value = document.get(key)
        if not isinstance(value, dict):
            return {}
        document = value
    return document
