"""Observe and judge one project in this process: the audit of its history, or a gate of single versions."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from functools import cached_property
from os import getpid
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from release_state.audit.audit import Audit
from release_state.audit.collect import collect_history, make_client
from release_state.audit.fleet.projects import Part, Project, ProjectRow
from release_state.audit.report.document import build_document
from release_state.audit.report.page import render_page
from release_state.audit.session import FILE, functions_of, list_expected, list_parameters, read_check, run_check
from release_state.audit.verdict import AuditVerdict, judge_audit
from release_state.common import disk
from release_state.common.errors import format_error, format_traceback
from release_state.common.text import format_count
from release_state.facts.release import Release
from release_state.model.outcome import CheckResult, Exit, Outcome, Phase, find_retry_time, merge_unknown, name_phase
from release_state.model.plan import Step, step
from release_state.model.snapshot import Snapshot
from release_state.observe.collect import collect
from release_state.observe.defects import Defects, collect_tracebacks, describe_defects
from release_state.observe.git.access import find_access
from release_state.observe.http.limits import SharedLimit
from release_state.observe.lookups import name_sources
from release_state.observe.token import find_token
from release_state.plan.recovery import Recovery
from release_state.plan.steps.commands import suite_command
from release_state.run.base import own_run_id
from release_state.run.checks import catalogue
from release_state.settings.config import RunConfig
from release_state.verdict.check import select_phase
from release_state.verdict.verdict import TargetVerdict, judge

_MOST = 20
"""Most findings of a part in a row; the project's own report has all."""


class Look(Struct, frozen=True, dict=True):
    """Observes and judges the projects of a run; safe to use from many threads."""

    checks_folder: Path
    reports: Path
    """The folder of the projects' own reports."""
    api: str
    environ: Mapping[str, str]
    limit: SharedLimit
    cancel: threading.Event

    @cached_property
    def _token(self) -> tuple[str | None, str | None]:
        return find_token(self.environ, self.api)

    def observe(self, project: Project, name: str) -> ProjectRow:
        """The row of one project; `name` is the file name of its own report. Never raises."""
        started, target = time.monotonic(), project.config.targets[0]
        defects: Defects = []
        found: dict[str, Any] = {}
        try:
            if project.config.audit:
                found = {"parts": self._audits(project.config, name, defects), "report": f"{name}.html"}
            else:
                found = {"parts": self._gates(project.config, defects)}
            if defects:
                found["defect"] = f"a look-up crashed: {', '.join(describe_defects(defects))}; please report this"
                found["tracebacks"] = collect_tracebacks(defects)
        except Exception as error:
            found["defect"] = format_error(error)[:500]
            found["tracebacks"] = {format_traceback(error): "the project as a whole"}
        return ProjectRow(
            project=target.name,
            repository=target.repository,
            observed_by=getpid(),
            seconds=round(time.monotonic() - started, 3),
            **found,
        )

    def _audits(self, config: RunConfig, name: str, defects: Defects) -> tuple[Part, ...]:
        token, token_source = self._token
        histories = collect_history(
            config,
            client=make_client(config, token, self.cancel, self.limit),
            token_source=token_source,
            own_run_id=own_run_id(self.environ),
            cancel=self.cancel,
            defects=defects,
            access=find_access(config, token),
        )
        functions, broken = functions_of(self.checks_folder / FILE), describe_defects(defects)
        verdicts = []
        for audit in map(Audit, histories):
            results = [
                run_check(read_check(function), function, given, key)[0]
                for function in functions
                for _, key, given in list_parameters(audit, function)
            ]
            expected = list_expected(audit, functions)
            verdicts.append(
                judge_audit(audit, results, expected, block_on_advice=config.block_on_advice, broken=broken)
            )
        now = datetime.now(timezone.utc)
        disk.write_atomically(self.reports / f"{name}.html", render_page(verdicts, now))
        code = Exit.DEFECT if defects else Exit.worst([verdict.exit for verdict in verdicts])
        disk.write_atomically(self.reports / f"{name}.json", build_document(verdicts, int(code), now, f"{name}.html"))
        return tuple(map(_audit_part, verdicts))

    def _gates(self, config: RunConfig, defects: Defects) -> tuple[Part, ...]:
        token, token_source = self._token
        snapshots = collect(
            config,
            None,
            fixed_phase=None if config.phase == "auto" else Phase(config.phase),
            token=token,
            token_source=token_source,
            own_run_id=own_run_id(self.environ),
            environ=self.environ,
            cancel=self.cancel,
            shared_limit=self.limit,
            defects=defects,
        )
        return tuple(_gate_part(self._judge(config, snapshot, broken=bool(defects))) for snapshot in snapshots)

    def _judge(self, config: RunConfig, snapshot: Snapshot, *, broken: bool) -> TargetVerdict:
        phase = Phase(snapshot.phase)
        recovery = Recovery(Release(snapshot), config.plan)
        checks = select_phase(catalogue(self.checks_folder, tuple(config.own_checks)), phase)
        given = {
            "release": recovery.release,
            "plan": recovery,
            "target": snapshot.target,
            "snapshot": snapshot,
            "version": snapshot.target.version,
            "channel": snapshot.target.channel,
        }
        results = []
        for check in checks:
            wanted = {key: given[key] for key in inspect.signature(check.call).parameters}
            where = f"in {check.file}, {check.function}{', a check of your own' if check.origin else ''}"
            results.append(run_check(check, check.call, wanted, snapshot.target.key, where)[0])
        changed, advice = name_sources(snapshot.moved), config.block_on_advice
        return judge(recovery, phase, results, checks, changed=changed, block_on_advice=advice, broken=broken)


def _audit_part(verdict: AuditVerdict) -> Part:
    audit = verdict.audit
    count = len(audit.judgements)
    kinds = [
        f"{len(judged)} {kind.id}{' (advice)' * (not kind.blocking)}: {kind.title}"
        for kind, judged in verdict.by_kind.items()
    ]
    problems = [result for result in verdict.project_results if result.is_finding]
    steps = tuple(verdict.plans[kind] for kind in verdict.by_kind)
    return Part(
        key=audit.key,
        verdict=verdict.words,
        exit_code=verdict.exit,
        summary=f"{format_count(count, 'version')}: {verdict.counts_in_words}",
        findings=tuple([*_list_findings(problems), *kinds][:_MOST]),
        kinds=(*(result.id for result in problems), *(kind.id for kind in verdict.by_kind)),
        steps=(*(each for result in problems for each in result.steps), *map(_shorten, steps)),
        retry_at=find_retry_time(problems),
    )


def _shorten(found: Step) -> Step:
    """The step with its last commands; the project's own report has all."""
    return found if len(found.commands) <= _MOST else structs.replace(found, commands=found.commands[-_MOST:])


def _gate_part(verdict: TargetVerdict) -> Part:
    problems = list(verdict.findings)
    done = sum(result.outcome is Outcome.HOLDS for result in verdict.results)
    needs = any(result.blocking for result in problems)
    own = step("See the whole plan of this version, with its reasons", suite_command(verdict.target))
    return Part(
        key=verdict.target.key,
        verdict=verdict.words,
        exit_code=verdict.exit,
        summary=f"phase {name_phase(verdict.phase)}: {done} of {len(verdict.results)} checks hold",
        findings=tuple(_list_findings(problems)[:_MOST]),
        kinds=tuple(result.id for result in problems),
        steps=(own,) if needs else (),
        retry_at=find_retry_time(problems),
    )


def _list_findings(results: Sequence[CheckResult]) -> list[str]:
    """One line per finding; several unknowns with one cause are one line."""
    return [
        f"{result.id} {result.outcome.value}{'' if result.blocking else ' (advice)'}: {result.found}"
        for result in merge_unknown(results)
    ]
