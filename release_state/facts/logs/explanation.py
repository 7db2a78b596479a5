"""Why a run ended: the decisive statements of the step that failed, and the known failure that they show (pure)."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from msgspec import Struct

from release_state.facts.logs.claims import ExpectedClaims, describe_claims, find_claims, find_difference
from release_state.facts.logs.failure import Completion, KnownFailure, Rank
from release_state.facts.logs.families import KNOWN_FAILURES
from release_state.facts.logs.lines import LONGEST_LINE, Line, cut
from release_state.facts.logs.statements import LogStatement, join_lines
from release_state.facts.logs.uploads import Uploads, find_uploads

MOST_LINES = 3
_NEAR = 40
"""Lines before the first error that are searched first."""
_COMPLAINT = re.compile(
    r"(?:remote: |[^\w\s]{1,3} {1,2})?(?:fatal|(?:http ?)?error|abort(?:ed)?)\b\W|\s*[\w.]*(?:Error|Exception)\b\W"
    r"|(?-i:[\w.]{2,100}\.[A-Z]\w+)(?:: |$)| ?! \[|\S{1,3} \w{1,40} failed\b",
    re.I,
)
_EXIT = re.compile(r"process completed with exit code", re.I)
_CANCELLED = re.compile(r"operation was cancell?ed|^canceling since", re.I)
_NO_FILES = re.compile(r"no files were found with the provided path", re.I)
_REPORTS = re.compile(
    r"slack|discord|telegram|notif|\bteams\b|send.?mail|codecov|coveralls|test.?report|junit|summary|clean.?up"
    r"|tear.?down|create-an-issue|gh issue|docker logs|\blogout\b",
    re.I,
)
_CLEANUP = re.compile(r"Post job cleanup\.|Cleaning up orphan processes")


class Explanation(Struct, frozen=True):
    """Why a run ended: the known failure (or None), and the decisive lines, which are untrusted text."""

    known: KnownFailure | None
    lines: tuple[str, ...]
    """At most three statements, the reason first."""
    step: str | None = None
    line: int | None = None
    """Number of the decisive line in the log, from 1."""
    failed: bool = False
    """Whether the job failed by itself: it has an error, and not only that it was cancelled."""
    after_upload: bool = False
    """Whether the log shows an upload to the index before the decisive line."""

    @property
    def meaning(self) -> str:
        """The finding in a sentence; empty: no known failure."""
        return self.known.describe(after_upload=self.after_upload) if self.known else ""

    @property
    def fix(self) -> str:
        """What to do; empty: no known failure."""
        return self.known.advise(after_upload=self.after_upload) if self.known else ""

    @property
    def version(self) -> Completion | None:
        """What becomes of the version; None: no known failure."""
        if self.known is None:
            return None
        return Completion.DEPENDS if self.known.before_upload and self.after_upload else self.known.version


def explain_log(
    lines: Sequence[Line],
    *,
    succeeded: bool = False,
    within: tuple[str, str] | None = None,
    expected: ExpectedClaims | None = None,
) -> Explanation:
    """Return why the run ended, by the step that failed; if it `succeeded`, only skipped work counts.

    `within` is when the step began and ended that GitHub calls failed, as `2026-01-02T03:04:05`. The claims of a
    refused token are held against the `expected` ones of its job, if these are known.
    """
    every = list(join_lines(lines))
    # The steps that had begun before that time; also the line that names a step counts, which is no statement.
    begun = {line.place for line in lines if within and line.time and line.time < within[0]}
    failing = every if succeeded else _find_failing(every, begun, within)
    end = next((each.number for each in failing if each.is_error), len(lines))
    uploads = find_uploads(every)
    known, matched = _decide(failing, every, uploads, end, succeeded)
    is_cause = known is not None and known.rank is not Rank.EFFECT
    chosen = list(matched[:MOST_LINES]) + ([] if succeeded else _find_telling(failing, end, is_known=is_cause))
    texts: dict[str, LogStatement] = {}
    for each in chosen:
        if len(texts) < MOST_LINES:
            texts.setdefault(_excerpt(each.text, known.pattern if known else None), each)
    first = next(iter(texts.values()), None)
    if not is_cause:
        texts = dict(sorted(texts.items(), key=lambda item: item[1].number))
    step = next((each.step for each in (*matched, *failing) if each.step and (each.is_error or each in matched)), None)
    failed = any(each.is_error and not _CANCELLED.search(each.text) for each in every)
    quoted = tuple(texts)
    if known and known.scenario == "trusted publisher" and (claims := find_claims(lines)):
        known = find_difference(claims, expected) or known
        quoted = (*quoted[: MOST_LINES - 1], cut(describe_claims(claims, expected)))
    return Explanation(known, quoted, step, first.number if first else None, failed, uploads.has_sent(by=end))


def _find_failing(every: Sequence[LogStatement], begun: set[int], within: tuple[str, str] | None) -> list[LogStatement]:
    """The statements of the step that failed; all if none has an error.

    Where GitHub does not say which, that is the last step with an error before the cleanup: those before it were
    tolerated. A step that reports or notifies runs after a failure, too, and is not it.
    """
    if within and (told := [each.place for each in every if each.is_error and within[0] <= each.time <= within[1]]):
        # Times are of seconds: the step before may have ended in the one in which this step began.
        place = next((place for place in told if place not in begun), told[0])
        return [each for each in every if each.place == place]
    end = next((at for at, each in enumerate(every) if _CLEANUP.match(each.texts[0])), len(every))
    failed = [each.place for each in every[:end] if each.is_error] or [each.place for each in every if each.is_error]
    if not failed:
        return list(every[:end]) or list(every)
    place = _leave_out_reports(every, failed)
    before = [each for each in every[:end] if each.place == place]
    return before or [each for each in every if each.place == place]


def _leave_out_reports(every: Sequence[LogStatement], failed: Sequence[int]) -> int:
    """The last of these places that is no report of the failure before it, else the first."""
    steps = {each.place: each.step or "" for each in every}
    nothing = {each.place for each in every if each.is_error and _NO_FILES.search(each.text)}
    for place in reversed(failed):
        is_report = _REPORTS.search(steps[place]) or ("upload-artifact" in steps[place] and place in nothing)
        if not is_report:
            return place
    return failed[0]


def _find_telling(failing: Sequence[LogStatement], end: int, *, is_known: bool) -> list[LogStatement]:
    """What may tell the reason: complaints, the nearest to the error last; else the last lines; then the errors."""
    near = [each for each in reversed(failing) if each.number <= end] + [each for each in failing if each.number > end]
    errors = [each for each in near if each.is_error]
    complaints = [] if is_known else [each for each in near if not each.is_error and _COMPLAINT.match(each.texts[0])]
    exits = [each for each in errors if _EXIT.search(each.text)]
    said = [each for each in errors if each not in exits]
    has_reason = is_known or complaints or said or not errors
    calm = [] if has_reason else [each for each in near if not each.is_error][: MOST_LINES - 1]
    return [*said, *complaints[: MOST_LINES - 1], *calm, *exits]


def _decide(
    failing: Sequence[LogStatement], every: Sequence[LogStatement], uploads: Uploads, end: int, succeeded: bool
) -> tuple[KnownFailure | None, list[LogStatement]]:
    """The known failure and its statements; those near the first error count before the others."""

    def shows(failure: KnownFailure, each: LogStatement) -> bool:
        return failure.shows_in(each.text, each.step, uploads=failure.uploading and uploads.has_step_of(each))

    # What GitHub itself says is marked, or in no step; a step that went on may print the same words.
    places = {each.place for each in failing} | {0}
    told = [each for each in every if each.is_error or each.place in places]
    for rank in [Rank.SKIPPED] if succeeded else list(Rank):
        failures = [failure for failure in KNOWN_FAILURES if failure.rank is rank]
        for failure in failures:
            if failure.anywhere and (items := [each for each in told if shows(failure, each)]):
                return failure, items
        searched = [each for each in failing if not (rank is Rank.CAUSE and each.is_retry)]
        shown = [
            (failure, items) for failure in failures if (items := [each for each in searched if shows(failure, each)])
        ]
        # Each line that the step marks as an error tells as much as the first one.
        for first, last, marked in ((end - _NEAR, end, True), (0, end, True), (end, sys.maxsize, False)):
            for failure, items in shown:
                if inside := [each for each in items if first <= each.number <= last or (marked and each.is_error)]:
                    return failure, inside
    return None, []


def _excerpt(text: str, pattern: re.Pattern[str] | None) -> str:
    """The statement, cut so that the end of the decisive words shows."""
    match = pattern.search(text) if pattern else None
    if match is None or match.end() < LONGEST_LINE:
        return cut(text)
    return cut("…" + text[max(0, match.end() - LONGEST_LINE // 2) :].strip())
