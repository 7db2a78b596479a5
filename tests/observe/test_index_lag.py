"""An index whose Simple API is behind its JSON API: published, not to be seen yet, and never taken for absent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from release_state.demo.dists import build_sdist, build_wheel
from release_state.demo.loopback import Request
from release_state.facts.release import Release
from release_state.model.observation import known
from release_state.model.outcome import Exit, Outcome, Phase
from release_state.model.plan import Wanted
from release_state.model.snapshot import IndexProject, Snapshot
from release_state.model.target import Channel
from release_state.observe.http.client import HttpClient
from release_state.observe.index.index import observe_index
from release_state.plan.recovery import Recovery
from tests.standins.index import IndexServer
from tests.standins.services import Reply
from tests.support import states as s
from tests.support.judged import CHECKS, ended, verdict_of

WHEN = datetime(2026, 1, 2, tzinfo=timezone.utc)
BOTH = ("sdist", "wheel")
WHEEL, SDIST = "orbit-0.2.0-py3-none-any.whl", "orbit-0.2.0.tar.gz"


@pytest.fixture
def index() -> Iterator[IndexServer]:
    """An index with both files of version 0.2.0."""
    with IndexServer(("pypi",), project="orbit") as server:
        common: dict[str, Any] = {"requires_python": ">=3.10", "summary": "An orbit."}
        name, content = build_wheel("orbit", "0.2.0", sources={}, license_text=b"x", **common)
        server.upload("pypi", name, content, WHEN)
        name, content = build_sdist("orbit", "0.2.0", files={}, **common)
        server.upload("pypi", name, content, WHEN)
        yield server


def observed(server: IndexServer, expected: tuple[str, ...] = BOTH, root: str = "") -> tuple[IndexProject, list[str]]:
    """What the index says of the version, and what it was asked, sorted."""
    server.requests.clear()
    channel = Channel(name="pypi", index_url=root or server.index_url("pypi"))
    found = observe_index(HttpClient(timeout=20), channel, "Orbit", "0.2.0", expected)
    return found.present(), sorted(request.path for request in server.requests)


PAGE, JSON = "/pypi/simple/orbit/", "/pypi/pypi/orbit/0.2.0/json"


def test_what_the_simple_api_lacks_is_looked_for_in_the_json_api(index: IndexServer) -> None:
    index.lag("pypi", "0.2.0")
    project, asked = observed(index)
    assert (project.files, set(project.catching_up)) == ((), {WHEEL, SDIST})
    assert asked == [JSON, PAGE]
    index.lag("pypi", WHEEL, lags=False)
    project, _ = observed(index)
    assert [file.filename for file in project.files] == [WHEEL]
    assert project.catching_up == (SDIST,)


def test_the_json_api_counts_only_for_what_is_missing(index: IndexServer) -> None:
    project, asked = observed(index)
    assert (
        project.catching_up == () and PAGE in asked
    )  # the other question may still be on its way: nobody waits for it
    index.delete("pypi", "0.2.0")
    project, asked = observed(index)
    assert project.catching_up == () and set(asked) == {JSON, PAGE}


def test_where_no_file_is_expected_the_json_api_is_not_asked(index: IndexServer) -> None:
    index.lag("pypi", "0.2.0")
    project, asked = observed(index, expected=())
    assert (project.catching_up, asked) == ((), [PAGE])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"info": {"name": "orbit", "version": "0.2.0"}}',
        b'{"info": {"name": "other", "version": "0.2.0"}, "urls": [{"filename": "x.whl"}]}',
        b'{"info": {"name": "orbit", "version": "0.2.1"}, "urls": [{"filename": "x.whl"}]}',
        b'{"info": {"name": "orbit", "version": "0.2.0"}, "urls": [1, {"filename": 2}, {"filename": ""}]}',
        b"<html>sign in",
    ],
)
@pytest.mark.parametrize("status", [200, 404, 500])
def test_no_answer_of_the_json_api_says_nothing(body: bytes, status: int, index: IndexServer) -> None:
    index.lag("pypi", "0.2.0")

    def answer(request: Request) -> Reply | None:
        told = {"Content-Type": "application/json"}
        return Reply(status, body=body, headers=told) if request.path.endswith("/json") else None

    index.intercept = answer
    assert observed(index)[0].catching_up == ()


def test_names_are_bounded(index: IndexServer) -> None:
    names = ["a" * 1_000, *(f"orbit-0.2.0-{number}.whl" for number in range(200))]
    body = {"info": {"name": "orbit", "version": "0.2.0"}, "urls": [{"filename": name} for name in names]}
    told = {"Content-Type": "application/json"}
    index.lag("pypi", "0.2.0")
    index.intercept = lambda r: (
        Reply(200, body=json.dumps(body).encode(), headers=told) if r.path.endswith("/json") else None
    )
    found = observed(index)[0].catching_up
    assert len(found) == 50 and max(map(len, found)) < 300


# --- what follows from it


def lagging(*, seen: tuple[str, ...] = (), coming: tuple[str, ...] = (WHEEL, SDIST), **changes: Any) -> Snapshot:
    """Released, with an index that is catching up."""
    files = [s.file(kind) for kind in seen]
    return s.released(index={"pypi": s.project(*files, catching_up=coming)}, published=known(None), **changes)


def outcome(check: str, snapshot: Snapshot) -> Outcome:
    return ended(CHECKS[check], Recovery(Release(snapshot)))[0]


def test_it_is_in_progress_and_not_missing() -> None:
    snapshot = lagging(installation=s.failed())
    verdict = verdict_of(snapshot)
    assert (verdict.phase, verdict.exit) == (Phase.POST_RECOVERY, Exit.IN_PROGRESS)
    assert {r.id: r.outcome for r in verdict.results if r.is_finding and r.blocking} == {
        "INDEX-11": Outcome.IN_PROGRESS
    }
    assert [step.title for step in verdict.plan.steps if not step.advice] == [
        f"Wait until the index lists {WHEEL}, {SDIST} for installers too"
    ]
    assert "--wait 600" in verdict.plan.steps[0].lines()[0]


def test_a_file_that_is_still_to_come_is_no_upload_that_stopped() -> None:
    assert outcome("INDEX-12", lagging(seen=("wheel",), coming=(SDIST,))) is Outcome.IN_PROGRESS
    assert outcome("INDEX-12", lagging(seen=("wheel",), coming=())) is Outcome.ACTION_NEEDED
    # The upload did stop, and what there is of it is on its way.
    snapshot = lagging(coming=(WHEEL,))
    assert Release(snapshot).missing_kinds == ("sdist",)


def test_what_was_uploaded_a_minute_ago_is_not_ready_to_be_released() -> None:
    snapshot = s.ready(index={"pypi": s.project(catching_up=(WHEEL,)), "testpypi": s.project()})
    assert outcome("INDEX-1", snapshot) is Outcome.ACTION_NEEDED
    assert verdict_of(snapshot).phase is Phase.POST_RECOVERY
    assert outcome("INDEX-21", snapshot) is Outcome.ACTION_NEEDED


@pytest.mark.parametrize("wanted", ["auto", "complete", "rollback"])
@pytest.mark.parametrize(
    "changes",
    [
        {"remote": s.remote(), "history": s.history(), "release": known(None), "pulls": known(())},
        {
            "remote": s.remote(s.branch()),
            "history": s.history(s.lineage()),
            "release": known(None),
            "pulls": known(()),
        },
        {"release": known(None), "pulls": known(())},
        {},
    ],
)
def test_no_plan_starts_a_published_version_again_or_deletes_its_tag(wanted: Wanted, changes: dict[str, Any]) -> None:
    plan = verdict_of(lagging(**changes), wanted).plan
    assert not dangerous(lagging(**changes), wanted)
    if wanted == "rollback":
        assert WHEEL in plan.steps[0].reason and plan.steps[0].title.startswith("Yank 0.2.0")


def dangerous(snapshot: Snapshot, wanted: Wanted) -> list[str]:
    """Commands that start the release again or delete its tag."""
    lines = [line for step in verdict_of(snapshot, wanted).plan.steps for line in step.lines()]
    return [line for line in lines if "gh workflow run" in line or ":refs/tags/v0.2.0" in line.split(" ")[-1:][0]]


def test_without_a_trace_of_it_on_the_index_both_are_offered() -> None:
    nothing = {"index": {"pypi": s.project()}, "release": known(None), "pulls": known(())}
    found = dangerous(s.released(published=known(None), **nothing), "rollback")
    assert [line for line in found if line.startswith("git push")]
    left = s.ready(remote=s.remote(s.branch()), history=s.history(s.lineage()))
    assert [line for line in dangerous(left, "auto") if "gh workflow run" in line]
