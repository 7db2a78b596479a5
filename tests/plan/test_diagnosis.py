"""The name of each state and the direction that it calls for."""

from __future__ import annotations

from typing import Any

import pytest

from release_state.facts.origin import explain_dead_end
from release_state.facts.release import Release
from release_state.model.observation import known
from release_state.model.snapshot import NOT_ASKED, Snapshot
from release_state.plan.diagnosis import diagnose
from tests.support import states as s
from tests.support.judged import verdict_of

NEWER = {"pypi": s.project(releases={"0.2.1": False})}
HELD = known(s.release(immutable=True))
SUPERSEDED: dict[str, Any] = {
    "remote": s.remote(s.tag()), "clone": s.clone(tags=(s.tag(),)), "index": NEWER, "release": HELD,
    "latest_release": known(s.release("v0.2.1")), "history": s.history(s.lineage()),
}  # fmt: skip
OTHER_VERSION = s.history(s.lineage(declared_version="0.1.0"))
ONE_FILE = {"pypi": s.project(s.file("sdist"))}
WHEEL_ALONE = {"pypi": s.project(s.file())}


def test_what_a_narrowed_run_did_not_ask_is_no_source() -> None:
    verdict = verdict_of(s.released(release=known(None), runs=NOT_ASKED, history=NOT_ASKED, published=NOT_ASKED))
    asked = [step for step in verdict.plan.steps if step.undecided]
    assert asked and all(step.title.startswith("Run all checks first, to decide ") for step in asked)
    assert {step.reason for step in asked} == {"not asked for in this narrowed run"}
    assert "snapshot" not in f"{verdict.diagnosis.title} {verdict.diagnosis.reason}"


def state(snapshot: Snapshot) -> tuple[str | None, str]:
    found = verdict_of(snapshot).diagnosis
    return found.scenario, found.direction


@pytest.mark.parametrize(
    ("snapshot", "scenario", "direction"),
    [
        (s.ready(**SUPERSEDED), "superseded", "nothing"),
        (s.ready(**{**SUPERSEDED, "remote": s.remote(s.tag(), s.branch())}), "superseded", "roll back"),
        (s.ready(**{**SUPERSEDED, "release": known(s.release(immutable=False))}), "B", "complete"),
        (s.ready(**{**SUPERSEDED, "release": known(s.release(immutable=None))}), "B", "complete"),
        (s.ready(**{**SUPERSEDED, "index": {"pypi": s.project(releases={"0.2.1": True})}}), "B", "complete"),
        (s.ready(remote=s.failed()), "refs unknown", "find out"),
        (s.ready(remote=s.remote(s.tag()), history=OTHER_VERSION), "B: wrong commit", "roll back"),
        (s.ready(remote=s.remote(s.tag()), history=OTHER_VERSION, release=HELD), "burnt", "next version"),
        (s.ready(release=known(s.release())), "E: leftovers", "roll back"),
    ],
    ids=["superseded", "superseded, a branch is left", "not held", "not known to be held", "newer yanked",
         "remote silent", "wrong commit", "burnt", "left"],
)  # fmt: skip
def test_what_an_unpublished_version_is_called(snapshot: Snapshot, scenario: str, direction: str) -> None:
    assert state(snapshot) == (scenario, direction)


@pytest.mark.parametrize(
    ("index", "remote", "is_dead"),
    [
        (WHEEL_ALONE, s.remote(), True),
        (WHEEL_ALONE, s.remote(s.tag()), False),
        (ONE_FILE, s.remote(), False),
        ({"pypi": s.project(s.file(), s.file("sdist"))}, s.remote(), False),
        ({"pypi": s.project()}, s.remote(), False),
    ],
    ids=["no source", "a tag", "an sdist", "whole", "not published"],
)
def test_a_missing_file_without_a_source_cannot_come(index: dict[str, Any], remote: Any, is_dead: bool) -> None:
    found = s.released(index=index, remote=remote, published=s.published(), pulls=known(()), clone=s.clone())
    said = explain_dead_end(Release(found))
    assert bool(said) is is_dead
    assert not is_dead or said.startswith("missing: sdist, and there is no known source")


def test_what_a_superseded_version_leaves_is_withdrawn() -> None:
    yanked = {"pypi": s.project(s.file(yanked=True), releases={"0.2.1": False})}
    for refs, direction in (((), "nothing"), ((s.branch(),), "roll back")):
        found = diagnose(s.rolled_back(index=yanked, remote=s.remote(*refs), history=s.history(s.lineage())))
        assert (found.scenario, found.direction) == ("superseded", direction)


def test_what_the_plan_depends_on_is_said_with_what_is_known() -> None:
    tagged = diagnose(s.ready(remote=s.remote(s.tag()), history=s.failed("git history")))
    published = diagnose(s.released(history=OTHER_VERSION, published=s.failed("sdist")))
    assert (
        (tagged.scenario, tagged.direction)
        == (published.scenario, published.direction)
        == ("partly unknown", "find out")
    )
    assert tagged.title == "Not published; the plan depends on git history"
    assert published.title == "Published; the plan depends on sdist"
