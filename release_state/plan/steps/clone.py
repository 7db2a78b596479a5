"""Steps about the clone's working tree."""

from __future__ import annotations

from release_state.facts.release import Release
from release_state.model.plan import Step, step
from release_state.model.snapshot import Clone
from release_state.plan.steps.commands import in_clone

_MARKS = ("--no-skip-worktree", "--no-assume-unchanged")


def tidy_up(release: Release, clone: Clone, title: str = "Commit, stash or remove them") -> list[Step]:
    """Have git show every change of the working tree, and decide on each."""
    # A path that is not UTF-8 is known in escapes alone.
    named = clone.marked if not any("\\" in path for path in clone.marked) else ()
    # One option at a time: git heeds only one of the two.
    shown = [in_clone(release, "update-index", mark, "--", *named) for mark in _MARKS if named]
    settings = [word for setting in clone.showing for word in ("-c", setting)]
    first = (
        step(
            "Remove the marks that hide changes from git",
            *shown,
            reason="git status, git commit and git stash skip a marked file",
        ),
    )
    return [*(first if clone.marked else ()), step(title, in_clone(release, *settings, "status", "--short"))]
