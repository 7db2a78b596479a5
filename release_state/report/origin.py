"""Who asked, and where: what a report says of its own making."""

from __future__ import annotations

import platform
from collections.abc import Mapping

from release_state.model.observation import Model


class Origin(Model):
    """The machine that a run was started on, who started it, and the CI run that it was part of."""

    host: str
    user: str | None = None
    """The account on GitHub inside of GitHub Actions, else on the machine; None where neither is known."""
    run_url: str | None = None
    """The page of the workflow run that asked."""
    run_name: str | None = None
    """Its workflow and number: "Gate #12"."""


def origin_of(environ: Mapping[str, str]) -> Origin:
    """What the environment says of it; GitHub Actions names its run there."""
    server, repository, run = (environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    inside = bool(server.startswith(("https://", "http://")) and repository and run.isdigit())
    number = environ.get("GITHUB_RUN_NUMBER", "")
    return Origin(
        host=platform.node() or "unknown",
        user=environ.get("GITHUB_ACTOR") or environ.get("USER") or environ.get("LOGNAME") or None,
        run_url=f"{server}/{repository}/actions/runs/{run}" if inside else None,
        run_name=f"{environ.get('GITHUB_WORKFLOW', 'run')} #{number or run}" if inside else None,
    )
