"""What a wheel that was downloaded needs, by its own metadata."""

from __future__ import annotations

import re
from email.parser import BytesHeaderParser
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from packaging.requirements import InvalidRequirement, Requirement

_METADATA_LIMIT = 4 * 2**20
"""Bytes of the metadata that are read."""


def direct_dependency(wheel: Path, python: str) -> str | None:
    """The first requirement that is a direct URL and applies under this Python (`3.12.1`); None where there is none."""
    markers = {"extra": "", "python_full_version": python, "python_version": ".".join(python.split(".")[:2])}
    try:
        with ZipFile(wheel) as archive:
            inside = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
            with archive.open(inside) as file:
                metadata = BytesHeaderParser().parsebytes(file.read(_METADATA_LIMIT))
        for text in metadata.get_all("Requires-Dist", []):
            requirement = Requirement(str(text))
            if requirement.url and (requirement.marker is None or requirement.marker.evaluate(markers)):
                return str(text)
    except (BadZipFile, StopIteration, InvalidRequirement, RuntimeError, NotImplementedError):
        pass  # pip will say what is wrong with it
    return None
