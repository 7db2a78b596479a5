"""The list of projects, a TOML file with the settings of each; and the row that a run makes of each project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field, structs

from release_state.common.errors import UsageProblem
from release_state.model.observation import Model
from release_state.model.outcome import Exit
from release_state.model.plan import Step
from release_state.observe.git.reader import find_repository
from release_state.settings import validate
from release_state.settings.config import Arguments, RunConfig, load
from release_state.settings.options import SETTINGS
from release_state.settings.sources import read_toml, refuse_unknown

OF_A_PROJECT = ("package", "repository", "remote-url")
"""Settings that name one project: only the file may give them."""
OF_THE_RUN = ("reports-dir", "lookup-timeout", "install-timeout", "install-size")
"""Settings of the whole run: the file may not give them."""
LARGEST = 4 * 2**20
MOST = 10_000


class Project(Struct, frozen=True):
    """One project of the list."""

    name: str
    """Package and repository, `orbit (example-org/orbit)`; unique in the list."""
    config: RunConfig


def read_projects(path: Path, arguments: Arguments, environ: Mapping[str, str], cwd: Path) -> list[Project]:
    """The projects of a file, each with its configuration; contacts no service.

    `[[project]]` has `package` and `repository`, `version` (a text or a list) where the command line gives none, `repo`
    (path of a clone, relative to the file), `channels`, and any other setting; `[defaults]` has settings for all. The
    command line overrides a project, and a project overrides the defaults. Raises UsageProblem.
    """
    origin = f"--project-list {path}"
    for key in (*OF_A_PROJECT, "repo"):
        if key in arguments.settings or (key == "repo" and arguments.repo is not None):
            raise UsageProblem(f"--{key} cannot be combined with --project-list: each project has its own")
    document = _read(path, origin)
    known = [setting.key for setting in SETTINGS if setting.key not in OF_THE_RUN]
    defaults = _table(document.get("defaults", {}), [*known, "channels", "version"], f"{origin}: [defaults]")
    listed = document.get("project")
    if not isinstance(listed, list) or not listed:
        raise UsageProblem(f"{origin} holds no [[project]]")
    if len(listed) > MOST:
        raise UsageProblem(f"{origin} holds {len(listed)} projects; {MOST} at most")
    inherited = {
        name: value
        for name, value in environ.items()
        if name not in ("RELEASE_STATE_REPO", *(s.variable for s in SETTINGS if s.key in OF_A_PROJECT))
    }
    found: dict[str, Project] = {}
    for number, entry in enumerate(listed, 1):
        where = f"{origin}: project {number}"
        table = {**defaults, **_table(entry, [*known, "channels", "version", "repo"], where)}
        for key in ("package", "repository"):
            if key not in table:
                raise UsageProblem(f"{where} has no {key}")
        project = _project(table, where, arguments, inherited, cwd, path.parent)
        if project.name in found:
            raise UsageProblem(f"{where}: {validate.shown(project.name)} is listed twice")
        found[project.name] = project
    return list(found.values())


def _project(
    table: dict[str, Any], where: str, arguments: Arguments, environ: Mapping[str, str], cwd: Path, folder: Path
) -> Project:
    versions, repo = table.pop("version", ()), table.pop("repo", None)
    versions = (versions,) if isinstance(versions, str) else versions
    if not isinstance(versions, (list, tuple)) or not all(isinstance(text, str) for text in versions):
        raise UsageProblem(f"{where}: version must be a string or a list of strings")
    if not (repo is None or isinstance(repo, str)):
        raise UsageProblem(f"{where}: repo is {type(repo).__name__}, expected a string")
    if not arguments.versions and not arguments.audit:
        if not versions:
            raise UsageProblem(f"{where} has no version; add one, or give --version, or --version all for an audit")
        arguments = structs.replace(arguments, versions=tuple(versions))
    given = structs.replace(arguments, repo=str(folder / repo) if repo is not None else None)
    try:
        config = load(given, environ, cwd, find_repository, (table, where))
    except UsageProblem as problem:
        text = str(problem)
        raise UsageProblem(text if text.startswith(where) else f"{where}: {text}") from None
    target = config.targets[0]
    return Project(f"{target.name} ({target.repository})", config)


def _read(path: Path, origin: str) -> dict[str, Any]:
    try:
        document = read_toml(path, LARGEST)
    except OSError as error:
        raise UsageProblem(f"{origin}: {error.strerror}") from None
    except ValueError as error:
        raise UsageProblem(f"{origin} cannot be read: {' '.join(str(error).split())}") from None
    if document is None:
        raise UsageProblem(f"{origin} is larger than {LARGEST >> 20} MiB")
    for key in document:
        if key not in ("project", "defaults"):
            raise UsageProblem(f"{origin}: {validate.shown(key)} is not known; known: [[project]], [defaults]")
    return document


def _table(table: object, known: list[str], where: str) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise UsageProblem(f"{where} is not a table")
    refuse_unknown(table, known, where)
    return table


class Part(Model):
    """One audit or one gate of the project: a channel's history, or a version on a channel."""

    key: str
    """`package@channel`, or `package==version@channel`."""
    verdict: str
    exit_code: int
    summary: str
    """What was checked, in a line: "2160 versions: 2101 holds, 59 action needed"."""
    findings: tuple[str, ...] = ()
    """The findings, a line each. May contain remote text: escape it for display."""
    kinds: tuple[str, ...] = ()
    """IDs of checks or kinds of disagreement, to filter by."""
    steps: tuple[Step, ...] = ()
    """The next steps; the whole plan of a version is in its own report."""
    retry_at: str | None = None


class ProjectRow(Model):
    """The result of one project."""

    project: str
    repository: str
    parts: tuple[Part, ...] = ()
    seconds: float = 0.0
    """How long it took to observe and judge it."""
    observed_by: int = 0
    """The process ID."""
    report: str | None = None
    """File name of the project's own report, in the folder beside the summary."""
    defect: str | None = None
    """A bug of the suite, which says nothing about the project; `parts` holds what was still judged."""
    tracebacks: dict[str, str] = field(default_factory=dict)
    """The tracebacks of the bug and where it happened, for the terminal only."""

    @property
    def exit(self) -> Exit:
        """The exit code of a run of this project alone."""
        return Exit.DEFECT if self.defect else Exit.worst([Exit(part.exit_code) for part in self.parts])

    @property
    def verdict(self) -> str:
        """The verdict that decides."""
        if self.defect:
            return "DEFECT OF THE SUITE"
        return next((part.verdict for part in self.parts if part.exit_code == self.exit), "NOTHING CHECKED")

    @property
    def findings(self) -> tuple[str, ...]:
        """The findings of all parts."""
        return ((self.defect,) if self.defect else ()) + tuple(line for part in self.parts for line in part.findings)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of all parts."""
        return tuple(step for part in self.parts for step in part.steps)

    @property
    def retry_at(self) -> str | None:
        """When all that is unknown can be retried; None if no service said so."""
        return max((part.retry_at for part in self.parts if part.retry_at), default=None)


def find_worst(rows: Sequence[ProjectRow]) -> Exit:
    """The exit code of a run over these projects."""
    return Exit.worst([row.exit for row in rows])
