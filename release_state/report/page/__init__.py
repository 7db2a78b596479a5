"""The HTML report of single versions: one page that loads nothing, built into the page of pytest-html.

The verdict, the first step, the plan, the state, the timeline and every check are plain HTML and need no script.
pytest-html's own table follows at the end; its script fills it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from msgspec import Struct

from release_state.common.text import format_step_numbers
from release_state.facts.release import Release
from release_state.model.outcome import CheckResult, Exit, Phase, Verdict, name_phase
from release_state.model.plan import Plan, Step
from release_state.model.snapshot import Snapshot
from release_state.report.document import Origin, find_decisive
from release_state.report.page.checks import Checks, sort_checks
from release_state.report.page.templates import render, render_macro
from release_state.report.page.timeline import Story, draw_timeline
from release_state.report.process import OVERRULED_BY, ProcessReport, build_process
from release_state.verdict.changes import Changes
from release_state.verdict.matrix import Row, build_matrix
from release_state.verdict.timeline import build_timeline
from release_state.verdict.traces import repository_page
from release_state.verdict.verdict import TargetVerdict

_COLOUR = {Exit.OK: ("good", "✓"), Exit.ACTION_NEEDED: ("bad", "✗"), Exit.DEFECT: ("bad", "!")}
_NEXT = {
    Verdict.READY: "Next:",
    Verdict.READY_TO_PUBLISH: "Next: this workflow run publishes.",
    Verdict.VERIFIED: "Nothing to do.",
    Verdict.ROLLED_BACK: "Nothing to do.",
}


def title(verdicts: tuple[TargetVerdict, ...]) -> str:
    """The page's title: the verdict and its subject. pytest-html's template escapes it."""
    if not verdicts:
        return "Nothing was checked"
    more = f" and {len(verdicts) - 1} more" if len(verdicts) > 1 else ""
    return f"{_name(find_decisive(verdicts))}{more}"


def colour_of(code: Exit | None) -> tuple[str, str]:
    """The name of the verdict's colour and the verdict's symbol."""
    return _COLOUR.get(code, ("wait", "…" if code is Exit.IN_PROGRESS else "?"))  # type: ignore[arg-type]


def summary(
    verdicts: tuple[TargetVerdict, ...],
    snapshots: Mapping[str, Snapshot],
    origin: Origin,
    changes: Mapping[str, Changes] | None = None,
) -> list[str]:
    """The HTML above pytest-html's table: style, script, and an article for each target."""
    colour, symbol = colour_of(find_decisive(verdicts).exit if verdicts else None)
    targets = [
        _Target(
            verdict,
            Release(snapshots[verdict.target.key]),
            origin,
            (changes or {}).get(verdict.target.key),
            "" if len(verdicts) == 1 else f"t{number}-",
        )
        for number, verdict in enumerate(verdicts, 1)
    ]
    return [render("report/page/release.html", targets=targets, colour=colour, symbol=symbol)]


class _Target(Struct, frozen=True, dict=True):
    """What the template shows of one target."""

    verdict: TargetVerdict
    release: Release
    origin: Origin
    changes: Changes | None
    anchor: str
    """The start of every ID of its article."""
    overruled_by: str = OVERRULED_BY

    @property
    def heading(self) -> str:
        return _name(self.verdict)

    @property
    def colour(self) -> str:
        return colour_of(self.verdict.exit)[0]

    @cached_property
    def checks(self) -> Checks:
        return sort_checks(self.verdict)

    @property
    def needed(self) -> list[tuple[int, Step]]:
        """The steps of the plan that are no advice, with their numbers."""
        return [pair for pair in enumerate(self.verdict.plan.steps, 1) if not pair[1].advice]

    @property
    def first(self) -> list[tuple[int, Step]]:
        """The needed steps of the card: until the first with something to run or to open."""
        does = (place for place, (_, step) in enumerate(self.needed, 1) if step.commands or step.link)
        return self.needed[: next(does, 1)]

    @property
    def advised(self) -> list[tuple[int, Step]]:
        """The other steps, which are shown with the first finding that needs them."""
        return [pair for pair in enumerate(self.verdict.plan.steps, 1) if pair[1].advice]

    def find_needed(self, result: CheckResult) -> list[int]:
        """The numbers of the needed steps that fix a finding."""
        numbers = self.verdict.find_step_numbers(result)
        return [number for number, _ in self.needed if number in numbers]

    @cached_property
    def owners(self) -> dict[int, CheckResult]:
        """The finding that each step is shown with, by the step's number."""
        owners: dict[int, CheckResult] = {}
        for each in (*self.checks.wrong, *self.checks.advice):
            for number in self.verdict.find_step_numbers(each):
                owners.setdefault(number, each)
        return owners

    def find_advised(self, result: CheckResult | None) -> list[tuple[int, Step]]:
        """The advised steps to show with a finding; with none: those that no finding needs."""
        return [pair for pair in self.advised if self.owners.get(pair[0]) is result]

    def say_first(self, result: CheckResult) -> str:
        """What to do first about advice: needed steps of the plan by number, or the first step shown with it."""
        if numbers := self.find_needed(result):
            return format_step_numbers(numbers)
        advised = [step for _, step in self.find_advised(result)]
        return next((step.title for step in (*advised, *result.steps)), "")

    @property
    def advice_count(self) -> int:
        """How many lines of advice there are."""
        return len(self.checks.advice) + len(self.checks.doubts) + len(self.find_advised(None))

    def find_why(self, result: CheckResult) -> str:
        """Why a finding matters; empty if a step that fixes it says so."""
        numbers = self.verdict.find_step_numbers(result)
        steps = [step for number, step in enumerate(self.verdict.plan.steps, 1) if number in numbers]
        return "" if any(result.why in step.reason for step in steps) else result.why

    @property
    def losing(self) -> list[int]:
        """The numbers of the steps that destroy something."""
        return [number for number, step in self.needed if step.destroys]

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be done: what is long is folded then."""
        return self.verdict.exit is Exit.OK

    @property
    def next(self) -> str:
        """What comes next if nothing is wrong."""
        is_silent = self.verdict.verdict is Verdict.READY and self.verdict.start is None
        return "" if is_silent else _NEXT.get(self.verdict.verdict, "")

    @property
    def way(self) -> str | None:
        """The command to the folder of the plan's git commands."""
        return _find_way(self.verdict.plan, [step for _, step in self.needed])

    def find_way(self, advised: Sequence[tuple[int, Step]]) -> str | None:
        """The same for steps of advice, where the plan needs no step."""
        return None if self.needed else _find_way(self.verdict.plan, [step for _, step in advised])

    @property
    def way_to_start(self) -> str | None:
        """The same for the steps that start the release."""
        return _find_way(self.verdict.start, self.verdict.start.steps) if self.verdict.start else None

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Which phase was checked, and who ran it. Why is only said of a rollback: the state shows the rest."""
        phase = name_phase(self.verdict.phase)
        reason = self.verdict.phase_reason if self.verdict.phase is Phase.ROLLBACK else ""
        who = f"{self.origin.user} on {self.origin.host}" if self.origin.user else self.origin.host
        return [("Phase", f"{phase}: {reason}" if reason else phase), ("By", who)]

    @property
    def local_time(self) -> str:
        """The local time of this machine, if it is another than UTC."""
        local = self.release.snapshot.observed_at.astimezone()
        return f" · {local:%H:%M:%S} {local.tzname()}" if local.utcoffset() else ""

    @property
    def repository(self) -> str:
        return repository_page(self.release)

    @property
    def matrix(self) -> list[tuple[Row, str, str]]:
        """The rows of the state, each with what is expected and observed beyond its findings."""
        found = {result.id: result.found for result in self.verdict.results}
        return [(row, *row.leave_out(found)) for row in build_matrix(self.release, self.verdict)]

    @property
    def process(self) -> ProcessReport:
        return build_process(self.release)

    @property
    def timeline(self) -> Story:
        return draw_timeline(build_timeline(self.release))


def _name(verdict: TargetVerdict) -> str:
    target = verdict.target
    return f"{verdict.words}: {target.package} {target.version} on {target.channel.name}"


def _find_way(plan: Plan, steps: Iterable[Step]) -> str | None:
    words = {line[0] for step in steps for line in (*step.commands, *step.verify)}
    return plan.way_to_folder() if words & {"git", "sh"} else None


def header(cells: list[Any]) -> None:
    """Set the columns of pytest-html's table: how pytest saw each check. What was found stands above the table."""
    cells[:] = [
        '<th class="sortable" data-column-type="outcome">Outcome</th>',
        '<th class="sortable" data-column-type="check">Check</th>',
        '<th class="sortable" data-column-type="result">pytest</th>',
    ]


def row(result: CheckResult, cells: list[Any]) -> None:
    """Fill the row of a check."""
    cells[:] = [
        render_macro("report/page/table.html", "outcome", result),
        render_macro("report/page/table.html", "check", result, result.target.rpartition("==")[2]),
        str(cells[0]).replace("<td ", '<td data-label="pytest" ', 1),
    ]


def other_row(cells: list[Any]) -> None:
    """Fill the row of a report that is not a check: setup, teardown or a collection error."""
    first, test, *_ = cells
    cells[:] = ['<td class="other-row nothing"></td>', test, first]
