"""States inside a run that a tag started: before its upload, and where it must not upload."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from release_state.model.observation import known
from release_state.model.outcome import Outcome
from release_state.model.process import Process, Publisher, Start
from release_state.model.snapshot import OwnJob, OwnRun, Snapshot
from tests.support import states as s
from tests.support import workflows as w
from tests.support.facts import build
from tests.support.tagged import FLOW

HOLDS, ACTION = Outcome.HOLDS, Outcome.ACTION_NEEDED
UNKNOWN, PROGRESS = Outcome.UNKNOWN, Outcome.IN_PROGRESS
PUBLISHER = Publisher(
    workflow="release.yml",
    job="job publish of .github/workflows/release.yml",
    job_name="Upload",
    how="pypa/gh-action-pypi-publish",
    starts=(Start(kind="tag", filters=("v*",)),),
)


TWIN = "  more: {name: Upload, steps: [{uses: pypa/gh-action-pypi-publish@release/v1}]}\n"


def own_run(**changes: Any) -> OwnRun:
    """The run of the tag v0.2.0, on its commit."""
    given = {"id": 7, "ref": "refs/tags/v0.2.0", "sha": s.HEAD, "workflow": "release.yml", "job": "gate"}
    return build(OwnRun, **given | changes)


def publishes(*publishers: Publisher, **changes: Any) -> Any:
    """The target whose workflow publishes by these jobs."""
    return s.target(process=Process(publishers=publishers or (PUBLISHER,)), **changes)


def tagged(flow: str = FLOW, **changes: Any) -> Snapshot:
    """A state in which a run may upload 0.2.0: tagged on main, CI green on it, and nothing is published."""
    values: dict[str, Any] = {
        "target": publishes(),
        "phase": "pre-publish",
        "remote": s.remote(s.tag()),
        "history": s.history(s.lineage(on_base=True, ahead=0)),
        "ci": s.ci("success", sha=s.HEAD),
        "own_run": known(own_run()),
        "own_jobs": known(()),
        "workflow_files": w.observed(flow),
        **changes,
    }
    return s.ready(**values)


def job(state: str = "in_progress", *, begun: bool = True, attempt: int = 1) -> Any:
    """The state with this job of the run in GitHub's list."""
    return tagged(own_jobs=known((OwnJob(name="Upload", attempt=attempt, state=state, has_begun=begun),)))


def of_matrix(*begun: str) -> Snapshot:
    """The state with a publishing job that is named by an expression, of which these have begun."""
    name = "Upload to ${{ matrix.index }}"
    jobs = tuple(OwnJob(name=each, attempt=1, state="in_progress", has_begun=True) for each in begun)
    flow = w.without("name: Upload,", f"name: '{name}',", FLOW)
    return tagged(flow, target=publishes(structs.replace(PUBLISHER, job_name=name)), own_jobs=known(jobs))


def inside(part: str = "", instead: str = "") -> Snapshot:
    """The state in which gate and upload are in a workflow that the run's own one calls."""
    outer = "on: {push: {tags: ['v*']}}\njobs: {all: {uses: ./.github/workflows/x.yml}}\n"
    called = w.without(part, instead, FLOW.replace('on: {push: {tags: ["v*"]}}', "on: workflow_call"))
    publisher = structs.replace(PUBLISHER, job_name="all / Upload")
    return tagged(target=publishes(publisher), workflow_files=w.observed(outer, workflows_x=called))


ASKS = "always() && needs.gate.result == 'success'"
OFF = s.history(s.lineage())
LINE: dict[str, Any] = {
    "remote": s.remote(s.tag(), s.branch("0.2.x", s.OTHER)),
    "history": s.history(s.lineage(), s.lineage(s.OTHER), ancestors=((s.HEAD, s.OTHER),)),
}
TO_TESTPYPI: dict[str, Any] = {"target": publishes(channel=s.TESTPYPI), "index": {"testpypi": s.project()}}
RESPELLED: dict[str, Any] = {
    "target": publishes(given=("tag-template",)),
    "remote": s.remote(s.tag("0.2.0")),
    "own_run": known(own_run(ref="refs/tags/0.2.0")),
}

CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    ("TAG-41", "its tag", tagged(), HOLDS),
    ("TAG-41", "another version", tagged(own_run=known(own_run(ref="refs/tags/v0.3.0"))), ACTION),
    ("TAG-41", "a moving tag", tagged(own_run=known(own_run(ref="refs/tags/v0"))), ACTION),
    ("TAG-41", "deleted meanwhile", tagged(remote=s.remote()), ACTION),
    ("TAG-41", "moved meanwhile", tagged(remote=s.remote(s.tag(commit=s.OTHER))), ACTION),
    ("TAG-41", "another tag elsewhere", tagged(remote=s.remote(s.tag(), s.tag("0.2.0", s.OTHER))), ACTION),
    ("TAG-41", "against the template", tagged(**RESPELLED), ACTION),
    ("TAG-41", "remote silent", tagged(remote=s.failed("git remote")), UNKNOWN),
    ("TAG-41", "no such run", tagged(own_run=known(None)), UNKNOWN),
    ("RUN-41", "another upload of that name", tagged(FLOW + TWIN), ACTION),
    ("RUN-41", "not listed yet", tagged(), HOLDS),
    ("RUN-41", "waits for an approval", job("waiting", begun=False), HOLDS),
    ("RUN-41", "skipped in an attempt before", job("skipped", begun=False), HOLDS),
    ("RUN-41", "started", job(), UNKNOWN),
    ("RUN-41", "failed in an attempt before", job("failure"), UNKNOWN),
    ("RUN-41", "jobs unreadable", tagged(own_jobs=s.failed()), UNKNOWN),
    ("RUN-41", "in another workflow", tagged(own_run=known(own_run(workflow="gate.yml"))), UNKNOWN),
    ("RUN-41", "named by an expression", of_matrix(), HOLDS),
    ("RUN-41", "named by an expression, started", of_matrix("Upload to pypi"), UNKNOWN),
    ("RUN-41", "configured alone", tagged(target=publishes(structs.replace(PUBLISHER, job_name=""))), UNKNOWN),
    ("RUN-41", "in a called workflow", inside(), HOLDS),
    ("RUN-41", "in a called workflow, does not wait", inside("needs: sign", "needs: test"), ACTION),
    ("RUN-41", "a job that is not in the file", tagged(own_run=known(own_run(job="inner"))), UNKNOWN),
    ("RUN-41", "a file that cannot be read", tagged("jobs: ["), UNKNOWN),
    ("RUN-41", "files unknown", tagged(workflow_files=s.failed("release workflow")), UNKNOWN),
    ("RUN-41", "does not wait", tagged(w.without("needs: sign", "needs: test", FLOW)), ACTION),
    ("RUN-41", "runs in any case", tagged(w.without("name: Upload,", "name: Upload, if: always(),", FLOW)), ACTION),
    (
        "RUN-41",
        "asks for it",
        tagged(w.without("needs: [gate, test],", f"needs: [gate, test], if: {ASKS},", FLOW)),
        HOLDS,
    ),
    ("TAG-14", "before the upload, on a line", tagged(**LINE), HOLDS),
    ("TAG-14", "before the upload, nowhere", tagged(history=OFF), ACTION),
    ("TAG-14", "before the upload to a channel without tags", tagged(history=OFF, **TO_TESTPYPI), ACTION),
    ("META-11", "before the upload, the version", tagged(), HOLDS),
    ("META-11", "before the upload, unreadable", tagged(history=s.history(s.lineage(declared_version=None))), UNKNOWN),
    ("META-11", "before the upload, another", tagged(history=s.history(s.lineage(declared_version="0.1.0"))), ACTION),
    ("CI-1", "before the upload, red", tagged(ci=s.ci("failure", sha=s.HEAD)), ACTION),
    ("CI-1", "before the upload, pending", tagged(ci=s.ci("pending", sha=s.HEAD)), PROGRESS),
]
