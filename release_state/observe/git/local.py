"""Which repository of this machine a run is about: where its top is, and where its remote points."""

from __future__ import annotations

import os
from pathlib import Path

from release_state.common.errors import UsageProblem
from release_state.observe.git.command import Git
from release_state.observe.git.messages import GitFailed
from release_state.observe.git.reader import CloneReader
from release_state.settings import validate
from release_state.settings.sources import LocalRepository

_LIMIT_SECONDS = 10.0


def find_repository(folder: Path, remote: str) -> LocalRepository | None:
    """The repository at or above a folder, for the configuration of a run.

    Raises UsageProblem if there is one that cannot be read.
    """
    try:
        return locate(folder, remote)
    except GitFailed as failed:
        advice = failed.remedy or "mend it, or run from outside of it"
        raise UsageProblem(
            f"the repository at {validate.shown(str(folder))} cannot be read: {failed.why}; {advice}"
        ) from None


def locate(folder: Path, remote: str) -> LocalRepository | None:
    """
    The repository at or above a folder, and the URL of its remote without credentials; None where there is none.

    Reads only. Raises GitFailed where there is one that cannot be read, as one of another owner (safe.directory), or
    without a git that could: whatever it holds would else be taken for not there.
    """
    try:
        reader = CloneReader(folder, Git(_LIMIT_SECONDS))
        top = reader.top()
        answer = reader.run("remote", "get-url", "--", remote, accept=(0, 2))
    except GitFailed:
        if not any(os.path.lexists(above / ".git") for above in (folder, *folder.parents)):
            return None
        raise
    url = os.fsdecode(answer.output).split("\n")[0] if answer.code == 0 else ""
    return LocalRepository(top, url or None)
