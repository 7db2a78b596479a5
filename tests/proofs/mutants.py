"""Do the tests see a wrong comparison? `python -m tests.proofs.mutants` changes the pure rooms, one spot at a time.

A mutant is the product with one comparison of a function turned round, `and` for `or`, a `not` taken away or an `if`
turned. A test that fails kills it. pytest collects the tests once. For each mutant a forked process puts the changed
code into the functions and runs the tests that call the function, the quickest first; nothing on disk changes.
A seed draws the same sample as long as the functions of it stay as they are.
"""

from __future__ import annotations

import argparse
import ast
import gc
import itertools
import os
import pickle
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("facts", "plan", "verdict", "model")
TESTS = (
    "tests/facts", "tests/model", "tests/plan", "tests/checks/test_checks.py", "tests/checks/test_rows.py",
    "tests/checks/test_statements.py", "tests/verdict", "tests/report/test_json.py",
    "tests/report/test_page.py", "tests/report/test_records.py", "tests/audit/test_audit.py",
    "tests/audit/test_habits.py", "tests/audit/test_waivers.py", "tests/audit/test_workflows.py",
    "tests/incidents/test_logs.py", "tests/incidents/test_workflow_files.py",
    "tests/observe/test_expected_ci.py", "tests/observe/test_index.py",
    "tests/observe/test_settings.py", "tests/observe/test_workflow_files.py",
)  # fmt: skip
LEFT_OUT = (
    "a_run_refuses_it", "the_spread_shows_every", "another_index_is_asked", "nothing_unknown_is_ever_green",
    "any_json_gives_an_observation", "no_plan_fails_or_loses", "every_state_has_a_name", "test_spellings",
    "made_to_be_slow", "a_large_generated_workflow", "takes_no_time", "said_that_went_well",
)  # fmt: skip
"""Tests that do not run: the product runs in a process of its own there, or others show the same in less time.

Those of inputs that are made to be slow show how long it takes, not what comes out.
"""
REASONS = {
    "model/snapshot/__init__.py: and -> or in isinstance(inner, type) and issubclass(inner, Observation)": "it runs "
    "while the module is imported, before the changed code is there",
}
"""Why a mutant that survives needs no test; it counts as a survivor all the same."""
CPU = 60
"""Seconds of CPU that all tests together may take."""

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One spot of a function that is changed: its number among those of the module."""

    path: Path
    spot: int
    line: int
    change: str
    function: int
    """The line where the function begins."""
    function_name: str

    @property
    def name(self) -> str:
        """Where it is and what is changed, in a line."""
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.change}"

    @property
    def reason(self) -> str:
        """Why it needs no test; empty if nobody has said so."""
        return REASONS.get(f"{self.path.relative_to(ROOT / 'release_state')}: {self.change}", "")

    def lot(self, seed: int) -> str:
        """Return what the sample is sorted by: it stays the same wherever the function moves to."""
        return sha256(f"{seed} {self.function_name} {self.change}".encode()).hexdigest()

    def tree(self) -> ast.Module:
        """Return the module with the change."""
        tree = _parse(self.path)
        node, number, _ = list(_spots(tree))[self.spot]
        _apply(node, number)
        return tree


def mutants() -> list[Mutant]:
    """Return every mutant of the pure rooms, in the order of the files."""
    found = []
    for path in _modules():
        tree = _parse(path)
        functions = [f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)]
        for at, (node, _, change) in enumerate(_spots(tree)):
            around = [f for f in functions if f.lineno <= node.lineno <= (f.end_lineno or 0)]
            if around:
                inner = max(around, key=lambda f: f.lineno)
                found.append(Mutant(path, at, node.lineno, change, inner.lineno, inner.name))
    return found


@cache
def _read(path: Path) -> str:
    """Return the text of a module, as it was when the run began."""
    return path.read_text(encoding="utf-8")


def _parse(path: Path) -> ast.Module:
    return ast.parse(_read(path))


def _modules() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / "release_state" / room).rglob("*.py"))]


def _spots(tree: ast.Module) -> Iterator[tuple[ast.expr | ast.If, int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for number, operator in enumerate(node.ops):
                new = _COMPARISONS[type(operator)].__name__
                yield node, number, f"{type(operator).__name__} -> {new} in {ast.unparse(node)}"
        elif isinstance(node, ast.BoolOp):
            yield node, 0, f"{'and -> or' if isinstance(node.op, ast.And) else 'or -> and'} in {ast.unparse(node)}"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node, 0, f"not taken away in {ast.unparse(node)}"
        elif isinstance(node, (ast.If, ast.IfExp)) and "TYPE_CHECKING" not in ast.unparse(node.test):
            yield node, 0, f"if turned: {ast.unparse(node.test)}"


def _apply(node: ast.expr | ast.If, number: int) -> None:
    if isinstance(node, ast.Compare):
        node.ops[number] = _COMPARISONS[type(node.ops[number])]()
    elif isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.UnaryOp):
        # `not x` becomes x with the truth of a bool, whatever x is.
        node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), node.operand)
    elif isinstance(node, (ast.If, ast.IfExp)):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    ast.fix_missing_locations(node)


Place = tuple[str, int]
"""A module and the line where a function of it begins."""


class Functions:
    """The functions of the pure rooms that are in memory; their code can be replaced."""

    def __init__(self) -> None:
        self.files = {path.resolve(): path for path in _modules()}
        self._found: dict[tuple[Path, int, str], list[FunctionType]] = defaultdict(list)
        names: dict[str, Path | None] = {}
        for each in gc.get_objects():
            if isinstance(each, FunctionType):
                code = each.__code__
                if code.co_filename not in names:
                    names[code.co_filename] = self.files.get(Path(code.co_filename).resolve())
                if path := names[code.co_filename]:
                    self._found[path, code.co_firstlineno, code.co_name].append(each)

    def replace(self, path: Path, tree: ast.Module) -> None:
        """Put the code of the tree into the functions of the module."""
        left = [compile(tree, str(path), "exec")]
        while left:
            code = left.pop()
            left += [each for each in code.co_consts if isinstance(each, CodeType)]
            for function in self._found[path, code.co_firstlineno, code.co_name]:
                if function.__code__.co_freevars == code.co_freevars:
                    function.__code__ = code

    def mark(self, called: Callable[[Place], None]) -> None:
        """Make each function report its place when it is called."""
        for function in [each for several in self._found.values() for each in several]:
            function.__globals__["__called__"] = called
        for path in _modules():
            tree = _parse(path)
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    at = 1 if ast.get_docstring(node) is not None else 0
                    node.body[at:at] = ast.parse(f"__called__({(str(path), node.lineno)!r})").body
            self.replace(path, ast.fix_missing_locations(tree))


@dataclass
class Reach:
    """A test by its number, the functions of the pure rooms that it calls, and the seconds that it takes."""

    test: int
    functions: frozenset[Place]
    seconds: float


class Sample:
    """A pytest plugin that runs the sample in place of the tests."""

    def __init__(self, sample: Sequence[Mutant], say: Callable[[str], None]) -> None:
        self.sample, self.say = sample, say
        self.survived: list[Mutant] = []
        self._items: list[pytest.Item] = []
        self._killer = ""

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run each mutant of the sample."""
        self._items = session.items
        functions = Functions()
        gc.freeze()
        killer, every, seconds = _forked(lambda: self._reach(functions))
        if killer or every is None:
            raise pytest.UsageError(f"fails without any change: {killer}")
        self.say(f"{len(every)} tests, which take {seconds:.0f} s of CPU together")
        if seconds > CPU:
            raise pytest.UsageError(f"the tests take more than {CPU} s")
        for mutant in self.sample:
            place = (str(mutant.path), mutant.function)
            tests = sorted((r for r in every if place in r.functions), key=lambda reach: reach.seconds)
            killer, _, seconds = _forked(lambda: self._kill(functions, mutant, tests))  # noqa: B023 - called at once
            if not killer:
                self.survived.append(mutant)
            end = f"killed by {killer}" if killer else f"survived {len(tests)} tests"
            note = f" ({mutant.reason})" if mutant.reason and not killer else ""
            self.say(f"{end} in {seconds:.1f} s: {mutant.name}{note}")
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the name of the first test that fails."""
        if report.failed:
            self._killer = self._killer or report.nodeid

    def _run(self, tests: Sequence[int]) -> Iterator[int]:
        """Run the tests until one fails; yields the number of each that has run."""
        for number, following in itertools.zip_longest(tests, tests[1:]):
            item, after = self._items[number], None if following is None else self._items[following]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            yield number
            if self._killer:
                break

    def _reach(self, functions: Functions) -> tuple[str, list[Reach]]:
        called: set[Place] = set()
        functions.mark(called.add)
        found = []
        began = time.process_time()
        for number in self._run(range(len(self._items))):
            found.append(Reach(number, frozenset(called), time.process_time() - began))
            called.clear()
            began = time.process_time()
        return self._killer, found

    def _kill(self, functions: Functions, mutant: Mutant, tests: Sequence[Reach]) -> tuple[str, None]:
        # A mutant that never ends is killed, too.
        signal.setitimer(signal.ITIMER_PROF, 10 + 3 * sum(reach.seconds for reach in tests))
        functions.replace(mutant.path, mutant.tree())
        try:
            for _ in self._run([reach.test for reach in tests]):
                pass
        except BaseException as error:  # pytest catches what a test raises, but for what ends a process
            return repr(error), None
        return self._killer, None


def _forked(work: Callable[[], tuple[str, Any]]) -> tuple[str, Any, float]:
    """Do it in a process of its own. Returns the test that failed, the other result and the seconds of CPU."""
    with tempfile.TemporaryFile() as file:
        child = os.fork()
        if child == 0:
            code = 70
            try:
                pickle.dump(work(), file)
                file.flush()
                code = 0
            finally:
                os._exit(code)
        _, status, usage = os.wait4(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code > 0:
            raise RuntimeError("no test ran: the code cannot be replaced")
        file.seek(0)
        killer, result = pickle.load(file) if code == 0 else ("it never ends", None)
    return killer, result, usage.ru_utime + usage.ru_stime


def main() -> int:
    """Draw a sample and run it; return 1 where less than the share that has to be killed is killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=200, help="how many mutants (200)")
    parser.add_argument("--seed", type=int, default=0, help="which sample (0)")
    parser.add_argument("--least", type=float, default=0.92, help="the share that has to be killed (0.92)")
    parser.add_argument("--verbose", action="store_true", help="name the killed mutants too, and what kills them")
    parser.add_argument("tests", nargs="*", default=list(TESTS), help="the tests that may kill")
    given = parser.parse_args()
    os.chdir(ROOT)
    every = mutants()
    sample = sorted(every, key=lambda mutant: mutant.lot(given.seed))[: given.number]
    print(f"{len(every)} mutants, {len(sample)} of them drawn", flush=True)
    out = os.fdopen(os.dup(1), "w")

    def say(line: str) -> None:
        if given.verbose or not line.startswith("killed"):
            print(line, file=out, flush=True)

    plugin = Sample(sample, say)
    # A failure is enough: no smaller example is looked for.
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("mutants", phases=phases, database=None)
    hypothesis.settings.load_profile("mutants")
    options = ["-c", "tests/pytest.ini", "-o", "addopts=", "-p", "no:cacheprovider", "-p", "no:xdist", "-q"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning", "--hypothesis-seed=0"]
    options += ["-m", "not slow and not browser and not network", "-k", f"not ({' or '.join(LEFT_OUT)})"]
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    with tempfile.TemporaryDirectory() as folder:
        code = pytest.main([*options, f"--basetemp={folder}/tests", *given.tests], plugins=[plugin])
    if code:
        return int(code)
    killed = len(sample) - len(plugin.survived)
    say(f"{killed} of {len(sample)} killed ({killed / len(sample):.1%})")
    return 0 if killed / len(sample) >= given.least else 1


if __name__ == "__main__":
    sys.exit(main())
