"""What an audit says once about a project: what it leaves since when, how it spells tags, what was left aside."""

from __future__ import annotations

from collections.abc import Sequence

from release_state.audit.audit import Audit
from release_state.audit.habits import INDEX, RELEASE, TAG
from release_state.audit.judge import Judgement

NAMES = {INDEX: "the index", TAG: "tags", RELEASE: "GitHub Releases", "sdist": "sdists", "wheel": "wheels"}
_SPARSE = 0.5
"""A share of versions below which a habit may be none."""


def habits(audit: Audit) -> list[str]:
    """One line for each trace that a release leaves."""
    lines = []
    for trace in audit.habits.traces:
        name, since = NAMES.get(trace, trace), audit.habits.since.get(trace)
        if not audit.observes(trace):
            lines.append(f"{name}: could not be observed, so that no version is known to lack it")
            continue
        if since is None:
            lines.append(f"{name}: never, so that no version is measured by it")
            continue
        if trace == INDEX:
            count = len(audit.habits.published)
            lines.append(f"{name}: {since}, {count} version{'s' * (count != 1)}; older ones need not be there")
            continue
        has, all_of_them = audit.habits.counts(trace)
        line = f"{name}: {since}, {has} of {all_of_them} published versions since"
        if before := len(audit.habits.published) - all_of_them:
            line += f"; the {before} before need none"
        if has < _SPARSE * all_of_them:
            setting = "the channel's leaves" if trace in (TAG, RELEASE) else "expected-files"
            line += f". If the project leaves them for some versions only, take it out of {setting}"
        lines.append(line)
    return lines


def notes(audit: Audit) -> list[str]:
    """What was left aside, and what else is worth knowing."""
    spelt, target, index = audit.spelt, audit.target, audit.history.index.value
    lines = []
    if spelt.own:
        lines.append("tags are spelled " + ", ".join(f"{name} ({count})" for name, count in spelt.own.items()))
        if target.tag_template not in spelt.own and TAG in target.channel.leaves:
            lines.append(f"none is spelled {target.tag_template}: give --tag-template {spelt.usual}")
    if spelt.foreign:
        shown = ", ".join(f"{name} ({count})" for name, count in spelt.foreign.items())
        why = "few of them name a published version from before there were tags by the package's name"
        if not spelt.named.by_name:
            why = "few of them name a published version"
        if not audit.index.is_known:
            why = "the index did not say which versions are published, and the template is another one"
        lines.append(f"left aside as tags of something else, since {why}: {shown}")
    if moving := [tag.name for audited in audit.versions for tag in audited.moving]:
        lines.append(f"left aside as moving tags: {', '.join(moving[:10])}")
    if index and index.status and index.status != "active":
        reason = f" ({index.status_reason})" if index.status_reason else ""
        lines.append(f"the index calls the project {index.status}{reason}")
    if index and index.skipped:
        lines.append(f"file names without a readable version, left aside: {', '.join(index.skipped[:5])}")
    if audit.history.repository.value and audit.history.repository.value.archived:
        lines.append("the repository is archived")
    return lines


def ranges(judged: Sequence[Judgement], everyone: Sequence[Judgement], most: int = 6) -> str:
    """Versions in a line, neighbours put together: `1.0 to 1.4, 2.1`; the last ones, and how many more."""
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
