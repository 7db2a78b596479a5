"""What is promised on paper is shown by tests that exist, and the pages that are made are made anew."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.cli import ROOT
from tests.faults import page

SHOWN_BY = re.compile(r"\[`(test_\w+)`\]\(([^)]+)\)")


@cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("name", ["docs/reliability.md"])
def test_every_test_that_is_named_exists(name: str) -> None:
    document = ROOT / name
    named = SHOWN_BY.findall(document.read_text(encoding="utf-8"))
    assert len(named) > 20
    missing = [test for test, path in named if test not in functions_of((document.parent / path).resolve())]
    assert missing == []


def test_the_fault_matrix_on_paper_is_the_one_that_is_run() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.with_matrix(text) == text, "run: python -m tests.faults.page --write"
