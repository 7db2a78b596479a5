"""The JSON report: its schema, its order, and that nothing in it can steer a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec import structs

import release_state
from release_state.model.observation import known
from release_state.model.outcome import Outcome
from release_state.model.snapshot import LOOKUPS, Installation, Opened, Snapshot
from release_state.report.document import Origin, RunReport, build_report, to_json
from release_state.report.markdown import escape, render_summary
from release_state.report.page import summary
from tests.support import states as s
from tests.support.facts import build
from tests.support.judged import verdict_of
from tests.support.schemas import run_schema
from tests.support.worlds import report_schema

SCHEMA = Path(release_state.__file__).parent / "report" / "schemas" / "report.schema.json"
ANEW = "python -m tests.docs.reference --write"

ORIGIN = Origin(host="here")


def document_of(*snapshots: Snapshot) -> RunReport:
    """The document of a run over written snapshots."""
    verdicts = [verdict_of(snapshot) for snapshot in snapshots]
    observed = {snapshot.target.key: snapshot for snapshot in snapshots}
    return build_report(verdicts, observed, 1, s.NOW, "report.html", ORIGIN, {})


STATES = {
    "ready": s.ready(),
    "released": s.released(),
    "withdrawn": s.rolled_back(),
    "on testpypi": s.released_on_testpypi(),
    "nothing answers": s.ready(**dict.fromkeys(("remote", "pulls", "release", "runs", "ci"), s.failed())),
    "branch left": s.ready(remote=s.remote(s.branch()), history=s.history(s.lineage(unmerged_count=1))),
    "at work": s.released(runs=s.runs(s.run("in_progress"))),
}


def test_what_was_left_out_is_said_by_the_verdict_itself() -> None:
    reason = "left out with --no-install"
    left_out = known(Installation(attempted=False, left_out=True, detail=reason))
    snapshot = s.released(installation=left_out, opened=known(Opened(left_out=reason)))
    verdict, document = verdict_of(snapshot), document_of(snapshot)
    said = f"Installation was not verified: {reason}"
    assert document.targets[0].verdict == "RELEASED AND VERIFIED"
    assert document.targets[0].not_verified == (said,)
    assert f"**{escape(said)}**\n" in render_summary(document)
    assert f"<p><strong>{said}</strong></p>" in "".join(summary((verdict,), {verdict.target.key: snapshot}, ORIGIN))
    assert not verdict_of(s.released()).not_verified
    assert not verdict_of(s.ready(installation=left_out)).not_verified


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of a schema that describes an object with named fields."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for inner in schema.values():
            yield from objects(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from objects(inner)


def test_the_shipped_schema_is_the_models() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == run_schema(), f"run: {ANEW}"
    jsonschema.Draft202012Validator.check_schema(run_schema())
    named = list(objects(run_schema()))
    assert len(named) > 10
    assert all(part["additionalProperties"] is False for part in named)
    assert all(set(part["required"]) == set(part["properties"]) for part in named), "each field is always there"


@pytest.mark.parametrize("state", STATES)
def test_a_document_fits_its_schema(state: str) -> None:
    document = json.loads(to_json(document_of(STATES[state])))
    report_schema().validate(document)
    without_plan = {name: value for name, value in document["targets"][0].items() if name != "plan"}
    for wrong in ({"more": 1}, {"release_state_report": 2}, {"targets": [without_plan]}, {"exit_code": "0"}):
        assert not report_schema().is_valid({**document, **wrong})


def test_one_document_tells_the_whole_story() -> None:
    snapshot = s.released(release=known(None), latest_release=s.failed())
    [target] = document_of(snapshot).targets
    assert (target.target.package, target.target.tag, target.target.base_branch) == ("orbit", "v0.2.0", "main")
    rows = {row.trace: row.state for row in target.matrix}
    assert rows["release"] is Outcome.ACTION_NEEDED and rows["tag"] is Outcome.HOLDS
    assert target.diagnosis.scenario == "E: partial" and target.plan.direction == "complete"
    missing = next(check for check in target.checks if check.id == "RELEASE-11")
    assert missing.outcome is Outcome.ACTION_NEEDED and missing.decides
    assert [target.plan.steps[number - 1].mends for number in missing.plan_steps] == ["release"]
    lookups = {lookup.name: lookup for lookup in target.lookups}
    assert tuple(lookups) == LOOKUPS
    assert [lookup.of for lookup in target.lookups if lookup.name == "index"] == ["pypi"]
    assert (lookups["release"].state, lookups["remote"].state) == ("absent", "known")
    assert (lookups["latest_release"].state, lookups["latest_release"].why) == ("unavailable", "answered 503")


def test_what_was_not_asked_for_is_neither_known_nor_absent() -> None:
    narrowed = build(
        Snapshot, **{name: getattr(s.ready(), name) for name in ("observed_at", "target", "phase")}, phase_reason=""
    )
    [target] = document_of(narrowed).targets
    assert {lookup.state for lookup in target.lookups} == {"not asked"}


def test_two_runs_over_one_state_differ_in_run_alone() -> None:
    """Line by line: the same text but for the part that is about the run itself."""
    first = s.released()
    second = structs.replace(first, observed_at=s.NOW + timedelta(hours=1))
    texts = [to_json(document_of(snapshot)).splitlines() for snapshot in (first, second)]
    differing = [number for number, pair in enumerate(zip(*texts, strict=True)) if pair[0] != pair[1]]
    begins = texts[0].index('  "run": {')
    assert differing
    assert min(differing) > begins
    assert list(json.loads("".join(texts[0])))[:3] == ["release_state_report", "release_state", "verdict"]


def test_it_holds_ascii_alone() -> None:
    hostile = "\x1b[2J\x9b31m\x7f\u202e\u2028</script>\U0001f680"
    pull = s.open_pull(title=hostile, author=hostile)
    text = to_json(document_of(s.released(pulls=known((pull,)))))
    assert all(" " <= character <= "~" for line in text.splitlines() for character in line)
    [target] = json.loads(text)["targets"]
    assert hostile in [event["detail"] for event in target["timeline"]["events"]], "and says what was there"
