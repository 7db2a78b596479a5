"""The HTML page of an audit: one file that loads nothing and stays fast with thousands of versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from release_state.audit.judge import Judgement
from release_state.audit.kinds import Kind
from release_state.audit.report import history
from release_state.audit.verdict import AuditVerdict
from release_state.model.outcome import CheckResult, Exit, Outcome
from release_state.model.plan import Step
from release_state.report.document import find_decisive
from release_state.report.page import colour_of
from release_state.report.page.templates import render
from release_state.report.screen import list_rows

_MOST = 200
"""Ranges of versions of one kind of disagreement; the table has all."""


def render_page(verdicts: Sequence[AuditVerdict], started_at: datetime) -> str:
    """The whole page."""
    decisive = find_decisive(verdicts)
    target = decisive.audit.target
    about = f"{target.package} on {target.channel.name}"
    return render_frame(
        "audit/report/audit.html",
        decisive.words,
        about,
        decisive.exit,
        started_at,
        audits=[_Audit(v) for v in verdicts],
    )


def render_frame(name: str, word: str, about: str, exit_code: Exit, started_at: datetime, **context: object) -> str:
    """A page of its own; `word` is its verdict, and `about` its subject."""
    colour, symbol = colour_of(exit_code)
    frame = {"word": word, "about": about, "colour": colour, "symbol": symbol, "started_at": started_at}
    return render(name, **frame, **context)


class _Finding(NamedTuple):
    result: CheckResult
    about: str
    rows: list[tuple[str, str]]


class _Disagreement(Struct, frozen=True):
    """One kind of disagreement, the versions that have it, and how to fix it."""

    kind: Kind
    count: int
    versions: str
    step: Step


class _Row(NamedTuple):
    version: str
    outcome: Outcome
    is_advice: bool
    words: str
    kinds: str
    uploaded: str
    files: str
    tags: str
    found: str


class _Audit:
    """What the template shows of one channel."""

    def __init__(self, verdict: AuditVerdict) -> None:
        audit, target = verdict.audit, verdict.audit.target
        self.verdict, self.colour = verdict, colour_of(verdict.exit)[0]
        self.count = len(audit.judgements)
        self.chosen = "" if audit.history.selection == "all" else f", selected by {audit.history.selection}"
        self.lines = history.describe(audit, verdict.waived)
        self.sources = f"{target.repository}, {target.remote_url}, {target.channel.index_url}"
        found = [
            _Finding(result, f", {about}" if (about := result.target.partition(": ")[2]) else "", list_rows(result))
            for result in verdict.findings
        ]
        self.unknown = [each for each in found if each.result.outcome is Outcome.UNKNOWN]
        self.wrong = [each for each in found if each.result.blocking and each not in self.unknown]
        self.advice = [each for each in found if not each.result.blocking and each not in self.unknown]
        self.kinds = list(verdict.by_kind)
        self.wrong_kinds = self._list_kinds(blocking=True)
        self.advised_kinds = self._list_kinds(blocking=False)
        self.picture: history.Picture | None = history.draw_picture(audit)
        judged = zip(reversed(audit.keys), reversed(audit.judgements), strict=True)
        results = verdict.version_results
        self.rows = [_make_row(judgement, results[key]) for key, judgement in judged if key in results]
        """Newest first."""

    def _list_kinds(self, *, blocking: bool) -> list[_Disagreement]:
        everyone, plans = self.verdict.audit.judgements, self.verdict.plans
        return [
            _Disagreement(kind, len(judged), history.format_ranges(judged, everyone, most=_MOST), plans[kind])
            for kind, judged in self.verdict.by_kind.items()
            if kind.blocking is blocking
        ]


def _make_row(judgement: Judgement, result: CheckResult) -> _Row:
    audited, outcome = judgement.audited, result.outcome
    is_advice = outcome is Outcome.ACTION_NEEDED and not result.blocking
    is_waived = outcome is Outcome.HOLDS and bool(judgement.waived)
    is_plain = outcome is Outcome.HOLDS and not judgement.waived
    return _Row(
        version=str(audited),
        outcome=outcome,
        is_advice=is_advice,
        words=outcome.words + " (advice)" * is_advice + " (waived)" * is_waived,
        kinds=" ".join(finding.kind.id for finding in judgement.findings),
        uploaded=f"{audited.uploaded_at:%Y-%m-%d}" if audited.uploaded_at else "",
        files=str(len(audited.indexed.files)) if audited.indexed else "",
        tags=", ".join(tag.name for tag in audited.tags),
        found=result.found if outcome is Outcome.DEFECT else "" if is_plain else judgement.words,
    )
