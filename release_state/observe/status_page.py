"""Read a service's status page for the parts that a release needs: one request, never with a token."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import ValidationError, convert

from release_state.common.strict import describe_invalid
from release_state.model.observation import Model, Observation, known, unavailable
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


class _Part(Model, forbid_unknown_fields=False):
    """What is read of an object of the page."""


class _Component(_Part):
    id: str = ""
    name: str
    status: str = "unknown"
    group: bool = False
    group_id: str | None = None


class _Incident(_Part):
    name: str
    status: str = ""
    shortlink: str | None = None
    components: tuple[_Component, ...] = ()


class _Page(_Part):
    name: str
    url: str


class _Summary(_Part):
    page: _Page
    components: tuple[_Component, ...]
    incidents: tuple[_Incident, ...]
    scheduled_maintenances: tuple[_Incident, ...] = ()


def observe_status_page(client: HttpClient, service: str, root: str) -> Observation[ServiceStatus]:
    """Read the Statuspage at `root` (an URL); `service` is a key of NEEDED.

    `client` holds no token. Never raises: the status is unavailable if there is no such page, it does not answer, or it
    names no component that a release needs. Source: https://www.githubstatus.com/api
    """
    source = f"status page of {service}"
    try:
        data, _ = client.get_json(f"{root.rstrip('/')}/api/v2/summary.json", max_bytes=_BYTES, source=source)
        summary = convert(data, _Summary)
    except LookupFailed as failed:
        return Observation(value=None, unavailable=failed.problem)
    except ValidationError as error:
        return unavailable(source, f"unexpected shape of the answer: {describe_invalid(error)}")
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
