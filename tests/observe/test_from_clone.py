"""What `--show-config` reads of the process: from the clone alone, as it is, and never as a fact of the remote."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec import structs

from release_state.model.target import Target
from release_state.observe.from_clone import CloneProcess, read_process
from release_state.settings.config import PLACEHOLDER
from tests.support.gitrepo import Repo, fingerprint, make
from tests.support.states import TESTPYPI
from tests.support.states import target as make_target

SHIP = ".github/workflows/ship.yml"
ON_TAG = "on: {push: {tags: ['v*']}}\njobs: {up: {environment: {name: live}, steps: [{run: uv publish}]}}\n"
OTHER = ON_TAG.replace("'v*'", "'other-v*'").replace("live", "others")


@pytest.fixture
def origin(tmp_path: Path) -> Repo:
    origin = make(tmp_path / "origin")
    put(origin, {SHIP: ON_TAG, ".github/workflows/other.yml": OTHER})
    origin.git("tag", "v0.1.0")
    return origin


def put(repo: Repo, files: dict[str, str]) -> None:
    for path, text in files.items():
        (repo.path / path).parent.mkdir(parents=True, exist_ok=True)
        (repo.path / path).write_text(text, encoding="utf-8")
    repo.commit("files")


def cloned(origin: Repo, folder: Path, *options: str) -> Path:
    command = ["git", "clone", "--quiet", *options, origin.path.as_uri(), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def read(clone: Path, *channels: Target, **changes: object) -> CloneProcess:
    """What the clone shows; its remote is gone by then."""
    target = make_target(**{"version": PLACEHOLDER, "given": (), "clone": str(clone), **changes})
    return read_process([target, *(structs.replace(target, channel=each.channel) for each in channels)])


def test_it_is_what_the_clone_last_saw_of_the_base_branch(origin: Repo, tmp_path: Path) -> None:
    clone = cloned(origin, tmp_path / "clone")
    shutil.rmtree(origin.path)
    (clone / SHIP).unlink()
    mine = Repo(clone)
    mine.git("checkout", "--quiet", "-b", "mine")
    mine.commit("without ship.yml")
    before = fingerprint(clone)

    found = read(clone)

    [target] = found.targets
    assert (target.workflow, [start.kind for start in target.process.starts]) == ("ship.yml", ["tag"])
    assert [each.environment for each in target.process.publishers] == ["live"], "not the sibling's, whose tags differ"
    assert found.where.startswith("origin/main as last fetched, ")
    assert fingerprint(clone) == before
    assert read(clone, base_branch="mine").targets[0].workflow == "other.yml"
    assert read(clone, base_branch="mine").where.startswith("HEAD, ")


def test_each_channel_has_its_own(origin: Repo, tmp_path: Path) -> None:
    rehearsal = ON_TAG.replace("uv publish", "uv publish --index testpypi").replace("live", "rehearsal")
    put(origin, {".github/workflows/rehearse.yml": rehearsal})
    found = read(cloned(origin, tmp_path / "clone"), make_target(channel=TESTPYPI))
    assert [each.process.publishers[0].environment for each in found.targets] == ["live", "rehearsal"]


@pytest.mark.parametrize("options", [("--depth=1",), ("--bare",), ("--mirror",)])
def test_a_clone_of_another_kind_shows_what_it_has(origin: Repo, tmp_path: Path, options: tuple[str, ...]) -> None:
    found = read(cloned(origin, tmp_path / "clone", *options))
    assert found.targets and found.targets[0].workflow == "ship.yml"


def test_nothing_is_fetched_for_a_clone_that_lacks_the_files(origin: Repo, tmp_path: Path) -> None:
    origin.git("config", "uploadpack.allowFilter", "true")
    clone = cloned(origin, tmp_path / "clone", "--filter=blob:none", "--no-checkout")
    before = fingerprint(clone)
    found = read(clone)
    assert found.targets == () and found.why_not.startswith("the clone cannot be read: "), found
    assert fingerprint(clone) == before


def test_without_a_clone_or_a_commit_it_says_so(tmp_path: Path) -> None:
    assert read_process([make_target(clone=None)]).why_not == "there is no clone to read"
    empty = make(tmp_path / "empty")
    assert read(empty.path).why_not == "the clone cannot be read: it has no commit"
