"""Read a service's status page for the parts that a release needs: one request, never with a token."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import BaseModel, ValidationError

from release_state.model.observation import Observation, known, unavailable
from release_state.model.snapshot import Component, Incident, ServiceStatus
from release_state.observe.http.client import HttpClient, LookupFailed

_BYTES = 4 * 2**20
_SHOWN = 10
_LENGTH = 200

NEEDED = {
    "GitHub": re.compile(r"git operations|api requests|actions|pull requests", re.IGNORECASE),
    "PyPI": re.compile(r".*pypi.*", re.IGNORECASE | re.DOTALL),
}
"""Names of the components that a release needs; for PyPI, of a component or its group."""


class _Component(BaseModel):
    id: str = ""
    name: str
    status: str = "unknown"
    group: bool = False
    group_id: str | None = None


class _Incident(BaseModel):
    name: str
    status: str = ""
    shortlink: str | None = None
    components: list[_Component] = []


class _Page(BaseModel):
    name: str
    url: str


class _Summary(BaseModel):
    page: _Page
    components: list[_Component]
    incidents: list[_Incident]
    scheduled_maintenances: list[_Incident] = []


def observe_status_page(client: HttpClient, service: str, root: str) -> Observation[ServiceStatus]:
    """Read the Statuspage at `root` (an URL); `service` is a key of NEEDED.

    `client` holds no token. Never raises: the status is unavailable if there is no such page, it does not answer, or it
    names no component that a release needs. Source: https://www.githubstatus.com/api
    """
    source = f"status page of {service}"
    try:
        data, _ = client.get_json(f"{root.rstrip('/')}/api/v2/summary.json", max_bytes=_BYTES, source=source)
        summary = _Summary.model_validate(data)
    except LookupFailed as failed:
        return Observation[ServiceStatus](value=None, unavailable=failed.problem)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "the whole"
        return unavailable(source, f"unexpected shape of the answer: {where}")
    needed = _select_needed(summary.components, NEEDED[service])
    if not needed:
        return unavailable(source, "it names no component that a release needs")
    names = {component.name for component in needed}
    under_way = [
        planned for planned in summary.scheduled_maintenances if planned.status in ("in_progress", "verifying")
    ]
    incidents = [incident for incident in (*summary.incidents, *under_way) if _concerns(incident, names)]
    return known(
        ServiceStatus(
            name=summary.page.name[:_LENGTH],
            url=_link(summary.page.url) or root,
            components=tuple(
                Component(name=component.name[:_LENGTH], level=component.status.replace("_", " ")[:_LENGTH])
                for component in needed
            ),
            incidents=tuple(
                Incident(title=incident.name[:_LENGTH], link=_link(incident.shortlink))
                for incident in incidents[:_SHOWN]
            ),
        )
    )


def _select_needed(components: Sequence[_Component], wanted: re.Pattern[str]) -> list[_Component]:
    """Return the components that a release needs; a group counts only if none of its components is listed."""
    groups = {component.id: component.name for component in components if component.group}
    parents = {component.group_id for component in components}
    return [
        component
        for component in components
        if not (component.group and component.id in parents)
        and (wanted.fullmatch(component.name) or wanted.fullmatch(groups.get(component.group_id or "", "")))
    ]


def _concerns(incident: _Incident, names: set[str]) -> bool:
    return incident.status not in ("resolved", "postmortem", "completed") and (
        not incident.components or any(component.name in names for component in incident.components)
    )


def _link(url: str | None) -> str | None:
    return url[:_LENGTH] if url and re.match(r"https?://[^\s]+$", url) else None
