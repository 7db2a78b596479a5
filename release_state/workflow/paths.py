"""Where the files lie that a workflow of the repository uses: `uses: ./…`."""

from __future__ import annotations

import posixpath

FOLDER = ".github/workflows"


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
    if not uses.startswith("./"):
        return ""
    path = posixpath.normpath(uses.removeprefix("./") or ".")
    return "" if path.startswith(("..", "/")) or any(ord(char) < 32 for char in path) else path
