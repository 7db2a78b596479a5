"""What the checks of a release workflow say about real projects: alarms, crashes, and files that they cannot read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from release_state.facts.release import Release
from release_state.model.observation import NotObserved
from release_state.model.outcome import Outcome
from release_state.model.snapshot import Snapshot
from release_state.plan.recovery import Recovery
from tests.support.judged import CHECKS, ended

ASKED = [
    name
    for name in CHECKS
    if name.startswith("WORKFLOW-") and name not in ("WORKFLOW-2", "WORKFLOW-6", "WORKFLOW-14", "WORKFLOW-31")
]
"""All but those that say one line about every second project, and those that need GitHub's answers."""


@dataclass(frozen=True)
class Alarm:
    """One check that needs action, is unknown or crashed, and what it says."""

    check: str
    outcome: str
    says: str


def find_alarms(snapshot: Snapshot) -> Iterator[Alarm]:
    """Yield what the checks of the workflow say about a project before a release."""
    recovery = Recovery(Release(snapshot))
    for name in ASKED:
        try:
            outcome, statement = ended(CHECKS[name], recovery)
        except Exception as crash:
            yield Alarm(name, "crash", repr(crash))
        else:
            if outcome in (Outcome.ACTION_NEEDED, Outcome.UNKNOWN):
                is_unknown = isinstance(statement, NotObserved) or statement is None
                yield Alarm(name, outcome.value, str(statement) if is_unknown else str(getattr(statement, "found", "")))
