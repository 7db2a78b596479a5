"""The documentation site: built strictly, without a dead link, complete, and readable by everybody, also offline."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs import site
from tests.docs.check_pages import page_of
from tests.support.browser import missing, once
from tests.support.judged import CHECKS

LOOKS = [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")]
SAMPLE = ["index", "recipes", "options", "incidents", "states", "security", "checks/index", "checks/TAG-11"]


@pytest.fixture
def built(folders: Path) -> Path:
    """The site, built once for all workers."""
    if sys.version_info < (3, 11):
        pytest.skip("Zensical needs Python 3.11")
    if importlib.util.find_spec("zensical") is None:
        missing("no Zensical (pip install --group docs)")
    return once(folders / "site", lambda: void(site.build(folders / "site" / "docs"))) / "docs" / "site"


def void(_: object) -> None:
    """Forget a result."""


def test_every_page_and_every_link_is_there(built: Path) -> None:
    """Zensical has checked the links in Markdown; this checks those of the built pages, with pictures and scripts."""
    # The page for what is missing is shown in any folder, so that its links begin at the top of the server.
    every = (path for path in built.rglob("*.html") if path.name != "404.html")
    texts = {path: path.read_text(encoding="utf-8") for path in every}
    names = {path: set(re.findall(r'\b(?:id|name)="([^"]+)"', text)) for path, text in texts.items()}
    dead: dict[str, set[str]] = defaultdict(set)
    for path, text in texts.items():
        for link in re.findall(r'\b(?:href|src|srcset)="([^"]*)"', text):
            parts = urlsplit(link.replace("&amp;", "&"))
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if parts.scheme or parts.netloc:
                continue
            if not target.is_file() or (parts.fragment and unquote(parts.fragment) not in names.get(target, set())):
                dead[link].add(path.name)
    assert dead == {}
    made = {path.relative_to(built).as_posix() for path in texts if "sample" not in path.parts}
    assert made == {str(place.with_suffix(".html")) for place in site.read_pages()}


def test_nothing_is_loaded_from_elsewhere(built: Path) -> None:
    for path in [*built.rglob("*.html"), *built.rglob("*.css")]:
        text = path.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img|source|iframe)\b[^>]*?\bsrc(?:set)?="([^"]+)"', text)
        loaded += re.findall(r'<link\b[^>]*?\brel="(?:stylesheet|icon|preconnect|preload)"[^>]*?\bhref="([^"]+)"', text)
        loaded += re.findall(r"url\(([^)]+)\)", text) if path.suffix == ".css" else []
        assert [link for link in loaded if urlsplit(link.strip("\"'")).scheme not in ("", "data")] == [], path.name


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_has_a_page_with_what_is_found_and_how_it_is_fixed(check: str) -> None:
    text = pages()[page_of(check)]
    title, found, fix = re.split(r"^#+ (?:Found|Fix)$", text, flags=re.MULTILINE)
    assert title.startswith(f"# {check}\n\n**")
    assert found.strip() and fix.strip()


def pages() -> dict[Any, str]:
    """The pages, read once."""
    if not _PAGES:
        _PAGES.update(site.read_pages())
    return _PAGES


_PAGES: dict[Any, str] = {}


def test_in_a_repository_the_pages_name_it_and_lead_to_its_files() -> None:
    made = site.read_pages("example-org/suite", "a" * 40)
    assert f"example-org/suite@{'a' * 40}" in made[PurePosixPath("recipes.md")]
    assert "https://github.com/example-org/suite/blob/HEAD/CONTRIBUTING.md" in made[PurePosixPath("index.md")]
    assert "blob/HEAD" not in "".join(pages().values())


@pytest.mark.browser
@pytest.mark.parametrize("name", SAMPLE)
def test_page_is_readable_by_everybody(name: str, built: Path, open_page: Any) -> None:
    opened = open_page(built / f"{name}.html")
    assert [wrong for wrong in opened.wrong if not wrong.startswith("request: file:")] == []
    for width, scheme in LOOKS:
        opened.look(width, scheme)
        opened.page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
        opened.picture(f"site-{name.replace('/', '-')}-{width}-{scheme}")
        assert opened.overflow() <= 0, (width, scheme)
        if name == "index" or (width, scheme) in (LOOKS[0], LOOKS[-1]):
            assert opened.violations() == [], (width, scheme)


@pytest.mark.browser
def test_search_finds_a_symptom_in_a_page_that_was_opened_from_a_folder(built: Path, open_page: Any) -> None:
    opened = open_page(built / "index.html")
    opened.page.locator(".md-search__button").click()
    opened.page.keyboard.type("filename was previously used")
    opened.page.get_by_text("The index refused a file").first.wait_for(timeout=10_000)
    assert [url for url in opened.asked if not url.startswith("file:")] == []
