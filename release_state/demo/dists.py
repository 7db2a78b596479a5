"""Small real distributions, made by hand: a wheel and an sdist that pip installs, with the same bytes each time.

Nothing is built by a subprocess, so that a release of the demo world takes milliseconds. The formats: wheel 1.0
(PEP 427), core metadata 2.4 (PEP 639, PEP 643), sdist (PEP 625, PEP 721), build backend (PEP 517).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping

from packaging.utils import canonicalize_name, canonicalize_version

REQUIRES_PYTHON = ">=3.10"
"""What a distribution declares when nothing else is asked for."""

_EPOCH = (2020, 2, 2, 0, 0, 0)
"""The date of every archive member: bytes must not depend on when they were made (and zip begins in 1980)."""

_EPOCH_SECONDS = 1_580_601_600
"""The same moment in seconds, for tar and gzip."""


def core_metadata(
    name: str, version: str, *, requires_python: str = REQUIRES_PYTHON, summary: str = "", license_file: bool = True
) -> bytes:
    """
    The text of METADATA and PKG-INFO.

    No field is dynamic, so that the sdist's metadata is the wheel's too (PEP 643).
    """
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {name}",
        f"Version: {version}",
        f"Summary: {summary or f'The demo package {name}'}",
        "License-Expression: MIT",
        *(["License-File: LICENSE"] if license_file else []),
        f"Requires-Python: {requires_python}",
    ]
    return ("\n".join(lines) + "\n").encode()


def _stem(name: str, version: str) -> str:
    # PEP 625 and the wheel specification escape the normalized name alike. Trailing zeros are part of a version's name.
    return f"{canonicalize_name(name).replace('-', '_')}-{canonicalize_version(version, strip_trailing_zero=False)}"


def build_wheel(
    name: str,
    version: str,
    *,
    sources: Mapping[str, bytes],
    requires_python: str = REQUIRES_PYTHON,
    summary: str = "",
    license_text: bytes = b"MIT\n",
) -> tuple[str, bytes]:
    """
    A pure-Python wheel: its file name and its bytes.

    `sources` maps paths inside site-packages (`orbit_demo/__init__.py`) to their content. Source: PEP 427.
    """
    info = f"{_stem(name, version)}.dist-info"
    files = {
        **dict(sorted(sources.items())),
        f"{info}/METADATA": core_metadata(name, version, requires_python=requires_python, summary=summary),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: demo\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/licenses/LICENSE": license_text,
    }
    record = "".join(f"{path},{_record_hash(data)},{len(data)}\n" for path, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    buffer = io.BytesIO()
    # Stored, not deflated: the result of zlib differs between its versions, and the files are tiny.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, data in files.items():
            member = zipfile.ZipInfo(path, _EPOCH)
            member.external_attr = 0o100644 << 16
            member.create_system = 3  # Unix, also when made on another system
            archive.writestr(member, data)
    return f"{_stem(name, version)}-py3-none-any.whl", buffer.getvalue()


def _record_hash(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def build_sdist(
    name: str, version: str, *, files: Mapping[str, bytes], requires_python: str = REQUIRES_PYTHON, summary: str = ""
) -> tuple[str, bytes]:
    """
    An sdist of `files` (path in the project → content) and a PKG-INFO: its file name and its bytes.

    Given the files of a commit, the sdist holds that commit's tree and nothing else besides PKG-INFO, which replaces a
    file of that name. Source: PEP 625, PEP 643, PEP 721.
    """
    stem = _stem(name, version)
    content = {
        **files,
        "PKG-INFO": core_metadata(
            name, version, requires_python=requires_python, summary=summary, license_file="LICENSE" in files
        ),
    }
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data in sorted(content.items()):
            member = tarfile.TarInfo(f"{stem}/{path}")
            member.size, member.mtime, member.mode = len(data), _EPOCH_SECONDS, 0o644
            archive.addfile(member, io.BytesIO(data))
    buffer = io.BytesIO()
    # Level 0 for the reason given at the wheel; no file name in the header.
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=_EPOCH_SECONDS, compresslevel=0) as compressed:
        compressed.write(raw.getvalue())
    return f"{stem}.tar.gz", buffer.getvalue()


def wheel_metadata(wheel: bytes) -> bytes:
    """The METADATA of a wheel, which an index serves beside the file (PEP 658); raises `ValueError` without one."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        for member in archive.namelist():
            directory, _, name = member.rpartition("/")
            if name == "METADATA" and directory.endswith(".dist-info") and "/" not in directory:
                return archive.read(member)
    raise ValueError("the wheel has no METADATA")
