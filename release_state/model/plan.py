"""Recovery plans and their steps: what to do, why, and the exact commands. Printed, never run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict

from msgspec import convert, structs

from release_state.common.text import find_obstacle, needs_repository, quote_command
from release_state.model.observation import Model

Direction = Literal["nothing", "complete", "roll back", "next version", "find out", "wait", "tidy up"]

Wanted = Literal["auto", "complete", "rollback", "force-recovery"]
"""The direction a person asks for: "auto" follows the diagnosis; "force-recovery" deletes every release branch."""

Mends = Literal[
    "branch", "other-branches", "tag", "local-tag", "index", "pull-request", "release", "draft", "run", "all"
]
"""The trace that a step fixes; "all" if every other step waits for it."""


class Undecided(Model):
    """The decisions that wait for a failed look-up."""

    source: str
    """The source that failed: "git remote", "GitHub"."""
    decisions: tuple[str, ...]
    """What depends on the answer, a clause each: "whether it is tagged"."""


class Step(Model):
    """One step for a person."""

    title: str
    mends: Mends | None = None
    reason: str = ""
    commands: tuple[tuple[str, ...], ...] = ()
    """Argument lists, in order; each is one command line."""
    precondition: str | None = None
    """What must still be true when the step is done; where git can check it, the command does."""
    destroys: str | None = None
    """What the step deletes; None if nothing."""
    saves: str | None = None
    """Why nothing is lost, or where it is backed up."""
    restore: tuple[tuple[str, ...], ...] = ()
    """The commands that bring back what it destroys: for later, and never part of a sentence that may be wrapped."""
    verify: tuple[tuple[str, ...], ...] = ()
    """Commands that verify the result."""
    link: str | None = None
    """A web page: the only way to do it, or where to see it."""
    advice: bool = False
    """Whether the step is optional."""
    in_empty_folder: bool = False
    """Whether its commands run in a new empty folder instead of the plan's folder."""
    undecided: Undecided | None = None
    """The decisions that it replaces, while they cannot be made."""
    withheld: str = ""
    """Why it has no commands: one of them cannot be shown exactly."""

    def __post_init__(self) -> None:
        # All commands go if one cannot be shown exactly: the others would be half a step.
        if why := find_obstacle(*self.commands, *self.verify):
            for name, value in (("commands", ()), ("verify", ()), ("withheld", why)):
                structs.force_setattr(self, name, value)
        if find_obstacle(*self.restore):
            structs.force_setattr(self, "restore", ())

    def __eq__(self, other: object) -> bool:
        """Whether both say the same; a step that came back from JSON is no longer known to start a run."""
        return isinstance(other, Step) and structs.astuple(self) == structs.astuple(other)

    def __hash__(self) -> int:
        return hash(structs.astuple(self))

    @property
    def starts_run(self) -> bool:
        """Whether it starts the release workflow: nothing may be deleted during the run, so the step comes last."""
        return False

    def mark_start(self) -> Step:
        """The step, known as the one that starts the release workflow."""
        return _StartingStep(**structs.asdict(self))

    def lines(self) -> list[str]:
        """Return the commands quoted for a POSIX shell; line feeds in arguments stay."""
        return [quote_command(command) for command in self.commands]

    def verify_lines(self) -> list[str]:
        """Return the verifying commands quoted for a POSIX shell."""
        return [quote_command(command) for command in self.verify]

    def restore_lines(self) -> list[str]:
        """Return the restoring commands quoted for a POSIX shell."""
        return [quote_command(command) for command in self.restore]


class _StartingStep(Step):
    """A step that starts the release workflow. In a document it is like any other."""

    @property
    def starts_run(self) -> bool:
        return True


class Plan(Model):
    """Ordered steps from the observed state to the wanted state."""

    direction: Direction
    reason: str = ""
    folder: str | None = None
    """The folder for git commands: the clone; None if any folder works."""
    steps: tuple[Step, ...] = ()
    other_way: tuple[str, ...] = ()
    """The command that prints the plan of the other direction, if there is one."""

    @property
    def instead(self) -> str:
        """The words before `other_way`: "To withdraw instead"."""
        return f"To {'withdraw' if self.other_option[-1:] == ('rollback',) else 'complete'} instead"

    @property
    def other_option(self) -> tuple[str, ...]:
        """The option of `other_way` that makes it the other one: `--plan` and its value; empty without one."""
        at = self.other_way.index("--plan") if "--plan" in self.other_way else len(self.other_way)
        return self.other_way[at : at + 2]

    def __post_init__(self) -> None:
        if find_obstacle(self.other_way):
            structs.force_setattr(self, "other_way", ())
        # Git commands go if their folder cannot be shown: they would run elsewhere.
        if self.folder is not None and (why := find_obstacle([self.folder])):
            structs.force_setattr(self, "steps", tuple(_withhold_commands(found, why) for found in self.steps))

    def way_to_folder(self) -> str | None:
        """Return the `cd` command to the folder; None if there is no folder, or it cannot be shown."""
        return None if self.folder is None or find_obstacle([self.folder]) else quote_command(["cd", self.folder])


def _withhold_commands(found: Step, why: str) -> Step:
    if found.in_empty_folder or not needs_repository((*found.commands, *found.verify)):
        return found
    # What would bring back what was lost is for that folder, too.
    withheld = f"they are for the clone, and {why}"
    return structs.replace(found, commands=(), verify=(), saves=None, restore=(), withheld=withheld)


class Loss(TypedDict, total=False):
    """What a step deletes, and why nothing is lost: arguments of `step`."""

    destroys: str
    saves: str
    restore: list[list[str]]


def step(
    title: str,
    *commands: Sequence[str],
    mends: Mends | None = None,
    reason: str = "",
    precondition: str | None = None,
    destroys: str | None = None,
    saves: str | None = None,
    restore: Sequence[Sequence[str]] = (),
    verify: Sequence[Sequence[str]] = (),
    link: str | None = None,
    advice: bool = False,
    in_empty_folder: bool = False,
    undecided: Undecided | None = None,
) -> Step:
    """Make a step from a title and commands (argument lists). Raises msgspec.ValidationError for a wrong type."""
    given = {
        "title": title,
        "commands": tuple(map(tuple, commands)),
        "mends": mends,
        "reason": reason,
        "precondition": precondition,
        "destroys": destroys,
        "saves": saves,
        "restore": tuple(map(tuple, restore)),
        "verify": tuple(map(tuple, verify)),
        "link": link,
        "advice": advice,
        "in_empty_folder": in_empty_folder,
        "undecided": undecided,
    }
    return convert(given, Step)
