"""What the report of an earlier run says of each target, as far as another run reads it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from msgspec import Struct

from release_state.model.observation import Model

Presence = Literal["present", "absent", "unknown"]


class _Lenient(Model, forbid_unknown_fields=False):
    """Read from a file that another version of the suite may have written: unknown fields are ignored."""


class RowThen(_Lenient):
    """One row of the matrix."""

    trace: str
    name: str
    observed: str
    state: str | None


class CheckThen(_Lenient):
    """One check."""

    id: str
    outcome: str
    blocking: bool


class TracesThen(_Lenient):
    """Which traces were there."""

    established: tuple[str, ...]
    absent: tuple[str, ...]
    unknown: tuple[str, ...]

    def presence(self, trace: str) -> Presence | None:
        """Return whether a trace was there; None if the run does not mention it."""
        if trace in self.established:
            return "present"
        return "absent" if trace in self.absent else "unknown" if trace in self.unknown else None


class LookedAt(_Lenient):
    """What a run looked at."""

    index_url: str
    repository: str


class Record(_Lenient):
    """The report of one target, as far as another run compares itself with it. Its text may be remote."""

    key: str
    verdict: str
    exit_code: int
    phase: str
    matrix: tuple[RowThen, ...]
    diagnosis: TracesThen
    checks: tuple[CheckThen, ...]
    not_run: tuple[str, ...] = ()
    target: LookedAt | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every check of the phase was run: a narrowed run leaves some out."""
        return not self.not_run and bool(self.checks)


class PastRun(Struct, frozen=True):
    """One earlier run: its file, when it began, and its record of each target."""

    path: Path
    started_at: datetime
    records: tuple[Record, ...]

    def of(self, key: str) -> Record | None:
        """Return the record of one target."""
        return next((record for record in self.records if record.key == key), None)
