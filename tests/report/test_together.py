"""The plans of several targets as one script: nothing twice, nothing of another target's, the start of a run last."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from release_state.model.observation import known
from release_state.model.plan import Plan, step
from release_state.model.snapshot import Snapshot
from release_state.model.target import Channel
from release_state.report.script import arrange, render_script
from release_state.verdict.verdict import TargetVerdict
from tests.support import states as s
from tests.support.judged import verdict_of
from tests.support.losses import pushed_away

OWN, OTHER, ORPHAN = s.branch(), s.branch("release/pypi-v0.3.0", s.OTHER), s.branch("release/pypi-v0.1.5", "1" * 40)
SHAS = (OWN.sha, OTHER.sha, ORPHAN.sha)
INTERNAL = Channel(name="internal", index_url="https://internal.example/simple/", leaves=("release",))


def interrupted(version: str) -> Snapshot:
    """One of two versions whose runs were interrupted after their branch was pushed; beside them an orphan."""
    branches = {branch.name: known(()) for branch in (OWN, OTHER, ORPHAN)}
    return s.ready(
        target=s.target(version=version),
        remote=s.remote(OWN, OTHER, ORPHAN),
        history=s.history(*(s.lineage(sha, unmerged_count=1, declared_version=version) for sha in SHAS)),
        branch_pulls=branches,
    )


def done(verdicts: Sequence[TargetVerdict]) -> list[list[str]]:
    """The titles of what each section does."""
    return [[each.step.title for each in section.steps if not each.instead] for section in arrange(verdicts)]


def test_two_versions_in_flight_are_each_tidied_up_once() -> None:
    verdicts = [verdict_of(interrupted(version)) for version in ("0.2.0", "0.3.0")]
    first, second = done(verdicts)
    assert [title.split(",")[0] for title in first] == [
        f"Back up {OWN.name} to backup/{OWN.name}-{OWN.sha[:7]}",
        f"Delete the release branch {OWN.name}",
        f"Back up {ORPHAN.name} to backup/{ORPHAN.name}-{ORPHAN.sha[:7]}",
        f"Delete the release branch {ORPHAN.name}",
    ]
    assert [title.split(",")[0] for title in second] == [
        f"Back up {OTHER.name} to backup/{OTHER.name}-{OTHER.sha[:7]}",
        f"Delete the release branch {OTHER.name}",
    ]
    text = render_script(verdicts)
    deleted = re.findall(r"^git push .*:(refs/heads/release/\S+)$", text, re.MULTILINE)
    assert sorted(deleted) == sorted({f"refs/heads/{branch.name}" for branch in (OWN, OTHER, ORPHAN)})
    assert text.count("gh workflow run") == 1, "of two versions on one channel the workflow makes one"
    assert text.index("gh workflow run") > max(text.index(f":{ref}") for ref in deleted), "when all is deleted"
    assert text.count("say 'verify: ") == 2
    assert text.count("#    skipped: ") == 7


def test_of_one_target_nothing_is_deleted_once_the_workflow_works() -> None:
    steps = verdict_of(interrupted("0.2.0")).plan.steps
    starts = [at for at, each in enumerate(steps) if any("workflow" in line for line in each.commands)]
    assert starts == [len(steps) - 1]
    assert any(pushed_away(line) for each in steps for line in each.commands)


def two_channels(direction: Any) -> list[TargetVerdict]:
    """A GitHub Release that one channel would withdraw, and another goes by; neither has published."""
    channels = (s.PYPI, s.TESTPYPI, INTERNAL)
    found = s.ready(
        target=s.target(channel=INTERNAL, channels=channels),
        release=known(s.release()),
        index={"internal": s.project(), "pypi": s.project()},
    )
    withdrawing = verdict_of(found)
    other = structs.replace(found, target=s.target(channels=channels))
    keeping = structs.replace(verdict_of(other), plan=Plan(direction=direction, steps=(step("Publish it"),)))
    return [withdrawing, keeping]


@pytest.mark.parametrize(("direction", "goes"), [("complete", False), ("find out", False), ("roll back", True)])
def test_what_another_target_of_the_run_goes_by_is_not_destroyed(direction: str, goes: bool) -> None:
    verdicts = two_channels(direction)
    assert any(each.destroys for each in verdicts[0].plan.steps)
    text = render_script(verdicts)
    assert ("--method DELETE" in text) is goes
    assert ("gh workflow run" in text or "actions/workflows" in text) is goes, "nor is a run started beside it"
    assert ("keeps it; finish" in text) is not goes


def test_advice_of_one_target_that_another_needs_is_needed() -> None:
    one, two = (verdict_of(interrupted(version)) for version in ("0.2.0", "0.3.0"))
    asked = step("Tidy up", ["git", "status"])
    optional = structs.replace(asked, advice=True)
    plans = [structs.replace(one.plan, steps=(optional,)), structs.replace(two.plan, steps=(asked,))]
    verdicts = [structs.replace(each, plan=plan) for each, plan in zip((one, two), plans, strict=True)]
    first, second = arrange(verdicts)
    assert [placed.step.advice for placed in first.steps] == [False]
    assert [placed.instead for placed in second.steps] == ["already done for orbit==0.2.0@pypi"]


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_script_of_several_targets_is_one_that_a_shell_reads(shell: str, tmp_path: Path) -> None:
    path = tmp_path / "script"
    path.write_text(render_script([verdict_of(interrupted(v)) for v in ("0.2.0", "0.3.0")] + two_channels("complete")))
    assert subprocess.run([shell, "-n", str(path)], check=False).returncode == 0
