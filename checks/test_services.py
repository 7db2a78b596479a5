"""The services that a release hangs on, in every phase: nothing here ever blocks, it argues for waiting."""

from __future__ import annotations

import math
from datetime import datetime

import pytest

from release_state.facts.release import Release
from release_state.facts.services import trouble
from release_state.model.outcome import ActionNeeded, NotApplicable
from release_state.model.plan import step
from release_state.verdict.check import check

pytestmark = [pytest.mark.pre_release, pytest.mark.post_recovery, pytest.mark.rollback]


def is_well(release: Release, service: str, whose: str) -> None:
    """Judge a service by its status page."""
    asked = release.snapshot.services.get(service)
    if asked is None:
        raise NotApplicable(f"no status page is asked for {whose}")
    status = asked.present()
    if not status.is_well:
        links = [incident.link for incident in status.incidents if incident.link]
        raise ActionNeeded(
            expected=f"every part that a release needs operational, on {status.url}",
            found=trouble(status),
            why="a release started now may stop half-way",
            steps=[step(f"Wait until {service} is well again, and release then", link=(links or [status.url])[0])],
        )


@check("SERVICE-1", reads=["services"], advice=True)
def test_github_is_well(release: Release) -> None:
    """GitHub's status page reports no trouble with what a release needs.

    Git operations, API requests, Actions and pull requests, and every incident about one of them. Trouble there is a
    reason to wait, and the likely cause of what could not be observed; what the page says is shown beside that. A
    GitHub Enterprise Server is asked for only where `--github-status-url` names its page.
    """
    is_well(release, "GitHub", release.target.github_api)


@check("SERVICE-2", reads=["services"], advice=True)
def test_index_is_well(release: Release) -> None:
    """The index's status page reports no trouble.

    Python's status page, for PyPI and TestPyPI: the components of PyPI, and every incident about one of them. For
    another index, only where `--index-status-url` names its page; that page then has a component or a group called
    PyPI, as Python's has.
    """
    is_well(release, "PyPI", f"the index of {release.channel.name}")


@check("SERVICE-3", reads=["repository"], advice=True)
def test_rate_limit_is_enough_for_another_run(release: Release) -> None:
    """What GitHub's rate limit leaves is enough for another run like this one.

    Without a token GitHub answers 60 requests an hour to one address, whoever asks; with one it answers thousands. What
    is left once this run has ended is compared with what this run needed.
    """
    limit = release.snapshot.rate_limit.known()
    if limit is None:
        raise NotApplicable("GitHub tells no rate limit")
    if limit.remaining < limit.spent:
        wait = minutes_until(limit.resets_at, release.snapshot.observed_at)
        more = "" if release.snapshot.token_source else ", or give a token: its limit is far higher"
        raise ActionNeeded(
            expected=f"{limit.spent} requests, as this run needed",
            found=f"{limit.remaining} of {limit.limit} are left until {limit.resets_at:%H:%M} local time ({wait})",
            why="the next run would be refused, and leave facts unknown",
            steps=[step(f"Wait until {limit.resets_at:%H:%M} local time ({wait}){more}")],
        )


def minutes_until(moment: datetime, now: datetime) -> str:
    """`in 12 minutes`, counted from when the facts were observed."""
    minutes = max(0, math.ceil((moment - now).total_seconds() / 60))
    return f"in {minutes} minute{'' if minutes == 1 else 's'}"
