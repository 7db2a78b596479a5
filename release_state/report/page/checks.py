"""The checks of a page: what is wrong, what could not be checked, what is advice; and the rest, by source."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import not_

from msgspec import Struct

from release_state.model.outcome import CheckResult, Outcome, collect_remedies, find_retry_time, group_unknown
from release_state.verdict.verdict import TargetVerdict


class Cause(Struct, frozen=True):
    """Why checks are unknown: one failed look-up can leave many so."""

    found: str
    results: tuple[CheckResult, ...]
    """The checks that it leaves unknown, blocking ones first."""
    remedies: tuple[str, ...]
    retry_at: str | None


class Quiet(Struct, frozen=True):
    """The checks of one source that hold, or were skipped."""

    results: tuple[CheckResult, ...]

    @property
    def words(self) -> str:
        """`5 hold, 2 skipped`."""
        held = sum(result.outcome is Outcome.HOLDS for result in self.results)
        counts = {"holds" if held == 1 else "hold": held, "skipped": len(self.results) - held}
        return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


class Checks(Struct, frozen=True):
    """The checks of one target; each is in one place."""

    wrong: tuple[CheckResult, ...]
    """The findings that decide the verdict, without unknown ones."""
    causes: tuple[Cause, ...]
    """Why checks that decide the verdict are unknown."""
    advice: tuple[CheckResult, ...]
    doubts: tuple[Cause, ...]
    """Why advice is unknown."""
    quiet: dict[str, Quiet]
    """By source."""
    counts: tuple[tuple[Outcome, bool, int], ...]
    """How many ended how, apart for findings that are advice."""

    @property
    def unknown(self) -> int:
        """How many unknown checks the verdict hangs on."""
        return sum(len(cause.results) for cause in self.causes)


def sort_checks(verdict: TargetVerdict) -> Checks:
    """Sort the results of a target."""
    ordered = sorted(verdict.results, key=lambda result: not result.blocking)
    found = [result for result in ordered if result.is_finding and result.outcome is not Outcome.UNKNOWN]
    quiet = [result for result in ordered if not result.is_finding]
    causes = [
        Cause(why, tuple(same), collect_remedies(same), find_retry_time(same))
        for why, same in group_unknown(ordered).items()
    ]
    decisive = [any(result.decides(verdict.block_on_advice) for result in cause.results) for cause in causes]
    return Checks(
        wrong=tuple(result for result in found if result.decides(verdict.block_on_advice)),
        causes=tuple(compress(causes, decisive)),
        advice=tuple(result for result in found if not result.decides(verdict.block_on_advice)),
        doubts=tuple(compress(causes, map(not_, decisive))),
        quiet={
            source: Quiet(tuple(result for result in quiet if result.source == source))
            for source in dict.fromkeys(result.source for result in verdict.results if not result.is_finding)
        },
        counts=tuple(_count(verdict.results)),
    )


def _count(results: Sequence[CheckResult]) -> list[tuple[Outcome, bool, int]]:
    keys = [(result.outcome, result.is_finding and not result.blocking) for result in results]
    return [
        (*key, keys.count(key)) for outcome in Outcome for key in ((outcome, False), (outcome, True)) if key in keys
    ]
