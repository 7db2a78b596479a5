"""The shape of an audit's JSON report, for its readers.

The document is written without these models, which are slow over thousands of versions; tests compare the two.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

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


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return schema_of(AuditReport, "release-state audit report")
