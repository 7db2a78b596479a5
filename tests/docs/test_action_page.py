"""The page of the action: its inputs are the action's, and its workflows are clean."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from release_state.facts.workflow.calls import ReleaseWorkflow
from release_state.facts.workflow.weaknesses import find_unpinned
from tests.docs.action import PAGE, ROOT, WORKFLOW

TEXT = PAGE.read_text(encoding="utf-8").replace("@COMMIT", f"@{'a' * 40}")
"""Its examples pin by the hash of a commit."""
HEAD = "name: gate\non:\n  workflow_dispatch:\n    inputs:\n      version:\n        type: string\npermissions: {}\n"
JOB = "jobs:\n  gate:\n    runs-on: ubuntu-latest\n    timeout-minutes: 20\n    permissions: {}\n    steps:\n"


def examples() -> list[str]:
    """The workflows of the page; a part becomes a whole one."""
    found = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    found = [JOB + text if text.startswith("      - ") else text for text in found]
    return [text if text.startswith("name: ") else HEAD + text for text in found]


def test_an_auditor_of_workflows_finds_nothing(tmp_path: Path) -> None:
    zizmor = shutil.which("zizmor", path=str(Path(sys.executable).parent))
    if zizmor is None:
        if os.environ.get("CI"):
            pytest.fail("no zizmor in this environment")
        pytest.skip("no zizmor in this environment")
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for number, text in enumerate(examples()):
        (folder / f"example-{number}.yml").write_text(text, encoding="utf-8")
    command = [zizmor, "--offline", "--no-config", "--no-exit-codes", "--format=json"]

    def findings(*arguments: str | Path) -> list[str]:
        return [each["ident"] for each in json.loads(subprocess.check_output([*command, *arguments]))]

    assert findings("--persona=auditor", ROOT / "action.yml", WORKFLOW) == []
    assert findings(*sorted(folder.iterdir())) == []


def test_this_suite_finds_them_pinned() -> None:
    """By its own check, WORKFLOW-6."""
    path = ".github/workflows/release.yml"
    for text in (*examples(), WORKFLOW.read_text(encoding="utf-8")):
        assert find_unpinned(ReleaseWorkflow(path, {path: text})) == ()
    assert find_unpinned(ReleaseWorkflow(path, {path: examples()[0].replace("a" * 40, "main")}))


def test_its_examples_have_inputs_that_exist() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    called = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))[True]["workflow_call"]
    calls = [job for text in examples() for job in yaml.safe_load(text)["jobs"].values() if "uses" in job]
    steps = [
        step for text in examples() for job in yaml.safe_load(text)["jobs"].values() for step in job.get("steps", ())
    ]
    uses = [step for step in steps if "release-state@" in step.get("uses", "")]
    assert len(calls) == 3 and len(uses) == 2
    assert all(set(job["with"]) <= set(called["inputs"]) for job in calls)
    assert all(set(step["with"]) <= set(action["inputs"]) for step in uses)
    needed = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["release-state"]["permissions"]
    assert all(job["permissions"] == needed for job in calls), "a called workflow gets no right that its caller lacks"
    [gate] = [job for job in calls if "dist" in job["with"]]
    assert gate["needs"] == "build", "the artifact must exist before the call"
    assert {f"`{name}`" for name in action["outputs"]} <= set(re.findall(r"`[\w-]+`", TEXT))
