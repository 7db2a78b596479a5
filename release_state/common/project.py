"""The package that pyproject.toml, setup.cfg or a literal in setup.py names (pure): nothing of them is run."""

from __future__ import annotations

import configparser
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct
from packaging.utils import canonicalize_name

from release_state.common.source import read_setup_call
from release_state.common.strict import decode_toml

PYPROJECT, SETUP_CFG, SETUP_PY = "pyproject.toml", "setup.cfg", "setup.py"
CONFIGURATION = (PYPROJECT, SETUP_CFG, SETUP_PY)
UNREAD = "\0"
"""What a file holds that exists and cannot be read: no format of these files has a null."""
_NOTHING, _COMPUTED = object(), object()
_PLACES = (
    (("project",), "name"),
    (("tool", "poetry"), "name"),
    (("tool", "flit", "metadata"), "dist-name"),
    (("tool", "flit", "metadata"), "module"),
)


class ProjectName(Struct, frozen=True):
    """A name, and where it stands."""

    text: str
    """As it is written, without blanks around it. Empty: uv is told that the folder is no package."""
    file: str
    key: str
    """As `[project] name`."""


def read_project_name(read: Callable[[str], str | None]) -> ProjectName | None:
    """Return the first name that the files of a folder state; None if they state none.

    `read` returns the text of a file, None if there is none, and UNREAD. Raises ValueError if the name cannot be read,
    as one that setup.py computes, and InvalidName if no index takes it.
    Source: https://packaging.python.org/en/latest/specifications/name-normalization/
    """
    for file, key, value in _list_names(read):
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        if value is _NOTHING:
            return ProjectName("", file, key)
        if not isinstance(value, str):
            raise ValueError(f"{key} of {file} is no literal text")
        canonicalize_name(value.strip(), validate=True)
        return ProjectName(value.strip(), file, key)
    return None


def _list_names(read: Callable[[str], str | None]) -> Iterator[tuple[str, str, object]]:
    """Each place of a name, in their order: the file, the key, and what stands there."""
    document = parse_toml(read(PYPROJECT) or "")
    if document is None:
        raise ValueError(f"{PYPROJECT} cannot be read")
    if find_table(document, "tool", "uv").get("package") is False and "build-system" not in document:
        yield PYPROJECT, "[tool.uv] package", _NOTHING
    for keys, key in _PLACES:
        yield PYPROJECT, f"[{'.'.join(keys)}] {key}", find_table(document, *keys).get(key)
    text = _read(read, SETUP_CFG)
    yield SETUP_CFG, "[metadata] name", parse_cfg(text).get("metadata", "name", fallback=None)
    value, source = read_setup_call(_read(read, SETUP_PY)).get("name", (None, ""))
    yield SETUP_PY, "setup() name", value if isinstance(value, str) or not source else _COMPUTED


def _read(read: Callable[[str], str | None], file: str) -> str:
    text = read(file) or ""
    if UNREAD in text:
        raise ValueError(f"{file} cannot be read")
    return text


@lru_cache(maxsize=64)
def parse_toml(text: str) -> Mapping[str, Any] | None:
    """Return the table in a text; None if it is not valid."""
    try:
        return decode_toml(text)
    except ValueError:
        return None


@lru_cache(maxsize=64)
def parse_cfg(text: str) -> configparser.RawConfigParser:
    """Return the content of a setup.cfg; empty if it is not valid."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return configparser.RawConfigParser()
    return parser


def find_table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return the table below these keys; empty if there is none."""
    for key in keys:
        value = document.get(key)
        if not isinstance(value, dict):
            return {}
        document = value
    return document
