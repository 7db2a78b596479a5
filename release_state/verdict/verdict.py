"""From check outcomes to one verdict and one exit code (pure)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from release_state.common.text import join_items
from release_state.model.observation import Model
from release_state.model.outcome import CheckResult, Exit, Outcome, Phase, Verdict
from release_state.model.plan import Plan
from release_state.model.target import Target
from release_state.plan.diagnosis import Diagnosis
from release_state.plan.full_plan import make_full_plan, make_start_plan
from release_state.plan.recovery import Recovery
from release_state.verdict.check import CheckInfo

_GREEN = {
    Phase.PRE_RELEASE: Verdict.READY,
    Phase.PRE_PUBLISH: Verdict.READY_TO_PUBLISH,
    Phase.POST_RECOVERY: Verdict.VERIFIED,
    Phase.ROLLBACK: Verdict.ROLLED_BACK,
}


class TargetVerdict(Model):
    """The run's verdict on one target."""

    target: Target
    phase: Phase
    phase_reason: str
    verdict: Verdict
    exit: Exit
    ran: int
    """How many of the phase's checks ran."""
    expected: int
    """How many checks the phase has."""
    not_run: tuple[str, ...] = ()
    """IDs of the phase's checks that were not run."""
    results: tuple[CheckResult, ...] = ()
    left_out: tuple[str, ...] = ()
    """Check runs and workflow runs of the suite's own run."""
    not_verified: tuple[str, ...] = ()
    """What the verdict leaves out on request, a line each."""
    block_on_advice: bool = False
    """Whether advice blocks too."""
    diagnosis: Diagnosis
    plan: Plan
    """The recovery's steps, then the steps of single findings."""
    start: Plan | None = None
    """How to start the release; None unless it is ready for that."""

    @property
    def words(self) -> str:
        """The verdict as shown."""
        return f"PARTIAL {self.ran} of {self.expected}" if self.verdict is Verdict.PARTIAL else self.verdict.value

    def find_step_numbers(self, result: CheckResult) -> tuple[int, ...]:
        """The numbers of the plan's steps that fix a finding, from 1."""
        # By title: the whole plan marks advice, the step of a single check does not.
        titles = {step.title for step in result.steps}
        return tuple(number for number, step in enumerate(self.plan.steps, 1) if step.title in titles)

    @property
    def findings(self) -> tuple[CheckResult, ...]:
        """The findings, blocking ones first."""
        findings = [result for result in self.results if result.is_finding]
        return tuple(sorted(findings, key=lambda result: not result.blocking))


ENDINGS = (
    (Outcome.DEFECT, Verdict.DEFECT, Exit.DEFECT),
    (Outcome.ACTION_NEEDED, Verdict.ACTION_NEEDED, Exit.ACTION_NEEDED),
    (Outcome.UNKNOWN, Verdict.COULD_NOT_VERIFY, Exit.UNKNOWN),
    (Outcome.IN_PROGRESS, Verdict.IN_PROGRESS, Exit.IN_PROGRESS),
)
"""The verdict and exit code for each outcome that decides, worst first."""


def decide_verdict(
    outcomes: Collection[Outcome], *, has_judged: bool, partial: Exit | None, green: Verdict, broken: bool
) -> tuple[Verdict, Exit]:
    """The verdict and the exit code of one target, or of one history, by the outcomes that decide.

    `has_judged` is false if no check applied. `partial` is the exit code of a run that left checks out, None for a
    whole run. `broken`: a look-up broke, so the run is never green.
    """
    ending = next(((verdict, code) for outcome, verdict, code in ENDINGS if outcome in outcomes), None)
    if ending is None and not has_judged:
        ending = Verdict.NOTHING_CHECKED, Exit.NOTHING_CHECKED
    if ending is None:
        ending = (green, Exit.OK) if partial is None else (Verdict.PARTIAL, partial)
    return (Verdict.DEFECT, Exit.DEFECT) if broken and ending[1] is Exit.OK else ending


def judge(
    recovery: Recovery,
    phase: Phase,
    results: Sequence[CheckResult],
    checks: Sequence[CheckInfo],
    *,
    changed: Sequence[str],
    block_on_advice: bool = False,
    broken: bool = False,
) -> TargetVerdict:
    """Judge one target by the checks that ran, and by the phase's checks that did not.

    `changed` names the sources whose answers kept changing (`Snapshot.moved`, in words). `broken`: the suite failed
    where no check shows it, so the run is never green.
    """
    ran = {result.id for result in results if result.outcome is not Outcome.DEFECT}
    not_run = tuple(check.id for check in checks if check.id not in ran)
    missing_blocking = any(check.id in not_run for check in checks if check.decides_in(phase) or block_on_advice)
    verdict, code = decide_verdict(
        {result.outcome for result in results if result.decides(block_on_advice)},
        has_judged=any(result.outcome is not Outcome.NOT_APPLICABLE for result in results),
        # The facts of a check that did not run are unknown too: green only if none of these checks may block.
        partial=(Exit.UNKNOWN if missing_blocking else Exit.OK) if not_run else None,
        green=_GREEN[phase],
        broken=broken,
    )
    snapshot = recovery.release.snapshot
    installation, reason = snapshot.installation.value, snapshot.phase_reason
    not_verified: tuple[str, ...] = ()
    if phase is Phase.POST_RECOVERY and installation and installation.left_out:
        not_verified = (f"Installation was not verified: {installation.detail}",)
    if changed:
        reason = f"{reason}; {describe_moved(changed)}"
        if code is Exit.OK:
            verdict, code = Verdict.IN_PROGRESS, Exit.IN_PROGRESS
    return TargetVerdict(
        target=recovery.release.target,
        phase=phase,
        phase_reason=reason,
        verdict=verdict,
        exit=code,
        ran=len(checks) - len(not_run),
        expected=len(checks),
        not_run=not_run,
        results=tuple(results),
        left_out=tuple(name for each in (snapshot.ci.value, snapshot.runs.value) if each for name in each.left_out),
        not_verified=not_verified,
        block_on_advice=block_on_advice,
        diagnosis=recovery.diagnosis,
        plan=make_full_plan(recovery, results),
        start=make_start_plan(recovery) if verdict is Verdict.READY else None,
    )


def describe_moved(sources: Sequence[str]) -> str:
    """The words for a state that changed during the run."""
    return f"changed during this run: {join_items(sources)}; run again"
