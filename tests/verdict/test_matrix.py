"""The state matrix and the timeline: what they say is what was observed, and what the checks say of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from release_state.facts.release import Release
from release_state.model.observation import known
from release_state.model.outcome import Exit, Outcome
from release_state.model.plan import Wanted
from release_state.model.snapshot import Commit, Snapshot
from release_state.verdict.matrix import Row, build_matrix
from release_state.verdict.timeline import Event, Timeline, build_timeline
from release_state.verdict.verdict import TargetVerdict
from tests.support import states as s
from tests.support.judged import verdict_of
from tests.support.rows import pypi, testpypi

SIX = ["branch", "tag", "index", "release", "pull-request", "ci"]
LATER = s.NOW + timedelta(minutes=5)


def rows(snapshot: Snapshot, wanted: Wanted = "auto") -> tuple[dict[str, Row], TargetVerdict]:
    verdict = verdict_of(snapshot, wanted)
    found = build_matrix(Release(snapshot), verdict)
    assert [row.trace for row in found][:6] == SIX
    assert all(row.expected and row.observed for row in found)
    return {row.trace: row for row in found}, verdict


STATES = [
    *(pypi(*(bool(n & bit) for bit in (1, 2, 4, 8))) for n in range(16)),
    *(testpypi(*(bool(n & bit) for bit in (1, 2))) for n in range(4)),
    s.ready(), s.released(), s.released_on_testpypi(), s.rolled_back(),
    s.ready(clone=s.clone(changed=("a",), changed_count=1)), s.ready(ci=s.ci("failure")), s.ready(ci=s.ci("pending")),
    s.ready(runs=s.runs(s.run("in_progress"))), s.ready(remote=s.failed()), s.released(index={"pypi": s.failed()}),
    s.released(release=s.failed(), latest_release=s.failed(), repository=s.failed()), s.ready(pulls=s.failed()),
    s.ready(remote=s.remote(s.branch("release/testpypi-v0.1.5")), branch_pulls={"release/testpypi-v0.1.5": known(())}),
]  # fmt: skip


@pytest.mark.parametrize("snapshot", STATES)
def test_matrix_is_as_good_as_the_verdict(snapshot: Snapshot) -> None:
    found, verdict = rows(snapshot)
    states = {row.state for row in found.values()}
    bad = {Outcome.ACTION_NEEDED, Outcome.UNKNOWN, Outcome.IN_PROGRESS, Outcome.DEFECT}
    assert (verdict.exit is Exit.OK) == (not states & bad)
    # Each source that stands in the way has a row that says so, by the ID of a check.
    named = {check for row in found.values() for check in row.decided_by}
    wrong = {r.source for r in verdict.results if r.blocking and r.outcome is Outcome.ACTION_NEEDED}
    assert wrong <= {r.source for r in verdict.results if r.id in named} | ({"install"} & wrong)


@pytest.mark.parametrize(
    ("snapshot", "trace", "state", "observed"),
    [
        (s.ready(), "tag", Outcome.HOLDS, "none"),
        (
            s.ready(remote=s.remote(s.tag(commit=s.BASE)), history=s.history(s.lineage(s.BASE, on_base=True, ahead=0))),
            "index",
            Outcome.ACTION_NEEDED,
            "none",
        ),
        (s.released(remote=s.remote(), clone=s.clone()), "tag", Outcome.ACTION_NEEDED, "none"),
        (s.released(), "tag", Outcome.HOLDS, f"v0.2.0 at {s.HEAD[:12]}, annotated"),
        (s.released(remote=s.failed("git remote")), "tag", Outcome.UNKNOWN, "not observed: git remote: answered 503"),
        (s.ready(ci=s.ci("success", "pending")), "ci", Outcome.IN_PROGRESS, "pending: job 1"),
        (s.ready(ci=s.ci("failure", "success")), "ci", Outcome.ACTION_NEEDED, "red: job 0"),
        (s.ready(ci=s.ci("success", "success")), "ci", Outcome.HOLDS, "green: 2 of 2 passed"),
        (s.released(), "ci", None, "green: 1 of 1 passed"),
        (s.released(), "index", Outcome.HOLDS, "2 files: wheel, sdist"),
        (s.released(release=known(None)), "release", Outcome.ACTION_NEEDED, "none"),
        (s.released(), "pull-request", Outcome.HOLDS, "#7 merged"),
        (s.released_on_testpypi(), "pull-request", Outcome.NOT_APPLICABLE, "none"),
    ],
)
def test_row_says_what_was_observed(snapshot: Snapshot, trace: str, state: Outcome | None, observed: str) -> None:
    row = rows(snapshot)[0][trace]
    assert (row.state, row.observed) == (state, observed)
    assert row.link is not None and row.link.startswith("https://")
    assert bool(row.decided_by) == (state in (Outcome.ACTION_NEEDED, Outcome.UNKNOWN, Outcome.IN_PROGRESS))


def test_what_is_expected_is_said_though_nothing_was_observed() -> None:
    snapshot = s.ready(remote=s.failed(), repository=s.failed(), index={})
    assert not [row for row in build_matrix(Release(snapshot), verdict_of(snapshot)) if "not observed" in row.expected]


def test_advice_is_named_and_decides_nothing() -> None:
    lightweight = s.released(remote=s.remote(s.tag(annotated=False)), clone=s.clone())
    row = rows(lightweight)[0]["tag"]
    assert (row.state, row.decided_by) == (Outcome.HOLDS, ())
    assert "TAG-12" in row.advice


def test_what_no_check_looked_at_has_no_state() -> None:
    snapshot = s.ready()
    verdict = verdict_of(snapshot)
    narrowed = verdict.model_copy(update={"results": tuple(r for r in verdict.results if r.source == "tag")})
    found = {row.trace: row.state for row in build_matrix(Release(snapshot), narrowed)}
    assert found == {**dict.fromkeys(SIX), "tag": Outcome.HOLDS}


# --- timeline ----------------------------------------------------------------------------------------------------


def of_kind(found: Timeline, kind: str) -> list[Event]:
    return [event for event in found.events if event.kind == kind]


def seen(**changes: Any) -> Timeline:
    return build_timeline(Release(s.released(**changes)))


def test_events_come_in_order_and_those_without_a_time_last() -> None:
    files = (s.file(uploaded_at=LATER), s.file("sdist", uploaded_at=s.NOW, yanked=True, yanked_reason="bad"))
    found = seen(index={"pypi": s.project(*files)}, pulls=known((s.pull(merged_at=LATER + timedelta(days=400)),)))
    times = [event.at for event in found.events]
    dated = [moment for moment in times if moment]
    assert dated == sorted(dated)
    assert times[: len(dated)] == dated
    assert [event.state for event in of_kind(found, "upload")] == ["withdrawn", "done"]
    assert "bad" in of_kind(found, "upload")[0].detail
    assert found.events[len(dated) - 1].kind == "pull-merged"
    assert not found.gaps


def test_commits_of_the_branch_are_events() -> None:
    lineage = s.lineage(unmerged=(Commit(sha=s.OTHER, subject="fix", committed_at=s.NOW),), unmerged_count=1)
    found = seen(remote=s.remote(s.branch()), history=s.history(lineage))
    assert [event.title for event in of_kind(found, "commit")] == [f"{s.OTHER[:12]} fix"]
    assert len(of_kind(found, "branch")) == 1


def test_runs_are_those_of_this_release() -> None:
    """By what they say of themselves, or because a file was uploaded while one was at work; never another version's."""
    during = s.run(id=1, number=1, created_at=s.NOW, updated_at=LATER)
    other = s.run(id=2, number=2, head_branch="release/pypi-v0.3.0", created_at=s.NOW, updated_at=LATER)
    before = s.run(id=3, number=3, created_at=s.NOW - timedelta(days=2), updated_at=s.NOW - timedelta(days=1))
    ours = s.run(id=4, number=4, head_branch="release/pypi-v0.2.0", conclusion="failure", created_at=LATER)
    files = (s.file(uploaded_at=s.NOW + timedelta(minutes=1)),)
    found = seen(index={"pypi": s.project(*files)}, runs=s.runs(during, other, before, ours))
    assert [event.title for event in of_kind(found, "run")] == ["release run #1 succeeded", "release run #4 failed"]


def test_the_failed_step_is_named() -> None:
    [run] = of_kind(seen(last_run=s.explained()), "run")
    assert (run.state, run.detail) == ("failed", "in step Create release branch of job release")
    assert run.until is not None


def test_a_run_at_work_has_no_end() -> None:
    [run] = of_kind(seen(runs=s.runs(s.run("in_progress"))), "run")
    assert (run.state, run.until, run.title) == ("running", None, "release run #3 is in progress")


def test_what_was_not_observed_is_a_gap() -> None:
    found = seen(remote=s.failed("git remote"), index={}, runs=s.failed())
    assert found.gaps == ("branch and tag: answered 503", "uploads: not asked for", "release runs: answered 503")
