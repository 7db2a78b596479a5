"""The JSON report of an audit: in a stable order, so that two runs can be compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from release_state import __version__
from release_state.audit.audit import Audit
from release_state.audit.habits import INDEX, RELEASE, TAG
from release_state.audit.judge import Judgement
from release_state.audit.model import FORMAT
from release_state.audit.verdict import AuditVerdict
from release_state.model.outcome import Exit


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
        "checks": [result.model_dump(mode="json") for result in verdict.project_results],
        "history": _versions(verdict),
    }


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
                "found": judgement.words if result.outcome.value != "defect" else result.found,
                "files": [name for name, _, _ in indexed.files] if indexed else [],
                "yanked": indexed.yanked if indexed else 0,
                "uploaded_at": audited.uploaded_at.isoformat() if audited.uploaded_at else None,
                "tags": [{"name": tag.name, "commit": tag.commit} for tag in audited.tags],
                "releases": [release.html_url for release in audited.releases],
            }
        )
    return lines


NAMES = {INDEX: "the index", TAG: "tags", RELEASE: "GitHub Releases", "sdist": "sdists", "wheel": "wheels"}
_SPARSE = 0.5
"""A share of versions below which a habit may be none."""


def habits(audit: Audit) -> list[str]:
    """One line for each trace that a release leaves."""
    lines = []
    for trace in audit.habits.traces:
        name, since = NAMES.get(trace, trace), audit.habits.since.get(trace)
        if not audit.observes(trace):
            lines.append(f"{name}: could not be observed, so that no version is known to lack it")
            continue
        if since is None:
            lines.append(f"{name}: never, so that no version is measured by it")
            continue
        if trace == INDEX:
            count = len(audit.habits.published)
            lines.append(f"{name}: {since}, {count} version{'s' * (count != 1)}; older ones need not be there")
            continue
        has, all_of_them = audit.habits.counts(trace)
        line = f"{name}: {since}, {has} of {all_of_them} published versions since"
        if before := len(audit.habits.published) - all_of_them:
            line += f"; the {before} before need none"
        if has < _SPARSE * all_of_them:
            setting = "the channel's leaves" if trace in (TAG, RELEASE) else "expected-files"
            line += f". If the project leaves them for some versions only, take it out of {setting}"
        lines.append(line)
    return lines


def notes(audit: Audit) -> list[str]:
    """What was left aside, and what else is worth knowing."""
    spelt, target, index = audit.spelt, audit.target, audit.history.index.value
    lines = []
    if spelt.own:
        lines.append("tags are spelled " + ", ".join(f"{name} ({count})" for name, count in spelt.own.items()))
        if target.tag_template not in spelt.own and TAG in target.channel.leaves:
            lines.append(f"none is spelled {target.tag_template}: give --tag-template {spelt.usual}")
    if spelt.foreign:
        shown = ", ".join(f"{name} ({count})" for name, count in spelt.foreign.items())
        why = "few of them name a published version from before there were tags by the package's name"
        if not spelt.named.by_name:
            why = "few of them name a published version"
        if not audit.index.is_known:
            why = "the index did not say which versions are published, and the template is another one"
        lines.append(f"left aside as tags of something else, since {why}: {shown}")
    if moving := [tag.name for audited in audit.versions for tag in audited.moving]:
        lines.append(f"left aside as moving tags: {', '.join(moving[:10])}")
    if index and index.status and index.status != "active":
        reason = f" ({index.status_reason})" if index.status_reason else ""
        lines.append(f"the index calls the project {index.status}{reason}")
    if index and index.skipped:
        lines.append(f"file names without a readable version, left aside: {', '.join(index.skipped[:5])}")
    if audit.history.repository.value and audit.history.repository.value.archived:
        lines.append("the repository is archived")
    return lines


def ranges(judged: Sequence[Judgement], everyone: Sequence[Judgement], most: int = 6) -> str:
    """Versions in a line, neighbours put together: `1.0 to 1.4, 2.1`; the last ones, and how many more."""
    places = {id(judgement): number for number, judgement in enumerate(everyone)}
    runs: list[list[Judgement]] = []
    for judgement in judged:
        if runs and places[id(judgement)] == places[id(runs[-1][-1])] + 1:
            runs[-1].append(judgement)
        else:
            runs.append([judgement])
    words = [f"{run[0].audited}" + (f" to {run[-1].audited}" if len(run) > 1 else "") for run in runs]
    more = f"{len(words) - most} more ranges before " if len(words) > most else ""
    return more + ", ".join(words[-most:])
