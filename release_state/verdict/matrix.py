"""The state matrix: for each trace, what is expected, what was observed, and its page (pure).

A row's state comes from the checks of its trace, so that no green row contradicts a check. What the plan removes is
left over, and its row is red, whatever the checks of that trace say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from release_state.facts.release import Release
from release_state.model.observation import Model
from release_state.model.outcome import CheckResult, Exit, Outcome
from release_state.model.plan import Step
from release_state.verdict.traces import NOT_OBSERVED, NOTHING, describe, find_page
from release_state.verdict.verdict import ENDINGS, TargetVerdict

#: Worst first.
_SEVERITY = (*(outcome for outcome, _, _ in ENDINGS), Outcome.HOLDS, Outcome.NOT_APPLICABLE)

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
    "dist": "Built files",
    "service": "Services",
    "testpypi": "TestPyPI first",
}
_REMOVED = {
    **{name: name for name in ("branch", "tag", "release", "pull-request")},
    "other-branches": "branch",
    "local-tag": "tag",
    "draft": "release",
}
"""The row of what a step removes, by what the step fixes."""


class Row(Model):
    """One line of the matrix."""

    trace: str
    """"branch", "tag", "index", "release", "pull-request", "ci"; for a row of findings alone the checks' source."""
    name: str
    expected: str
    observed: str
    """May hold remote text: escape it where it is shown."""
    state: Outcome | None
    """The worst outcome of its blocking checks, "action needed" if it is left over; None if no check ran."""
    link: str | None = None
    """The page that shows it."""
    decided_by: tuple[str, ...] = ()
    """IDs of the checks that decide the state, if it does not hold."""
    advice: tuple[str, ...] = ()
    """IDs of advice that does not hold."""
    removed_by: tuple[int, ...] = ()
    """The steps of the plan that remove what is left over, counted from 1."""

    @property
    def words(self) -> str:
        """The state as people read it."""
        if self.removed_by and not self.decided_by:
            return "left over"
        return self.state.words if self.state else "not checked"

    @property
    def see(self) -> str:
        """The findings that say what is wrong: `see TAG-1, TAG-13`; empty if nothing is."""
        return f"see {', '.join(self.decided_by)}" if self.decided_by else ""

    def leave_out(self, found: Mapping[str, str]) -> tuple[str, str]:
        """What is expected and observed, without what the findings that decide the row say themselves.

        `found` is what each check is shown to have found, by its ID. The title of a finding is what is expected. It
        says itself that something is missing or unknown; what is there, it need not name.
        """
        if not self.decided_by:
            return self.expected, self.observed
        is_said = self.observed == NOTHING or self.observed.startswith(NOT_OBSERVED)
        return "", "" if is_said or any(
            self.observed in found.get(name, "") for name in self.decided_by
        ) else self.observed


def build_matrix(release: Release, verdict: TargetVerdict) -> tuple[Row, ...]:
    """The rows of one target: the six traces, then one for each other source with a blocking finding."""
    results, rows = verdict.results, []
    for trace, name, sources in _ROWS:
        expected, observed = describe(trace, release, verdict.phase)
        fields = _judge([result for result in results if result.source in sources], verdict.block_on_advice)
        removed_by = _find_removals(trace, verdict)
        if removed_by and fields["state"] in (None, Outcome.HOLDS, Outcome.NOT_APPLICABLE):
            fields["state"], expected = Outcome.ACTION_NEEDED, NOTHING
        rows.append(
            Row(
                trace=trace,
                name=name,
                expected=expected,
                observed=observed,
                link=find_page(trace, release),
                removed_by=removed_by,
                **fields,
            )
        )
    covered = {source for _, _, sources in _ROWS for source in sources}
    for source in dict.fromkeys(result.source for result in results if result.source not in covered):
        own = [result for result in results if result.source == source]
        fields = _judge(own, verdict.block_on_advice)
        if fields["decided_by"]:
            first = next(result for result in own if result.id == fields["decided_by"][0])
            page = next((step.link for step in first.steps if step.link), None)
            name, expected = name_trace(source), first.expected or first.title
            rows.append(Row(trace=source, name=name, expected=expected, observed=first.found, link=page, **fields))
    return tuple(rows)


def name_trace(source: str) -> str:
    """The name of a check's source in reports."""
    return _NAMES.get(source, source.replace("-", " ").capitalize())


def _find_removals(trace: str, verdict: TargetVerdict) -> tuple[int, ...]:
    """The steps that remove the trace; none of a plan that is advice alone, or that withdraws what is complete."""
    if verdict.exit is Exit.OK:
        return ()
    steps = enumerate(verdict.plan.steps, 1)
    return tuple(number for number, step in steps if not step.advice and _removes(step) == trace)


def _removes(step: Step) -> str | None:
    is_closing = any(command[:3] == ("gh", "pr", "close") for command in step.commands)
    return _REMOVED.get(step.mends or "") if step.destroys or is_closing else None


class _Judged(TypedDict):
    state: Outcome | None
    decided_by: tuple[str, ...]
    advice: tuple[str, ...]


def _judge(results: Sequence[CheckResult], block_on_advice: bool) -> _Judged:
    deciding = [result for result in results if result.decides(block_on_advice)]
    state = min((result.outcome for result in deciding or results), key=_SEVERITY.index, default=None)
    if not deciding and state is not Outcome.NOT_APPLICABLE:
        state = None  # advice alone decides nothing
    return {
        "state": state,
        "decided_by": tuple(result.id for result in deciding if result.is_finding and result.outcome is state),
        "advice": tuple(result.id for result in results if result not in deciding and result.is_finding),
    }
