"""What is no answer and no finding: an error within the suite itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec import structs

from release_state.audit.audit import Audit
from release_state.audit.collect import collect_history
from release_state.audit.fleet.look import Look
from release_state.audit.fleet.projects import Project, ProjectRow, read_projects
from release_state.audit.fleet.report import build_document, render_page
from release_state.audit.fleet.report import step_report as fleet_step
from release_state.audit.report.document import build_document as audit_document
from release_state.audit.report.page import render_page as audit_page
from release_state.audit.report.summary import step_report as audit_step
from release_state.audit.versions import AuditSnapshot
from release_state.demo.git import Repository
from release_state.model.outcome import Exit, Outcome, Phase, Verdict
from release_state.observe.defects import Defect, Defects, collect_tracebacks, describe_defects, guard
from release_state.observe.http.client import HttpClient
from release_state.observe.http.limits import SharedLimit, TimeLeft
from release_state.run.checks import catalogue
from release_state.run.session import Controller
from release_state.settings.sources import Arguments
from tests.standins.fleet import Fleet
from tests.support import states
from tests.support.cli import ROOT, suite
from tests.support.histories import verdict_of
from tests.support.judged import checks_of, result_of
from tests.support.schemas import audit_schema, fleet_schema

WORDS = "of a token"
NOW = datetime(2026, 1, 2, tzinfo=timezone.utc)
MINE = "example-org/orbit-002"


def broken() -> Any:
    raise LookupError(WORDS)


def breaking_at(ending: str) -> Any:
    """The client's `get`, which breaks where it is asked for an address with this ending."""
    real = HttpClient.get
    return lambda self, url, **options: broken() if url.endswith(ending) else real(self, url, **options)


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """Three projects that are whole."""
    with Fleet(3) as built:
        yield built


def listed(fleet: Fleet, folder: Path, **more: Any) -> list[Project]:
    (folder / "fleet.toml").write_text(fleet.project_list, encoding="utf-8")
    where = {"index_urls": (f"pypi={fleet.index.index_url('pypi')}",), "github_api_url": fleet.url}
    return read_projects(folder / "fleet.toml", Arguments(**{"audit": "all", **where, **more}), {}, folder)


def histories(fleet: Fleet, folder: Path, defects: Defects | None) -> list[AuditSnapshot]:
    config = listed(fleet, folder)[1].config
    client = HttpClient(30, token=fleet.token, token_host=fleet.url)
    return collect_history(
        config, client=client, token_source=None, own_run_id=None, cancel=threading.Event(), defects=defects
    )


def rows(fleet: Fleet, folder: Path, **more: Any) -> list[ProjectRow]:
    environ = {"GITHUB_TOKEN": fleet.token}
    at = Look(ROOT / "checks", folder, fleet.url, environ, SharedLimit(folder), threading.Event()).observe
    return [at(project, f"own-{number}") for number, project in enumerate(listed(fleet, folder, **more), 1)]


def test_a_look_up_that_breaks_is_noted_and_its_words_go_into_no_report() -> None:
    defects: Defects = []
    problem = guard("pulls", broken, TimeLeft(60), None, defects)().unavailable
    assert problem and (problem.source, problem.why) == ("GitHub", "a defect of the suite: LookupError")
    guard("pulls", broken, TimeLeft(60), None, defects)()
    assert len(defects) == 2 and describe_defects(defects) == ("GitHub (pulls): LookupError",)
    ((text, where),) = collect_tracebacks(defects).items()
    assert (where, WORDS in text, "in broken" in text) == ("GitHub (pulls): LookupError", True, True)
    with pytest.raises(LookupError):
        guard("pulls", broken, TimeLeft(60), None, None)()  # nobody would learn of it


def test_nothing_is_green_where_a_look_up_broke_that_no_check_needs() -> None:
    snapshot, phase = states.released(), Phase.POST_RECOVERY
    controller = Controller(
        [snapshot.target],
        lambda: catalogue(ROOT / "checks"),
        phase,
        lambda *_: [snapshot],
        narrowed=False,
        with_workers=False,
        block_on_advice=False,
        wanted="auto",
    )
    controller.start()
    controller.snapshots()
    recovery = controller.recovery(snapshot.target)
    for check in checks_of(phase):
        controller.add(result_of(check, recovery, snapshot.target.key))
    assert (controller.verdicts()[0].verdict, controller.exit_code()) == (Verdict.VERIFIED, Exit.OK)
    controller.defects.append(Defect("services", LookupError()))
    assert (controller.verdicts()[0].verdict, controller.exit_code()) == (Verdict.DEFECT, Exit.DEFECT)


def test_an_audit_whose_look_up_breaks_judges_the_rest_and_is_not_green(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = histories(fleet, tmp_path, None)
    monkeypatch.setattr(HttpClient, "get", breaking_at("/pulls"))
    defects: Defects = []
    (history,) = histories(fleet, tmp_path, defects)

    problem = history.open_pulls.unavailable
    assert problem and (problem.source, problem.why) == ("GitHub", "a defect of the suite: LookupError")
    assert describe_defects(defects) == ("GitHub (open_pulls): LookupError",)
    same = {"observed_at": NOW, "open_pulls": whole.open_pulls}
    assert structs.replace(history, **same) == structs.replace(whole, **same)
    with pytest.raises(LookupError):
        histories(fleet, tmp_path, None)

    # Only advice rests on it: without the note, the audit would be green.
    audit = Audit(history)
    assert verdict_of(audit).exit is Exit.OK
    verdict = verdict_of(audit, broken=describe_defects(defects))
    assert (verdict.verdict, verdict.exit) == (Verdict.DEFECT, Exit.DEFECT)
    assert verdict.counts == {Outcome.HOLDS: 3}
    report = json.loads(audit_document([verdict], 3, NOW, None))
    Draft202012Validator(audit_schema()).validate(report)
    assert report["audits"][0]["defects"] == ["GitHub (open_pulls): LookupError"]
    told = audit_step([verdict], "x.html")
    shown = [audit_page([verdict], NOW), unescape(told.summary(10_000)), "\n".join(told.annotations())]
    assert all("A look-up crashed" in text and "GitHub (open_pulls): LookupError" in text for text in shown)
    assert WORDS not in "".join([json.dumps(report), *shown])


def test_a_second_look_at_an_index_that_breaks_costs_no_audit(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = histories(fleet, tmp_path, None)
    newest = whole.remote.present().tags[-1]
    newer = structs.replace(newest, name="v9.0.0")
    monkeypatch.setattr("release_state.audit.collect.observe_remote", lambda *_, **__: with_tag(whole, newer))
    monkeypatch.setattr(HttpClient, "get", breaking_at("/9.0.0/json"))
    defects: Defects = []
    (history,) = histories(fleet, tmp_path, defects)
    assert describe_defects(defects) == ("index (index): LookupError",)
    assert (history.catching_up, history.index == whole.index) == ((), True)


def with_tag(history: AuditSnapshot, tag: Any) -> Any:
    remote = history.remote.present()
    return structs.replace(history.remote, value=structs.replace(remote, tags=(*remote.tags, tag)))


@pytest.mark.parametrize("how", ["audit", "gate"])
def test_what_breaks_for_one_project_costs_the_others_nothing(
    how: str, fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        HttpClient, "get", breaking_at(f"{MINE}/releases/latest" if how == "audit" else f"{MINE}/pulls")
    )
    gate: dict[str, Any] = {"audit": None, "versions": ("0.3.0",), "install": False}
    lookup, green = ("(latest_release)", "HISTORY AGREES") if how == "audit" else ("(pulls)", "RELEASED AND VERIFIED")
    found = rows(fleet, tmp_path, **({} if how == "audit" else gate))

    assert [(row.verdict, row.exit) for row in (found[0], found[2])] == [(green, Exit.OK)] * 2
    mine = found[1]
    assert (mine.verdict, mine.exit) == ("DEFECT OF THE SUITE", Exit.DEFECT)
    assert mine.defect and mine.defect.startswith("a look-up crashed: GitHub (")
    (part,) = mine.parts
    assert part.exit_code != Exit.OK and part.summary != ""
    assert any("a defect of the suite: LookupError" in line for line in part.findings)
    assert all(WORDS in text and "in broken" in text for text in mine.tracebacks) and mine.tracebacks

    report = json.loads(build_document(found, 3, 3, NOW, "folder"))
    Draft202012Validator(fleet_schema()).validate(report)
    assert [row["defect"] for row in report["projects"]] == [None, mine.defect, None]
    told = fleet_step(found, 3, "x.html")
    shown = [render_page(found, 3, 3, NOW, "folder"), unescape(told.summary(10_000)), "\n".join(told.annotations())]
    assert all(lookup in text and "orbit-002" in text for text in (json.dumps(report), *shown))
    own = [path.read_text(encoding="utf-8") for path in tmp_path.glob("own-*")]
    assert WORDS not in "".join([json.dumps(report), *shown, *own])
    if how == "audit":
        assert json.loads((tmp_path / "own-2.json").read_text(encoding="utf-8"))["exit_code"] == Exit.DEFECT


def test_what_is_said_of_a_project_that_breaks_as_a_whole_holds_no_token(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def whole(*_: Any, **__: Any) -> Any:
        raise LookupError("x" * 480 + fleet.token)  # and not the first half of it where the text is cut

    monkeypatch.setattr("release_state.audit.fleet.look.collect_history", whole)
    (row, *_) = rows(fleet, tmp_path)
    assert row.defect and row.defect.startswith("LookupError: xx") and row.exit is Exit.DEFECT
    ((text, where),) = row.tracebacks.items()
    assert (where, "x***\n" in text) == ("the project as a whole", True)
    assert fleet.token[:6] not in f"{row.defect} {text}"


def test_a_list_of_every_pull_request_that_breaks_costs_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HttpClient, "get", breaking_at("direction=asc"))
    monkeypatch.setattr("release_state.observe.sources.MOST_BRANCHES", 0)
    with Fleet(1) as fleet:
        remote = Repository(Path(fleet.remote("orbit-001").removeprefix("file://")), fleet.root)
        remote.set_ref("refs/heads/release/pypi-v0.2.0", remote.rev("main"))
        (row,) = rows(fleet, tmp_path, audit=None, versions=("0.3.0",), install=False)
    assert row.defect == "a look-up crashed: GitHub (branch_pulls): LookupError; please report this"
    # No check needs it: without the note, the gate would be green.
    assert [(part.verdict, part.exit_code) for part in row.parts] == [("DEFECT OF THE SUITE", Exit.DEFECT)]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["audit", "fleet"])
def test_a_run_whose_look_up_breaks_in_a_worker_or_beside_them(what: str, fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text(fleet.project_list, encoding="utf-8")
    mine = ("--package", "orbit-002", "--repository", MINE, "--workflow", "", "--remote-url", fleet.remote("orbit-002"))
    index = ("--index-url", f"pypi={fleet.index.index_url('pypi')}", "--github-api-url", fleet.url)
    which = mine if what == "audit" else ("--project-list", str(tmp_path / "fleet.toml"))
    # The latest release decides, so that the audit would end with 6; only advice of it rests on the pull requests.
    where = "/latest" if what == "audit" else f"{MINE}/pulls"
    ran = suite(
        *("--version", "all", *which, *index, "-n", "2", "-p", "watching"),
        env={"GITHUB_TOKEN": fleet.token, "BREAK": where, "PYTHONPATH": str(ROOT / "tests" / "support")},
        reports_dir=tmp_path / "reports",
    )
    assert ran.returncode == Exit.DEFECT, ran.stdout + ran.stderr
    assert "INTERNALERROR" not in ran.stdout
    assert ran.stdout.count("Traceback (most recent call last)") == 1
    assert ran.stdout.count("LookupError: a defect of 1 header") == 1
    (path,) = (tmp_path / "reports").glob("*.json")
    assert not path.name.startswith("latest")
    report = json.loads(path.read_text(encoding="utf-8"))
    if what == "audit":
        (told,) = report["audits"]
        assert (report["exit_code"], report["verdict"]) == (Exit.DEFECT, "COULD NOT VERIFY")
        assert told["defects"] == ["GitHub (latest_release): LookupError"]
        assert "the exit code is 3: GitHub (latest_release): LookupError; please report this" in ran.stdout
    else:
        assert "DEFECT OF THE SUITE: 1 of 3 projects" in ran.stdout
        verdicts = [row["verdict"] for row in report["projects"]]
        assert verdicts == ["HISTORY AGREES", "DEFECT OF THE SUITE", "HISTORY AGREES"]
        assert report["projects"][1]["parts"][0]["summary"] == "3 versions: 3 holds"
