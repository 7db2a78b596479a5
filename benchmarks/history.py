"""A long past for the demo world: versions, tags, GitHub Releases and merged pull requests, thousands of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from release_state.demo import project
from release_state.demo.git import Repository
from tests.standins.world import World

BEGIN = datetime(2016, 1, 1, tzinfo=timezone.utc)
_FIRST_NUMBER = 100_000
"""Beyond the numbers that the world gives itself."""


def lengthen(world: World, versions: int) -> None:
    """Give the world so many versions that were released before 0.1.0, all at its first commits."""
    if not versions:
        return
    commit = world.remote_git.rev("refs/tags/v0.1.0^{commit}")
    names = [f"0.0.{number}" for number in range(1, versions + 1)]
    tags = {f"refs/tags/v{name}": commit for name in names}
    heads = {f"refs/pull/{_FIRST_NUMBER + number}/head": commit for number in range(versions)}
    _add_refs(world.remote_git, tags | heads)
    _add_refs(world.clone_git, tags)
    github = world.github
    first = github.add_release(
        f"v{names[0]}",
        body="notes",
        created_at=BEGIN,
        published_at=BEGIN,
        make_latest="false",
        author="release-bot",
    )
    merged = github.add_pull(
        world.branch("pypi", names[0]),
        title=project.pull_title(names[0]),
        merged=True,
        head_sha=commit,
        created_at=BEGIN,
        merged_at=BEGIN,
        merge_commit_sha=commit,
    )
    release, pull = github.releases[first], github.pulls[merged]
    # Copies: made one by one, each would ask git anew.
    for number, name in enumerate(names):
        when, own = BEGIN + timedelta(hours=8 * number), _FIRST_NUMBER + number
        world.index.upload("pypi", f"{world.package.replace('-', '_')}-{name}.tar.gz", b"old", when)
        if number:
            github.releases[own] = replace(
                release, id=own, tag=f"v{name}", name=f"v{name}", created_at=when, updated_at=when, published_at=when
            )
            github.pulls[own] = replace(
                pull,
                id=own,
                number=own,
                head_ref=world.branch("pypi", name),
                title=project.pull_title(name),
                created_at=when,
                updated_at=when,
                closed_at=when,
                merged_at=when,
            )


def _add_refs(git: Repository, refs: Mapping[str, str]) -> None:
    """As hosts have them, in one file: git makes a file for each that it is told of, which takes a minute."""
    git.run("pack-refs", "--all")
    packed = next(path for path in (git.path / "packed-refs", git.path / ".git" / "packed-refs") if path.is_file())
    head, *lines = packed.read_text(encoding="utf-8").splitlines()
    held: dict[str, str] = {}
    name = ""
    for line in lines:
        name = name if line.startswith("^") else line.split(" ")[1]
        held[name] = held.get(name, "") + f"{line}\n"
    held |= {name: f"{sha} {name}\n" for name, sha in refs.items()}
    packed.write_text(f"{head}\n" + "".join(held[name] for name in sorted(held)), encoding="utf-8")
