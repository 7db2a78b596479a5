"""What the clone alone shows of how a project releases: for `--show-config`, which contacts nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

from msgspec import Struct, structs
from packaging.version import Version

from release_state.facts.process import resolve
from release_state.model.observation import known
from release_state.model.snapshot import Remote, Snapshot, Tag
from release_state.model.target import Target
from release_state.observe.git.clone import read_tags
from release_state.observe.git.command import Git, GitFailed
from release_state.observe.git.objects import Objects
from release_state.observe.git.reader import CloneReader, open_clone
from release_state.observe.git.store import Store
from release_state.observe.git.workflow_files import read_workflow_files
from release_state.settings.config import PLACEHOLDER

_SECONDS = 10.0
_HEADS = "refs/heads/"


class CloneProcess(Struct, frozen=True):
    """What a clone shows, and where in it; no fact of the remote, which was not asked."""

    targets: tuple[Target, ...] = ()
    """One for each channel, with what was found out; empty if there is no clone, or none that can be read."""
    where: str = ""
    """The commit that was read, in words."""
    why_not: str = "there is no clone to read"


def read_process(targets: Sequence[Target]) -> CloneProcess:
    """Return how the project of the targets releases, from the tags and workflow files of their clone alone.

    The targets differ in their channel. A run finds it out by the same functions, from what the remote, the index and
    GitHub answer. Only reads; fetches nothing, also in a clone that lacks objects.
    """
    if not targets or (path := targets[0].clone) is None:
        return CloneProcess()
    try:
        return _read(open_clone(Path(path), Git(_SECONDS)), targets)
    except GitFailed as failed:
        return CloneProcess(why_not=f"the clone cannot be read: {failed.why}")


def _read(reader: CloneReader, targets: Sequence[Target]) -> CloneProcess:
    tags = read_tags(reader)
    branch, commit, where = _find_commit(reader, targets[0])
    with closing(Objects(reader.git_dir, reader.env)) as objects:
        store = Store(reader.git, reader.git_dir, reader.env, persistent=False, objects=objects, fetches=False)
        files = read_workflow_files(store, commit, branch)
    snapshots = (
        Snapshot(
            observed_at=datetime.now(timezone.utc),
            target=_with_version(target, tags),
            phase="pre-release",
            phase_reason="",
            remote=known(Remote(url=target.remote_url, default_branch=None, tags=tags)),
            workflow_files=known(files),
        )
        for target in targets
    )
    return CloneProcess(tuple(resolve(each).target for each in snapshots), where)


def _find_commit(reader: CloneReader, target: Target) -> tuple[str, str, str]:
    """Return the base branch, the commit that the clone last saw of it, and both in words; else those of HEAD."""
    prefix = f"refs/remotes/{target.remote}/"
    base = target.base_branch or _follow(reader, f"{prefix}HEAD", prefix)
    if base and (commit := _find_sha(reader, f"{prefix}{base}")):
        return base, commit, f"{target.remote}/{base} as last fetched, {commit[:12]}"
    if commit := _find_sha(reader, "HEAD"):
        return _follow(reader, "HEAD", _HEADS), commit, f"HEAD, {commit[:12]}"
    raise GitFailed("it has no commit")


def _follow(reader: CloneReader, ref: str, prefix: str) -> str:
    """Return the name of the branch that a symbolic ref names, without the prefix; empty if it names none."""
    named = reader.run("symbolic-ref", "--quiet", ref, accept=(0, 1)).text.removesuffix("\n")
    return named.removeprefix(prefix) if named.startswith(prefix) else ""


def _find_sha(reader: CloneReader, ref: str) -> str:
    return reader.run("rev-parse", "--quiet", "--verify", f"{ref}^{{commit}}", accept=(0, 1)).text.strip()


def _with_version(target: Target, tags: Sequence[Tag]) -> Target:
    """The target; without a version that anybody gave, with the newest one that a tag names.

    The version's tag tells the workflow of this package from a sibling's.
    """
    if target.version != PLACEHOLDER:
        return target
    named = [version for tag in tags if (version := target.parse_tag(tag.name))]
    return structs.replace(target, version=str(max(named, default=Version("1.0.0"))))
