"""What a run says of one project: plain data, from the process that observed it to the report."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from release_state.model import Model
from release_state.outcome import Exit
from release_state.plan import Step


class Part(Model):
    """One audit or one gate of the project: a channel's history, or a version on a channel."""

    key: str
    """`package@channel`, or `package==version@channel`."""
    verdict: str
    exit_code: int
    summary: str
    """What was looked at, in a line: "2160 versions: 2101 holds, 59 action needed"."""
    findings: tuple[str, ...] = ()
    """What is wrong or unknown, each in a line. May hold remote text: escape it where it is shown."""
    kinds: tuple[str, ...] = ()
    """IDs of checks or kinds of disagreement, to filter by."""
    steps: tuple[Step, ...] = ()
    """What to do next; a version's own plan is in its own report."""
    retry_at: str | None = None


class Row(Model):
    """One project."""

    project: str
    repository: str
    parts: tuple[Part, ...] = ()
    seconds: float = 0.0
    """How long it took to observe and judge it."""
    observed_by: int = 0
    """The process that did."""
    report: str | None = None
    """File name of the project's own report, in the folder beside the summary."""
    defect: str | None = None
    """What broke: a bug of the suite, which says nothing about the project. `parts` is what was judged all the same."""
    tracebacks: dict[str, str] = Field(default_factory=dict)
    """Each traceback of it, and where it broke: for the terminal, and for no report."""

    @property
    def exit(self) -> Exit:
        """The code that a run of this project alone would have ended with."""
        return Exit.DEFECT if self.defect else Exit.worst([Exit(part.exit_code) for part in self.parts])

    @property
    def verdict(self) -> str:
        """The verdict that decides."""
        if self.defect:
            return "DEFECT OF THE SUITE"
        return next((part.verdict for part in self.parts if part.exit_code == self.exit), "NOTHING CHECKED")

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong or unknown, over all parts."""
        return ((self.defect,) if self.defect else ()) + tuple(line for part in self.parts for line in part.findings)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What to do, over all parts."""
        return tuple(step for part in self.parts for step in part.steps)

    @property
    def retry_at(self) -> str | None:
        """When it makes sense to ask again."""
        return max((part.retry_at for part in self.parts if part.retry_at), default=None)


def worst(rows: Sequence[Row]) -> Exit:
    """The code that a run over these projects ends with."""
    return Exit.worst([row.exit for row in rows])
