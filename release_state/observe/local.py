"""Which repository of this machine a run is about: where its top is, and where its remote points."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from release_state.observe.clone import CloneReader
from release_state.observe.git_command import Git, GitFailed

_LIMIT_SECONDS = 10.0


@dataclass(frozen=True)
class LocalRepository:
    """A git repository on this machine: its top folder and where its remote points (None: no such remote)."""

    top: Path
    remote_url: str | None


def locate(folder: Path, remote: str) -> LocalRepository | None:
    """The repository at or above a folder, and the URL of its remote without credentials.

    None where git sees no repository there, or none that it trusts (safe.directory). Reads only. Raises nothing else:
    a git that is missing or too old shows itself as no repository, and again in every look-up that needs it.
    """
    try:
        reader = CloneReader(folder, Git(_LIMIT_SECONDS))
        bare = reader.is_true("--is-bare-repository")
        top = Path(reader.line("rev-parse", "--absolute-git-dir" if bare else "--show-toplevel"))
        answer = reader.run("remote", "get-url", "--", remote, accept=(0, 2))
    except GitFailed:
        return None
    url = os.fsdecode(answer.output).split("\n")[0] if answer.code == 0 else ""
    return LocalRepository(top, url or None)
