"""The demo world's services with what tests need besides: records of the requests, faults on request, troubles."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from release_state.demo import loopback
from release_state.demo.loopback import Request


@dataclass
class Reply(loopback.Reply):
    """An answer that an `intercept` gives instead of the service's own."""

    delay: float = 0.0
    """Seconds to wait before the answer; ends early when the service stops."""
    truncate: int | None = None
    """Send only so many bytes of the body that `Content-Length` announces, then cut the line."""
    drop: bool = False
    """Cut the line without any answer."""


class ObservedService(loopback.Service):
    """A service that records its requests in `requests`; `intercept` sees each one first and may answer it."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.requests: list[Request] = []
        self.intercept: Callable[[Request], loopback.Reply | None] | None = None
        self.front: str | None = None
        """The root that clients know the service by, where something stands in front of it: a relay, a proxy."""
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        """The root of the service, or of what stands in front of it."""
        return self.front or super().url

    def start(self) -> None:
        """Begin to serve."""
        self.stopping.clear()
        super().start()

    def stop(self) -> None:
        """Stop serving; answers that wait are cut."""
        self.stopping.set()
        super().stop()

    def respond(self, request: Request) -> loopback.Reply:
        """The answer to a recorded request: the intercept's, played as it says, or the service's own."""
        with self.lock:
            self.requests.append(request)
        # Outside the lock: a test may let its answer wait.
        reply = self.intercept(request) if self.intercept else None
        if reply is None:
            return super().respond(request)
        if isinstance(reply, Reply):
            reply = self._play(reply)
        request.status = reply.status
        return reply

    def _play(self, reply: Reply) -> loopback.Reply:
        stopped = self.stopping.wait(reply.delay) if reply.delay else False
        if reply.drop or stopped:
            return loopback.Reply(0)
        if reply.truncate is None:
            return reply
        headers = {"Content-Length": str(len(reply.body)), **reply.headers}
        return loopback.Reply(reply.status, headers, reply.body[: reply.truncate])


class StatusPages(ObservedService, loopback.StatusPages):
    """Status pages on which all is well until a test says otherwise; may be changed while they serve."""

    def __init__(self) -> None:
        super().__init__()
        self.levels: dict[tuple[str, str], str] = {}
        """By page and component: `degraded_performance`, `partial_outage`, `major_outage`, `under_maintenance`."""
        self.incidents: dict[str, list[dict[str, Any]]] = {page: [] for page in loopback.STATUS_PAGES}

    def degrade(self, page: str, component: str, level: str) -> None:
        """Set the level of a component."""
        with self.lock:
            self.levels[page, component] = level

    def report(self, page: str, title: str, *components: str) -> str:
        """Open an incident about components; returns its link."""
        with self.lock:
            number = len(self.incidents[page]) + 1
            link = f"{self.page_url(page)}/incidents/{number}"
            affected = [component for component in self.components(page) if component["name"] in components]
            self.incidents[page].append(
                {
                    "id": f"incident-{number}",
                    "name": title,
                    "status": "investigating",
                    "impact": "minor",
                    "shortlink": link,
                    "components": affected,
                }
            )
            return link

    def summary(self, page: str) -> dict[str, Any]:
        """The summary with the incidents."""
        with self.lock:
            summary = super().summary(page) | {"incidents": self.incidents[page]}
            if any(component["status"] != "operational" for component in summary["components"]):
                summary["status"] = {"indicator": "minor", "description": "Partially Degraded Service"}
            return summary

    def components(self, page: str) -> list[dict[str, Any]]:
        """The components of a page at their levels."""
        found = super().components(page)
        return [{**each, "status": self.levels.get((page, each["name"]), each["status"])} for each in found]
