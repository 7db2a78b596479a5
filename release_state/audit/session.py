"""The session of an audit: observation, results and verdicts, with and without xdist."""

from __future__ import annotations

import gc
import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import pytest

from release_state.audit.audit import Audit
from release_state.audit.items import AuditItem, Function, list_expected, make_items
from release_state.audit.model import AuditSnapshot
from release_state.audit.verdict import AuditVerdict, judge_audit
from release_state.model.outcome import CheckResult, Exit
from release_state.observe.defects import Defects, describe_defects
from release_state.run.background import Background, wait_for
from release_state.run.checks import load
from release_state.verdict.check import describe

FILE = "test_audit.py"


def functions_of(path: Path) -> list[Function]:
    """The checks of a file."""
    return [value for value in vars(load(path)).values() if inspect.isfunction(value) and describe(value)]


class AuditSession:
    """What each process of the run has: the audits, once the history is observed."""

    marker = "audit"
    file = FILE

    def __init__(self, checks_folder: Path, *, block_on_advice: bool) -> None:
        self.checks_folder, self.block_on_advice = checks_folder, block_on_advice

    def wait(self) -> Sequence[AuditSnapshot]:
        """Wait for what was observed."""
        raise NotImplementedError

    @cached_property
    def audits(self) -> tuple[Audit, ...]:
        """One per channel; waits for the observation.

        Raises whatever the observation raised: a defect, since failed look-ups are recorded and not raised.
        """
        audits = tuple(Audit(history) for history in self.wait())
        for audit in audits:
            _ = audit.judgements
        # All of it lives to the end of the run; the garbage collector, which pytest calls five times at its end, need
        # not look at it.
        gc.freeze()
        return audits

    def items(self, collector: pytest.Collector, function: Function) -> list[AuditItem]:
        """The items of a check; none if the observation broke, which the end of the run reports."""
        try:
            audits = self.audits
        except Exception:
            return []
        return make_items(collector, function, audits)

    def begin(self, items: Sequence[pytest.Item]) -> None:
        """Do nothing: an audit observes the same, whatever versions are selected."""


class AuditController(Background[Sequence[AuditSnapshot]], AuditSession):
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
        Background.__init__(self, collect, _dump, with_workers=with_workers)
        self.defects: Defects = []
        """Errors inside look-ups; everything else was observed."""
        self.results: list[CheckResult] = []
        self._judged: tuple[int, tuple[AuditVerdict, ...]] | None = None

    def for_worker(self) -> dict[str, object]:
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
        if self._judged is not None and self._judged[0] == len(self.results):
            return self._judged[1]
        functions = functions_of(self.checks_folder / FILE)
        found = []
        for audit in self.audits:
            whole = list_expected(audit, functions)
            keys = {each.key for each in whole}
            results = [result for result in self.results if result.target in keys]
            broken = describe_defects(self.defects)
            found.append(judge_audit(audit, results, whole, block_on_advice=self.block_on_advice, broken=broken))
        self._judged = len(self.results), tuple(found)
        return self._judged[1]

    def exit_code(self) -> Exit:
        """The exit code of the run; never 0 if nothing ran."""
        if self.defect() is not None or self.defects:
            return Exit.DEFECT
        return Exit.worst([verdict.exit for verdict in self.verdicts()])


class AuditWorker(AuditSession):
    """An xdist worker: reads what the controller observed."""

    def __init__(self, given: Mapping[str, object]) -> None:
        super().__init__(Path(str(given["checks"])), block_on_advice=bool(given["block_on_advice"]))
        self.exchange = Path(str(given["exchange"]))

    def wait(self) -> Sequence[AuditSnapshot]:
        """Wait for what the controller observed."""
        return [AuditSnapshot.model_validate(document) for document in wait_for(self.exchange)]


def _dump(histories: Sequence[AuditSnapshot]) -> list[dict[str, object]]:
    return [history.model_dump(mode="json") for history in histories]
