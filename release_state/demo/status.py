"""Status pages on loopback, of the shape that Statuspage gives them: one for GitHub, one for PyPI."""

from __future__ import annotations

import json
from typing import Any

from release_state.demo.loopback import Reply, Request, Service

_PAGES = {
    "github": ("GitHub", ("Git Operations", "API Requests", "Actions", "Pull Requests", "Pages")),
    "pypi": ("Python Infrastructure", ("General", "Backends", "File hosting")),
}
"""What each page calls itself, and its components; those of `pypi` are in a group called PyPI."""


class StatusPages(Service):
    """
    Two status pages, `http://127.0.0.1:PORT/{github,pypi}`, on which all is well until a test says otherwise.

    A `Service`; may be changed while it serves. Source: https://www.githubstatus.com/api
    """

    def __init__(self) -> None:
        super().__init__()
        self.levels: dict[tuple[str, str], str] = {}
        """By page and component: `degraded_performance`, `partial_outage`, `major_outage`, `under_maintenance`."""
        self.incidents: dict[str, list[dict[str, Any]]] = {page: [] for page in _PAGES}

    def page_url(self, page: str) -> str:
        """The root of a page."""
        return f"{self.url}/{page}"

    def degrade(self, page: str, component: str, level: str) -> None:
        """Set the level of a component."""
        with self.lock:
            self.levels[page, component] = level

    def report(self, page: str, title: str, *components: str) -> str:
        """Open an incident about components; returns its link."""
        with self.lock:
            link = f"{self.page_url(page)}/incidents/{len(self.incidents[page]) + 1}"
            affected = [component for component in self._components(page) if component["name"] in components]
            self.incidents[page].append(
                {
                    "id": f"incident-{len(self.incidents[page]) + 1}",
                    "name": title,
                    "status": "investigating",
                    "impact": "minor",
                    "shortlink": link,
                    "components": affected,
                }
            )
            return link

    def answer(self, request: Request) -> Reply:
        """The summary of a page."""
        page, _, path = request.path.lstrip("/").partition("/")
        if page not in _PAGES or path != "api/v2/summary.json":
            return Reply(404, b"Not Found", {"Content-Type": "text/plain"})
        with self.lock:
            components = self._components(page)
            troubled = any(component["status"] != "operational" for component in components)
            summary = {
                "page": {"id": page, "name": _PAGES[page][0], "url": self.page_url(page), "time_zone": "Etc/UTC"},
                "components": components,
                "incidents": self.incidents[page],
                "scheduled_maintenances": [],
                "status": {
                    "indicator": "minor" if troubled else "none",
                    "description": "Partially Degraded Service" if troubled else "All Systems Operational",
                },
            }
        return Reply(200, json.dumps(summary).encode(), {"Content-Type": "application/json; charset=utf-8"})

    def _components(self, page: str) -> list[dict[str, Any]]:
        names = _PAGES[page][1]
        group = "group" if page == "pypi" else None
        found = [
            {
                "id": f"component-{number}",
                "name": name,
                "status": self.levels.get((page, name), "operational"),
                "group_id": group,
                "group": False,
                "only_show_if_degraded": False,
            }
            for number, name in enumerate(names)
        ]
        if group is None:
            return found
        children = [component["id"] for component in found]
        head = {"id": group, "name": "PyPI", "status": "operational", "group_id": None, "group": True}
        return [{**head, "only_show_if_degraded": False, "components": children}, *found]
