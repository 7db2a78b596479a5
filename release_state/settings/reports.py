"""The reports folder: where a run writes, and where later runs and `history` read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import platformdirs

from release_state.common.addresses import parse_host
from release_state.common.errors import UsageProblem
from release_state.model.target import parse_repository
from release_state.settings import validate
from release_state.settings.channels import GITHUB_WEB
from release_state.settings.servers import find_servers
from release_state.settings.sources import Arguments, FindRepository, Value, local_repository, resolve, table

KEY = "reports-dir"
_CHECKOUT = Path(__file__).resolve().parents[2]
"""The checkout of this suite, if it runs from one."""


def find_reports_folder(
    values: Mapping[str, Value], cwd: Path, environ: Mapping[str, str], web: str = "", repository: str = ""
) -> Path:
    """The reports folder of a run: as configured, else one that belongs to no project's files.

    Without a repository it is the folder above those of all projects. Raises UsageProblem.
    """
    if value := values.get(KEY):
        return _configured(value, cwd)
    if cwd.resolve().is_relative_to(_CHECKOUT) and (_CHECKOUT / "reports" / "README.md").is_file():
        return _CHECKOUT / "reports"
    runner = environ.get("RUNNER_TEMP", "") if environ.get("GITHUB_ACTIONS") == "true" else ""
    if Path(runner).is_absolute():
        return Path(runner) / "release-state"
    folder = Path(platformdirs.user_state_dir("release-state")) / "reports"
    if not folder.is_absolute():
        raise UsageProblem("no folder for reports: there is no home folder; give one with --reports-dir")
    server = parse_host(web).replace(":", "-") if repository and web != GITHUB_WEB else ""
    return folder / server / repository.lower()


def _configured(value: Value, cwd: Path) -> Path:
    """The folder; only the user may choose one outside of the current folder, a file in it may not."""
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


def find_earlier_reports(
    given: Mapping[str, str],
    environ: Mapping[str, str],
    cwd: Path,
    find_repository: FindRepository,
    repo: str | None = None,
) -> Path:
    """The reports folder of the runs in this folder, or in the clone `repo`. Raises UsageProblem.

    `given` are settings of the command line.
    """
    arguments = Arguments(settings=given)
    local = local_repository(repo, None, environ, cwd, find_repository)
    written, origin = table(local.top if local else cwd)
    values = resolve(arguments, environ, written, origin)
    web = find_servers(arguments, environ)["github-server-url"].text.rstrip("/")
    named = parse_repository(local.remote_url or "", web) if local else None
    repository = values["repository"].text if "repository" in values else named
    if KEY not in values and not repository:
        raise UsageProblem("no repository: run it in a clone, or give --repository owner/name or --reports-dir")
    return find_reports_folder(values, cwd, environ, web, validate.repository(repository) if repository else "")
