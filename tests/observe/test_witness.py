"""What says that a version was published which PyPI does not have now: a run's own steps, and earlier reports."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from msgspec import structs

from release_state.demo.github import Job, Step
from release_state.model.observation import Observation, known
from release_state.model.outcome import Exit, Phase
from release_state.model.plan import Wanted
from release_state.model.snapshot import LOOKUPS, NOT_ASKED, Snapshot, Witness
from release_state.model.target import Target
from release_state.observe.call import Call, View
from release_state.observe.git.reader import find_repository
from release_state.observe.github.github import GitHub
from release_state.observe.github.run_log import RunLogs
from release_state.observe.http.client import HttpClient
from release_state.observe.http.limits import TimeLeft
from release_state.observe.lookups import ROWS
from release_state.observe.sources import Sources
from release_state.observe.witness import find_publishing_run, find_report_of, observe_witness
from release_state.report.document import to_json
from release_state.settings.config import Arguments, load
from tests.observe.conftest import NOW
from tests.report.test_json import document_of
from tests.standins.github import GitHubServer
from tests.standins.services import Reply
from tests.support import states as s
from tests.support.judged import verdict_of

TOKEN = "wri"
LOG = "Switched to a new branch 'release/pypi-v0.2.0'\n"
PUBLIC = structs.replace(s.PYPI, is_public_index=True)
TARGET = s.target(channel=PUBLIC, channels=(PUBLIC, s.TESTPYPI))
ALONE = s.target(channel=PUBLIC, channels=(PUBLIC,))


@pytest.fixture
def server(own_server: GitHubServer) -> GitHubServer:
    own_server.tokens.update({TOKEN: "read"})
    return own_server


def add(
    server: GitHubServer,
    step: str = "Publish",
    ended: str = "success",
    *,
    name: str = "release",
    log: str = LOG,
    **more: Any,
) -> None:
    at = NOW - timedelta(days=1) + timedelta(minutes=len(server.workflow_runs))
    job = Job(name, conclusion="success", steps=[Step("Build"), Step(step, conclusion=ended)], log=log)
    values: dict[str, Any] = {"conclusion": "success", "title": "Release", **more}
    server.add_run(created_at=at, jobs=[job], log=log, **values)


def look(server: GitHubServer, target: Target = TARGET, token: str | None = TOKEN) -> Observation[Witness]:
    client = HttpClient(5, token=token, token_host=server.url)
    runs = GitHub(client, server.url, "example-org/orbit", now=NOW).runs("release.yml").present()
    server.requests.clear()
    logs = RunLogs(client, server.url)
    return observe_witness(target, lambda: find_publishing_run(logs, "example-org/orbit", target, runs, ("v0.2.0",)))


# ── runs


@pytest.mark.parametrize("conclusion", ["success", "failure"])
@pytest.mark.parametrize("step", ["Publish", "Run pypa/gh-action-pypi-publish@release/v1", "Upload to PyPI", "twine"])
def test_a_run_whose_publishing_step_succeeded_is_a_witness(server: GitHubServer, step: str, conclusion: str) -> None:
    add(server, step, conclusion=conclusion)
    found = look(server).present()
    assert found.what == "release run #1 published it, by its own steps"
    assert found.html_url


@pytest.mark.parametrize("ended", ["failure", "skipped", "cancelled"])
def test_a_step_that_did_not_succeed_is_none(server: GitHubServer, ended: str) -> None:
    add(server, ended=ended, conclusion="failure")
    assert look(server).known() is None


@pytest.mark.parametrize(
    "step",
    ["Upload artifact", "Run actions/upload-artifact@v4", "Publish GitHub Release", "Upload release assets",
     "Publish docs", "Publish Docker image", "Check with twine", "Publish (dry run)", "Build", "Publish to npm"],
)  # fmt: skip
def test_a_step_that_publishes_something_else_is_none(server: GitHubServer, step: str) -> None:
    add(server, step)
    assert look(server).known() is None


def test_a_run_of_another_version_or_channel_is_none(server: GitHubServer) -> None:
    add(server, log=LOG.replace("0.2.0", "0.3.0"))
    add(server, log=LOG.replace("pypi", "testpypi"))
    add(server, name="Release (TestPyPI)")
    assert look(server).known() is None


@pytest.mark.parametrize("conclusion", ["failure", "skipped"])
@pytest.mark.parametrize("name", ["Publish to TestPyPI", "test-pypi", "Rehearse: upload"])
def test_what_was_published_to_testpypi_is_not_on_pypi(server: GitHubServer, name: str, conclusion: str) -> None:
    """The usual way: a tag publishes to TestPyPI, and then PyPI refuses what it was given, or is not asked."""
    action = "Run pypa/gh-action-pypi-publish@release/v1"
    tried = Step("Publish to PyPI", conclusion=conclusion)
    for jobs in (
        [Job("publish", steps=[Step(name if "ubl" in name else f"Publish to {name}"), tried])],
        [Job(name, steps=[Step(action)]), Job("publish", steps=[tried])],
        [Job("publish", steps=[Step(action), Step(action, conclusion="failure")])],
    ):
        server.workflow_runs.clear()
        at = NOW - timedelta(days=1)
        server.add_run(
            created_at=at, jobs=jobs, event="push", head_branch="v0.2.0", head_sha=server.branch_sha("main"),
            conclusion="failure", title="Release",
        )  # fmt: skip
        assert look(server, ALONE).known() is None
        assert look(server).known() is None


def test_a_dry_run_is_none(server: GitHubServer) -> None:
    add(server, title="Release (dry run)")
    add(server, log=f"{LOG}dry-run: true\n")
    assert look(server).known() is None


def test_a_run_that_the_tag_started_needs_no_log(server: GitHubServer) -> None:
    add(server, log="", event="push", head_branch="v0.2.0", head_sha=server.branch_sha("main"))
    assert look(server, ALONE, token=None).present().what.startswith("release run #1")
    assert [request.path.rpartition("/")[2] for request in server.requests] == ["jobs"]


def test_without_a_token_a_run_that_does_not_say_its_version_is_none(server: GitHubServer) -> None:
    add(server)
    assert look(server, token=None).known() is None


def test_at_most_three_runs_are_asked_about(server: GitHubServer) -> None:
    for _ in range(5):
        add(server, "Build")
    assert look(server).known() is None
    assert len(server.requests) == 3


def test_where_github_does_not_answer_it_is_unknown(server: GitHubServer) -> None:
    add(server)
    server.intercept = lambda request: Reply(503) if request.path.endswith("/jobs") else None
    found = look(server).unavailable
    assert found is not None and "503" in found.why


# ── reports


def written(folder: Path, snapshot: Snapshot, name: str = "orbit-0.2.0-20260102T030405Z.json") -> Target:
    """A report of that snapshot in the folder; the target that another run looks at."""
    (folder / name).write_text(to_json(document_of(snapshot)))
    return structs.replace(TARGET, reports_dir=str(folder))


def test_a_report_that_saw_it_is_a_witness(tmp_path: Path) -> None:
    target = written(tmp_path, s.released(target=TARGET))
    found = find_report_of(target)
    assert found is not None
    assert found.what == "the report orbit-0.2.0-20260102T030405Z.json saw it on the index"
    asked: list[str] = []
    assert observe_witness(target, lambda: asked.append("a run")).present() == found
    assert not asked


@pytest.mark.parametrize(
    "snapshot",
    [
        s.ready(target=TARGET),
        s.ready(target=TARGET, remote=s.remote(s.tag()), release=known(s.release())),
        s.released(target=TARGET, index={"pypi": s.failed("index pypi")}),
        s.released(target=structs.replace(TARGET, version="0.2.1")),
        s.released(target=structs.replace(TARGET, repository="someone/else")),
        s.released(target=s.target(channel=structs.replace(PUBLIC, index_url="http://127.0.0.1:9/simple/"))),
    ],
    ids=["nothing", "tagged alone", "not observed", "another version", "another repository", "another index"],
)
def test_a_report_that_did_not_see_it_there_is_none(snapshot: Snapshot, tmp_path: Path) -> None:
    assert find_report_of(written(tmp_path, snapshot)) is None


def test_what_is_no_report_is_passed_over(tmp_path: Path) -> None:
    target = written(tmp_path, s.released(target=TARGET), "orbit-0.2.0-20260101T000000Z.json")
    (tmp_path / "orbit-0.2.0-20260102T000000Z.json").write_text("")
    (tmp_path / "orbit-0.2.0-20260103T000000Z.json").write_text(json.dumps({"release_state_report": 99}))
    (tmp_path / "orbit-0.2.0-20260104T000000Z.json").symlink_to("/etc/passwd")
    assert find_report_of(target) is not None
    assert find_report_of(structs.replace(target, reports_dir=str(tmp_path / "none"))) is None
    assert find_report_of(TARGET) is None


# ── what follows


WITNESS = known(Witness(what="release run #12 published it, by its own steps", at=s.NOW, html_url=f"{s.WEB}/runs/12"))


def gone(witness: Observation[Witness] = WITNESS, **changes: Any) -> Snapshot:
    """Tagged and released on GitHub; PyPI has no file of it."""
    return s.released(target=TARGET, index={"pypi": s.project()}, witness=witness, **changes)


@pytest.mark.parametrize("wanted", ["auto", "complete", "rollback", "force-recovery"])
@pytest.mark.parametrize("witness", [WITNESS, s.failed("GitHub")], ids=["published", "not known"])
def test_what_is_gone_is_neither_published_again_nor_withdrawn(witness: Observation[Witness], wanted: Wanted) -> None:
    verdict = verdict_of(gone(witness), wanted)
    assert verdict.exit is Exit.UNKNOWN
    assert verdict.diagnosis.scenario == "index unknown"
    assert not [step for step in verdict.plan.steps if step.destroys]
    assert not [
        line for step in verdict.plan.steps for line in step.lines() if "twine" in line or "workflow run" in line
    ]


def test_it_says_what_may_have_happened_and_where_to_look() -> None:
    (found,) = [result for result in verdict_of(gone()).results if result.id == "INDEX-11"]
    assert "release run #12 published it, by its own steps, 2026-01-02 03:04 UTC (https://" in found.found
    assert "look at https://index.example/project/orbit/0.2.0/" in found.why
    assert "quarantined this release" in found.why and "deleted, release the next version" in found.why


def test_before_a_release_it_is_not_ready() -> None:
    snapshot = s.ready(target=TARGET, witness=WITNESS)
    assert verdict_of(snapshot, fixed_phase=Phase.PRE_RELEASE).exit is Exit.UNKNOWN


def test_a_tag_or_a_release_alone_stays_tagged_and_not_published() -> None:
    verdict = verdict_of(gone(Observation(value=None, unavailable=None)))
    assert (verdict.exit, verdict.diagnosis.scenario) == (Exit.ACTION_NEEDED, "B")
    assert any("twine" in line for step in verdict.plan.steps for line in step.lines())


def test_a_version_that_is_listed_without_files_was_deleted() -> None:
    deleted = structs.replace(gone(), index={"pypi": s.project(listed_without_files=("0.2.0",))})
    assert verdict_of(deleted).diagnosis.scenario == "burnt: deleted"


@pytest.mark.parametrize("unread", ["runs", "repository"])
def test_runs_that_could_not_be_read_are_no_proof_that_none_published_it(unread: str, tmp_path: Path) -> None:
    arguments = Arguments(
        versions=("0.2.0",), channels=("pypi",),
        settings={"package": "orbit", "repository": "octo/orbit", "remote-url": "https://git.example/octo/orbit.git"},
    )  # fmt: skip
    config = load(arguments, {}, tmp_path, find_repository)
    snapshot = gone(Observation(value=None, unavailable=None))

    def witness(answer: Observation[Any]) -> Observation[Any]:
        sources = Sources(
            config, token=None, own_run_id=None, environ={}, cancel=Event(), shared_limit=None, time=TimeLeft(60)
        )
        view = View(structs.replace(snapshot, **{unread: answer}), None, frozenset(LOOKUPS))
        call = ROWS["witness"].ask(sources, view)
        sources.close()
        assert isinstance(call, Call)
        return call.ask()

    found = witness(s.failed("GitHub"))
    assert found.unavailable
    assert verdict_of(gone(found)).exit is Exit.UNKNOWN
    assert witness(NOT_ASKED) == known(None), "a narrowed run asks for no runs"
