"""The shape of the JSON reports of an audit and of a run over many projects, for who reads them.

The documents are written without these models, which would take a while over thousands of versions; tests hold each
against the other.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from release_state.fleet.projects import Part
from release_state.model.observation import Model
from release_state.model.outcome import CheckResult, Outcome
from release_state.model.plan import Step
from release_state.report.document import schema_of


class TagReport(Model):
    """A tag, and the commit that it leads to."""

    name: str
    commit: str


class VersionReport(Model):
    """One version of a history."""

    version: str
    outcome: Outcome
    blocking: bool
    kinds: tuple[str, ...]
    """IDs of the kinds of disagreement that were found."""
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
    """Look-ups of the run that broke, which is a bug of the suite: what hangs on them is unknown."""
    kinds: tuple[KindReport, ...]
    checks: tuple[CheckResult, ...]
    """Those about the project as a whole."""
    history: tuple[VersionReport, ...]
    """Oldest first."""


class AuditReport(Model):
    """The document of an audit."""

    release_state_audit: int = Field(description="format of this document")
    release_state: str = Field(description="version of the suite")
    started_at: AwareDatetime
    exit_code: int
    verdict: str
    """That of the channel that decides."""
    html: str | None
    audits: tuple[ChannelReport, ...]


class ProjectReport(Model):
    """One project of a list: its `Row`, and what that comes to."""

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

    release_state_fleet: int = Field(description="format of this document")
    release_state: str = Field(description="version of the suite")
    started_at: AwareDatetime
    exit_code: int
    verdict: str
    projects_listed: int
    reports: str
    """Folder of the projects' own reports, beside this document."""
    projects: tuple[ProjectReport, ...]


def schemas() -> dict[str, dict[str, Any]]:
    """Both, by the name of their file."""
    return {
        "audit": schema_of(AuditReport, "release-state audit report"),
        "fleet": schema_of(FleetReport, "release-state report over many projects"),
    }
