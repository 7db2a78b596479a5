"""Which files of the reports folder are reports that this suite wrote: those alone are no change of the clone.

The folder's name can come from the inspected repository's own settings, and it may be the folder of the sources.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

_NAME = re.compile(
    rb"(?:.+-\d{8}T\d{6}Z(?:-\d+)?|latest(?:-audit|-fleet)?)\.(json|html)|\.release-state-\w+", re.DOTALL
)
_JSON = re.compile(rb'\s*\{\s*"release_state_(?:report|audit|fleet)"\s*:')
_HTML = re.compile(rb"\s*<!doctype html>", re.IGNORECASE)
_BEGINNING = 200


def relative_to(reports_dir: Path | None, top: Path) -> bytes | None:
    """The reports folder relative to the top of the work tree, empty for the top itself; None where it is elsewhere."""
    if reports_dir is None:
        return None
    for folder, root in ((reports_dir.absolute(), top), (reports_dir.resolve(), top.resolve())):
        if folder.is_relative_to(root):
            found = os.fsencode(folder.relative_to(root))
            return b"" if found == b"." else found
    return None


def is_own_report(path: bytes, reports: bytes | None, top: Path) -> bool:
    """
    Whether a path of the work tree lies in the reports folder itself and is a report, by its name and its beginning.

    A page is one where the document beside it is. The document that a run has reserved is still empty.
    """
    folder, _, name = path.rpartition(b"/")
    if reports is None or folder != reports or (found := _NAME.fullmatch(name)) is None:
        return False
    file = top / os.fsdecode(path)
    begins = _beginning(file)
    if begins is None:
        return False
    if found[1] == b"html":
        beside = path[: -len(b"html")] + b"json"
        return bool(_HTML.match(begins)) and is_own_report(beside, reports, top)
    is_reserved = begins == b"" and not name.startswith(b"latest")
    return is_reserved or bool(_JSON.match(begins)) or (found[1] is None and bool(_HTML.match(begins)))


def _beginning(path: Path) -> bytes | None:
    """The first bytes of a regular file; None for everything else. A link is not followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        try:
            return file.read(_BEGINNING) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
        except OSError:
            return None
