"""A history in lines and as a picture, which the reports of an audit share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from release_state.audit.audit import Audit
from release_state.audit.habits import FEW, INDEX, RELEASE, TAG, Maturity, has_trace
from release_state.audit.judge import Finding, Judgement
from release_state.common.text import format_count
from release_state.model.outcome import Outcome

NAMES = {INDEX: "the index", TAG: "tags", RELEASE: "GitHub Releases", "sdist": "sdists", "wheel": "wheels"}
_SPARSE = 0.5
"""Below this share of versions, the trace may not be a habit."""


def describe_habits(audit: Audit) -> list[str]:
    """A line for each trace: since when releases leave it, and how many."""
    lines = []
    for trace in audit.habits.traces:
        name, since = NAMES.get(trace, trace), audit.habits.since.get(trace)
        if not audit.observes(trace):
            lines.append(f"{name}: unknown, so no version counts as lacking it")
            continue
        has, all_of_them = audit.habits.counts(trace)
        if since is None:
            lines.append(f"{name}: {f'only {has} of {all_of_them}' if has else 'never'}, so no version needs it")
            continue
        more = "".join(f"; {words}" for words in _exceptions(audit, trace))
        if trace == INDEX:
            count = len(audit.habits.published)
            lines.append(f"{name}: {since}, {format_count(count, 'version')}; older ones need not be there{more}")
            continue
        line = f"{name}: {since}, {has} of {all_of_them} published versions"
        if others := len(audit.habits.published) - all_of_them:
            line += f"; the other {others} need none"
        line += more
        if has < _SPARSE * all_of_them:
            setting = "the channel's leaves" if trace in (TAG, RELEASE) else "expected-files"
            line += f". If only some versions have them, remove it from {setting}"
        lines.append(line)
    return lines


def _exceptions(audit: Audit, trace: str) -> Iterator[str]:
    """Which versions are excused from a habit, but for older ones and for kinds of file."""
    habits = audit.habits
    counted = habits.versions if trace == INDEX else habits.published
    stages = [Maturity.find(audited.version) for audited in counted]
    for stage in Maturity if trace not in audit.target.expected_files else ():
        if stages.count(stage) < FEW:
            continue
        if habits.began(trace, stage) is None:
            yield f"{stage.value} usually have none"
        elif gaps := habits.paused(trace, stage):
            yield f"none in long gaps: {len(gaps)} {stage.value} between {min(gaps)} and {max(gaps)}"


def describe_notes(audit: Audit) -> list[str]:
    """A line for each set of tags or files that is ignored, and for other remarks."""
    spelt, target, index = audit.spelt, audit.target, audit.history.index.value
    lines = []
    if spelt.own:
        lines.append("tags are spelled " + ", ".join(f"{name} ({count})" for name, count in spelt.own.items()))
        is_configured = "tag-template" in target.given and TAG in target.channel.leaves
        if is_configured and target.tag_template not in spelt.own:
            lines.append(f"no tag is spelled {target.tag_template}: set --tag-template {spelt.usual}")
    if spelt.foreign:
        shown = ", ".join(f"{name} ({count})" for name, count in spelt.foreign.items())
        why = "few of them name a published version older than the tags with the package's name"
        if not spelt.named.commits:
            why = "few of them name a published version"
        if not audit.index.is_known:
            why = "the index did not say which versions are published, and the template differs"
        lines.append(f"ignored as tags of another package, because {why}: {shown}")
    if moving := [tag.name for audited in audit.versions for tag in audited.moving]:
        lines.append(f"ignored as moving tags, with fewer numbers than the version: {', '.join(moving[:10])}")
    if index and index.status and index.status != "active":
        reason = f" ({index.status_reason})" if index.status_reason else ""
        lines.append(f"the index calls the project {index.status}{reason}")
    if index and index.skipped:
        lines.append(f"ignored, file names without a readable version: {', '.join(index.skipped[:5])}")
    if audit.history.repository.value and audit.history.repository.value.archived:
        lines.append("the repository is archived")
    return lines


def describe(audit: Audit, waived: Iterable[tuple[Judgement, Finding]]) -> list[str]:
    """The habits, the notes, and a line for each finding that a waiver covers."""
    lines = (f"waived: {judged.audited} {finding.kind.id}: {finding.words}" for judged, finding in waived)
    return [*describe_habits(audit), *describe_notes(audit), *lines]


def format_ranges(judged: Sequence[Judgement], everyone: Sequence[Judgement], most: int = 6) -> str:
    """Versions in a line, with ranges of neighbours: `1.0 to 1.4, 2.1`; at most the last `most` ranges."""
    places = {id(judgement): number for number, judgement in enumerate(everyone)}
    runs: list[list[Judgement]] = []
    for judgement in judged:
        if runs and places[id(judgement)] == places[id(runs[-1][-1])] + 1:
            runs[-1].append(judgement)
        else:
            runs.append([judgement])
    words = [f"{run[0].audited}" + (f" to {run[-1].audited}" if len(run) > 1 else "") for run in runs]
    more = f"{len(words) - most} more ranges before " if len(words) > most else ""
    return more + ", ".join(words[-most:])


_LANE, _GAP, _MARKS = 16, 4, 22
"""Heights in pixels: a lane, the gap between lanes, and the lane of marks."""
_WIDEST = 14
"""The largest width of a column in pixels, so that few versions do not fill the page."""
_YEAR = 4.0
"""The width of a year's label, in percent of the picture."""


class Picture(Struct, frozen=True):
    """The shapes of a history; a column is one unit wide."""

    count: int
    """How many columns."""
    height: int
    words: str
    labels: tuple[tuple[int, str], ...]
    """The name of each lane, and its top in pixels."""
    shapes: tuple[tuple[str, str], ...]
    """CSS classes and path."""
    years: tuple[tuple[str, int], ...]
    """Place in percent, and year."""

    @property
    def widest(self) -> int:
        """The largest width in pixels."""
        return _WIDEST * self.count

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """The CSS classes, and what each means."""
        return _KEY


def draw_picture(audit: Audit) -> Picture | None:
    """The picture of a history; None if it has no version."""
    judged = audit.judgements
    if not judged:
        return None
    lanes = [INDEX, *(trace for trace in (TAG, RELEASE) if trace in audit.target.channel.leaves)]
    height = len(lanes) * (_LANE + _GAP) + _MARKS
    shapes, labels, top = [], [], 0
    for trace in lanes:
        columns: dict[str, list[int]] = {}
        for number, judgement in enumerate(judged):
            columns.setdefault(_state(audit, trace, judgement), []).append(number)
        shapes += [(f"lane {state}", _shape(columns.get(state, []), top, _LANE)) for state in _STATES]
        labels.append((top, NAMES.get(trace, trace)))
        top += _LANE + _GAP
    labels.append((top, "disagreements"))
    for name, part, chosen in _marks(judged):
        size = int(_MARKS * part)
        shapes.append((f"mark {name}", _shape(chosen, top + _MARKS - size, size)))
    return Picture(
        count=len(judged),
        height=height,
        words=f"{len(judged)} versions, oldest first: {judged[0].audited} to {judged[-1].audited}",
        labels=tuple(labels),
        shapes=tuple(shape for shape in shapes if shape[1]),
        years=tuple(_years(judged)),
    )


_STATES = ("there", "not-expected", "missing", "withdrawn", "not-observed")
_KEY = (
    ("there", "present"),
    ("not-expected", "missing but not expected: older than the habit, or yanked"),
    ("missing", "missing"),
    ("withdrawn", "yanked"),
    ("not-observed", "not observed"),
    ("mark wrong", "disagrees"),
    ("mark advice", "advice, or in progress"),
    ("mark unknown", "unknown"),
)


def _state(audit: Audit, trace: str, judgement: Judgement) -> str:
    audited = judgement.audited
    if trace == INDEX and audited.indexed:
        if audited.indexed.all_yanked:
            return "withdrawn"
        whole = all(
            not audit.habits.expects(kind, audited) or has_trace(kind, audited) for kind in audit.target.expected_files
        )
        return "there" if whole else "missing"
    if has_trace(trace, audited):
        return "there"
    if not audit.observes(trace):
        return "not-observed"
    kinds = {finding.kind.id for finding in (*judgement.findings, *judgement.waived)}
    wrong = {INDEX: "not-published", TAG: "tag-missing", RELEASE: "release-missing"}[trace]
    return "missing" if wrong in kinds else "not-expected"


def _marks(judged: tuple[Judgement, ...]) -> Iterable[tuple[str, float, list[int]]]:
    """Kinds of mark with the share of the lane's height that they fill, so that they differ without colour."""

    def chosen(outcome: Outcome, *, blocking: bool) -> list[int]:
        return [n for n, j in enumerate(judged) if j.outcome is outcome and j.blocking is blocking]

    yield "wrong", 1.0, chosen(Outcome.ACTION_NEEDED, blocking=True)
    yield "advice", 0.5, chosen(Outcome.ACTION_NEEDED, blocking=False) + chosen(Outcome.IN_PROGRESS, blocking=True)
    yield "unknown", 0.25, chosen(Outcome.UNKNOWN, blocking=True)


def _shape(columns: list[int], top: int, height: int) -> str:
    """The path of a rectangle for each run of neighbouring columns; empty without columns."""
    runs: list[list[int]] = []
    for column in sorted(columns):
        if runs and runs[-1][1] == column:
            runs[-1][1] = column + 1
        else:
            runs.append([column, column + 1])
    return "".join(f"M{a} {top}h{b - a}v{height}h-{b - a}z" for a, b in runs)


def _years(judged: tuple[Judgement, ...]) -> Iterator[tuple[str, int]]:
    """The years, each at its first uploaded version."""
    last, seen = -_YEAR, 0
    for number, judgement in enumerate(judged):
        at, place = judgement.audited.uploaded_at, 100 * number / len(judged)
        # An old line can have a late upload: years only go up.
        if at is not None and at.year > seen and last + _YEAR <= place <= 100 - _YEAR:
            seen, last = at.year, place
            yield f"{place:.2f}", at.year
