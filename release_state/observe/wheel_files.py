"""The files that a wheel installs, as the objects that git would name them by; for a version without an sdist."""

from __future__ import annotations

from release_state.observe.sdist import Files, members_of_zip, object_names, readable_members

_BUILT = (".so", ".pyd", ".dll", ".dylib", ".pyc")


def read_wheel(data: bytes, *, sha256: bool, deadline: float) -> Files:
    """
    The files of a wheel by path below site-packages, without its metadata, data folders and compiled files.

    None of them need be where the repository has it: `src/` and the like are found by comparing. `sha256` and
    `deadline` as for `read_sdist`. Raises Refused. Source: PEP 427.
    """
    return {
        name: object_names(content, sha256=sha256)
        for name, content in readable_members(members_of_zip(data), deadline)
        if not _is_made(name)
    }


def _is_made(name: str) -> bool:
    top = name.partition("/")[0]
    return top.endswith((".dist-info", ".data")) or name.endswith(_BUILT)
