"""Status pages: what is read of them, where it is shown, and that nothing of it ever decides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest

from release_state.facts.health import describe_trouble, explain_by_status
from release_state.facts.release import Release
from release_state.model.observation import Observation, Problem, known
from release_state.model.outcome import Exit, Verdict
from release_state.model.snapshot import RateLimit, ServiceStatus
from release_state.observe.collect import collect
from release_state.observe.git.reader import find_repository
from release_state.observe.http.client import HttpClient
from release_state.observe.status_page import observe_status_page
from release_state.plan.recovery import Recovery
from release_state.settings.config import Arguments, load
from tests.checks.cases.services import INCIDENT, status
from tests.standins.services import Reply, StatusPages
from tests.support import states as s
from tests.support.judged import CHECKS, ended, verdict_of
from tests.support.worlds import run, world_of


@pytest.fixture(scope="module")
def server() -> Iterator[StatusPages]:
    with StatusPages() as running:
        yield running


@pytest.fixture
def pages(server: StatusPages) -> Iterator[StatusPages]:
    """The shared server, on which all is well."""
    yield server
    server.levels.clear()
    for incidents in server.incidents.values():
        incidents.clear()
    server.intercept = None
    server.requests.clear()


def look(pages: StatusPages, service: str = "GitHub", page: str = "github") -> Observation[ServiceStatus]:
    return observe_status_page(HttpClient(5), service, pages.page_url(page))


def problem(observed: Observation[Any]) -> Problem:
    assert observed.unavailable is not None
    return observed.unavailable


def test_what_a_release_needs_is_read_in_one_request(pages: StatusPages) -> None:
    found = look(pages).present()
    assert found.is_well
    assert [c.name for c in found.components] == ["Git Operations", "API Requests", "Actions", "Pull Requests"]
    assert [request.path for request in pages.requests] == ["/github/api/v2/summary.json"]
    of_pypi = look(pages, "PyPI", "pypi").present()
    assert [c.name for c in of_pypi.components] == ["General", "Backends", "File hosting"]


def test_a_degraded_component_and_an_incident_are_told_with_their_page(pages: StatusPages) -> None:
    pages.degrade("github", "API Requests", "partial_outage")
    link = pages.report("github", "API answers slowly", "API Requests")
    found = look(pages).present()
    assert not found.is_well
    assert describe_trouble(found) == f"API Requests: partial outage; API answers slowly ({link})"


def test_trouble_of_what_no_release_needs_is_none(pages: StatusPages) -> None:
    pages.degrade("github", "Pages", "major_outage")
    pages.report("github", "Pages are down", "Pages")
    assert look(pages).present().is_well


def test_an_incident_that_names_no_component_counts(pages: StatusPages) -> None:
    pages.report("pypi", "Everything is slow")
    assert [i.title for i in look(pages, "PyPI", "pypi").present().incidents] == ["Everything is slow"]


def summary(**changes: Any) -> bytes:
    page = {"name": "GitHub", "url": "https://status.example"}
    components = [{"id": "1", "name": "Actions", "status": "operational"}]
    return json.dumps({"page": page, "components": components, "incidents": [], **changes}).encode()


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(404, body=b"no"), "answered 404"),
        (Reply(200, body=b"<html>", headers={"Content-Type": "text/html"}), "HTML"),
        (
            Reply(200, body=b"[]", headers={"Content-Type": "application/json"}),
            "unexpected shape of the answer: Expected `object`, got `array`",
        ),
        (Reply(200, body=summary(incidents=None), headers={"Content-Type": "application/json"}), "answer: incidents"),
        (
            Reply(200, body=summary(components=[{"name": "Pages"}]), headers={"Content-Type": "application/json"}),
            "names no",
        ),
        (Reply(200, body=summary(), headers={"Content-Type": "application/json"}, truncate=20), "connection"),
    ],
)
def test_what_is_no_summary_is_unknown(reply: Reply, said: str, pages: StatusPages) -> None:
    pages.intercept = lambda _: reply
    found = problem(look(pages))
    assert said in found.why
    assert found.source == "status page of GitHub"


def test_maintenance_under_way_counts_and_planned_does_not(pages: StatusPages) -> None:
    planned = [{"name": "now", "status": "in_progress"}, {"name": "later", "status": "scheduled"}]
    reply = Reply(200, body=summary(scheduled_maintenances=planned), headers={"Content-Type": "application/json"})
    pages.intercept = lambda _: reply
    assert [incident.title for incident in look(pages).present().incidents] == ["now"]


def test_a_link_that_is_no_address_is_not_taken(pages: StatusPages) -> None:
    incidents = [{"name": "x", "status": "identified", "shortlink": "javascript:alert(1)"}]
    reply = Reply(200, body=summary(incidents=incidents), headers={"Content-Type": "application/json"})
    pages.intercept = lambda _: reply
    found = look(pages).present()
    assert [incident.link for incident in found.incidents] == [None]
    assert describe_trouble(found) == "x (https://status.example)"


# ---- beside what could not be observed


@pytest.mark.parametrize(
    ("source", "service"),
    [
        ("GitHub", "GitHub"),
        ("GitHub log", "GitHub"),
        ("git remote", "GitHub"),  # the remote of these states is on GitHub
        ("git history", "GitHub"),
        ("index pypi", "PyPI"),
        ("index testpypi", None),  # another index than the one whose page was asked
        ("clone", None),
        ("status page of GitHub", None),
    ],
)
def test_trouble_is_shown_beside_what_it_may_explain(source: str, service: str | None) -> None:
    services = {"GitHub": status("major outage"), "PyPI": status("operational", INCIDENT)}
    said = explain_by_status(s.ready(services=services), Problem(source=source, why="answered 503"))
    assert said.partition("'s status page")[0] == (service or "")
    assert ("wait" in said) is (service is not None)


def test_nothing_is_said_where_all_is_well_or_nothing_is_known() -> None:
    failed = Problem(source="GitHub", why="answered 503")
    for services in ({}, {"GitHub": status()}, {"GitHub": s.failed("status page of GitHub")}):
        assert explain_by_status(s.ready(services=services), failed) == ""


def test_a_remote_elsewhere_is_not_explained_by_github() -> None:
    target = s.target(remote_url="git@git.example:octo/orbit.git")
    snapshot = s.ready(target=target, services={"GitHub": status("major outage")})
    assert explain_by_status(snapshot, Problem(source="git remote", why="timed out")) == ""
    at_github = s.target(remote_url="git@github.example:octo/orbit.git")
    snapshot = s.ready(target=at_github, services={"GitHub": status("major outage")})
    assert explain_by_status(snapshot, Problem(source="git remote", why="timed out"))


def test_the_plan_argues_for_waiting() -> None:
    snapshot = s.ready(
        remote=s.remote(s.branch()), index={"pypi": s.failed("index pypi")}, services={"PyPI": status("major outage")}
    )
    steps = Recovery(Release(snapshot)).plan.steps
    assert any("PyPI's status page reports trouble" in step.reason for step in steps)


@pytest.mark.parametrize("services", [{"GitHub": status("major outage"), "PyPI": status("major outage")}])
def test_a_service_that_is_down_never_blocks(services: dict[str, Any]) -> None:
    verdict = verdict_of(s.ready(services=services, rate_limit=s.failed()))
    assert (verdict.verdict, verdict.exit) == (Verdict.READY, Exit.OK)


def test_the_token_never_goes_to_a_status_page(pages: StatusPages, tmp_path: Path) -> None:
    """Not even to one on the very host and port of the API."""
    arguments = Arguments(
        versions=("0.2.0",),
        settings={
            "package": "orbit",
            "repository": "octo/orbit",
            "github-status-url": pages.page_url("github"),
            "index-status-url": "",
        },
        github_api_url=pages.url,
    )
    config = load(arguments, {}, tmp_path, find_repository)
    (snapshot,) = collect(
        config,
        frozenset({"services"}),
        fixed_phase=None,
        token="secret",
        token_source="GITHUB_TOKEN",
        own_run_id=None,
        environ={},
    )
    assert list(snapshot.services) == ["GitHub"]
    assert snapshot.services["GitHub"].present().is_well
    assert [request.path for request in pages.requests] == ["/github/api/v2/summary.json"]
    assert not pages.requests[0].authorization


def test_an_unknown_shows_what_the_status_page_says(tmp_path: Path) -> None:
    with world_of("clean") as world:
        world.index.intercept = lambda _: Reply(503, body=b"")
        link = world.status.report("pypi", "Uploads fail", "Backends")
        ran = run(world, "--no-install", reports=tmp_path)
    assert (ran.code, ran.verdict) == (6, "COULD NOT VERIFY"), ran.output
    said = f"PyPI's status page reports trouble: wait, then run this again: Uploads fail ({link})"
    *_, beside = [line for line in ran.output.splitlines() if said in line and "fix" in line]
    assert ran.output.index("unknown: ") < ran.output.index(beside) < ran.output.index("Plan:")
    assert ran.only["SERVICE-2"] == "action needed"


def test_the_reset_is_told_in_local_time_and_minutes() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    resets_at = (s.NOW + timedelta(minutes=20, seconds=1)).astimezone(zone)
    found = RateLimit(limit=60, remaining=3, resets_at=resets_at, spent=12)
    recorded = msgspec.json.decode(
        msgspec.json.encode(found).decode(), type=RateLimit
    )  # a recorded snapshot keeps the local time
    _, statement = ended(CHECKS["SERVICE-3"], Recovery(Release(s.ready(rate_limit=known(recorded)))))
    assert "3 of 60 are left until 08:54 local time (in 21 minutes)" in str(statement)


def test_the_local_time_is_that_of_this_machine() -> None:
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc).astimezone()
    assert RateLimit(limit=1, remaining=1, resets_at=moment).resets_at.utcoffset() == moment.utcoffset()
