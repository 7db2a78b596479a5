"""What checks of one's own are written with: the only module that they should import.

The names here, their signatures and what the types offer stay as they are while `API_VERSION` does: what is removed or
changed raises it, what is added does not. The facts in a `Snapshot` are described by `report/schemas/`, which have
versions of their own. How to write, install and test such checks: docs/own-checks.md
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from release_state.facts.release import Release
from release_state.model.observation import NotObserved
from release_state.model.outcome import ActionNeeded, InProgress, NotApplicable
from release_state.model.plan import Step
from release_state.model.plan import step as _step
from release_state.model.snapshot import Snapshot
from release_state.model.target import Channel, Target
from release_state.plan.recovery import Recovery
from release_state.verdict.check import check as _check

__all__ = [
    "API_VERSION",
    "ActionNeeded",
    "Channel",
    "InProgress",
    "NotApplicable",
    "NotObserved",
    "Recovery",
    "Release",
    "Snapshot",
    "Step",
    "Target",
    "check",
    "step",
]

API_VERSION = 1
"""Raised when a name or a signature is removed or changed."""

Function = TypeVar("Function", bound=Callable[..., None])


def check(check_id: str, *, reads: Sequence[str], advice: bool = False) -> Callable[[Function], Function]:
    """Declare the function below as a check.

    `check_id` is unique and stable, such as `ACME-1`. `reads` names the look-ups whose facts the check uses, so that a
    run of this check alone asks no others. A check blocks, unless `advice` is true. Its docstring begins with the fact
    that should be true, in one sentence. Raises ValueError on a name that is no look-up.
    """
    return _check(check_id, reads=reads, advice=advice)


def step(
    title: str,
    *commands: Sequence[str],
    reason: str = "",
    verify: Sequence[Sequence[str]] = (),
    link: str | None = None,
    precondition: str | None = None,
    destroys: str | None = None,
    saves: str | None = None,
    advice: bool = False,
) -> Step:
    """Make a step of the plan: what a person does, with the exact commands. The suite prints them and never runs them.

    Each command is an argument list, as are those in `verify`, which verify the result. `destroys` says what the step
    deletes, and `saves` why nothing is lost. Raises TypeError for a command that is a text.
    """
    for command in (*commands, *verify):
        if isinstance(command, str) or not all(isinstance(word, str) for word in command):
            raise TypeError(f"a command is a list of texts, not {command!r}")
    return _step(
        title,
        *commands,
        reason=reason,
        verify=verify,
        link=link,
        precondition=precondition,
        destroys=destroys,
        saves=saves,
        advice=advice,
    )
