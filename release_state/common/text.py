"""Sanitize untrusted text (titles, branch names, log lines), and format counts, lists and durations."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

#: Characters of one message at the most; what is longer is cut, and says so.
LONGEST = 2_000


def sanitize(text: str, longest: int = LONGEST) -> str:
    """Return the text as one terminal line: control, format and bidirectional characters become escapes."""
    if len(text) <= longest and text.isascii() and text.isprintable():
        return text  # what most texts are, a hundred times faster
    shown = "".join(map(_visible, text[: longest + 1]))
    return shown if len(text) <= longest else f"{shown[:longest]}… ({len(text)} characters)"


def disarm_commands(text: str) -> str:
    """Return the text without GitHub Actions workflow commands; for use after a prefix of our own."""
    return text.replace("##[", "## [")


def _visible(character: str) -> str:
    if character in "\n\r\t":
        return " "
    # Cc, Cf (bidirectional marks among them), Cs, Co, Cn, Zl and Zp: nothing that a terminal obeys gets through.
    # U+200D and U+FE0F (Cf, Mn) join emoji and are shown as escapes too: harmless, and rare here.
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return character.encode("unicode_escape").decode("ascii")
    return character


def format_step_numbers(numbers: Sequence[int]) -> str:
    """`step 3`, `steps 1 to 3`, `steps 1, 4`."""
    if len(numbers) == 1:
        return f"step {numbers[0]}"
    if len(numbers) > 2 and list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return f"steps {numbers[0]} to {numbers[-1]}"
    return f"steps {', '.join(map(str, numbers))}"


def join_items(items: Iterable[str], most: int = 5, total: int | None = None) -> str:
    """Join the first few items in one line, with the number of the others."""
    items = list(items)
    more = (total or len(items)) - min(len(items), most)
    return "; ".join(items[:most]) + (f"; and {more} more" if more > 0 else "")


def format_commits(count: int) -> str:
    """`1 commit`, `2 commits`."""
    return f"{count} commit{'' if count == 1 else 's'}"


def format_duration(minutes: float) -> str:
    """Format minutes in a fitting unit: `5 min`, `3 h`, `12 days`."""
    whole = max(int(minutes), 0)
    if whole < 120:
        return f"{whole} min"
    return f"{whole // 60} h" if whole < 2880 else f"{whole // 1440} days"
