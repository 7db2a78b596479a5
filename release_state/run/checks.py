"""The checks as pytest runs them: the catalogue, the call, and the result in pytest's report."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from msgspec import convert, to_builtins

from release_state.common.errors import UsageProblem, redact
from release_state.common.text import sanitize
from release_state.facts.health import explain_by_status
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import CheckResult, Outcome, Statement
from release_state.model.target import Target
from release_state.run.catalogue.own_checks import OwnModule, load_own_checks
from release_state.run.session import KEY, get_session
from release_state.settings.own_checks import OwnChecks
from release_state.verdict.check import ADVICE, MARKER, REMEDY, CheckInfo, conclude, describe, list_marks, run_function

OF_MANY = ("audit", "fleet")
"""Markers of checks of a whole history or of many projects; they belong to no phase."""
_loading = threading.RLock()

ATTRIBUTE = "release_state"
_ENDED: pytest.StashKey[BaseException | None] = pytest.StashKey()
"""The exception that ended a check, or None; missing if the check was not called."""

_NOT_CALLED = Problem(source="pytest", why="the check was not called", remedy=REMEDY)

_SHOWN = {
    Outcome.HOLDS: (".", {"green": True}),
    Outcome.ACTION_NEEDED: ("A", {"red": True}),
    Outcome.IN_PROGRESS: ("P", {"yellow": True}),
    Outcome.UNKNOWN: ("?", {"yellow": True}),
    Outcome.NOT_APPLICABLE: ("-", {"cyan": True}),
    Outcome.DEFECT: ("D", {"red": True}),
}


@cache
def catalogue(folder: Path, own: tuple[OwnChecks, ...] = ()) -> tuple[CheckInfo, ...]:
    """Every check of the folder's `test_*.py` files, in the order of files and lines, then the checks of one's own.

    The catalogue, not pytest's collection, defines the checks of a phase: a narrowed run cannot pass for a whole one.
    Raises ValueError if two checks share an ID or a check belongs to no phase; UsageProblem if one's own do.
    """
    found: dict[str, CheckInfo] = {}
    for path in sorted(folder.glob("test_*.py")):
        module = load(path)
        functions = [value for value in vars(module).values() if inspect.isfunction(value)]
        for info in filter(None, (describe(function, list_marks(module)) for function in functions)):
            if info.id in found:
                raise ValueError(f"two checks are called {info.id}: {found[info.id].function} and {info.function}")
            if not info.phases and not of_many(module):
                raise ValueError(f"{info.id} belongs to no phase: mark it or its file")
            found[info.id] = info
    for info in (info for file in load_own_checks(own) for info in file.checks.values()):
        if (other := found.setdefault(info.id, info)) is not info:
            places = f"{info.function} of {info.origin} and {other.function} of {other.origin or 'release-state'}"
            raise UsageProblem(f"two checks are called {info.id}: {places}; give yours a word of its own")
    return tuple(found.values())


def load(path: Path) -> ModuleType:
    """Import a file of checks once, under a name of its own; safe from any thread.

    Raises ValueError if it cannot be loaded.
    """
    with _loading:
        return _loaded(path)


@cache
def _loaded(path: Path) -> ModuleType:
    name = f"_release_state_catalogue_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module


def of_many(module: object) -> str | None:
    """The marker in `OF_MANY` that a file of checks carries, if any."""
    names = {mark.name for mark in list_marks(module)}
    return next((name for name in OF_MANY if name in names), None)


def call_check(item: pytest.Function) -> bool | None:
    """Call a check and keep its exception; None if the test is no check.

    Another plugin may swallow the exception, mark the test, replace the function or call nothing: no check holds
    because of that.
    """
    if item.get_closest_marker(MARKER) is None:
        return None
    check = _check_of(item)
    given = {name: item.funcargs[name] for name in inspect.signature(check).parameters}
    try:
        run_function(check, given)
    except BaseException as error:
        item.stash[_ENDED] = error
        raise
    item.stash[_ENDED] = None
    return True


def _check_of(item: pytest.Function) -> Callable[..., None]:
    """The check as its file defines it; `--trace` and plugins replace `item.obj` by functions of their own."""
    check: Callable[..., None] = getattr(item.module, item.originalname)
    return check


def is_statement(error: BaseException) -> bool:
    """Whether an exception is the statement of a check, and not a defect."""
    return isinstance(error, (Statement, NotObserved))


def translate(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> pytest.TestReport:
    """Attach the result to the report of a check; pytest's own outcome stays passed, failed or skipped."""
    if item.get_closest_marker(MARKER) is None or not isinstance(item, pytest.Function):
        return report
    if report.when != "call" and call.excinfo is None:
        return report
    error = call.excinfo.value if call.excinfo else None
    if report.when == "call":
        error = item.stash.get(_ENDED, error or NotObserved(_NOT_CALLED)) or error
    if error is not None and not isinstance(error, (Exception, pytest.skip.Exception)):
        return report  # Ctrl-C or pytest.exit, no statement of the check
    marks = [pytest.MarkDecorator(mark, _ispytest=True) for mark in item.iter_markers()]
    check = _check_of(item)
    info, target = describe(check, marks), item.callspec.params["target"]
    if info is None or not isinstance(target, Target):
        raise TypeError(f"{item.nodeid} is no check of a target")
    where = f"in {Path(item.path).name}, {item.name}"
    if isinstance(item.parent, OwnModule):
        where = f"in {item.parent.nodeid}, {item.name}, a check of your own"
    snapshot = get_session(item.config).snapshot
    result = conclude(
        info,
        error,
        target.key,
        seconds=report.duration,
        where=where,
        explain=lambda problem: explain_by_status(snapshot(target), problem),
    )
    return fill_report(report, result, item, check.__code__.co_firstlineno)


def fill_report(
    report: pytest.TestReport, result: CheckResult, item: pytest.Item, line: int, *, properties: bool = True
) -> pytest.TestReport:
    """Put a result into the report that carries it to the controller.

    `line` is the check's line in its file; `properties` says whether `--junit-xml` needs its properties.
    """
    decides = result.decides(item.config.stash[KEY].block_on_advice)
    setattr(report, ATTRIBUTE, to_builtins(result))
    # On the item too: --junit-xml takes the properties of the item's last report, the teardown's.
    item.user_properties[:] = _properties(result) if properties else []
    report.user_properties[:] = item.user_properties
    if result.outcome is Outcome.HOLDS:
        report.outcome = "passed"
        report.longrepr = None
    elif result.outcome is Outcome.NOT_APPLICABLE or not decides:
        report.outcome = "skipped"
        report.longrepr = (str(item.path), line, describe_finding(result))
    else:
        report.outcome = "failed"
        report.longrepr = redact(report.longreprtext) if result.outcome is Outcome.DEFECT else describe_finding(result)
    return report


def _properties(result: CheckResult) -> list[tuple[str, object]]:
    """The properties of a check in `--junit-xml`; all are there, even if empty."""
    return [
        ("id", result.id),
        ("target", result.target),
        ("outcome", result.outcome.value),
        ("blocking", "true" if result.blocking else "false"),
        ("expected", sanitize(result.expected or result.title)),
        ("found", sanitize(result.found)),
        ("why", sanitize(result.why)),
        ("next step", " / ".join(sanitize(step.title) for step in result.steps)),
    ]


def describe_finding(result: CheckResult) -> str:
    """A finding in two lines."""
    if result.outcome is Outcome.NOT_APPLICABLE:
        return f"{result.id} {result.outcome.words}: {sanitize(result.found)}"
    expected = f"expected: {sanitize(result.expected)}\n" if result.expected else ""
    return f"{result.id} {result.outcome.value}\n{expected}found: {sanitize(result.found)}"


def read_result(report: pytest.TestReport) -> CheckResult | None:
    """The result that a report carries; None if it carries none."""
    document = getattr(report, ATTRIBUTE, None)
    return convert(document, CheckResult) if document is not None else None


def status(report: pytest.TestReport) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Category, letter and word of a report's outcome."""
    document = getattr(report, ATTRIBUTE, None)
    if document is None:
        return None
    outcome = Outcome(document["outcome"])
    if outcome is Outcome.ACTION_NEEDED and not document["blocking"]:
        return ADVICE, "a", ("ADVICE", {"yellow": True})
    letter, markup = _SHOWN[outcome]
    return outcome.words, letter, (outcome.words.upper(), markup)
