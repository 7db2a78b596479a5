"""From nothing but Python and git: a fresh copy of the repository, its environment, the documented commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run.test_run import GITHUB
from tests.support.cli import ROOT, clean_environment
from tests.support.worlds import asked_github, asked_index, ended, forget_requests, variables, world_of

pytestmark = pytest.mark.slow


def _git(*arguments: str, cwd: Path) -> bytes:
    return subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True).stdout


def fresh_copy(folder: Path) -> None:
    """A clone of this checkout, with the changes that are not committed yet."""
    _git("clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder), cwd=ROOT)
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    wanted = {os.fsdecode(name) for name in listed.split(b"\0") if name}
    for name in {os.fsdecode(name) for name in _git("ls-files", "-z", cwd=folder).split(b"\0") if name} | wanted:
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
        else:
            target.unlink(missing_ok=True)


def test_a_fresh_clone_gets_to_a_verdict_and_a_report(tmp_path: Path) -> None:
    clone, home = tmp_path / "clone", tmp_path / "home"
    home.mkdir()
    fresh_copy(clone)
    before = _git("status", "--porcelain", cwd=clone)
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    # Python compiles what it imports; compiling all that is installed would take most of the time.
    environment = clean_environment(home, {**pip, "PIP_NO_COMPILE": "1"})
    reports = clone / "reports"

    made = subprocess.run(
        [sys._base_executable, "dev.py", "demo"],  # type: ignore[attr-defined]
        cwd=clone, env=environment, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip

    demo = ended(made, reports)
    assert (demo.code, demo.verdict) == (1, "ACTION NEEDED"), demo.output
    assert "ACTION NEEDED: orbit-demo 0.2.0 on pypi (verification)" in demo.output
    assert (reports / demo.page).stat().st_size > 10_000

    with world_of("clean") as world:
        forget_requests(world)
        literal = subprocess.run(
            [str(clone / ".venv" / "bin" / "pytest"), "checks/", "--version", "0.2.0", "--channel", "pypi"],
            cwd=clone, env={**environment, **variables(world)}, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        asked = len(asked_github(world)), len(asked_index(world))

    assert demo.json is not None
    ran = ended(literal, reports, (demo.json,))
    assert (ran.code, ran.verdict) == (0, "READY TO RELEASE"), ran.output
    assert ran.document["exit_code"] == 0
    assert [target["key"] for target in ran.document["targets"]] == ["orbit-demo==0.2.0@pypi"]
    assert asked == (len(GITHUB), 3)
    assert (reports / "latest.json").read_bytes() == (ran.json or Path()).read_bytes()
    assert _git("status", "--porcelain", cwd=clone) == before, "nothing but what git ignores is new"
