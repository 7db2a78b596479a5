"""Runs the checks of a phase on a written snapshot, in this process, and judges as a run does."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

from msgspec import structs

from release_state.facts.release import Release
from release_state.model.observation import NotObserved
from release_state.model.outcome import CheckResult, Outcome, Phase, Statement
from release_state.model.plan import Wanted
from release_state.model.snapshot import Snapshot
from release_state.observe.lookups import name_sources
from release_state.plan.diagnosis import choose_phase
from release_state.plan.recovery import Recovery
from release_state.run.checks import catalogue
from release_state.verdict.check import CheckInfo, select_phase
from release_state.verdict.verdict import TargetVerdict, judge

FOLDER = Path(__file__).parent.parent.parent / "checks"
CHECKS = {check.id: check for check in catalogue(FOLDER)}


@cache
def module(name: str) -> ModuleType:
    """A file of checks, loaded."""
    spec = importlib.util.spec_from_file_location(f"checks_under_test_{name}", FOLDER / name)
    assert spec and spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@cache
def parameters(function: Callable[..., None]) -> tuple[str, ...]:
    """What a check asks for."""
    return tuple(inspect.signature(function).parameters)


def ended(check: CheckInfo, recovery: Recovery) -> tuple[Outcome, Statement | NotObserved | None]:
    """How a check ends."""
    function: Callable[..., None] = getattr(module(check.file), check.function)
    release = recovery.release
    given = {"release": release, "plan": recovery, "target": release.target, "snapshot": release.snapshot}
    try:
        function(**{name: given[name] for name in parameters(function)})
    except NotObserved as missing:
        return Outcome.UNKNOWN, missing
    except Statement as statement:
        return statement.outcome, statement
    return Outcome.HOLDS, None


@cache
def checks_of(phase: Phase, left_out: frozenset[str] = frozenset()) -> tuple[CheckInfo, ...]:
    """The checks of a phase, without those of these sources."""
    return tuple(check for check in select_phase(tuple(CHECKS.values()), phase) if check.source not in left_out)


def result_of(check: CheckInfo, recovery: Recovery, key: str) -> CheckResult:
    """The check's result as the plugin makes it."""
    outcome, said = ended(check, recovery)
    statement = said if isinstance(said, Statement) else None
    phase = Phase(recovery.release.snapshot.phase)
    assert not (statement and statement.blocks) or check.decides_in(phase), f"{check.id} blocks, and does not say so"
    problem = said.problem if isinstance(said, NotObserved) else None
    return CheckResult(
        id=check.id,
        title=check.title,
        source=check.source,
        blocking=statement.decides(check.blocking) if statement else check.blocking,
        outcome=outcome,
        target=key,
        expected=statement.expected if statement else "",
        found=statement.found if statement else (f"{problem.source}: {problem.why}" if problem else ""),
        why=statement.why if statement else (problem.remedy or "" if problem else ""),
        retry_at=problem.retry_at.isoformat() if problem and problem.retry_at else None,
        steps=statement.steps if statement else (),
    )


def verdict_of(
    snapshot: Snapshot,
    wanted: Wanted = "auto",
    fixed_phase: Phase | None = None,
    *,
    left_out: frozenset[str] = frozenset(),
) -> TargetVerdict:
    """The verdict on a snapshot, its phase worked out anew unless it is fixed; without the checks of these sources."""
    phase, reason = (fixed_phase, "given") if fixed_phase else choose_phase(Release(snapshot), wanted)
    snapshot = structs.replace(snapshot, phase=phase.value, phase_reason=reason)
    recovery = Recovery(Release(snapshot), wanted)
    checks, key = checks_of(phase, left_out), snapshot.target.key
    results = [result_of(check, recovery, key) for check in checks]
    return judge(recovery, phase, results, checks, changed=name_sources(snapshot.moved))
