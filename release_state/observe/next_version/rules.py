"""Read from a project's own files by which rules it computes its next version. Runs nothing of the project."""

from __future__ import annotations

import configparser
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from release_state.common.strict import decode_json, decode_toml
from release_state.facts.workflow.document import NotReadable
from release_state.facts.workflow.document import read_yaml as read_yaml
from release_state.model.snapshot.published import Rules
from release_state.observe.git.tree_files import find_table

_COMMITIZEN = (".cz.toml", "cz.toml", ".cz.json", "cz.json", ".cz.yaml", "cz.yaml", "pyproject.toml")
FILES = ("pyproject.toml", "setup.cfg", "releaserc.toml", "releaserc.json", *_COMMITIZEN[:-1])
"""The files at the top of a tree that are read."""

_DEEPEST = 50
"""Levels of tables and lists; settings of a project have about five."""
_PACKAGE = re.compile(r"python[-_.]semantic[-_.]release(?![\w-])", re.IGNORECASE)
_IN_WORKFLOW = re.compile(rf"{_PACKAGE.pattern}(?:\[[\w, -]{{0,40}}\])? ?([=<>!~][\w.*=<>!~, ]{{1,80}})", re.IGNORECASE)
_ACTION = re.compile(
    r"uses:\s*[\"']?python-semantic-release/python-semantic-release@(?:v?(\d+)\b(?!\w)|\S+\s+#\s*v?(\d+))",
    re.IGNORECASE,
)


class Unreadable(ValueError):  # noqa: N818 - a statement about a file
    """A file exists but cannot be read; the text says which and why."""


@dataclass(frozen=True)
class Configuration:
    """The rules, and the table that configures them."""

    rules: Rules | None
    where: str | None = None
    table: Mapping[str, Any] = field(default_factory=dict)
    pins: tuple[str, ...] = ()
    """Versions of python-semantic-release that the project asks for, as specifiers."""


def find_configuration(files: Mapping[str, str], wanted: str, workflow: str = "") -> Configuration:
    """The rules that `wanted` names ("auto": those that the tree configures, semantic-release first), as configured.

    `files` maps those of FILES that exist to their texts. Raises Unreadable if a file that may hold the configuration
    cannot be read.
    """
    if wanted in ("auto", "semantic-release"):
        found = _semantic_release(files)
        if found or wanted == "semantic-release":
            where, table = found or (None, {})
            return Configuration("semantic-release", where, table, tuple(_pins(files, workflow)))
    if wanted in ("auto", "commitizen"):
        found = _commitizen(files)
        if found or wanted == "commitizen":
            where, table = found or (None, {})
            return Configuration("commitizen", where, table)
    return Configuration("conventional", "--version-rules") if wanted == "conventional" else Configuration(None)


def find_project_name(files: Mapping[str, str]) -> str | None:
    """Return the name of the package that the tree builds; None if it cannot be read."""
    try:
        document = _toml(files, "pyproject.toml")
    except Unreadable:
        return None
    for table in (find_table(document, "project"), find_table(document, "tool", "poetry")):
        if isinstance(name := table.get("name"), str):
            return name
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(files.get("setup.cfg", ""))
    except configparser.Error:
        return None
    return parser.get("metadata", "name", fallback="").strip() or None


def find_project_version(files: Mapping[str, str]) -> str | None:
    """Return the static version of pyproject.toml, which commitizen's providers read."""
    document = _toml(files, "pyproject.toml")
    for table in (find_table(document, "project"), find_table(document, "tool", "poetry")):
        if isinstance(version := table.get("version"), str):
            return version
    return None


def _semantic_release(files: Mapping[str, str]) -> tuple[str, Mapping[str, Any]] | None:
    for name in ("pyproject.toml", "releaserc.toml", "releaserc.json"):
        document = _READERS[name.rpartition(".")[2]](files, name)
        for keys in (("tool", "semantic_release"), ("semantic_release",)):
            if _has(document, *keys):
                return f"[{'.'.join(keys)}] of {name}", find_table(document, *keys)
    return None


def _commitizen(files: Mapping[str, str]) -> tuple[str, Mapping[str, Any]] | None:
    for name in _COMMITIZEN:
        keys = ("tool", "commitizen") if name.endswith(".toml") else ("commitizen",)
        document = _READERS[name.rpartition(".")[2]](files, name)
        if _has(document, *keys):
            return f"[{'.'.join(keys)}] of {name}", find_table(document, *keys)
    return None


def _pins(files: Mapping[str, str], workflow: str) -> Iterator[str]:
    """Yield the versions of python-semantic-release that the metadata and the release workflow ask for."""
    for text in _texts(_toml(files, "pyproject.toml")):
        if _PACKAGE.match(text):
            try:
                yield str(Requirement(text).specifier)
            except InvalidRequirement:
                continue
    for found in _IN_WORKFLOW.finditer(workflow):
        try:
            yield str(SpecifierSet(found[1].strip(", ")))
        except InvalidSpecifier:
            continue
    for found in _ACTION.finditer(workflow):
        yield f"=={found[1] or found[2]}.*"


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a document; an entry of a table that names the package (Poetry's) becomes a requirement."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            constraint = item.get("version") if isinstance(item, dict) else item
            if isinstance(key, str) and _PACKAGE.fullmatch(key) and isinstance(constraint, str):
                yield f"{key}{_poetry(constraint)}"
            else:
                yield from _texts(item)


def _poetry(constraint: str) -> str:
    """Return a Poetry constraint as a specifier: `^9.1` keeps the first number."""
    constraint = constraint.strip()
    if found := re.fullmatch(r"[\^~]?\s*((\d+)(?:\.\d+)*)", constraint):
        return f">={found[1]},<{int(found[2]) + 1}" if constraint[0] in "^~" else f"=={found[1]}"
    return "" if constraint == "*" else constraint


def _toml(files: Mapping[str, str], name: str) -> dict[str, Any]:
    try:
        document = decode_toml(files.get(name, ""))
    except ValueError:
        raise Unreadable(f"{name} is not valid TOML") from None
    if _is_deep(document):
        raise Unreadable(f"{name} is nested deeper than {_DEEPEST}")
    return document


def _is_deep(document: object) -> bool:
    """Return whether it is nested too deep to walk through: one dotted key can name thousands of tables."""
    level = [document]
    for _ in range(_DEEPEST):
        level = [inner for held in level for inner in (held.values() if isinstance(held, dict) else _items(held))]
    return bool(level)


def _items(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


def _json(files: Mapping[str, str], name: str) -> Any:
    try:
        document = decode_json(files.get(name) or "{}")
    except ValueError:
        raise Unreadable(f"{name} is not valid JSON") from None
    if _is_deep(document):
        raise Unreadable(f"{name} is nested deeper than {_DEEPEST}")
    return document


def _yaml(files: Mapping[str, str], name: str) -> Any:
    try:
        return read_yaml(files[name]) if files.get(name, "").strip() else {}
    except NotReadable as problem:
        raise Unreadable(f"{name} is not valid YAML: {problem}") from None


_READERS: dict[str, Callable[[Mapping[str, str], str], Any]] = {"toml": _toml, "json": _json, "yaml": _yaml}


def _has(document: Any, *keys: str) -> bool:
    for key in keys:
        if not isinstance(document, dict) or key not in document:
            return False
        document = document[key]
    return True
