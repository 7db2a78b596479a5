"""The checks of an audit as pytest items: one for each version, without fixtures and without setup.

A parametrized test function costs pytest a few milliseconds, too much for two thousand versions. `run_and_report` runs
one of these items in one step, and it reports as any other check does.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from release_state.audit.audit import Audit
from release_state.audit.verdict import Expected
from release_state.model.outcome import CheckResult
from release_state.run.checks import fill_report
from release_state.verdict.check import CheckInfo, describe
from release_state.verdict.conclude import conclude

Function = Callable[..., None]


def run_check(
    info: CheckInfo, function: Function, given: Mapping[str, Any], key: str, where: str = ""
) -> tuple[CheckResult, BaseException | None]:
    """Call a check outside of pytest; its result (not timed), and the exception that it ended with."""
    error: BaseException | None = None
    try:
        function(**given)
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
        self.function(**self.given)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The check's file, line and name."""
        return self.path, self.info.line - 1, self.name

    def run_and_report(self) -> None:
        """Run the check and report it, instead of pytest's setup, call and teardown."""
        started, where = time.perf_counter(), f"in {self.path.name}, {self.name}"
        result, error = run_check(self.info, self.function, self.given, self.key, where)
        seconds = time.perf_counter() - started
        result = result.model_copy(update={"seconds": round(seconds, 4)})
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


def list_parameters(audit: Audit, function: Function) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """For each item of a function on one audit: its ID, its key and its arguments."""
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


def make_items(collector: pytest.Collector, function: Function, audits: tuple[Audit, ...]) -> list[AuditItem]:
    """The items of one check on all audits."""
    info = read_check(function)
    return [
        AuditItem.from_parent(
            collector, name=f"{function.__name__}[{name}]", info=info, function=function, key=key, given=given
        )
        for audit in audits
        for name, key, given in list_parameters(audit, function)
    ]


def list_expected(audit: Audit, functions: list[Function]) -> list[Expected]:
    """Every result of a complete audit."""
    found = []
    for function in functions:
        info = read_check(function)
        found += [
            Expected(info.id, key, info.blocking, is_version="judged" in given)
            for _, key, given in list_parameters(audit, function)
        ]
    return found


def read_check(function: Function) -> CheckInfo:
    """What the check declares. Raises TypeError if the function is no check."""
    info = describe(function, [pytest.mark.audit])
    if info is None:
        raise TypeError(f"{function.__name__} is no check")
    return info
