"""The command `release-state completion SHELL`: a script for bash, zsh or fish, which shtab writes.

Source: https://tqdm.github.io/shtab/
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import shtab

from release_state.cli import history
from release_state.cli.commands import COMMANDS
from release_state.common.errors import UsageProblem
from release_state.demo.scenarios import SCENARIOS
from release_state.model.process import PROCESS_WORDS
from release_state.run.options import Option, list_options
from release_state.settings.options import PHASE_ALIASES, PHASES, PLANS, VERSION_RULES
from release_state.settings.validate import one_of

SHELLS = ("bash", "zsh", "fish")
_CHOICES = {
    "--channel": ("pypi", "testpypi", "all"),
    "--phase": (*PHASES, *PHASE_ALIASES),
    "--plan": PLANS,
    "--process": tuple(PROCESS_WORDS),
    "--version-rules": VERSION_RULES,
    "--demo": tuple(SCENARIOS),
}
_PATHS = {"FILE": shtab.FILE, "PATH": shtab.DIRECTORY, "DIR": shtab.DIRECTORY}


def write_completion(arguments: Sequence[str]) -> str:
    """The script of the shell that the arguments name; raises UsageProblem."""
    if len(arguments) != 1:
        raise UsageProblem(f"completion takes one shell: {', '.join(SHELLS)}")
    return shtab.complete(_describe_command(), shell=one_of("completion", arguments[0], SHELLS))


def _describe_command() -> argparse.ArgumentParser:
    """The command line as shtab reads it; nothing is parsed with it."""
    parser = argparse.ArgumentParser(prog="release-state", add_help=False)
    own = list_options()
    _add(parser, own)
    commands = parser.add_subparsers()
    for word, text in COMMANDS.items():
        command = commands.add_parser(word, help=text, add_help=False)
        if word == "explain":
            logfile: Any = command.add_argument("logfile")
            logfile.complete = shtab.FILE
            command.add_argument("--json", action="store_true")
        elif word == "completion":
            command.add_argument("shell", choices=SHELLS)
        elif word == "history":
            _add(command, [option for option in own if option.names[0] in history.OPTIONS])
        elif word == "checks":
            _add(command, [option for option in own if option.names[0] == "--checks"])
        else:
            if word == "demo":
                command.add_argument("scenario", choices=tuple(SCENARIOS), nargs="?")
            _add(command, own)
    return parser


def _add(parser: argparse.ArgumentParser, options: Sequence[Option]) -> None:
    for option in options:
        text = option.help.replace("%", "%%")
        if not option.metavar:
            parser.add_argument(*option.names, help=text, action="store_true")
            continue
        added: Any = parser.add_argument(*option.names, help=text, choices=_CHOICES.get(option.names[0]))
        if option.metavar in _PATHS:
            added.complete = _PATHS[option.metavar]
