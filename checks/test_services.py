"""The services that a release needs, in every phase. These checks never block; they may advise you to wait."""

from __future__ import annotations

import math
from datetime import datetime

import pytest

from release_state.common.text import format_count
from release_state.facts.health import describe_trouble
from release_state.facts.release import Release
from release_state.model.outcome import ActionNeeded, NotApplicable
from release_state.model.plan import step
from release_state.verdict.check import check

pytestmark = [pytest.mark.pre_release, pytest.mark.pre_publish, pytest.mark.post_recovery, pytest.mark.rollback]


def judge_service(release: Release, service: str, whose: str) -> None:
    """Judge a service by its status page."""
    observed = release.snapshot.services.get(service)
    if observed is None:
        raise NotApplicable(f"no status page is configured for {whose}")
    status = observed.present()
    if not status.is_well:
        links = [incident.link for incident in status.incidents if incident.link]
        raise ActionNeeded(
            found=describe_trouble(status),
            why="a release started now may stop half-way",
            steps=[step(f"Wait until {service} is operational, then release", link=(links or [status.url])[0])],
        )


@check("SERVICE-1", reads=["services"], advice=True)
def test_github_is_well(release: Release) -> None:
    """GitHub's status page reports no problem that affects a release.

    It covers Git operations, API requests, Actions and pull requests, and every incident about one of them. A problem
    is a reason to wait, and the likely cause of failed look-ups: the reports show it beside them. For a GitHub
    Enterprise Server, name its page with `--github-status-url`; no page is read otherwise.
    """
    judge_service(release, "GitHub", release.target.github_api)


@check("SERVICE-2", reads=["services"], advice=True)
def test_index_is_well(release: Release) -> None:
    """The index's status page reports no problem.

    For PyPI and TestPyPI that is Python's status page: the components of PyPI, and every incident about one of them.
    For another index, name its page with `--index-status-url`. That page needs a component or a group called PyPI, as
    Python's page has.
    """
    judge_service(release, "PyPI", f"the index of {release.channel.name}")


@check("SERVICE-3", reads=["repository"], advice=True)
def test_rate_limit_is_enough_for_another_run(release: Release) -> None:
    """GitHub's rate limit leaves enough requests for another run.

    Without a token, GitHub answers 60 requests an hour for each address, whoever asks. With a token, it answers
    thousands. The check compares what is left after this run with what this run needed.
    """
    limit = release.snapshot.rate_limit.known()
    if limit is None:
        raise NotApplicable("GitHub reports no rate limit")
    if limit.remaining < limit.spent:
        wait = format_wait(limit.resets_at, release.snapshot.observed_at)
        more = "" if release.snapshot.token_source else ", or set a token, which has a far higher limit"
        raise ActionNeeded(
            expected=f"{limit.spent} requests, as this run needed",
            found=f"{limit.remaining} of {limit.limit} are left until {limit.resets_at:%H:%M} local time ({wait})",
            why="GitHub would refuse the next run's requests, and facts would stay unknown",
            steps=[step(f"Wait until {limit.resets_at:%H:%M} local time ({wait}){more}")],
        )


def format_wait(moment: datetime, now: datetime) -> str:
    """The wait in words, counted from when the facts were observed: `in 12 minutes`."""
    minutes = max(0, math.ceil((moment - now).total_seconds() / 60))
    return f"in {format_count(minutes, 'minute')}"
