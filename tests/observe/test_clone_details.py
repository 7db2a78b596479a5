"""What else lies in a clone, seen in real ones: submodules, built files, and who commits."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from release_state.model.observation import known
from release_state.model.snapshot import Clone
from release_state.observe.git.clone import observe_clone
from tests.support.gitrepo import Repo, fingerprint, make


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of whoever runs the tests."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = make(tmp_path / "repo")
    repo.commit("one", a__txt="one\n", __gitignore="dist/\n")
    return repo


def seen(repo: Repo) -> Clone:
    return observe_clone(repo.path, "origin", 20, None).present()


def test_dirty_submodules_are_named_and_nothing_is_written(repo: Repo, tmp_path: Path) -> None:
    for name in ("changed", "untracked", "clean", "absent"):
        library = make(tmp_path / name)
        library.commit("one", x__txt="x\n")
        repo.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", library.path.as_uri(), name)
    repo.commit("submodules")
    (repo.path / "changed" / "x.txt").write_text("y\n")
    (repo.path / "untracked" / "new").touch()
    repo.git("submodule", "--quiet", "deinit", "--force", "absent")
    before = fingerprint(repo.path)

    found = seen(repo)

    assert found.dirty_submodules == known(("changed", "untracked"))
    assert (found.changed, found.untracked) == ((), ()), "the clone itself is clean"
    assert fingerprint(repo.path) == before


def test_a_submodule_that_cannot_be_read_leaves_only_that_unknown(repo: Repo, tmp_path: Path) -> None:
    library = make(tmp_path / "library")
    library.commit("one", x__txt="x\n")
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", library.path.as_uri(), "sub")
    (repo.path / "sub" / ".git").write_text("gitdir: nowhere\n")

    found = seen(repo)

    assert found.dirty_submodules.unavailable is not None
    assert "submodule" in found.dirty_submodules.unavailable.why
    assert found.head == repo.head


def test_built_files_are_listed_by_name_ignored_or_not(repo: Repo) -> None:
    assert seen(repo).dist_names == known(())
    (repo.path / "dist").mkdir()
    for name in ("orbit-0.1.0.tar.gz", "orbit-0.1.0-py3-none-any.whl", "notes.txt"):
        (repo.path / "dist" / name).touch()
    found = seen(repo)
    assert found.dist_names == known(("orbit-0.1.0-py3-none-any.whl", "orbit-0.1.0.tar.gz"))
    assert "built" in msgspec.to_builtins(found), "the key of the documents of 0.1.0"


def test_no_link_is_followed(repo: Repo, tmp_path: Path) -> None:
    elsewhere = make(tmp_path / "elsewhere")
    elsewhere.commit("one", orbit__whl="x")
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", elsewhere.path.as_uri(), "a/sub")
    repo.commit("a submodule")
    (repo.path / "a").rename(tmp_path / "moved")
    (repo.path / "a").symlink_to(tmp_path / "moved")
    (tmp_path / "moved" / "sub" / "new").touch()
    (repo.path / "dist").symlink_to(elsewhere.path)
    found = seen(repo)
    assert (found.dirty_submodules, found.dist_names) == (known(()), known(()))


def test_whether_git_knows_who_commits(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seen(repo).no_identity == ("user.name", "user.email")
    repo.git("config", "user.name", "Zoe")
    assert seen(repo).no_identity == ("user.email",)
    monkeypatch.setenv("EMAIL", "zoe@example.org")
    found = seen(repo)
    assert found.no_identity == ()
    assert "zoe" not in msgspec.json.encode(found).decode().lower()


def test_a_bare_repository_has_no_work_tree_to_look_at(tmp_path: Path) -> None:
    found = seen(make(tmp_path / "bare.git", bare=True))
    assert (found.dirty_submodules, found.dist_names) == (known(()), known(()))
