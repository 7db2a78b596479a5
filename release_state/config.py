"""From what was typed, set and found to the targets of a run: each value with the place that it came from."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from release_state import validate
from release_state.channels import GITHUB_API, defined_channels, status_pages
from release_state.observe.git_command import GitFailed
from release_state.observe.local import LocalRepository, locate
from release_state.observe.remote import without_credentials
from release_state.options import DEFAULT_CHANNEL, PHASES, PLANS, SETTINGS, Setting, UsageProblem
from release_state.plan import Wanted
from release_state.target import Channel, Target, repository_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PLACEHOLDERS = ("version", "channel", "package")
COMMAND_LINE, ENVIRONMENT = "command line", "environment "
"""How the origin of what the person said begins."""
_LARGEST_FILE = 2**20
"""Bytes of a pyproject.toml that is read."""


@dataclass(frozen=True)
class Arguments:
    """What the command line gave; `settings` by key, as typed."""

    versions: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    phase: str = "auto"
    repo: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    index_urls: tuple[str, ...] = ()
    """`CHANNEL=URL`."""
    github_api_url: str | None = None
    install: bool = True
    block_on_advice: bool = False
    plan: str = "auto"


@dataclass(frozen=True)
class Value:
    """A setting's value and where it came from."""

    text: str
    origin: str

    @property
    def is_given(self) -> bool:
        """Whether the person who runs the suite said it, and not a file or a guess."""
        return self.origin == COMMAND_LINE or self.origin.startswith(ENVIRONMENT)


@dataclass(frozen=True)
class RunConfig:
    """Everything a run needs to know before it observes."""

    targets: tuple[Target, ...]
    phase: str
    values: Mapping[str, Value]
    lookup_timeout: float
    install_timeout: float
    reports_dir: Path
    clone: LocalRepository | None
    remote_url: str
    """What git is asked with; may hold credentials, which the targets' own URLs never do."""
    channels: Mapping[str, Channel]
    """By name, with index URLs that may hold credentials."""
    install: bool = True
    block_on_advice: bool = False
    plan: Wanted = "auto"


def load(arguments: Arguments, environ: Mapping[str, str], cwd: Path) -> RunConfig:
    """Work out the run's configuration without contacting anything but the local repository.

    Raises UsageProblem with one line on anything that is wrong, missing or unknown.
    """
    validate.one_of("--phase", arguments.phase, PHASES)
    validate.one_of("--plan", arguments.plan, PLANS)
    if not arguments.versions:
        raise UsageProblem(
            "no version: say which one with --version, for example: pytest checks/ --version 0.2.0 --channel pypi "
            "(pytest's own version: pytest -V)"
        )
    versions = tuple(dict.fromkeys(validate.version(text) for text in arguments.versions))
    local = _local_repository(arguments.repo, arguments.settings.get("remote"), environ, cwd)
    table, project_name, table_origin = _table(local.top if local else cwd)
    resolver = _Resolver(arguments, environ, table, table_origin)
    if local and "remote" in table and (remote := resolver.all({})["remote"]).origin == table_origin:
        # Which file to read was known only from the repository; which remote of it is meant, from that file.
        local = locate(local.top, validate.ref_name("--remote", remote.text))
    values = resolver.all(_inferred(local, environ))
    channels = defined_channels(table, table_origin, arguments.index_urls, environ)
    chosen = _chosen_channels(arguments.channels, channels, values)
    api, web = _github(arguments, environ, values)
    get = {key: value.text for key, value in values.items()}
    if "repository" not in get:
        raise UsageProblem("no repository: give --repository owner/name, or --repo with a clone whose remote says it")
    repository = validate.repository(get["repository"])
    asked = arguments.repo is not None or "RELEASE_STATE_REPO" in environ
    clone = local if local and (asked or _is_clone_of(local, repository, web)) else None
    if "package" not in get and clone and project_name:
        # Only the target's own clone may name the package: another project's name would check the wrong one.
        values["package"] = Value(project_name, f"[project] name of {clone.top / 'pyproject.toml'}")
    if "package" not in values:
        raise UsageProblem("no package: give --package, or [tool.release-state] package in pyproject.toml")
    package = validate.package(values["package"].text)
    if "remote-url" not in values:
        if clone and clone.remote_url:
            origin = f"remote {get['remote']} of {clone.top}"
            values["remote-url"] = Value(validate.git_url("remote URL", clone.remote_url), origin)
        else:
            values["remote-url"] = Value(f"{web}/{repository}.git", "inferred from the repository's name")
    given = values["remote-url"]
    remote_url = validate.git_url("--remote-url", given.text)
    if given.origin == table_origin and validate.is_local(remote_url):
        # Git serves it with the settings of that folder, which can be one that the repository itself brings along.
        raise UsageProblem(f"{table_origin}: remote-url {validate.shown(remote_url)} is a folder of this machine")
    reports_dir = reports_folder(values["reports-dir"], cwd)
    base = get.get("base-branch")
    common: dict[str, Any] = {
        "package": package,
        "repository": repository,
        "channels": tuple(map(_public, channels)),
        "base_branch": validate.ref_name("--base-branch", base) if base else None,
        "remote": validate.ref_name("--remote", get["remote"]),
        "remote_url": without_credentials(remote_url),
        "clone": str(clone.top) if clone else None,
        "tag_template": validate.ref_template("--tag-template", get["tag-template"], ("version", "package")),
        "branch_template": validate.ref_template("--branch-template", get["branch-template"], PLACEHOLDERS),
        "title_template": validate.text_template("--title-template", get["title-template"], PLACEHOLDERS),
        "workflow": validate.workflow_file("--workflow", get["workflow"]),
        "expected_files": validate.words("--expected-files", get["expected-files"], ("sdist", "wheel")),
        "expected_before_release": validate.words(
            "--expected-before-release", get["expected-before-release"], ("version", "changelog")
        ),
        "changelog": validate.relative_path("--changelog", get["changelog"]),
        "ci_required": validate.flag("--ci-required", get["ci-required"]),
        "github_api": api,
        "github_web": web,
        "reports_dir": str(reports_dir),
    }
    status = {key: values.setdefault(key, Value(url, "default")) for key, url in status_pages(api, chosen).items()}
    pages = {key: validate.status_url(f"--{key}", value.text) for key, value in status.items()}
    of_any_index = status["index-status-url"].origin != "default"
    if not common["expected_files"]:
        raise UsageProblem("--expected-files names no kind of file: give sdist, wheel or both")
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
        reports_dir=reports_dir,
        clone=clone,
        remote_url=remote_url,
        channels={channel.name: channel for channel in channels},
        install=arguments.install,
        block_on_advice=arguments.block_on_advice,
        plan=cast("Wanted", arguments.plan),
    )


def reports_folder(value: Value, cwd: Path) -> Path:
    """Where reports go: anywhere that the person says, and nowhere out of the current folder by what lies in it."""
    folder = (cwd / validate.folder("--reports-dir", value.text)).absolute()
    if not value.is_given:
        inside = folder.resolve().relative_to(cwd.resolve()) if folder.resolve().is_relative_to(cwd.resolve()) else None
        if inside is None or inside.parts[:1] in ((), (".git",)):
            shown = validate.shown(value.text)
            raise UsageProblem(
                f"reports-dir {shown} ({value.origin}) leads out of {cwd}, or is no folder for reports: "
                "give another one with --reports-dir"
            )
    return folder


def _public(channel: Channel) -> Channel:
    """The channel as it may be reported: its addresses without credentials."""
    dependencies = channel.dependencies_index_url
    return channel.model_copy(
        update={
            "index_url": without_credentials(channel.index_url),
            "dependencies_index_url": without_credentials(dependencies) if dependencies else None,
        }
    )


def _local_repository(
    repo: str | None, remote: str | None, environ: Mapping[str, str], cwd: Path
) -> LocalRepository | None:
    path = repo if repo is not None else environ.get("RELEASE_STATE_REPO")
    asked = path is not None
    folder = (cwd / path).absolute() if path else cwd
    if asked and (not path or "\0" in path or not os.path.isdir(folder)):  # noqa: PTH112 - raises for no name at all
        raise UsageProblem(f"--repo {validate.shown(path or '')} is not a folder")
    remote = validate.ref_name("--remote", remote or environ.get("RELEASE_STATE_REMOTE") or "origin")
    try:
        found = locate(folder, remote)
    except GitFailed as failed:
        advice = failed.remedy or "mend it, or run from outside of it"
        raise UsageProblem(
            f"the repository at {validate.shown(str(folder))} cannot be read: {failed.why}; {advice}"
        ) from None
    if asked and found is None:
        raise UsageProblem(f"--repo {validate.shown(path or '')} is not a git repository")
    return found


def _table(folder: Path) -> tuple[dict[str, Any], str | None, str]:
    path = folder / "pyproject.toml"
    origin = f"[tool.release-state] of {path}"
    if not path.is_file():
        return {}, None, origin
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UsageProblem(f"{path} is a link that leads out of {folder}: it is not read")
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
        if len(content) > _LARGEST_FILE:
            raise UsageProblem(f"{path} is larger than {_LARGEST_FILE >> 10} KiB: it is not read")
        document = tomllib.loads(content.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no TOML, no UTF-8, an endless number
        raise UsageProblem(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    tool = document.get("tool", {})
    table = tool.get("release-state", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise UsageProblem(f"{origin} is not a table")
    known = [setting.key for setting in SETTINGS] + ["channels"]
    for key in table:
        if key not in known:
            raise UsageProblem(f"{origin}: {validate.shown(key)} is not known{validate.nearest(key, known)}")
    project = document.get("project", {})
    name = project.get("name") if isinstance(project, dict) else None
    return table, name if isinstance(name, str) else None, origin


class _Resolver:
    """Takes each setting from the strongest place that has it."""

    def __init__(
        self, arguments: Arguments, environ: Mapping[str, str], table: Mapping[str, Any], table_origin: str
    ) -> None:
        self.arguments, self.environ, self.table, self.table_origin = arguments, environ, table, table_origin

    def all(self, inferred: Mapping[str, Value]) -> dict[str, Value]:
        values = {setting.key: self._one(setting, inferred) for setting in SETTINGS}
        return {key: value for key, value in values.items() if value is not None}

    def _one(self, setting: Setting, inferred: Mapping[str, Value]) -> Value | None:
        if setting.key in self.arguments.settings:
            return Value(self.arguments.settings[setting.key], COMMAND_LINE)
        if (text := self.environ.get(setting.variable)) is not None:
            return Value(text, f"{ENVIRONMENT}{setting.variable}")
        if setting.key in self.table:
            return Value(self._typed(setting, self.table[setting.key]), self.table_origin)
        if setting.key in inferred:
            return inferred[setting.key]
        return Value(setting.default, "default") if setting.default is not None else None

    def _typed(self, setting: Setting, value: object) -> str:
        wanted: tuple[type, str]
        if setting.kind == "list":
            if isinstance(value, list) and all(isinstance(word, str) for word in value):
                return ",".join(value)
            wanted = (list, "a list of texts")
        elif setting.kind == "flag":
            if isinstance(value, bool):
                return str(value).lower()
            wanted = (bool, "true or false")
        elif setting.kind == "seconds":
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return str(value)
            wanted = (float, "a number of seconds")
        else:
            if isinstance(value, str):
                return value
            wanted = (str, "a text")
        raise UsageProblem(f"{self.table_origin}: {setting.key} is {type(value).__name__}, expected {wanted[1]}")


def _inferred(local: LocalRepository | None, environ: Mapping[str, str]) -> dict[str, Value]:
    if local is None or local.remote_url is None:
        return {}
    web = environ.get("GITHUB_SERVER_URL", "https://github.com")
    name = repository_of(local.remote_url, web)
    return {"repository": Value(name, f"remote URL of {local.top}")} if name else {}


def _is_clone_of(local: LocalRepository, repository: str, web: str) -> bool:
    name = repository_of(local.remote_url or "", web)
    return name is not None and name.lower() == repository.lower()


def _github(arguments: Arguments, environ: Mapping[str, str], values: dict[str, Value]) -> tuple[str, str]:
    """GitHub's API and web address: never from a file of the inspected repository, since the token goes there."""
    if arguments.github_api_url is not None:
        api = Value(arguments.github_api_url, "command line")
    elif "GITHUB_API_URL" in environ:
        api = Value(environ["GITHUB_API_URL"], "environment GITHUB_API_URL")
    else:
        api = Value(GITHUB_API, "default")
    web = Value("https://github.com", "default")
    if "GITHUB_SERVER_URL" in environ:
        web = Value(environ["GITHUB_SERVER_URL"], "environment GITHUB_SERVER_URL")
    for name, value in (("github-api-url", api), ("github-server-url", web)):
        if without_credentials(validate.http_url(name, value.text)) != value.text:
            raise UsageProblem(f"{name} {validate.shown(value.text)} held credentials: give a token in GITHUB_TOKEN")
        values[name] = value
    return api.text.rstrip("/"), web.text.rstrip("/")


def _chosen_channels(
    names: Sequence[str], channels: Sequence[Channel], values: dict[str, Value]
) -> tuple[Channel, ...]:
    known = [channel.name for channel in channels]
    wanted = list(names) or [DEFAULT_CHANNEL]
    for name in wanted:
        validate.one_of("--channel", name, [*known, "all"])
    values["channel"] = Value(",".join(wanted), "command line" if names else "default")
    return tuple(channel for channel in channels if "all" in wanted or channel.name in wanted)


def show(config: RunConfig, token_source: str | None) -> list[str]:
    """The lines of `--show-config`: each value and where it came from, without secrets."""
    rows = [(key, Value(without_credentials(value.text), value.origin)) for key, value in config.values.items()]
    target = config.targets[0]
    rows += [
        (f"channels.{channel.name}", Value(without_credentials(channel.index_url), "channel"))
        for channel in target.channels
    ]
    rows.append(("repo", Value(target.clone or "", "no clone is looked at" if not target.clone else "clone")))
    rows.append(("version", Value(", ".join(dict.fromkeys(t.version for t in config.targets)), "command line")))
    rows.append(("phase", Value(config.phase, "command line" if config.phase != "auto" else "default")))
    rows.append(("token", Value("yes" if token_source else "no", token_source or "none found")))
    return [f"{key} = {validate.shown(value.text)}  # {value.origin}" for key, value in sorted(rows)]
