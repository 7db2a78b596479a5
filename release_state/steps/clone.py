"""Steps about the clone's working tree."""

from __future__ import annotations

from release_state.plan import Step, step
from release_state.snapshot import Clone

_MARKS = ("--no-skip-worktree", "--no-assume-unchanged")


def tidy_up(clone: Clone, title: str = "Commit, stash or remove them") -> list[Step]:
    """Have git show every change of the working tree, and decide on each."""
    git = ["git", "-C", clone.path]
    # One option at a time: git heeds only one of the two.
    shown = [[*git, "update-index", mark, "--", *clone.marked] for mark in _MARKS if clone.marked]
    settings = [word for setting in clone.showing for word in ("-c", setting)]
    first = (
        step(
            "Take the marks off that keep git from showing changes",
            *shown,
            reason="a marked file is passed over by git status, git commit and git stash",
        ),
    )
    return [*(first if clone.marked else ()), step(title, [*git, *settings, "status", "--short"])]
