"""What an audit and a run over many projects hand on: their JSON by its schema, summary, annotations and outputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec import structs

import release_state
from release_state.audit.audit import Audit
from release_state.audit.fleet import report as fleet_page
from release_state.audit.fleet.projects import ProjectRow
from release_state.audit.fleet.report import step_report as fleet_step
from release_state.audit.report import document as audit_document
from release_state.audit.report.summary import step_report as audit_step
from release_state.audit.versions import AuditSnapshot
from release_state.model.observation import Observation, Problem
from release_state.model.outcome import Exit
from release_state.model.plan import step
from release_state.report.actions import StepReport, WorkflowStep
from tests.fleet.test_fleet import row_of
from tests.report.test_workflow import OURS, Page
from tests.support.histories import history, index, indexed, tagged, verdict_of, with_more
from tests.support.hostile import HOSTILE, LONG, OBEYED
from tests.support.runner import obeyed, outputs
from tests.support.schemas import audit_schema, fleet_schema
from tests.support.states import NOW, failed

SCHEMAS = Path(release_state.__file__).parent / "report" / "schemas"
PUBLISHED = history().index.present().versions
DISAGREES = with_more(tagged("v0.4.0"), index=index(*PUBLISHED, listed_without_files=("0.2.5",)))
SILENT = history(remote=failed("git remote"))


def audited(*found: AuditSnapshot) -> StepReport:
    return audit_step([verdict_of(Audit(each)) for each in found], "report.html")


def wrong(**changes: Any) -> ProjectRow:
    part = row_of(1).parts[0]
    steps = (step("Create the tag", ["git", "push"]),)
    given = {"verdict": "ACTION NEEDED", "exit_code": 1, "findings": ("no tag",), "steps": steps, **changes}
    return row_of(1, parts=(structs.replace(part, **given),))


# ---- the documents


@pytest.mark.parametrize(("name", "schema"), [("audit", audit_schema()), ("fleet", fleet_schema())])
def test_the_shipped_schema_is_the_models(name: str, schema: dict[str, Any]) -> None:
    assert json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")) == schema
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("found", [history(), DISAGREES, SILENT], ids=["agrees", "disagrees", "silent"])
def test_the_document_of_an_audit_is_of_its_schema(found: AuditSnapshot) -> None:
    verdict = verdict_of(Audit(found))
    document = json.loads(audit_document.build_document([verdict], int(verdict.exit), NOW, "page.html"))
    Draft202012Validator(audit_schema()).validate(document)
    assert document["audits"][0]["history"]


def test_the_document_of_many_projects_is_of_its_schema() -> None:
    rows = [row_of(0), wrong(retry_at="2026-01-01T00:00:00+00:00"), row_of(2, defect="broke", parts=())]
    document = json.loads(fleet_page.build_document(rows, 3, 3, NOW, "folder"))
    Draft202012Validator(fleet_schema()).validate(document)
    assert [project["verdict"] for project in document["projects"]] == [
        "HISTORY AGREES",
        "ACTION NEEDED",
        "DEFECT OF THE SUITE",
    ]


# ---- what is handed on


def test_an_audit_tells_each_kind_once() -> None:
    told = audited(DISAGREES)
    found = obeyed("\n".join(told.annotations()))
    titles = [each.properties["title"] for each in found]
    assert "1 not-published: orbit on pypi" in titles
    assert "fix: " in found[0].data
    assert [each.name for each in found] == sorted(each.name for each in found), "errors first"
    assert (told.verdict, told.phase) == ("ACTION NEEDED", "audit")
    page = Page(told.summary(100_000))
    assert "ACTION NEEDED: orbit on pypi" in page.text
    assert "not-published" in page.text and "0.4.0" in page.text


def test_an_audit_that_agrees_annotates_nothing() -> None:
    told = audited(history())
    assert told.annotations() == []
    assert "HISTORY AGREES" in told.summary(100_000)


def test_of_several_channels_the_one_that_decides_gives_the_verdict() -> None:
    assert audited(history(), SILENT).verdict == "COULD NOT VERIFY"
    assert audited(history(), SILENT, DISAGREES).verdict == "ACTION NEEDED"


def test_a_list_tells_each_project_that_is_wrong() -> None:
    told = fleet_step([row_of(0), wrong()], 2, "report.html")
    (found,) = obeyed("\n".join(told.annotations()))
    assert (found.name, found.data) == ("error", "no tag\nfix: Create the tag")
    assert (told.verdict, told.phase) == ("ACTION NEEDED: 1 of 2 projects", "fleet")
    page = Page(told.summary(100_000))
    assert "p0" in page.text and "git push" in page.text
    unknown = fleet_step([wrong(exit_code=int(Exit.UNKNOWN), verdict="COULD NOT VERIFY")], 1, "report.html")
    assert [each.name for each in obeyed("\n".join(unknown.annotations()))] == ["warning"]


def test_what_is_long_is_cut() -> None:
    told = fleet_step([wrong(findings=(LONG,)) for _ in range(200)], 200, "report.html")
    assert len(told.summary(9_000).encode()) <= 9_000
    assert told.summary(9_000).endswith("all of it: report.html\n")


def hostile_audit() -> StepReport:
    refused: Observation[Any] = Observation(
        value=None, unavailable=Problem(source="GitHub", why=HOSTILE, remedy=HOSTILE)
    )
    page = index(indexed("0.2.0", 3), status="archived", status_reason=LONG, skipped=(HOSTILE,))
    blind = history(releases=refused)
    return audited(with_more(tagged(f"v0.4.0-{'x' * 20}"), index=page), blind)


@pytest.mark.parametrize(
    "told",
    [hostile_audit(), fleet_step([wrong(findings=(HOSTILE, LONG), verdict=HOSTILE)], 1, "r.html")],
    ids=["audit", "fleet"],
)
def test_remote_text_is_text_and_nothing_else(told: StepReport) -> None:
    markdown = told.summary(250_000)
    assert "hacked" in markdown
    assert not set(OBEYED) & set(markdown)
    page = Page(markdown)
    assert page.tags <= OURS
    assert "javascript:" not in "".join(page.links)
    lines = told.annotations()
    assert len(obeyed("\n".join(lines))) == len(lines) > 0


def test_outputs_and_summary_are_written(tmp_path: Path) -> None:
    files = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "GITHUB_OUTPUT": str(tmp_path / "output")}
    workflow = WorkflowStep({"GITHUB_ACTIONS": "true", **files})
    assert workflow.write(audited(DISAGREES), tmp_path / "a.html") == []
    found = outputs((tmp_path / "output").read_text())
    assert found == {
        "verdict": "ACTION NEEDED",
        "phase": "audit",
        "report": str(tmp_path / "a.html"),
        "report-name": "a",
    }
    assert "ACTION NEEDED" in (tmp_path / "summary").read_text()
    assert workflow.annotations
