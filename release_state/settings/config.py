"""The configuration of a run: its targets and settings, each value with its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, cast, get_args

from msgspec import Struct, field, structs

from release_state.common.addresses import strip_credentials
from release_state.common.errors import UsageProblem, hide_passwords_in
from release_state.model.plan import Wanted
from release_state.model.process import PROCESS_WORDS, Made, ProcessKind, StartKind
from release_state.model.target import Channel, Target, parse_repository
from release_state.settings import validate
from release_state.settings.channels import DefinedChannels, defined_channels, status_pages
from release_state.settings.names import find_name
from release_state.settings.options import (
    CHANNEL_SETTINGS,
    DEFAULT_CHANNEL,
    OWN_CHECKS,
    PHASES,
    PLANS,
    SETTINGS,
    VERSION_RULES,
)
from release_state.settings.own_checks import OwnChecks, find_own_checks, refuse_inspected
from release_state.settings.reports import find_reports_folder
from release_state.settings.servers import find_servers
from release_state.settings.sources import (
    Arguments,
    FindRepository,
    LocalRepository,
    Value,
    find_built,
    local_repository,
    resolve,
    table,
)
from release_state.settings.waivers import Waiver, read_waivers

__all__ = ["Arguments", "RunConfig", "load"]

PLACEHOLDER = "0"
"""The version in an audit's targets, which stand for all versions."""

TAG_PLACEHOLDERS = ("version", "semver", "underscored", "package")
PLACEHOLDERS = ("version", "semver", "channel", "package")


class RunConfig(Struct, frozen=True):
    """Everything that a run needs to know before it observes."""

    targets: tuple[Target, ...]
    phase: str
    values: Mapping[str, Value]
    lookup_timeout: float
    install_timeout: float
    reports_dir: Path
    clone: LocalRepository | None
    remote_url: str
    """The URL for git; may hold credentials, unlike the targets' own URLs."""
    channels: Mapping[str, Channel]
    """By name, with index URLs that may hold credentials."""
    lends_token: bool = False
    """Whether git may get the token for the remote: neither a file of the project nor a setting of git has named it."""
    channel_values: Mapping[tuple[str, str], Value] = field(default_factory=dict)
    """What somebody gave of the channels, by name and key."""
    keep_answers: bool = True
    """Whether answers are cached for the next run, which then requests only what has changed."""
    install: bool = True
    install_sdists: bool = False
    """Whether the installation check may build packages, which runs their code."""
    install_size: float = 2048.0
    """MiB that the installation check may download and unpack."""
    block_on_advice: bool = False
    plan: Wanted = "auto"
    built: Value | None = None
    """The folder with the files that are about to be uploaded, as an absolute path."""
    wait: float = 0.0
    """Longest wait for releases in progress, in seconds; 0: no wait."""
    own_checks: Mapping[OwnChecks, Value] = field(default_factory=dict)
    """Places with checks of one's own, and who named them."""
    audit: str | None = None
    """As in the arguments. The targets then stand for channels, and their version is a placeholder."""
    waivers: tuple[Waiver, ...] = ()
    """Known exceptions; only an audit has them: whoever opens a pull request can write them into the file."""


def load(
    arguments: Arguments,
    environ: Mapping[str, str],
    cwd: Path,
    find_repository: FindRepository,
    listed: tuple[Mapping[str, Any], str] | None = None,
) -> RunConfig:
    """Work out the configuration of a run. Contacts nothing; `find_repository` reads the local repository.

    `listed` is a table of settings with its origin, used instead of `[tool.release-state]`; the current folder is then
    not read.

    Raises UsageProblem with one line on anything wrong, missing or unknown.
    """
    validate.one_of("--phase", arguments.phase, PHASES)
    validate.one_of("--plan", arguments.plan, PLANS)
    versions = _versions(arguments)
    built = find_built(arguments, environ, cwd)
    if built and (arguments.audit or len(versions) > 1):
        raise UsageProblem("--built holds the files of one version: not of an audit, nor of several versions")
    asks_for_clone = listed is None or arguments.repo is not None
    remote_name = arguments.settings.get("remote")
    local = local_repository(arguments.repo, remote_name, environ, cwd, find_repository) if asks_for_clone else None
    written, table_origin = listed or table(local.top if local else cwd)
    resolved = partial(resolve, arguments, environ, written, table_origin)
    if local and "remote" in written and (remote := resolved()["remote"]).origin == table_origin:
        # The file was found through the repository; only the file says which remote is meant.
        local = find_repository(local.top, validate.ref_name("--remote", remote.text))
    servers = find_servers(arguments, environ)
    api, web = (value.text.rstrip("/") for value in servers.values())
    remote_of_clone = (local.remote_url if local else None) or ""
    named = parse_repository(remote_of_clone, web) if remote_of_clone else None
    inferred = {"repository": Value(named, f"remote URL of {local.top}")} if local and named else {}
    values = {**resolved(inferred), **servers}
    defined = defined_channels(written, table_origin, arguments, environ)
    channels = defined.channels
    chosen = _chosen_channels(arguments.channels, channels, values)
    for version, channel in product(versions, chosen):
        if channel.is_public_index:
            validate.refuse_local(version, channel.name)
    waivers = read_waivers(written, table_origin, [channel.name for channel in channels])
    get = {key: value.text for key, value in values.items()}
    if "repository" not in get:
        label = f"remote {get['remote']} of {local.top}" if local else ""
        why = f" ({label} is {validate.shown(remote_of_clone)}, which is not on {web})" if remote_of_clone else ""
        raise UsageProblem(
            f"no repository{why}: give --repository owner/name, or --repo with a clone whose remote says it"
        )
    repository = validate.repository(get["repository"])
    asked = arguments.repo is not None or "RELEASE_STATE_REPO" in environ
    clone = local if asked or (named or "").lower() == repository.lower() else None
    package = _package(values, None if listed else clone, local)
    is_rewritten, named_by = False, "remote-url"
    if "remote-url" not in values and clone and clone.remote_url:
        is_rewritten = clone.is_rewritten
        url = validate.git_url("remote URL", clone.remote_url)
        values["remote-url"] = Value(url, f"remote {get['remote']} of {clone.top}")
    if "remote-url" not in values:
        named_by = "repository"
        values["remote-url"] = Value(f"{web}/{repository}.git", "inferred from the repository's name")
    given = values["remote-url"]
    remote_url = validate.git_url("--remote-url", given.text)
    hide_passwords_in(
        [remote_url, *(url for each in channels for url in (each.index_url, each.dependencies_index_url))]
    )
    if listed is None and given.origin == table_origin and validate.is_local(remote_url):
        # Git would use the settings of that folder, and the repository itself may contain it.
        raise UsageProblem(f"{table_origin}: remote-url {validate.shown(remote_url)} is a folder of this machine")
    reports_dir = find_reports_folder(values, cwd, environ, web, repository)
    # An audit compares versions with each other; the checks of one version have no part in it.
    own_checks = {} if arguments.audit else find_own_checks(arguments.checks, environ, cwd)
    name = validate.ref_name("--remote", get["remote"])
    refuse_inspected(tuple(own_checks), clone.top if clone else None, repository, web, name, find_repository)
    base = get.get("base-branch")
    configured = _given(values, defined)
    common: dict[str, Any] = {
        "package": package,
        "repository": repository,
        "channels": tuple(map(_public, channels)),
        "base_branch": validate.ref_name("--base-branch", base) if base else None,
        "remote": name,
        "remote_url": strip_credentials(remote_url),
        "clone": str(clone.top) if clone else None,
        **_project(get),
        "given": tuple(configured),
        "origins": tuple(configured.items()),
        "github_api": api,
        "github_web": web,
        "reports_dir": str(reports_dir),
        # A printed command finds a clone's own file again, but not a project list or the folder's file.
        "settings": (
            *_list_options(
                arguments, environ, values, table_origin if listed or clone is None else "", reports_dir, defined
            ),
            *([("built", built.text)] if built else []),
            *dict.fromkeys((OWN_CHECKS, each.option) for each in own_checks),
        ),
    }
    status = {key: values.setdefault(key, Value(url, "default")) for key, url in status_pages(api, chosen).items()}
    pages = {key: validate.status_url(f"--{key}", value.text) for key, value in status.items()}
    of_any_index = status["index-status-url"].origin != "default"
    return RunConfig(
        targets=tuple(
            Target(
                version=version,
                channel=_public(channel),
                github_status_url=pages["github-status-url"],
                index_status_url=pages["index-status-url"] if of_any_index or channel.is_public_index else None,
                **common,
            )
            for version in versions
            for channel in chosen
        ),
        phase=arguments.phase,
        values=values,
        lookup_timeout=validate.seconds("--lookup-timeout", get["lookup-timeout"]),
        install_timeout=validate.seconds("--install-timeout", get["install-timeout"]),
        # The run over a list is of no single project.
        reports_dir=find_reports_folder(values, cwd, environ) if listed else reports_dir,
        clone=clone,
        remote_url=remote_url,
        lends_token=not is_rewritten and (listed is not None or values[named_by].origin != table_origin),
        channels={channel.name: channel for channel in channels},
        channel_values=defined.values,
        keep_answers=validate.flag("--keep-answers", get["keep-answers"]),
        install=arguments.install,
        install_sdists=arguments.install_sdists,
        install_size=validate.mebibytes("--install-size", get["install-size"]),
        block_on_advice=arguments.block_on_advice,
        plan=cast("Wanted", arguments.plan),
        built=built,
        wait=validate.seconds("--wait", arguments.wait) if arguments.wait != "0" else 0.0,
        own_checks=own_checks,
        audit=arguments.audit,
        waivers=waivers if arguments.audit else (),
    )


def _list_options(
    arguments: Arguments,
    environ: Mapping[str, str],
    values: Mapping[str, Value],
    file: str,
    reports_dir: Path,
    channels: DefinedChannels,
) -> tuple[tuple[str, str], ...]:
    """The options that a printed command must repeat; `file` is a file that it would not find again, or empty."""
    options = {}
    for setting in SETTINGS:
        value = values.get(setting.key)
        if value is not None and (value.is_given or (file and value.origin == file)):
            options[setting.key] = strip_credentials(value.text) if setting.metavar == "URL" else value.text
    if "reports-dir" in options:
        options["reports-dir"] = str(reports_dir)
    switches = {
        "no-install": not arguments.install,
        "install-sdists": arguments.install_sdists,
        "block-on-advice": arguments.block_on_advice,
    }
    options |= {key: "" for key, is_given in switches.items() if is_given}
    changed = {"wait": (arguments.wait, "0"), "plan": (arguments.plan, "auto"), "phase": (arguments.phase, "auto")}
    options |= {key: text for key, (text, default) in changed.items() if text != default}
    of_channels = [
        (each.key, name)
        for each in CHANNEL_SETTINGS
        for (name, key), value in channels.values.items()
        if key == each.key and (value.is_given or (file and value.origin == file))
    ]
    return (*options.items(), *of_channels)


def _versions(arguments: Arguments) -> tuple[str, ...]:
    if not arguments.versions and not arguments.audit:
        raise UsageProblem(
            "no version: say which one, for example: --version 0.2.0 --channel pypi (pytest's own version: -V)"
        )
    versions = tuple(dict.fromkeys(validate.version(text) for text in arguments.versions))
    return (PLACEHOLDER,) if arguments.audit else versions


def _package(values: dict[str, Value], clone: LocalRepository | None, local: LocalRepository | None) -> str:
    # Only the target's own clone may name the package: any other would name the wrong one.
    if "package" not in values and clone and (name := find_name(clone.top, values["repository"].text)):
        values["package"] = name
    if "package" not in values and local and not clone:
        other = f"{local.top} is not read, as its remote does not lead to {values['repository'].text}"
        raise UsageProblem(f"no package: {other}: give --repo {local.top} if it is the clone, or --package")
    if "package" not in values:
        raise UsageProblem("no package: give --package, or [tool.release-state] package in pyproject.toml")
    return validate.package(values["package"].text)


def _project(get: Mapping[str, str]) -> dict[str, Any]:
    """The settings that become fields of a target: how the project releases."""
    word = get["process"]
    kind = cast("ProcessKind", validate.one_of("--process", word, PROCESS_WORDS)) if word else None
    found: dict[str, Any] = {
        "process_kind": kind,
        "tag_template": validate.ref_template("--tag-template", get["tag-template"], TAG_PLACEHOLDERS),
        "branch_template": validate.ref_template("--branch-template", get["branch-template"], PLACEHOLDERS),
        "title_template": validate.text_template("--title-template", get["title-template"], PLACEHOLDERS),
        "workflow": validate.workflow_file("--workflow", get["workflow"]),
        "started_by": validate.words("--started-by", get["started-by"], get_args(StartKind)),
        "makes": validate.words("--makes", get["makes"], get_args(Made)),
        "expected_files": validate.words("--expected-files", get["expected-files"], ("sdist", "wheel")),
        "expected_before_release": validate.words(
            "--expected-before-release", get["expected-before-release"], ("version", "changelog")
        ),
        "changelog": validate.relative_path("--changelog", get["changelog"]),
        "version_rules": validate.one_of("--version-rules", get["version-rules"], VERSION_RULES),
        "ci_required": validate.flag("--ci-required", get["ci-required"]),
    }
    of_runs = {key: bool(get[key]) for key in ("started-by", "makes")}
    of_runs["process"] = kind is not None and bool(PROCESS_WORDS[kind].started_by)
    if get["workflow"] == "" and (key := next((key for key in of_runs if of_runs[key]), "")):
        raise UsageProblem(f"--{key} says what a run of the workflow does, and --workflow names none")
    if not found["expected_files"]:
        raise UsageProblem("--expected-files names no kind of file: give sdist, wheel or both")
    return found


_OF_PROCESS = (
    *("tag-template", "branch-template", "title-template", "workflow", "process", "started-by", "makes"),
    *("expected-files", "expected-before-release"),
)


def _given(values: Mapping[str, Value], channels: DefinedChannels) -> dict[str, str]:
    """The keys of the process that the configuration gives, with where: nothing that is found out replaces them."""
    named = [key for key in _OF_PROCESS if key not in ("process", "started-by") or values[key].text]
    given = {key: values[key].origin for key in named if values[key].origin != "default"}
    of_channels = ((each.name, key) for key in ("leaves", "environment") for each in channels.channels)
    return given | {
        f"channels.{name}.{key}": channels.values[name, key].origin
        for name, key in of_channels
        if (name, key) in channels.values
    }


def _public(channel: Channel) -> Channel:
    """The channel for reports: its addresses without credentials."""
    dependencies = channel.dependencies_index_url
    return structs.replace(
        channel,
        index_url=strip_credentials(channel.index_url),
        dependencies_index_url=strip_credentials(dependencies) if dependencies else None,
    )


def _chosen_channels(
    names: Sequence[str], channels: Sequence[Channel], values: dict[str, Value]
) -> tuple[Channel, ...]:
    known = [channel.name for channel in channels]
    wanted = list(names) or [DEFAULT_CHANNEL]
    for name in wanted:
        validate.one_of("--channel", name, [*known, "all"])
    values["channel"] = Value(",".join(wanted), "command line" if names else "default")
    return tuple(channel for channel in channels if "all" in wanted or channel.name in wanted)
