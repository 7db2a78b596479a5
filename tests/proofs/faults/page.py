"""The fault matrix in Markdown: `python -m tests.proofs.faults.page` prints it, `--write` writes its page."""

from __future__ import annotations

from collections import Counter

from tests.proofs.faults.expected import Expected, expected
from tests.proofs.faults.kinds import FAULTS
from tests.proofs.faults.matrix import HASTY, MARGIN, PATIENT
from tests.proofs.faults.rows import ROWS, Row
from tests.support.made_page import print_or_write, with_part

SOURCES = {"git": "git", "index": "index", "second index": "index", "GitHub": "GitHub"}
"""The head of a column, by what a row's name begins with; what is not in it is a status page."""
MEANINGS = {
    "✓": "the true fact, as of a run without the fault",
    "?": "unknown, with the cause",
    "?⏱": "unknown, with the cause and the time from which to try again",
    "∅": "absent, because that service said so in its own words",
}


def sign(want: Expected) -> str:
    """What stands in a cell."""
    if want.outcome == "unknown":
        return "?⏱" if want.again else "?"
    return "∅" if want.outcome == "absent" else "✓"


def columns() -> dict[str, list[Row]]:
    """The rows that come to the same under every fault, by the head of their column."""
    alike: dict[tuple[str, ...], list[Row]] = {}
    for row in ROWS.values():
        source = SOURCES.get(row.name.partition(":")[0], "status")
        alike.setdefault((source, *(sign(expected(row, fault)) for fault in FAULTS.values())), []).append(row)
    seen: Counter[str] = Counter()
    heads = {}
    for (source, *_), rows in alike.items():
        seen[source] += 1
        heads[f"{source} {seen[source]}"] = rows
    return heads


def matrix() -> str:
    """The table with its legend, and how many cells there are."""
    cells = Counter(sign(expected(row, fault)) for row in ROWS.values() for fault in FAULTS.values())
    heads = columns()
    lines = [
        f"{len(ROWS)} questions times {len(FAULTS)} faults = **{cells.total():,} cells**, all of them run. "
        f"A run may take `--lookup-timeout` and {MARGIN:.0f} s (tried with {PATIENT:.0f} s, and with {HASTY:.0f} s "
        "where a fault uses the time up).",
        "",
        "| sign | outcome | cells |",
        "|---|---|---|",
        *(f"| {mark} | {meaning} | {cells[mark]:,} |" for mark, meaning in MEANINGS.items()),
        "",
        "Questions that come to the same under every fault share a column:",
        "",
        "| column | questions |",
        "|---|---|",
        *(f"| {head} | {'; '.join(_named(row) for row in rows)} |" for head, rows in heads.items()),
        "",
        f"| fault | {' | '.join(heads)} |",
        f"|---|{':-:|' * len(heads)}",
    ]
    for name, fault in FAULTS.items():
        lines.append(f"| {name} | {' | '.join(sign(expected(rows[0], fault)) for rows in heads.values())} |")
    return "\n".join(lines) + "\n"


def _named(row: Row) -> str:
    return f"{row.name}{'' if row.blocking else ' (advice)'}"


def with_matrix(document: str) -> str:
    """The document with the matrix as it is now."""
    return with_part(document, "faults", matrix())


if __name__ == "__main__":
    print_or_write("faults", matrix)
