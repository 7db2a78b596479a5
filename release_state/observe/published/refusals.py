"""What PyPI and TestPyPI refuse of a built file for certain, by its name and its metadata (pure).

Source: warehouse, `forklift/legacy.py` and `forklift/metadata.py`. What only the index knows is not looked at.
"""

from __future__ import annotations

import re
from email.message import Message

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from release_state.common.text import sanitize

_PLAIN_LINUX = re.compile(r"linux_(?!armv[67]l$)")
_SHOWN = 100
"""Characters of a field that are shown."""


def find_name_refusal(filename: str, name: str, version: Version) -> str:
    """Return what the index refuses of a file's name; empty: nothing that is known."""
    own = name.replace("-", "_")
    if not filename.endswith(".whl"):
        wanted = f"{own}-{version}.tar.gz"
        return "" if filename == wanted else f"an sdist has to be called {wanted}"
    if filename.partition("-")[0] != own:
        return f"its name has to begin with {own}-"
    platforms = filename.removesuffix(".whl").rpartition("-")[2].split(".")
    if plain := next(filter(_PLAIN_LINUX.match, platforms), None):
        return f"no wheel for {plain} is taken: repair it with auditwheel (manylinux, musllinux)"
    return ""


def find_metadata_refusal(metadata: Message) -> str:
    """Return what the index refuses of a file's metadata; empty: nothing that is known."""
    for text in map(str, metadata.get_all("Requires-Dist") or ()):
        try:
            if Requirement(text).url is not None:
                return f"no dependency by an address is taken: {sanitize(text, _SHOWN)}"
        except InvalidRequirement:
            return f"no such dependency is taken: {sanitize(text, _SHOWN)}"
    if python := str(metadata.get("Requires-Python") or "").strip():
        try:
            SpecifierSet(python)
        except InvalidSpecifier:
            return f"no such Requires-Python is taken: {sanitize(python, _SHOWN)}"
    private = (text for text in map(str, metadata.get_all("Classifier") or ()) if text.startswith("Private ::"))
    return next((f"the classifier {sanitize(text, _SHOWN)} keeps it out" for text in private), "")
