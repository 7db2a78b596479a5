"""What is read of GitHub's settings, against the stand-in, with answers that are valid by GitHub's own schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from release_state.demo.loopback import Request
from release_state.facts.rulesets import ACTIONS
from release_state.model.observation import Observation
from release_state.model.snapshot import Environment, RefPattern, Rule
from release_state.observe.github import settings as github_settings
from release_state.observe.github.ci import find_branch_runs
from release_state.observe.github.environments import observe_environments
from release_state.observe.github.github import GitHub
from release_state.observe.github.settings import GitHubSettings
from release_state.observe.http.client import HttpClient
from tests.observe.conftest import NOW
from tests.standins.github import GitHubServer
from tests.standins.services import Reply
from tests.support import openapi

BRANCH = "release/pypi-v0.2.0"
ADMIN, WRITE, READ, CLASSIC = "adm", "wri", "rea", "ghp_c"
JSON = {"Content-Type": "application/json; charset=utf-8"}
CHECKS = {"strict": True, "contexts": ["test"], "checks": [{"context": "lint", "app_id": None}]}
REVIEWS = {
    "required_approving_review_count": 2, "dismiss_stale_reviews": False, "require_code_owner_reviews": False,
}  # fmt: skip
UPGRADE = "Upgrade to GitHub Pro or make this repository public to enable this feature."


@pytest.fixture
def server(own_server: GitHubServer) -> Iterator[GitHubServer]:
    own_server.tokens.update({ADMIN: "admin", WRITE: "write", READ: "read", CLASSIC: "write"})
    with openapi.validated(own_server) as violations:
        yield own_server
    assert violations == []


def github(server: GitHubServer, token: str | None = ADMIN) -> GitHub:
    return GitHub(HttpClient(5, token=token, token_host=server.url), server.url, "example-org/orbit", now=NOW)


def settings(server: GitHubServer, token: str | None = ADMIN) -> GitHubSettings:
    return GitHubSettings(github(server, token))


def asked(server: GitHubServer) -> list[str]:
    return [request.path.removeprefix("/repos/example-org/orbit") for request in server.requests]


def answering(server: GitHubServer, path: str, status: int, message: str, **headers: str) -> None:
    """Answer this path below the repository with a refusal of GitHub's form."""
    body = json.dumps({"message": message, "documentation_url": "https://docs.github.com/rest"}).encode()

    def intercept(request: Request) -> Reply | None:
        return Reply(status, {**JSON, **headers}, body) if request.path.endswith(path) else None

    server.intercept = intercept


def ruleset(server: GitHubServer, *rules: dict[str, Any], target: str = "tag", **more: Any) -> None:
    include = ["refs/tags/v*"] if target == "tag" else ["~ALL"]
    server.rulesets.append(
        {"target": target, "rules": list(rules), "conditions": {"ref_name": {"include": include, "exclude": []}},
         "bypass_actors": [], **more}
    )  # fmt: skip


# ---- the token at hand


def test_scopes_are_those_of_a_classic_token(server: GitHubServer) -> None:
    assert github(server, CLASSIC).repository().present().token_scopes == ("repo", "workflow")
    server.scopes[CLASSIC] = ""
    assert github(server, CLASSIC).repository().present().token_scopes == ()
    assert github(server, WRITE).repository().present().token_scopes is None
    assert github(server, None).repository().present().token_scopes is None


def test_who_administers_the_repository(server: GitHubServer) -> None:
    told = {token: github(server, token).repository().present().can_administer for token in (ADMIN, WRITE, None)}
    assert told == {ADMIN: True, WRITE: False, None: None}


# ---- environments


def rooms(server: GitHubServer, *names: str, token: str | None = READ) -> Observation[tuple[Environment, ...]]:
    return observe_environments(github(server, token), names)


def test_the_refs_that_may_deploy_to_an_environment(server: GitHubServer) -> None:
    patterns = [{"name": f"v{number}", "type": "tag"} for number in range(150)]
    server.environments |= {"PyPI": patterns, "docs/main": True, "all": None}
    [pypi, docs, everyone] = rooms(server, "pypi", "docs/main", "all").present()
    assert (pypi.name, pypi.admits, len(pypi.patterns)) == ("pypi", "selected", 150)
    assert pypi.patterns[-1] == RefPattern(pattern="v149", kind="tag")
    assert (docs.admits, docs.patterns, everyone.admits) == ("protected", (), "all")
    assert [path for path in asked(server) if "docs" in path] == ["/environments/docs%2Fmain"]


def test_no_more_than_twenty_environments_are_asked_for(server: GitHubServer) -> None:
    names = [f"room{number}" for number in range(21)]
    server.environments |= dict.fromkeys(names)
    assert [each.name for each in rooms(server, *names[1:]).present()] == names[1:]
    before = len(asked(server))
    problem = rooms(server, *names).unavailable
    assert problem and "21 environments" in problem.why and len(asked(server)) == before


def test_a_missing_environment_of_a_private_repository_may_be_hidden(server: GitHubServer) -> None:
    assert rooms(server, "pypi").present() == ()
    server.private = True
    problem = rooms(server, "pypi").unavailable
    assert problem and "may not see it" in problem.why and "actions=read" in (problem.remedy or "")


@pytest.mark.parametrize("path", ["/environments/pypi", "/environments/pypi/deployment-branch-policies"])
@pytest.mark.parametrize("status", [403, 503])
def test_trouble_is_no_environment_for_all(server: GitHubServer, path: str, status: int) -> None:
    server.environments |= {"pypi": []}
    answering(server, path, status, "Resource not accessible by personal access token")
    found = rooms(server, "pypi")
    assert found.unavailable and str(status) in found.unavailable.why


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "testpypi"}, "another one"),
        ({"url": "https://api.github.example/repos/octo/other/environments/pypi"}, "GitHub answered for"),
        ({"deployment_branch_policy": {"protected_branches": True, "custom_branch_policies": True}}, "unexpected"),
        ({"deployment_branch_policy": {"protected_branches": True}}, "unexpected"),
        ({"deployment_branch_policy": []}, "unexpected"),
        ({"deployment_branch_policy": ...}, "deployment_branch_policy is missing"),
    ],
)
def test_another_environment_or_shape_is_refused(server: GitHubServer, changes: dict[str, Any], says: str) -> None:
    """A field that is not there (`...`) says nothing of the refs: only null says that all may deploy."""
    server.environments |= {"pypi": []}
    own = github(server)._api.get(f"{server.url}/repos/example-org/orbit/environments/pypi")[0]
    answer = {name: value for name, value in {**own, **changes}.items() if value is not ...}

    def intercept(request: Request) -> Reply | None:
        is_it = request.path.endswith("/environments/pypi")
        return Reply(200, JSON, json.dumps(answer).encode()) if is_it else None

    server.intercept = intercept
    problem = rooms(server, "pypi").unavailable
    assert problem and says in problem.why


def test_a_pattern_of_another_kind_is_not_guessed(server: GitHubServer) -> None:
    body = {"total_count": 1, "branch_policies": [{"name": "v*", "type": "commit"}]}
    server.environments |= {"pypi": []}

    def intercept(request: Request) -> Reply | None:
        is_it = request.path.endswith("/deployment-branch-policies")
        return Reply(200, JSON, json.dumps(body).encode()) if is_it else None

    server.intercept = intercept
    problem = rooms(server, "pypi").unavailable
    assert problem and "'commit'" in problem.why


# ---- rulesets


def test_no_ruleset_costs_one_request(server: GitHubServer) -> None:
    found = settings(server)
    assert found.rulesets().present() == ()
    assert found.branch_rules(BRANCH).present() == ()
    assert asked(server) == ["/rulesets", ""]


def test_a_ruleset_with_its_rules_and_who_may_pass_it_by(server: GitHubServer) -> None:
    pattern = {"operator": "starts_with", "pattern": "v", "negate": False}
    actors = [
        {"actor_id": 15368, "actor_type": "Integration", "bypass_mode": "always"},
        {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "pull_request"},
        {"actor_id": None, "actor_type": "DeployKey", "bypass_mode": "always"},
    ]
    named = {"type": "tag_name_pattern", "parameters": pattern}
    ruleset(server, {"type": "creation"}, named, name="tags", bypass_actors=actors)
    [found] = settings(server).rulesets().present()
    assert (found.name, found.target, found.include, found.exclude) == ("tags", "tag", ("refs/tags/v*",), ())
    assert found.rules == (
        Rule(type="creation", ruleset=42),
        Rule(type="tag_name_pattern", ruleset=42, operator="starts_with", pattern="v"),
    )
    assert found.bypass == (ACTIONS, "DeployKey"), "on a pull request alone is no help to a push"
    [hidden] = settings(server, READ).rulesets().present()
    assert hidden.bypass is None, "shown to those who may write alone"


def test_only_active_rulesets_are_looked_into(server: GitHubServer) -> None:
    ruleset(server, {"type": "creation"}, enforcement="disabled")
    ruleset(server, {"type": "deletion"}, enforcement="evaluate")
    ruleset(server, {"type": "update"})
    found = settings(server).rulesets().present()
    assert [(each.enforcement, len(each.rules)) for each in found] == [("disabled", 0), ("evaluate", 0), ("active", 1)]
    assert asked(server) == ["/rulesets", "/rulesets/44", ""]


def test_rules_of_a_branch_that_is_not_there_yet(server: GitHubServer) -> None:
    checks = {"type": "required_status_checks", "parameters": {
        "required_status_checks": [{"context": "test"}], "strict_required_status_checks_policy": True,
        "do_not_enforce_on_create": True,
    }}  # fmt: skip
    reviews = {"type": "pull_request", "parameters": {
        "required_approving_review_count": 1, "dismiss_stale_reviews_on_push": False,
        "require_code_owner_review": False, "require_last_push_approval": False,
        "required_review_thread_resolution": False,
    }}  # fmt: skip
    ruleset(server, checks, reviews, target="branch")
    server.rules["release/*"] = [checks, reviews]
    by_branch = settings(server, READ).branch_rules("release/pypi-v9.9.9").present()
    assert by_branch == (
        Rule(type="required_status_checks", ruleset=42, checks=("test",), on_creation=False),
        Rule(type="pull_request", ruleset=42, approvals=1),
    )
    assert asked(server)[-2] == "/rules/branches/release%2Fpypi-v9.9.9"


def test_rules_are_not_asked_for_where_rulesets_are_for_tags(server: GitHubServer) -> None:
    ruleset(server, {"type": "creation"})
    assert settings(server).branch_rules(BRANCH).present() == ()
    assert not any("/rules/" in path for path in asked(server))


def test_too_many_rulesets_are_not_a_few(server: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_settings, "MOST_RULESETS", 1)
    ruleset(server, {"type": "creation"})
    ruleset(server, {"type": "creation"})
    problem = settings(server).rulesets().unavailable
    assert problem and "2 rulesets are active" in problem.why


def test_a_plan_without_rulesets_enforces_none(server: GitHubServer) -> None:
    """GitHub says so with a 403 of a private repository; of a public one it would mean something else."""
    answering(server, "/rulesets", 403, UPGRADE)
    assert settings(server).rulesets().unavailable is not None
    server.private = True
    assert settings(server).rulesets().present() == ()
    answering(server, "/rulesets", 403, "Resource not accessible by integration")
    assert settings(server).rulesets().unavailable is not None


def test_a_server_that_knows_no_rulesets_has_none(server: GitHubServer) -> None:
    answering(server, "/rulesets", 404, "Not Found")
    assert settings(server).rulesets().present() == ()


@pytest.mark.parametrize("path", ["/rulesets", "/rulesets/42", f"/rules/branches/{BRANCH.replace('/', '%2F')}"])
def test_trouble_is_no_absence_of_rules(server: GitHubServer, path: str) -> None:
    ruleset(server, {"type": "creation"}, target="branch")
    server.rules[BRANCH] = [{"type": "creation"}]
    answering(server, path, 503, "trouble")
    found = settings(server).branch_rules(BRANCH)
    if path.startswith("/rules/"):
        assert found.unavailable and "503" in found.unavailable.why
    else:
        assert [rule.type for rule in found.present()] == ["creation"], "the rules of a branch are a whole answer"


# ---- the base branch


def test_a_branch_that_nothing_protects(server: GitHubServer) -> None:
    found = settings(server, READ).base_rules("main").present()
    assert (found.protected, found.all_checks, found.all_approvals, found.by_pull_request_only) == (False, (), 0, False)
    assert found.hidden is None
    assert sorted(asked(server)) == ["", "/branches/main", "/rulesets"]


def test_the_whole_of_a_classic_protection(server: GitHubServer) -> None:
    server.protection["main"] = {
        "required_status_checks": CHECKS, "required_pull_request_reviews": REVIEWS, "lock_branch": {"enabled": True},
        "restrictions": {"url": "https://x", "users_url": "https://x", "teams_url": "https://x",
                         "apps_url": "https://x", "users": [], "teams": [], "apps": []},
    }  # fmt: skip
    found = settings(server).base_rules("main").present()
    assert (found.all_checks, found.all_approvals, found.pull_request) == (("test", "lint"), 2, True)
    assert (found.locked, found.restricted, found.hidden) == (True, True, None)


def test_what_is_for_administrators_is_hidden_and_the_checks_are_not(server: GitHubServer) -> None:
    server.protection["main"] = {"required_status_checks": CHECKS, "required_pull_request_reviews": REVIEWS}
    for token in (WRITE, READ, None):
        found = settings(server, token).base_rules("main").present()
        assert found.all_checks == ("test",) and not found.approvals
        assert found.hidden and "administration=read" in str(found.hidden.remedy)
    assert not any(path.endswith("/protection") for path in asked(server)), "nobody asks what will be refused"


@pytest.mark.parametrize(
    ("status", "message", "headers", "hidden", "remedy"),
    [
        (404, "Branch not protected", {}, False, ""),
        (404, "Not Found", {}, True, "administration=read"),  # how a classic token of another is refused
        (403, "Resource not accessible by personal access token",
         {"X-Accepted-GitHub-Permissions": "administration=read"}, True, "administration=read"),
        (503, "trouble", {}, True, "administration=read"),
    ],
)  # fmt: skip
def test_refusals_of_a_protection(
    server: GitHubServer, status: int, message: str, headers: dict[str, str], hidden: bool, remedy: str
) -> None:
    server.protection["main"] = {"required_status_checks": CHECKS}
    answering(server, "/protection", status, message, **headers)
    found = settings(server).base_rules("main").present()
    assert (found.hidden is not None) is hidden
    assert remedy in str(found.hidden.remedy if found.hidden else "")
    assert found.all_checks == ("test",)


def test_both_kinds_of_protection_together(server: GitHubServer) -> None:
    server.protection["main"] = {"required_status_checks": CHECKS}
    rule = {"type": "required_status_checks", "parameters": {
        "required_status_checks": [{"context": "docs"}], "strict_required_status_checks_policy": False,
    }}  # fmt: skip
    ruleset(server, rule, target="branch")
    server.rules["main"] = [rule]
    found = settings(server).base_rules("main").present()
    assert found.all_checks == ("test", "lint", "docs")


def test_a_branch_that_is_not_there(server: GitHubServer) -> None:
    assert settings(server).base_rules("nowhere").unavailable is not None


# ---- what Actions may do


def test_settings_of_actions(server: GitHubServer) -> None:
    server.workflow_permissions = {
        "default_workflow_permissions": "write", "can_approve_pull_request_reviews": True,
    }  # fmt: skip
    found = settings(server).actions_settings().present()
    assert (found.default_permissions, found.may_create_pull_requests) == ("write", True)


@pytest.mark.parametrize("token", [WRITE, READ, None])
def test_settings_of_actions_are_for_administrators(server: GitHubServer, token: str | None) -> None:
    problem = settings(server, token).actions_settings().unavailable
    assert problem and "administration=read" in str(problem.remedy)
    assert asked(server) == [""], "nobody asks what will be refused"


def test_the_right_that_is_missing_is_named(server: GitHubServer) -> None:
    """A fine-grained token of an administrator, without the permission: only the refusal tells."""
    needed = {"X-Accepted-GitHub-Permissions": "administration=read"}
    answering(server, "/permissions/workflow", 403, "Resource not accessible by personal access token", **needed)
    problem = settings(server).actions_settings().unavailable
    assert problem and "administration=read" in str(problem.remedy)


# ---- the last runs of CI


def test_the_last_five_runs_of_ci_on_a_branch(server: GitHubServer) -> None:
    def run(workflow: str, days: int, **more: Any) -> int:
        return server.add_run(workflow, created_at=NOW - timedelta(days=days), **more)

    ci = [run("ci.yml", day, event="push", conclusion="failure" if day == 2 else "success") for day in range(1, 8)]
    run("release.yml", 0)
    run("ci.yml", 0, event="pull_request")
    run("ci.yml", 0, event="push", status="in_progress")
    run("ci.yml", 0, event="push", head_branch=BRANCH)
    found = github(server).observe(lambda api, place: find_branch_runs(api, place, "main", "release.yml")).present()
    assert [each.id for each in found] == ci[:5]
    assert [each.conclusion for each in found][:3] == ["success", "failure", "success"]
    assert {each.workflow for each in found} == {"ci.yml"}
    assert sum("/actions/runs" in path for path in asked(server)) == 1


def test_the_last_runs_of_ci_are_found_behind_others(server: GitHubServer) -> None:
    now = datetime.now(timezone.utc)
    ci = [server.add_run("ci.yml", event="push", created_at=now - timedelta(days=3 + day)) for day in range(3)]
    for hours in range(31):
        server.add_run("release.yml", created_at=now - timedelta(hours=hours))
    for _ in range(30):
        server.add_run("release.yml", created_at=now - timedelta(days=71))
    found = github(server).observe(lambda api, place: find_branch_runs(api, place, "main", "release.yml")).present()
    assert [each.id for each in found] == ci
    assert sum("/actions/runs" in path for path in asked(server)) == 2, "what is older than 70 days is not looked at"
