"""The HTML report: one page that loads nothing, built into the page of pytest-html.

What a person reads is plain HTML that needs no script: the verdict, the state, the plan, the timeline and every check.
pytest-html's own table follows at the end, filled by its script.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from release_state.facts.release import Release
from release_state.model.snapshot import Snapshot
from release_state.report.document import decisive_of
from release_state.report.page.checks import checks_block, header, other_row, row
from release_state.report.page.head import colour_of, facts, lead, root, title
from release_state.report.page.parts import text
from release_state.report.page.plan import changes_block, matrix_table, plan_list
from release_state.report.page.timeline import timeline_block
from release_state.verdict.changes import Changes
from release_state.verdict.matrix import matrix
from release_state.verdict.timeline import timeline
from release_state.verdict.verdict import TargetVerdict

if TYPE_CHECKING:
    from release_state.report.origin import Origin

__all__ = ["header", "other_row", "row", "summary", "title"]


def summary(
    verdicts: tuple[TargetVerdict, ...],
    snapshots: Mapping[str, Snapshot],
    origin: Origin,
    changes: Mapping[str, Changes] | None = None,
) -> list[str]:
    """What stands above pytest-html's table: style, script, and for each target its whole story."""
    changed = changes or {}
    worst = decisive_of(verdicts) if verdicts else None
    top = [
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_file('page.css')}</style>",
        root(worst),
        f"<script>{_file('page.js')}</script>",
    ]
    only = len(verdicts) == 1
    blocks = "".join(
        _target(
            verdict,
            Release(snapshots[verdict.target.key]),
            origin,
            changed.get(verdict.target.key),
            "" if only else f"t{number}-",
            only=only,
        )
        for number, verdict in enumerate(verdicts, 1)
    )
    contents = "" if only or not verdicts else _contents(verdicts)
    return [*top, f'<main id="release" lang="en">{contents}{blocks}</main>']


def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _contents(verdicts: tuple[TargetVerdict, ...]) -> str:
    lines = "".join(
        f'<li><a href="#t{number}-target">{_heading(verdict)}</a></li>' for number, verdict in enumerate(verdicts, 1)
    )
    return f'<nav aria-label="Targets"><ol class="targets">{lines}</ol></nav>'


def _heading(verdict: TargetVerdict) -> str:
    target = verdict.target
    return f"{escape(verdict.words)}: {text(target.package)} {text(target.version)} on {text(target.channel.name)}"


def _target(
    verdict: TargetVerdict, release: Release, origin: Origin, changes: Changes | None, anchor: str, *, only: bool
) -> str:
    level = 2 if only else 3
    heading = "" if only else f'<h2 id="{anchor}target">{_heading(verdict)}</h2>'
    sections = (
        ("state", "State", matrix_table(matrix(release, verdict), anchor, f"State of {verdict.target.version}")),
        ("plan", "What to do", plan_list(verdict.plan, anchor)),
        *([("changes", "Since the last run", changes_block(changes))] if changes else []),
        ("timeline", "How it went", timeline_block(timeline(release), anchor)),
        ("checks", "Checks", checks_block(verdict, anchor, level + 1)),
    )
    shown = "".join(
        f'<section><h{level} id="{anchor}{name}">{words}</h{level}>{content}</section>'
        for name, words, content in sections
    )
    return (
        f'<article class="verdict {colour_of(verdict)[0]}{" only" if only else ""}">{heading}{lead(verdict, anchor)}'
        f"{facts(verdict, release, origin)}{shown}</article>"
    )
