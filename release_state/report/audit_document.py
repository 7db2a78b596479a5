"""The JSON report of an audit: in a stable order, so that two runs can be compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from release_state import __version__
from release_state.audit.model import FORMAT
from release_state.audit.verdict import AuditVerdict
from release_state.outcome import Exit
from release_state.report.audit_words import habits, notes


def document(verdicts: Sequence[AuditVerdict], exit_code: int, started_at: datetime, html: str | None) -> str:
    """The document of a run, as JSON in ASCII alone: nothing in it can steer the terminal that it is shown on."""
    worst = Exit.worst([verdict.exit for verdict in verdicts])
    decisive = next(verdict for verdict in verdicts if verdict.exit is worst)
    content: dict[str, Any] = {
        "release_state_audit": FORMAT,
        "release_state": __version__,
        "started_at": started_at.isoformat(),
        "exit_code": exit_code,
        "verdict": decisive.words,
        "html": html,
    }
    # A version a line: to compare two runs by, and written by json's fast half, which knows no indentation.
    audits = ",\n".join(f"{_object(_audit(verdict))}" for verdict in verdicts)
    text = f'{_object(content)[:-2]},\n"audits": [\n{audits}\n]\n}}\n'
    return text.replace("\x7f", "\\u007f")


def _object(content: dict[str, Any]) -> str:
    """An object with a line for each key, and for each item of a list."""
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {_value(value)}" for key, value in content.items()) + "\n}"


def _value(value: object) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
    return json.dumps(value)


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
        "target": audit.target.model_dump(mode="json", exclude={"version"}),
        "versions": {outcome.value: count for outcome, count in verdict.counts.items()},
        "habits": habits(audit),
        "notes": notes(audit),
        "defects": list(verdict.broken),
        "kinds": [
            {
                "id": kind.id,
                "title": kind.title,
                "why": kind.why,
                "level": "blocking" if kind.blocking else "advice",
                "check": kind.check,
                "versions": [str(judgement.audited) for judgement in judged],
                "plan": verdict.plans[kind].model_dump(mode="json"),
            }
            for kind, judged in verdict.by_kind.items()
        ],
        "checks": [result.model_dump(mode="json") for result in verdict.of_project],
        "history": _versions(verdict),
    }


def _versions(verdict: AuditVerdict) -> list[dict[str, Any]]:
    lines = []
    results = verdict.of_versions
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
                "found": judgement.words if result.outcome.value != "defect" else result.found,
                "files": [name for name, _, _ in indexed.files] if indexed else [],
                "yanked": indexed.yanked if indexed else 0,
                "uploaded_at": audited.uploaded_at.isoformat() if audited.uploaded_at else None,
                "tags": [{"name": tag.name, "commit": tag.commit} for tag in audited.tags],
                "releases": [release.html_url for release in audited.releases],
            }
        )
    return lines
