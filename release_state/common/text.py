"""Sanitize untrusted text, quote commands for a POSIX shell, and format counts, lists and durations (pure).

People copy what they see. A character that shows as nothing, as a blank or as something else would make a command act
on another path, branch or repository than the observed one.
"""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Iterable, Sequence

LONGEST = 2_000
"""Characters of one message at the most; a longer one is cut, and says so."""
_CONTROLS = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Categories of control characters, bidirectional marks among them: a terminal obeys no others."""


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
    # U+200D (Cf) joins emoji and is shown as an escape too: harmless, and rare here.
    is_control = unicodedata.category(character) in _CONTROLS
    return character.encode("unicode_escape").decode("ascii") if is_control else character


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


def format_count(count: int, noun: str) -> str:
    """`1 commit`, `2 commits`; of a noun with a plain plural."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def format_duration(minutes: float) -> str:
    """Format minutes in a fitting unit: `5 min`, `3 h`, `12 days`."""
    whole = max(int(minutes), 0)
    if whole < 120:
        return f"{whole} min"
    return f"{whole // 60} h" if whole < 2880 else f"{whole // 1440} days"


_LONGEST = 100_000
"""Characters of one argument. Linux passes 128 KiB to a program."""
_UNSEEN = _CONTROLS | {"Zs"}
# Default_Ignorable_Code_Point of Unicode that is none of these categories, and the blank of Braille.
_UNSEEN_RANGES = (
    *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF)),
)


def quote_command(command: Sequence[str]) -> str:
    """Return the command quoted for a shell; raises ValueError if it cannot be shown exactly."""
    if why := find_obstacle(command):
        raise ValueError(why)
    return shlex.join(command)


def quote_or_explain(command: Sequence[str]) -> str:
    """Return the quoted command, or why there is none: for a command inside a sentence."""
    why = find_obstacle(command)
    return f"no command is given: {why}" if why else shlex.join(command)


def find_obstacle(*commands: Sequence[str]) -> str:
    """Return why the commands cannot be shown exactly, with the first offending character; empty if they can."""
    for word in dict.fromkeys(word for command in commands for word in command):
        if len(word) > _LONGEST:
            return f"{escape(word[:40])}… is longer than a command line takes"
        for character in dict.fromkeys(word):
            if _is_unseen(character):
                return f"{escape(word)} holds U+{ord(character):04X}, which cannot be shown as it is"
    return ""


def escape(word: str) -> str:
    """Return the word in quotes, with invisible characters as escapes: for reading, not for typing."""
    parts = ("\\\\" if c == "\\" else _escape(c) if c == "\n" or _is_unseen(c) else c for c in word)
    return f"'{''.join(parts)}'"


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def _is_unseen(character: str) -> bool:
    if " " <= character <= "~" or character == "\n":
        return False
    number = ord(character)
    return unicodedata.category(character) in _UNSEEN or any(low <= number <= high for low, high in _UNSEEN_RANGES)


def needs_repository(commands: Iterable[Sequence[str]]) -> bool:
    """Return whether a command acts on the git repository of the current folder."""
    return any(command[0] in ("git", "sh") and command[1:2] != ("-C",) for command in map(tuple, commands))
