"""The JSON Schemas of the reports, made from models: `release_state/report/schemas/` has them as files.

The report of single versions is written by its models. Those of an audit and of many projects are written without any,
and have theirs here.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from msgspec.json import schema_components

from release_state.audit.fleet.projects import Part
from release_state.model.observation import AwareDatetime, Model
from release_state.model.outcome import CheckResult, Outcome
from release_state.model.plan import Step
from release_state.report.document import RunReport


class TagReport(Model):
    """A tag, and the commit that it leads to."""

    name: str
    commit: str


class FindingReport(Model):
    """One disagreement of one version."""

    kind: str
    found: str


class WaivedReport(FindingReport):
    """A disagreement that a waiver covers, so that it decides nothing."""

    reason: str
    until: date
    """The last day of the waiver."""


class VersionReport(Model):
    """One version of a history."""

    version: str
    outcome: Outcome
    blocking: bool
    kinds: tuple[str, ...]
    """IDs of the kinds of disagreement that were found, without waived ones."""
    findings: tuple[FindingReport, ...]
    """As a waiver names them."""
    waived: tuple[WaivedReport, ...]
    found: str
    files: tuple[str, ...]
    """Names of what the index offers."""
    yanked: int
    """How many files are yanked."""
    uploaded_at: AwareDatetime | None
    tags: tuple[TagReport, ...]
    releases: tuple[str, ...]
    """Addresses of its GitHub Releases."""


class KindReport(Model):
    """One kind of disagreement, with the versions that have it and what to do."""

    id: str
    title: str
    why: str
    level: Literal["blocking", "advice"]
    check: str
    versions: tuple[str, ...]
    plan: Step


class ChannelReport(Model):
    """The audit of one channel's history."""

    key: str
    """`package@channel`."""
    selection: str
    """`all` or a PEP 440 specifier."""
    verdict: str
    exit_code: int
    observed_at: AwareDatetime
    checks_run: int
    checks_of_audit: int
    target: dict[str, Any]
    """As in a snapshot, but for the version."""
    versions: dict[str, int]
    """How many ended how, by outcome."""
    habits: tuple[str, ...]
    notes: tuple[str, ...]
    defects: tuple[str, ...]
    """Look-ups with a bug of the suite: whatever depends on them is unknown."""
    kinds: tuple[KindReport, ...]
    checks: tuple[CheckResult, ...]
    """Those about the project as a whole."""
    history: tuple[VersionReport, ...]
    """Oldest first."""


class AuditReport(Model):
    """The document of an audit."""

    release_state_audit: Annotated[int, Meta(description="format of this document")]
    release_state: Annotated[str, Meta(description="version of the suite")]
    started_at: AwareDatetime
    exit_code: int
    verdict: str
    """That of the channel that decides."""
    html: str | None
    audits: tuple[ChannelReport, ...]


class ProjectReport(Model):
    """One project of a list: its `ProjectRow` with verdict and exit code."""

    verdict: str
    exit_code: int
    project: str
    repository: str
    parts: tuple[Part, ...]
    seconds: float
    observed_by: int
    report: str | None
    defect: str | None


class FleetReport(Model):
    """The document of a run over many projects."""

    release_state_fleet: Annotated[int, Meta(description="format of this document")]
    release_state: Annotated[str, Meta(description="version of the suite")]
    started_at: AwareDatetime
    exit_code: int
    verdict: str
    projects_listed: int
    reports: str
    """Folder of the projects' own reports, beside this document."""
    projects: tuple[ProjectReport, ...]


def _schema_of(model: type[Model], title: str) -> dict[str, Any]:
    """The JSON Schema of a document (draft 2020-12), in which every key is required."""
    _, parts = schema_components([model], ref_template="#/$defs/{name}")
    for part in parts.values():
        if "properties" in part:
            part["required"] = list(part["properties"])  # keys with a default are written too
    document = parts.pop(model.__name__)
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **document, "title": title, "$defs": parts}
    return msgspec.json.decode(msgspec.json.encode(whole), type=dict[str, Any])


def run_schema() -> dict[str, Any]:
    """The schema of a run over single versions."""
    return _schema_of(RunReport, "release-state report")


def audit_schema() -> dict[str, Any]:
    """The schema of an audit."""
    return _schema_of(AuditReport, "release-state audit report")


def fleet_schema() -> dict[str, Any]:
    """The schema of a run over many projects."""
    return _schema_of(FleetReport, "release-state report over many projects")
