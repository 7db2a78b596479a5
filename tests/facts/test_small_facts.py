"""Facts that a finding prints or a step rests on: one table each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from release_state.facts.health import describe_trouble, explain_by_status
from release_state.facts.logs.explanation import explain_log
from release_state.facts.logs.lines import parse_log
from release_state.facts.origin import explain_closed, explain_dead_end
from release_state.facts.release import Release
from release_state.facts.workflow.calls import ReleaseWorkflow
from release_state.facts.workflow.model import JobStep
from release_state.facts.workflow.needs import ID_TOKEN, find_needs
from release_state.facts.workflow.weaknesses import find_shallow_checkouts, measure_runs
from release_state.model.observation import NotObserved, known, unavailable
from release_state.plan.recovery import Recovery
from tests.checks.cases.permissions import UNSAID
from tests.checks.cases.services import INCIDENT, status
from tests.support import states as s
from tests.support import workflows as w
from tests.support.judged import CHECKS, ended

CALL = "./.github/workflows/x.yml"
PUBLIC = structs.replace(s.PYPI, is_public_index=True)


def test_an_incident_without_a_page_links_the_status_page() -> None:
    for link, shown in (("https://i.example", "https://i.example"), ("", "https://status.example")):
        found = status("operational", structs.replace(INCIDENT, link=link))
        assert describe_trouble(found.present()) == f"{INCIDENT.title} ({shown})"


@pytest.mark.parametrize(
    ("source", "is_named"),
    [
        ("index pypi", True),
        ("index internal", True),
        ("index other", False),
        ("index unknown", False),
        ("clone", False),
    ],
)
def test_a_status_page_explains_its_own_service_alone(source: str, is_named: bool) -> None:
    own, other = (structs.replace(s.PYPI, name=name) for name in ("internal", "other"))
    target = s.target(channel=own, channels=(PUBLIC, own, other))
    found = s.ready(target=target, services={"PyPI": status("degraded performance")}, index={})
    assert bool(explain_by_status(found, s.failure(source))) is is_named


def test_a_step_without_a_name_has_its_number() -> None:
    assert JobStep(number=2, name="Build").label == "step “Build”"
    assert JobStep(number=2).label == "step 2"


@pytest.mark.parametrize("command", ["--trusted-publishing never", "--trusted-publishing=never"])
def test_either_spelling_of_an_option_counts(command: str) -> None:
    def needs(run: str) -> list[str]:
        return [need.right for need in find_needs(JobStep(number=1, run=run), {}, pushes_with_own=True)]

    assert needs(f"uv publish {command}") == []
    assert needs("uv publish --trusted-publishing automatic") == [ID_TOKEN]


@pytest.mark.parametrize(("depth", "taken"), [("", "one commit"), ("1", "one commit"), ("5", "5 commits")])
def test_a_shallow_checkout_says_how_much_it_takes(depth: str, taken: str) -> None:
    given = f", with: {{fetch-depth: {depth}}}" if depth else ""
    text = f"on: push\njobs: {{a: {{steps: [{{uses: actions/checkout@v4{given}}}, {{run: git describe}}]}}}}\n"
    found = find_shallow_checkouts(ReleaseWorkflow(w.PATH, {file.path: file.text for file in w.files(text)}, None), ())
    assert found and f" {taken}, " in found[0]


@pytest.mark.parametrize(
    ("step", "requires", "what"),
    [
        ("uses: pypa/cibuildwheel@v3", ("setuptools-scm",), "for pypa/cibuildwheel with setuptools-scm"),
        ("run: python -m build", ("hatch-vcs",), "for build with hatch-vcs"),
        ("uses: pypa/cibuildwheel@v3", (), ""),
        ("uses: actions/upload-artifact@v5", ("setuptools-scm",), ""),
    ],
)
def test_a_build_needs_the_history_where_its_backend_reads_it(step: str, requires: tuple[str, ...], what: str) -> None:
    text = f"on: push\njobs: {{a: {{steps: [{{uses: actions/checkout@v4}}, {{{step}}}]}}}}\n"
    workflow = ReleaseWorkflow(w.PATH, {file.path: file.text for file in w.files(text)}, None)
    found = find_shallow_checkouts(workflow, requires) or ()
    assert [what in each for each in found] == ([True] if what else [])


@pytest.mark.parametrize(
    ("newest", "tags", "latest"),
    [
        ("0.3.0", ("v0.2.0", "v0.3.0"), "v0.3.0"),
        ("0.3.0", ("v0.2.0", "0.3.0"), "0.3.0"),
        ("0.3.0", ("v0.2.0", "0.3.0", "v0.3.0"), "v0.3.0"),
        ("0.3.0", ("v0.2.0",), None),
    ],
)
def test_the_mark_of_the_latest_release_belongs_to_the_newest_version(
    newest: str, tags: tuple[str, ...], latest: str | None
) -> None:
    page = s.project(s.file(), s.file("sdist"), releases={newest: False})
    found = s.released(index={"pypi": page}, remote=s.remote(*map(s.tag, tags)))
    assert Release(found).expected_latest == latest


def test_what_is_not_tagged_yet_does_not_take_the_mark_from_what_is() -> None:
    page = s.project(s.file(), s.file("sdist"), releases={"0.3.0": False, "0.4.0": False})
    tags = s.remote(s.tag("v0.2.0"), s.tag("v0.3.0"))
    assert Release(s.released(index={"pypi": page}, remote=tags)).expected_latest == "v0.3.0"
    marked = known(s.release("v0.4.0"))
    assert Release(s.released(index={"pypi": page}, remote=tags, latest_release=marked)).expected_latest is None


def test_an_upload_is_taken_until_the_last_moment() -> None:
    for seconds, is_closed in ((0, False), (1, True)):
        first = s.NOW - timedelta(days=14, seconds=seconds)
        target = s.target(channel=PUBLIC, channels=(PUBLIC, s.TESTPYPI))
        found = s.released(target=target, index={"pypi": s.project(s.file(uploaded_at=first))})
        assert bool(explain_closed(Release(found))) is is_closed


def explained_step(*lines: str) -> str | None:
    text = "".join(f"2026-01-02T03:04:05.1234567Z {line}\n" for line in lines)
    return explain_log(parse_log(text)).step


def test_the_step_is_that_of_the_line_that_explains_the_failure() -> None:
    exists = "fatal: a branch named 'release/pypi-v0.2.0' already exists"
    error = "##[error]Process completed with exit code 1."
    assert explained_step("##[group]Run branch", "##[endgroup]", exists, error) == "Run branch"
    assert explained_step("##[group]Run other", "##[endgroup]", "no reason at all", error) == "Run other"


@pytest.mark.parametrize(
    ("changes", "explained"),
    [
        ({}, ""),
        ({"remote": s.remote()}, ""),
        ({"history": s.history(s.lineage(declared_version="0.1.0")), "published": s.published()}, "another version"),
    ],
)
def test_why_a_version_cannot_be_completed(changes: dict[str, Any], explained: str) -> None:
    said = explain_dead_end(Release(s.released(**changes)))
    assert explained in said and bool(said) == bool(explained)


def test_earlier_tags_are_the_greatest_versions_below_in_the_templates_spelling() -> None:
    names = ("v0.1.0", "0.1.0", "v0.1.1", "0.1.2rc1", "v0.2.0", "v0.3.0", "latest", "0.0.9")
    for order in (names, tuple(reversed(names))):
        release = Release(s.ready(remote=s.remote(*map(s.tag, order))))
        assert release.find_earlier_tags(2) == (("0.1.1", "v0.1.1"), ("0.1.0", "v0.1.0"))
        assert release.find_earlier_tags(3)[2:] == (("0.0.9", "0.0.9"),)
        assert release.find_earlier_tags(1) == (("0.1.1", "v0.1.1"),)


@pytest.mark.parametrize(
    ("minutes", "conclusion", "counts"),
    [(20, "cancelled", True), (19.9, "cancelled", False), (20, "timed_out", True), (20, "failure", False),
     (1, "success", True)],
)  # fmt: skip
def test_a_run_that_its_limit_ended_counts(minutes: float, conclusion: str, counts: bool) -> None:
    run = s.run(conclusion=conclusion, created_at=s.NOW - timedelta(minutes=minutes))
    assert bool(measure_runs([run], 20)) is counts


def test_a_block_without_rights_gives_none_under_an_unknown_caller() -> None:
    for block, given in (("{}", "none"), ("{contents: read}", None)):
        texts = {file.path: file.text for file in w.files(w.called(CALL, ""), workflows_x=w.reusable("true", block))}
        *_, inner = ReleaseWorkflow(w.PATH, texts, None).jobs
        assert (inner.permissions and inner.permissions.get("contents")) == given


@pytest.mark.parametrize(
    ("remedy", "ends"),
    [("grant a right", "in the workflow, or grant a right"), (None, "`contents: write` in the workflow")],
)
def test_an_unknown_setting_says_what_may_be_done(remedy: str | None, ends: str) -> None:
    found = s.ready(workflow_files=w.observed(UNSAID), actions_settings=unavailable("GitHub", "403", remedy))
    _, missing = ended(CHECKS["PERMISSION-31"], Recovery(Release(found)))
    assert isinstance(missing, NotObserved) and (missing.problem.remedy or "").endswith(ends)
