"""The version of a package as its pyproject.toml has it built, by each build backend's own rules (pure).

Sources: https://packaging.python.org/specifications/pyproject-toml; https://hatch.pypa.io/latest/version;
https://setuptools.pypa.io/en/latest/userguide/pyproject_config.html; https://flit.pypa.io;
https://backend.pdm-project.org/metadata; https://www.maturin.rs/metadata;
https://scikit-build-core.readthedocs.io/en/latest/configuration/dynamic.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from release_state.common.project import PYPROJECT, find_table, parse_toml
from release_state.common.strict import decode_json
from release_state.facts.declared.files import (
    find_attribute,
    find_in_files,
    find_in_module,
    list_modules,
    match_pattern,
)
from release_state.facts.declared.setup import find_in_setup
from release_state.facts.declared.tree import Declaration, Folder, computed, static, unreadable

_DEFAULT = re.compile(r"^(?:__version__|VERSION)(?: ?: ?str)? *= *(['\"])v?(?P<version>[^'\"\n]+)\1", re.M | re.I)
"""What hatch and scikit-build-core look for, unless they are told otherwise."""
_SCM = re.compile(
    r"\s*(setuptools[-_.]scm|setuptools[-_.]git[-_.]versioning|setuptools[-_.]vcs[-_.]version\w*|vcs[-_.]versioning"
    r"|versioningit|versioneer|miniver|pbr|incremental|hatch[-_.]vcs|uv[-_.]dynamic[-_.]versioning|dunamai)"
    r"\s*([\[(=<>!~;@].*)?",
    re.IGNORECASE | re.DOTALL,
)
_SCM_TABLES = ("setuptools_scm", "setuptools-git-versioning", "versioningit", "versioneer", "vcs-versioning", "pbr")
_FROM_TAGS = re.compile(r"vcs|scm|git|tag|versioningit|dynamic|env", re.IGNORECASE)
"""Names of sources that take the version from elsewhere than a file."""


def find_in_pyproject(folder: Folder) -> Declaration:
    """Return the version that a folder declares for its package, by pyproject.toml, else setup.cfg or setup.py."""
    document = folder.document
    if document is None:
        return unreadable(f"{folder.where(PYPROJECT)} is not valid TOML")
    project, poetry = find_table(document, "project"), find_table(document, "tool", "poetry")
    if isinstance(version := project.get("version"), str):
        return static(version, folder.where(PYPROJECT))
    if "version" in project:
        return unreadable(f"{folder.where(PYPROJECT)} has a version that is no text")
    if isinstance(version := poetry.get("version"), str):
        return _of_poetry(folder, document, version)
    backend = _find_backend(document)
    if found := backend.find(folder, document):
        return found
    if isinstance(dynamic := project.get("dynamic"), list) and "version" in dynamic and not backend.reads_setup:
        return unreadable(f"{folder.where(PYPROJECT)} leaves it to {backend.name}")
    if project and not isinstance(dynamic, list):
        return unreadable(f"{folder.where(PYPROJECT)} has no version")
    return find_in_setup(folder)


def _of_poetry(folder: Folder, document: Mapping[str, Any], version: str) -> Declaration:
    if find_table(document, "tool", "poetry-dynamic-versioning").get("enable") is True:
        return computed("poetry-dynamic-versioning")
    if find_table(document, "tool", "poetry-version-plugin").get("source") == "git-tag":
        return computed("poetry-version-plugin")
    return static(version, folder.where(PYPROJECT))


class _Backend(Struct, frozen=True):
    name: str
    find: Callable[[Folder, Mapping[str, Any]], Declaration | None]
    reads_setup: bool = False


def _find_backend(document: Mapping[str, Any]) -> _Backend:
    system = find_table(document, "build-system")
    named = system.get("build-backend")
    if not isinstance(named, str):
        return _Backend("setuptools", _of_tables, reads_setup=True)
    backend = named.split(".")[0].split(":")[0].lower()
    return _BACKENDS.get(backend) or _Backend(backend, _of_tables)


def _of_tables(folder: Folder, document: Mapping[str, Any]) -> Declaration | None:
    """By the tables of a tool where no backend is named, or the project's own, as a wrapper around another one."""
    for name, table in (("hatchling", "hatch"), ("pdm", "pdm"), ("setuptools", "setuptools"), ("maturin", "maturin")):
        if find_table(document, "tool", table) and (found := _BACKENDS[name].find(folder, document)):
            return found
    return _of_scm(document)


def _of_scm(document: Mapping[str, Any]) -> Declaration | None:
    requires = find_table(document, "build-system").get("requires")
    dynamic = find_table(document, "project").get("dynamic")
    # Without a version that is declared dynamic, such a package may only list the files of an sdist.
    is_asked = isinstance(requires, list) and isinstance(dynamic, list) and "version" in dynamic
    for each in requires if is_asked and isinstance(requires, list) else ():
        if isinstance(each, str) and (found := _SCM.fullmatch(each)):
            return computed(found[1])
    tables = find_table(document, "tool")
    return next((computed(name) for name in _SCM_TABLES if name in tables), None)


def _of_hatch(folder: Folder, document: Mapping[str, Any]) -> Declaration | None:
    table = find_table(document, "tool", "hatch", "version")
    if not table and (text := folder.read("hatch.toml")):
        table = find_table(parse_toml(text) or {}, "version")
    source, path = table.get("source", "regex"), table.get("path")
    if not table or not isinstance(source, str):
        return None
    if source == "nodejs" or source.startswith("nodejs"):
        return _of_package_json(folder, str(path or "package.json"))
    if source not in ("regex", "code", "regex_commit"):
        return computed(f"hatch ({source})") if _FROM_TAGS.search(source) else unreadable(f"hatch has it from {source}")
    if not isinstance(path, str):
        return unreadable(f"hatch is told no path of a file by {folder.where(PYPROJECT)}")
    if source == "code":
        return find_in_module(folder, path, str(table.get("expression", "__version__")))
    return _by_pattern(folder, path, table.get("pattern"))


def _by_pattern(folder: Folder, path: str, pattern: object) -> Declaration:
    path = path.removeprefix("./")
    text, where = folder.read(path), folder.where(path)
    if text is None:
        return unreadable(f"{where} is not in the tree")
    if pattern in (None, True):
        found = _DEFAULT.search(text)
        version = found["version"] if found else None
    else:
        version = match_pattern(pattern, text) if isinstance(pattern, str) else None
    return static(version.strip(), where) if version else unreadable(f"{where} has no literal version")


def _of_package_json(folder: Folder, path: str) -> Declaration:
    where = folder.where(path)
    try:
        content = decode_json(folder.read(path) or "")
    except ValueError:
        return unreadable(f"{where} is no JSON")
    version = content.get("version") if isinstance(content, dict) else None
    return static(version, where) if isinstance(version, str) else unreadable(f"{where} has no version")


def _of_pdm(folder: Folder, document: Mapping[str, Any]) -> Declaration | None:
    table = find_table(document, "tool", "pdm", "version")
    path = table.get("path", table.get("from"))
    if table.get("source") in ("scm", "call") or table.get("use_scm"):
        return computed(f"pdm-backend ({table.get('source') or 'scm'})")
    return _by_pattern(folder, path, None) if isinstance(path, str) else None


def _of_setuptools(folder: Folder, document: Mapping[str, Any]) -> Declaration | None:
    table = find_table(document, "tool", "setuptools", "dynamic").get("version")
    scm = _of_scm(document)
    if isinstance(table, dict) and isinstance(attribute := table.get("attr"), str):
        found = find_attribute(folder, attribute, find_table(document, "tool", "setuptools", "package-dir"))
        return scm if scm and not found.version else found
    if isinstance(table, dict) and isinstance(files := table.get("file"), (str, list)):
        found = find_in_files(folder, files)
        return scm if scm and not found.version else found
    return scm


def _of_flit(folder: Folder, document: Mapping[str, Any]) -> Declaration | None:
    named = [find_table(document, "tool", "flit", "module").get("name")]
    named += [find_table(document, "tool", "flit", "metadata").get("module")]
    named += [find_table(document, "tool", "pybuild-cmake", "module").get("name")]
    named += [find_table(document, "tool", "py-build-cmake", "module").get("name"), folder.name]
    module = next((name for name in named if isinstance(name, str)), "")
    paths = list_modules(module)
    return next((find_in_module(folder, path, "__version__") for path in paths if folder.read(path) is not None), None)


def _of_maturin(folder: Folder, document: Mapping[str, Any]) -> Declaration | None:
    path = find_table(document, "tool", "maturin").get("manifest-path")
    manifests: Sequence[str] = (path,) if isinstance(path, str) else ("Cargo.toml", "rust/Cargo.toml")
    for manifest in manifests:
        if (text := folder.read(manifest)) is None:
            continue
        where = folder.where(manifest)
        version = find_table(parse_toml(text) or {}, "package").get("version")
        if isinstance(version, dict) and version.get("workspace") is True:
            return _of_workspace(folder, manifest)
        return static(version, where) if isinstance(version, str) else unreadable(f"{where} has no version")
    return unreadable(f"{folder.where(manifests[0])} is not in the tree")


def _of_workspace(folder: Folder, manifest: str) -> Declaration:
    above = folder.where(manifest).split("/")[:-1]
    for depth in range(len(above), -1, -1):
        path = "/".join([*above[:depth], "Cargo.toml"])
        package = find_table(parse_toml(folder.tree.read(path) or "") or {}, "workspace", "package")
        if isinstance(version := package.get("version"), str):
            return static(version, path)
    return unreadable(f"{folder.where(manifest)} takes it from a workspace that is not in the tree")


def _of_scikit(folder: Folder, document: Mapping[str, Any]) -> Declaration | None:
    table = find_table(document, "tool", "scikit-build", "metadata", "version")
    provider, path = str(table.get("provider", "")), table.get("input")
    if provider.endswith(".regex") and isinstance(path, str):
        pattern = table.get("regex")
        named = pattern.replace("(?P<value>", "(?P<version>") if isinstance(pattern, str) else pattern
        return _by_pattern(folder, path, named)
    if provider.endswith("setuptools_scm"):
        return computed("setuptools_scm")
    return unreadable(f"scikit-build-core has it from {provider}") if provider else _of_scm(document)


def _of_meson(folder: Folder, document: Mapping[str, Any]) -> Declaration | None:
    text = re.sub(r"#.*", "", (folder.read("meson.build") or "")[: 2**16])
    call = re.search(r"\bproject\s*\(([^()]*(?:\([^()]*\)[^()]*){0,9})\)", text)
    found = re.search(r"\bversion\s*:\s*(?:'([^'\n]+)'|(\w+))", call[1]) if call else None
    if found and found[1]:
        return static(found[1], folder.where("meson.build"))
    return computed("meson, by a command") if found and found[2] == "run_command" else None


_BACKENDS: Mapping[str, _Backend] = {
    "hatchling": _Backend("hatchling", _of_hatch),
    "setuptools": _Backend("setuptools", _of_setuptools, reads_setup=True),
    "flit_core": _Backend("flit_core", _of_flit),
    "flit": _Backend("flit", _of_flit),
    "flit_scm": _Backend("flit_scm", lambda folder, document: computed("flit_scm")),
    "py_build_cmake": _Backend("py_build_cmake", _of_flit),
    "pdm": _Backend("pdm-backend", _of_pdm),
    "maturin": _Backend("maturin", _of_maturin),
    "scikit_build_core": _Backend("scikit-build-core", _of_scikit),
    "mesonpy": _Backend("meson-python", _of_meson),
    "pbr": _Backend("pbr", lambda folder, document: computed("pbr")),
}
