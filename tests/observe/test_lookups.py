"""The table of look-ups holds together, and each row sees the answers that it comes after and no others."""

from __future__ import annotations

import ast
import inspect
from graphlib import TopologicalSorter
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from release_state.facts import process
from release_state.model.observation import NotObserved, Observation, known
from release_state.model.snapshot import LOOKUPS, Remote, Snapshot, WorkflowFile, WorkflowFiles
from release_state.observe.call import Call, View
from release_state.observe.lookups import (
    READ_BY_PROCESS,
    ROWS,
    TABLE,
    TRACES,
    Lookup,
    lookups_of_phase,
    seen_by,
    with_needs,
    with_process,
)
from release_state.observe.sources import Sources
from tests.support import states as s

OBSERVED = {name for name in Snapshot.__struct_fields__ if "Observation[" in str(Snapshot.__annotations__[name])}


def test_each_field_of_the_snapshot_has_a_row_and_each_row_a_field() -> None:
    assert {row.fills for row in TABLE} == OBSERVED - {"rate_limit"}, "GitHub's answers tell the limit"
    assert tuple(row.name for row in TABLE if not row.part_of) == LOOKUPS
    assert len(ROWS) == len(TABLE)


def test_what_is_found_out_of_the_process_is_kept_by_every_row_that_it_is_read_from() -> None:
    """Snapshots that differ only in other rows share one answer."""
    parts = ast.walk(ast.parse(inspect.getsource(process)))
    read = {
        part.attr
        for part in parts
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "snapshot"
    }
    assert read & OBSERVED == {ROWS[name].fills for name in READ_BY_PROCESS}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_row_names_others_that_there_are(row: Lookup) -> None:
    assert {*row.after, *row.needs, row.asked_with} <= ROWS.keys()
    assert bool(row.what and row.right) is not bool(row.part_of), "a check names it, so the reference describes it"
    assert row.beginning(s.target(), "part"), "its key has a beginning"
    assert bool(row.phases) or row.otherwise is None


def test_no_rows_wait_for_each_other() -> None:
    after = {row.name: {*row.after, *(TRACES if row.phases else ())} for row in TABLE}
    tuple(TopologicalSorter(after).static_order())
    assert not any(ROWS[name].phases for name in TRACES), "the phase follows from these"


def test_a_row_sees_what_those_saw_that_it_comes_after() -> None:
    assert seen_by("calculation") == {"index", "workflow_files", "history", "remote", "clone", "pulls"}
    assert seen_by("remote") == frozenset()


def test_a_narrowed_run_asks_what_a_look_up_needs() -> None:
    assert with_needs({"opened"}) == {"opened", "index", "installation", "witness"}
    assert with_needs(LOOKUPS) == set(LOOKUPS)
    of_process = {"workflow_files", "earlier_pulls", "earlier_releases", "latest_release"}
    assert lookups_of_phase() == {"remote", "index", "pulls", "release", "drafts"} | of_process


def test_a_narrowed_run_asks_how_the_project_releases_where_that_matters() -> None:
    """Whether a pull request or a GitHub Release is missing follows from it, also in a phase that is given."""
    assert with_process({"pulls"}) == {"pulls", *lookups_of_phase()}
    assert with_process({"history", "clone"}) >= lookups_of_phase()
    for names in ({"clone"}, {"index"}, {"installation"}, {"services"}, {"actions_settings"}):
        assert with_process(names) == names


@pytest.mark.parametrize(
    ("changes", "pulls", "releases"),
    [
        ({}, ["release/pypi-v0.1.0", "release-please--branches--main"], ["v0.1.0"]),
        ({"target": s.target(given=("channels.pypi.leaves",))}, [], []),
        ({"target": s.target(channel=s.TESTPYPI)}, [], []),
        ({"remote": s.failed("git remote")}, [], []),
    ],
)
def test_earlier_versions_are_asked_where_they_can_tell(
    changes: dict[str, Any], pulls: list[str], releases: list[str]
) -> None:
    view = View(s.ready(**{"remote": s.remote(s.tag("v0.1.0")), **changes}), None, frozenset(LOOKUPS))
    sources: Any = SimpleNamespace(github=SimpleNamespace(pulls=list, release_by_tag=list))
    assert list(Sources.earlier_pulls(sources, view)) == pulls
    assert list(Sources.earlier_releases(sources, view)) == releases


PLEASE, CHANGESETS = "release-please--branches--main--components--orbit", "changeset-release/main"


@pytest.mark.parametrize(
    ("text", "unread", "changes", "asked"),
    [
        ("{uses: pypa/gh-action-pypi-publish@v1}", (), {}, []),
        ("{uses: googleapis/release-please-action@v4}", (), {}, [PLEASE]),
        ("{uses: changesets/action@v1}", (), {}, [CHANGESETS]),
        ("", (".github/workflows/large.yml",), {}, [PLEASE, CHANGESETS]),  # what it names is not known
        ("{uses: changesets/action@v1}", (), {"remote": s.failed("git remote")}, []),
        ("{uses: changesets/action@v1}", (), {"target": s.target(given=("channels.pypi.leaves",))}, []),
    ],
)
def test_the_branches_of_a_tool_are_asked_where_a_workflow_names_it(
    text: str, unread: tuple[str, ...], changes: dict[str, Any], asked: list[str]
) -> None:
    file = WorkflowFile(path=".github/workflows/propose.yml", text=f"on: push\njobs: {{a: {{steps: [{text}]}}}}\n")
    files = WorkflowFiles(commit=s.BASE, branch="main", files=(file,), unread=unread)
    view = View(s.ready(**{"workflow_files": known(files), **changes}), None, frozenset(LOOKUPS))
    sources: Any = SimpleNamespace(github=SimpleNamespace(pulls=list))
    assert list(Sources.tool_pulls(sources, view)) == asked


def upload(name: str, environment: str, step: str = "uses: pypa/gh-action-pypi-publish@v1") -> WorkflowFile:
    text = f"on: push\njobs: {{a: {{environment: {environment}, steps: [{{{step}}}]}}}}\n"
    return WorkflowFile(path=f".github/workflows/{name}.yml", text=text)


def environments_of(files: Observation[WorkflowFiles], *given: str, workflow: str = "") -> Call:
    state = s.ready(workflow_files=files, target=s.target(given=given, workflow=workflow))
    view = View(process.resolve(state), None, frozenset(LOOKUPS))
    sources: Any = SimpleNamespace(github=None)
    return Sources.environments(sources, view)


def test_environments_are_those_of_sure_publishers_of_the_base_branch() -> None:
    guess = upload("publish-guess", "guess", "run: ./upload, env: {TWINE_PASSWORD: x}")
    files = WorkflowFiles(
        commit=s.BASE, branch="main", files=(upload("a", "live"), guess), at_tag=(upload("old", "gone"),)
    )
    assert environments_of(known(files)).inputs == (("live",),)
    assert environments_of(known(replace(files, files=(guess,)))).inputs == ((),), "only a guess"
    none = environments_of(known(None))
    assert (none.inputs, none.ask()) == (((),), known(()))


@pytest.mark.parametrize("given", [(), ("workflow",)])
def test_without_the_workflow_files_no_environment_is_known(given: tuple[str, ...]) -> None:
    """Neither that there is none: its absence would admit every ref."""
    name = "a.yml" if given else ""
    files = WorkflowFiles(commit=s.BASE, branch="main", unread=(".github/workflows/a.yml",))
    for unread in (s.failed("release workflow"), known(files)):
        with pytest.raises(NotObserved):
            environments_of(unread, *given, workflow=name)
    if not given:
        other = WorkflowFile(path=".github/workflows/ci.yml", text="on: push\njobs: {a: {steps: [{run: make}]}}\n")
        with pytest.raises(NotObserved, match="is seen to publish"):
            environments_of(known(replace(files, files=(other,), unread=())))


def test_without_a_default_branch_no_branch_of_release_please_is_asked() -> None:
    bare = Remote(url="file:///x", default_branch=None, branches=(), tags=(s.tag("v0.1.0"),))
    sources: Any = SimpleNamespace(github=SimpleNamespace(pulls=list))
    asked = Sources.earlier_pulls(sources, View(s.ready(remote=known(bare)), None, frozenset(LOOKUPS)))
    assert list(asked) == ["release/pypi-v0.1.0"]
