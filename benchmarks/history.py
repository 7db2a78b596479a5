"""A long past for the demo world: versions, tags, GitHub Releases and merged pull requests, thousands of each."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from release_state.demo import project
from release_state.demo.world import World

BEGIN = datetime(2016, 1, 1, tzinfo=timezone.utc)


def lengthen(world: World, versions: int) -> None:
    """Give the world so many versions that were released before 0.1.0, all at its first commits."""
    if not versions:
        return
    commit = world.remote_git.rev("refs/tags/v0.1.0^{commit}")
    names = [f"0.0.{number}" for number in range(1, versions + 1)]
    lines = "".join(f"create refs/tags/v{name} {commit}\n" for name in names)
    world.remote_git.run("update-ref", "--stdin", stdin=lines.encode())
    world.clone_git.run("update-ref", "--stdin", stdin=lines.encode())
    for number, name in enumerate(names):
        when = BEGIN + timedelta(hours=8 * number)
        world.index.upload("pypi", f"{world.package.replace('-', '_')}-{name}.tar.gz", b"old", when)
        world.github.add_release(
            f"v{name}", body="notes", created_at=when, published_at=when, make_latest="false", author="release-bot"
        )
        world.github.add_pull(
            world.branch("pypi", name),
            title=project.pull_title(name),
            merged=True,
            head_sha=commit,
            created_at=when,
            merged_at=when,
            merge_commit_sha=commit,
        )
