"""Where settings come from: command line, environment, file, repository; each value with its origin."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from release_state.common.errors import UsageProblem
from release_state.common.strict import decode_toml
from release_state.settings import validate
from release_state.settings.options import SETTINGS, Setting

COMMAND_LINE, ENVIRONMENT = "command line", "environment "
"""Beginnings of the origin of values that the user gave."""
_LARGEST_FILE = 2**20
"""Longest pyproject.toml that is read, in bytes."""


@dataclass(frozen=True)
class Arguments:
    """The command line; `settings` by key, as typed."""

    versions: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    phase: str = "auto"
    repo: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    index_urls: tuple[str, ...] = ()
    """`CHANNEL=URL`."""
    github_api_url: str | None = None
    github_server_url: str | None = None
    install: bool = True
    install_sdists: bool = False
    block_on_advice: bool = False
    plan: str = "auto"
    wait: str = "0"
    """Seconds."""
    audit: str | None = None
    """"all" or a PEP 440 specifier: the audit covers these versions of the history, instead of `versions`."""


@dataclass(frozen=True)
class LocalRepository:
    """A git repository on this machine: its top folder, and the URL of its remote (None: no such remote)."""

    top: Path
    remote_url: str | None


FindRepository = Callable[[Path, str], LocalRepository | None]
"""Finds the repository at or above a folder, with the remote of this name; raises UsageProblem if it is unreadable."""


@dataclass(frozen=True)
class Value:
    """A setting's value and its origin."""

    text: str
    origin: str

    @property
    def is_given(self) -> bool:
        """Whether the user gave it, on the command line or in the environment."""
        return self.origin == COMMAND_LINE or self.origin.startswith(ENVIRONMENT)


def reports_folder(value: Value, cwd: Path) -> Path:
    """The reports folder; only the user may choose one outside of the current folder, a file in it may not."""
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


def configured_reports_dir(
    given: str | None, environ: Mapping[str, str], cwd: Path, find_repository: FindRepository
) -> Path:
    """The reports folder of a run in this folder; `given` is the command line's value.

    Raises UsageProblem.
    """
    arguments = Arguments(settings={} if given is None else {"reports-dir": given})
    local = local_repository(None, None, environ, cwd, find_repository)
    written, _, origin = table(local.top if local else cwd)
    return reports_folder(Resolver(arguments, environ, written, origin).all({})["reports-dir"], cwd)


def local_repository(
    repo: str | None, remote: str | None, environ: Mapping[str, str], cwd: Path, find_repository: FindRepository
) -> LocalRepository | None:
    """The repository at `--repo`, else at or above the current folder; None if there is none.

    Raises UsageProblem.
    """
    path = repo if repo is not None else environ.get("RELEASE_STATE_REPO")
    asked = path is not None
    folder = (cwd / path).absolute() if path else cwd
    if asked and (not path or "\0" in path or not os.path.isdir(folder)):  # noqa: PTH112 - raises for no name at all
        raise UsageProblem(f"--repo {validate.shown(path or '')} is not a folder")
    remote = validate.ref_name("--remote", remote or environ.get("RELEASE_STATE_REMOTE") or "origin")
    found = find_repository(folder, remote)
    if asked and found is None:
        raise UsageProblem(f"--repo {validate.shown(path or '')} is not a git repository")
    return found


def table(folder: Path) -> tuple[dict[str, Any], str | None, str]:
    """The `[tool.release-state]` table of a folder's `pyproject.toml`, the project's name, and the table's origin.

    Raises UsageProblem.
    """
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
        document = decode_toml(content.decode("utf-8"))
    except (OSError, ValueError) as error:
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


class Resolver:
    """Takes each setting from its strongest source."""

    def __init__(
        self, arguments: Arguments, environ: Mapping[str, str], table: Mapping[str, Any], table_origin: str
    ) -> None:
        self.arguments, self.environ, self.table, self.table_origin = arguments, environ, table, table_origin

    def all(self, inferred: Mapping[str, Value]) -> dict[str, Value]:
        """All settings that have a value; `inferred` values are used only where nobody wrote one.

        Raises UsageProblem on a value of the wrong type.
        """
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
        elif setting.kind in ("seconds", "mebibytes"):
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return str(value)
            wanted = (float, f"a number of {setting.kind}")
        else:
            if isinstance(value, str):
                return value
            wanted = (str, "a text")
        raise UsageProblem(f"{self.table_origin}: {setting.key} is {type(value).__name__}, expected {wanted[1]}")
