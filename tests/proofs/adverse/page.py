"""The adverse-fact matrix in Markdown: `python -m tests.proofs.adverse.page` prints it, `--write` writes its page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tests.proofs.adverse.fact import Cell, Fact
from tests.proofs.adverse.matrix import CELLS, FACTS
from tests.proofs.adverse.places import PLACES
from tests.proofs.adverse.sample import sample
from tests.proofs.adverse.worlds import WORLDS
from tests.support.made_page import print_or_write, with_part


def matrix() -> str:
    """The tables, and how many cells there are."""
    impossible = Counter(
        reason
        for fact in FACTS.values()
        for green in WORLDS.values()
        if fact.where(green)
        for place in PLACES.values()
        if (reason := fact.why_not(green, place))
    )
    harmless = {cell: reason for cell in CELLS if (reason := cell.fact.why_green(cell.green, cell.place))}
    lines = [
        f"{len(FACTS)} facts in {len(PLACES)} places of {len(WORLDS)} green worlds = **{len(CELLS):,} cells**, of "
        f"which every test run goes through {len(sample(CELLS)):,}, and `--every-state` through all.",
        "",
        "| outcome | cells |",
        "|---|--:|",
        f"| not green | {len(CELLS) - len(harmless):,} |",
        f"| rightly green, and why | {len(harmless):,} |",
        f"| no such cell, and why (not counted above) | {impossible.total():,} |",
        "",
        f"The worlds: {'; '.join(f'{name} ({sum(cell.green.name == name for cell in CELLS):,})' for name in WORLDS)}.",
        "",
        "| fact | blocking checks | worlds | cells | rightly green |",
        "|---|---|--:|--:|---|",
        *(_row(fact, harmless) for fact in FACTS.values()),
        "",
        "| place | cells |",
        "|---|--:|",
        *(f"| {name} | {sum(cell.place.name == name for cell in CELLS):,} |" for name in PLACES),
        "",
        "| why it is rightly green | cells |",
        "|---|--:|",
        *_counted(Counter(harmless.values())),
        "",
        "| why there is no such cell | cells |",
        "|---|--:|",
        *_counted(impossible),
    ]
    return "\n".join(lines) + "\n"


def _row(fact: Fact, harmless: dict[Cell, str]) -> str:
    own = [cell for cell in CELLS if cell.fact is fact]
    worlds = len({cell.green.name for cell in own})
    places = dict.fromkeys((cell.place.guise and cell.place.name) or "as it is" for cell in own if cell in harmless)
    checks = ", ".join(f"[{check}](checks.md#{check.lower()})" for check in fact.checks)
    return f"| {fact.name} | {checks} | {worlds} | {len(own):,} | {', '.join(places)} |"


def _counted(reasons: Counter[str]) -> Iterable[str]:
    return (f"| {reason} | {count:,} |" for reason, count in reasons.most_common())


def with_matrix(document: str) -> str:
    """The document with the matrix as it is now."""
    return with_part(document, "adverse", matrix())


if __name__ == "__main__":
    print_or_write("adverse", matrix)
