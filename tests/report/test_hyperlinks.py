"""Hyperlinks on a terminal: to pages of the project alone, whatever a stranger wrote, and only where they are seen."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from release_state.model.observation import known
from release_state.observe.recorded import save
from release_state.report.hyperlinks import can_link, link
from tests.support import states as s
from tests.support.terminal import on_a_terminal, screen_of

REPOSITORY, INDEX = "https://github.com/owner/orbit", PYPI_SIMPLE_ENDPOINT.replace("/simple/", "/project/orbit/0.2.0/")
SITES = (REPOSITORY, INDEX)
_LINK = re.compile(r"\x1b\]8;;([^\x1b]*)\x1b\\([^\x1b]*)\x1b\]8;;\x1b\\")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (REPOSITORY, REPOSITORY),
        (f"{REPOSITORY}/tree/v0.2.0", f"{REPOSITORY}/tree/v0.2.0"),
        (f"{REPOSITORY}/tree/é b%20c", f"{REPOSITORY}/tree/%C3%A9%20b%20c"),
        (f"{REPOSITORY}/pulls?q=is:pr head:x#top", f"{REPOSITORY}/pulls?q=is:pr%20head:x"),
        (f"{REPOSITORY}/x\x1b]8;;evil\x07\n", f"{REPOSITORY}/x%1B%5D8;;evil%07%0A"),
        (INDEX, INDEX.rstrip("/") + "/"),
    ],
)
def test_a_page_of_the_project_is_linked(url: str, address: str) -> None:
    assert link("words", url, SITES) == f"\x1b]8;;{address}\x1b\\words\x1b]8;;\x1b\\"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://github.com/owner/orbit-evil/tree/x",
        "https://github.com/owner",
        "https://github.com.evil.example/owner/orbit/x",
        "https://github.com@evil.example/owner/orbit",
        "http://github.com/owner/orbit/x",
        "javascript:alert(1)",
        f"{REPOSITORY}/../../login/oauth",
        f"{REPOSITORY}/%2e%2E/%2e./x",
        f"{REPOSITORY}/..\\..\\x",
        f"{REPOSITORY}/" + "x" * 3000,
        "https://ci.example/owner/orbit/runs/1",
    ],
)
def test_any_other_address_is_plain(url: str) -> None:
    assert link("words", url, SITES) == "words"


@pytest.mark.parametrize("site", ["http://127.0.0.1:1/x", "https://user:secret@host/x", "https://host/a b", "", "x"])
def test_a_site_that_is_no_plain_https_address_has_no_links(site: str) -> None:
    assert link("words", f"{site}/y", [site]) == "words"


@given(rest=st.text(max_size=80), site=st.sampled_from(SITES))
@example(rest="/\x9d\x9c", site=REPOSITORY)
@example(rest="//evil.example/x", site=REPOSITORY)
def test_no_address_leads_elsewhere_or_holds_what_a_terminal_obeys(rest: str, site: str) -> None:
    shown = link("words", site + rest, SITES)
    if shown != "words":
        [(address, words)] = _LINK.findall(shown)
        assert words == "words" and re.fullmatch(r"[!-~]+", address)
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}" == "https://" + urlsplit(site).netloc
        assert (address + "/").startswith(site.rstrip("/"))
        assert not {"..", "."} & set(unquote(parts.path).split("/"))


@pytest.mark.parametrize(
    ("environ", "is_terminal", "wanted"),
    [
        ({"TERM": "xterm-256color"}, True, True),
        ({"TERM": "xterm-256color"}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "linux"}, True, False),
        ({}, True, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "xterm", "CI": "true"}, True, False),
        ({"FORCE_HYPERLINK": "1"}, False, True),
        ({"TERM": "xterm", "FORCE_HYPERLINK": "0"}, True, False),
    ],
)
def test_where_a_terminal_can(environ: dict[str, str], is_terminal: bool, wanted: bool) -> None:
    assert can_link(environ, is_terminal) is wanted


@pytest.mark.parametrize("forced", ["1", "0"])
def test_a_run_links_its_state_and_its_steps(forced: str, tmp_path: Path) -> None:
    save(tmp_path / "s.json", [s.released(release=known(None), pulls=known((s.open_pull(),)))])
    given = ["--snapshot", str(tmp_path / "s.json"), "--reports-dir", str(tmp_path / "r")]
    code, sent = on_a_terminal(given, tmp_path, {"FORCE_HYPERLINK": forced})
    assert code == 1, sent
    linked = {words: address for address, words in _LINK.findall(sent)}
    assert "GitHub Release   ✗ action needed" in "\n".join(screen_of(sent)), "a link takes no room"
    if forced == "0":
        assert linked == {} and "\x1b]8" not in sent
        return
    assert {"Tag", "Index", "GitHub Release", "Pull request"} <= set(linked)
    assert linked["Index"] == "https://index.example/simple/orbit/"
    sites = ("https://github.example/octo/orbit/", "https://index.example/")
    assert all(address.startswith(sites) for address in linked.values())
