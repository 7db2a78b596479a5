"""The state matrix and the timeline: what they say is what was observed, and what the checks say of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from release_state.facts.release import Release
from release_state.model.observation import known
from release_state.model.outcome import Exit, Outcome
from release_state.model.plan import Wanted
from release_state.model.snapshot import Branch, Commit, History, Snapshot, Tag
from release_state.report.document import Origin, build_report
from release_state.report.markdown import render_summary
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


@pytest.mark.parametrize("snapshot", STATES)
def test_a_row_leaves_out_what_its_findings_say(snapshot: Snapshot) -> None:
    found, verdict = rows(snapshot)
    said = {result.id: result.found for result in verdict.results}
    for row in found.values():
        expected, observed = row.leave_out(said)
        if not row.decided_by:
            assert (expected, observed, row.see) == (row.expected, row.observed, "")
            continue
        assert row.see == f"see {', '.join(row.decided_by)}" and not expected
        assert observed in ("", row.observed) and observed != "none" and "not observed" not in observed
        assert not observed or not [name for name in row.decided_by if observed in said[name]]


def test_a_row_keeps_what_no_finding_says() -> None:
    row = rows(s.released(remote=s.remote(s.tag(commit=s.OTHER))))[0]["tag"]
    assert row.decided_by
    assert row.leave_out(dict.fromkeys(row.decided_by, "another commit"))[1] == f"v0.2.0 at {s.OTHER[:12]}, annotated"
    assert row.leave_out(dict.fromkeys(row.decided_by, f"it is {row.observed}"))[1] == ""


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
        (s.released(), "release", Outcome.HOLDS, "v0.2.0, published 2026-01-02 02:04 UTC"),
        (s.released(release=known(s.release(published_at=None))), "release", Outcome.HOLDS, "v0.2.0"),
        (s.released(), "pull-request", Outcome.HOLDS, "#7 merged"),
        (s.released_on_testpypi(), "pull-request", Outcome.NOT_APPLICABLE, "none"),
    ],
)
def test_row_says_what_was_observed(snapshot: Snapshot, trace: str, state: Outcome | None, observed: str) -> None:
    row = rows(snapshot)[0][trace]
    assert (row.state, row.observed) == (state, observed)
    assert row.link is not None and row.link.startswith("https://")
    assert bool(row.decided_by) == (state in (Outcome.ACTION_NEEDED, Outcome.UNKNOWN, Outcome.IN_PROGRESS))


OPEN = s.released(
    pulls=known((s.open_pull(),)), remote=s.remote(s.tag(), s.branch()), release=known(None), ci=s.ci("pending")
)
SILENT = s.released(pulls=s.failed(), release=s.failed(), remote=s.failed(), ci=s.failed())
PAGES = [
    "branches/all?query=release%2Fpypi-v0.2.0",
    "tags",
    "",
    "releases",
    "pulls?q=is%3Apr%20head%3Arelease%2Fpypi-v0.2.0",
]


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (s.ready(), ["no release/pypi-v0.2.0", "no v0.2.0", "no file of 0.2.0", "none for v0.2.0", "none open",
                     f"green on main at {s.BASE[:12]}"]),
        (s.released(), ["no release/pypi-v0.2.0: #7 is merged", "v0.2.0", "sdist and wheel of 0.2.0, not yanked",
                        "published for v0.2.0", "open or merged", "not judged in this phase"]),
        (OPEN, ["release/pypi-v0.2.0 while #7 is open"]),
        (SILENT, ["release/pypi-v0.2.0 until its pull request is merged", "v0.2.0"]),
        (s.released_on_testpypi(), ["no release/testpypi-v0.2.0", "none: testpypi leaves no tag",
                                    "sdist and wheel of 0.2.0, not yanked", "none: testpypi leaves no release",
                                    "none: testpypi makes no pull request"]),
        (s.rolled_back(), ["no release/pypi-v0.2.0", "no v0.2.0, or kept while every file is yanked",
                           "no file of 0.2.0 that is not yanked", "none for v0.2.0", "none open"]),
    ],
    ids=["ready", "released", "open", "silent", "testpypi", "rolled back"],
)  # fmt: skip
def test_each_row_says_what_its_phase_expects(snapshot: Snapshot, expected: list[str]) -> None:
    assert [row.expected for row in rows(snapshot)[0].values()][: len(expected)] == expected


@pytest.mark.parametrize(
    ("snapshot", "pages"),
    [
        (s.ready(), [*PAGES, f"commit/{s.BASE}/checks"]),
        (SILENT, [*PAGES, "actions"]),
        (OPEN, [PAGES[0], "tree/v0.2.0", "", "releases", "pull/7"]),
        (s.released(pulls=known((s.pull(), s.pull(8, merged=False)))),
         [PAGES[0], "tree/v0.2.0", "", "releases/tag/v0.2.0", "pull/7"]),
        (s.ready(pulls=known((s.pull(8, merged=False), s.pull(9, merged=False)))), [*PAGES[:4], "pull/9"]),
    ],
    ids=["ready", "silent", "open", "merged and closed", "closed"],
)  # fmt: skip
def test_each_row_links_the_page_that_shows_it(snapshot: Snapshot, pages: list[str]) -> None:
    links = [row.link for row in rows(snapshot)[0].values()][: len(pages)]
    index = s.PYPI.index_url + "orbit/"
    assert links == [f"{s.WEB}/{page}" if page else index for page in pages]


def test_ci_links_the_job_that_stands_in_the_way() -> None:
    jobs = [s.job(n, state, html_url=f"{s.WEB}/job/{n}") for n, state in enumerate(("success", "pending", "failure"))]
    for results, page in ((jobs, 2), (jobs[:2], 1)):
        snapshot = s.ready(ci=s.ci("success", results=tuple(results)))
        assert rows(snapshot)[0]["ci"].link == f"{s.WEB}/job/{page}"


def test_a_finding_without_a_row_gets_its_own() -> None:
    found = rows(s.ready(clone=s.clone(changed=("a",), changed_count=1), runs=s.runs(s.run("in_progress"))))[0]
    own = {name: (row.state, row.decided_by) for name, row in found.items() if name not in SIX}
    assert own == {"run": (Outcome.IN_PROGRESS, ("RUN-1",)), "clone": (Outcome.ACTION_NEEDED, ("CLONE-1",))}


def test_what_is_expected_is_said_though_nothing_was_observed() -> None:
    snapshot = s.ready(remote=s.failed(), repository=s.failed(), index={})
    assert not [row for row in build_matrix(Release(snapshot), verdict_of(snapshot)) if "not observed" in row.expected]


def test_advice_is_named_and_decides_nothing() -> None:
    lightweight = s.released(remote=s.remote(s.tag(annotated=False)), clone=s.clone())
    row = rows(lightweight)[0]["tag"]
    assert (row.state, row.decided_by) == (Outcome.HOLDS, ())
    assert "TAG-12" in row.advice
    red = rows(s.ready(ci=s.ci("failure")))[0]["ci"]
    assert (red.decided_by, red.advice) == (("CI-1",), ())


LEFT = s.ready(remote=s.remote(s.branch()), history=s.history(s.lineage(unmerged_count=1)))


def test_what_the_plan_removes_is_left_over_and_red_everywhere() -> None:
    found, verdict = rows(LEFT)
    row = found["branch"]
    [number] = [number for number, step in enumerate(verdict.plan.steps, 1) if step.destroys]
    assert (row.state, row.words, row.removed_by) == (Outcome.ACTION_NEEDED, "left over", (number,))
    assert (row.expected, row.decided_by) == ("none", ())
    assert [name for name, row in found.items() if row.removed_by] == ["branch"]
    document = build_report([verdict], {LEFT.target.key: LEFT}, 1, s.NOW, None, Origin(host="here"), {})
    assert "| ✗ left over | none | release/pypi" in render_summary(document)


def test_a_pull_request_that_the_plan_closes_is_left_over() -> None:
    open_one = s.ready(
        pulls=known((s.open_pull(),)), open_pulls=known((s.open_pull(),)), remote=s.remote(s.branch()),
        history=s.history(s.lineage(unmerged_count=1)),
    )  # fmt: skip
    found, verdict = rows(open_one)
    assert verdict.plan.steps[0].title.startswith("Close pull request")
    assert (found["pull-request"].removed_by, found["pull-request"].state) == ((1,), Outcome.ACTION_NEEDED)


def test_nothing_is_left_over_of_a_release_that_is_whole() -> None:
    """Though a person asks for the plan that withdraws it: its verdict stays green."""
    found, verdict = rows(s.released(), "rollback")
    assert verdict.exit is Exit.OK
    steps = [step for step in verdict.plan.steps if step.destroys]
    assert steps and not any(step.advice for step in steps), "who asks for it means every step"
    assert not [row for row in found.values() if row.removed_by or row.words == "left over"]


def test_what_no_check_looked_at_has_no_state() -> None:
    snapshot = s.ready()
    verdict = verdict_of(snapshot)
    narrowed = structs.replace(verdict, results=tuple(r for r in verdict.results if r.source == "tag"))
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


def _marked(*refs: Branch | Tag, **dates: datetime) -> list[tuple[str, str]]:
    """The kinds and details of what git tells of a commit on main, with these refs."""
    on_main = Commit(sha=s.HEAD, subject="feat", committed_at=s.NOW)
    history = History(base_head=s.BASE, lineages=(), commits=(on_main,), tag_dates=dates)
    found = seen(remote=s.remote(*refs), history=known(history))
    return [(event.kind, event.detail) for event in found.events if event.kind in ("commit", "branch", "tag")]


@pytest.mark.parametrize(("base", "sha"), [(None, s.BASE), ("develop", s.OTHER)])
def test_before_a_release_the_head_of_the_base_branch_is_told(base: str | None, sha: str) -> None:
    commits = tuple(Commit(sha=each, subject="feat", committed_at=s.NOW) for each in (s.BASE, s.OTHER))
    history = known(History(base_head=sha, lineages=(), commits=commits))
    remote = s.remote(s.branch("develop", s.OTHER))
    found = build_timeline(Release(s.ready(target=s.target(base_branch=base), remote=remote, history=history)))
    told = [(event.title, event.detail) for event in of_kind(found, "commit")]
    assert told == [(f"{sha[:12]} feat", f"the head of {base or 'main'}")]


def test_a_commit_and_the_refs_that_name_it_are_told_once() -> None:
    """A branch, and a lightweight tag, have no time of their own."""
    assert _marked(s.branch()) == [("commit", "the head of release/pypi-v0.2.0")]
    assert _marked(s.tag(annotated=False)) == [("commit", "tagged v0.2.0")]
    assert _marked(s.branch(), s.tag(annotated=False)) == [("commit", "the head of release/pypi-v0.2.0, tagged v0.2.0")]
    assert _marked(s.tag(), **{s.TAG_OBJECT: LATER}) == [("commit", ""), ("tag", "")]
    assert _marked(s.branch(), s.tag(), **{s.TAG_OBJECT: LATER})[0] == ("commit", "the head of release/pypi-v0.2.0")


def test_runs_are_those_of_this_release() -> None:
    """By what they say of themselves, or because a file was uploaded while one was at work; never another version's."""
    during = s.run(id=1, number=1, created_at=s.NOW, updated_at=LATER)
    other = s.run(id=2, number=2, head_branch="release/pypi-v0.3.0", created_at=s.NOW, updated_at=LATER)
    before = s.run(id=3, number=3, created_at=s.NOW - timedelta(days=2), updated_at=s.NOW - timedelta(days=1))
    ours = s.run(id=4, number=4, head_branch="release/pypi-v0.2.0", conclusion="failure", created_at=LATER)
    files = (s.file(uploaded_at=s.NOW + timedelta(minutes=1)),)
    opened = known((s.pull(created_at=s.NOW - timedelta(hours=36)),))  # while the one before was at work
    found = seen(index={"pypi": s.project(*files)}, runs=s.runs(during, other, before, ours), pulls=opened)
    assert [event.title for event in of_kind(found, "run")] == ["release run #1 succeeded", "release run #4 failed"]


def test_the_failed_step_is_not_named_twice() -> None:
    """By its check alone: the timeline says when."""
    [run] = of_kind(seen(last_run=s.explained()), "run")
    assert (run.state, run.detail) == ("failed", "")
    assert run.until is not None


@pytest.mark.parametrize(
    ("changes", "title", "state", "detail"),
    [
        ({"conclusion": None}, "ended without a conclusion", "failed", ""),
        ({"conclusion": "timed_out"}, "timed_out", "failed", ""),
        ({"conclusion": "success", "started_at": LATER}, "succeeded", "done", ""),
    ],
)
def test_how_a_run_ended(changes: dict[str, Any], title: str, state: str, detail: str) -> None:
    run = s.run(**{"head_branch": "release/pypi-v0.2.0", **changes})
    [event] = of_kind(seen(runs=s.runs(run)), "run")
    assert (event.title, event.state, event.detail) == (f"release run #3 {title}", state, detail)
    assert event.at == (run.started_at or s.NOW)


def test_a_pull_request_is_opened_then_merged_or_closed() -> None:
    pulls = (s.pull(merged_at=LATER), s.pull(8, merged=False, closed_at=LATER), s.open_pull(9))
    events = [event for event in seen(pulls=known(pulls)).events if event.kind.startswith("pull")]
    assert sorted((event.title, event.state) for event in events) == [
        ("pull request #7 merged into main", "done"),
        ("pull request #7 opened", "done"),
        ("pull request #8 closed without a merge", "withdrawn"),
        ("pull request #8 opened", "done"),
        ("pull request #9 opened", "done"),
    ]


def test_a_run_at_work_has_no_end() -> None:
    [run] = of_kind(seen(runs=s.runs(s.run("in_progress"))), "run")
    assert (run.state, run.until, run.title) == ("running", None, "release run #3 is in progress")


def test_what_was_not_observed_is_a_gap() -> None:
    found = seen(remote=s.failed("git remote"), index={}, runs=s.failed())
    assert found.gaps == ("branch and tag: answered 503", "uploads: not asked for", "release runs: answered 503")
