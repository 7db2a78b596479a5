"""A known exception in a project's history, which an audit shows as waived."""

from __future__ import annotations

from datetime import date

from release_state.model.observation import Model


class Waiver(Model):
    """One finding that the project accepts, with the reason, until a day."""

    channel: str
    kind: str
    """ID of the kind of disagreement."""
    version: str
    """Normalized by PEP 440."""
    found: str
    """The finding's own words; another finding is not waived."""
    reason: str
    until: date
    """The last day (UTC) on which it counts."""
