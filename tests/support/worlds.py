"""Runs of the suite against a world that the test holds, so that what was asked of it can be looked at afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from urllib.parse import urlencode

from jsonschema import Draft202012Validator

import release_state
from release_state.demo.scenarios import SCENARIOS
from tests.standins.world import World
from tests.support.built import built
from tests.support.cli import suite

CHANNELS = ("pypi", "testpypi")


@contextmanager
def world_of(scenario: str) -> Iterator[World]:
    """A world in the state of a scenario."""
    with built(scenario, SCENARIOS[scenario].build) as world:
        yield world


def options(world: World) -> list[str]:
    """The options that send a run to a world, but for the version."""
    indexes = [word for name in CHANNELS for word in ("--index-url", f"{name}={world.index_url(name)}")]
    return [
        *("--repo", str(world.clone), "--remote-url", world.remote_url, *indexes),
        *("--github-api-url", world.github.url, "--package", world.package, "--repository", world.repository),
        *("--github-status-url", world.status.page_url("github"), "--index-status-url", world.status.page_url("pypi")),
    ]


def variables(world: World) -> dict[str, str]:
    """The environment that sends a run to a world: for a command line that is to stay as it is."""
    return {
        "RELEASE_STATE_REPO": str(world.clone),
        "RELEASE_STATE_REMOTE_URL": world.remote_url,
        "RELEASE_STATE_INDEX_URL_PYPI": world.index_url("pypi"),
        "RELEASE_STATE_INDEX_URL_TESTPYPI": world.index_url("testpypi"),
        "RELEASE_STATE_PACKAGE": world.package,
        "RELEASE_STATE_REPOSITORY": world.repository,
        "GITHUB_API_URL": world.github.url,
        "GITHUB_TOKEN": world.token,
        "RELEASE_STATE_GITHUB_STATUS_URL": world.status.page_url("github"),
        "RELEASE_STATE_INDEX_STATUS_URL": world.status.page_url("pypi"),
    }


@dataclass(frozen=True)
class Ran:
    """A run that has ended: its exit code, its terminal, its report (None: it wrote none), and where that is."""

    code: int
    output: str
    document: Any
    json: Path | None
    reports: Path

    @property
    def verdict(self) -> str | None:
        """The verdict of the report."""
        return None if self.document is None else str(self.document["verdict"])

    @property
    def page(self) -> str:
        """The file name of the HTML report."""
        return str(self.document["run"]["html"])

    @property
    def outcomes(self) -> dict[str, dict[str, str]]:
        """The outcome of each check by its ID, by target."""
        return {
            target["key"]: {result["id"]: result["outcome"] for result in target["checks"]}
            for target in self.document["targets"]
        }

    @property
    def only(self) -> dict[str, str]:
        """The outcomes of a run of one target."""
        (outcomes,) = self.outcomes.values()
        return outcomes


def own_reports(folder: Path) -> list[Path]:
    """The JSON reports of a folder, but for `latest`, the oldest first."""
    return sorted(path for path in folder.glob("*.json") if not path.name.startswith("latest"))


@cache
def report_schema() -> Draft202012Validator:
    """The schema that is shipped, which every report of every run in the tests is held against."""
    path = Path(release_state.__file__).parent / "report" / "schemas" / "report.schema.json"
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def _assert_closing(done: CompletedProcess[str], verdict: str, reports: Path) -> None:
    """The last three lines of every run are its verdict, its exit code and its report; annotations are none."""
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith("::")]
    words, code, report = lines[-3:]
    assert verdict in words or words == "NO VERDICT", lines[-5:]
    assert code.startswith(f"exit code {done.returncode}: "), lines[-5:]
    assert report.startswith("report: ") and (reports.name in report or report == "report: none"), lines[-5:]


def ended(done: CompletedProcess[str], reports: Path, before: tuple[Path, ...] = ()) -> Ran:
    """What a process that has ended left: exactly one new report, or none."""
    new = [path for path in own_reports(reports) if path not in before]
    assert len(new) < 2, new
    text = new[0].read_text(encoding="utf-8") if new else ""
    document = json.loads(text) if text else None
    if document is not None:
        _assert_closing(done, str(document["verdict"]), reports)
        assert text.isascii()
        if "release_state_audit" not in document:
            report_schema().validate(document)
    return Ran(done.returncode, done.stdout + done.stderr, document, new[0] if new else None, reports)


def run(
    world: World,
    *args: str,
    reports: Path,
    version: str | None = "0.2.0",
    env: Mapping[str, str] | None = None,
    first: tuple[str, ...] = ("checks/",),
    timeout: float = 90,
) -> Ran:
    """Run the suite on a world, with its token."""
    before = tuple(own_reports(reports))
    what = ("--version", version) if version else ()
    environment = {"GITHUB_TOKEN": world.token, **(env or {})}
    done = suite(*what, *options(world), *args, env=environment, reports_dir=reports, first=first, timeout=timeout)
    return ended(done, reports, before)


def forget_requests(world: World) -> None:
    """Begin to count anew."""
    world.github.requests.clear()
    world.index.requests.clear()
    world.status.requests.clear()


def asked_github(world: World) -> list[tuple[str, str]]:
    """Method and path of each request that GitHub got, sorted: they come side by side, in any order."""
    asked, parent = [], world.remote_git.rev("main^")
    for request in world.github.requests:
        query = f"?{urlencode(request.query, safe='/:')}" if request.query else ""
        path = (request.path + query).replace(world.main(), "{main}").replace(parent, "{parent}")
        asked.append((request.method, path.replace(f"/repos/{world.repository}", "{repository}")))
    return sorted(asked)


def asked_status(world: World) -> list[tuple[str, str]]:
    """Method and path of each request that the status pages got, sorted; none of them came with a token."""
    assert not any(request.authorization for request in world.status.requests)
    return sorted((request.method, request.path) for request in world.status.requests)


def asked_index(world: World) -> list[tuple[str, str, str]]:
    """Who asked, method and path of each request that the indexes got, sorted."""
    agents = {name: request.headers.get("user-agent", "") for name, request in enumerate(world.index.requests)}
    return sorted(
        (agents[number].partition("/")[0], request.method, request.path)
        for number, request in enumerate(world.index.requests)
    )


def fingerprint(folder: Path) -> dict[str, tuple[object, ...]]:
    """Everything below a folder: kind, rights, time of change and content; of a link where it points."""
    found: dict[str, tuple[object, ...]] = {}
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(where, name)
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                content = str(path.readlink())
            else:
                content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(status.st_mode) else ""
            found[str(path.relative_to(folder))] = (status.st_mode, status.st_mtime_ns, content)
    return found
