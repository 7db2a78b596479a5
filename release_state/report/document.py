"""The JSON report of a run, in a stable order, so that two reports can be compared line by line.

Everything that differs between two runs over the same state is in `run`: times, durations, file names and the changes
since the last run. The rest stays the same as long as the release, the suite and its settings do.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Literal, TypeVar

from msgspec import convert, to_builtins

from release_state import __version__
from release_state.facts.release import Release
from release_state.model.observation import AwareDatetime, Model, NotObserved, Observation
from release_state.model.outcome import CheckResult, Exit, Judged, Outcome, group_unknown
from release_state.model.plan import Plan
from release_state.model.record import Record
from release_state.model.snapshot import LOOKUPS, Snapshot
from release_state.observe.waiting import Waited
from release_state.plan.diagnosis import Diagnosis
from release_state.report.process import ProcessReport, build_process
from release_state.verdict.changes import Changes
from release_state.verdict.matrix import Row, build_matrix
from release_state.verdict.timeline import Timeline, build_timeline
from release_state.verdict.verdict import TargetVerdict

FORMAT: Literal[1] = 1


class Origin(Model):
    """The machine that a run was started on, who started it, and its CI run."""

    host: str
    user: str | None = None
    """The GitHub account in GitHub Actions, else the machine's account; None if neither is known."""
    run_url: str | None = None
    """The page of the workflow run."""
    run_name: str | None = None
    """Its workflow and number: "Gate #12"."""


class TargetFacts(Model):
    """The target that was checked, and the names that follow from it."""

    package: str
    repository: str
    version: str
    channel: str
    index_url: str
    tag: str
    release_branch: str
    base_branch: str | None
    """None: neither configured nor observed."""
    remote_url: str
    clone: str | None
    github_api: str


class LookupReport(Model):
    """The state of one look-up. `--save-snapshot` writes the whole answer."""

    name: str
    of: str
    """The channel or the service, for a look-up of several."""
    state: Literal["known", "absent", "unavailable", "not asked"]
    """"absent" is an answer of the service; a failed look-up is "unavailable"."""
    source: str = ""
    why: str = ""
    remedy: str = ""
    retry_at: AwareDatetime | None = None


class CheckReport(Model):
    """The result of one check."""

    id: str
    title: str
    source: str
    blocking: bool
    outcome: Outcome
    scenario: str | None
    expected: str
    found: str
    why: str
    retry_at: str | None
    decides: bool
    """Whether the verdict depends on it: it blocks, or `--block-on-advice` makes advice block."""
    plan_steps: tuple[int, ...]
    """The steps of the plan that fix it, counted from 1."""

    @property
    def is_finding(self) -> bool:
        """Whether a person should read it."""
        return self.outcome not in (Outcome.HOLDS, Outcome.NOT_APPLICABLE)


def heading(finding: Sequence[CheckReport]) -> str:
    """The IDs of a finding's checks with their outcome, advice marked."""
    decides = any(check.decides for check in finding)
    ids = ", ".join(check.id + (" (advice)" if decides and not check.decides else "") for check in finding)
    return f"{ids} {finding[0].outcome.value}{'' if decides else ' (advice)'}"


class TargetReport(Model):
    """The observed state of one target, and what follows from it."""

    key: str
    """`package==version@channel`"""
    target: TargetFacts
    process: ProcessReport
    verdict: str
    """As shown: "READY TO RELEASE", "PARTIAL 3 of 18"."""
    exit_code: int
    phase: str
    phase_reason: str
    matrix: tuple[Row, ...]
    diagnosis: Diagnosis
    plan: Plan
    checks_run: int
    checks_of_phase: int
    not_run: tuple[str, ...]
    left_out: tuple[str, ...]
    """Check runs and workflow runs that are ignored because they belong to this run itself."""
    not_verified: tuple[str, ...]
    """What an option (`--no-install`) left unverified, a line each."""
    checks: tuple[CheckReport, ...]
    timeline: Timeline
    token_source: str | None
    """Where the GitHub token came from, never the token."""
    lookups: tuple[LookupReport, ...]

    @property
    def findings(self) -> tuple[tuple[CheckReport, ...], ...]:
        """What a person should read, deciding findings first; unknown checks with one cause are one finding."""
        found = sorted((check for check in self.checks if check.is_finding), key=lambda check: not check.decides)
        single = [(check,) for check in found if check.outcome is not Outcome.UNKNOWN]
        causes = map(tuple, group_unknown(found).values())
        return tuple(sorted((*single, *causes), key=lambda finding: not finding[0].decides))


class TargetRun(Model):
    """When one target was observed, how long its checks took, and what changed since the last run."""

    observed_at: AwareDatetime
    seconds: dict[str, float]
    """By check."""
    changes: Changes | None
    """None: the reports folder has no earlier complete run of the target, or this run was narrowed."""


class RunFacts(Model):
    """What differs from run to run."""

    started_at: AwareDatetime
    ended_at: AwareDatetime
    origin: Origin
    html: str | None
    """File name of the HTML report beside this one."""
    waited: Waited | None
    """How `--wait` waited; facts that were settled before are as old as `started_at`."""
    targets: dict[str, TargetRun]
    """By key."""


class RunReport(Model):
    """One run."""

    release_state_report: Literal[1] = FORMAT
    """The format of this document."""
    release_state: str = __version__
    """The version of the suite."""
    verdict: str
    """The verdict that decides the exit code."""
    exit_code: int
    phase: str
    targets: tuple[TargetReport, ...]
    run: RunFacts


def read_origin(environ: Mapping[str, str]) -> Origin:
    """The origin of this run, from the environment."""
    server, repository, run = (environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    inside = bool(server.startswith(("https://", "http://")) and repository and run.isdigit())
    number = environ.get("GITHUB_RUN_NUMBER", "")
    return Origin(
        host=platform.node() or "unknown",
        user=environ.get("GITHUB_ACTOR") or environ.get("USER") or environ.get("LOGNAME") or None,
        run_url=f"{server}/{repository}/actions/runs/{run}" if inside else None,
        run_name=f"{environ.get('GITHUB_WORKFLOW', 'run')} #{number or run}" if inside else None,
    )


def build_report(
    verdicts: Sequence[TargetVerdict],
    snapshots: Mapping[str, Snapshot],
    exit_code: int,
    started_at: datetime,
    html: str | None,
    origin: Origin,
    changes: Mapping[str, Changes],
    waited: Waited | None = None,
) -> RunReport:
    """The document of a run; `snapshots` and `changes` are by the target's key."""
    decisive = find_decisive(verdicts)
    return RunReport(
        verdict=decisive.words,
        exit_code=exit_code,
        phase=decisive.phase.value,
        targets=tuple(_target(verdict, snapshots[verdict.target.key]) for verdict in verdicts),
        run=RunFacts(
            started_at=started_at,
            ended_at=datetime.now(timezone.utc),
            origin=origin,
            html=html,
            waited=waited,
            targets={
                verdict.target.key: TargetRun(
                    observed_at=snapshots[verdict.target.key].observed_at,
                    seconds={result.id: result.seconds for result in verdict.results},
                    changes=changes.get(verdict.target.key),
                )
                for verdict in verdicts
            },
        ),
    )


def build_record(verdict: TargetVerdict, snapshot: Snapshot) -> Record:
    """The record that a later run of the target compares itself with."""
    return convert(to_builtins(_target(verdict, snapshot)), Record)


def to_json(document: RunReport) -> str:
    """The document as ASCII text: nothing in it can control a terminal."""
    text = json.dumps(to_builtins(document), indent=2, ensure_ascii=True)
    return text.replace("\x7f", "\\u007f") + "\n"


V = TypeVar("V", bound=Judged)


def find_decisive(verdicts: Sequence[V]) -> V:
    """The verdict that decides the exit code of a run with several."""
    worst = Exit.worst([verdict.exit for verdict in verdicts])
    return next(verdict for verdict in verdicts if verdict.exit is worst)


def _target(verdict: TargetVerdict, snapshot: Snapshot) -> TargetReport:
    release = Release(snapshot)
    return TargetReport(
        key=verdict.target.key,
        target=_facts(release),
        process=build_process(release),
        verdict=verdict.words,
        exit_code=verdict.exit,
        phase=verdict.phase.value,
        phase_reason=verdict.phase_reason,
        matrix=build_matrix(release, verdict),
        diagnosis=verdict.diagnosis,
        plan=verdict.plan,
        checks_run=verdict.ran,
        checks_of_phase=verdict.expected,
        not_run=verdict.not_run,
        left_out=verdict.left_out,
        not_verified=verdict.not_verified,
        checks=tuple(_check(verdict, result) for result in verdict.results),
        timeline=build_timeline(release),
        token_source=snapshot.token_source,
        lookups=tuple(lookup for name in LOOKUPS for lookup in _lookups(name, snapshot)),
    )


def _facts(release: Release) -> TargetFacts:
    target = release.target
    try:
        base: str | None = release.base_branch
    except NotObserved:
        base = target.base_branch
    alike = ("package", "repository", "version", "tag", "release_branch", "remote_url", "clone", "github_api")
    return TargetFacts(
        **{name: getattr(target, name) for name in alike},
        channel=target.channel.name,
        index_url=target.channel.index_url,
        base_branch=base,
    )


def _check(verdict: TargetVerdict, result: CheckResult) -> CheckReport:
    given = {
        name: getattr(result, name) for name in CheckReport.__struct_fields__ if name not in ("decides", "plan_steps")
    }
    return CheckReport(
        **given, decides=result.decides(verdict.block_on_advice), plan_steps=verdict.find_step_numbers(result)
    )


def _lookups(name: str, snapshot: Snapshot) -> Iterator[LookupReport]:
    observed: Observation[Any] | dict[str, Observation[Any]] = getattr(snapshot, name)
    if not isinstance(observed, dict):
        yield _lookup(name, "", observed)
        return
    if not observed:
        yield LookupReport(name=name, of="", state="not asked")
    for of in sorted(observed):
        yield _lookup(name, of, observed[of])


def _lookup(name: str, of: str, observed: Observation[Any]) -> LookupReport:
    if (problem := observed.unavailable) is None:
        return LookupReport(name=name, of=of, state="absent" if observed.value is None else "known")
    if problem.source == "snapshot":
        return LookupReport(name=name, of=of, state="not asked", why=problem.why)
    return LookupReport(
        name=name,
        of=of,
        state="unavailable",
        source=problem.source,
        why=problem.why,
        remedy=problem.remedy or "",
        retry_at=problem.retry_at,
    )
