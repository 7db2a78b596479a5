"""States of the project on the index, and of its rehearsal on TestPyPI."""

from __future__ import annotations

from msgspec import structs

from release_state.model.observation import known
from release_state.model.outcome import Outcome
from release_state.model.snapshot import Snapshot
from tests.support import states as s
from tests.support import workflows as w

HOLDS, ACTION, UNKNOWN, NONE = Outcome.HOLDS, Outcome.ACTION_NEEDED, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


UPLOAD = f"pypa/gh-action-pypi-publish@{w.SHA}"


def marked(status: str | None) -> Snapshot:
    """A state in which the index marks the project."""
    return s.ready(index={"pypi": s.project(status=status, status_reason="by its owner")})


def tried(*versions: str, version: str = "0.2.0") -> Snapshot:
    """A state in which TestPyPI has these versions."""
    page = s.project(releases=dict.fromkeys(versions, False))
    return s.ready(target=s.target(version=version), rehearsal=page)


NOTHING = known(structs.replace(s.project(listed=False).present(), releases=()))
OTHERS = s.project(releases={"0.1.0": False})
FOR_PYPI = w.observed(f"on: {{push: {{tags: ['v*']}}}}\njobs: {{up: {{steps: [{{uses: {UPLOAD}}}]}}}}\n")
CHOSEN = w.observed(w.GOOD.replace(UPLOAD, f"{UPLOAD}\n        with: {{repository-url: '${{{{ inputs.url }}}}'}}"))

CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    ("INDEX-5", "says nothing", marked(None), HOLDS),
    ("INDEX-5", "active", marked("active"), HOLDS),
    ("INDEX-5", "a marker to come", marked("beloved"), HOLDS),
    ("INDEX-5", "archived", marked("archived"), ACTION),
    ("INDEX-5", "quarantined", marked("quarantined"), ACTION),
    ("INDEX-5", "deprecated", marked("deprecated"), ACTION),
    ("INDEX-5", "not listed", s.ready(index={"pypi": s.project(listed=False, releases={})}), NONE),
    ("INDEX-5", "index silent", s.ready(index={"pypi": s.failed("index pypi")}), UNKNOWN),
    ("TESTPYPI-1", "the version", tried("0.2.0"), HOLDS),
    ("TESTPYPI-1", "in another spelling", tried("0.2"), HOLDS),
    ("TESTPYPI-1", "a candidate of it", tried("0.2.0rc1"), HOLDS),
    ("TESTPYPI-1", "a development release of it", tried("0.2.0.dev3"), HOLDS),
    ("TESTPYPI-1", "an earlier candidate of a candidate", tried("0.2.0rc1", version="0.2.0rc2"), HOLDS),
    ("TESTPYPI-1", "a later candidate", tried("0.2.0rc2", version="0.2.0rc1"), ACTION),
    ("TESTPYPI-1", "a post-release of it", tried("0.2.0.post1"), ACTION),
    ("TESTPYPI-1", "others only", tried("0.1.0", "0.2.1rc1", "10.2.0"), ACTION),
    ("TESTPYPI-1", "nothing", s.ready(rehearsal=NOTHING, workflow_files=CHOSEN), ACTION),
    ("TESTPYPI-1", "nothing, and no workflow can", s.ready(rehearsal=NOTHING, workflow_files=FOR_PYPI), NONE),
    ("TESTPYPI-1", "others, and no workflow can", s.ready(rehearsal=OTHERS, workflow_files=FOR_PYPI), ACTION),
    (
        "TESTPYPI-1",
        "nothing, configured",
        s.ready(rehearsal=NOTHING, workflow_files=FOR_PYPI, target=s.target(given=("channels.testpypi.leaves",))),
        ACTION,
    ),
    ("TESTPYPI-1", "nothing, files unread", s.ready(rehearsal=NOTHING, workflow_files=s.failed("git")), UNKNOWN),
    ("TESTPYPI-1", "another channel", s.ready(rehearsal=known(None)), NONE),
    ("TESTPYPI-1", "index silent", s.ready(rehearsal=s.failed("index testpypi")), UNKNOWN),
]
