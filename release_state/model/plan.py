"""A recovery plan and its steps: what a person does, why, and with which exact commands. Printed, never run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import model_validator

from release_state.common import shell
from release_state.model.observation import Model

Direction = Literal["nothing", "complete", "roll back", "next version", "find out", "wait", "tidy up"]

Wanted = Literal["auto", "complete", "rollback", "force-recovery"]
"""Which way a person wants to go: "auto" as the diagnosis says; "force-recovery" leaves no release branch."""

Mends = Literal[
    "branch", "other-branches", "tag", "local-tag", "index", "pull-request", "release", "draft", "run", "all"
]
"""Which trace a step puts right; "all" for what every other step waits for."""


class Undecided(Model):
    """What waits until a source answers that could not be observed."""

    source: str
    """What was asked: "git remote", "GitHub"."""
    decisions: tuple[str, ...]
    """What hangs on its answer, as a clause each: "whether it is tagged"."""


class Step(Model):
    """One thing to do."""

    title: str
    mends: Mends | None = None
    reason: str = ""
    commands: tuple[tuple[str, ...], ...] = ()
    """Argument lists, in order; each is one command line."""
    precondition: str | None = None
    """What must still be so when it is done; the command itself refuses where git can see to it."""
    destroys: str | None = None
    """What is gone afterwards; None for a step that loses nothing."""
    saves: str | None = None
    """Why nothing is lost by it: what is kept, and where, or what brings it back."""
    verify: tuple[tuple[str, ...], ...] = ()
    """Commands that show that it worked."""
    link: str | None = None
    """Where a web interface is the only way, or shows the same."""
    advice: bool = False
    """Whether it may be left undone."""
    in_empty_folder: bool = False
    """Whether its commands make a folder, and are to be typed in a new empty one instead of the plan's."""
    undecided: Undecided | None = None
    """What it finds out, where it stands in the place of steps that could not be decided on."""
    withheld: str = ""
    """Why it has no command, where one would hold what cannot be shown as it is."""

    @model_validator(mode="before")
    @classmethod
    def _withhold(cls, given: Any) -> Any:
        """Drop every command where one of them cannot be typed as it is shown: those left would be half of a step."""
        if isinstance(given, dict):
            commands = (*given.get("commands", ()), *given.get("verify", ()))
            if why := shell.find_obstacle(*commands):
                return {**given, "commands": (), "verify": (), "withheld": why}
        return given

    def lines(self) -> list[str]:
        """The commands as they are typed into a POSIX shell, quoted; an argument with a line feed keeps it."""
        return [shell.quote_command(command) for command in self.commands]

    def verify_lines(self) -> list[str]:
        """The verifying commands as they are typed into a POSIX shell."""
        return [shell.quote_command(command) for command in self.verify]


class Plan(Model):
    """The ordered steps from the observed state to the wanted one."""

    direction: Direction
    reason: str = ""
    folder: str | None = None
    """Where the git commands are to be typed: the clone; None where any folder does."""
    steps: tuple[Step, ...] = ()
    other_way: tuple[str, ...] = ()
    """The command that prints the plan of the other direction, where there is one."""

    @property
    def instead(self) -> str:
        """The words before `other_way`: "To withdraw instead"."""
        return f"To {'withdraw' if 'rollback' in self.other_way else 'complete'} instead"

    @model_validator(mode="before")
    @classmethod
    def _withhold(cls, given: Any) -> Any:
        """Drop what would be typed elsewhere: git commands for a folder that no command leads to."""
        if isinstance(given, dict):
            if shell.find_obstacle(given.get("other_way", ())):
                given = {**given, "other_way": ()}
            folder = given.get("folder")
            if folder is not None and (why := shell.find_obstacle([folder])):
                given = {**given, "steps": tuple(_elsewhere(found, why) for found in given.get("steps", ()))}
        return given

    def way_to_folder(self) -> str | None:
        """The command that goes to the folder; None where there is none, or none can be shown."""
        return (
            None
            if self.folder is None or shell.find_obstacle([self.folder])
            else shell.quote_command(["cd", self.folder])
        )


def _elsewhere(found: Any, why: str) -> Any:
    """The step without its commands where they are for a folder that cannot be named."""
    if (
        not isinstance(found, Step)
        or found.in_empty_folder
        or not shell.needs_repository((*found.commands, *found.verify))
    ):
        return found
    # What would bring back what was lost is for that folder, too.
    withheld = {"commands": (), "verify": (), "saves": None, "withheld": f"they are for the clone, and {why}"}
    return found.model_copy(update=withheld)


def step(
    title: str, *commands: Sequence[str], verify: Sequence[Sequence[str]] = (), reason: str = "", **more: object
) -> Step:
    """A step from its title and its commands (argument lists)."""
    given: dict[str, object] = {
        "title": title,
        "reason": reason,
        "commands": tuple(map(tuple, commands)),
        "verify": tuple(map(tuple, verify)),
        **more,
    }
    return Step.model_validate(given)
