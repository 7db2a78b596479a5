"""Do the tests see a wrong comparison? `python -m tests.proofs.mutants` changes the pure rooms, one spot at a time.

A mutant is the product with one comparison turned round, `and` for `or`, a `not` taken away or an `if` turned.
It is killed when a test fails. Each runs in a process of its own, forked from one that has imported what all of them
need; nothing on disk is changed. The sample is drawn by lot and is the same for the same seed.
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.machinery
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("facts", "plan", "verdict", "model")
TESTS = ("tests/checks", "tests/facts", "tests/audit/test_audit.py", "tests/plan", "tests/verdict")
LIMIT = 240
"""Seconds that the tests of one mutant may take: one that never ends is killed."""

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One spot of a module that is changed: the how-manieth of those that can be."""

    path: Path
    spot: int
    line: int
    change: str

    @property
    def name(self) -> str:
        """Where it is and what is changed, in a line."""
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.change}"

    @property
    def module(self) -> str:
        """The dotted name of the module."""
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")

    def tree(self) -> ast.Module:
        """The module with the change."""
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        node, number, _ = list(_spots(tree))[self.spot]
        _apply(node, number)
        return tree


def mutants() -> list[Mutant]:
    """Every mutant of the pure rooms, in the order of the files."""
    found = []
    for room in ROOMS:
        for path in sorted((ROOT / "release_state" / room).rglob("*.py")):
            spots = _spots(ast.parse(path.read_text(encoding="utf-8")))
            found += [Mutant(path, at, node.lineno, change) for at, (node, _, change) in enumerate(spots)]
    return found


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


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from its changed tree, every other as usual."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module that is changed, and no other."""
        if fullname != self.mutant.module:
            return None
        is_package = self.mutant.path.name == "__init__.py"
        spec = spec_from_loader(fullname, self, origin=str(self.mutant.path), is_package=is_package)
        if spec is not None and is_package:
            spec.submodule_search_locations = [str(self.mutant.path.parent)]
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed code."""
        module.__file__ = str(self.mutant.path)
        exec(compile(self.mutant.tree(), str(self.mutant.path), "exec"), module.__dict__)


def _child(mutant: Mutant | None, tests: Sequence[str]) -> int:
    """Run the tests over the mutant; over the product as it is for None. Returns pytest's exit code."""
    import pytest

    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    if mutant is not None:
        sys.meta_path.insert(0, _Changed(mutant))
    options = ["-c", "tests/pytest.ini", "-o", "addopts=", "-p", "no:cacheprovider", "-p", "no:xdist", "-x", "-q"]
    return int(pytest.main([*options, "-m", "not slow", *tests]))


def run(mutant: Mutant | None, tests: Sequence[str]) -> tuple[bool, float]:
    """Whether every test passed, and the seconds that they took."""
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        signal.alarm(LIMIT if mutant else 0)
        try:
            os._exit(_child(mutant, tests))
        except BaseException:
            os._exit(70)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0, time.monotonic() - began


def main() -> int:
    """Draw a sample, run it, say what survived; ends with 1 below the share that has to be killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=200, help="how many mutants (200)")
    parser.add_argument("--seed", type=int, default=0, help="which sample (0)")
    parser.add_argument("--least", type=float, default=0.92, help="the share that has to be killed (0.92)")
    parser.add_argument("tests", nargs="*", default=list(TESTS), help="the tests that may kill")
    given = parser.parse_args()
    os.chdir(ROOT)
    every = mutants()
    sample = random.Random(given.seed).sample(every, min(given.number, len(every)))
    # What all of them import, once; nothing of the product.
    import hypothesis  # noqa: F401 - imported for the children
    import packaging.version  # noqa: F401 - imported for the children
    import pydantic  # noqa: F401 - imported for the children
    import pytest  # noqa: F401 - imported for the children

    passed, took = run(None, given.tests)
    print(f"{len(every)} mutants, {len(sample)} of them drawn; the tests take {took:.0f} s", flush=True)
    if not passed:
        print("the tests fail without any change: nothing can be said", file=sys.stderr)
        return 2
    survived = []
    for mutant in sample:
        alive, seconds = run(mutant, given.tests)
        if alive:
            survived.append(mutant)
            print(f"survived ({seconds:.0f} s): {mutant.name}", flush=True)
    share = 1 - len(survived) / len(sample)
    print(f"{len(sample) - len(survived)} of {len(sample)} killed ({share:.1%})")
    return 0 if share >= given.least else 1


if __name__ == "__main__":
    sys.exit(main())
