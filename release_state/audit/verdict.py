"""The verdict and exit code of an audit, from the results of its checks (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from release_state.audit.audit import Audit
from release_state.audit.judge import Judgement
from release_state.audit.kinds import KINDS, Kind
from release_state.audit.plan import plan_kind
from release_state.model.outcome import CheckResult, Exit, Outcome, Verdict, merge_unknown
from release_state.model.plan import Step
from release_state.verdict.verdict import decide_verdict


@dataclass(frozen=True)
class Expected:
    """A result that a complete audit has: the check and its subject."""

    check: str
    key: str
    blocking: bool
    is_version: bool = False


@dataclass(frozen=True)
class AuditVerdict:
    """The verdict on one channel's history."""

    audit: Audit
    verdict: Verdict
    exit: Exit
    ran: int
    expected: int
    results: tuple[CheckResult, ...]
    """The results of the whole project, then one for each version, oldest first."""
    version_check: str
    """The ID of the check of single versions."""
    broken: tuple[str, ...] = ()
    """Look-ups with a bug, in words: whatever depends on them is unknown, and the run is never green."""

    @property
    def words(self) -> str:
        """The verdict as shown."""
        return f"PARTIAL {self.ran} of {self.expected}" if self.verdict is Verdict.PARTIAL else self.verdict.value

    @cached_property
    def project_results(self) -> tuple[CheckResult, ...]:
        """The results of the whole project."""
        return tuple(result for result in self.results if result.id != self.version_check)

    @cached_property
    def findings(self) -> tuple[CheckResult, ...]:
        """The findings about the whole project; several unknowns with one cause are one finding."""
        return tuple(merge_unknown(result for result in self.project_results if result.is_finding))

    @cached_property
    def version_results(self) -> dict[str, CheckResult]:
        """The result of each judged version, by its key."""
        return {result.target: result for result in self.results if result.id == self.version_check}

    @cached_property
    def counts(self) -> dict[Outcome, int]:
        """How many versions ended how."""
        found = [result.outcome for result in self.version_results.values()]
        return {outcome: count for outcome in Outcome if (count := found.count(outcome))}

    @property
    def counts_in_words(self) -> str:
        """The counts in a line: `12 holds, 1 action needed`."""
        return ", ".join(f"{count} {outcome.words}" for outcome, count in self.counts.items()) or "none"

    @cached_property
    def by_kind(self) -> dict[Kind, tuple[Judgement, ...]]:
        """The versions with each kind of disagreement, among those that ran, in the order of the kinds."""
        pairs = zip(self.audit.keys, self.audit.judgements, strict=True)
        ran = [judged for key, judged in pairs if key in self.version_results]
        found = {kind: tuple(j for j in ran if any(finding.kind is kind for finding in j.findings)) for kind in KINDS}
        return {kind: judged for kind, judged in found.items() if judged}

    @cached_property
    def plans(self) -> dict[Kind, Step]:
        """The fix of each kind of disagreement."""
        return {kind: plan_kind(self.audit, kind, judged) for kind, judged in self.by_kind.items()}


def judge_audit(
    audit: Audit,
    results: Sequence[CheckResult],
    expected: Sequence[Expected],
    *,
    block_on_advice: bool,
    broken: Sequence[str] = (),
) -> AuditVerdict:
    """The verdict of one audit. `expected` are the results of a complete one; `broken` names look-ups with a bug."""
    order = {(each.check, each.key): number for number, each in enumerate(expected)}
    ran = {(result.id, result.target) for result in results if result.outcome is not Outcome.DEFECT}
    left_out = [each for each in expected if (each.check, each.key) not in ran]
    missing_blocking = any(each.blocking or block_on_advice for each in left_out)
    version_check = next((each.check for each in expected if each.is_version), "")
    verdict, code = decide_verdict(
        {result.outcome for result in results if result.decides(block_on_advice)},
        has_judged=any(r.id == version_check and r.outcome is not Outcome.NOT_APPLICABLE for r in results),
        partial=(Exit.UNKNOWN if missing_blocking else Exit.OK) if left_out else None,
        green=Verdict.AGREES,
        broken=bool(broken),
    )
    return AuditVerdict(
        audit=audit,
        verdict=verdict,
        exit=code,
        ran=len(expected) - len(left_out),
        expected=len(expected),
        results=tuple(sorted(results, key=lambda result: order.get((result.id, result.target), len(order)))),
        version_check=version_check,
        broken=tuple(broken),
    )
