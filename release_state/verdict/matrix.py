"""The state matrix: for each trace, what is expected, what was observed, and its page (pure).

A row's state comes from the checks of its trace, never from a judgement of its own: a row that is green
while a check is not would contradict it.
"""

from __future__ import annotations

from collections.abc import Sequence

from release_state.facts.release import Release
from release_state.model.observation import Model
from release_state.model.outcome import CheckResult, Outcome
from release_state.verdict.traces import describe_expected, describe_observed, find_page
from release_state.verdict.verdict import TargetVerdict

#: Worst first.
_SEVERITY = (
    Outcome.DEFECT,
    Outcome.ACTION_NEEDED,
    Outcome.UNKNOWN,
    Outcome.IN_PROGRESS,
    Outcome.HOLDS,
    Outcome.NOT_APPLICABLE,
)

#: The rows that every matrix has: trace, name, and the sources of the checks that judge it.
_ROWS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("branch", "Release branch", ("branch",)),
    ("tag", "Tag", ("tag",)),
    ("index", "Index", ("index", "install")),
    ("release", "GitHub Release", ("release",)),
    ("pull-request", "Pull request", ("pull",)),
    ("ci", "CI", ("ci",)),
)
_NAMES = {
    **{source: name for _, name, sources in _ROWS for source in sources},
    "install": "Installation",
    "run": "Release workflow",
    "meta": "Metadata",
    "service": "Services",
    "testpypi": "TestPyPI first",
}


class Row(Model):
    """One line of the matrix."""

    trace: str
    """"branch", "tag", "index", "release", "pull-request", "ci"; for a row of findings alone the checks' source."""
    name: str
    expected: str
    observed: str
    """May hold remote text: escape it where it is shown."""
    state: Outcome | None
    """The worst outcome of its blocking checks; None if no check ran."""
    link: str | None = None
    """The page that shows it."""
    decided_by: tuple[str, ...] = ()
    """IDs of the checks that decide the state, if it does not hold."""
    advice: tuple[str, ...] = ()
    """IDs of advice that does not hold."""


def build_matrix(release: Release, verdict: TargetVerdict) -> tuple[Row, ...]:
    """The rows of one target: the six traces, then one for each other source with a blocking finding."""
    results, block_on_advice = verdict.results, verdict.block_on_advice
    rows = []
    for trace, name, sources in _ROWS:
        state, decided_by, advice = _judged([r for r in results if r.source in sources], block_on_advice)
        rows.append(
            Row(
                trace=trace,
                name=name,
                expected=describe_expected(trace, release, verdict.phase),
                observed=describe_observed(trace, release),
                state=state,
                link=find_page(trace, release),
                decided_by=decided_by,
                advice=advice,
            )
        )
    return (*rows, *_others(results, block_on_advice))


def name_trace(source: str) -> str:
    """The name of a check's source in reports."""
    return _NAMES.get(source, source.replace("-", " ").capitalize())


def _judged(
    results: Sequence[CheckResult], block_on_advice: bool
) -> tuple[Outcome | None, tuple[str, ...], tuple[str, ...]]:
    deciding = [r for r in results if r.decides(block_on_advice)]
    advice = tuple(r.id for r in results if r not in deciding and r.is_finding)
    state = min((r.outcome for r in deciding or results), key=_SEVERITY.index, default=None)
    if not deciding and state is not Outcome.NOT_APPLICABLE:
        state = None  # advice alone decides nothing
    decided_by = tuple(r.id for r in deciding if r.is_finding and r.outcome is state)
    return state, decided_by, advice


def _others(results: Sequence[CheckResult], block_on_advice: bool) -> list[Row]:
    """Rows for blocking findings of other sources: the clone, a run in progress."""
    shown = {source for _, _, sources in _ROWS for source in sources}
    rows = []
    for source in dict.fromkeys(r.source for r in results if r.source not in shown):
        own = [r for r in results if r.source == source]
        state, decided_by, advice = _judged(own, block_on_advice)
        if decided_by:
            first = next(r for r in own if r.id == decided_by[0])
            rows.append(
                Row(
                    trace=source,
                    name=name_trace(source),
                    expected=first.expected or first.title,
                    observed=first.found,
                    state=state,
                    link=next((step.link for step in first.steps if step.link), None),
                    decided_by=decided_by,
                    advice=advice,
                )
            )
    return rows
