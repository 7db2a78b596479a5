"""The commands of `release-state`, by what one wants; each run of the suite stands for options of it.

Imports nothing outside the standard library at its top.
"""

from __future__ import annotations

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
