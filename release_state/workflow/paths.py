"""Where the files lie that a workflow of the repository uses: `uses: ./…`, or `$/…`, which needs no checkout.

Source: https://github.blog/changelog/2026-07-30-reference-same-repository-actions-with-self-repository-syntax/
"""

from __future__ import annotations

import posixpath

FOLDER = ".github/workflows"


def is_local(uses: str) -> bool:
    """Whether it is of the same repository, at the same commit."""
    return uses.startswith(("./", "$/"))


def path_of_call(uses: str) -> str:
    """The path of a reusable workflow of the same repository; empty for any other."""
    path = _path(uses)
    return path if path.startswith(f"{FOLDER}/") else ""


def paths_of_action(uses: str) -> tuple[str, ...]:
    """Where the file of an action of the same repository can be; nothing for any other."""
    path = _path(uses)
    return tuple(posixpath.normpath(f"{path}/{name}") for name in ("action.yml", "action.yaml")) if path else ()


def _path(uses: str) -> str:
    """The path in the repository; empty where it leads elsewhere, or out of it."""
    if not is_local(uses):
        return ""
    path = posixpath.normpath(uses[2:] or ".")
    return "" if path.startswith(("..", "/")) or any(ord(char) < 32 for char in path) else path
