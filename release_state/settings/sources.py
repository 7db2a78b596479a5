"""Where settings come from: command line, environment, file, repository; each value with its origin."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from release_state.common.errors import UsageProblem
from release_state.common.strict import decode_toml
from release_state.settings import validate
from release_state.settings.options import SETTINGS, Setting

COMMAND_LINE, ENVIRONMENT = "command line", "environment "
"""Beginnings of the origin of values that the user gave."""
_LARGEST_FILE = 2**20
"""Longest pyproject.toml that is read, in bytes."""


class Arguments(Struct, frozen=True):
    """The command line; `settings` by key, as typed."""

    versions: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    phase: str = "auto"
    repo: str | None = None
    built: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    index_urls: tuple[str, ...] = ()
    """`CHANNEL=URL`."""
    leaves: tuple[str, ...] = ()
    """`CHANNEL=TRACES`."""
    environments: tuple[str, ...] = ()
    """`CHANNEL=NAME`."""
    dependencies_index_urls: tuple[str, ...] = ()
    """`CHANNEL=URL`."""
    github_api_url: str | None = None
    github_server_url: str | None = None
    install: bool = True
    install_sdists: bool = False
    block_on_advice: bool = False
    plan: str = "auto"
    wait: str = "0"
    """Seconds."""
    checks: tuple[str, ...] = ()
    """Places with checks of one's own: paths, or `package:NAME`."""
    audit: str | None = None
    """"all" or a PEP 440 specifier: the audit covers these versions of the history, instead of `versions`."""


class LocalRepository(Struct, frozen=True):
    """A git repository on this machine: its top folder, and the URL of its remote (None: no such remote)."""

    top: Path
    remote_url: str | None
    is_rewritten: bool = False
    """Whether a setting of git (`insteadOf`) may have made the URL."""


FindRepository = Callable[[Path, str], LocalRepository | None]
"""Finds the repository at or above a folder, with the remote of this name; raises UsageProblem if it is unreadable."""


class Value(Struct, frozen=True):
    """A setting's value and its origin."""

    text: str
    origin: str

    @property
    def is_given(self) -> bool:
        """Whether the user gave it, on the command line or in the environment."""
        return self.origin == COMMAND_LINE or self.origin.startswith(ENVIRONMENT)


def find_given(typed: str | None, environ: Mapping[str, str], variable: str) -> Value | None:
    """The value that the user gave: on the command line, else in the environment; None: neither."""
    if typed is not None:
        return Value(typed, COMMAND_LINE)
    return Value(environ[variable], f"{ENVIRONMENT}{variable}") if variable in environ else None


def local_repository(
    repo: str | None, remote: str | None, environ: Mapping[str, str], cwd: Path, find_repository: FindRepository
) -> LocalRepository | None:
    """The repository at `--repo`, else at or above the current folder, None if there is none; raises UsageProblem."""
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


def find_built(arguments: Arguments, environ: Mapping[str, str], cwd: Path) -> Value | None:
    """The folder of `--built`, as an absolute path, and who named it; None: nobody. Raises UsageProblem.

    No file can name it: the inspected repository would choose a folder of this machine.
    """
    if (value := find_given(arguments.built, environ, "RELEASE_STATE_BUILT")) is None:
        return None
    if not value.text or "\0" in value.text or not os.path.isdir(cwd / value.text):  # noqa: PTH112 - raises for no name at all
        raise UsageProblem(f"--built {validate.shown(value.text)} is not a folder")
    return Value(str((cwd / value.text).absolute()), value.origin)


def read_toml(path: Path, most_bytes: int) -> dict[str, Any] | None:
    """The document in a file; None if the file is longer. Raises OSError or ValueError."""
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    return decode_toml(content.decode("utf-8")) if len(content) <= most_bytes else None


def refuse_unknown(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    """Raise UsageProblem for a key that is not known."""
    for key in table:
        if key not in known:
            raise UsageProblem(f"{where}: {validate.shown(key)} is not known{validate.nearest(key, known)}")


def table(folder: Path) -> tuple[dict[str, Any], str]:
    """The `[tool.release-state]` table of a folder's `pyproject.toml`, and the table's origin."""
    path = folder / "pyproject.toml"
    origin = f"[tool.release-state] of {path}"
    if not path.is_file():
        return {}, origin
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UsageProblem(f"{path} is a link that leads out of {folder}: it is not read")
    try:
        document = read_toml(path, _LARGEST_FILE)
    except (OSError, ValueError) as error:
        raise UsageProblem(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    if document is None:
        raise UsageProblem(f"{path} is larger than {_LARGEST_FILE >> 10} KiB: it is not read")
    tool = document.get("tool", {})
    table = tool.get("release-state", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise UsageProblem(f"{origin} is not a table")
    refuse_unknown(table, [*(setting.key for setting in SETTINGS), "channels", "waiver"], origin)
    return table, origin


def resolve(
    arguments: Arguments,
    environ: Mapping[str, str],
    table: Mapping[str, Any],
    table_origin: str,
    inferred: Mapping[str, Value] | None = None,
) -> dict[str, Value]:
    """All settings that have a value, each from its strongest source; `inferred` values only where nobody wrote one.

    Raises UsageProblem on a value of the wrong type.
    """
    values: dict[str, Value] = {}
    for setting in SETTINGS:
        key = setting.key
        if given := find_given(arguments.settings.get(key), environ, setting.variable):
            values[key] = given
        elif key in table:
            values[key] = Value(_read_typed(setting, table[key], table_origin), table_origin)
        elif inferred and key in inferred:
            values[key] = inferred[key]
        elif setting.default is not None:
            values[key] = Value(setting.default, "default")
    return values


def _read_typed(setting: Setting, value: object, origin: str) -> str:
    """The value in a file as it would be typed."""
    kind = setting.kind
    if kind == "list" and isinstance(value, list) and all(isinstance(word, str) for word in value):
        return ",".join(value)
    if kind == "flag" and isinstance(value, bool):
        return str(value).lower()
    if kind in ("seconds", "mebibytes") and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if kind == "text" and isinstance(value, str):
        return value
    expected = {"list": "a list of texts", "flag": "true or false", "text": "a text"}.get(kind, f"a number of {kind}")
    raise UsageProblem(f"{origin}: {setting.key} is {type(value).__name__}, expected {expected}")


ALL = "all"


class Selection(Struct, frozen=True):
    """The versions to judge; `text` is shown to the user."""

    text: str
    specifiers: SpecifierSet

    def __contains__(self, version: Version) -> bool:
        # Pre-releases are part of a history even if the specifier names none.
        return self.specifiers.contains(version, prereleases=True)


def selection(text: str) -> Selection:
    """Parse a selection; raises UsageProblem on anything but "all" or a specifier."""
    if text == ALL:
        return Selection(ALL, SpecifierSet())
    try:
        return Selection(text, SpecifierSet(text))
    except InvalidSpecifier:
        raise UsageProblem(
            f"--version {validate.shown(text)} is neither a version, nor all, nor a PEP 440 specifier like '>=2,<3'"
        ) from None


def audited(versions: Sequence[str]) -> str | None:
    """The selection of an audit among the values of `--version`, None for single versions; raises UsageProblem."""
    # Every specifier holds one of these characters, and no version does.
    wide = [text for text in versions if text.strip() == ALL or set(text) & set("<>=~,*") or text.startswith("!")]
    if not wide:
        return None
    if len(versions) > 1:
        others = ", ".join(validate.shown(text) for text in versions)
        raise UsageProblem(f"--version {others}: an audit takes one --version, join specifiers with a comma: '>=2,<3'")
    return selection(wide[0].strip()).text
