"""Quote commands for a POSIX shell, or say why a command cannot be shown exactly (pure).

People copy what they see. A character that shows as nothing, as a blank or as something else would make the command act
on another path, branch or repository than the observed one.
"""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Iterable, Sequence

_LONGEST = 100_000
"""Characters of one argument. Linux passes 128 KiB to a program."""
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"))
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
    """Return why the commands cannot be shown exactly, with the first offending character; empty if they can.

    A blank and a line feed within quotes are what they look like.
    """
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
