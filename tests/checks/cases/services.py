"""States of the services that a release needs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from release_state.model.observation import Observation, known
from release_state.model.outcome import Outcome
from release_state.model.snapshot import Component, Incident, RateLimit, ServiceStatus, Snapshot
from tests.support import states as s


def status(level: str = "operational", *incidents: Incident) -> Observation[ServiceStatus]:
    """A status page with one component of this level."""
    components = (Component(name="API Requests", level=level),)
    return known(ServiceStatus(name="GitHub", url="https://status.example", components=components, incidents=incidents))


def limit(remaining: int, spent: int = 12) -> Observation[RateLimit]:
    """A rate limit of 60 that resets twenty minutes after the observation."""
    return known(RateLimit(limit=60, remaining=remaining, resets_at=s.NOW + timedelta(minutes=20), spent=spent))


INCIDENT = Incident(title="Uploads fail", link="https://status.example/incidents/1")


def _services(name: str, observed: Observation[Any]) -> Snapshot:
    return s.ready(services={name: observed})


CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    *(
        case
        for check, name in (("SERVICE-1", "GitHub"), ("SERVICE-2", "PyPI"))
        for case in (
            (check, "well", _services(name, status()), Outcome.HOLDS),
            (check, "degraded", _services(name, status("degraded performance")), Outcome.ACTION_NEEDED),
            (check, "incident alone", _services(name, status("operational", INCIDENT)), Outcome.ACTION_NEEDED),
            (check, "not asked", s.ready(), Outcome.NOT_APPLICABLE),
            (check, "page silent", _services(name, s.failed(f"status page of {name}")), Outcome.UNKNOWN),
        )
    ),
    ("SERVICE-3", "plenty", s.ready(rate_limit=limit(40)), Outcome.HOLDS),
    ("SERVICE-3", "just enough", s.ready(rate_limit=limit(12)), Outcome.HOLDS),
    ("SERVICE-3", "too little", s.ready(rate_limit=limit(11)), Outcome.ACTION_NEEDED),
    ("SERVICE-3", "no limit told", s.ready(rate_limit=known(None)), Outcome.NOT_APPLICABLE),
    ("SERVICE-3", "GitHub silent", s.ready(rate_limit=s.failed()), Outcome.UNKNOWN),
]
