"""The audit as a person runs it: processes of their own against a world; and what it asks of the services."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from msgspec import convert, structs

from release_state.audit.audit import Audit
from release_state.audit.collect import collect_history
from release_state.audit.report.history import describe_habits, describe_notes, draw_picture
from release_state.audit.report.page import render_page
from release_state.audit.versions import AuditSnapshot
from release_state.demo.loopback import Request
from release_state.model.observation import known
from release_state.model.outcome import Exit, Outcome
from release_state.model.snapshot import Tag
from release_state.observe.git.clone import observe_clone_tags
from release_state.observe.git.reader import find_repository
from release_state.observe.github.github import GitHub
from release_state.observe.http.client import HttpClient
from release_state.report.page.templates import render_macro
from release_state.settings.config import load
from release_state.settings.sources import Arguments
from tests.standins.services import Reply
from tests.standins.world import World
from tests.support.histories import day, history, index, indexed, released, tagged, verdict_of
from tests.support.schemas import audit_schema
from tests.support.states import failed, remote, target
from tests.support.worlds import Ran, asked_github, asked_index, forget_requests, run

FIRST_PAGE = "per_page=100"
GITHUB = sorted(
    [
        ("GET", "{repository}"),
        ("GET", f"{{repository}}/releases?{FIRST_PAGE}"),  # published ones and drafts, of every version
        ("GET", "{repository}/releases/latest"),
        ("GET", f"{{repository}}/pulls?{FIRST_PAGE}&state=open"),  # release pull requests among them
        ("GET", "{repository}/actions/workflows/release.yml/runs?per_page=30&exclude_pull_requests=true"),
    ]
)
INDEX = [
    ("release-state", "GET", "/pypi/pypi/orbit-demo/0.4.0/json"),  # tagged, and newer than all that is listed
    ("release-state", "GET", "/pypi/simple/orbit-demo/"),
]


@pytest.fixture(scope="module")
def messy() -> Iterator[World]:
    """0.1.0 and 0.2.0 are whole, 0.3.0 has no GitHub Release, 0.4.0 is only tagged, 0.5.0 only a branch."""
    with World() as world:
        world.release("pypi", "0.2.0")
        world.release("pypi", "0.3.0", until="pull")
        world.tag("0.4.0", world.main())
        world.push_release_branch("pypi", "0.5.0")
        world.sync_clone()
        yield world


@pytest.fixture
def world(messy: World) -> World:
    forget_requests(messy)
    return messy


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return tmp_path / "reports"


def audit(world: World, reports: Path, *arguments: str, version: str = "all", **more: Any) -> Ran:
    return run(world, *arguments, version=version, reports=reports, **more)


def lines_of(ran: Ran) -> dict[str, tuple[str, list[str]]]:
    (found,) = ran.document["audits"]
    return {line["version"]: (line["outcome"], line["kinds"]) for line in found["history"]}


EXPECTED = {
    "0.1.0": ("holds", []),
    "0.2.0": ("holds", []),
    "0.3.0": ("action needed", ["release-missing", "pull-open"]),
    "0.4.0": ("action needed", ["not-published"]),
    "0.5.0": ("action needed", ["branch-orphaned"]),
}


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["serial", "n2"])
def test_one_line_a_version_from_one_observation(workers: tuple[str, ...], world: World, reports: Path) -> None:
    ran = audit(world, reports, "-v", *workers)

    assert (ran.code, ran.verdict) == (1, "ACTION NEEDED"), ran.output
    Draft202012Validator(audit_schema()).validate(ran.document)
    assert lines_of(ran) == EXPECTED
    assert (asked_github(world), asked_index(world)) == (GITHUB, INDEX)
    for version, (outcome, _) in EXPECTED.items():
        said = [line for line in ran.output.splitlines() if f"test_version_agrees[orbit-demo=={version}@pypi]" in line]
        assert len(said) == 1 and outcome.upper() in said[0]
    assert "ACTION NEEDED: orbit-demo on pypi (5 versions)" in ran.output
    assert "gh release create v0.3.0 --verify-tag" in ran.output
    assert (reports / "latest-audit.json").read_bytes() == (ran.json or reports).read_bytes()
    assert (reports / "latest-audit.html").is_file() and not (reports / "latest.json").exists()


def test_a_specifier_that_agrees_is_green(world: World, reports: Path) -> None:
    ran = audit(world, reports, version="<0.3")

    said = {result["id"]: result["outcome"] for result in ran.document["audits"][0]["checks"]}
    assert said.pop("AUDIT-4") == "action needed", "the latest release is that of the project, whatever is selected"
    assert said.pop("AUDIT-7") == "not applicable", "there is no waiver"
    assert set(said.values()) == {"holds"}
    assert lines_of(ran) == {version: EXPECTED[version] for version in ("0.1.0", "0.2.0")}
    assert "ACTION NEEDED: orbit-demo <0.3 on pypi (2 versions)" in ran.output


def test_a_part_of_the_versions_is_partial(world: World, reports: Path) -> None:
    ran = audit(world, reports, "-k", "0.1.0 or 0.2.0")

    assert (ran.code, ran.verdict) == (6, "PARTIAL 2 of 21"), ran.output
    assert ran.document["audits"][0]["kinds"] == [], "nothing is said of versions that were left out"
    assert not (reports / "latest-audit.json").exists()


def test_without_execution_nothing_is_observed(world: World, reports: Path) -> None:
    ran = audit(world, reports, "--collect-only")

    assert ran.code == 5, ran.output
    assert (asked_github(world), asked_index(world)) == ([], [])


def test_while_github_is_silent_nothing_is_green(world: World, reports: Path) -> None:
    world.github.intercept = lambda request: Reply(503)
    try:
        ran = audit(world, reports, "--channel", "all", version="<0.3")
    finally:
        world.github.intercept = None

    verdicts = {each["key"]: each["verdict"] for each in ran.document["audits"]}
    assert verdicts == {"orbit-demo@pypi": "COULD NOT VERIFY", "orbit-demo@testpypi": "ACTION NEEDED"}
    assert "none with a file" in ran.output, "nothing was ever rehearsed here"


# ---- observers


def test_every_page_of_the_releases_is_asked_for_once(world: World) -> None:
    github = world.github
    with github.lock:
        kept = dict(github.releases)
    made = [github.add_release(f"v9.{number}", draft=number == 7) for number in range(205)]
    try:
        forget_requests(world)
        client = HttpClient(10, token=world.token, token_host=github.url)
        found = GitHub(client, github.url, world.repository)
        published, drafts = found.releases().present(), found.drafts().present()
    finally:
        with github.lock:
            github.releases.clear()
            github.releases.update(kept)

    assert {release.id for release in published} | {draft.id for draft in drafts} == {*kept, *made}
    assert [draft.tag for draft in drafts] == ["v9.7"]
    assert [path for _, path in asked_github(world)] == [
        "{repository}",
        f"{{repository}}/releases?{FIRST_PAGE}",
        f"{{repository}}/releases?{FIRST_PAGE}",  # whether something has moved meanwhile
        *(f"{{repository}}/releases?{FIRST_PAGE}&page={number}" for number in (2, 3)),
    ]


@pytest.mark.parametrize("page_number", ["1", "2"])
def test_a_page_that_fails_leaves_the_releases_unknown(world: World, page_number: str) -> None:
    def refuse(request: Request) -> Reply | None:
        if not request.path.endswith("/releases"):
            return None
        if request.query.get("page", "1") == page_number:
            return Reply(403, {"Content-Type": "application/json"}, b'{"message": "no"}')
        link = f'<{world.github.url}/repositories/1/releases?page=3>; rel="last", <x?page=2>; rel="next"'
        return Reply(200, {"Content-Type": "application/json", "Link": link}, b"[]")

    world.github.intercept = refuse
    try:
        client = HttpClient(10, token=world.token, token_host=world.github.url)
        found = GitHub(client, world.github.url, world.repository).releases()
    finally:
        world.github.intercept = None

    assert found.unavailable and "403" in found.unavailable.why


def test_releases_that_grow_while_they_are_read_are_unknown(world: World) -> None:
    def grow(request: Request) -> Reply | None:
        if not request.path.endswith("/releases"):
            return None
        last = 2 if "page" not in request.query else 3
        link = f'<{world.github.url}/x?page={last}>; rel="last", <{world.github.url}/x?page=2>; rel="next"'
        return Reply(200, {"Content-Type": "application/json", "Link": link}, b"[]")

    world.github.intercept = grow
    try:
        client = HttpClient(10, token=world.token, token_host=world.github.url)
        found = GitHub(client, world.github.url, world.repository).releases()
    finally:
        world.github.intercept = None

    assert found.unavailable and "changed while" in found.unavailable.why


def test_a_simple_api_that_is_behind_is_no_absence(tmp_path: Path) -> None:
    with World() as world:
        world.release("pypi", "0.2.0")
        world.index.lag("pypi", "0.2.0")
        given = {"package": world.package, "repository": world.repository, "remote-url": world.remote_url}
        where = (f"pypi={world.index_url('pypi')}",)
        asked = Arguments(audit="all", settings=given, index_urls=where, github_api_url=world.github.url)
        config = load(asked, {}, tmp_path, find_repository)
        client = HttpClient(10, token=world.token, token_host=world.github.url)
        (found,) = collect_history(config, client=client, token_source=None, own_run_id=None, cancel=Event())

    assert found.catching_up == ("0.2.0",)
    verdict = verdict_of(Audit(found))
    assert (verdict.exit, verdict.counts) == (Exit.IN_PROGRESS, {Outcome.HOLDS: 1, Outcome.IN_PROGRESS: 1})


def test_the_tags_of_the_clone(world: World, tmp_path: Path) -> None:
    found = observe_clone_tags(world.clone, 10).present()

    assert [tag.name for tag in found] == ["v0.1.0", "v0.2.0", "v0.3.0", "v0.4.0"]
    assert all(isinstance(tag, Tag) and tag.annotated for tag in found)
    assert observe_clone_tags(tmp_path, 10).unavailable


def test_a_history_survives_the_way_to_a_worker() -> None:
    whole = history(clone_tags=known((tagged("v0.1.0"),)))

    again = convert(json.loads(msgspec.json.encode(whole).decode()), AuditSnapshot)

    assert again == whole
    assert Audit(again).judgements == Audit(whole).judgements


# ---- the page


class _Parsed(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_remote_text_is_harmless_on_the_page() -> None:
    nasty = '<img src=x onerror="alert(1)">'
    versions = (indexed("0.1.0"), indexed("0.2.0", 1, yanked=["sdist", "wheel"]), indexed("0.3.0", 2))
    versions = (versions[0], structs.replace(versions[1], yanked_reason=nasty + "\u202e"), versions[2])
    found = verdict_of(Audit(history(index=index(*versions, status="archived", status_reason=nasty, skipped=(nasty,)))))

    text = render_page([found], day(10))

    parsed = _Parsed()
    parsed.feed(text)
    assert "img" not in {tag for tag, _ in parsed.tags}
    assert "\u202e" not in text and "&lt;img" in text
    loaded = [value for _, given in parsed.tags for name, value in given.items() if name in ("src", "href")]
    assert loaded == [], "the page loads nothing"


def shown(audit: Audit) -> str:
    return render_macro("audit/report/picture.html", "picture", draw_picture(audit))


def test_the_picture_has_one_column_a_version() -> None:
    versions = [indexed(f"0.{number}", number * 40) for number in range(30)]
    tags = [tagged(f"v0.{number}") for number in range(30) if number != 13]
    audit = Audit(
        history(
            index=index(*versions),
            remote=remote(*tags),
            releases=known(tuple(released(f"0.{number}", number * 40) for number in range(20, 30))),
        )
    )

    svg = shown(audit)

    assert re.search(r'viewBox="0 0 30 \d+"', svg)
    assert 'class="mark wrong" d="M13 ' in svg
    assert 'class="lane missing" d="M13 20h1v' in svg
    assert 'class="lane not-expected" d="M0 40h20v' in svg
    assert re.findall(r">(20\d\d)</span>", svg) == ["2020", "2021", "2022", "2023"]
    assert "</title>" in svg and "0.0 to 0.29" in svg


@pytest.mark.parametrize(("source", "trace", "y"), [("releases", "GitHub Releases", 40), ("index", "wheels", None)])
def test_what_was_not_observed_is_not_told_as_never(source: str, trace: str, y: int | None) -> None:
    audit = Audit(history(**{source: failed()}))

    words = [line for line in describe_habits(audit) if line.startswith(trace)]

    assert words == [f"{trace}: unknown, so no version counts as lacking it"]
    assert not any("never" in line for line in describe_habits(audit))
    assert y is None or f'class="lane not-observed" d="M0 {y}h3v' in shown(audit)
    assert "few of them" not in " ".join(describe_notes(audit))


def test_a_spelling_that_no_tag_has_is_noted_where_somebody_configured_it() -> None:
    def notes(*given: str) -> str:
        return " ".join(describe_notes(Audit(history(target=target(given=given, tag_template="{version}")))))

    assert "no tag is spelled {version}: set --tag-template v{version}" in notes("tag-template")
    assert "set --tag-template" not in notes()


def test_a_page_of_thousands_of_versions_stays_small() -> None:
    names = [f"1.{number // 100}.{number % 100}" for number in range(2000)]
    audit = Audit(
        history(
            index=index(*(indexed(name, number) for number, name in enumerate(names))),
            remote=remote(*(tagged(f"v{name}") for name in names)),
            releases=known(tuple(released(name, number) for number, name in enumerate(names))),
        )
    )

    text = render_page([verdict_of(audit)], day(0))

    assert text.count("<tr data-o") == 2000
    assert len(text) < 500_000
    assert len(shown(audit)) < 5_000, "neighbours of one state share a shape"
