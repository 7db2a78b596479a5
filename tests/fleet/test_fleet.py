"""Many projects in one run: the list, who observes what, the shared rate limit, and the report."""

from __future__ import annotations

import json
import os
import resource
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec import structs

from release_state.audit.fleet.look import Look
from release_state.audit.fleet.pool import Pool
from release_state.audit.fleet.projects import Part, Project, ProjectRow, find_worst, read_projects
from release_state.audit.fleet.report import build_document, describe_verdict, render_page
from release_state.audit.fleet.run import FleetRun
from release_state.audit.fleet.session import FleetController
from release_state.common.errors import UsageProblem
from release_state.demo.loopback import Request
from release_state.model.outcome import Exit
from release_state.observe.http.client import HttpClient, LookupFailed
from release_state.observe.http.limits import SharedLimit
from release_state.run.options import Invocation
from release_state.settings.sources import Arguments
from tests.standins.fleet import Fleet
from tests.standins.services import Reply
from tests.support.cli import ROOT, suite
from tests.support.facts import build
from tests.support.schemas import fleet_schema

CHECKS = ROOT / "checks"
AUDIT = Arguments(audit="all")
WHOLE = '[[project]]\npackage = "orbit"\nrepository = "octo/orbit"\n'


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """Ten projects, of which the fourth lacks a GitHub Release and the eighth a tag."""
    with Fleet(10) as built:
        yield built


@pytest.fixture
def world(fleet: Fleet) -> Iterator[Fleet]:
    """The shared projects, with no request counted yet."""
    fleet.requests.clear()
    fleet.index.requests.clear()
    yield fleet
    fleet.intercept = None


def listed(
    folder: Path, text: str, arguments: Arguments = AUDIT, environ: dict[str, str] | None = None
) -> list[Project]:
    (folder / "fleet.toml").write_text(text, encoding="utf-8")
    return read_projects(folder / "fleet.toml", arguments, environ or {}, folder)


def of_world(world: Fleet, folder: Path, **more: Any) -> list[Project]:
    given = Arguments(
        audit=None if "versions" in more else "all",
        index_urls=(f"pypi={world.index.index_url('pypi')}",),
        github_api_url=world.url,
        **more,
    )
    return listed(folder, world.project_list, given)


def looked_at(
    world: Fleet, found: list[Project], folder: Path, names: list[str] | None = None
) -> dict[str, ProjectRow]:
    """The rows of a run in this process."""
    session = FleetController(
        found,
        partial(Look, CHECKS, folder, world.url, {"GITHUB_TOKEN": world.token}),
        with_workers=False,
        given={},
        block_on_advice=False,
    )
    wanted = [asked for asked in session.asked if names is None or asked.project.name.split()[0] in names]
    try:
        session.pool.start([asked.number for asked in wanted], 4)
        return {row.project: row for row in (asked.row() for asked in wanted)}
    finally:
        session.close()


# ---- the list


def test_a_project_has_what_one_has_in_its_own_configuration(tmp_path: Path) -> None:
    text = (
        '[defaults]\ntag-template = "{version}"\nexpected-files = ["wheel"]\nversion = "1.0"\n'
        + WHOLE
        + '[project.channels.pypi]\nleaves = ["tag"]\n'
        + '[[project]]\npackage = "Moon.Base"\nrepository = "octo/moon"\ntag-template = "m-{version}"\n'
        + 'version = ["2.0", "2.1"]\n'
    )
    orbit, moon = listed(tmp_path, text, Arguments())

    assert (orbit.name, moon.name) == ("orbit (octo/orbit)", "moon-base (octo/moon)")
    assert [target.version for target in orbit.config.targets] == ["1.0"]
    assert [target.version for target in moon.config.targets] == ["2.0", "2.1"]
    first, other = orbit.config.targets[0], moon.config.targets[0]
    assert (first.tag_template, other.tag_template) == ("{version}", "m-{version}")
    assert (first.expected_files, other.expected_files) == (("wheel",), ("wheel",))
    assert (first.channel.leaves, len(other.channel.leaves)) == (("tag",), 3)
    assert first.clone is None, "the folder at hand is none of theirs"


def test_the_command_line_wins_and_the_environment_names_no_project(tmp_path: Path) -> None:
    environ = {"RELEASE_STATE_PACKAGE": "other", "RELEASE_STATE_REPO": "/nowhere", "RELEASE_STATE_WORKFLOW": "out.yml"}
    given = Arguments(versions=("3.0",), settings={"lookup-timeout": "7"})

    (project,) = listed(tmp_path, WHOLE + 'version = "1.0"\n', given, environ)

    target = project.config.targets[0]
    assert (target.package, target.version, target.workflow) == ("orbit", "3.0", "out.yml")
    assert project.config.lookup_timeout == 7


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("", AUDIT, "holds no [[project]]"),
        ("project = 3", AUDIT, "holds no [[project]]"),
        ("x = [", AUDIT, "cannot be read"),
        ("[projects]\n" + WHOLE, AUDIT, "'projects' is not known"),
        ("[[project]]\nrepository = 'octo/orbit'", AUDIT, "project 1 has no package"),
        ("[[project]]\npackage = 'orbit'", AUDIT, "project 1 has no repository"),
        (WHOLE + "packge = 'x'", AUDIT, "'packge' is not known (did you mean package?)"),
        (WHOLE + "reports-dir = 'x'", AUDIT, "'reports-dir' is not known"),
        (WHOLE + "repository = 3", AUDIT, "cannot be read"),
        (WHOLE.replace('"octo/orbit"', "3"), AUDIT, "repository is int"),
        (WHOLE + "tag-template = 'v'", AUDIT, "project 1: --tag-template 'v' must hold {version} once"),
        (WHOLE + "repo = 3", AUDIT, "project 1: repo is int"),
        (WHOLE + "repo = 'nowhere'", AUDIT, "project 1: --repo"),
        (WHOLE, Arguments(), "project 1 has no version"),
        (WHOLE + "version = 3", Arguments(), "project 1: version must be"),
        (WHOLE + "version = 'two'", Arguments(), "project 1: --version 'two' is not a PEP 440 version"),
        (WHOLE + WHOLE, AUDIT, "project 2: 'orbit (octo/orbit)' is listed twice"),
        (WHOLE, Arguments(audit="all", settings={"package": "x"}), "--package cannot be combined with --project-list"),
        (WHOLE, Arguments(audit="all", repo="x"), "--repo cannot be combined with --project-list"),
        (WHOLE, Arguments(audit="all", channels=("nowhere",)), "--channel 'nowhere' is not known"),
    ],
)
def test_a_list_that_is_wrong_is_refused_in_one_line(
    text: str, arguments: Arguments, said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageProblem) as refused:
        listed(tmp_path, text, arguments)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(Arguments(phase="pre-publish"), "--phase pre-publish"), (Arguments(built="."), "--built")],
)
def test_many_projects_are_not_one_run_of_a_tag(arguments: Arguments, said: str, tmp_path: Path) -> None:
    given = Invocation(
        arguments, {}, tmp_path, tmp_path, demo=None, listed=None, files={}, named=(), markers="", narrowed=False,
        workers=0, executes=True,
    )  # fmt: skip
    with pytest.raises(UsageProblem, match=f"{said} cannot be combined with --project-list"):
        FleetRun.refuse(FleetRun.__new__(FleetRun), given)


def test_a_list_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="No such file"):
        read_projects(tmp_path / "fleet.toml", AUDIT, {}, tmp_path)


# ---- observing


def test_the_audit_of_each_project(world: Fleet, tmp_path: Path) -> None:
    rows = looked_at(world, of_world(world, tmp_path), tmp_path)

    verdicts = {name: row.verdict for name, row in rows.items()}
    wrong = {"orbit-004": "ACTION NEEDED", "orbit-008": "ACTION NEEDED"}
    assert verdicts == {name: wrong.get(name, "HISTORY AGREES") for name in world.names}
    assert rows["orbit-004"].findings == ("1 release-missing: published without a GitHub Release",)
    assert rows["orbit-008"].findings[0].startswith("1 tag-missing: ")
    assert rows["orbit-004"].steps[0].commands[0][:4] == ("gh", "release", "create", "v0.2.0")
    own = json.loads((tmp_path / "0004-orbit-004.json").read_text(encoding="utf-8"))
    assert own["verdict"] == "ACTION NEEDED" and (tmp_path / str(rows["orbit-004"].report)).is_file()
    assert len(world.requests) == 4 * len(world.names), "as many as for one, for each"
    assert len(world.index.requests) == len(world.names)


def test_the_code_of_a_projects_own_report_is_the_one_that_decides(world: Fleet, tmp_path: Path) -> None:
    world.intercept = lambda request: Reply(403)
    urls = tuple(f"{name}={world.index.index_url(name)}" for name in ("pypi", "testpypi"))
    asked = Arguments(audit="all", channels=("all",), index_urls=urls, github_api_url=world.url)

    rows = looked_at(world, listed(tmp_path, world.project_list, asked), tmp_path, ["orbit-001"])

    row = rows["orbit-001"]
    assert [part.exit_code for part in row.parts] == [Exit.UNKNOWN, Exit.ACTION_NEEDED], "nothing is on the second one"
    own = json.loads((tmp_path / str(row.report)).with_suffix(".json").read_text(encoding="utf-8"))
    assert (row.exit, own["exit_code"]) == (Exit.ACTION_NEEDED, Exit.ACTION_NEEDED)
    assert sum("could not read GitHub" in line for line in row.parts[0].findings) == 1, "the cause once"


def test_the_gate_of_each_project(world: Fleet, tmp_path: Path) -> None:
    found = of_world(world, tmp_path, versions=("0.2.0",), install=False)

    rows = looked_at(world, found, tmp_path, ["orbit-001", "orbit-008"])

    assert {name: (row.verdict, row.exit) for name, row in rows.items()} == {
        "orbit-001": ("RELEASED AND VERIFIED", Exit.OK),
        "orbit-008": ("ACTION NEEDED", Exit.ACTION_NEEDED),
    }
    (part,) = rows["orbit-008"].parts
    assert part.key == "orbit-008==0.2.0@pypi" and "TAG-11" in part.kinds
    assert any("TAG-11 action needed" in line for line in part.findings)
    assert rows["orbit-008"].steps[0].commands[0][:3] == ("release-state", "--version", "0.2.0")


def test_what_breaks_for_one_project_is_said_of_that_one(world: Fleet, tmp_path: Path) -> None:
    found = of_world(world, tmp_path)

    rows = looked_at(world, found, tmp_path / "missing", ["orbit-001"])

    row = rows["orbit-001"]
    assert row.defect and "FileNotFoundError" in row.defect
    assert (row.exit, row.verdict) == (Exit.DEFECT, "DEFECT OF THE SUITE")


# ---- the rate limit


def test_the_rate_limit_is_shared_and_respected(world: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Answers that an earlier run kept would cost nothing.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = of_world(world, tmp_path)
    now = datetime.now(timezone.utc)
    budget = world.limits.of(world.token, now)
    before, budget.remaining, budget.reset = budget.remaining, 9, now + timedelta(minutes=30)
    try:
        rows = looked_at(world, found, tmp_path)
    finally:
        budget.remaining = before

    refused = [request for request in world.requests if request.status == 403]
    # Those that were under way when the last one was spent: four projects ask up to four things at once.
    assert len(world.requests) <= 9 + 16 and len(refused) <= 16
    exits = [row.exit for row in rows.values()]
    assert Exit.UNKNOWN in exits and find_worst(list(rows.values())) in (Exit.UNKNOWN, Exit.ACTION_NEEDED)
    late = rows["orbit-010"]
    assert late.exit is Exit.UNKNOWN, "what was not asked is unknown"
    assert any("not requested: the rate limit is used up" in line for line in late.findings)
    assert late.retry_at and datetime.fromisoformat(late.retry_at) > now + timedelta(minutes=29)


def test_a_pause_that_github_asks_for_holds_for_everybody(world: Fleet, tmp_path: Path) -> None:
    asked: list[float] = []

    def slow_down(request: Request) -> Reply | None:
        asked.append(time.monotonic())
        body = b'{"message": "You have exceeded a secondary rate limit."}'
        return Reply(429, {"Content-Type": "application/json", "Retry-After": "1"}, body) if len(asked) == 1 else None

    world.intercept = slow_down
    limit = SharedLimit(tmp_path)
    one, other = (
        HttpClient(10, token=world.token, token_host=world.url, shared_limit=limit),
        HttpClient(10, token=world.token, token_host=world.url, shared_limit=SharedLimit(tmp_path)),
    )
    path = f"{world.url}/repos/{world.owner}/orbit-001"

    first = threading.Thread(target=one.get, args=(path,))
    first.start()
    while not (tmp_path / "limit.json").exists():
        time.sleep(0.01)
    other.get(path)
    first.join()

    assert len(asked) == 3
    assert min(asked[1:]) - asked[0] > 0.8, "nobody asks within the pause"


def test_a_limit_is_asked_about_no_other_service(world: Fleet, tmp_path: Path) -> None:
    limit = SharedLimit(tmp_path)
    reset = str(int(time.time()) + 600)
    limit.note_response(200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})
    client = HttpClient(5, token=world.token, token_host=world.url, shared_limit=SharedLimit(tmp_path))

    assert client.get(world.index.index_url("pypi") + "orbit-001/").status == 200
    with pytest.raises(LookupFailed, match="not requested") as refused:
        client.get(f"{world.url}/repos/{world.owner}/orbit-001")
    assert refused.value.problem.retry_at and world.requests == []


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "99999999999"}),
        (200, {"X-RateLimit-Remaining": "0"}),
        (200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "5"}),
        (200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}),
        (503, {"Retry-After": "60"}),
        (429, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}),
    ],
)
def test_what_is_no_limit_stands_in_nobodys_way(status: int, headers: dict[str, str], tmp_path: Path) -> None:
    limit = SharedLimit(tmp_path)
    limit.note_response(status, headers)
    assert limit.until() is None


# ---- who observes what


def row_of(number: int, **changes: Any) -> ProjectRow:
    part = Part(key=f"p{number}@pypi", verdict="HISTORY AGREES", exit_code=0, summary="1 versions: 1 holds")
    values: dict[str, Any] = {"project": f"p{number}", "repository": f"o/p{number}", "parts": (part,), **changes}
    return build(ProjectRow, **values)


def test_each_project_is_observed_by_one_thread_of_one_process(tmp_path: Path) -> None:
    seen: list[int] = []

    def look(number: int) -> ProjectRow:
        seen.append(number)
        time.sleep(0.002)
        return row_of(number)

    pools = [Pool(tmp_path, look, threading.Event()) for _ in range(3)]
    for pool in pools:
        pool.start(range(30), 4)

    assert [pools[2].wait(number).project for number in range(30)] == [f"p{number}" for number in range(30)]
    assert sorted(seen) == list(range(30))


def test_whoever_waits_learns_that_the_observing_process_ended(tmp_path: Path) -> None:
    (tmp_path / "3.claim").touch()  # its lock went with its process

    with pytest.raises(RuntimeError, match="the process that observed the project has ended"):
        Pool(tmp_path, row_of, threading.Event()).wait(3)
    with pytest.raises(RuntimeError, match="the run has ended"):
        Pool(tmp_path / "gone", row_of, threading.Event()).wait(3)


def test_what_finds_no_room_is_known_where_it_was_observed_and_nobody_waits_for_it(tmp_path: Path) -> None:
    pool = Pool(tmp_path, row_of, threading.Event())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, before[1]))
    try:
        pool._work(range(3))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert [pool.wait(number).project for number in range(3)] == ["p0", "p1", "p2"]
    with pytest.raises(RuntimeError, match="no room for what it saw: free space"):
        Pool(tmp_path, row_of, threading.Event()).wait(1)


def test_a_cancelled_run_claims_nothing_more(tmp_path: Path) -> None:
    over = threading.Event()
    over.set()

    Pool(tmp_path, row_of, over)._work(range(5))

    assert list(tmp_path.iterdir()) == []


# ---- as a person runs it


def run(world: Fleet, folder: Path, *arguments: str) -> tuple[int, str, Any]:
    (folder / "fleet.toml").write_text(world.project_list, encoding="utf-8")
    where = ("--index-url", f"pypi={world.index.index_url('pypi')}", "--github-api-url", world.url)
    done = suite(
        *("--project-list", str(folder / "fleet.toml"), *where, *arguments),
        env={"GITHUB_TOKEN": world.token},
        reports_dir=folder / "reports",
        timeout=120,
    )
    latest = folder / "reports" / "latest-fleet.json"
    return (
        done.returncode,
        done.stdout + done.stderr,
        json.loads(latest.read_text(encoding="utf-8")) if latest.is_file() else None,
    )


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["serial", "n2"])
def test_one_row_a_project(workers: tuple[str, ...], world: Fleet, tmp_path: Path) -> None:
    code, output, report = run(world, tmp_path, "--version", "all", *workers)

    assert (code, report["verdict"]) == (1, "ACTION NEEDED: 2 of 10 projects"), output
    Draft202012Validator(fleet_schema()).validate(report)
    assert [row["project"] for row in report["projects"]] == world.names
    assert "ACTION NEEDED: orbit-004 (example-org/orbit-004)" in output
    assert output.splitlines()[-3:-1] == ["ACTION NEEDED: 2 of 10 projects", "exit code 1: action needed"]
    assert output.splitlines()[-1].startswith(f"report: {tmp_path / 'reports'}/fleet-10-projects-")
    assert len(world.requests) == 4 * len(world.names), "the same for every number of workers"
    assert all(row["observed_by"] not in (0, os.getpid()) for row in report["projects"])
    reports = tmp_path / "reports"
    assert len(list((reports / report["reports"]).glob("*.html"))) == len(world.names)
    assert (reports / "latest-fleet.html").is_file() and not (reports / "latest.json").exists()


def test_a_part_of_the_list_is_partial_and_alone_is_observed(world: Fleet, tmp_path: Path) -> None:
    code, output, report = run(world, tmp_path, "--version", "all", "-k", "orbit-001 or orbit-002")

    assert code == 6, output
    assert output.splitlines()[-3:-1] == ["PARTIAL 2 of 10", "exit code 6: could not verify"] and report is None
    assert len(world.requests) == 8


# ---- the report


def test_the_verdict_over_all() -> None:
    part = row_of(0).parts[0]
    red = row_of(2, parts=(structs.replace(part, verdict="ACTION NEEDED", exit_code=1),))
    ready = row_of(3, parts=(structs.replace(part, verdict="READY TO RELEASE"),))

    assert describe_verdict([row_of(1), row_of(2)], 2) == "HISTORY AGREES: 2 of 2 projects"
    assert describe_verdict([row_of(1), ready], 2) == "EVERY PROJECT HOLDS: 2 of 2 projects"
    assert describe_verdict([row_of(1), red], 2) == "ACTION NEEDED: 1 of 2 projects"
    assert describe_verdict([row_of(1)], 2) == "PARTIAL 1 of 2"
    assert describe_verdict([row_of(1, defect="x"), red], 2) == "DEFECT OF THE SUITE: 1 of 2 projects"
    assert find_worst([]) is Exit.NOTHING_CHECKED


def test_remote_text_is_harmless_in_the_report() -> None:
    nasty = "<script>alert(1)</script>\u202e"
    part = structs.replace(row_of(0).parts[0], findings=(nasty,), exit_code=1, verdict="ACTION NEEDED")
    now = datetime(2026, 1, 2, tzinfo=timezone.utc)

    text = render_page([row_of(1, parts=(part,), repository=nasty)], 1, 1, now, "folder")

    assert text.count("<script>") == 1 and "\u202e" not in text
    assert build_document([row_of(1, parts=(part,))], 1, 1, now, "folder").isascii()
