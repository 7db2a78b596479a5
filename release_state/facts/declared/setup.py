"""The version of a package as setup.cfg or setup.py states it (pure).

Sources: https://setuptools.pypa.io/en/latest/userguide/declarative_config.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from release_state.common.project import SETUP_CFG, SETUP_PY
from release_state.common.source import Imported, Value, find_value, list_strings, read_setup_call
from release_state.facts.declared.files import find_attribute, find_import, find_in_files
from release_state.facts.declared.tree import Declaration, Folder, computed, static, unreadable
from release_state.model.target import parse_version

_TOOLS = ("use_scm_version", "pbr", "vcversioner", "version_config", "setuptools_git_versioning", "use_incremental")
"""Arguments of `setup()` by which a plugin computes the version."""
_COMPUTING = re.compile(r"\b(versioneer|setuptools_scm|get_git_version|git_version|miniver)\b")
_NAMES = ("__version__", "VERSION", "__VERSION__", "version")
_MOST_STRINGS = 500


def find_in_setup(folder: Folder) -> Declaration:
    """Return the version that setup.cfg declares, else the one of setup.py."""
    cfg, text = folder.setup_cfg, folder.read(SETUP_PY)
    call = read_setup_call(text or "")
    if tool := next((name for name in _TOOLS if name in call and call[name][1] not in ("False", "None")), None):
        return computed(tool)
    given = cfg.get("metadata", "version", fallback="").strip()
    if given.startswith("attr:"):
        return find_attribute(folder, given.removeprefix("attr:").strip(), _package_dir(folder))
    if given.startswith("file:"):
        return find_in_files(folder, given.removeprefix("file:"))
    if given:
        return static(given, folder.where(SETUP_CFG))
    if tool := next((name for name in ("pbr", "versioneer") if cfg.has_section(name)), None):
        return computed(tool)
    if text is None:
        return unreadable("no pyproject.toml, setup.cfg or setup.py declares one")
    return _find_in_script(folder, text, *call.get("version", (None, "")))


def _find_in_script(folder: Folder, text: str, value: Value, source: str) -> Declaration:
    if not source:  # setup(**arguments): what is named VERSION is it
        value = next((found for name in _NAMES if isinstance(found := find_value(text, name), str)), None)
    if isinstance(value, str) and value:
        return static(value, folder.where(SETUP_PY))
    if tool := _COMPUTING.search(source):
        return computed(tool[1])
    if isinstance(value, Imported) and not value.through:
        return find_import(folder, SETUP_PY, value)
    return _find_named(folder, text) or unreadable(f"{folder.where(SETUP_PY)} computes it")


def _package_dir(folder: Folder) -> Mapping[str, str]:
    lines = folder.setup_cfg.get("options", "package_dir", fallback="").splitlines()
    pairs = (line.partition("=") for line in lines)
    return {key.strip(): value.strip() for key, equals, value in pairs if equals}


def _find_named(folder: Folder, script: str) -> Declaration | None:
    """The version of the files that setup.py names and reads, if all of them state the same one."""
    strings = [text for text in list_strings(script)[:_MOST_STRINGS] if len(text) < 100]
    module = re.sub(r"\W", "_", folder.name or "")
    found: dict[str, str] = {}
    for at, name in enumerate(strings):
        if not re.search(r"\.py$|version(\.\w+)?$", name, re.IGNORECASE) or name.endswith(SETUP_PY):
            continue
        joined = ["/".join(strings[start : at + 1]).lstrip("./") for start in range(max(0, at - 2), at + 1)]
        for path in (*joined, f"{module}/{name}", f"src/{module}/{name}"):
            if version := _read_plain(folder, path):
                found[path] = version
    if len(set(found.values())) != 1:
        return None
    path, version = next(iter(found.items()))
    return static(version, folder.where(path))


def _read_plain(folder: Folder, path: str) -> str | None:
    text = folder.read(path)
    if text is None:
        return None
    if path.endswith(".py"):
        values = (find_value(text, name) for name in _NAMES)
        return next((value for value in values if isinstance(value, str) and parse_version(value)), None)
    return text.strip() if parse_version(text.strip()) else None
