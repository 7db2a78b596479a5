"""What a package index says about its projects: pages of the Simple API, from plain data.

Simple API 1.4: PEP 503 and 691, with PEP 592 (yanked), 658 and 714 (metadata), 700 (versions, size, upload time), 740
(provenance) and 792 (project status).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

from packaging.utils import parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

API_VERSION = "1.4"
JSON_TYPE = "application/vnd.pypi.simple.v1+json"


@dataclass
class StoredFile:
    """A file of a project, as uploaded."""

    filename: str
    content: bytes
    version: str
    upload_time: datetime
    requires_python: str | None = None
    metadata: bytes | None = None
    """The wheel's METADATA, served beside the file; None: not served."""
    yanked: bool | str = False
    """True, or the reason."""
    provenance: Mapping[str, Any] | None = None
    """A PEP 740 provenance object, served as it is."""
    lags: bool = False
    """Whether the Simple API does not list it yet; the JSON API does at once."""

    @property
    def sha256(self) -> str:
        """The digest in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass
class Project:
    """A project of one channel."""

    name: str
    files: dict[str, StoredFile] = field(default_factory=dict)
    status: str | None = None
    """None leaves the marker out, as indexes without PEP 792 do."""
    status_reason: str | None = None
    listed: set[str] = field(default_factory=set)
    """Versions that are listed without any file."""
    serial: int = 1
    """Grows with every change."""

    @property
    def versions(self) -> list[str]:
        """Every listed version, oldest first; unparseable ones lead."""
        return sorted({*self.listed, *(file.version for file in self.files.values())}, key=order)

    @property
    def simple(self) -> Project:
        """The project as the Simple API knows it."""
        files = {name: file for name, file in self.files.items() if not file.lags}
        return replace(self, files=files)


def order(version: str) -> tuple[bool, Version, str]:
    """What versions are sorted by; those that cannot be parsed lead."""
    try:
        return True, Version(version), version
    except InvalidVersion:
        return False, Version("0"), version


def name_and_version(filename: str) -> tuple[str, str]:
    """The normalized name and the version that a file name tells; `ValueError` when it tells none."""
    if filename.endswith(".whl"):
        wheel = parse_wheel_filename(filename)
        return wheel[0], str(wheel[1])
    sdist = parse_sdist_filename(filename)
    return sdist[0], str(sdist[1])


def timestamp(when: datetime) -> str:
    """The form of PEP 700: UTC, with fractions, ending in Z."""
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def file_url(root: str, file: StoredFile) -> str:
    """Where a file of the channel at `root` is downloaded."""
    return f"{root}/files/{quote(file.filename)}"


def provenance_url(root: str, project: Project, file: StoredFile) -> str:
    """Where the provenance object of a file is served."""
    return f"{root}/integrity/{project.name}/{file.version}/{quote(file.filename)}/provenance"


def project_page(project: Project, root: str) -> dict[str, Any]:
    """The project page as PEP 691 JSON has it."""
    project = project.simple
    files: list[dict[str, Any]] = []
    for file in project.files.values():
        digests = False if file.metadata is None else {"sha256": hashlib.sha256(file.metadata).hexdigest()}
        entry: dict[str, Any] = {
            "filename": file.filename,
            "url": file_url(root, file),
            "hashes": {"sha256": file.sha256},
            "requires-python": file.requires_python,
            "core-metadata": digests,
            "data-dist-info-metadata": digests,  # the name before PEP 714, for older clients
            "yanked": file.yanked,
            "size": len(file.content),
            "upload-time": timestamp(file.upload_time),
            "provenance": None if file.provenance is None else provenance_url(root, project, file),
        }
        files.append(entry)
    page: dict[str, Any] = {
        "meta": {"api-version": API_VERSION, "_last-serial": project.serial},
        "name": project.name,
        "versions": project.versions,
        "files": files,
        "alternate-locations": [],
    }
    if project.status is not None:
        page["project-status"] = {"status": project.status}
        if project.status_reason is not None:
            page["project-status"]["reason"] = project.status_reason
    return page


def root_page(projects: Sequence[Project]) -> dict[str, Any]:
    """The list of projects as PEP 691 JSON has it."""
    serial = sum(project.serial for project in projects)
    names = [{"name": project.name} for project in projects]
    return {"meta": {"api-version": API_VERSION, "_last-serial": serial}, "projects": names}
