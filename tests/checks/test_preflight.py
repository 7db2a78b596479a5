"""Causes of failed releases, from the demo world to the verdict, observed and judged by the real code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from release_state.demo.project import RELEASE_PATH, RELEASE_WORKFLOW
from release_state.model.outcome import CheckResult
from release_state.observe.collect import collect
from release_state.observe.git.reader import find_repository
from release_state.settings.config import Arguments, load
from release_state.verdict.verdict import TargetVerdict
from tests.standins.world import World
from tests.support import openapi
from tests.support.judged import verdict_of
from tests.support.worlds import world_of

PREFLIGHT = ("permission", "setting", "workflow", "token")


@pytest.fixture
def world() -> Iterator[World]:
    with world_of("clean") as made, openapi.validated(made.github) as violations:
        yield made
        assert violations == []


def judged(world: World, tmp_path: Path, token: str | None = World.token) -> TargetVerdict:
    arguments = Arguments(
        versions=("0.2.0",), channels=("pypi",), repo=str(world.clone), install=False,
        settings={"package": world.package, "repository": world.repository, "remote-url": world.remote_url},
        index_urls=tuple(f"{channel}={world.index_url(channel)}" for channel in ("pypi", "testpypi")),
        github_api_url=world.github.url,
    )  # fmt: skip
    source = "GITHUB_TOKEN" if token else None
    (snapshot,) = collect(
        load(arguments, {}, tmp_path, find_repository), None, fixed_phase=None, token=token, token_source=source,
        own_run_id=None, environ={},
    )  # fmt: skip
    return verdict_of(snapshot)


def of(verdict: TargetVerdict) -> dict[str, CheckResult]:
    return {result.id: result for result in verdict.results}


def outcomes(verdict: TargetVerdict) -> dict[str, str]:
    """The outcomes of the checks of this kind."""
    return {result.id: result.outcome.value for result in verdict.results if result.source in PREFLIGHT}


def test_a_release_that_will_work(world: World, tmp_path: Path) -> None:
    verdict = judged(world, tmp_path)
    assert verdict.words == "READY TO RELEASE"
    assert set(outcomes(verdict).values()) == {"holds", "not applicable"}
    assert [name for name, outcome in outcomes(verdict).items() if outcome != "holds"] == [
        "PERMISSION-34", "SETTING-35", "WORKFLOW-14",
    ]  # fmt: skip
    assert of(verdict)["CI-3"].outcome.value == "holds"


@pytest.mark.parametrize("right", ["write", "read", None])
def test_what_a_token_may_not_see_is_unknown_and_decides_nothing(
    world: World, tmp_path: Path, right: str | None
) -> None:
    world.github.tokens["other"] = right or "none"
    verdict = judged(world, tmp_path, "other" if right else None)
    found = outcomes(verdict)
    assert verdict.words == "READY TO RELEASE"
    assert found["SETTING-34"] == "unknown"
    assert "administrators" in of(verdict)["SETTING-34"].found
    assert found["TOKEN-31"] == {"write": "holds", "read": "action needed", None: "not applicable"}[right]
    assert {name for name, outcome in found.items() if outcome == "unknown"} == {"SETTING-34"}


def test_a_release_that_fails_for_certain(world: World, tmp_path: Path) -> None:
    """All causes at once: rights, a rule for tags, the setting for pull requests, and a run that never ended."""
    weak = RELEASE_WORKFLOW.replace("contents: write", "contents: read").replace(
        "group: release\n", "group: release-${{ inputs.target_environment }}\n"
    )
    assert weak.count("contents: read") == 1
    world.ci(world.commit("ci: less rights", {RELEASE_PATH: weak.encode()}))
    world.sync_clone()
    guard = {"ref_name": {"include": ["refs/tags/v*"], "exclude": []}}
    world.github.rulesets.append(
        {"name": "guard", "target": "tag", "rules": [{"type": "creation"}], "conditions": guard, "bypass_actors": []}
    )
    world.github.workflow_permissions["can_approve_pull_request_reviews"] = False
    world.github.protection["main"] = {"required_status_checks": {"contexts": ["lint"]}}
    began = datetime.now(timezone.utc) - timedelta(hours=3)
    world.run_release("testpypi", status="in_progress", conclusion="", started=began)

    verdict = judged(world, tmp_path)

    found = of(verdict)
    assert verdict.words == "ACTION NEEDED"
    blocking = {result.id for result in verdict.results if result.blocking and result.outcome.value == "action needed"}
    assert blocking == {"PERMISSION-31", "SETTING-32", "SETTING-34", "RUN-1"}
    assert "step “Create tag” (git push) has `contents: read`" in found["PERMISSION-31"].found
    assert "creating v0.2.0 is restricted (ruleset “guard”: nobody may bypass it)" in found["SETTING-32"].found
    assert "is stuck: past its own limit of 20 minutes" in found["RUN-1"].found
    assert "started by octo-dev" in found["RUN-1"].found and "/actions/runs/" in found["RUN-1"].found
    advice = {name for name in found if found[name].outcome.value == "action needed"} - blocking
    assert advice == {"SETTING-33", "WORKFLOW-3", "CI-2"}
    assert "the checks lint" in found["SETTING-33"].found and ": lint" in found["CI-2"].found


def test_red_ci_names_the_job_its_page_and_whether_it_is_required(world: World, tmp_path: Path) -> None:
    world.ci(world.main(), "failure")
    world.github.protection["main"] = {"required_status_checks": {"contexts": ["test (3.14)"]}}
    red = of(judged(world, tmp_path))["CI-1"]
    assert red.outcome.value == "action needed" and red.blocking
    assert "test (3.10) (failure, not required) https://" in red.found
    assert "test (3.14) (failure, required) https://" in red.found


def test_a_green_status_of_a_bot_does_not_make_a_red_parent_ready(world: World, tmp_path: Path) -> None:
    world.ci(world.commit("feat: broken"), "failure")
    world.github.add_status(world.commit("docs: polish [skip ci]"), "docs-bot/preview")
    world.sync_clone()
    verdict = judged(world, tmp_path)
    red = of(verdict)["CI-1"]
    assert (verdict.words, red.blocking) == ("ACTION NEEDED", True)
    assert "the commit message says [skip ci]" in red.why


def test_a_commit_of_an_hour_ago_that_was_pushed_now_is_awaited(world: World, tmp_path: Path) -> None:
    head = world.commit("feat: new")
    world.sync_clone()
    assert of(judged(world, tmp_path / "late"))["CI-1"].outcome.value == "unknown"
    world.github.add_push(after=head, at=datetime.now(timezone.utc))
    assert of(judged(world, tmp_path / "now"))["CI-1"].outcome.value == "in progress"
