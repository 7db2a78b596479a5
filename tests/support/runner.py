"""A runner of GitHub Actions, as far as it reads what a step prints and writes: an independent reader of both.

The rules are those of actions/runner (`ActionCommand`, `ActionCommandManager`, `FileCommandManager`): a command is a
line that begins with `::name` after blanks, or holds `##[name` anywhere; `stop-commands` ends that until its own word
comes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NAMES = {
    "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice", "remove-matcher",
    "save-state", "set-env", "set-output", "stop-commands", "warning",
}  # fmt: skip
_DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
_PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))


@dataclass(frozen=True)
class Command:
    """A command that the runner would obey."""

    name: str
    data: str
    properties: dict[str, str] = field(default_factory=dict)


def obeyed(output: str) -> list[Command]:
    """The commands of what a step printed, without those that stop and resume."""
    found, word = [], None
    # Line feeds and carriage returns end a line for the runner.
    for line in re.split(r"\r\n|\n|\r", output):
        command = _parse(line, NAMES | ({word} if word else set()))
        if command is None or (word and command.name != word):
            continue
        if command.name == word:
            word = None
        elif command.name == "stop-commands":
            word = command.data
            assert word and word not in NAMES
        else:
            found.append(command)
    assert word is None, "commands are read again in the end"
    return found


def _parse(line: str, names: set[str]) -> Command | None:
    line = line.lstrip()
    if line.startswith("::") and (end := line.find("::", 2)) >= 0:
        name, _, given = line[2:end].partition(" ")
        if name in names:
            pairs = (pair.split("=", 1) for pair in given.split(",") if "=" in pair)
            properties = {key.strip(): _plain(text, _PROPERTY) for key, text in pairs}
            return Command(name, _plain(line[end + 2 :], _DATA), properties)
    _, begun, rest = line.partition("##[")
    info, ended, data = rest.partition("]")
    name = info.partition(" ")[0]
    return Command(name, data) if begun and ended and name in names else None


def _plain(text: str, mapping: tuple[tuple[str, str], ...]) -> str:
    for coded, character in mapping:
        text = text.replace(coded, character)
    return text


def outputs(text: str) -> dict[str, str]:
    """The outputs that a step wrote into its file: `name=value`, or lines up to a word that was named before."""
    found = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, equals, value = line.partition("=")
        if "<<" in (name if equals else line):
            name, _, end = line.partition("<<")
            held = []
            for inner in lines:
                if inner == end:
                    break
                held.append(inner)
            else:
                raise AssertionError(f"{name} never ends")
            value = "\n".join(held)
        elif not equals:
            raise AssertionError(f"{line!r} is no output")
        found[name] = value
    return found
