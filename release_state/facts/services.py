"""What the services' status pages say about a failed look-up (pure)."""

from __future__ import annotations

from urllib.parse import urlsplit

from release_state.common.text import join_items
from release_state.model.observation import Problem
from release_state.model.snapshot import ServiceStatus, Snapshot
from release_state.model.target import Target

_GIT = ("git remote", "git history", "published commit")


def describe_trouble(status: ServiceStatus) -> str:
    """The degraded components and the incidents with their pages; empty if all is well."""
    levels = [f"{component.name}: {component.level}" for component in status.components if not component.is_well]
    incidents = [f"{incident.title} ({incident.link or status.url})" for incident in status.incidents]
    return join_items([*levels, *incidents], most=6)


def explain_by_status(snapshot: Snapshot, problem: Problem) -> str:
    """What the status page of the failed service reports, as a reason to wait; empty if nothing."""
    name = _service_of(problem, snapshot.target)
    status = snapshot.services[name].value if name in snapshot.services else None
    if status is None or status.is_well:
        return ""
    return f"{name}'s status page reports trouble: wait, then run this again: {describe_trouble(status)}"


def _service_of(problem: Problem, target: Target) -> str:
    """The service that a problem's source belongs to; empty for this machine and other services."""
    if problem.source.startswith("GitHub"):
        return "GitHub"
    if problem.source.startswith("index "):
        # What is known of PyPI says nothing about an index of one's own.
        channel = target.find_channel(problem.source.removeprefix("index "))
        asked = channel is not None and (channel.is_public_index or channel.name == target.channel.name)
        return "PyPI" if asked else ""
    host = urlsplit(target.remote_url).hostname or target.remote_url.rpartition("@")[2].partition(":")[0]
    on_github = host == urlsplit(target.github_web).hostname
    return "GitHub" if on_github and problem.source in _GIT else ""
