"""What exists of a version, in whatever spelling, is the same for every phase; and gate and audit have one rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from release_state.audit.audit import Audit
from release_state.audit.collect import collect_history
from release_state.model.outcome import Outcome, Phase, Verdict
from release_state.model.snapshot import Snapshot
from release_state.observe.collect import collect
from release_state.observe.git.reader import find_repository
from release_state.observe.http.client import HttpClient
from release_state.settings.config import Arguments, RunConfig, load
from release_state.verdict.verdict import TargetVerdict
from tests.standins.world import World
from tests.support.judged import verdict_of
from tests.support.worlds import asked_github, forget_requests


@pytest.fixture
def world() -> Iterator[World]:
    """0.2.0 was released as the workflow does."""
    with World() as made:
        made.release("pypi", "0.2.0")
        yield made


def config(world: World, folder: Path, *, template: str = "v{version}", audit: str | None = None) -> RunConfig:
    arguments = Arguments(
        versions=() if audit else ("0.2.0",), channels=("pypi",), repo=str(world.clone), install=False, audit=audit,
        github_api_url=world.github.url,
        settings={
            "package": world.package, "repository": world.repository, "remote-url": world.remote_url,
            "tag-template": template,
        },
        index_urls=tuple(f"{channel}={world.index_url(channel)}" for channel in ("pypi", "testpypi")),
    )  # fmt: skip
    return load(arguments, {}, folder, find_repository)


def observed(world: World, folder: Path, phase: Phase | None = None, template: str = "v{version}") -> Snapshot:
    forget_requests(world)
    [snapshot] = collect(
        config(world, folder, template=template), None, fixed_phase=phase, token=world.token, token_source=None,
        own_run_id=None, environ={},
    )  # fmt: skip
    return snapshot


def in_its_phase(snapshot: Snapshot) -> TargetVerdict:
    return verdict_of(snapshot, fixed_phase=Phase(snapshot.phase))


def red(snapshot: Snapshot) -> set[str]:
    """The checks that decide and call for action."""
    found = in_its_phase(snapshot).results
    return {result.id for result in found if result.blocking and result.outcome is Outcome.ACTION_NEEDED}


def withdraw(world: World) -> None:
    """Withdraw 0.2.0 as the template spells it: yanked, its tag, GitHub Release and branch gone."""
    world.index.yank("pypi", "0.2.0", "broken")
    world.delete_github_release("0.2.0")
    commit = world.remote_git.rev("refs/tags/v0.2.0^{commit}")
    world.delete_tag("0.2.0")
    world.remote_git.tag("0.2.0", commit, when=world.tick(), message="0.2.0")
    world.sync_clone()


def test_no_rollback_is_whole_while_another_spelling_is_released(world: World, tmp_path: Path) -> None:
    withdraw(world)
    assert verdict_of(observed(world, tmp_path)).verdict is Verdict.ROLLED_BACK, "its tag may stay: it was published"
    number = world.github.add_release("0.2.0", body="notes", author="release-bot")

    snapshot = observed(world, tmp_path, Phase.ROLLBACK)
    assert red(snapshot) == {"RELEASE-21"}
    tags = [target for _, target in asked_github(world) if "/releases/tags/" in target]
    asked = sorted(target.rpartition("/")[2] for target in tags)
    assert asked == ["0.2.0", "v0.1.0", "v0.2.0"], "the earlier version's, and no spelling that is not there"
    plan = in_its_phase(snapshot).plan
    lines = [line for step in plan.steps for line in step.lines() if "--tag-template '{version}'" in line]
    assert len(lines) == 1 and lines[0].endswith("--phase rollback")
    assert verdict_of(observed(world, tmp_path)).verdict is Verdict.ACTION_NEEDED, "nor where no phase is given"

    by_its_words = in_its_phase(observed(world, tmp_path, Phase.ROLLBACK, "{version}")).plan
    deleting = [line for step in by_its_words.steps for line in step.lines() if "DELETE" in line]
    assert [f"releases/{number}" in line for line in deleting] == [True]
    with world.github.lock:
        del world.github.releases[number]
    assert in_its_phase(observed(world, tmp_path, Phase.ROLLBACK)).verdict is Verdict.ROLLED_BACK


def test_a_draft_of_another_spelling_is_seen(world: World, tmp_path: Path) -> None:
    withdraw(world)
    world.github.add_release("0.2.0", draft=True, author="release-bot")
    snapshot = observed(world, tmp_path, Phase.ROLLBACK)
    found = {result.id: result.outcome for result in in_its_phase(snapshot).results}
    assert found["RELEASE-22"] is Outcome.ACTION_NEEDED


def judged_by_the_audit(world: World, folder: Path) -> tuple[bool, set[str]]:
    """Whether action is needed on 0.2.0 by what decides, and the kinds of what was found."""
    asked = config(world, folder, audit="all")
    client = HttpClient(20, token=world.token, token_host=asked.targets[0].github_api)
    [history] = collect_history(asked, client=client, token_source=None, own_run_id=None, cancel=Event())
    [found] = [each for each in Audit(history).judgements if str(each.audited) == "0.2.0"]
    return found.blocking and found.outcome is Outcome.ACTION_NEEDED, {each.kind.id for each in found.findings}


def test_the_branch_of_a_merged_pull_request_is_judged_alike(world: World, tmp_path: Path) -> None:
    number = next(number for number, pull in world.github.pulls.items() if "v0.2.0" in pull.title)
    assert red(observed(world, tmp_path)) == set() and judged_by_the_audit(world, tmp_path) == (False, set())
    world.remote_git.set_ref("refs/heads/release/pypi-v0.2.0", world.remote_git.rev(f"refs/pull/{number}/head"))
    assert red(observed(world, tmp_path)) == {"BRANCH-11"}
    assert judged_by_the_audit(world, tmp_path) == (True, {"branch-left"})


def test_a_branch_of_another_spelling_is_a_trace_of_the_version(world: World, tmp_path: Path) -> None:
    """Beside a released version, and in a rollback: what it holds is kept and it is deleted, and then all is well."""
    name = "refs/heads/release/pypi-v0.2"
    world.remote_git.set_ref("refs/heads/aside", world.main())
    left = world.commit("feat: left", branch="aside")
    world.delete_branch("aside")
    world.remote_git.set_ref(name, left)
    world.sync_clone()
    for phase, check in ((Phase.POST_RECOVERY, "BRANCH-11"), (Phase.ROLLBACK, "BRANCH-21")):
        snapshot = observed(world, tmp_path, phase)
        assert check in red(snapshot)
        commands = [command for step in in_its_phase(snapshot).plan.steps for command in step.commands]
        assert any(command[-1] == f":{name}" for command in commands), commands
    assert red(observed(world, tmp_path, Phase.POST_RECOVERY)) == {"BRANCH-11"}
    world.remote_git.delete_ref(name)
    assert red(observed(world, tmp_path, Phase.POST_RECOVERY)) == set()
