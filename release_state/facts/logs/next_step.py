"""How a release is started again, by the process of the project: the next step after an explained failure (pure)."""

from __future__ import annotations

from release_state.facts.logs.failure import Completion
from release_state.model.process import Process

_FIXED = {
    "tag": "a fix needs a new commit and a tag on it",
    "release": "a fix needs a new commit, a tag on it, and a GitHub Release of that tag",
    "dispatch": "a fix needs a new commit; then start it by hand with the same inputs",
    "branch": "a fix is a new commit on that branch, which starts it again",
    "pull-request": "a fix needs the next release pull request",
}
_STARTED = {
    "tag": "a pushed tag",
    "release": "a GitHub Release",
    "dispatch": "a start by hand",
    "branch": "a push to a branch",
    "pull-request": "a merged release pull request",
    "schedule": "a schedule",
    "workflow": "the end of another workflow",
}


def describe_restart(process: Process, version: Completion, repository: str) -> str | None:
    """Return how the release of a repository goes on; None if it is not known how a person starts the upload.

    A re-run keeps the commit and the workflow file: it is enough where neither was at fault.
    """
    starts = list(dict.fromkeys((start.kind, each.workflow) for each in process.publishers for start in each.starts))
    if not starts or starts[0][0] not in _FIXED:
        return None
    kind, workflow = starts[0]
    parts = [f"in {repository}, {_STARTED[kind]} starts {workflow}"]
    parts += [f"{_STARTED[other]} starts {name}, too" for other, name in starts[1:]]
    if version is not Completion.NEXT:
        parts.append("where nothing has to change, re-run the failed jobs of the run")
    parts.append(_FIXED[kind])
    if process.version_writer is not None:
        parts.append("the run sets the version, so a new start makes the next one if the tag is there already")
    elif version is Completion.NEXT or (version is Completion.DEPENDS and kind in ("tag", "release")):
        parts.append(
            "take the next version" + " if any file of this one is published" * (version is not Completion.NEXT)
        )
    return "; ".join(parts)
