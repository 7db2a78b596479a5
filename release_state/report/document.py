"""The JSON report: one document for a run, in a stable order, so that two runs can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import AwareDatetime

from release_state import __version__
from release_state.diagnosis import Diagnosis
from release_state.model import Model
from release_state.outcome import CheckResult, Exit
from release_state.plan import Plan
from release_state.snapshot import Snapshot
from release_state.verdict import TargetVerdict

FORMAT = 1


class TargetReport(Model):
    """What was observed of one target, and what follows from it."""

    key: str
    """`package==version@channel`"""
    verdict: str
    """As it is shown: "READY TO RELEASE", "PARTIAL 3 of 18"."""
    exit_code: int
    phase: str
    phase_reason: str
    checks_run: int
    checks_of_phase: int
    not_run: tuple[str, ...]
    checks: tuple[CheckResult, ...]
    diagnosis: Diagnosis
    plan: Plan
    snapshot: Snapshot


class RunReport(Model):
    """One run."""

    format: int = FORMAT
    release_state: str = __version__
    started_at: AwareDatetime
    exit_code: int
    verdict: str
    """The one that decides the exit code."""
    phase: str
    html: str | None
    """File name of the HTML report beside this one."""
    targets: tuple[TargetReport, ...]


def report(
    verdicts: Sequence[TargetVerdict],
    snapshots: Mapping[str, Snapshot],
    exit_code: int,
    started_at: AwareDatetime,
    html: str | None,
) -> RunReport:
    """Put a run's document together."""
    decisive = decisive_of(verdicts)
    return RunReport(
        started_at=started_at,
        exit_code=exit_code,
        verdict=decisive.words,
        phase=decisive.phase.value,
        html=html,
        targets=tuple(
            TargetReport(
                key=verdict.target.key,
                verdict=verdict.words,
                exit_code=verdict.exit,
                phase=verdict.phase.value,
                phase_reason=verdict.phase_reason,
                checks_run=verdict.ran,
                checks_of_phase=verdict.expected,
                not_run=verdict.not_run,
                checks=verdict.results,
                diagnosis=verdict.diagnosis,
                plan=verdict.plan,
                snapshot=snapshots[verdict.target.key],
            )
            for verdict in verdicts
        ),
    )


def decisive_of(verdicts: Sequence[TargetVerdict]) -> TargetVerdict:
    """The verdict that decides the exit code of a run of several targets."""
    worst = Exit.worst([verdict.exit for verdict in verdicts])
    return next(verdict for verdict in verdicts if verdict.exit is worst)
