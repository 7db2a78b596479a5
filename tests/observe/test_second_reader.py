"""The observed clone, compared with what another reader of git repositories says of it."""

from __future__ import annotations

from collections.abc import Iterator

import git
import pytest

from release_state.observe.git.clone import observe_clone
from tests.standins.world import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as world:
        world.release("pypi", "0.2.0")
        world.sync_clone()
        yield world


@pytest.mark.parametrize("state", ["clean", "changed", "untracked", "detached"])
def test_both_readers_agree(world: World, state: str) -> None:
    repository = git.Repo(world.clone)
    readme = world.clone / "README.md"
    before = readme.read_bytes() if readme.exists() else None
    if state == "changed":
        (world.clone / "pyproject.toml").open("a").close()
        path = world.clone / "CHANGELOG.md"
        path.write_text(path.read_text(encoding="utf-8") + "more\n", encoding="utf-8")
    elif state == "untracked":
        (world.clone / "new.txt").write_text("new", encoding="utf-8")
    elif state == "detached":
        repository.git.checkout("--detach", "--quiet", "--force")
    try:
        observed = observe_clone(world.clone, "origin", 10, None).present()
        assert observed.head == repository.head.commit.hexsha
        assert observed.branch == (None if repository.head.is_detached else repository.active_branch.name)
        assert bool(observed.changed_count) == repository.is_dirty()
        assert sorted(observed.untracked) == sorted(repository.untracked_files)
        assert {tag.name: tag.commit for tag in observed.tags} == {t.name: t.commit.hexsha for t in repository.tags}
        assert observed.remote_url == repository.remotes.origin.url
    finally:
        repository.git.reset("--hard", "--quiet")
        repository.git.clean("-fdq")
        repository.git.checkout("main", "--quiet")
        assert before is None or readme.read_bytes() == before
        repository.close()
