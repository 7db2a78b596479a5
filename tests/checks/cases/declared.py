"""States of what commits declare: before a release, at its tag, and in the package's own source."""

from __future__ import annotations

from typing import Any

from release_state.model.observation import Observation, known
from release_state.model.outcome import Outcome
from release_state.model.process import Made, Process, Publisher, Start, StartKind, VersionWriter
from release_state.model.snapshot import Snapshot, WorkflowFile, WorkflowFiles
from release_state.model.target import Target
from tests.support import states as s

HOLDS, ACTION, UNKNOWN, NONE = Outcome.HOLDS, Outcome.ACTION_NEEDED, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

WRITER = VersionWriter(workflow="ship.yml", how="poetry version")
HERE = VersionWriter(workflow="ship.yml", how="sed -i", files=("./x.toml",))
ELSEWHERE = VersionWriter(workflow="ship.yml", how="sed -i", files=("docs/conf.py", "x.toml.md"))
CANDIDATES = s.target(workflow="", process=Process(candidates=("ci.yml",)))
REQUIRED = s.target(expected_before_release=("version", "changelog"))
NEVER: dict[str, Any] = {"given": ("expected-before-release",)}
UNREAD = known(WorkflowFiles(commit=s.BASE, unread=("big.yml",)))
PRETENDING = {
    "workflow_files": known(
        WorkflowFiles(
            commit=s.BASE,
            files=(WorkflowFile(path="ship.yml", text="env: {SETUPTOOLS_SCM_PRETEND_VERSION: 1}"),),
        )
    )
}
MISNAMED: dict[str, Any] = {"other_packages": ("orbit-demo",)}
_NEW = s.project(listed=False, releases={})
UNLISTED: dict[str, Any] = {"index": {"pypi": _NEW}}
LISTED_ELSEWHERE: dict[str, Any] = {"index": {"pypi": _NEW, "testpypi": s.project()}}
OTHER: dict[str, Any] = {"other_versions": (("src/orbit/__init__.py", "0.1.0"),)}


def started_by(
    *kinds: StartKind, writer: VersionWriter | None = None, makes: tuple[Made, ...] = (), **changes: Any
) -> Target:
    """A project whose upload these start."""
    starts = tuple(Start(kind=kind) for kind in kinds)
    publisher = Publisher(
        workflow="ship.yml", job="job up", job_name="up", how="uv publish", starts=starts, makes=makes
    )
    process = Process(publishers=(publisher,), version_writer=writer)
    return s.target(workflow="ship.yml", process=process, **changes)


def declares(version: str | None, target: Target = REQUIRED, state: Any = None, **changes: Any) -> Snapshot:
    """A state before the release in which the base branch declares this."""
    base = s.lineage(s.BASE, on_base=True, ahead=0, declared_version=version, **{"declared_where": "x.toml", **changes})
    return s.ready(**{"target": target, "history": s.history(base), **(state or {})})


def dynamic(target: Target, state: Any = None) -> Snapshot:
    """A state before the release in which a tool computes the version from tags."""
    return declares(None, target, state, version_is_dynamic=True, declared_where="setuptools-scm")


def tagged(version: str | None, target: Target | None = None, state: Any = None, **changes: Any) -> Snapshot:
    """A released state in which the tagged commit declares this."""
    history = s.history(s.lineage(declared_version=version, **{"declared_where": "x.toml", **changes}))
    return s.released(**{"history": history, **({"target": target} if target else {}), **(state or {})})


UNPUBLISHED: dict[str, Any] = {"index": {"pypi": s.project()}, "published": known(None)}
SILENT: dict[str, Observation[Any]] = {"workflow_files": s.failed("release workflow")}
PUBLISHED = {"pypi": s.project(s.file(), s.file("sdist"))}


def beside_candidate(tool: str = "setuptools-scm", *, annotated: bool = False, state: Any = None) -> Snapshot:
    """A tag on the commit of the release candidate, which has an annotated tag; nothing is published."""
    remote = s.remote(s.tag(annotated=annotated), s.tag("v0.2.0rc1"))
    state = {**UNPUBLISHED, "remote": remote, **(state or {})}
    return tagged(None, version_is_dynamic=True, declared_where=tool, state=state)


CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    ("META-1", "right", declares("0.2.0"), HOLDS),
    ("META-1", "equal by PEP 440", declares("0.2"), HOLDS),
    ("META-1", "wrong", declares("0.1.0"), ACTION),
    ("META-1", "no version at all", declares("banana"), ACTION),
    ("META-1", "unreadable", declares(None), UNKNOWN),
    ("META-1", "dynamic", declares(None, version_is_dynamic=True), NONE),
    ("META-1", "written by the release", declares("0.1.0", s.target(**NEVER)), NONE),
    ("META-1", "of whom nothing is seen to publish", declares("0.1.0", s.target()), UNKNOWN),
    ("META-1", "history silent", s.ready(target=REQUIRED, history=s.failed()), UNKNOWN),
    ("META-1", "by tag, right", declares("0.2.0", started_by("tag")), HOLDS),
    ("META-1", "by tag, the version before", declares("0.1.0", started_by("tag")), ACTION),
    ("META-1", "by tag, a development version", declares("0.2.0.dev0", started_by("tag")), ACTION),
    ("META-1", "by release", declares("0.1.0", started_by("release")), ACTION),
    ("META-1", "by hand or tag", declares("0.1.0", started_by("dispatch", "tag")), ACTION),
    ("META-1", "by a push to the branch", declares("0.1.0", started_by("branch", "dispatch")), ACTION),
    ("META-1", "by merging its pull request", declares("0.1.0", started_by("pull-request")), ACTION),
    ("META-1", "by hand", declares("0.1.0", started_by("dispatch")), UNKNOWN),
    ("META-1", "by hand, right", declares("0.2.0", started_by("dispatch")), HOLDS),
    ("META-1", "by hand, set by the run", declares("0.1.0", started_by("dispatch", writer=WRITER)), NONE),
    ("META-1", "by hand, never declared", declares("0.1.0", started_by("dispatch", **NEVER)), NONE),
    ("META-1", "by what no file says", declares("0.1.0", started_by()), UNKNOWN),
    ("META-1", "by tag, dynamic", declares(None, started_by("tag"), version_is_dynamic=True), NONE),
    ("META-1", "by hand, dynamic", dynamic(started_by("dispatch")), UNKNOWN),
    ("META-1", "by a schedule, dynamic", dynamic(started_by("schedule", "dispatch")), UNKNOWN),
    ("META-1", "by hand, dynamic, set by the run", dynamic(started_by("dispatch", writer=WRITER)), NONE),
    ("META-1", "by hand, dynamic, tagged by the run", dynamic(started_by("dispatch", makes=("tag",))), NONE),
    ("META-1", "by hand, dynamic, set by a variable", dynamic(started_by("dispatch"), PRETENDING), NONE),
    ("META-1", "by another workflow, dynamic", dynamic(started_by("workflow")), NONE),
    ("META-1", "by tag, unreadable", declares(None, started_by("tag")), UNKNOWN),
    ("META-1", "by tag, a placeholder", declares("0.0.0", started_by("tag")), UNKNOWN),
    ("META-1", "by tag, set by the run", declares("0.0.0", started_by("tag", writer=WRITER)), NONE),
    ("META-1", "by tag, set by the run in this file", declares("0.1.0", started_by("tag", writer=HERE)), NONE),
    ("META-1", "by tag, set in another file", declares("0.1.0", started_by("tag", writer=ELSEWHERE)), ACTION),
    ("META-1", "by hand, set in another file", declares("0.1.0", started_by("dispatch", writer=ELSEWHERE)), UNKNOWN),
    ("META-1", "by tag, never declared", declares("0.1.0", started_by("tag", **NEVER)), NONE),
    ("META-1", "by tag, an unread file", declares("0.1.0", started_by("tag"), {"workflow_files": UNREAD}), UNKNOWN),
    (
        "META-1",
        "by tag, right, an unread file",
        declares("0.2.0", started_by("tag"), {"workflow_files": UNREAD}),
        HOLDS,
    ),
    ("META-1", "by what is not known", declares("0.1.0", CANDIDATES), UNKNOWN),
    ("META-1", "by what is not known, right", declares("0.2.0", CANDIDATES), HOLDS),
    ("META-1", "workflows silent", declares("0.1.0", s.target(), SILENT), UNKNOWN),
    ("META-1", "workflows silent, right", declares("0.2.0", s.target(), SILENT), HOLDS),
    ("META-11", "right", s.released(), HOLDS),
    ("META-11", "wrong", tagged("0.1.0"), ACTION),
    ("META-11", "dynamic", tagged(None, version_is_dynamic=True), NONE),
    ("META-11", "a lightweight tag beside a candidate's", beside_candidate(), ACTION),
    ("META-11", "an annotated tag beside a candidate's", beside_candidate(annotated=True), NONE),
    ("META-11", "beside a candidate's, of a tool that sorts", beside_candidate("poetry-dynamic-versioning"), NONE),
    ("META-11", "a lightweight tag, published", beside_candidate(state={"index": PUBLISHED}), NONE),
    ("META-11", "unreadable, published", tagged(None), NONE),
    ("META-11", "unreadable, not published", tagged(None, state=UNPUBLISHED), UNKNOWN),
    ("META-11", "set by the run that the tag started", tagged("0.0.0", started_by("tag", writer=WRITER)), NONE),
    ("META-11", "set in this file by the run", tagged("0.0.0", started_by("tag", writer=HERE)), NONE),
    ("META-11", "set in another file by the run", tagged("0.1.0", started_by("tag", writer=ELSEWHERE)), ACTION),
    ("META-11", "set by a run before the tag", tagged("0.1.0", started_by("dispatch", writer=WRITER)), ACTION),
    ("META-3", "built", declares("0.2.0"), HOLDS),
    ("META-3", "another package", declares(None, **MISNAMED, state=UNLISTED), ACTION),
    ("META-3", "another package, listed", declares(None, **MISNAMED), HOLDS),
    ("META-3", "listed on another index", declares(None, **MISNAMED, state=LISTED_ELSEWHERE), HOLDS),
    ("META-3", "new", declares("0.2.0", state=UNLISTED), HOLDS),
    ("META-3", "history silent", s.ready(history=s.failed(), **UNLISTED), UNKNOWN),
    ("META-3", "index silent", declares(None, **MISNAMED, state={"index": {"pypi": s.failed("index pypi")}}), UNKNOWN),
    ("META-31", "one version", declares("0.2.0"), HOLDS),
    ("META-31", "two versions", declares("0.2.0", **OTHER), ACTION),
    ("META-31", "nothing to compare", declares(None), NONE),
    ("META-31", "history silent", s.ready(history=s.failed()), UNKNOWN),
    ("META-31", "released with one", s.released(), HOLDS),
    ("META-31", "released with two", tagged("0.2.0", **OTHER), ACTION),
    ("META-31", "two at the tag, before the upload", tagged("0.2.0", **OTHER, state={"phase": "pre-publish"}), ACTION),
    ("META-31", "no tag", s.released(remote=s.remote()), NONE),
]
