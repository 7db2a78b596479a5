"""The commands of `release-state`, by what one wants, and its help; each run of the suite stands for options of it.

Imports nothing outside the standard library at its top.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from release_state.common.errors import UsageProblem

COMMANDS = {
    "check": "judge a version before, during or after its release",
    "plan": "the same, for its plan: complete or withdraw, the commands of each step",
    "explain": "LOGFILE: name the failure in the log of a release run, and its fix",
    "history": "list earlier runs, and what changed between them",
    "audit": "judge all published versions, or those of --version '>=2,<3'",
    "demo": "[SCENARIO]: judge a demo world on this machine (default: partial)",
    "checks": "list the checks",
    "completion": "SHELL: print the completion script of bash, zsh or fish",
}
USAGE = f"""usage: release-state check --version X.Y.Z [--channel pypi|testpypi|all] [option ...]
       release-state COMMAND [option ...]     commands: {", ".join(COMMANDS)}
       release-state --help

Says, read-only, whether a Python release is ready, released and verified, or what is wrong and how to fix it.
"""

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
    ("-k", "run the checks of these names: -k 'TAG-1 or INDEX-3'", "EXPRESSION"),
    ("-n", "run the checks in so many processes", "NUMBER"),
    ("-v, -q", "more, or less, on the terminal", ""),
)
_END = """\
Exit codes: 0 as it should be, 1 action needed, 2 interrupted, 3 a defect or no report,
            4 wrong usage, 5 nothing checked, 6 could not verify, 8 in progress
"""


def to_options(word: str, rest: Sequence[str]) -> list[str]:
    """The options that a command of the suite stands for; raises UsageProblem."""
    if word == "demo":
        has_name = bool(rest) and not rest[0].startswith("-")
        return ["--demo", rest[0] if has_name else "partial", *rest[has_name:]]
    if word == "checks":
        if read_places(options := ["--list-checks", *rest]) is None:
            raise UsageProblem("checks lists all checks, with your own of --checks PATH: it takes nothing more")
        return options
    return [*_all_versions(rest), *rest] if word == "audit" else [*rest]


def read_places(options: Sequence[str]) -> list[str] | None:
    """The values of `--checks` beside `--list-checks`; None if that is not given, or if there is anything else."""
    import argparse

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, prog="release-state")
    parser.add_argument("--list-checks", action="store_true")
    parser.add_argument("--checks", action="append", default=[])
    if "--list-checks" not in options:
        return None
    found, others = parser.parse_known_args(options)
    return None if others else list(found.checks)


def refuse_configuration(options: Sequence[str]) -> None:
    """Raise UsageProblem if options name another configuration for pytest: without the suite's own, no check runs."""
    import argparse

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, prog="release-state", exit_on_error=False)
    for names in (("-c", "--config-file"), ("--rootdir",)):
        parser.add_argument(*names, nargs="?", const="", action="append", dest=names[-1])
    found, _ = parser.parse_known_args(options)
    for name, values in vars(found).items():
        if values is not None:
            raise UsageProblem(
                f"{name} is of pytest's own runs: the suite has its configuration and folder; leave it out"
            )


def _all_versions(rest: Sequence[str]) -> list[str]:
    """`--version all`, unless the arguments select versions; raises UsageProblem if they give a single one."""
    import argparse

    from release_state.settings.sources import audited

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--version", "--release-version", action="append", nargs="?", const="", default=[])
    versions: list[str] = parser.parse_known_args(rest)[0].version
    if versions and audited(versions) is None:
        raise UsageProblem(
            "audit judges a whole history: leave --version out, or give all or a specifier like '>=2,<3'; "
            "a single version: release-state check --version X.Y.Z"
        )
    return [] if versions else ["--version", "all"]


def write_help() -> str:
    """The help: at most 60 lines of the suite's own words; `--help-all` has all of pytest's."""
    from release_state.run.options import list_options

    options = {option.names[0]: (option.names[0], option.help, option.metavar) for option in list_options()}
    lines = ["usage: release-state COMMAND [option ...]", ""]
    lines += ["Says, read-only, whether a Python release is ready or verified, or what is wrong and how to fix it.", ""]
    lines += ["Commands; without one, a run is a check:"]
    lines += [f"  {word:12}{text}" for word, text in COMMANDS.items()]
    lines += ["", "Examples:", *(f"  {command:52}{text}" for command, text in _EXAMPLES)]
    for title, names in _GROUPS.items():
        shown = [options.pop(name) for name in names]
        shown += _PYTESTS if title == "What to write" else ()
        lines += ["", f"{title}:", *(line for option in shown for line in _describe(*option))]
    lines += ["", "Settings, also of pyproject.toml and the environment (release-state --help-all explains them):"]
    lines += textwrap.wrap(
        ", ".join(options), _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )
    return "\n".join([*lines, "", _END])


def _describe(name: str, text: str, metavar: str) -> list[str]:
    """An option in one line, without its last parenthesis if that makes it too long; else in two."""
    text = text if len(text) <= _WIDTH - _NAMES - 2 else text.rpartition(" (")[0] or text
    first = f"  {f'{name} {metavar}'.rstrip():{_NAMES}}"
    return textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=" " * (_NAMES + 2))
