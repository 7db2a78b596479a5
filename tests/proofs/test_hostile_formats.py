"""One run over hostile facts, as a step of a workflow: each format that it writes, read by that format's own reader."""

from __future__ import annotations

import json
import threading
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from release_state.common import disk
from release_state.observe.git.reader import find_repository
from release_state.observe.recorded import save
from release_state.report.document import Origin, build_report, to_json
from release_state.report.files import ReportFiles, format_subject
from release_state.settings.config import Arguments, load
from tests.support import states as s
from tests.support.cli import suite
from tests.support.hostile import OBEYED, hostile_snapshots
from tests.support.judged import verdict_of
from tests.support.runner import obeyed, outputs
from tests.support.worlds import Ran, ended, report_schema

PROPERTIES = ["id", "target", "outcome", "blocking", "expected", "found", "why", "next step"]


def run_as_a_step(folder: Path, *workers: str, summary: Path) -> tuple[Ran, Path, Path]:
    """The run, its JUnit file and its outputs."""
    save(folder / "s.json", hostile_snapshots("https://x.example/'onclick='window.hacked=3'"))  # else it is refused
    environ = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_OUTPUT": str(folder / "output"),
    }
    junit = folder / "junit.xml"
    asked = ("--snapshot", str(folder / "s.json"), "--junit-xml", str(junit), *workers)
    done = suite(*asked, env=environ, reports_dir=folder / "reports", timeout=240)
    return ended(done, folder / "reports"), junit, folder / "output"


@pytest.mark.parametrize("workers", [(), pytest.param(("-n", "2"), marks=pytest.mark.slow)], ids=["serial", "n2"])
def test_every_format_holds_hostile_text_as_text(workers: tuple[str, ...], tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    ran, junit, output = run_as_a_step(tmp_path, *workers, summary=summary)
    assert ran.code == 1, ran.output

    commands = obeyed(ran.output)
    assert commands and {command.name for command in commands} <= {"error", "warning"}
    assert len(commands) < sum(len(target["checks"]) for target in ran.document["targets"])
    assert not set(OBEYED) & set(ran.output)

    found = outputs(output.read_text(encoding="utf-8"))
    assert found == {
        "verdict": "ACTION NEEDED",
        "phase": ran.document["phase"],
        "report": str(tmp_path / "reports" / ran.page),
        "report-name": Path(ran.page).stem,
    }
    markdown = summary.read_text(encoding="utf-8")
    assert markdown.count("## ✗ ACTION NEEDED") >= 1 and not set(OBEYED) & set(markdown)

    # A parser that refuses whatever XML 1.0 does not allow.
    cases = list(ElementTree.parse(junit).getroot().iter("testcase"))
    told = [{p.get("name"): p.get("value") for p in case.iter("property")} for case in cases]
    assert [list(properties) for properties in told] == [PROPERTIES] * len(cases)
    outcomes = {(one["target"], one["id"]): one["outcome"] for one in told}
    assert outcomes == {
        (target["key"], check["id"]): check["outcome"]
        for target in ran.document["targets"]
        for check in target["checks"]
    }
    assert any("window.hacked" in (one["found"] or "") for one in told), "and it is told"
    assert {one["blocking"] for one in told} == {"true", "false"}


def test_a_summary_that_cannot_be_written_changes_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    ran, _, output = run_as_a_step(tmp_path, summary=tmp_path / "folder")
    assert (ran.code, ran.verdict) == (1, "ACTION NEEDED"), ran.output
    assert "note: the step summary could not be written to" in " ".join(ran.output.split())
    assert outputs(output.read_text(encoding="utf-8"))["verdict"] == "ACTION NEEDED"


# --- at the same time


def test_the_latest_page_is_that_of_the_latest_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = disk.write_atomically

    def slowly(path: Path, *content: Any, **more: Any) -> None:
        real(path, *content, **more)
        if path.name.startswith("latest"):
            time.sleep(0.02)  # long enough for another run to come between

    monkeypatch.setattr(disk, "write_atomically", slowly)
    settings = {"package": "orbit", "repository": "octo/orbit", "reports-dir": str(tmp_path / "reports")}
    config = load(Arguments(versions=("0.2.0",), settings=settings), {}, tmp_path, find_repository)
    verdict = verdict_of(s.ready())
    start = threading.Barrier(8)

    def publish() -> None:
        files = ReportFiles(config.reports_dir, format_subject(config))
        files.prepare()
        files.html.write_text(files.html.name, encoding="utf-8")
        start.wait()
        document = build_report(
            [verdict], {verdict.target.key: s.ready()}, 0, files.started_at, files.html.name, Origin(host="here"), {}
        )
        files.write(to_json(document), 0, is_partial=False)

    threads = [threading.Thread(target=publish) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reports = config.reports_dir
    document = json.loads((reports / "latest.json").read_text(encoding="utf-8"))
    report_schema().validate(document)
    assert (reports / "latest.html").read_text(encoding="utf-8") == document["run"]["html"]
    assert len(list(reports.iterdir())) == 2 * 8 + 2
