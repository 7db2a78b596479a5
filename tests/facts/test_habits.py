"""What a release leaves by the habit of earlier ones, and what stays unknown where a look-up failed."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from release_state.facts.process import explain_unread, resolve
from release_state.facts.release import Release
from release_state.model.observation import Observation, known
from release_state.model.outcome import Exit, Outcome
from release_state.model.snapshot import Snapshot, WorkflowFile, WorkflowFiles
from release_state.plan.steps.publication import run_workflow
from tests.support import states as s
from tests.support.judged import verdict_of

TESTS = "on: push\njobs: {test: {steps: [{run: pytest}]}}\n"
PUBLISH = "on: {push: {tags: ['v*']}}\njobs: {publish: {steps: [{uses: pypa/gh-action-pypi-publish@v1}]}}\n"
PROPOSE = "on: schedule\njobs: {update: {steps: [{uses: peter-evans/create-pull-request@v7}]}}\n"
EARLIER = {"release/pypi-v0.1.0": known(()), "release-please--branches--main": known(())}
NO_RELEASES: dict[str, Observation[Any]] = {"v0.1.0": known(None), "v0.0.9": known(None)}


def files(unread: tuple[str, ...] = (), **texts: str) -> dict[str, Any]:
    """These workflows at the head of main, by name."""
    found = tuple(WorkflowFile(path=f".github/workflows/{name}.yml", text=text) for name, text in texts.items())
    return {"workflow_files": known(WorkflowFiles(commit=s.BASE, branch="main", files=found, unread=unread))}


def outcome(snapshot: Snapshot, check: str) -> tuple[Outcome, str]:
    """How a check ends, and what it found."""
    (result,) = [each for each in verdict_of(snapshot).results if each.id == check]
    return result.outcome, result.found


def leaves(**changes: Any) -> tuple[str, ...]:
    """What a release leaves, in a project whose tags start the publication."""
    given = {"earlier_pulls": EARLIER, "earlier_releases": NO_RELEASES, "latest_release": known(None)}
    return resolve(s.ready(**{**files(publish=PUBLISH), **given, **changes})).target.channel.leaves


def test_what_no_earlier_release_has_is_not_asked_for() -> None:
    assert leaves() == ("tag",)
    assert leaves(**files(publish=PUBLISH, tests=TESTS)) == ("tag",)


@pytest.mark.parametrize(
    ("changes", "trace"),
    [
        ({"earlier_pulls": {**EARLIER, "release/pypi-v0.1.0": s.failed()}}, "pull-request"),
        ({"earlier_pulls": {**EARLIER, "release/pypi-v0.1.0": known((s.pull(),))}}, "pull-request"),
        ({"earlier_pulls": {}}, "pull-request"),  # nobody looked
        ({"pulls": known((s.open_pull(),))}, "pull-request"),
        ({"pulls": s.failed()}, "pull-request"),
        ({"earlier_releases": {**NO_RELEASES, "v0.1.0": s.failed()}}, "release"),
        ({"earlier_releases": {**NO_RELEASES, "v0.1.0": known(s.release("v0.1.0"))}}, "release"),
        ({"earlier_releases": {"v0.1.0": known(None)}}, "release"),  # too few to tell
        ({"latest_release": s.failed()}, "release"),
        ({"release": known(s.release())}, "release"),
        ({"release": s.failed()}, "release"),
        ({"target": s.target(given=("channels.pypi.leaves",))}, "release"),
    ],
)
def test_what_is_not_known_for_certain_stays(changes: dict[str, Any], trace: str) -> None:
    assert trace in leaves(**changes)


@pytest.mark.parametrize(
    "found",
    [
        {"workflow_files": s.failed("git history")},
        files((".github/workflows/other.yml",), publish=PUBLISH),
        files(tests=TESTS, propose=PROPOSE),
    ],
)
def test_a_workflow_that_was_not_read_may_make_them(found: dict[str, Any]) -> None:
    assert "pull-request" in leaves(**found)


LACKS_PULL = {"pulls": known(()), "earlier_pulls": {**EARLIER, "release/pypi-v0.1.0": s.failed()}}
LACKS_RELEASE = {"release": known(None), "earlier_releases": {**NO_RELEASES, "v0.1.0": s.failed()}}


@pytest.mark.parametrize(
    ("changes", "check", "words"),
    [
        ({**LACKS_PULL, "latest_release": known(s.release())}, "PULL-11", "pr create"),
        ({**LACKS_RELEASE, "latest_release": known(None)}, "RELEASE-11", "release create"),
    ],
)
def test_nobody_is_told_to_make_what_releases_may_not_have(changes: dict[str, Any], check: str, words: str) -> None:
    """A look-up of the habit failed: the trace is neither missing nor unnecessary."""
    snapshot = resolve(s.released(**files(publish=PUBLISH), **changes))
    how, found = outcome(snapshot, check)
    assert how is Outcome.UNKNOWN
    assert "answered 503" in found
    verdict = verdict_of(snapshot)
    assert verdict.exit is Exit.UNKNOWN
    assert not [line for step in verdict.plan.steps for line in step.lines() if words in line]


def test_without_a_known_publisher_runs_are_unknown() -> None:
    """The workflow is not missing: it is not known which one publishes."""
    snapshot = resolve(s.ready(**files(tests=TESTS, docs=TESTS)))
    assert snapshot.target.process.candidates == ("docs.yml", "tests.yml")
    for check in ("RUN-1", "WORKFLOW-1", "WORKFLOW-2"):
        how, found = outcome(snapshot, check)
        assert how is Outcome.UNKNOWN, check
        assert "no workflow file is seen to publish to pypi: docs.yml, tests.yml" in found
    assert verdict_of(snapshot).exit is Exit.UNKNOWN
    without = resolve(s.ready(**files()))
    assert outcome(without, "RUN-1")[0] is Outcome.NOT_APPLICABLE


def test_a_configured_file_that_is_not_there_is_missing() -> None:
    snapshot = resolve(s.ready(target=s.target(given=("workflow",)), **files(publish=PUBLISH)))
    how, found = outcome(snapshot, "WORKFLOW-1")
    assert how is Outcome.ACTION_NEEDED
    assert found.startswith("workflow release.yml is not on main; publish.yml publishes")


def test_a_workflow_that_github_does_not_know_is_not_called_missing() -> None:
    snapshot = resolve(s.ready(**files(publish=PUBLISH), runs=s.runs(exists=False)))
    assert outcome(snapshot, "RUN-1")[0] is Outcome.UNKNOWN
    given = structs.replace(snapshot, target=s.target(given=("workflow",)))
    assert outcome(given, "RUN-1")[0] is Outcome.ACTION_NEEDED


def test_a_workflow_that_was_not_read_may_publish_too() -> None:
    found = WorkflowFiles(commit=s.BASE, unread=(".github/workflows/big.yml", ".github/actions/x/action.yml"))
    problem = explain_unread(found)
    assert problem and "big.yml" in problem.why and "action.yml" not in problem.why
    assert explain_unread(WorkflowFiles(commit=s.BASE, unread=(".github/actions/x/action.yml",))) is None


def test_what_was_found_out_is_plain_text() -> None:
    """Names of jobs and files are strangers' text."""
    hostile = PUBLISH.replace("publish: {", '"a\\u001b[2Jb": {')
    process = resolve(s.ready(**files(publish=hostile))).target.process
    assert process.publishers
    assert all(line.isprintable() for line in (*process.evidence, process.publishers[0].job))


@pytest.mark.parametrize("found", [{"workflow_files": s.failed("git history")}, files(tests=TESTS), files()])
def test_no_workflow_is_started_by_a_guess(found: dict[str, Any]) -> None:
    snapshot = resolve(s.ready(**found))
    assert run_workflow(Release(snapshot)).commands == ()
    given = structs.replace(snapshot, target=s.target(given=("workflow",)))
    commands = run_workflow(Release(given)).commands
    is_missing = found["workflow_files"] == files()["workflow_files"]
    assert [command for command in commands if "release.yml" in command] == list(commands)
    assert bool(commands) is not is_missing, "GitHub starts none by hand that the default branch lacks"
