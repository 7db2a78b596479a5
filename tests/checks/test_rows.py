"""All sixteen combinations of tag, index, GitHub Release and pull request, and the four of TestPyPI."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import structs

from release_state.facts.release import Release
from release_state.model.observation import known
from release_state.model.snapshot import Snapshot
from tests.support import rows
from tests.support import states as s
from tests.support.judged import verdict_of

ROOT = Path(__file__).parent.parent.parent

# tag, index, GitHub Release, pull request: scenario, direction, beginnings of the plan's steps
PYPI = {
    (1, 1, 1, 1): ("released", "nothing", []),
    (1, 1, 1, 0): ("D", "complete", ["Recreate the branch", "Create the pull request"]),
    (1, 1, 0, 1): ("E", "complete", ["Create the GitHub Release"]),
    (1, 1, 0, 0): ("E", "complete", ["Recreate the branch", "Create the pull request", "Create the GitHub Release"]),
    (1, 0, 1, 1): ("B", "complete", ["Publish"]),
    (1, 0, 1, 0): ("B", "complete", ["Publish", "Recreate the branch", "Create the pull request"]),
    (1, 0, 0, 1): ("B", "complete", ["Publish", "Create the GitHub Release"]),
    (1, 0, 0, 0): (
        "B",
        "complete",
        ["Publish", "Recreate the branch", "Create the pull request", "Create the GitHub Release"],
    ),
    (0, 1, 1, 1): ("C", "complete", ["Tag"]),
    (0, 1, 1, 0): ("C", "complete", ["Tag", "Recreate the branch", "Create the pull request"]),
    (0, 1, 0, 1): ("C", "complete", ["Tag", "Create the GitHub Release"]),
    (0, 1, 0, 0): (
        "C",
        "complete",
        ["Tag", "Recreate the branch", "Create the pull request", "Create the GitHub Release"],
    ),
    (0, 0, 1, 1): ("E", "roll back", ["Close", "Print, then delete", "Back up", "Delete", "Start the release again"]),
    (0, 0, 1, 0): ("E", "roll back", ["Print, then delete", "Start the release again", "Repeat the failed look-ups"]),
    (0, 0, 0, 1): ("E", "roll back", ["Close", "Back up", "Delete", "Start the release again"]),
    (0, 0, 0, 0): ("nothing", "nothing", []),
}
TESTPYPI = {
    (1, 1): ("branch left", "complete", ["Back up", "Delete"]),
    (1, 0): ("released", "nothing", []),
    (0, 1): ("A", "roll back", ["Back up", "Delete", "Start the release again"]),
    (0, 0): ("nothing", "nothing", []),
}


@pytest.mark.parametrize("facts", PYPI, ids=str)
def test_pypi(facts: tuple[bool, bool, bool, bool]) -> None:
    check(rows.pypi(*facts), *PYPI[facts])


@pytest.mark.parametrize("facts", TESTPYPI, ids=str)
def test_testpypi(facts: tuple[bool, bool]) -> None:
    check(rows.testpypi(*facts), *TESTPYPI[facts])


def check(snapshot: Snapshot, scenario: str, direction: str, steps: list[str]) -> None:
    verdict = verdict_of(snapshot)
    assert verdict.diagnosis.scenario.startswith(scenario)
    assert verdict.plan.direction == direction
    titles = [step.title for step in verdict.plan.steps if not step.advice]
    assert len(titles) == len(steps), titles
    assert all(title.startswith(start) for title, start in zip(titles, steps, strict=True)), titles
    assert not any("workflow" in command for step in verdict.plan.steps for command in step.commands) or not facts_of(
        snapshot
    )


def test_a_release_branch_without_commits_of_its_own_is_set_and_not_made() -> None:
    """GitHub refuses a pull request without commits; another commit may be pushed there meanwhile."""
    there = rows.pypi(True, True, True, False)
    refs = there.remote.present()
    at_base = s.branch(sha=Release(there).base_head)
    found = structs.replace(there, remote=known(structs.replace(refs, branches=(*refs.branches, at_base))))
    first = verdict_of(found).plan.steps[0]
    assert first.title.startswith(f"Set the branch {at_base.name} to "), first.title
    lease = f"--force-with-lease=refs/heads/{at_base.name}:{at_base.sha}"
    assert any(lease in command for command in first.commands), first.commands


def facts_of(snapshot: Snapshot) -> bool:
    """Whether a new run of the workflow would compute another version."""
    index = snapshot.index[snapshot.target.channel.name].present()
    return bool(index.files or snapshot.remote.present().tags)


def test_the_document_is_up_to_date() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "tests.support.rows"], cwd=ROOT, text=True, capture_output=True, check=True
    )
    assert (ROOT / "docs" / "states.md").read_text(encoding="utf-8") == made.stdout
