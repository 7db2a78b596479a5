"""What changed since an earlier run for the same package, version and channel (pure).

It compares which traces exist, what each row of the matrix shows and how each check ended; no times, and no wording.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from release_state.model.observation import AwareDatetime, Model
from release_state.model.outcome import name_phase
from release_state.model.record import PastRun, Record

#: The name of each trace, and the words for its creation and its end.
_TRACES = {
    "branch": ("release branch", "release branch created", "release branch deleted"),
    "tag": ("tag", "tag created", "tag deleted"),
    "index": ("publication", "published", "no longer on the index"),
    "release": ("GitHub Release", "GitHub Release created", "GitHub Release deleted"),
    "pull-request": ("pull request", "pull request opened", "pull request closed"),
}
_WRONG = ("action needed", "unknown", "in progress", "defect")


class Changes(Model):
    """The changes since an earlier run. May hold remote text: escape it when shown."""

    since: AwareDatetime
    """The start of that run."""
    report: str
    """File name of its report."""
    verdict_then: str
    verdict: str
    """Of this run."""
    traces: tuple[str, ...] = ()
    """Traces that appeared, disappeared, changed or are still missing: "tag created", "pull request still missing"."""
    mended: tuple[str, ...] = ()
    """IDs of blocking checks that failed then and hold now."""
    arisen: tuple[str, ...] = ()
    """IDs of blocking checks that held then and fail now."""
    remaining: tuple[str, ...] = ()
    """IDs of blocking checks that failed then and now."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed; a trace that is still missing is no change."""
        moved = [words for words in self.traces if not words.endswith(" still missing")]
        return not (moved or self.mended or self.arisen or self.verdict != self.verdict_then)

    @property
    def count(self) -> int:
        """How many traces and checks it names."""
        return len((*self.traces, *self.mended, *self.arisen, *self.remaining))

    @property
    def in_short(self) -> str:
        """How many of each: "5 of the state, 14 checks fixed, 2 checks new"."""
        counts = {"fixed": self.mended, "new": self.arisen, "still failing": self.remaining}
        checks = [f"{len(ids)} {'check' if len(ids) == 1 else 'checks'} {name}" for name, ids in counts.items() if ids]
        return ", ".join([*([f"{len(self.traces)} of the state"] if self.traces else []), *checks])

    @property
    def words(self) -> str:
        """All of it in one line: "tag created; pull request still missing; fixed: TAG-11"."""
        lists = {"fixed": self.mended, "new": self.arisen, "remaining": self.remaining}
        parts = [*self.traces, *(f"{name}: {', '.join(ids)}" for name, ids in lists.items() if ids)]
        if self.is_empty:
            parts.insert(0, "nothing changed")
        return "; ".join(parts) or "only the verdict changed"


def find_changes(then: Record, now: Record, since: AwareDatetime, report: str) -> Changes:
    """Compare a run with an earlier run of the same target."""
    before, after = _list_outcomes(then), _list_outcomes(now)
    both = [check for check in after if check in before]
    return Changes(
        since=since,
        report=report,
        verdict_then=then.verdict,
        verdict=now.verdict,
        traces=tuple(_traces(then, now)),
        mended=tuple(check for check in both if before[check] in _WRONG and after[check] not in _WRONG),
        arisen=tuple(check for check in after if after[check] in _WRONG and before.get(check) not in _WRONG),
        remaining=tuple(check for check in both if before[check] in _WRONG and after[check] in _WRONG),
    )


def changes_since(before: Mapping[str, PastRun], now: Mapping[str, Record]) -> dict[str, Changes]:
    """What changed since the earlier run of each target, by the target's key."""
    pairs = ((key, run, run.of(key)) for key, run in before.items())
    return {key: find_changes(then, now[key], run.started_at, run.path.name) for key, run, then in pairs if then}


def _list_outcomes(record: Record) -> Mapping[str, str]:
    return {check.id: check.outcome for check in record.checks if check.blocking or check.outcome == "defect"}


def _traces(then: Record, now: Record) -> Iterator[str]:
    if then.phase != now.phase:
        yield f"phase {name_phase(then.phase)} → {name_phase(now.phase)}"
    rows_then, rows = ({row.trace: row for row in record.matrix} for record in (then, now))
    for trace, (name, came, went) in _TRACES.items():
        before, after = then.diagnosis.presence(trace), now.diagnosis.presence(trace)
        seen, seen_then = rows.get(trace), rows_then.get(trace)
        if after is None or before is None:
            continue
        if (before, after) == ("absent", "present"):
            yield came
        elif (before, after) == ("present", "absent"):
            yield went
        elif after == "unknown":
            yield f"{name} {'still not' if before == 'unknown' else 'not'} observed"
        elif before == "unknown":
            yield f"{name} observed: {'there' if after == 'present' else 'absent'}"
        elif seen and seen_then and seen.observed != seen_then.observed:
            yield f"{name}: {seen_then.observed} → {seen.observed}"
        elif after == "absent" and seen and seen.state == "action needed":
            yield f"{name} still missing"
    for trace, row in rows.items():
        # CI and findings with a row of their own: they change only with their state.
        old = rows_then.get(trace)
        if trace in _TRACES or old is None or old.state == row.state:
            continue
        if old.observed != row.observed:
            yield f"{row.name}: {old.observed} → {row.observed}"
        elif old.state and row.state:  # judged in both phases, with another result
            yield f"{row.name}: {old.state} → {row.state}"
