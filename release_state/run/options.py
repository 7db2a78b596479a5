"""The command line as pytest reads it: the suite's options, `--version` among them, and their values.

Like the plugin, imports only the standard library and pytest at its top.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from release_state.common.errors import UsageProblem
from release_state.settings.options import CHANNEL_SETTINGS, PHASE_ALIASES, PHASES, PLANS, SETTINGS

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
_BY_MEMORY = (
    ("lf", "--lf"),
    ("failedfirst", "--ff"),
    ("newfirst", "--nf"),
    ("stepwise", "--sw"),
    ("stepwise_skip", "--sw-skip"),
    ("stepwise_reset", "--sw-reset"),
    ("cacheshow", "--cache-show"),
)
"""Options of pytest that need its cache, which a run does not have: attribute, and option as typed."""


def take_version_over(parser: pytest.Parser) -> None:
    """Remove the name `--version` from pytest's own option."""
    # There is no public way. A pytest without these attributes raises here and ends the run: better than printing
    # pytest's own version with exit code 0.
    for option in _known_options(parser):
        if "--version" in option._long_opts:
            option._long_opts.remove("--version")


def _known_options(parser: pytest.Parser) -> Iterator[Any]:
    for group in (parser._anonymous, *parser._groups):
        yield from group.options


def refuse_unknown(parser: pytest.Parser, arguments: Sequence[str]) -> None:
    """Raise UsageProblem for an option that nobody knows; pytest's own message names its files."""
    from release_state.settings.validate import describe_unknown

    known = [name for option in _known_options(parser) for name in option.names()]
    for word in parser.parse_known_and_unknown_args(arguments)[1]:
        if word.startswith("-"):
            raise UsageProblem(describe_unknown(word, known))


def first_in_help(parser: pytest.Parser, name: str, description: str) -> pytest.OptionGroup:
    """A group of options that `--help` shows before pytest's own."""
    group = parser.getgroup(name, description)
    parser._groups.remove(group)
    parser._groups.insert(0, group)
    return group


class _Group(Protocol):
    def addoption(self, *names: str, **given: Any) -> None: ...


def add_options(group: _Group) -> None:
    """Declare every option of the suite."""

    def add(name: str, help_text: str, **more: Any) -> None:
        group.addoption(name, dest=f"release_state_{name[2:].replace('-', '_')}", help=help_text, **more)

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
    channels = "pypi (default), testpypi, a channel of the configuration, or all"
    add("--channel", channels, action="append", metavar="NAME")
    phases = ", ".join([*PHASES[:-1], *PHASE_ALIASES, PHASES[-1]])
    add("--phase", f"{phases} (default: auto; post-release is post-recovery)", default="auto", metavar="PHASE")
    add("--project-list", "TOML file of projects: audits or checks each of them", metavar="FILE")
    add("--repo", "local clone to read", metavar="PATH")
    add("--built", "folder with the built files that are about to be uploaded", metavar="DIR")
    for setting in SETTINGS:
        is_said = not setting.default or setting.is_found
        help_text = setting.help + ("" if is_said else f" (default: {setting.default})")
        add(setting.option, help_text, metavar=setting.metavar or setting.key.upper())
    for each in CHANNEL_SETTINGS:
        add(each.option, each.help, action="append", default=[], metavar=each.metavar)
    own = "file or folder with your own checks, or package:NAME that must be installed "
    add("--checks", own + "(repeatable)", action="append", default=[], metavar="PATH")
    add("--github-api-url", "GitHub's REST API", metavar="URL")
    add("--github-server-url", "GitHub's web address (default: the server of its API)", metavar="URL")
    add("--no-install", "skip the installation check", action="store_true")
    builds = "let the installation check build packages without a wheel, which runs their code"
    add("--install-sdists", builds, action="store_true")
    add("--block-on-advice", "let advice decide the exit code too", action="store_true")
    add("--plan", ", ".join(PLANS) + " (default: auto)", default="auto", metavar="WAY")
    add("--wait", "observe again until nothing is in progress, at most this long", default="0", metavar="SECONDS")
    add("--script", "write the plan as a shell script", metavar="FILE")
    add("--save-snapshot", "save the observation in a file", metavar="FILE")
    add("--snapshot", "judge a recorded snapshot, contact nothing", metavar="FILE")
    add("--demo", "check a demo world on this machine, such as partial or tag-driven-failed", metavar="SCENARIO")
    shown = "print all settings, where they come from, and what the clone shows"
    add("--show-config", shown, action="store_true")


@dataclass(frozen=True)
class Option:
    """An option of the suite, as its help shows it."""

    names: tuple[str, ...]
    help: str
    metavar: str
    """What stands for its value; empty if it takes none."""
    is_repeatable: bool = False


def list_options() -> list[Option]:
    """Every option of the suite, in the order of its declaration."""
    found: list[Option] = []

    class Recorder:
        def addoption(self, *names: str, **given: Any) -> None:
            action = given.get("action")
            metavar = "" if action == "store_true" else given["metavar"]
            found.append(Option(names, given["help"], metavar, is_repeatable=action == "append"))

    add_options(Recorder())
    return found


def is_executing(option: Any) -> bool:
    """Whether fixtures will be set up; `--setup-only` does so and ends with "no check ran"."""
    return not (option.collectonly or option.setupplan or option.showfixtures or option.show_fixtures_per_test)


def arguments_of(config: pytest.Config) -> Arguments:
    """The arguments as typed; raises UsageProblem for an unknown phase or a wrong kind of version."""
    from release_state.settings.sources import Arguments, audited
    from release_state.settings.validate import one_of

    option = config.option
    versions = tuple(option.release_state_version or ())
    audit = audited(versions)
    # Needed before the configuration is read.
    phase = one_of("--phase", option.release_state_phase, (*PHASES, *PHASE_ALIASES))
    given = {setting.key: getattr(option, setting.dest) for setting in SETTINGS}
    return Arguments(
        versions=() if audit else versions,
        channels=tuple(option.release_state_channel or ()),
        phase=PHASE_ALIASES.get(phase, phase),
        repo=option.release_state_repo,
        built=option.release_state_built,
        settings={key: value for key, value in given.items() if value is not None},
        index_urls=tuple(option.release_state_index_url),
        leaves=tuple(option.release_state_leaves),
        environments=tuple(option.release_state_environment),
        dependencies_index_urls=tuple(option.release_state_dependencies_index_url),
        github_api_url=option.release_state_github_api_url,
        github_server_url=option.release_state_github_server_url,
        install=not option.release_state_no_install,
        install_sdists=option.release_state_install_sdists,
        block_on_advice=option.release_state_block_on_advice,
        plan=option.release_state_plan,
        wait=option.release_state_wait,
        checks=tuple(option.release_state_checks),
        audit=audit,
    )


def cwd_of(config: pytest.Config) -> Path:
    """The folder that relative paths start from."""
    return config.invocation_params.dir


@dataclass(frozen=True)
class Invocation:
    """How a run was started, and on which environment."""

    arguments: Arguments
    environ: Mapping[str, str]
    cwd: Path
    checks_folder: Path
    demo: str | None
    """The scenario of `--demo`."""
    listed: Path | None
    """The file of `--project-list`."""
    files: Mapping[str, Path]
    """The files to read or write besides the reports, by option."""
    named: tuple[str, ...]
    """Names of the files of checks that were given."""
    markers: str
    narrowed: bool
    """Whether anything else narrows the run."""
    workers: int
    """How many processes of xdist run the checks; 0 without xdist."""
    executes: bool


def invocation_of(config: pytest.Config) -> Invocation:
    """How this run was started; raises UsageProblem."""
    option, cwd = config.option, cwd_of(config)
    given = {name: getattr(option, f"release_state_{name}") for name in ("script", "save_snapshot", "snapshot")}
    listed = option.release_state_project_list
    is_in_file = any("::" in argument for argument in config.args)
    return Invocation(
        arguments=arguments_of(config),
        environ=os.environ,
        cwd=cwd,
        checks_folder=config.rootpath / "checks",
        demo=option.release_state_demo,
        listed=None if listed is None else cwd / listed,
        files={name: cwd / path for name, path in given.items() if path},
        named=tuple(Path(argument.partition("::")[0]).name for argument in config.args),
        markers=option.markexpr or "",
        narrowed=bool(option.keyword or option.deselect or option.ignore or option.ignore_glob or is_in_file),
        workers=len(getattr(option, "tx", None) or ()),
        executes=is_executing(option),
    )


def refuse_other_answers(config: pytest.Config) -> None:
    """Raise pytest.UsageError for options by which pytest checks nothing, or what it remembers of an earlier run."""
    judges = any(getattr(config.option, f"release_state_{name}") for name in ("version", "demo", "snapshot"))
    for name, typed, does in _NO_RUN if judges or config.option.release_state_project_list else ():
        if getattr(config.option, name, False):
            raise pytest.UsageError(f"{typed} {does} and checks nothing: leave it out")
    if config.option.usepdb:
        raise pytest.UsageError("--pdb waits for a person at each finding: leave it out")
    for name, typed in _BY_MEMORY:
        if getattr(config.option, name, False):
            raise pytest.UsageError(f"{typed} chooses by an earlier run, and the state has changed since: leave it out")
