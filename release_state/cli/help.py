"""The text of `release-state --help`: the commands, the options by purpose, and what each exit code means."""

from __future__ import annotations

import textwrap

from release_state.cli.commands import COMMANDS
from release_state.run.options import Option, list_options

_WIDTH, _NAMES = 100, 28
_EXAMPLES = (
    ("release-state check --version 0.2.0", "ready to release? or released and verified?"),
    ("release-state plan --version 0.2.0 --plan rollback", "how to withdraw it"),
    ("release-state demo partial", "a release that failed half way"),
)
_GROUPS = {
    "What to judge": (
        *("--version", "--channel", "--phase", "--repo", "--built", "--package"),
        *("--project-list", "--snapshot", "--demo"),
    ),
    "How": ("--plan", "--wait", "--block-on-advice", "--no-install", "--install-sdists", "--checks"),
    "What to write": ("--script", "--save-snapshot", "--reports-dir", "--show-config"),
}
_PYTESTS = (
    Option(("-k",), "run the checks of these names: -k 'TAG-1 or INDEX-3'", "EXPRESSION"),
    Option(("-n",), "run the checks in so many processes", "NUMBER"),
    Option(("-v, -q",), "more, or less, on the terminal", ""),
)
_END = """\
Exit codes: 0 as it should be, 1 action needed, 2 interrupted, 3 a defect or no report,
            4 wrong usage, 5 nothing checked, 6 could not verify, 8 in progress
"""


def write_help() -> str:
    """The help: at most 60 lines of the suite's own words; `--help-all` has all of pytest's."""
    options = {option.names[0]: option for option in list_options()}
    lines = ["usage: release-state COMMAND [option ...]", ""]
    lines += ["Says, read-only, whether a Python release is ready or verified, or what is wrong and how to fix it.", ""]
    lines += ["Commands; without one, a run is a check:"]
    lines += [f"  {word:12}{text}" for word, text in COMMANDS.items()]
    lines += ["", "Examples:", *(f"  {command:52}{text}" for command, text in _EXAMPLES)]
    for title, names in _GROUPS.items():
        shown = [options.pop(name) for name in names]
        shown += _PYTESTS if title == "What to write" else ()
        lines += ["", f"{title}:", *(line for option in shown for line in _lines(option))]
    lines += ["", "Settings, also of pyproject.toml and the environment (release-state --help-all explains them):"]
    lines += textwrap.wrap(
        ", ".join(options), _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )
    return "\n".join([*lines, "", _END])


def _lines(option: Option) -> list[str]:
    """An option in one line, without its last parenthesis if that makes it too long; else in two."""
    names = f"{option.names[0]} {option.metavar}".rstrip()
    room = _WIDTH - _NAMES - 2
    text = option.help if len(option.help) <= room else option.help.rpartition(" (")[0] or option.help
    return textwrap.wrap(text, _WIDTH, initial_indent=f"  {names:{_NAMES}}", subsequent_indent=" " * (_NAMES + 2))
