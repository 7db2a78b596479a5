"""Which index an option, a variable or an address of an upload names (pure).

Sources: the documentation of twine, uv, flit, hatch, pdm and maturin
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

PYPI, TESTPYPI = "pypi", "testpypi"
_INDEX_OPTIONS = ("-r", "--repository", "--repository-url", "--publish-url", "--index", "--repo", "--index-url")
_INDEX_VARIABLES = (
    *("TWINE_REPOSITORY", "TWINE_REPOSITORY_URL", "UV_PUBLISH_URL", "FLIT_INDEX_URL"),
    *("HATCH_INDEX_REPO", "PDM_PUBLISH_REPO", "MATURIN_REPOSITORY", "MATURIN_REPOSITORY_URL"),
)
TEST_INDEX = re.compile(r"test[._-]?pypi|pypi[._-]?test|^test$")
_PUBLIC_INDEX = re.compile(r"(https?://)?(\w+\.)?pypi(\.\w+)?(/|$)")


def find_index(words: Sequence[str], env: Mapping[str, str]) -> str | None:
    """Return the index that a command uploads to, by its options and variables; PyPI if none names one."""
    for at, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in _INDEX_OPTIONS:
            return read_index(value if equals else "".join(words[at + 1 : at + 2]))
    return read_index(next((env[name] for name in _INDEX_VARIABLES if env.get(name)), PYPI))


def read_index(text: str) -> str | None:
    """Return the index of a name or address; None for what only a run can tell."""
    low = text.lower()
    if "$" in text:
        return None
    if TEST_INDEX.search(low):
        return TESTPYPI
    return PYPI if _PUBLIC_INDEX.match(low) else text
