"""Phases, outcomes, verdicts and exit codes, and the exceptions that end a check."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from msgspec import structs

from release_state.model.observation import Model
from release_state.model.plan import Step


class Phase(str, enum.Enum):
    """Which checklist applies."""

    PRE_RELEASE = "pre-release"
    PRE_PUBLISH = "pre-publish"
    """Inside a workflow run that a tag started, before it uploads."""
    POST_RECOVERY = "post-recovery"
    ROLLBACK = "rollback"

    @property
    def marker(self) -> str:
        """The pytest marker of the phase's checks."""
        return self.value.replace("-", "_")


def name_phase(phase: str) -> str:
    """Return a phase as people read it; documents hold its value."""
    if phase == Phase.POST_RECOVERY:
        return "verification"
    return phase.value if isinstance(phase, Phase) else phase


class Outcome(str, enum.Enum):
    """How one check ended."""

    HOLDS = "holds"
    ACTION_NEEDED = "action needed"
    IN_PROGRESS = "in progress"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not applicable"
    DEFECT = "defect"
    """The check itself failed: a bug in the suite, not a statement about the release."""

    @property
    def words(self) -> str:
        """The outcome as people read it; documents hold its value."""
        return "skipped" if self is Outcome.NOT_APPLICABLE else self.value

    @property
    def symbol(self) -> str:
        """The outcome in one character; not ASCII."""
        return {"holds": "✓", "action needed": "✗", "in progress": "…", "unknown": "?", "defect": "!"}.get(self, "-")


class Verdict(str, enum.Enum):
    """The run's verdict on one target."""

    READY = "READY TO RELEASE"
    READY_TO_PUBLISH = "READY TO PUBLISH"
    VERIFIED = "RELEASED AND VERIFIED"
    ROLLED_BACK = "ROLLED BACK"
    AGREES = "HISTORY AGREES"
    ACTION_NEEDED = "ACTION NEEDED"
    IN_PROGRESS = "IN PROGRESS"
    COULD_NOT_VERIFY = "COULD NOT VERIFY"
    PARTIAL = "PARTIAL"
    NOTHING_CHECKED = "NOTHING CHECKED"
    DEFECT = "DEFECT OF THE SUITE"


class Exit(enum.IntEnum):
    """The exit codes; 2 and 3 are pytest's own."""

    OK = 0
    ACTION_NEEDED = 1
    INTERRUPTED = 2
    DEFECT = 3
    USAGE = 4
    NOTHING_CHECKED = 5
    UNKNOWN = 6
    IN_PROGRESS = 8

    @property
    def symbol(self) -> str:
        """The exit code in one character: success, failure or unknown."""
        return "✓" if self is Exit.OK else "✗" if self in (Exit.ACTION_NEEDED, Exit.DEFECT) else "?"

    @staticmethod
    def worst(codes: Sequence[Exit]) -> Exit:
        """Return the exit code of a run with several targets."""
        return min(codes, key=_WORST_FIRST.index, default=Exit.NOTHING_CHECKED)


_WORST_FIRST = [Exit(code) for code in (2, 3, 4, 1, 6, 8, 5, 0)]
"""Interrupted, defect, usage, action needed, unknown, in progress, nothing checked, OK."""


class Statement(Exception):  # noqa: N818 - how a check ends, not an error
    """Raised by a check whose fact does not hold; caught by the plugin.

    `advice` makes this one finding advice, whatever the check's own level is; `blocks` makes it decide though the check
    is advice: it states what makes the release fail for certain.
    """

    outcome: Outcome

    def __init__(
        self,
        *,
        expected: str = "",
        found: str = "",
        why: str = "",
        steps: Sequence[Step] = (),
        advice: bool = False,
        blocks: bool = False,
    ) -> None:
        texts = {"expected": expected, "found": found, "why": why}
        for name, text in texts.items():
            if not isinstance(text, str):
                raise TypeError(f"{name} is {type(text).__name__}, expected a text")
        if not all(isinstance(each, Step) for each in steps):
            raise TypeError("steps are made with step(), a list of them")
        super().__init__(found)
        self.expected, self.found, self.why = expected, found, why
        self.steps, self.advice, self.blocks = tuple(steps), advice, blocks

    def decides(self, blocking: bool) -> bool:
        """Return whether the finding decides the exit code, given the check's own level."""
        return self.blocks or (blocking and not self.advice)


class ActionNeeded(Statement):
    """A person has to act; `steps` say how, in order."""

    outcome = Outcome.ACTION_NEEDED


class InProgress(Statement):
    """Nothing is wrong; something is not finished yet."""

    outcome = Outcome.IN_PROGRESS


class NotApplicable(Statement):
    """The fact does not apply to this target; `found` holds the reason."""

    outcome = Outcome.NOT_APPLICABLE

    def __init__(self, reason: str) -> None:
        super().__init__(found=reason)


class CheckResult(Model):
    """One check's result for one target; goes from worker to controller and into every report."""

    id: str
    title: str
    """The fact that should be true."""
    source: str
    """The trace that it checks: "branch", "tag", "index"."""
    blocking: bool
    outcome: Outcome
    target: str
    """Key of the target: `package==version@channel`."""
    scenario: str | None = None
    expected: str = ""
    found: str = ""
    why: str = ""
    retry_at: str | None = None
    steps: tuple[Step, ...] = ()
    seconds: float = 0.0

    @property
    def is_finding(self) -> bool:
        """Whether a person should read it."""
        return self.outcome not in (Outcome.HOLDS, Outcome.NOT_APPLICABLE)

    def decides(self, block_on_advice: bool) -> bool:
        """Return whether the verdict depends on it: a defect always does, advice only where it blocks."""
        return self.blocking or block_on_advice or self.outcome is Outcome.DEFECT

    @property
    def heading(self) -> str:
        """The first words of a finding: `TAG-1 action needed (advice)`."""
        return f"{self.id} {self.outcome.value}{'' if self.blocking else ' (advice)'}"


class Judged(Protocol):
    """The verdict on one target, or on one history."""

    @property
    def exit(self) -> Exit: ...


class ResultLike(Protocol):
    """A check's result, from a run or from a report."""

    @property
    def outcome(self) -> Outcome: ...
    @property
    def found(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def retry_at(self) -> str | None: ...


S = TypeVar("S", bound=ResultLike)


def group_unknown(results: Iterable[S]) -> dict[str, list[S]]:
    """Return the unknown results, grouped by cause, in order."""
    causes: dict[str, list[S]] = {}
    for result in results:
        if result.outcome is Outcome.UNKNOWN:
            causes.setdefault(result.found, []).append(result)
    return causes


def collect_remedies(results: Iterable[ResultLike]) -> tuple[str, ...]:
    """Return the remedies in several results, each once."""
    return tuple(dict.fromkeys(result.why for result in results if result.why))


def find_retry_time(results: Iterable[ResultLike]) -> str | None:
    """Return the time when every look-up can be retried; None if no service names one."""
    return max((result.retry_at for result in results if result.retry_at), default=None)


def merge_unknown(results: Iterable[CheckResult]) -> list[CheckResult]:
    """Return the results in order; unknown ones with the same cause become one, with all their IDs."""
    groups: dict[object, list[CheckResult]] = {}
    for number, result in enumerate(results):
        cause = (result.found, result.why, result.retry_at) if result.outcome is Outcome.UNKNOWN else number
        groups.setdefault(cause, []).append(result)
    return [group[0] if len(group) == 1 else _merge(group) for group in groups.values()]


def _merge(group: Sequence[CheckResult]) -> CheckResult:
    by_id: dict[str, list[str]] = {}
    for result in group:
        about = by_id.setdefault(result.id, [] if result.blocking else ["advice"])
        about += filter(None, [result.target.partition(": ")[2]])
    ids = (f"{name} ({', '.join(about)})" if about else name for name, about in by_id.items())
    title = "One cause leaves all of these unknown."
    changes = {
        "id": ", ".join(ids),
        "title": title,
        "expected": title,
        "target": group[0].target.partition(": ")[0],
        "blocking": any(result.blocking for result in group),
    }
    return structs.replace(group[0], **changes)
