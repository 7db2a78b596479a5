"""The session of an audit: observation, results and verdicts, and its checks as pytest items.

There is one item for each version, without fixtures and without setup: a parametrized test function costs pytest a few
milliseconds, too much for two thousand versions. `run_and_report` runs one of these items in one step, and it reports
as any other check does.
"""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from release_state.audit.audit import Audit
from release_state.audit.verdict import AuditVerdict, Expected, judge_audit
from release_state.audit.versions import AuditSnapshot
from release_state.model.outcome import CheckResult
from release_state.observe.defects import describe_defects
from release_state.run.background import Background, wait_for
from release_state.run.checks import fill_report, load
from release_state.run.session import ManySession
from release_state.verdict.check import CheckInfo, conclude, describe, run_function

FILE = "test_audit.py"
Function = Callable[..., None]


def functions_of(path: Path) -> list[Function]:
    """The checks of a file."""
    return [value for value in vars(load(path)).values() if inspect.isfunction(value) and describe(value)]


def read_check(function: Function) -> CheckInfo:
    """What the check declares; raises TypeError if the function is no check."""
    info = describe(function, [pytest.mark.audit])
    if info is None:
        raise TypeError(f"{function.__name__} is no check")
    return info


def run_check(
    info: CheckInfo, function: Function, given: Mapping[str, Any], key: str, where: str = ""
) -> tuple[CheckResult, BaseException | None]:
    """Call a check outside of pytest; its result (not timed), and the exception that it ended with."""
    error: BaseException | None = None
    try:
        run_function(function, given)
    except (Exception, pytest.skip.Exception) as raised:
        error = raised
    return conclude(info, error, key, seconds=0.0, where=where or f"in {function.__name__}"), error


class AuditItem(pytest.Item):
    """One check of one version, source or trace of an audit; `given` holds the function's arguments."""

    def __init__(self, *, info: CheckInfo, function: Function, key: str, given: Mapping[str, Any], **more: Any) -> None:
        super().__init__(**more)
        self.info, self.function, self.key, self.given = info, function, key, given

    def runtest(self) -> None:
        """Run the check."""
        run_function(self.function, self.given)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The check's file, line and name."""
        return self.path, self.info.line - 1, self.name

    def run_and_report(self) -> None:
        """Run the check and report it, instead of pytest's setup, call and teardown."""
        started, where = time.perf_counter(), f"in {self.path.name}, {self.name}"
        result, error = run_check(self.info, self.function, self.given, self.key, where)
        seconds = time.perf_counter() - started
        result = structs.replace(result, seconds=round(seconds, 4))
        report = pytest.TestReport(
            nodeid=self.nodeid,
            location=self.location,
            keywords={self.name: 1},
            outcome="passed",
            longrepr=None if error is None else f"{type(error).__name__}: {error}",
            when="call",
            duration=seconds,
        )
        fill_report(report, result, self, self.info.line, properties=bool(self.config.getoption("xmlpath", None)))
        self.ihook.pytest_runtest_logreport(report=report)


Subject = tuple[str, str, Mapping[str, Any]]
"""What one item checks: its ID, its key, and the arguments of the function."""


def make_items(collector: pytest.Collector, function: Function, subjects: Iterator[Subject]) -> list[AuditItem]:
    """The items of one check."""
    info, name = read_check(function), function.__name__
    return [
        AuditItem.from_parent(collector, name=f"{name}[{id_}]", info=info, function=function, key=key, given=given)
        for id_, key, given in subjects
    ]


def list_parameters(audit: Audit, function: Function) -> Iterator[Subject]:
    """The subjects of a function on one audit."""
    wanted = set(inspect.signature(function).parameters)
    if "judged" in wanted:
        for key, judged in zip(audit.keys, audit.judgements, strict=True):
            yield key, key, {"audit": audit, "judged": judged}
        return
    for name, values in (("source", audit.sources), ("hint", audit.hints), ("trace", audit.habits.traces)):
        if name in wanted:
            for value in values:
                yield f"{value}-{audit.key}", f"{audit.key}: {value}", {"audit": audit, name: value}
            return
    yield audit.key, audit.key, {"audit": audit}


def list_expected(audit: Audit, functions: Sequence[Function]) -> list[Expected]:
    """Every result of a complete audit."""
    return [
        Expected(info.id, key, info.blocking, is_version="judged" in given)
        for function, info in ((each, read_check(each)) for each in functions)
        for _, key, given in list_parameters(audit, function)
    ]


class AuditSession(ManySession):
    """What each process of the run has: the audits, once the history is observed."""

    marker, file = "audit", FILE

    def __init__(self, checks_folder: Path, *, block_on_advice: bool) -> None:
        self.checks_folder, self.block_on_advice = checks_folder, block_on_advice

    def wait(self) -> Sequence[AuditSnapshot]:
        """Wait for what was observed."""
        raise NotImplementedError

    @cached_property
    def audits(self) -> tuple[Audit, ...]:
        """One per channel; waits for the observation, and raises whatever it raised: a defect."""
        return tuple(map(Audit, self.wait()))

    def items(self, collector: pytest.Collector, function: Function) -> list[AuditItem]:
        """The items of a check; none if the observation broke, which the end of the run reports."""
        try:
            audits = self.audits
        except Exception:
            return []
        subjects = (subject for audit in audits for subject in list_parameters(audit, function))
        return make_items(collector, function, subjects)


class AuditController(Background[AuditSnapshot], AuditSession):
    """The process that observes, collects the results and judges."""

    def __init__(
        self,
        checks_folder: Path,
        collect: Callable[[threading.Event], Sequence[AuditSnapshot]],
        *,
        with_workers: bool,
        block_on_advice: bool,
    ) -> None:
        AuditSession.__init__(self, checks_folder, block_on_advice=block_on_advice)
        Background.__init__(self, collect, with_workers=with_workers)
        self.results: list[CheckResult] = []
        self._judged: tuple[int, tuple[AuditVerdict, ...]] = -1, ()

    def add(self, result: CheckResult) -> None:
        """Keep the result of one check."""
        self.results.append(result)

    def for_worker(self) -> dict[str, Any]:
        """What a worker gets at its start, as plain data."""
        return {
            "audit": True,
            "checks": str(self.checks_folder),
            "exchange": str(self.exchange),
            "block_on_advice": self.block_on_advice,
        }

    def verdicts(self) -> tuple[AuditVerdict, ...]:
        """One verdict per channel; empty if nothing was observed."""
        if self.result() is None:
            return ()
        if self._judged[0] != len(self.results):
            self._judged = len(self.results), tuple(map(self._judge, self.audits))
        return self._judged[1]

    def _judge(self, audit: Audit) -> AuditVerdict:
        expected = list_expected(audit, functions_of(self.checks_folder / FILE))
        keys, broken = {each.key for each in expected}, describe_defects(self.defects)
        results = [result for result in self.results if result.target in keys]
        return judge_audit(audit, results, expected, block_on_advice=self.block_on_advice, broken=broken)


class AuditWorker(AuditSession):
    """An xdist worker: reads what the controller observed."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(Path(given["checks"]), block_on_advice=given["block_on_advice"])
        self.exchange = Path(given["exchange"])

    def wait(self) -> Sequence[AuditSnapshot]:
        """Wait for what the controller observed."""
        return wait_for(self.exchange, AuditSnapshot)
