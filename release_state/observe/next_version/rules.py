"""Read from a project's own files by which rules it computes its next version. Runs nothing of the project."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from release_state.common.project import find_table, read_project_name
from release_state.common.strict import decode_json, decode_toml
from release_state.facts.workflow.document import NotReadable, read_yaml
from release_state.model.snapshot.published import Rules

_Places = tuple[tuple[str, tuple[str, ...]], ...]
_SEMANTIC_RELEASE: _Places = tuple(
    (name, keys)
    for name in ("pyproject.toml", "releaserc.toml", "releaserc.json")
    for keys in (("tool", "semantic_release"), ("semantic_release",))
)
_COMMITIZEN: _Places = tuple(
    (name, ("tool", "commitizen") if name.endswith(".toml") else ("commitizen",))
    for name in (".cz.toml", "cz.toml", ".cz.json", "cz.json", ".cz.yaml", "cz.yaml", "pyproject.toml")
)
"""Where each tool looks for its table, in its order: the file, and the keys in it."""
FILES = tuple(dict.fromkeys(("setup.cfg", *(name for name, _ in (*_SEMANTIC_RELEASE, *_COMMITIZEN)))))
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


class Configuration(Struct, frozen=True):
    """The rules, and the table that configures them."""

    rules: Rules | None
    where: str | None = None
    table: Mapping[str, Any] = field(default_factory=dict)
    pins: tuple[str, ...] = ()
    """Versions of python-semantic-release that the project asks for, as specifiers."""


def find_configuration(files: Mapping[str, str], wanted: str, workflow: str = "") -> Configuration:
    """Return the rules that `wanted` names; for "auto", those that the tree configures, semantic-release first.

    `files` holds the texts of FILES that exist. Raises Unreadable if a file that may configure them cannot be read.
    """
    places: dict[Rules, _Places] = {"semantic-release": _SEMANTIC_RELEASE, "commitizen": _COMMITIZEN}
    for rules in places:
        if wanted in ("auto", rules) and ((found := _find_table(files, places[rules])) or wanted == rules):
            where, table = found or (None, {})
            pins = tuple(_find_pins(files, workflow)) if rules == "semantic-release" else ()
            return Configuration(rules, where, table, pins)
    return Configuration("conventional", "--version-rules") if wanted == "conventional" else Configuration(None)


def find_project_name(files: Mapping[str, str]) -> str | None:
    """Return the name of the package that the tree builds; None if it cannot be read."""
    try:
        found = read_project_name(files.get)
    except ValueError:
        return None
    return found.text or None if found else None


def find_project_version(files: Mapping[str, str]) -> str | None:
    """Return the static version of pyproject.toml, which commitizen's providers read."""
    document = _read(files, "pyproject.toml")
    texts = (find_table(document, *keys).get("version") for keys in (("project",), ("tool", "poetry")))
    return next((text for text in texts if isinstance(text, str)), None)


def _find_table(files: Mapping[str, str], places: _Places) -> tuple[str, Mapping[str, Any]] | None:
    """Return the first of these tables that exists, and where it is."""
    for name, keys in places:
        above = find_table(document, *keys[:-1]) if isinstance(document := _read(files, name), dict) else {}
        if keys[-1] in above:
            return f"[{'.'.join(keys)}] of {name}", find_table(above, keys[-1])
    return None


def _find_pins(files: Mapping[str, str], workflow: str) -> Iterator[str]:
    for text in _find_texts(_read(files, "pyproject.toml")):
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


def _find_texts(value: object) -> Iterator[str]:
    """Yield every text in a document; an entry of a table that names the package (Poetry's) becomes a requirement."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _find_texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            constraint = item.get("version") if isinstance(item, dict) else item
            if isinstance(key, str) and _PACKAGE.fullmatch(key) and isinstance(constraint, str):
                yield f"{key}{_convert_constraint(constraint)}"
            else:
                yield from _find_texts(item)


def _convert_constraint(constraint: str) -> str:
    """Return a Poetry constraint as a specifier: `^9.1` keeps the first number."""
    constraint = constraint.strip()
    if found := re.fullmatch(r"[\^~]?\s*((\d+)(?:\.\d+)*)", constraint):
        return f">={found[1]},<{int(found[2]) + 1}" if constraint[0] in "^~" else f"=={found[1]}"
    return "" if constraint == "*" else constraint


def _read(files: Mapping[str, str], name: str) -> Any:
    """Return the document in a file, an empty one if the file is missing or empty. Raises Unreadable."""
    kind, text = name.rpartition(".")[2].upper(), files.get(name, "")
    if not text or (kind == "YAML" and not text.strip()):
        return {}
    try:
        document = _PARSERS[kind](text)
    except NotReadable as problem:
        raise Unreadable(f"{name} is not valid YAML: {problem}") from None
    except ValueError:
        raise Unreadable(f"{name} is not valid {kind}") from None
    if kind != "YAML" and _is_deep(document):
        raise Unreadable(f"{name} is nested deeper than {_DEEPEST}")
    return document


_PARSERS: dict[str, Callable[[str], Any]] = {"TOML": decode_toml, "JSON": decode_json, "YAML": read_yaml}


def _is_deep(document: object) -> bool:
    """Return whether it is nested too deep to walk through: one dotted key can name thousands of tables."""
    level = [document]
    for _ in range(_DEEPEST):
        tables = (held.values() if isinstance(held, dict) else held for held in level if isinstance(held, (dict, list)))
        level = [inner for table in tables for inner in table]
    return bool(level)
