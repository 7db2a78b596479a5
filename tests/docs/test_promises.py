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
"""The beginning of a workflow, which some examples leave out."""
WITH_WORKFLOWS = ("README.md", "docs/recipes.md", "docs/gates.md", "docs/action.md")
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


def whole(text: str) -> str:
    """A workflow file around an example, which may be a job or a step only."""
    if text.startswith("      - "):
        text = f"  job:\n    runs-on: ubuntu-latest\n    timeout-minutes: 5\n    steps:\n{text}"
    if text.startswith("  "):
        text = f"permissions: {{}}\njobs:\n{text}"
    return text if text.startswith("name: ") else HEAD + text


def test_an_auditor_of_workflows_finds_nothing(tmp_path: Path) -> None:
    zizmor = shutil.which("zizmor", path=str(Path(sys.executable).parent))
    if zizmor is None:
        if os.environ.get("CI"):
            pytest.fail("no zizmor in this environment")
        pytest.skip("no zizmor in this environment")
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for document in WITH_WORKFLOWS:
        text = (ROOT / document).read_text(encoding="utf-8").replace("@COMMIT", f"@{'a' * 40}")
        examples = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        assert examples, document
        for number, example in enumerate(examples):
            (folder / f"{Path(document).stem}-{number}.yml").write_text(whole(example), encoding="utf-8")
    command = [zizmor, "--offline", "--no-config", "--no-exit-codes", "--format=json"]

    def findings(*arguments: str | Path) -> list[str]:
        found = json.loads(subprocess.check_output([*command, *arguments]))
        return [f"{each['ident']}: {each['locations'][0]['symbolic']['key']}" for each in found]

    assert findings("--persona=auditor", ROOT / "action.yml", *sorted((ROOT / ".github" / "workflows").iterdir())) == []
    assert findings(*sorted(folder.iterdir())) == []
