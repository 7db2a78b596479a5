"""Whether the services that a release needs are up, as their status pages say."""

from __future__ import annotations

from release_state.model.observation import Model


class Component(Model):
    """A part of a service that a release needs, in the service's own words: "API Requests", "partial outage"."""

    name: str
    level: str

    @property
    def is_well(self) -> bool:
        """Whether the service calls it operational."""
        return self.level == "operational"


class Incident(Model):
    """An open incident or maintenance in progress, and its page (None if the service names none)."""

    title: str
    link: str | None = None


class ServiceStatus(Model):
    """A service's status page: the parts that a release needs."""

    name: str
    """The title of the page."""
    url: str
    """The page for people."""
    components: tuple[Component, ...] = ()
    incidents: tuple[Incident, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether nothing that a release needs is degraded, down or under maintenance."""
        return not self.incidents and all(component.is_well for component in self.components)
