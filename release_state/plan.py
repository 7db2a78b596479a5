"""A step of a recovery plan: what a person does, why, and with which exact commands. Printed, never run."""

from __future__ import annotations

import shlex

from release_state.model import Model


class Step(Model):
    """One thing to do."""

    title: str
    reason: str = ""
    commands: tuple[tuple[str, ...], ...] = ()
    """Argument lists, in order; each is one command line."""
    destroys: str | None = None
    """What is gone afterwards; None for a step that loses nothing."""
    saves: str | None = None
    """What an earlier command of this step keeps before anything is destroyed."""
    verify: tuple[tuple[str, ...], ...] = ()
    """Commands that show that it worked."""
    link: str | None = None
    """Where a web interface is the only way, or shows the same."""

    def lines(self) -> list[str]:
        """The commands as they are typed into a POSIX shell, quoted."""
        return [shlex.join(command) for command in self.commands]


def step(title: str, *commands: list[str], reason: str = "", **more: object) -> Step:
    """A step from its title and its commands (argument lists)."""
    return Step(title=title, reason=reason, commands=tuple(map(tuple, commands)), **more)
