"""What a check says it found, where one fact decides the words."""

from __future__ import annotations

from typing import Any

import pytest

from release_state.facts.release import Release
from release_state.facts.workflow.calls import ReleaseWorkflow
from release_state.facts.workflow.document import NotReadable, read_yaml
from release_state.facts.workflow.overlaps import find_variation
from release_state.facts.workflow.parsing import parse_workflow
from release_state.model.outcome import Statement
from release_state.model.snapshot import Snapshot
from release_state.plan.recovery import Recovery
from tests.checks.cases import built_files, ci
from tests.support import states as s
from tests.support import workflows as w
from tests.support.judged import CHECKS, ended

REQUIRED = s.base_rules(s.rule("required_status_checks", checks=("job 0",)))
HALF = {"ci": s.ci("failure", "failure")}


def found(check: str, snapshot: Snapshot) -> str:
    _, statement = ended(CHECKS[check], Recovery(Release(snapshot)))
    return statement.found if isinstance(statement, Statement) else ""


@pytest.mark.parametrize(
    ("snapshot", "said"),
    [
        (s.ready(ci=s.ci("failure")), "red: job 0 (failure)"),
        (s.ready(**HALF, base_rules=REQUIRED), "red: job 0 (failure, required); job 1 (failure, not required)"),
        (s.ready(ci=s.ci("pending")), f"pending: job 0 (pending) since {s.NOW:%Y-%m-%d %H:%M} UTC (0 min)"),
        (s.ready(ci=s.ci("success")), ""),
    ],
)
def test_ci_names_what_is_required(snapshot: Snapshot, said: str) -> None:
    assert found("CI-1", snapshot) == said


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"workflows": ci.STARTS, "ran": ("ci.yml",)}, "none of its jobs ran"),
        ({}, "no workflow starts on a push to the base branch"),
        ({"skip": "[skip ci]"}, "the commit message says [skip ci]"),
        ({"workflows": ci.AWAY}, "ci.yml: starts on a push to main"),
    ],
)
def test_why_a_commit_has_no_ci_of_its_own(changes: dict[str, Any], why: str) -> None:
    red = (s.job(0, "failure", commit=s.OTHER),)
    _, statement = ended(CHECKS["CI-1"], Recovery(Release(ci.expecting(nearest_results=red, **changes))))
    assert isinstance(statement, Statement) and statement.why.endswith(f"it has no CI of its own: {why}")
    beside = {"workflows": ci.STARTS, "ran": ("ci.yml",), "nearest_results": red}
    _, statement = ended(CHECKS["CI-1"], Recovery(Release(ci.expecting(s.job(1), **beside))))
    assert isinstance(statement, Statement) and statement.why.endswith(f"; {s.BASE[:12]} skips these jobs")


def test_files_that_the_index_has_are_not_built_again() -> None:
    """Another build has the same names."""
    state = built_files.built(*built_files.BOTH, index=built_files.HALF)
    assert found("DIST-1", state) == f"pypi already has {built_files.WHEEL}"
    _, statement = ended(CHECKS["DIST-1"], Recovery(Release(state)))
    assert isinstance(statement, Statement)
    [only] = statement.steps
    assert only.title.startswith("Leave what is published. Complete") and not only.commands and not only.destroys


@pytest.mark.parametrize(
    ("triggers", "group", "varies"),
    [
        ("workflow_dispatch", "r-${{ github.ref }}", None),
        ("{push: {tags: ['v*']}}", "r-${{ github.ref }}", "github.ref"),
        ("{push: {tags: ['v*']}}", "r-${{ github.ref_type }}", None),
        ("push", "release", None),
        ("workflow_dispatch", "${{ github.run_id }}", "github.run_id"),
        ("{workflow_dispatch: {inputs: {index: {}}}}", "r-${{ inputs.index }}", "inputs.index"),
        ("{workflow_dispatch: {inputs: {index: {}}}}", "r-${{ inputs.other }}", None),
    ],
)
def test_what_makes_a_group_vary(triggers: str, group: str, varies: str | None) -> None:
    text = f"on: {triggers}\njobs: {{a: {{steps: [{{run: make}}]}}}}\n"
    workflow = ReleaseWorkflow(w.PATH, {file.path: file.text for file in w.files(text)}, None)
    assert find_variation(group, workflow, None, of_tags="tags" in triggers) == varies


def test_the_commit_that_declares_the_version_fits_best() -> None:
    other = s.candidate(s.OTHER, declared_version="0.1.0", on_base=True)
    for order in ((other, s.candidate()), (s.candidate(), other)):
        release = Release(s.released(published=s.published(*order)))
        assert [candidate.sha for candidate in release.published_from] == [s.HEAD, s.OTHER]


@pytest.mark.parametrize(
    ("text", "why"),
    [("a: [", "line 1: expected the node content, but found '<stream end>'"),
     ("a: *b", "line 1: found undefined alias"),
     ("", "empty"), ("a: \x00", "the character 0 is not allowed")],
)  # fmt: skip
def test_why_a_file_is_no_yaml(text: str, why: str) -> None:
    with pytest.raises(NotReadable) as raised:
        read_yaml(text)
    assert why in str(raised.value)


@pytest.mark.parametrize(("depth", "is_read"), [(39, True), (40, False)])
def test_how_deep_a_file_may_nest(depth: int, is_read: bool) -> None:
    text = f"a: {'[' * depth}{']' * depth}"
    if is_read:
        assert read_yaml(text)
        return
    with pytest.raises(NotReadable, match="nested deeper than 40"):
        read_yaml(text)


@pytest.mark.parametrize(
    ("triggers", "by_tag"),
    [("{push: {tags: [v*]}}", True), ("{push: {tags: [v*], branches: [main]}}", False), ("{push: {}}", False),
     ("push", False), ("release", True), ("{release: {}, push: {tags: [v*]}}", True),
     ("{pull_request: {tags: [v*]}}", False)],
)  # fmt: skip
def test_what_only_a_tag_starts(triggers: str, by_tag: bool) -> None:
    assert parse_workflow(f"on: {triggers}\njobs: {{}}\n").by_tag is by_tag
