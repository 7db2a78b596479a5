"""The HTML page of an audit: one file that loads nothing and stays fast with thousands of versions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

from release_state import __version__
from release_state.audit.judge import Judgement
from release_state.audit.kinds import KINDS, Kind
from release_state.audit.report.history import (
    describe_habits,
    describe_notes,
    describe_waived,
    format_ranges,
    render_picture,
)
from release_state.audit.verdict import AuditVerdict
from release_state.model.outcome import CheckResult, Outcome
from release_state.model.plan import Step
from release_state.report.document import find_decisive
from release_state.report.page.parts import read_resource, text
from release_state.report.screen import list_rows

_HERE = "release_state.audit.report"
_OPEN = 3
"""Up to this many kinds of disagreement are shown open; more of them start closed."""


def render_page(verdicts: Sequence[AuditVerdict], started_at: datetime) -> str:
    """The whole page."""
    decisive = find_decisive(verdicts)
    target = decisive.audit.target
    title = f"{decisive.words}: {target.package} on {target.channel.name}"
    sections = (_audit(verdict, only=len(verdicts) == 1) for verdict in verdicts)
    return render_frame(title, int(decisive.exit), sections, started_at)


def render_frame(title: str, exit_code: int, sections: Iterable[str], started_at: datetime) -> str:
    """A page with its title, style and script around HTML sections."""
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{text(title)}</title><style>{read_resource('audit_page.css', _HERE)}</style></head><body><main>",
            f'<h1 class="exit-{exit_code}">{text(title)}</h1>',
            *sections,
            f'<p class="small">release-state {__version__}, {started_at:%Y-%m-%d %H:%M:%S} UTC</p></main>',
            f"<script>{read_resource('audit_page.js', _HERE)}</script></body></html>\n",
        )
    )


def _audit(verdict: AuditVerdict, *, only: bool) -> str:
    audit, target = verdict.audit, verdict.audit.target
    head = "" if only else f'<h2 class="exit-{int(verdict.exit)}">{text(verdict.words)}: {text(audit.key)}</h2>'
    chosen = "" if audit.history.selection == "all" else f", selected by {text(audit.history.selection)}"
    partly = f"<p>Not run: {verdict.expected - verdict.ran} of {verdict.expected} checks.</p>"
    lines = (*describe_habits(audit), *describe_notes(audit), *describe_waived(verdict.waived))
    facts = "".join(f"<li>{text(line)}</li>" for line in lines)
    count, counts = len(audit.judgements), verdict.counts_in_words
    is_open = len(verdict.by_kind) <= _OPEN
    kinds = "".join(_kind(verdict, kind, judged, is_open) for kind, judged in verdict.by_kind.items())
    where = f"{target.repository}, {target.remote_url}, {target.channel.index_url}"
    return (
        f'<section class="audit">{head}<p><strong>{count} version{"s" * (count != 1)}</strong>{chosen}: {counts}. '
        f'<span class="small">Sources: {text(where)}.</span></p>{partly if verdict.ran < verdict.expected else ""}'
        f"{''.join(map(_broken, verdict.broken))}{''.join(map(_finding, verdict.findings))}"
        f'<h2>History</h2>{render_picture(audit)}<ul class="facts">{facts}</ul>'
        + (f"<h2>Disagreements by kind</h2>{kinds}" if kinds else "")
        + f"<h2>Every version</h2>{_filters(verdict)}{_table(verdict)}</section>"
    )


def _broken(what: str) -> str:
    return (
        f'<article class="finding"><strong>{Outcome.DEFECT.symbol} A look-up crashed: {text(what)}</strong>'
        "<p>This is a bug of the suite and says nothing about the project. Please report it.</p></article>"
    )


def _finding(result: CheckResult) -> str:
    about = result.target.partition(": ")[2]
    level = "" if result.blocking else " advice"
    rows = list_rows(result)
    terms = "".join(f"<p><strong>{name.capitalize()}:</strong> {text(value)}</p>" for name, value in rows if value)
    if result.retry_at:
        terms += f"<p>Retry after {text(result.retry_at)}.</p>"
    kind = "unknown" if result.outcome is Outcome.UNKNOWN else level
    return (
        f'<article class="finding {kind}"><strong>{result.outcome.symbol} {text(result.heading)}'
        f"{f', {text(about)}' if about else ''}: "
        f"{text(result.title)}</strong>{terms}{''.join(map(render_fix, result.steps))}</article>"
    )


def _kind(verdict: AuditVerdict, kind: Kind, judged: Sequence[Judgement], is_open: bool) -> str:
    level = "" if kind.blocking else " advice"
    versions = format_ranges(judged, verdict.audit.judgements, most=200)
    return (
        f'<details class="finding{level}"{" open" * is_open}>'
        f"<summary>{len(judged)} {text(kind.heading)}</summary><p>{text(versions)}</p>"
        f'<p><strong>Why it matters:</strong> {text(kind.why)}. <button data-kind="{kind.id}">Show these versions'
        f"</button></p>{render_fix(verdict.plans[kind])}</details>"
    )


def render_fix(step: Step) -> str:
    """A step with its commands."""
    reason = f" ({text(step.reason)})" if step.reason else ""
    lines = "\n".join(map(escape, step.lines()))
    withheld = f"<p>No command: {text(step.withheld)}</p>" if step.withheld else ""
    return f"<p><strong>Fix:</strong> {text(step.title)}{reason}</p>{withheld}" + (
        f'<pre tabindex="0">{lines}</pre>' if lines else ""
    )


def _filters(verdict: AuditVerdict) -> str:
    outcomes = "".join(f'<option value="{outcome.value}">{outcome.words}</option>' for outcome in verdict.counts)
    found = [kind for kind in KINDS if kind in verdict.by_kind]
    kinds = "".join(f'<option value="{kind.id}">{kind.id}</option>' for kind in found)
    return (
        '<div class="filters"><label>Text <input type="search"></label>'
        f'<label>Outcome <select><option value="">any</option>{outcomes}</select></label>'
        f'<label>Kind <select><option value="">any</option>{kinds}</select></label>'
        f'<span class="shown">{len(verdict.version_results)} of {len(verdict.version_results)} versions</span></div>'
    )


def _table(verdict: AuditVerdict) -> str:
    """The table of versions, newest first."""
    audit, results = verdict.audit, verdict.version_results
    rows = []
    for key, judgement in zip(reversed(audit.keys), reversed(audit.judgements), strict=True):
        if result := results.get(key):
            rows.append(_row(judgement, result))
    head = "".join(f"<th>{name}</th>" for name in ("Version", "Outcome", "Uploaded", "Files", "Tag", "Found"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _row(judgement: Judgement, result: CheckResult) -> str:
    audited, outcome = judgement.audited, result.outcome
    indexed, level = audited.indexed, "" if result.blocking else " advice"
    kinds = " ".join(finding.kind.id for finding in judgement.findings)
    uploaded = f"{audited.uploaded_at:%Y-%m-%d}" if audited.uploaded_at else ""
    tags = ", ".join(tag.name for tag in audited.tags)
    is_plain = outcome is Outcome.HOLDS and not judgement.waived
    found = result.found if outcome is Outcome.DEFECT else ("" if is_plain else judgement.words)
    return (
        f'<tr data-o="{outcome.value}"{f" data-k={chr(34)}{kinds}{chr(34)}" if kinds else ""}><td>{text(str(audited))}'
        f'<td class="o-{outcome.value.replace(" ", "-")}{level}">{outcome.symbol} {outcome.words}'
        f"{' (advice)' * (outcome is Outcome.ACTION_NEEDED and not result.blocking)}"
        f"{' (waived)' * (outcome is Outcome.HOLDS and bool(judgement.waived))}<td>{uploaded}"
        f"<td>{len(indexed.files) if indexed else ''}<td>{text(tags)}<td>{text(found)}"
    )
