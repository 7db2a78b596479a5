"""The reports of an audit, and the lines about a history that all of them share."""

from __future__ import annotations

from collections.abc import Sequence

from release_state.audit.audit import Audit
from release_state.audit.habits import INDEX, RELEASE, TAG
from release_state.audit.judge import Judgement

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
        if since is None:
            lines.append(f"{name}: never, so no version needs it")
            continue
        if trace == INDEX:
            count = len(audit.habits.published)
            lines.append(f"{name}: {since}, {count} version{'s' * (count != 1)}; older versions need not be there")
            continue
        has, all_of_them = audit.habits.counts(trace)
        line = f"{name}: {since}, {has} of {all_of_them} published versions since"
        if before := len(audit.habits.published) - all_of_them:
            line += f"; the {before} before need none"
        if has < _SPARSE * all_of_them:
            setting = "the channel's leaves" if trace in (TAG, RELEASE) else "expected-files"
            line += f". If only some versions have them, remove it from {setting}"
        lines.append(line)
    return lines


def describe_notes(audit: Audit) -> list[str]:
    """A line for each set of tags or files that is ignored, and for other remarks."""
    spelt, target, index = audit.spelt, audit.target, audit.history.index.value
    lines = []
    if spelt.own:
        lines.append("tags are spelled " + ", ".join(f"{name} ({count})" for name, count in spelt.own.items()))
        if target.tag_template not in spelt.own and TAG in target.channel.leaves:
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
        lines.append(f"ignored as moving tags: {', '.join(moving[:10])}")
    if index and index.status and index.status != "active":
        reason = f" ({index.status_reason})" if index.status_reason else ""
        lines.append(f"the index calls the project {index.status}{reason}")
    if index and index.skipped:
        lines.append(f"ignored, file names without a readable version: {', '.join(index.skipped[:5])}")
    if audit.history.repository.value and audit.history.repository.value.archived:
        lines.append("the repository is archived")
    return lines


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
