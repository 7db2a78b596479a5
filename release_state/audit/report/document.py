"""The JSON report of an audit, in a stable order, so that two reports can be compared.

Its schema is `report/schemas/audit.schema.json`; a model for each of thousands of versions would be slow to make.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import to_builtins

from release_state import __version__
from release_state.audit.judge import Finding
from release_state.audit.report.history import describe_habits, describe_notes
from release_state.audit.verdict import AuditVerdict
from release_state.audit.versions import FORMAT
from release_state.report.document import find_decisive
from release_state.settings.waivers import Waiver


def build_document(verdicts: Sequence[AuditVerdict], exit_code: int, started_at: datetime, html: str | None) -> str:
    """The document of a run, as JSON in ASCII alone: nothing in it can steer the terminal that it is shown on."""
    content: dict[str, Any] = {
        "release_state_audit": FORMAT,
        "release_state": __version__,
        "started_at": started_at.isoformat(),
        "exit_code": exit_code,
        "verdict": find_decisive(verdicts).words,
        "html": html,
    }
    # A version a line: to compare two runs by, and written by json's fast half, which knows no indentation.
    audits = ",\n".join(f"{_object(_audit(verdict))}" for verdict in verdicts)
    text = f'{_object(content)[:-2]},\n"audits": [\n{audits}\n]\n}}\n'
    return text.replace("\x7f", "\\u007f")


def _object(content: dict[str, Any]) -> str:
    """An object with a line for each key, and for each item of a list."""
    texts = {
        key: "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
        if isinstance(value, list) and value
        else json.dumps(value)
        for key, value in content.items()
    }
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {text}" for key, text in texts.items()) + "\n}"


def _audit(verdict: AuditVerdict) -> dict[str, Any]:
    audit = verdict.audit
    return {
        "key": audit.key,
        "selection": audit.history.selection,
        "verdict": verdict.words,
        "exit_code": int(verdict.exit),
        "observed_at": audit.history.observed_at.isoformat(),
        "checks_run": verdict.ran,
        "checks_of_audit": verdict.expected,
        "target": {key: value for key, value in to_builtins(audit.target).items() if key != "version"},
        "versions": {outcome.value: count for outcome, count in verdict.counts.items()},
        "habits": describe_habits(audit),
        "notes": describe_notes(audit),
        "defects": list(verdict.broken),
        "kinds": [
            {
                "id": kind.id,
                "title": kind.title,
                "why": kind.why,
                "level": "blocking" if kind.blocking else "advice",
                "check": kind.check,
                "versions": [str(judgement.audited) for judgement in judged],
                "plan": to_builtins(verdict.plans[kind]),
            }
            for kind, judged in verdict.by_kind.items()
        ],
        "checks": [to_builtins(result) for result in verdict.project_results],
        "history": _versions(verdict),
    }


def _waived(finding: Finding, waiver: Waiver) -> dict[str, str]:
    until = waiver.until.isoformat()
    return {"kind": finding.kind.id, "found": finding.found, "reason": waiver.reason, "until": until}


def _versions(verdict: AuditVerdict) -> list[dict[str, Any]]:
    lines = []
    results = verdict.version_results
    for key, judgement in zip(verdict.audit.keys, verdict.audit.judgements, strict=True):
        audited, result = judgement.audited, results.get(key)
        if result is None:
            continue
        indexed = audited.indexed
        lines.append(
            {
                "version": str(audited),
                "outcome": result.outcome.value,
                "blocking": result.blocking,
                "kinds": [finding.kind.id for finding in judgement.findings],
                "findings": [{"kind": each.kind.id, "found": each.found} for each in judgement.findings],
                "waived": [_waived(each, each.waiver) for each in judgement.waived if each.waiver],
                "found": judgement.words if result.outcome.value != "defect" else result.found,
                "files": [name for name, _, _ in indexed.files] if indexed else [],
                "yanked": indexed.yanked if indexed else 0,
                "uploaded_at": audited.uploaded_at.isoformat() if audited.uploaded_at else None,
                "tags": [{"name": tag.name, "commit": tag.commit} for tag in audited.tags],
                "releases": [release.html_url for release in audited.releases],
            }
        )
    return lines
