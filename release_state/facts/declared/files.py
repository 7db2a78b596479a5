"""A version in a file that the configuration names: a module, an attribute, a plain text, a pattern (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from release_state.common.source import Imported, find_value
from release_state.facts.declared.tree import Declaration, Folder, static, unreadable
from release_state.model.target import parse_version

_SOURCES = ("", "src/", "lib/", "python/")
_MOST_FILES = 5
_MOST_HOPS = 3
_LONGEST_LINE = 300
_MOST_LINES = 2000
_QUANTIFIER = re.compile(r"(?<!\\)(?:[*+]|\{\d*,?\d*\})")
_GROUP_REPEATED = re.compile(r"(?<!\\)\)\s*[*+{]")


def list_modules(name: str, *, inner: Sequence[str] = ()) -> tuple[str, ...]:
    """Return where a module's source may be; with `inner`, the files of these names in it, too."""
    path = re.sub(r"[^\w/]", "_", name.replace(".", "/"))
    if not path:
        return ()
    names = [f"{path}/__init__.py", f"{path}.py", *(f"{path}/{each}" for each in inner)]
    return tuple(source + each for source in _SOURCES for each in names)


def find_in_module(folder: Folder, path: str, name: str) -> Declaration:
    """Return the version that a module assigns to a name; follows imports within the tree."""
    where = folder.where(path)
    for _ in range(_MOST_HOPS):
        text = folder.read(path)
        if text is None:
            return unreadable(f"{folder.where(path)} is not in the tree")
        value = find_value(text, name)
        if isinstance(value, str):
            return static(value.removeprefix("v"), folder.where(path))
        found = _follow(folder, path, value) if isinstance(value, Imported) else None
        if found is None:
            break
        path, name = found
    return unreadable(f"{where} has no literal {name}")


def find_import(folder: Folder, path: str, imported: Imported) -> Declaration:
    """Return the version that a file imports from a module of the tree."""
    found = _follow(folder, path, imported)
    return find_in_module(folder, *found) if found else unreadable(f"{imported.module} is not in the tree")


def _follow(folder: Folder, path: str, imported: Imported) -> tuple[str, str] | None:
    module = imported.module.lstrip(".")
    dots = len(imported.module) - len(module)
    inside = module.replace(".", "/")
    if dots:
        above = path.split("/")[:-dots]
        starts = ["/".join([*above, *filter(None, [inside])])]
    else:
        starts = [source + inside for source in _SOURCES]
    for start in starts:
        for each in (f"{start}.py", f"{start}/__init__.py"):
            if each != path and folder.read(each) is not None:
                return each, imported.name
    return None


def find_attribute(folder: Folder, attribute: str, folders: Mapping[str, Any]) -> Declaration:
    """Return the version of `package.module.name`, as setuptools' `attr:` finds it; `folders` is its package-dir."""
    module, _, name = attribute.strip().rpartition(".")
    module = module or "__init__"
    first, _, rest = module.partition(".")
    roots = [folders[first]] if isinstance(folders.get(first), str) else []
    inside = module.replace(".", "/")
    starts = [f"{root}/{rest.replace('.', '/')}".rstrip("/") for root in roots]
    starts += [f"{folders['']}/{inside}"] if isinstance(folders.get(""), str) else []
    starts += [source + inside for source in _SOURCES]
    for start in starts:
        for path in (f"{start}.py", f"{start}/__init__.py"):
            if folder.read(path) is not None:
                return find_in_module(folder, path, name)
    return unreadable(f"{attribute} is in no file of the tree")


def find_in_files(folder: Folder, given: object) -> Declaration:
    """Return the version that plain files hold, as setuptools' `file:` joins them."""
    names = given.split(",") if isinstance(given, str) else given if isinstance(given, list) else []
    paths = [name.strip() for name in names if isinstance(name, str)][:_MOST_FILES]
    texts = [folder.read(path) for path in paths]
    text = "\n".join(text for text in texts if text is not None).strip()
    if paths and parse_version(text):
        return static(text, folder.where(paths[0]))
    return unreadable(f"{', '.join(paths) or 'no file'} does not hold a version alone")


def match_pattern(pattern: str, text: str) -> str | None:
    """Return what a project's own pattern finds in a text; None for a pattern that could take too long, too.

    The pattern is a stranger's: it is tried line by line, and only if nothing in it repeats what repeats.
    """
    plain = re.sub(r"\[(?:\\.|[^\]\\])*\]", "x", pattern)
    quantifiers = [found for found in _QUANTIFIER.findall(plain) if found[0] != "{" or "," in found]
    if len(pattern) > _LONGEST_LINE or len(quantifiers) > 3 or _GROUP_REPEATED.search(plain) or "(?P=" in pattern:
        return None
    try:
        compiled = re.compile(pattern, re.MULTILINE)
    except (re.error, OverflowError, RecursionError):
        return None
    if "version" not in compiled.groupindex:
        return None
    for line in text.splitlines()[:_MOST_LINES]:
        if len(line) <= _LONGEST_LINE and (found := compiled.search(line)):
            return found["version"]
    return None
