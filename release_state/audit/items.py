"""The checks of an audit as pytest items: one for each version, made without fixtures and run without ceremony.

A parametrized test function costs pytest a few milliseconds, which two thousand versions would have to wait for. These
items are run by `run_and_report`, in one step each, and report as any other check does: they are pure, and there is
nothing to set up.
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
from release_state.run.checks import dress
from release_state.verdict.check import CheckInfo, describe
from release_state.verdict.conclude import conclude

Function = Callable[..., None]


class AuditItem(pytest.Item):
    """One check on one version, source or trace of an audit; `given` is what the function asks for."""

    def __init__(self, *, info: CheckInfo, function: Function, key: str, given: Mapping[str, Any], **more: Any) -> None:
        super().__init__(**more)
        self.info, self.function, self.key, self.given = info, function, key, given

    def runtest(self) -> None:
        """Run the check."""
        self.function(**self.given)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the check is, and its name."""
        return self.path, self.info.line - 1, self.name

    def run_and_report(self) -> None:
        """Run the check and report it, in place of pytest's setup, call and teardown."""
        started, error = time.perf_counter(), None
        try:
            self.runtest()
        except (Exception, pytest.skip.Exception) as raised:
            error = raised
        seconds = time.perf_counter() - started
        result = conclude(self.info, error, self.key, seconds=seconds, where=f"in {self.path.name}, {self.name}")
        report = pytest.TestReport(
            nodeid=self.nodeid,
            location=self.location,
            keywords={self.name: 1},
            outcome="passed",
            longrepr=None if error is None else f"{type(error).__name__}: {error}",
            when="call",
            duration=seconds,
        )
        dress(report, result, self, self.info.line, properties=bool(self.config.getoption("xmlpath", None)))
        self.ihook.pytest_runtest_logreport(report=report)


def parameters(audit: Audit, function: Function) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """For each item of a function on one audit: its ID, its key, and what it is given."""
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


def items(collector: pytest.Collector, function: Function, audits: tuple[Audit, ...]) -> list[AuditItem]:
    """The items of one check."""
    info = info_of(function)
    return [
        AuditItem.from_parent(
            collector, name=f"{function.__name__}[{name}]", info=info, function=function, key=key, given=given
        )
        for audit in audits
        for name, key, given in parameters(audit, function)
    ]


def expected(audit: Audit, functions: list[Function]) -> list[Expected]:
    """Every result that a whole audit has."""
    found = []
    for function in functions:
        info = info_of(function)
        found += [
            Expected(info.id, key, info.blocking, is_version="judged" in given)
            for _, key, given in parameters(audit, function)
        ]
    return found


def info_of(function: Function) -> CheckInfo:
    """What a check of many declares."""
    info = describe(function, [pytest.mark.audit])
    if info is None:
        raise TypeError(f"{function.__name__} is no check")
    return info
