"""What GitHub answers is held against what was asked: what is of something else is no answer, and no absence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from release_state.demo.github import Job
from release_state.model.observation import Observation
from release_state.observe.github.github import GitHub
from release_state.observe.github.run_log import RunLogs
from release_state.observe.github.settings import GitHubSettings
from release_state.observe.http.client import HttpClient
from tests.observe.conftest import NOW
from tests.observe.test_github import BRANCH, LOOKS, WRITE, github, head, problem, server
from tests.observe.test_github_lists import relayed
from tests.standins.github import GitHubServer
from tests.support import states as s

__all__ = ["server"]
Change = Callable[[Any], None]
ADMIN = "adm"
OTHER = {"full_name": "eve/orbit"}


def _first(change: Change, key: str | None = None) -> Change:
    return lambda data: change(data[key][0] if key else data[0])


def _set(**values: Any) -> Change:
    return lambda item: item.update(values)


def _other_address(item: Any) -> None:
    item["url"] = item["url"].replace("example-org/orbit", "eve/orbit")


ANOTHER: list[tuple[str, str, str, Change, str]] = [
    ("a repository", "repository", "/orbit", _set(**OTHER), "GitHub answered for eve/orbit"),
    ("into another one", "pulls", "/pulls", _first(lambda pull: pull["base"]["repo"].update(OTHER)), "for eve"),
    ("open, into another", "open_pulls", "/pulls", _first(lambda pull: pull["base"]["repo"].update(OTHER)), "for eve"),
    ("of another tag", "release", "/v0.2.0", _set(tag_name="v0.1.0"), "that of v0.1.0"),
    ("a draft of the tag", "release", "/v0.2.0", _set(draft=True, published_at=None), "gave a draft"),
    ("a release elsewhere", "release", "/v0.2.0", _other_address, "for /repos/eve/orbit/releases/"),
    ("a draft is latest", "latest", "/latest", _set(draft=True, published_at=None), "gave a draft"),
    ("a pre-release is latest", "latest", "/latest", _set(prerelease=True), "gave a pre-release"),
    ("the latest elsewhere", "latest", "/latest", _other_address, "for /repos/eve/orbit/releases/"),
    ("drafts elsewhere", "drafts", "/releases", _first(_other_address), "for /repos/eve/orbit/releases/"),
    ("a run elsewhere", "runs", "/runs", _first(_set(repository=OTHER), "workflow_runs"), "answered for eve/orbit"),
    (
        "a run of another workflow", "runs", "/runs",
        _first(_set(path=".github/workflows/ci.yml"), "workflow_runs"), "gave one of ci.yml",
    ),
    ("a check run elsewhere", "checks", "/check-runs", _first(_set(head_sha="f" * 40), "check_runs"), "another commit"),
    ("statuses of another commit", "checks", "/status", _set(sha="f" * 40), "another commit"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("look", "fragment", "change", "words"), [case[1:] for case in ANOTHER], ids=[case[0] for case in ANOTHER]
)
def test_the_answer_to_another_question_is_no_answer(
    server: GitHubServer, look: str, fragment: str, change: Change, words: str
) -> None:
    sha = head(server)
    server.git.set_ref("refs/tags/v0.2.0", sha)
    server.add_release("v0.2.0")
    server.add_pull(BRANCH, title="Mine")
    server.add_run(created_at=NOW)
    server.add_check_run(sha, "test")
    server.add_status(sha, "docs")
    assert LOOKS[look](github(server)).is_known

    def other(request: Any, data: Any) -> Any:
        if request.path.endswith(fragment):
            change(data)
        return data

    relayed(server, other)
    assert words in problem(LOOKS[look](github(server))).why


def test_upper_and_lower_case_are_one_name(server: GitHubServer) -> None:
    server.add_pull(BRANCH, title="Mine")
    server.add_run(created_at=NOW)
    one = github(server, repository="Example-Org/Orbit")
    assert one.repository().present().full_name == "example-org/orbit"
    assert len(one.pulls(BRANCH).present()) == 1
    assert len(one.runs("release.yml").present().runs) == 1


@pytest.mark.parametrize("look", LOOKS)
def test_what_was_renamed_is_no_other_repository(server: GitHubServer, look: str) -> None:
    server.renamed_from.add("old-org/orbit")
    server.add_release("v0.1.0", draft=True)
    server.add_pull(BRANCH, title="Mine")
    server.add_run(created_at=NOW)
    assert LOOKS[look](github(server, repository="old-org/orbit")).is_known


def test_a_closed_pull_request_among_the_open_ones_is_left_aside(server: GitHubServer) -> None:
    """Where GitHub ignores the filter."""
    server.add_pull(BRANCH, title="Open")
    server.add_pull(BRANCH, title="Closed", state="closed")
    relayed(server, lambda _, data: data, before=lambda request: request.query.update(state="all"))
    assert [pull.title for pull in LOOKS["open_pulls"](github(server)).present()] == ["Open"]


def test_the_jobs_of_another_run_say_nothing_of_this_one(server: GitHubServer) -> None:
    server.add_run(conclusion="failure", head_branch=BRANCH, jobs=[Job("publish")], created_at=NOW)
    runs = github(server).runs("release.yml").present()

    def look() -> Observation[Any]:
        client = HttpClient(5, token=WRITE, token_host=server.url)
        return RunLogs(client, server.url).last_run("example-org/orbit", s.target(), runs, "in doubt")

    assert look().present().job == "publish"

    def other(request: Any, data: Any) -> Any:
        for job in data["jobs"] if request.path.endswith("/jobs") else ():
            job["run_id"] = 7
        return data

    relayed(server, other)
    assert "GitHub gave one of run 7" in problem(look()).why


# ── Settings


def settings(server: GitHubServer) -> GitHubSettings:
    server.tokens[ADMIN] = "admin"
    client = HttpClient(5, token=ADMIN, token_host=server.url)
    return GitHubSettings(GitHub(client, server.url, "example-org/orbit"))


def test_another_ruleset_is_no_answer(server: GitHubServer) -> None:
    server.rulesets.append({"target": "tag", "rules": [{"type": "creation"}], "conditions": None})
    assert settings(server).rulesets().is_known

    def other(request: Any, data: Any) -> Any:
        return {**data, "id": 999} if "/rulesets/" in request.path else data

    relayed(server, other, token=ADMIN)
    assert "GitHub gave another one" in problem(settings(server).rulesets()).why


@pytest.mark.parametrize("to", ["/repos/eve/orbit/branches/main/protection", "{place}/branches/other/protection"])
def test_the_protection_of_another_branch_is_no_answer(server: GitHubServer, to: str) -> None:
    server.protection["main"] = {"lock_branch": {"enabled": False}}
    assert settings(server).base_rules("main").present().hidden is None

    def other(request: Any, data: Any) -> Any:
        url = f"{server.url}{to.format(place='/repos/example-org/orbit')}"
        return {**data, "url": url} if request.path.endswith("/protection") else data

    relayed(server, other, token=ADMIN)
    hidden = settings(server).base_rules("main").present().hidden
    assert hidden is not None and "GitHub answered for" in hidden.why
