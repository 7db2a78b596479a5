"""Facts that a finding prints or a step rests on: one table each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from release_state.facts.beginning import find_beginning
from release_state.facts.declared.version_source import explain_no_version, find_described_instead
from release_state.facts.health import BEGINS_WITHIN, describe_trouble, explain_by_status, judge_ci
from release_state.facts.logs.explanation import explain_log
from release_state.facts.logs.lines import parse_log
from release_state.facts.origin import explain_closed, explain_dead_end, find_declared_instead
from release_state.facts.release import Release
from release_state.facts.workflow.artifacts import find_lost_artifacts
from release_state.facts.workflow.calls import ReleaseWorkflow
from release_state.facts.workflow.hazards import find_careless_uploads, find_shared_folders
from release_state.facts.workflow.making import list_tool_branches
from release_state.facts.workflow.model import JobStep
from release_state.facts.workflow.needs import ID_TOKEN, find_needs
from release_state.facts.workflow.weaknesses import find_shallow_checkouts, measure_runs
from release_state.model.observation import NotObserved, known, unavailable
from release_state.model.outcome import ActionNeeded
from release_state.model.snapshot import ExpectedCI, Tag, Witness
from release_state.plan.recovery import Recovery
from tests.checks.cases.permissions import UNSAID
from tests.checks.cases.services import INCIDENT, status
from tests.plan.test_start import publisher, tagged
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
        ("run: uv build --sdist", ("hatch-vcs",), "for uv build with hatch-vcs"),
        ("run: uv lock", ("hatch-vcs",), ""),
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


DECLARES_OTHER: dict[str, Any] = {
    "remote": s.remote(s.tag()),
    "history": s.history(s.lineage(declared_version="0.1.5")),
    "index": {"pypi": s.project(releases={"0.1.5": False})},
}


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({}, True),
        ({"remote": s.remote()}, False),
        ({"remote": s.remote(s.tag(), s.tag("v0.1.5", s.OTHER))}, False),
        ({"index": {"pypi": s.project()}}, False),
        ({"index": {"pypi": s.project(s.file(), releases={"0.1.5": False})}}, False),
        ({"index": {"pypi": s.project(releases={"0.1.5": False}, catching_up=("orbit-0.2.0.tar.gz",))}}, False),
        ({"history": s.history(s.lineage())}, False),
        ({"history": s.history(s.lineage(declared_version=None))}, False),
        ({"history": s.history(s.lineage(declared_version="0.1.5", claimed_by=("other/pyproject.toml",)))}, False),
    ],
    ids=["it", "no tag", "it has a tag", "not published", "this one published", "this one comes", "this one declared",
         "none declared", "another project's tag"],
)  # fmt: skip
def test_another_version_was_published_from_the_tag(changes: dict[str, Any], is_found: bool) -> None:
    found = find_declared_instead(Release(s.ready(**{**DECLARES_OTHER, **changes})))
    assert (found and (found[0].name, str(found[1]))) == (("v0.2.0", "0.1.5") if is_found else None)


@pytest.mark.parametrize(
    ("tag", "is_foreign"),
    [("other-v1.0.0", True), ("v0.1.0", False), ("nightly", False), ("other-v1.x", False)],
)
def test_the_latest_release_of_a_sibling_package(tag: str, is_foreign: bool) -> None:
    assert Release(s.ready(latest_release=known(s.release(tag)))).is_latest_foreign is is_foreign
    assert Release(s.ready(latest_release=known(None))).is_latest_foreign is False


@pytest.mark.parametrize(
    ("coming", "missing"), [("orbit-0.2.0-py3-none-any.whl", ("sdist",)), ("orbit-0.2.0.tar.gz", ("wheel",))]
)
def test_a_file_that_the_index_lists_soon_is_not_missing(coming: str, missing: tuple[str, ...]) -> None:
    assert Release(s.released(index={"pypi": s.project(catching_up=(coming,))})).missing_kinds == missing


def test_the_branches_of_the_pull_requests_of_tools() -> None:
    def named(text: str, *unread: str) -> tuple[str, ...]:
        return list_tool_branches(w.observed(text, unread=unread).present(), "main", "orbit")

    please, changesets = "release-please--branches--main--components--orbit", "changeset-release/main"
    assert named(w.GOOD) == ()
    assert named("uses: googleapis/release-please-action@v4") == (please,)
    assert named("uses: changesets/action@v1") == (changesets,)
    assert named(w.GOOD, ".github/workflows/large.yml") == (please, changesets), "any of them, for all that is known"


def built(*steps: str) -> ReleaseWorkflow:
    """A workflow of one job with these steps."""
    text = "on: push\njobs:\n  up:\n    steps:\n" + "".join(f"      - {step}\n" for step in steps)
    return ReleaseWorkflow(w.PATH, {file.path: file.text for file in w.files(text)}, None)


UPLOAD = "uses: pypa/gh-action-pypi-publish@v1.13.0"
TO_TEST = "repository-url: https://test.pypi.example/legacy/"
FETCH_ALL = "{uses: actions/download-artifact@v5, with: {path: dist}}"


@pytest.mark.parametrize(
    ("steps", "is_lost"),
    [
        ((FETCH_ALL, UPLOAD), True),
        ((FETCH_ALL, "uses: actions/setup-python@v6", UPLOAD), True),
        ((FETCH_ALL, "run: mv dist/*/* dist", UPLOAD), False),
        ((FETCH_ALL.replace("dist", "./all"), f"{{{UPLOAD}, with: {{packages-dir: all/}}}}"), True),
        ((FETCH_ALL.replace("dist", "all"), UPLOAD), False),
        ((FETCH_ALL.replace("path: dist", "path: dist, merge-multiple: true"), UPLOAD), False),
        ((FETCH_ALL.replace("path: dist", "path: dist, name: dist"), UPLOAD), False),
        ((FETCH_ALL.replace("v5", "v3"), UPLOAD), False),
        ((FETCH_ALL.replace("v5", "main"), UPLOAD), False),
    ],
    ids=["lost", "set up between", "moved", "another folder", "not there", "merged", "named", "v3", "unknown version"],
)
def test_artifacts_in_folders_of_their_own_are_not_uploaded(steps: tuple[str, ...], is_lost: bool) -> None:
    found = list(find_lost_artifacts(built(*steps)))
    assert ["folder of its own" in each for each in found] == [True] * is_lost


@pytest.mark.parametrize(
    ("steps", "is_careless"),
    [
        ((f"{{{UPLOAD}, continue-on-error: true}}",), True),
        ((UPLOAD,), False),
        ((f"{{{UPLOAD}, continue-on-error: true, with: {{{TO_TEST}}}}}",), False),
        ((f"{{{UPLOAD}, continue-on-error: true, id: up}}", "{run: exit 1, if: steps.up.outcome != 'success'}"), False),
        (("{run: ./ship.sh, continue-on-error: true, env: {TWINE_PASSWORD: x}}",), False),
    ],
    ids=["unseen", "not passed over", "a rehearsal", "looked at", "perhaps no upload"],
)
def test_a_failed_upload_that_nobody_sees(steps: tuple[str, ...], is_careless: bool) -> None:
    assert bool(list(find_careless_uploads(built(*steps)))) is is_careless


@pytest.mark.parametrize(
    ("first", "is_shared"),
    [
        (f"{{{UPLOAD}, with: {{{TO_TEST}}}}}", True),
        (f"{{{UPLOAD}, with: {{{TO_TEST}, packages-dir: other}}}}", False),
        (f"{{{UPLOAD}, with: {{{TO_TEST}, attestations: false}}}}", False),
        (UPLOAD, False),
    ],
    ids=["two indexes", "two folders", "nothing is attested", "one index"],
)
def test_one_folder_for_two_indexes(first: str, is_shared: bool) -> None:
    text = built(first, UPLOAD).texts[w.PATH].replace("on: push", "on: {push: {tags: ['v*']}}")
    assert bool(list(find_shared_folders(ReleaseWorkflow(w.PATH, {w.PATH: text}, None)))) is is_shared


def test_a_job_may_be_skipped_where_its_caller_may() -> None:
    def inner(condition: str = "", own: str = "") -> bool:
        calling = w.called(CALL).replace("    uses:", f"{condition}    uses:")
        texts = {
            f.path: f.text for f in w.files(calling, workflows_x=w.reusable().replace("    steps:", f"{own}    steps:"))
        }
        return [*ReleaseWorkflow(w.PATH, texts, None).jobs][-1].is_conditional

    skipped = "    if: github.ref == 'x'\n"
    assert (inner(), inner(skipped), inner(own=skipped), inner(skipped, skipped)) == (False, True, True, True)


@pytest.mark.parametrize(("seconds", "is_awaited"), [(0, True), (1, False)])
def test_what_begins_within_minutes_is_waited_for_until_then(seconds: int, is_awaited: bool) -> None:
    at = s.NOW - BEGINS_WITHIN - timedelta(seconds=seconds)
    expected = ExpectedCI(workflows=(s.pushed_workflow(),), push=s.push(at=at))
    assert judge_ci(s.ci(expected=expected).present()).state == ("not begun" if is_awaited else "missing")
    history = s.history(s.lineage(s.HEAD, on_base=True, ahead=0)).present()
    dated = known(structs.replace(history, tag_dates={s.TAG_OBJECT: at}))
    assert bool(find_beginning(Release(tagged(publisher("tag"), history=dated)))) is is_awaited


@pytest.mark.parametrize(
    ("beside", "annotated", "where", "is_preferred"),
    [
        (s.tag("v0.1.9"), False, "hatch-vcs", True),
        (s.tag("v0.1.9", annotated=False), False, "hatch-vcs", False),
        (s.tag("v0.1.9", s.OTHER), False, "hatch-vcs", False),
        (s.tag("v0.1.9"), True, "hatch-vcs", False),
        (s.tag("v0.1.9"), False, "pyproject.toml", False),
        (s.tag("latest"), False, "hatch-vcs", False),
        (s.tag("0.2.0"), False, "hatch-vcs", False),
    ],
    ids=["it is", "both lightweight", "another commit", "both annotated", "nothing asks git", "no version", "this one"],
)
def test_git_describe_prefers_an_annotated_tag(beside: Tag, annotated: bool, where: str, is_preferred: bool) -> None:
    own, history = s.tag(annotated=annotated), s.history(s.lineage(declared_where=where))
    found = find_described_instead(Release(s.ready(remote=s.remote(own, beside), history=history)), own)
    assert found == (beside if is_preferred else None)


@pytest.mark.parametrize(
    ("declared", "where", "unread", "why"),
    [
        (None, "", (), f"no readable version at {s.HEAD[:12]}: nothing declares it"),
        (None, "setup.py computes it", (), f"no readable version at {s.HEAD[:12]}: setup.py computes it"),
        ("0.0.0", "pyproject.toml", (), "pyproject.toml says 0.0.0, a placeholder"),
        ("0.1.0", "pyproject.toml", (".github/workflows/x.yml",), "x.yml, which may set it, was not read"),
        ("0.1.0", "pyproject.toml", (), ""),
    ],
)
def test_why_nobody_knows_what_a_build_is_called(
    declared: str | None, where: str, unread: tuple[str, ...], why: str
) -> None:
    lineage, files = s.lineage(declared_version=declared, declared_where=where), w.observed(unread=unread)
    found = explain_no_version(Release(s.ready(workflow_files=files)), lineage)
    assert why in (found.why if found else "") and bool(found) is bool(why)


@pytest.mark.parametrize(("event", "branch", "counts"), [("push", "main", True), ("workflow_dispatch", "main", False)])
def test_a_run_that_releases_is_no_ci_unless_it_tests_too(event: str, branch: str, counts: bool) -> None:
    checks = s.ci("success", results=(s.job(0, workflow_run=99), s.job(1)))
    release = Release(s.ready(ci=checks, runs=s.runs(s.run(event=event, head_branch=branch))))
    assert [each.name for each in release.ci.results] == ["job 0", "job 1"][0 if counts else 1 :]
    assert release.ci.left_out == (() if counts else ("job 0 (release workflow)",))


def test_a_project_is_unknown_where_a_quarantine_hides_its_files() -> None:
    new = structs.replace(s.project().present(), listed=False, releases=())
    hidden = structs.replace(new, listed=True, status="quarantined")
    assert not Release(s.ready(index={"pypi": known(new)})).is_published, "the first release"
    assert Release(s.released(index={"pypi": s.project(s.file(), status="quarantined")})).is_published
    with pytest.raises(NotObserved):
        assert Release(s.ready(index={"pypi": known(hidden)})).is_published


@pytest.mark.parametrize(
    ("sdist", "declared", "holds"),
    [("orbit-0.2.0.tar.gz", None, True), (None, "0.2.0", True), (None, "0.1.0", False), (None, None, False)],
)
def test_a_commit_that_only_a_wheel_was_compared_with_declares_the_version(
    sdist: str | None, declared: str | None, holds: bool
) -> None:
    candidate = s.candidate(declared_version=declared)
    published = s.published(candidate, sdist=sdist, wheel="orbit-0.2.0-py3-none-any.whl")
    assert Release(s.released(published=published)).holds_published(candidate) is holds


def test_what_saw_a_file_that_is_gone_is_linked() -> None:
    for link, ends in ((None, "2026-01-02 03:04 UTC"), (s.WEB, f"2026-01-02 03:04 UTC ({s.WEB})")):
        seen = known(Witness(what="release run #12 published it", at=s.NOW, html_url=link))
        with pytest.raises(NotObserved) as gone:
            assert Release(s.ready(witness=seen)).project
        assert gone.value.problem.why.endswith(ends)


def test_a_rule_for_commits_is_said_with_its_operator() -> None:
    for operator, shown in (("starts_with", ": starts with 'fix'"), ("regex", ": regex 'fix'")):
        rule = s.rule("commit_message_pattern", operator=operator, pattern="fix")
        _, said = ended(CHECKS["SETTING-31"], Recovery(Release(s.ready(branch_rules=known((rule,))))))
        assert isinstance(said, ActionNeeded) and shown in said.found
