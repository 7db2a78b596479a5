"""Lists of GitHub's: whole by their own count, pages and links, or unknown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from release_state.demo.github import Job, routes
from release_state.demo.loopback import Reply, Request
from release_state.model.observation import Observation
from release_state.observe.github import lists as github_list
from release_state.observe.github.api import Fields, GitHubApi
from release_state.observe.github.github import GitHub
from release_state.observe.github.lists import GitHubList
from release_state.observe.github.run_log import RunLogs
from release_state.observe.github.settings import GitHubSettings
from release_state.observe.http.client import HttpClient, observe
from tests.observe.conftest import NOW
from tests.observe.test_github import BRANCH, LOOKS, WRITE, github, head, problem, server
from tests.standins.github import GitHubServer
from tests.support import openapi
from tests.support import states as s

__all__ = ["server"]
PLACE = "/repos/example-org/orbit"
RUNS = f"{PLACE}/actions/runs"


def listed(server: GitHubServer, path: str, key: str | None = None, **options: Any) -> Observation[list[Fields]]:
    client = HttpClient(5, token=WRITE, token_host=server.url)
    return observe(lambda: GitHubList(GitHubApi(client, server.url), path, "things", key=key, **options).read())


def relayed(
    server: GitHubServer,
    change: Callable[[Request, Any], Any],
    *,
    links: bool = True,
    token: str = WRITE,
    before: Callable[[Request], object] = lambda _: None,
) -> None:
    """What the server says goes through a change, with or without its links."""

    def intercept(request: Request) -> Reply | None:
        before(request)
        with server.lock:
            reply = server._answer(replace(request, authorization=f"Bearer {token}"))
        if reply.status == 200:
            reply.body = json.dumps(change(request, json.loads(reply.body))).encode()
            reply.headers.pop("ETag", None)
        if not links:
            reply.headers.pop("Link", None)
        return reply

    server.intercept = intercept


def pages(server: GitHubServer) -> list[str]:
    """The numbers of the pages that were asked for."""
    return [request.query.get("page", "1") for request in server.requests]


def same(_: Request, data: Any) -> Any:
    return data


# ── Pages


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize(("count", "asked"), [(1, ["1"]), (2, ["1", "2"]), (3, ["1", "2", "1"])])
def test_a_full_page_without_a_link_is_followed_by_asking_for_the_next(
    server: GitHubServer, monkeypatch: pytest.MonkeyPatch, at_once: bool, count: int, asked: list[str]
) -> None:
    monkeypatch.setattr(github_list, "PAGE_SIZE", 2)
    for number in range(count):
        server.add_pull(BRANCH, title=str(number))
    relayed(server, same, links=False)
    assert len(listed(server, f"{PLACE}/pulls", at_once=at_once).present()) == count
    assert pages(server)[: len(asked)] == asked


def test_a_red_check_behind_a_link_that_is_gone_is_seen(server: GitHubServer) -> None:
    sha = head(server)
    server.add_check_run(sha, "red", conclusion="failure")
    for number in range(100):
        server.add_check_run(sha, f"check {number}")
    relayed(server, same, links=False)
    results = LOOKS["checks"](github(server)).present().results
    assert [result.name for result in results if result.state == "failure"] == ["red"]


def test_a_hundred_without_a_link_are_all_where_the_next_page_is_empty(server: GitHubServer) -> None:
    for number in range(100):
        server.add_status(head(server), str(number))
    path = f"{PLACE}/commits/{head(server)}/status"
    assert len(listed(server, path, "statuses").present()) == 100
    assert pages(server) == ["1", "2"]


def test_a_server_that_gives_the_same_page_again_is_not_believed(
    server: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github_list, "PAGE_SIZE", 2)
    for number in range(2):
        server.add_pull(BRANCH, title=str(number))
    relayed(server, same, before=lambda request: request.query.pop("page", None))
    assert "pagination repeats" in problem_of(listed(server, f"{PLACE}/pulls"))


def problem_of(observation: Observation[Any]) -> str:
    return problem(observation).why


# ── Counts


@pytest.mark.parametrize(("name", "fragment", "key"), [
    ("checks", "/check-runs", "check_runs"),
    ("checks", "/status", "statuses"),
    ("runs", "/runs", "workflow_runs"),
])  # fmt: skip
@pytest.mark.parametrize("more", [1, 500, -1])
def test_a_list_that_contradicts_its_count_is_not_believed(
    server: GitHubServer, name: str, fragment: str, key: str, more: int
) -> None:
    sha = head(server)
    server.add_check_run(sha, "test")
    server.add_status(sha, "docs")
    server.add_run(created_at=NOW)

    def count(request: Request, data: Any) -> Any:
        return {**data, "total_count": len(data[key]) + more} if request.path.endswith(fragment) else data

    relayed(server, count)
    why = problem_of(LOOKS[name](github(server)))
    assert ("lists only 1 of" if more > 0 else "and counts 0") in why


def test_a_count_that_changes_is_read_again(server: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_list, "PAGE_SIZE", 2)
    for _ in range(3):
        server.add_run(created_at=NOW)
    shown = set[str]()

    def start_one(request: Request) -> None:
        if request.query.get("page") == "2" and not shown:
            shown.add("2")
            server.add_run(created_at=NOW + timedelta(seconds=1))

    relayed(server, same, before=start_one)
    assert len(listed(server, RUNS, "workflow_runs").present()) == 4
    assert pages(server) == ["1", "2", "3", "1", "2", "3"]


def test_a_count_that_never_stands_still_is_unknown(server: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_list, "PAGE_SIZE", 2)
    for _ in range(3):
        server.add_run(created_at=NOW)

    def cancel_one(request: Request) -> None:
        if request.query.get("page") == "2":
            del server.workflow_runs[max(server.workflow_runs)]
            server.add_run(created_at=NOW)
            server.add_run(created_at=NOW)

    relayed(server, same, before=cancel_one)
    why = problem_of(listed(server, RUNS, "workflow_runs"))
    assert "changed while their pages were read: GitHub counted 4, and then 5" in why


def test_what_goes_and_comes_between_two_pages_does_not_make_up_the_count(
    server: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One item twice, and another one never, are as many as the count says."""
    monkeypatch.setattr(github_list, "PAGE_SIZE", 2)
    for _ in range(3):
        server.add_run(created_at=NOW)

    def again(request: Request, data: Any) -> Any:
        first = listed_runs[0] if request.query.get("page") == "2" else None
        listed_runs.extend(data["workflow_runs"])
        return {**data, "workflow_runs": [first]} if first else data

    listed_runs: list[Any] = []
    relayed(server, again)
    assert "only 2 of 3" in problem_of(listed(server, RUNS, "workflow_runs"))


# ── Lists without a count


def test_what_comes_while_pages_are_read_is_taken_along(server: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_list, "PAGE_SIZE", 2)
    for number in range(3):
        server.add_pull(BRANCH, title=str(number))

    def open_one(request: Request) -> None:
        if request.query.get("page") == "2":
            server.add_pull(BRANCH, title="new", created_at=NOW + timedelta(days=1))

    relayed(server, same, links=False, before=open_one)
    titles = [item.text("title") for item in listed(server, f"{PLACE}/pulls").present()]
    assert sorted(titles) == ["0", "1", "2", "new"]
    assert pages(server) == ["1", "2", "3", "1"], "the second one is full now, without a link to the third"


def test_releases_that_change_once_are_read_again(server: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_list, "PAGE_SIZE", 2)
    for number in range(3):
        server.add_release(f"v0.0.{number}")
    done = set[str]()

    def withdraw(request: Request) -> None:
        if request.query.get("page") == "2" and not done:
            done.add("once")
            del server.releases[max(server.releases)]

    relayed(server, same, before=withdraw)
    found = github(server).releases().present()
    assert len(found) == 2
    assert pages(server).count("2") == 2


# ── Where GitHub's search ends


@pytest.fixture
def short_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub's search ends at four runs, and a page has two."""
    assert github_list.MOST_FOUND == routes.SEARCH_ENDS_AT == 1000
    monkeypatch.setattr(github_list, "MOST_FOUND", 4)
    monkeypatch.setattr(routes, "SEARCH_ENDS_AT", 4)
    monkeypatch.setattr(github_list, "PAGE_SIZE", 2)


@pytest.mark.parametrize("filtered", ["head_sha", "branch", "event"])
def test_a_thousand_runs_of_a_search_are_never_all(server: GitHubServer, short_search: None, filtered: str) -> None:
    for _ in range(5):
        server.add_run(event="push", created_at=NOW)
    params = {filtered: {"head_sha": head(server), "branch": "main", "event": "push"}[filtered]}
    assert "ends a search" in problem_of(listed(server, RUNS, "workflow_runs", params=params))
    assert "ends a search" in problem_of(listed(server, f"{RUNS}?{filtered}={params[filtered]}", "workflow_runs")), (
        "in the path, too"
    )
    assert len(listed(server, RUNS, "workflow_runs").present()) == 5, "without a filter there is no such end"


def test_a_search_that_counts_no_more_than_it_gives_is_cut_all_the_same(
    server: GitHubServer, short_search: None
) -> None:
    for _ in range(5):
        server.add_run(event="push", created_at=NOW)
    relayed(server, lambda _, data: {**data, "total_count": min(4, data["total_count"])})
    params = {"head_sha": head(server)}
    assert "ends a search" in problem_of(listed(server, RUNS, "workflow_runs", params=params))


# ── A window


def old(first: datetime) -> github_list.Enough:
    return lambda page, date: bool(page) and page[-1].moment("created_at") < first


def test_a_window_ends_the_reading(server: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_list, "PAGE_SIZE", 2)
    for days in range(6):
        server.add_run(created_at=NOW - timedelta(days=days))
    enough = old(NOW - timedelta(days=2, hours=1))
    found = listed(server, RUNS, "workflow_runs", enough=enough, newest_first="created_at").present()
    assert len(found) == 4
    assert pages(server) == ["1", "2"]


def test_a_window_of_what_is_not_sorted_is_read_to_the_end(
    server: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old run before a new one: what is new can be on any page."""
    monkeypatch.setattr(github_list, "PAGE_SIZE", 2)
    for days in range(6):
        server.add_run(created_at=NOW - timedelta(days=days))

    def turned(_: Request, data: Any) -> Any:
        return {**data, "workflow_runs": data["workflow_runs"][::-1]}

    relayed(server, turned)
    enough = old(NOW + timedelta(days=1))
    found = listed(server, RUNS, "workflow_runs", enough=enough, newest_first="created_at").present()
    assert len(found) == 6


def test_seconds_out_of_order_are_no_disorder(server: GitHubServer) -> None:
    server.add_run(created_at=NOW - timedelta(days=80))
    server.add_run(created_at=NOW - timedelta(days=80, seconds=-2))

    def turned(_: Request, data: Any) -> Any:
        return {**data, "workflow_runs": data["workflow_runs"][::-1], "total_count": 7000}

    relayed(server, turned)
    enough = old(NOW - timedelta(days=70))
    assert len(listed(server, RUNS, "workflow_runs", enough=enough, newest_first="created_at").present()) == 2


# ── No look-up goes round it


def test_whatever_github_pages_is_read_by_pages(server: GitHubServer) -> None:
    """What GitHub's own document gives a `per_page` is a list, and the reader of lists alone asks with one."""
    document = openapi.validator()
    server.tokens["adm"] = "admin"
    server.rulesets.append({"target": "branch", "rules": [{"type": "creation"}], "conditions": None})
    server.add_run(conclusion="failure", head_branch=BRANCH, jobs=[Job("publish")], created_at=NOW)
    client = HttpClient(5, token="adm", token_host=server.url)
    one = GitHub(client, server.url, "example-org/orbit", now=NOW)
    for look in (*LOOKS.values(), GitHub.releases, GitHub.drafts):
        assert look(one).is_known
    assert one.pulls_of_all([BRANCH])[BRANCH].is_known
    assert GitHubSettings(one).rulesets().is_known and GitHubSettings(one).base_rules("main").is_known
    runs = one.runs("release.yml").present()
    RunLogs(client, server.url).last_run("example-org/orbit", s.target(), runs, "in doubt")

    def is_list(path: str) -> bool:
        template = document.template("GET", path)
        parameters = document.document["paths"][template]["get"].get("parameters", ()) if template else ()
        return any("per-page" in str(parameter.get("$ref", parameter.get("name"))) for parameter in parameters)

    lists = [request for request in server.requests if is_list(request.path)]
    kinds = {request.path.rpartition("/")[2] for request in lists}
    assert kinds >= {"pulls", "releases", "check-runs", "status", "runs", "jobs", "rulesets", "main"}
    assert [request.path for request in lists if "per_page" not in request.query] == []
