"""The command line as pytest reads it: the suite's options, `--version` among them, and their values.

Like the plugin, imports only the standard library and pytest at its top.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from release_state.settings.options import PHASES, PLANS, SETTINGS

if TYPE_CHECKING:
    from release_state.settings.sources import Arguments

_NO_RUN = (
    ("version", "-V", "prints pytest's own version (for more output: -v)"),
    ("markers", "--markers", "lists markers"),
    ("showfixtures", "--fixtures", "lists fixtures"),
    ("show_fixtures_per_test", "--fixtures-per-test", "lists fixtures"),
    ("trace", "--trace", "stops before each check"),
)
"""Options of pytest that check nothing: attribute, option as typed, and what it does instead."""


def take_version_over(parser: pytest.Parser) -> None:
    """Remove the name `--version` from pytest's own option."""
    # There is no public way. A pytest without these attributes raises here and ends the run: better than printing
    # pytest's own version with exit code 0.
    for group in (parser._anonymous, *parser._groups):
        for option in group.options:
            if "--version" in option._long_opts:
                option._long_opts.remove("--version")


def first_in_help(parser: pytest.Parser, name: str, description: str) -> pytest.OptionGroup:
    """A group of options that `--help` shows before pytest's own."""
    group = parser.getgroup(name, description)
    parser._groups.remove(group)
    parser._groups.insert(0, group)
    return group


def add_options(group: pytest.OptionGroup) -> None:
    """Declare every option of the suite."""
    group.addoption(
        "--version",
        "--release-version",
        action="append",
        nargs="?",
        const="",
        dest="release_state_version",
        metavar="X.Y.Z",
        help="version to check (PEP 440), repeatable; all, or a specifier like '>=2,<3', for an audit",
    )
    group.addoption(
        "--channel",
        action="append",
        dest="release_state_channel",
        metavar="NAME",
        help="pypi (default), testpypi, a channel of the configuration, or all",
    )
    group.addoption(
        "--phase",
        dest="release_state_phase",
        default="auto",
        metavar="PHASE",
        help=", ".join(PHASES) + " (default: auto)",
    )
    group.addoption(
        "--project-list",
        dest="release_state_project_list",
        metavar="FILE",
        help="TOML file of projects: audits or checks each of them",
    )
    group.addoption("--repo", dest="release_state_repo", metavar="PATH", help="local clone to read")
    for setting in SETTINGS:
        help_text = setting.help + (f" (default: {setting.default})" if setting.default else "")
        group.addoption(
            setting.option, dest=setting.dest, metavar=setting.metavar or setting.key.upper(), help=help_text
        )
    group.addoption(
        "--index-url",
        action="append",
        default=[],
        dest="release_state_index_url",
        metavar="CHANNEL=URL",
        help="read a channel from this Simple API",
    )
    group.addoption("--github-api-url", dest="release_state_github_api_url", metavar="URL", help="GitHub's REST API")
    group.addoption(
        "--github-server-url",
        dest="release_state_github_server_url",
        metavar="URL",
        help="GitHub's web address (default: the server of its API)",
    )
    group.addoption(
        "--no-install", action="store_true", dest="release_state_no_install", help="skip the installation check"
    )
    group.addoption(
        "--install-sdists",
        action="store_true",
        dest="release_state_install_sdists",
        help="let the installation check build packages without a wheel, which runs their code",
    )
    group.addoption(
        "--block-on-advice",
        action="store_true",
        dest="release_state_block_on_advice",
        help="let advice decide the exit code too",
    )
    group.addoption(
        "--plan", dest="release_state_plan", default="auto", metavar="WAY", help=", ".join(PLANS) + " (default: auto)"
    )
    group.addoption(
        "--wait",
        dest="release_state_wait",
        default="0",
        metavar="SECONDS",
        help="observe again until nothing is in progress, at most this long",
    )
    group.addoption("--script", dest="release_state_script", metavar="FILE", help="write the plan as a shell script")
    group.addoption(
        "--save-snapshot", dest="release_state_save_snapshot", metavar="FILE", help="save the observation in a file"
    )
    group.addoption(
        "--snapshot", dest="release_state_snapshot", metavar="FILE", help="judge a recorded snapshot, contact nothing"
    )
    group.addoption("--demo", dest="release_state_demo", metavar="SCENARIO", help="check a demo world on this machine")
    group.addoption(
        "--show-config",
        action="store_true",
        dest="release_state_show_config",
        help="print all settings and where they come from",
    )


def is_executing(option: Any) -> bool:
    """Whether fixtures will be set up; `--setup-only` does so and ends with "no check ran"."""
    return not (option.collectonly or option.setupplan or option.showfixtures or option.show_fixtures_per_test)


def arguments_of(config: pytest.Config) -> Arguments:
    """The arguments as typed; of the values, only the phase and the kind of version are checked here.

    Raises UsageProblem.
    """
    from release_state.settings.sources import Arguments
    from release_state.settings.validate import one_of
    from release_state.settings.versions import audited

    option = config.option
    versions = tuple(option.release_state_version or ())
    audit = audited(versions)
    one_of("--phase", option.release_state_phase, PHASES)  # needed before the configuration is read
    given = {setting.key: getattr(option, setting.dest) for setting in SETTINGS}
    return Arguments(
        versions=() if audit else versions,
        channels=tuple(option.release_state_channel or ()),
        phase=option.release_state_phase,
        repo=option.release_state_repo,
        settings={key: value for key, value in given.items() if value is not None},
        index_urls=tuple(option.release_state_index_url),
        github_api_url=option.release_state_github_api_url,
        github_server_url=option.release_state_github_server_url,
        install=not option.release_state_no_install,
        install_sdists=option.release_state_install_sdists,
        block_on_advice=option.release_state_block_on_advice,
        plan=option.release_state_plan,
        wait=option.release_state_wait,
        audit=audit,
    )


def files_of(config: pytest.Config) -> dict[str, Path]:
    """The files to read or write besides the reports, by option."""
    given = {name: getattr(config.option, f"release_state_{name}") for name in ("script", "save_snapshot", "snapshot")}
    return {name: cwd_of(config) / path for name, path in given.items() if path}


def cwd_of(config: pytest.Config) -> Path:
    """The folder that relative paths start from."""
    return config.invocation_params.dir


def selection_of(config: pytest.Config) -> tuple[tuple[str, ...], str, bool]:
    """File names, marker expression, and whether anything else narrows the run."""
    option = config.option
    files = tuple(Path(argument.partition("::")[0]).name for argument in config.args)
    narrowed = bool(
        option.keyword or option.deselect or option.ignore or option.ignore_glob or any("::" in a for a in config.args)
    )
    return files, option.markexpr or "", narrowed


def refuse_other_answers(config: pytest.Config) -> None:
    """Refuse options that make pytest print something else and exit 0 although a version was given.

    Raises pytest.UsageError.
    """
    for name, typed, does in _NO_RUN if config.option.release_state_version else ():
        if getattr(config.option, name, False):
            raise pytest.UsageError(f"{typed} {does} and checks nothing: leave it out")
