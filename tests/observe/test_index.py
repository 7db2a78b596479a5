"""The index observer, against canned answers, the demo index, and real servers on loopback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast
from urllib.error import URLError
from urllib.request import urlopen

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version
from pypi_simple import PYPI_SIMPLE_ENDPOINT, UnparsableFilenameError, parse_filename

from release_state.demo.dists import build_sdist, build_wheel
from release_state.demo.loopback import Request
from release_state.facts.filenames import read_filename
from release_state.facts.index import may_be_of_version
from release_state.model.observation import Observation, Problem
from release_state.model.snapshot import IndexProject
from release_state.model.target import Channel
from release_state.observe.http.client import HttpClient, LookupFailed, Response
from release_state.observe.index.access import split_credentials
from release_state.observe.index.index import observe_index
from release_state.observe.index.page import HTML_TYPE, JSON_TYPE, NotSimple
from release_state.observe.index.simple import parse_project_page, parse_root
from tests.standins.index import IndexServer
from tests.standins.services import Reply
from tests.support.facts import build

ROOT = "https://index.example/simple/"
PRIVATE = Channel(name="private", index_url=ROOT)
PUBLIC = Channel(name="public", index_url=ROOT, is_public_index=True)
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)

META = {"api-version": "1.1"}
WHEEL = "orbit_demo-0.2.0-py3-none-any.whl"


MAY_BE_0_2_0 = """
    orbit_demo-0.2.0.whl orbit_demo-0.2.0.msi orbit_demo-0.2.0.tar.zst Orbit.Demo-0.2.0.egg OrbitDemo0.2.0.exe
    python3-orbit-demo_0.2.0_all.deb orbit-demo-0.2.0-1.noarch orbit_demo-v0.2.0.7z orbit_demo-0_2_0.zst
    orbit_demo-0-2-0.dmg orbit_demo-0.2.zst orbit_demo-0.02.0.zst orbit_demo-0.2.0-1.zst orbit_demo-0.2.0_x86.pkg
    orbit_demo.whl orbit_demo-py3-none-any.whl orbit_demo-cp311-win.zip setup.exe orbit_demo-latest.zst
    orbit-demo-py3.11.tar.gz
"""
IS_NOT_0_2_0 = """
    orbit_demo-0.1.0.whl orbit_demo-0.2.0.1.zst orbit_demo-0.2.0rc1.zst orbit_demo-0.2.1.7z orbit_demo-10.2.0.zst
    orbit_demo-0.2.0.post1.zst orbit_demo-0.2.0.dev3.msi README.txt index.html favicon.ico other-1.0.deb
    orbit_demo-0.1.0.tar.gz.asc orbit_demo_extra-0.2.0-py3-none-any.whl
"""


class Canned:
    """A client that answers from a table, in place of HttpClient."""

    def __init__(self, answers: Mapping[str, tuple[int, str, bytes]], final_url: str | None = None) -> None:
        self.answers = answers
        self.final_url = final_url
        self.asked: list[tuple[str, dict[str, str]]] = []

    def deadline(self) -> float:
        return 0.0

    def get(self, url: str, **options: Any) -> Response:
        self.asked.append((url, options["headers"]))
        status, content_type, body = self.answers[url]
        headers = {"Content-Type": content_type, "Content-Length": str(len(body))}
        return Response(status=status, headers=headers, body=body, url=self.final_url or url)

    def get_json(self, url: str, **options: Any) -> tuple[Any, Response]:
        """Of a JSON API there is none."""
        raise LookupFailed(Problem(source="index", why=f"{url}: answered 404"))

    def keep(self, answer: Response) -> None:
        """Keep nothing."""


def observe(
    client: Canned | HttpClient, channel: Channel = PRIVATE, version: str = "0.2.0"
) -> Observation[IndexProject]:
    return observe_index(cast(HttpClient, client), channel, "Orbit.Demo", version)


def page(body: bytes, content_type: str = JSON_TYPE, version: str = "0.2.0") -> Observation[IndexProject]:
    return observe(Canned({f"{ROOT}orbit-demo/": (200, content_type, body)}), version=version)


def project_json(**fields: Any) -> bytes:
    return json.dumps({"meta": META, "name": "orbit-demo", "files": [], **fields}).encode()


def file(filename: str = WHEEL, **fields: Any) -> dict[str, Any]:
    return {"filename": filename, "url": f"../../files/{filename}", "hashes": {}, **fields}


def files_json(*files: dict[str, Any], **fields: Any) -> bytes:
    return project_json(files=list(files), **fields)


def html(*links: str, head: str = "", title: str = "Links for orbit-demo") -> bytes:
    return (
        f"<!DOCTYPE html><html><head>{head}<title>{title}</title></head><body>{''.join(links)}</body></html>".encode()
    )


def link(filename: str = WHEEL, fragment: str = "", attributes: str = "") -> str:
    return f'<a href="../../files/{filename}{fragment}" {attributes}>{filename}</a>'


def why(observation: Observation[Any]) -> str:
    assert observation.unavailable is not None, observation
    assert observation.value is None
    return observation.unavailable.why


# ── JSON (PEP 691, 592, 700, 740, 792)


def test_json_page_gives_every_field_of_a_file() -> None:
    found = page(
        files_json(
            file(
                hashes={"sha256": "AB" * 32},
                size=12,
                yanked="broken",
                provenance="/integrity/x/provenance",
                **{"requires-python": ">=3.10", "upload-time": "2026-01-02T03:04:05.678901Z"},
            )
        )
    ).present()
    [held] = found.files
    assert (held.filename, held.version, held.kind) == (WHEEL, "0.2.0", "wheel")
    assert held.url == f"https://index.example/files/{WHEEL}"
    assert (held.size, held.sha256, held.requires_python) == (12, "ab" * 32, ">=3.10")
    assert (held.yanked, held.yanked_reason) == (True, "broken")
    assert held.provenance_url == "https://index.example/integrity/x/provenance"
    assert held.uploaded_at == datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)
    assert found.url == f"{ROOT}orbit-demo/"


def test_what_the_index_does_not_say_is_none() -> None:
    [held] = page(files_json(file(yanked=None, size=None, provenance=None))).present().files
    assert (held.size, held.sha256, held.uploaded_at, held.requires_python) == (None, None, None, None)
    assert (held.yanked, held.yanked_reason, held.provenance_url) == (False, None, None)


@pytest.mark.parametrize(("yanked", "expected"), [(True, (True, None)), ("", (True, None)), (False, (False, None))])
def test_yanked_without_a_text(yanked: object, expected: tuple[bool, str | None]) -> None:
    [held] = page(files_json(file(yanked=yanked))).present().files
    assert (held.yanked, held.yanked_reason) == expected


@pytest.mark.parametrize("time_text", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05", "2026-01-02T05:04:05+02:00"])
def test_upload_times_without_fraction_or_zone(time_text: str) -> None:
    [held] = page(files_json(file(**{"upload-time": time_text}))).present().files
    assert held.uploaded_at == WHEN


def test_files_of_the_version_are_found_by_equality() -> None:
    names = [
        "orbit_demo-1.0rc1-py3-none-any.whl",
        "Orbit.Demo-1.0-rc.1.tar.gz",
        "orbit-demo-1.0rc1.post1.tar.gz",
        "orbit-demo-1.0rc10.tar.gz",
        "orbit-demo-11.0rc1.tar.gz",
        "orbit_demo-1.0.tar.gz",
    ]
    found = page(files_json(*map(file, names)), version="1.0.0.rc1").present()
    assert [held.filename for held in found.files] == names[:2]
    assert {held.version for held in found.files} == {"1.0.0rc1"}


def test_releases_are_sorted_and_counted() -> None:
    found = page(
        files_json(
            file("orbit_demo-0.10.0.tar.gz", **{"requires-python": ">=3.12", "upload-time": "2026-03-01T00:00:00Z"}),
            file("orbit_demo-0.9.0.tar.gz", yanked=True),
            file("orbit_demo-0.9.0-py3-none-any.whl", yanked="bad"),
            file("orbit_demo-0.10.0-py3-none-any.whl", yanked=True, **{"upload-time": "2026-02-01T00:00:00.5Z"}),
            file("orbit_demo-0.10.0a1.tar.gz"),
        )
    ).present()
    assert [(each.version, each.file_count, each.yanked) for each in found.releases] == [
        ("0.9.0", 2, True),
        ("0.10.0a1", 1, False),
        ("0.10.0", 2, False),
    ]
    assert found.releases[-1].requires_python == ">=3.12"
    assert found.releases[-1].uploaded_at == datetime(2026, 2, 1, microsecond=500000, tzinfo=timezone.utc)
    assert found.files == ()


def test_listed_is_not_published() -> None:
    found = page(files_json(file(), versions=["0.2", "0.1.0", "0.0.1", "not-a-version"])).present()
    assert found.listed_without_files == ("0.0.1", "0.1.0")


@pytest.mark.parametrize("status", ["active", "archived", "quarantined", "deprecated", "a-marker-of-the-future"])
def test_project_status(status: str) -> None:
    found = page(project_json(**{"project-status": {"status": status, "reason": "so"}})).present()
    assert (found.listed, found.status, found.status_reason) == (True, status, "so")


def test_files_that_cannot_be_attributed_are_skipped() -> None:
    others = ["orbit_demo_extra-0.2.0-py3-none-any.whl", "orbit-demo-extra-0.2.0.tar.gz", "orbit-demo-x.y.zip", "r.txt"]
    hostile = "orbit_demo" + "-1" * 2000 + ".whl"
    found = page(files_json(*map(file, [*others, hostile, WHEEL]))).present()
    assert [held.filename for held in found.files] == [WHEEL]
    assert [each.version for each in found.releases] == ["0.2.0"]
    assert set(found.skipped) == {*others, hostile[:200]}


def test_no_more_than_fifty_skipped_names() -> None:
    found = page(files_json(*(file(f"what-{number}.txt") for number in range(70)))).present()
    assert len(found.skipped) == 50


def test_the_first_of_the_skipped_names_are_those_that_may_be_this_version() -> None:
    names = [*(f"what-{number}.txt" for number in range(70)), "orbit_demo-0.2.0.msi"]
    assert page(files_json(*map(file, names))).present().skipped[0] == "orbit_demo-0.2.0.msi"
    many = files_json(*(file(f"what-{number}.txt") for number in range(1001)))
    assert "more than 1,000 files whose version cannot be read" in why(page(many))


def test_who_lists_versions_says_so() -> None:
    assert page(files_json(file(), versions=["0.2.0"])).present().lists_versions
    assert not page(files_json(file())).present().lists_versions
    assert not page(html(link()), "text/html").present().lists_versions


@pytest.mark.parametrize(
    ("filename", "may_be"),
    [
        *((name, True) for name in MAY_BE_0_2_0.split()),
        *((name, False) for name in IS_NOT_0_2_0.split()),
    ],
)
def test_a_name_that_cannot_be_read_may_be_of_a_version(filename: str, may_be: bool) -> None:
    assert may_be_of_version(filename, "orbit-demo", Version("0.2.0")) is may_be


def test_no_name_takes_long() -> None:
    started = time.monotonic()
    for name in ("orbit-demo" + "1a" * 5000, "1-" * 5000, "1." * 5000, "orbit-demo-" + "0" * 9000):
        may_be_of_version(name, "orbit-demo", Version("0.2.0"))
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    ("answer", "settled"),
    [
        (None, True),
        (Reply(404, body=b"404 Not Found", headers={"Content-Type": "text/plain"}), False),
        (Reply(503), False),
        (Reply(200, body=b"<html>", headers={"Content-Type": "text/html"}), False),
        (Reply(200, body=b'{"info": {"name": "orbit-demo", "version": "0.1.0"}, "releases": {}}'), False),
        (Reply(200, body=b'{"info": {"name": "orbit-demo", "version": "0.1.0"}, "releases": []}'), False),
        (
            Reply(
                200, body=b'{"info": {"name": "orbit-demo", "version": "0.1.0"}, "releases": {"0.1": [], "0.2": []}}'
            ),
            False,
        ),
        (
            Reply(200, body=b'{"info": {"name": "orbit-demo", "version": "0.1.0"}, "releases": {"0.1": [], "x": []}}'),
            False,
        ),
        (Reply(200, body=b'{"info": {"name": "another", "version": "0.1.0"}, "releases": {"0.1.0": []}}'), False),
        (Reply(302, headers={"Location": "http://localhost:9/"}), False),
    ],
)
def test_the_json_api_settles_what_a_name_leaves_open(answer: Reply | None, settled: bool) -> None:
    with IndexServer() as server:
        server.lists_versions = False
        server.upload("pypi", *build_wheel("orbit-demo", "0.1.0", sources={}), WHEN)
        server.upload("pypi", "orbit_demo-0.2.0.msi", b"?", WHEN, version="0.1.0")
        server.intercept = lambda request: answer if request.path.endswith("/orbit-demo/json") else None
        channel = Channel(name="pypi", index_url=server.index_url("pypi"))
        found = observe_index(HttpClient(9), channel, "orbit-demo", "0.2.0", ("sdist", "wheel")).present()
        assert (found.files, found.skipped, found.lists_versions) == ((), ("orbit_demo-0.2.0.msi",), settled)


def test_an_ordinary_page_costs_no_question_more() -> None:
    with IndexServer() as server:
        server.lists_versions = False
        server.upload("pypi", *build_wheel("orbit-demo", "0.1.0", sources={}), WHEN)
        server.upload("pypi", "orbit_demo-0.1.0.msi", b"?", WHEN, version="0.1.0")
        channel = Channel(name="pypi", index_url=server.index_url("pypi"))
        observe_index(HttpClient(9), channel, "orbit-demo", "0.2.0", ()).present()
        assert len(server.requests) == 1


def test_signatures_and_credentials_of_file_urls_are_not_kept() -> None:
    [held] = page(files_json(file(url=f"https://me:secret@files.example/{WHEEL}?sig=secret#x"))).present().files
    assert held.url == f"https://files.example/{WHEEL}"


def test_a_newer_minor_version_of_the_format_is_read(recwarn: pytest.WarningsRecorder) -> None:
    assert page(project_json(meta={"api-version": "1.99"})).present().listed
    assert not recwarn


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not valid JSON"),
        (project_json()[:-5], "not valid JSON"),
        (b'{"x": ' + b"[" * 100_000, "not valid JSON"),
        (b"[" * 100_000, "PEP 691"),
        (b"[]", "PEP 691"),
        (b'{"message": "ok"}', "PEP 691"),
        (project_json(meta={}), "PEP 629"),
        (project_json(meta={"api-version": "2.0"}), "2.0"),
        (project_json(files=None), "files: Expected"),
        (project_json(files=["x"]), "files[0]: Expected"),
        (project_json(files=[{"filename": WHEEL}]), "url"),
        (project_json(name="orbit-demo-extra"), "another project"),
        (project_json(name=None), "name: Expected"),
        (project_json(versions="0.2.0"), "versions: Expected"),
        (files_json(file(yanked=3)), "yanked"),
        (files_json(file(**{"upload-time": "yesterday"})), "upload-time: Invalid"),
        (files_json(file(provenance=[])), "provenance"),
        (files_json(file(url="http://[")), ""),
    ],
    ids=range(18),
)
def test_misshapen_json_is_unavailable(body: bytes, says: str) -> None:
    assert says in why(page(body))


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain", JSON_TYPE.replace("v1", "v2")])
def test_other_content_types_are_unavailable(content_type: str) -> None:
    assert "content type" in why(page(files_json(file()), content_type))


# ── HTML (PEP 503, 592, 629, 740, 792)


@pytest.mark.parametrize("content_type", ["text/html", "text/html; charset=utf-8", HTML_TYPE])
def test_html_page(content_type: str) -> None:
    attributes = 'data-requires-python="&gt;=3.10" data-yanked="ill &amp; old" data-provenance="/p"'
    links = [link(fragment=f"#sha256={'0a' * 32}", attributes=attributes), link("orbit_demo-0.1.0.tar.gz")]
    found = page(html(*links), content_type).present()
    [held] = found.files
    assert (held.filename, held.sha256, held.requires_python) == (WHEEL, "0a" * 32, ">=3.10")
    assert (held.yanked, held.yanked_reason) == (True, "ill & old")
    assert held.url == f"https://index.example/files/{WHEEL}"
    assert held.provenance_url == "https://index.example/p"
    assert (held.size, held.uploaded_at) == (None, None)
    assert [each.version for each in found.releases] == ["0.1.0", "0.2.0"]


def test_html_yanked_without_a_text() -> None:
    [held] = page(html(link(attributes="data-yanked")), "text/html").present().files
    assert (held.yanked, held.yanked_reason) == (True, None)


def test_html_status_and_base() -> None:
    head = (
        '<meta name="pypi:repository-version" content="1.4"><meta name="pypi:project-status" content="archived">'
        '<meta name="pypi:project-status-reason" content="done"><base href="https://cdn.example/a/b/c/">'
    )
    found = page(html(link(), head=head), "text/html").present()
    assert (found.status, found.status_reason) == ("archived", "done")
    assert found.files[0].url == f"https://cdn.example/a/files/{WHEEL}"


def test_html_file_name_is_that_of_the_url() -> None:
    anchor = f'<a href="/f/{WHEEL}">download</a><a href="/f/orbit_demo-0.2.0%2Bl.1.tar.gz">x</a><a href="../">up</a>'
    found = page(html(anchor), "text/html").present()
    assert [held.filename for held in found.files] == [WHEEL]
    assert [each.version for each in found.releases] == ["0.2.0", "0.2.0+l.1"]
    assert found.skipped == ()
    local = page(html(anchor), "text/html", version="0.2.0+l.1").present()
    assert [held.filename for held in local.files] == ["orbit_demo-0.2.0+l.1.tar.gz"]


@pytest.mark.parametrize(
    "body",
    [
        html(),
        html(title="root/dev: links for orbit_demo"),
        html(head='<meta name="pypi:repository-version" content="1.0">', title=""),
        html(link("orbit_demo-0.1.0.tar.gz"), title="Index of /simple/orbit-demo"),
    ],
)
def test_recognisable_html_without_the_version_is_a_known_absence(body: bytes) -> None:
    found = page(body, "text/html").present()
    assert found.listed
    assert found.files == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><head><title>Sign in</title></head><body><form><input></form></body></html>",
        html('<a href="/setup-1.0.zip">Get our client</a>', title="Welcome to the hotel"),
        html(title="Links for orbit-demo-extra"),
        html(link(), head='<meta name="pypi:repository-version" content="2.0">'),
        html(head='<meta name="pypi:repository-version" content="">'),
    ],
)
def test_other_html_is_unavailable(body: bytes) -> None:
    why(page(body, "text/html"))


@pytest.mark.parametrize("content_type", ["text/html", "application/vnd.pypi.simple.v1+html"])
@pytest.mark.parametrize("version", ["", '<meta name="pypi:repository-version" content="1.0">'])
@pytest.mark.parametrize(
    ("links", "title"),
    [
        (["orbit_demo_extra-0.2.0.tar.gz"], "Links for orbit-demo-extra"),
        ([], "Links for orbit-demo-extra"),
        (["orbit_demo_extra-0.2.0.tar.gz"], "Simple index"),
    ],
)
def test_html_of_another_project_is_unavailable(links: list[str], title: str, version: str, content_type: str) -> None:
    """What says that it is of another project does not say that this one has no files."""
    body = html(*map(link, links), head=version, title=title)
    found = page(body, content_type)
    assert "of another project, 'orbit-demo-extra'" in why(found)


@pytest.mark.parametrize("title", ["Links for orbit-demo:", "root/pypi: links for Orbit_Demo", "Index of /orbit-demo"])
def test_html_whose_title_is_worded_otherwise_is_read(title: str) -> None:
    body = html(link("orbit_demo_extra-0.2.0.tar.gz"), link(), title=title)
    assert [file.filename for file in page(body, "text/html").present().files] == [WHEEL]


def test_html_whose_end_nothing_tells_must_end_itself() -> None:
    class Unframed(Canned):
        def get(self, url: str, **options: Any) -> Response:
            return Response(status=200, headers={"Content-Type": "text/html"}, body=self.answers[url][2], url=url)

    url, whole = f"{ROOT}orbit-demo/", html(link("orbit_demo-0.1.0.tar.gz"), link())
    assert observe(Unframed({url: (200, "", whole)})).present().files
    assert "truncated" in why(observe(Unframed({url: (200, "", whole[:-100])})))


@pytest.mark.parametrize(("relation", "is_part"), [("next", True), ("canonical", False)])
def test_a_page_of_several_is_not_the_whole(relation: str, is_part: bool) -> None:
    class Paged(Canned):
        def get(self, url: str, **options: Any) -> Response:
            headers = {"Content-Type": "text/html", "Link": f'<{url}?page=2>; rel="{relation}"', "Content-Length": "1"}
            return Response(status=200, headers=headers, body=self.answers[url][2], url=url)

    found = observe(Paged({f"{ROOT}orbit-demo/": (200, "", html(link("orbit_demo-0.1.0.tar.gz")))}))
    assert ("a page of several" in why(found)) if is_part else (found.present().files == ())


# ── absence


NOT_FOUND = (404, "text/plain", b"")
SIMPLE_ROOT = html('<a href="/simple/other/">Other</a>', title="Simple Index")


def test_404_of_a_public_index_is_an_absence_and_its_root_is_not_asked() -> None:
    client = Canned({f"{ROOT}orbit-demo/": NOT_FOUND})
    found = observe(client, PUBLIC).present()
    assert found == IndexProject(url=f"{ROOT}orbit-demo/", listed=False)
    assert len(client.asked) == 1


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "text/plain"])
def test_404_of_a_proxy_before_a_public_index_is_no_absence(content_type: str) -> None:
    answers = {f"{ROOT}orbit-demo/": (404, content_type, b"<html>Not here</html>")}
    assert "not the index's own" in why(observe(Canned(answers), PUBLIC))


@pytest.mark.parametrize(
    ("content_type", "root"),
    [
        ("text/html", SIMPLE_ROOT),
        ("text/html", html(title="Simple Index")),
        ("text/html", html('<a href="other/">Other</a><a href="a-b/">a_b/</a>', title="")),
        ("text/html", html(head='<meta name="pypi:repository-version" content="1.0">', title="")),
        (JSON_TYPE, json.dumps({"meta": META, "projects": [{"name": "other"}]}).encode()),
        (JSON_TYPE, json.dumps({"meta": META, "projects": []}).encode()),
    ],
)
def test_404_of_an_index_that_shows_itself_is_an_absence(content_type: str, root: bytes) -> None:
    found = observe(Canned({f"{ROOT}orbit-demo/": NOT_FOUND, ROOT: (200, content_type, root)})).present()
    assert not found.listed


@pytest.mark.parametrize(
    "root",
    [
        NOT_FOUND,
        (200, "text/html", html('<a href="/login">Login</a>', title="Welcome")),
        (200, "text/html", html(title="")),
        (200, "text/html", html('<a href="https://other.example/docs/">docs</a>', title="")),
        (200, "application/json", b"{}"),
        (200, JSON_TYPE, json.dumps({"meta": META}).encode()),
        (200, JSON_TYPE, json.dumps({"meta": META, "projects": [{}]}).encode()),
        (200, JSON_TYPE, json.dumps({"meta": META, "projects": [{"name": "Orbit_Demo"}]}).encode()),
        (200, "text/html", html('<a href="/simple/orbit-demo/">Orbit.Demo</a>', title="Simple Index")),
    ],
)
def test_404_of_anything_else_is_unavailable(root: tuple[int, str, bytes]) -> None:
    why(observe(Canned({f"{ROOT}orbit-demo/": NOT_FOUND, ROOT: root})))


@pytest.mark.parametrize("final", ["https://elsewhere.example/simple/orbit-demo/", "https://index.example:8443/x/"])
def test_an_answer_of_another_index_says_nothing_of_this_one(final: str) -> None:
    answers = {f"{ROOT}orbit-demo/": (200, JSON_TYPE, files_json(file()))}
    assert "another host" in why(observe(Canned(answers, final_url=final), PUBLIC))


def test_file_urls_are_resolved_against_where_the_page_was_found() -> None:
    answers = {f"{ROOT}orbit-demo/": (200, JSON_TYPE, files_json(file(url="x.whl")))}
    found = observe(Canned(answers, final_url="https://index.example/moved/orbit-demo/")).present()
    assert found.files[0].url == "https://index.example/moved/orbit-demo/x.whl"


@pytest.mark.parametrize(
    "url", ["file:///srv/simple", "ftp://index.example/", "/srv/simple", "", "https://[", "http://a:b"]
)
def test_other_addresses_are_not_supported(url: str) -> None:
    why(observe(Canned({}), Channel(name="private", index_url=url)))


def test_a_version_that_is_none_is_unavailable() -> None:
    answers = {f"{ROOT}orbit-demo/": (200, JSON_TYPE, project_json())}
    assert "PEP 440" in why(observe(Canned(answers), version="latest"))


def test_credentials_are_used_and_not_kept() -> None:
    client = Canned({f"{ROOT}orbit-demo/": (200, JSON_TYPE, files_json(file()))})
    channel = Channel(name="private", index_url="https://me:s%40crt@index.example/simple")
    found = observe(client, channel)
    assert found.present().url == f"{ROOT}orbit-demo/"
    assert client.asked == [(f"{ROOT}orbit-demo/", {"Authorization": "Basic bWU6c0BjcnQ="})]
    assert "crt" not in msgspec.json.encode(found).decode()
    assert split_credentials(ROOT) == (ROOT, None)


# ── anything else that an index may answer

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
NAMES = st.sampled_from([WHEEL, "orbit-demo-0.2.0.tar.gz", "orbit-demo-0.2.tar.gz", "a", ""]) | st.text(max_size=40)
FILES = st.fixed_dictionaries(
    {"filename": NAMES, "url": st.sampled_from(["x", "http://[", "//h:p/"]) | st.text(max_size=20)},
    optional={
        key: JSON | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "\ud800", {"sha256": "x"}])
        for key in ("hashes", "size", "upload-time", "yanked", "requires-python", "provenance", "core-metadata")
    },
)
PAGES = st.fixed_dictionaries(
    {"meta": st.just(META) | JSON, "name": st.just("orbit-demo"), "files": st.lists(FILES, max_size=3) | JSON},
    optional={"versions": st.lists(st.text(max_size=8)) | JSON, "project-status": st.dictionaries(NAMES, JSON) | JSON},
)
TAGS = st.builds(
    "<{} {}='{}' {}>{}".format,
    st.sampled_from(["a", "meta", "base", "title", "h1", "/a", "!", "![x", "?", "script"]),
    st.sampled_from(["href", "name", "x"]),
    st.sampled_from(["http://[", f"../{WHEEL}#sha256=zz", "pypi:repository-version", "x", "%00"])
    | st.text(max_size=10),
    st.sampled_from(["data-yanked", "data-yanked=''", "content='1.0'", "content=x", "data-core-metadata=1", "class=a"]),
    st.sampled_from(["Links for orbit-demo", WHEEL, "</a>", ""]) | st.text(max_size=10),
)


PARTS = (
    "orbit-demo",
    "Orbit_Demo",
    "orb\u0131t-demo",
    "orbit.demo",
    "orbit",
    "1.0",
    "0.2.0rc1",
    "1.0-rc.1",
    "1!2",
    "0.1_1",
    "demo",
    "1",
)
ENDS = (
    *("-py3-none-any.whl", "-1-cp310-abi3-manylinux_2_17_x86_64.whl", "-py3.8.egg", ".egg", "-py3.8-linux-x86_64.egg"),
    *(".tar.gz", ".zip", ".tar", ".linux-x86_64.tar.gz", ".win32-py3.8.msi", ".win-amd64.exe", "-1.noarch.rpm", ".txt"),
)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.sampled_from(PARTS) | st.text("ab1.-_!+", max_size=6), max_size=4).map("-".join), st.sampled_from(ENDS)
)
def test_a_file_name_says_what_pypi_simple_reads_in_it(stem: str, end: str) -> None:
    try:
        project, version, kind = parse_filename(stem + end, "orbit-demo")
    except UnparsableFilenameError:
        assert read_filename(stem + end, "orbit-demo") is None
    else:
        is_ours = canonicalize_name(project) == "orbit-demo"
        assert read_filename(stem + end, "orbit-demo") == ((version, kind) if is_ours else None)


def test_letters_that_only_look_alike_are_of_another_project() -> None:
    assert read_filename("Task_KIT-1.0.tar.gz", "task-kit") == ("1.0", "sdist")
    for name in ("ta\u017fk_kit", "task_\u212ait", "task_k\u0131t", "task_k\u0130t"):
        assert read_filename(f"{name}-1.0.tar.gz", "task-kit") is None


class Hanging(Canned):
    """Its JSON API answers when the test says so."""

    def __init__(self, answers: Mapping[str, tuple[int, str, bytes]]) -> None:
        super().__init__(answers)
        self.go_on = threading.Event()

    def get_json(self, url: str, **options: Any) -> tuple[Any, Response]:
        """Wait, then answer nothing."""
        self.go_on.wait(20)
        return super().get_json(url, **options)


@pytest.mark.parametrize(("answer", "is_known"), [((200, JSON_TYPE, files_json(file())), True), (NOT_FOUND, False)])
def test_a_second_opinion_that_nobody_needs_is_not_waited_for(answer: tuple[int, str, bytes], is_known: bool) -> None:
    client = Hanging({f"{ROOT}orbit-demo/": answer, ROOT: (503, "text/plain", b"")})
    try:
        with ThreadPoolExecutor(1) as pool:
            look = pool.submit(observe_index, cast(HttpClient, client), PRIVATE, "orbit-demo", "0.2.0", ["wheel"])
            assert look.result(15).is_known is is_known
            assert not client.go_on.is_set()
    finally:
        client.go_on.set()


def test_an_index_that_answers_json_costs_no_html_parser() -> None:
    read = f"parse_project_page({files_json(file())!r}, {{'Content-Type': {JSON_TYPE!r}}}, 'orbit-demo', {ROOT!r})"
    program = (
        "import sys, release_state.run.versions, release_state.observe.install.pip, release_state.observe.lookups\n"
        f"from release_state.observe.index.simple import parse_project_page\n{read}\n"
        "print(sorted({'pypi_simple', 'bs4', 'pydantic', 'html.parser'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def assert_typed(found: Observation[IndexProject]) -> None:
    """Every value is of its field's type: the constructors of the models check nothing."""
    assert msgspec.json.decode(msgspec.json.encode(found), type=Observation[IndexProject]) == found


@settings(max_examples=200, deadline=None)
@given(PAGES)
def test_any_json_gives_an_observation(document: Any) -> None:
    body = json.dumps(document).encode()
    assert_typed(page(body))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(TAGS, max_size=8),
    st.sampled_from(["text/html", HTML_TYPE, "text/html; charset=utf-16", "text/html;charset=\0"]),
)
def test_any_html_gives_an_observation(tags: list[str], content_type: str) -> None:
    body = "".join(tags).encode(errors="surrogatepass")
    assert_typed(page(body, content_type))


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([JSON_TYPE, "text/html"]),
)
def test_any_root_is_read_or_refused(body: bytes, content_type: str) -> None:
    answers = {f"{ROOT}orbit-demo/": NOT_FOUND, ROOT: (200, content_type, body)}
    assert_typed(observe(Canned(answers)))


def test_root_projects_refuses_what_is_no_root() -> None:
    with pytest.raises(NotSimple):
        parse_root(b"<p>", {"content-type": "text/html"}, ROOT)


# ── the demo index, over the network


@pytest.fixture
def index() -> Iterator[IndexServer]:
    with IndexServer() as server:
        name, wheel = build_wheel("orbit-demo", "0.2.0", sources={"orbit_demo/__init__.py": b""})
        server.upload("pypi", name, wheel, WHEN, provenance={"version": 1})
        server.upload("pypi", *build_sdist("orbit-demo", "0.2.0", files={}), WHEN)
        server.upload("pypi", *build_sdist("orbit-demo", "0.1.0", files={}), WHEN)
        yield server


def channel_of(index: IndexServer, name: str = "pypi", **fields: Any) -> Channel:
    return build(Channel, name=name, index_url=index.index_url(name), **fields)


@pytest.fixture
def client() -> HttpClient:
    return HttpClient(timeout=5)


def test_demo_index_in_json(index: IndexServer, client: HttpClient) -> None:
    index.yank("pypi", "0.1.0", "too old")
    index.list_version("pypi", "0.3.0")
    index.set_status("pypi", "archived", "finished")
    found = observe(client, channel_of(index)).present()
    assert sorted(held.kind for held in found.files) == ["sdist", "wheel"]
    assert all(held.sha256 and held.size and held.uploaded_at == WHEN for held in found.files)
    assert [held.provenance_url is not None for held in found.files if held.kind == "wheel"] == [True]
    assert [(each.version, each.yanked) for each in found.releases] == [("0.1.0", True), ("0.2.0", False)]
    assert found.listed_without_files == ("0.3.0",)
    assert (found.status, found.status_reason) == ("archived", "finished")
    assert len(index.requests) == 1


def test_demo_index_in_html(index: IndexServer, client: HttpClient) -> None:
    index.yank("pypi", "0.2.0", "too new")
    in_json = observe(client, channel_of(index)).present()

    def only_html(request: Request) -> Reply | None:
        request.headers = {**request.headers, "accept": "text/html"}
        return None

    index.intercept = only_html
    in_html = observe(client, channel_of(index)).present()
    assert [(held.filename, held.sha256, held.yanked_reason, held.requires_python) for held in in_html.files] == [
        (held.filename, held.sha256, held.yanked_reason, held.requires_python) for held in in_json.files
    ]
    assert [each.version for each in in_html.releases] == ["0.1.0", "0.2.0"]


def test_demo_index_without_the_project(index: IndexServer, client: HttpClient) -> None:
    assert not observe(client, channel_of(index, "testpypi")).present().listed
    assert [request.path for request in index.requests] == ["/testpypi/simple/orbit-demo/", "/testpypi/simple/"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(503),
        Reply(403),
        Reply(200, body=b"{}" * 50, headers={"Content-Type": JSON_TYPE}, truncate=10),
        Reply(drop=True),
    ],
)
def test_demo_index_in_trouble(index: IndexServer, client: HttpClient, reply: Reply) -> None:
    index.intercept = lambda request: reply
    why(observe(HttpClient(timeout=1), channel_of(index, is_public_index=True)))


def test_nobody_answers(client: HttpClient) -> None:
    with IndexServer() as gone:
        channel = channel_of(gone)
    why(observe(HttpClient(timeout=1), channel))


# ── real servers


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(command: list[str], url: str, seconds: float, folder: Path) -> Iterator[None]:
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + seconds
            while True:
                try:
                    with urlopen(url, timeout=1):
                        break
                except (URLError, OSError):
                    if server.poll() is not None or time.monotonic() > deadline:
                        pytest.fail(f"the server did not start: {(folder / 'server.log').read_text()[-2000:]}")
                    time.sleep(0.1)
            yield
        finally:
            server.terminate()
            server.wait(10)


@pytest.fixture(scope="module")
def pypiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pypiserver")
    packages = folder / "packages"
    packages.mkdir()
    for name, content in (
        build_wheel("orbit-demo", "0.2.0", sources={"orbit_demo/__init__.py": b""}),
        build_sdist("orbit-demo", "0.2.0", files={}),
        build_sdist("orbit-demo-extra", "0.2.0", files={}),
    ):
        (packages / name).write_bytes(content)
    port = free_port()
    program = str(Path(sys.executable).parent / "pypi-server")
    command = [program, "run", "-p", str(port), "-i", "127.0.0.1", "--disable-fallback", str(packages)]
    with running(command, f"http://127.0.0.1:{port}/simple/", 20, folder):
        yield f"http://127.0.0.1:{port}/simple"


def test_pypiserver(pypiserver: str, client: HttpClient) -> None:
    channel = Channel(name="own", index_url=pypiserver)
    found = observe(client, channel).present()
    assert sorted(held.kind for held in found.files) == ["sdist", "wheel"]
    assert all(held.sha256 for held in found.files)
    assert [each.version for each in found.releases] == ["0.2.0"]
    assert not observe(client, channel, "9.9").present().files
    assert not observe_index(client, channel, "nothing-of-the-kind", "0.2.0").present().listed


_DEVPI_FILE = (
    b'{"filename": "orbit_demo-0.2.0-py3-none-any.whl", '
    b'"url": "../../+f/d76/9da532c4aed11/orbit_demo-0.2.0-py3-none-any.whl", '
    b'"hashes": {"sha256": "d769da532c4aed115be596ed5ade21363d35114936c8061f2b3c451467abd849"}, '
    b'"requires-python": ""}'
)
_DEVPI_NONE = (
    "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n"
    " <body>\n  <h1>404 Not Found</h1>\n  {}<br/><br/>\n\n\n\n </body>\n</html>"
)
_DEVPI_HTML = {"Content-Type": "text/html; charset=UTF-8"}
DEVPI = {
    "/root/dev/+simple/orbit-demo/": Reply(
        200,
        {"Content-Type": JSON_TYPE, "Vary": "Accept, User-Agent"},
        b'{"meta":{"api-version":"1.0"},"name":"orbit-demo","files":[' + _DEVPI_FILE + b"]}",
    ),
    "/root/dev/+simple/nothing-of-the-kind/": Reply(
        404, _DEVPI_HTML, _DEVPI_NONE.format("The project nothing-of-the-kind does not exist.").encode()
    ),
    "/root/dev/+simple/": Reply(
        200, {"Content-Type": JSON_TYPE}, b'{"meta":{"api-version":"1.0"},"projects":[{"name":"orbit-demo"}]}'
    ),
}
"""What devpi-server 6.20.3 answers, with one wheel uploaded."""


def test_devpi(client: HttpClient) -> None:
    missing = Reply(404, _DEVPI_HTML, _DEVPI_NONE.format("The stage root/no-such-index could not be found.").encode())
    with IndexServer() as server:
        server.intercept = lambda request: DEVPI.get(request.path, missing)
        channel = Channel(name="devpi", index_url=f"{server.url}/root/dev/+simple/")
        [held] = observe(client, channel).present().files
        assert (held.filename, held.kind, held.requires_python) == (WHEEL, "wheel", None)
        assert held.url == f"{server.url}/root/dev/+f/d76/9da532c4aed11/{WHEEL}" and held.sha256
        assert not observe_index(client, channel, "nothing-of-the-kind", "0.2.0").present().listed
        why(observe(client, Channel(name="devpi", index_url=f"{server.url}/root/no-such-index/+simple/")))


@pytest.mark.network
def test_the_public_index() -> None:
    client, channel = HttpClient(timeout=20), Channel(name="pypi", index_url=PYPI_SIMPLE_ENDPOINT, is_public_index=True)
    found = observe_index(client, channel, "pypi-simple", "1.0.0")
    if found.unavailable is not None:
        pytest.skip(f"not reachable: {found.unavailable.why}")
    assert sorted(held.kind for held in found.present().files) == ["sdist", "wheel"]
    assert all(held.size and held.sha256 and held.uploaded_at for held in found.present().files)


@pytest.mark.parametrize("piece", [b"<!--", b"<!", b"<?", b"</", b"<a ", b"<a x='", b"<![", b"<script>", b"<"])
@pytest.mark.parametrize("end", [b"", b">", b"</a></body></html>"])
def test_a_page_that_means_harm_is_soon_read_or_refused(piece: bytes, end: bytes) -> None:
    """A tenth of a megabyte of what the standard library's parser looks for the end of, again and again."""
    began = time.process_time()
    with suppress(NotSimple):
        parse_project_page(
            piece * (100_000 // len(piece)) + end, {"Content-Type": "text/html"}, "a", "https://i.example/a/"
        )
    assert time.process_time() - began < 2
