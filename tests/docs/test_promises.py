"""Tests that documents name exist, and generated pages are up to date."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.proofs.faults import page
from tests.support.cli import ROOT
from tests.support.made_page import PAGE

HEAD = "name: gate\non:\n  workflow_dispatch:\n    inputs:\n      version:\n        type: string\n"
"""The beginning of the README's workflow, which the README leaves out."""
SHOWN_BY = re.compile(r"\[`(test_\w+)`\]\(([^)]+)\)")


@cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("name", ["docs/reliability.md", "SECURITY.md"])
def test_every_test_that_is_named_exists(name: str) -> None:
    document = ROOT / name
    named = SHOWN_BY.findall(document.read_text(encoding="utf-8"))
    assert len(named) > 20
    missing = [test for test, path in named if test not in functions_of((document.parent / path).resolve())]
    assert missing == []


def test_the_fault_matrix_on_paper_is_the_one_that_is_run() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page.with_matrix(text) == text, "run: python -m tests.proofs.faults.page --write"


def test_an_auditor_of_workflows_finds_what_security_says_and_no_more(tmp_path: Path) -> None:
    zizmor = shutil.which("zizmor", path=str(Path(sys.executable).parent))
    if zizmor is None:
        if os.environ.get("CI"):
            pytest.fail("no zizmor in this environment")
        pytest.skip("no zizmor in this environment")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    whole, steps = re.findall(r"^```yaml\n(.*?)^```$", readme.partition("## A gate in a workflow")[2], re.M | re.S)[:2]
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    jobs = whole[: whole.index("      - uses:")]
    for name, text in (("action", whole), ("plain", jobs + steps)):
        (folder / f"{name}.yml").write_text(HEAD + text, encoding="utf-8")
    command = [zizmor, "--offline", "--no-config", "--no-exit-codes", "--format=json"]

    def findings(path: Path, *more: str) -> set[str]:
        return {finding["ident"] for finding in json.loads(subprocess.check_output([*command, *more, path]))}

    assert findings(ROOT / "action.yml", "--persona=auditor") == set()
    assert findings(folder / "action.yml") == {"unpinned-uses"}
    assert findings(folder / "plain.yml") == set()
