"""Known exceptions of a history: what one covers, what none covers, how they are shown, and what is refused."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec import structs

from release_state.audit.audit import Audit
from release_state.audit.report.document import build_document
from release_state.audit.report.page import render_page
from release_state.audit.report.summary import step_report
from release_state.audit.run import check_waivers
from release_state.audit.verdict import AuditVerdict
from release_state.audit.versions import AuditSnapshot
from release_state.common.errors import UsageProblem
from release_state.common.strict import decode_toml
from release_state.model.outcome import Exit, Outcome
from release_state.settings.config import Arguments, load
from release_state.settings.waivers import Waiver, read_waivers
from tests.support.facts import build
from tests.support.histories import day, history, results, tagged, verdict_of, with_more
from tests.support.schemas import audit_schema
from tests.support.states import branch, failed, remote

TODAY = day(10).date()
UNTAGGED: dict[str, Any] = {"remote": remote(tagged("v0.1.0"), tagged("v0.3.0")), "releases": history().releases}
WHY = "moved from another repository"


def waiver(kind: str = "tag-missing", found: str = "no tag v0.2.0", **changes: Any) -> Waiver:
    values = {"channel": "pypi", "version": "0.2.0", "reason": WHY, "until": TODAY, **changes}
    return build(Waiver, kind=kind, found=found, **values)


DANGLING = waiver("release-without-tag", "GitHub Release for v0.2.0, but no such tag")


def untagged(*waivers: Waiver, **changes: Any) -> AuditSnapshot:
    """0.2.0 lacks its tag, so that its GitHub Release does too."""
    return structs.replace(history(**UNTAGGED, **changes), waivers=waivers)


def audit_7(found: AuditVerdict) -> tuple[Outcome, str]:
    (said,) = (result for result in found.project_results if result.id == "AUDIT-7")
    return said.outcome, said.found


def test_what_is_waived_decides_nothing_and_is_counted() -> None:
    verdict = verdict_of(Audit(untagged(waiver(), DANGLING)))

    assert (verdict.words, verdict.exit) == ("HISTORY AGREES, 2 waived", Exit.OK)
    assert not verdict.by_kind and audit_7(verdict)[0] is Outcome.HOLDS
    assert verdict_of(Audit(untagged(waiver(), DANGLING)), advice=True).exit is Exit.OK


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "release-missing"},
        {"found": "no tag v0.2.1"},
        {"version": "0.2.1"},
        {"until": TODAY - timedelta(days=1)},
    ],
)
def test_what_differs_is_not_waived(changes: dict[str, Any]) -> None:
    verdict = verdict_of(Audit(untagged(waiver(**changes), DANGLING)))

    assert (verdict.words, verdict.exit) == ("ACTION NEEDED, 1 waived", Exit.ACTION_NEEDED)
    outcome, found = audit_7(verdict)
    assert outcome is Outcome.ACTION_NEEDED and ("expired" in found) is ("until" in changes)
    (said,) = (result for result in verdict.findings if result.id == "AUDIT-7")
    assert not said.blocking


def test_nothing_unknown_is_waived() -> None:
    silent = verdict_of(Audit(untagged(waiver(), DANGLING, clone_tags=failed("clone"))))
    unseen = verdict_of(Audit(structs.replace(untagged(waiver(), DANGLING), remote=failed("git remote"))))

    assert silent.exit is Exit.UNKNOWN and silent.words == "COULD NOT VERIFY, 2 waived"
    assert unseen.exit is Exit.UNKNOWN
    assert audit_7(unseen)[0] is Outcome.UNKNOWN, "whether it still covers a finding is not known"


def test_a_branch_that_was_left_behind_can_be_waived() -> None:
    orphaned = waiver("branch-orphaned", "only branch release/pypi-v0.4.0", version="0.4.0")
    found = structs.replace(with_more(branch("release/pypi-v0.4.0")), waivers=(orphaned,))

    assert verdict_of(Audit(found)).words == "HISTORY AGREES, 1 waived"


def test_waivers_are_shown_with_their_reason() -> None:
    audit = Audit(untagged(waiver(reason="<b>moved</b>"), DANGLING))
    verdict = verdict_of(audit)
    line = "0.2.0 tag-missing: no tag v0.2.0 (waived until 2020-01-11: "

    page = render_page([verdict], day(10))
    assert f"waived: {line}&lt;b&gt;moved&lt;/b&gt;)" in page and "holds (waived)" in page
    document = json.loads(build_document([verdict], 0, day(10), None))
    Draft202012Validator(audit_schema()).validate(document)
    (version,) = (found for found in document["audits"][0]["history"] if found["version"] == "0.2.0")
    assert document["verdict"] == "HISTORY AGREES, 2 waived" and version["kinds"] == version["findings"] == []
    assert version["waived"][0] == {
        "kind": "tag-missing",
        "found": "no tag v0.2.0",
        "reason": "<b>moved</b>",
        "until": "2020-01-11",
    }
    assert "0.2.0 tag-missing" in step_report([verdict], "a.html").summary(10_000)


def test_a_version_that_was_left_out_waives_nothing() -> None:
    audit = Audit(untagged(waiver(), DANGLING))
    said = [result for result in results(audit) if "==0.2.0" not in result.target]
    assert verdict_of(audit, said).words.startswith("PARTIAL") and not verdict_of(audit, said).waived


# ---- the table


GOOD = """
[[waiver]]
kind = "tag-missing"
version = "1.0"
found = "no tag v1.0"
reason = "moved"
until = 2027-01-31
"""


def read(text: str) -> tuple[Waiver, ...]:
    return read_waivers(decode_toml(text), "[tool.release-state] of x", ["pypi", "testpypi"])


def test_a_waiver_of_the_configuration() -> None:
    (found,) = read(GOOD)
    assert found == Waiver(
        channel="pypi",
        kind="tag-missing",
        version="1.0",
        found="no tag v1.0",
        reason="moved",
        until=date(2027, 1, 31),
    )
    assert read(f'{GOOD}channel = "testpypi"')[0].channel == "testpypi"
    assert read("") == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[[waiver]]", "[waiver]", "waiver is no list of tables"),
        ('reason = "moved"', "", "waiver 1 has no reason"),
        ("until = 2027-01-31", "", "until is not a date"),
        ("until = 2027-01-31", 'until = "2027-01-31"', "until is not a date"),
        ("until = 2027-01-31", "until = 2027-01-31T00:00:00Z", "until is not a date"),
        ('"1.0"', '">=1.0"', "version '>=1.0' is not one PEP 440 version"),
        ('"1.0"', "1.0", "version is not a text"),
        ('"moved"', '" "', "reason is not a text"),
        ('"moved"', r'"a\nb"', "reason is not a text"),
        ("kind", "kin", "'kin' is not known (did you mean kind?)"),
        ("until", 'channel = "pypo"\nuntil', "'pypo' is not known (did you mean pypi?)"),
        ("[[waiver]]", f"{GOOD}\n[[waiver]]", "waiver 2 repeats another one: tag-missing of 1.0"),
    ],
)
def test_what_is_wrong_in_the_table_is_one_line(old: str, new: str, said: str) -> None:
    with pytest.raises(UsageProblem) as raised:
        read(GOOD.replace(old, new))
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_a_kind_that_no_audit_knows_is_refused() -> None:
    check_waivers(read(GOOD))
    with pytest.raises(UsageProblem, match=r"kind 'tag-missin' is not known \(did you mean tag-missing\?\)"):
        check_waivers(read(GOOD.replace("tag-missing", "tag-missin")))


def test_an_audit_alone_reads_them_from_the_file(tmp_path: Path) -> None:
    table = f'[tool.release-state]\nrepository = "octo/orbit"\npackage = "orbit"\n{GOOD}'
    (tmp_path / "pyproject.toml").write_text(table.replace("[[waiver]]", "[[tool.release-state.waiver]]"))

    config = load(Arguments(audit="all"), {}, tmp_path, lambda *_: None)

    assert [found.version for found in config.waivers] == ["1.0"]
    assert load(Arguments(versions=("1.0",)), {}, tmp_path, lambda *_: None).waivers == ()
