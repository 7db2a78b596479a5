"""Makes the documentation site: `python -m tests.docs.site [FOLDER]`.

The pages of docs/ are laid out in FOLDER/pages, with those that are made for the site alone: a page for each check, and
the README as the first page. Zensical, by the makers of Material for MkDocs, builds FOLDER/site from them. A dead link
or a warning ends it. https://zensical.org/docs/setup/validation/
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from tests.docs import check_pages
from tests.support.cli import ROOT
from tests.support.judged import CHECKS

FOLDER = ROOT / "build" / "docs"
CHECKS_PAGE = "docs/checks.md"
PLACES = {"README.md": "index.md", "SECURITY.md": "security.md", "CHANGELOG.md": "changelog.md"}
"""Documents outside of docs/, and their places in the site."""
COPIED = {"docs/assets": "assets", "reports/sample": "sample"}
"""Folders of files that pages show or load."""
NAVIGATION: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Use it", ("recipes", "results", "gates", "action", "waiting", "reports", "demo")),
    ("Set it", ("options", "token", "pytest", "own-checks")),
    ("Many versions, many projects", ("audit", "fleet")),
    ("My release failed", ("incidents", "states")),
    ("How far to trust it", ("safety", "security", "reliability", "processes", "performance")),
)
"""The pages by chapter; a page that does not exist is left out, and one that no chapter names comes last."""
NAMES = {"ci": "CI", "testpypi": "TestPyPI"}
"""Sources of checks whose names are not words."""
_LINK = re.compile(
    r"(?P<text>!?\[(?:`[^`]*`|[^\]`])*\])\((?P<target>[^)\s]+)\)"
    r"|(?P<name>src|srcset|href)=\"(?P<value>[^\"]+)\""
)
_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)


def build(folder: Path = FOLDER, environment: Mapping[str, str] = os.environ) -> Path:
    """Build the site, and return its folder; raises CalledProcessError if Zensical warns of anything."""
    shutil.rmtree(folder, ignore_errors=True)
    pages = read_pages(environment.get("GITHUB_REPOSITORY"), environment.get("GITHUB_SHA"))
    for place, text in pages.items():
        path = folder / "pages" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for source, copied in COPIED.items():
        shutil.copytree(ROOT / source, folder / "pages" / copied)
    for picture in (ROOT / "docs").glob("*.svg"):
        shutil.copy(picture, folder / "pages")
    settings = (ROOT / "docs" / "zensical.toml").read_text(encoding="utf-8")
    made = f"[project]\nnav = {as_toml(navigation(pages))}\n"
    if repository := environment.get("GITHUB_REPOSITORY"):
        owner, _, name = repository.partition("/")
        made += f"repo_url = {as_toml(f'https://github.com/{repository}')}\n"
        made += f"site_url = {as_toml(f'https://{owner.lower()}.github.io/{name}/')}\n"  # GitHub Pages
    configuration = folder / "zensical.toml"
    configuration.write_text(settings.replace("[project]\n", made, 1), encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", str(configuration)]
    subprocess.run(command, check=True, env={**environment, "NO_COLOR": "1"}, cwd=folder)
    return folder / "site"


def read_pages(repository: str | None = None, commit: str | None = None) -> dict[PurePosixPath, str]:
    """Return every page by its place in the site, its links led to other pages or to the repository on GitHub."""
    sources = [*PLACES, *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
    pages: dict[PurePosixPath, str] = {}
    for source in sources:
        text = (ROOT / source).read_text(encoding="utf-8")
        text = re.sub(r"^## \[(.+?)\]", r"## \1", text, flags=re.MULTILINE)  # versions in the changelog are no links
        if repository and commit:
            text = text.replace("OWNER/release-state", repository).replace("COMMIT", commit)
        place = place_of(source)
        parts = check_pages.split(text) if source == CHECKS_PAGE or place is None else {place: text}
        pages.update({place: lead(part, source, place, repository) for place, part in parts.items()})
    return pages


def place_of(source: str, fragment: str = "") -> PurePosixPath | None:
    """Return the place of a file of the repository in the site; None if it has none."""
    if source == CHECKS_PAGE:
        return check_pages.page_of(fragment.upper()) if fragment.upper() in CHECKS else check_pages.INDEX
    if source in PLACES:
        return PurePosixPath(PLACES[source])
    path = PurePosixPath(source)
    if path.parent == PurePosixPath("docs"):
        return PurePosixPath(path.name)
    return next(
        (PurePosixPath(to) / path.relative_to(of) for of, to in COPIED.items() if path.is_relative_to(of)), None
    )


def lead(text: str, source: str, place: PurePosixPath, repository: str | None) -> str:
    """Return a page's text with its links led to where their targets are in the site."""

    def led(target: str) -> str | None:
        parts = urlsplit(target)
        if parts.scheme:
            return target
        path = os.path.normpath(PurePosixPath(source).parent / parts.path) if parts.path else source
        there = place_of(path, parts.fragment)
        if there is None:
            return f"https://github.com/{repository}/blob/HEAD/{path}" if repository else None
        is_check = path == CHECKS_PAGE and there != check_pages.INDEX
        fragment = f"#{parts.fragment}" if parts.fragment and not is_check else ""
        if there == place and fragment:
            return fragment
        return os.path.relpath(there, place.parent) + fragment

    def replace(found: re.Match[str]) -> str:
        if found["name"]:
            return f'{found["name"]}="{led(found["value"]) or found["value"]}"'
        target = led(found["target"])
        return f"{found['text']}({target})" if target else found["text"][1:-1]

    kept = iter(_FENCE.findall(text))
    parts = [_LINK.sub(replace, part) + next(kept, "") for part in _FENCE.split(text)]
    return "".join(parts)


def navigation(pages: Mapping[PurePosixPath, str]) -> list[Any]:
    """Return Zensical's `nav` of these pages: the chapters, the checks by their source, the rest."""
    left = dict.fromkeys(pages)
    chapters: list[Any] = [{"Home": take(left, "index.md")}]
    for title, names in NAVIGATION:
        chapters.append({title: [take(left, f"{name}.md") for name in names if PurePosixPath(f"{name}.md") in left]})
    checks: list[Any] = [take(left, str(check_pages.INDEX))]
    by_source = sorted(CHECKS.values(), key=lambda check: (check.source, int(check.id.rpartition("-")[2])))
    for source, members in groupby(by_source, key=lambda check: check.source):
        entries = [{check.id: take(left, str(check_pages.page_of(check.id)))} for check in members]
        checks.append({NAMES.get(source, source.capitalize()): entries})
    chapters.append({"Checks": checks})
    return [*chapters, {"More": [str(place) for place in left]}]


def take(left: dict[PurePosixPath, None], place: str) -> str:
    """Take a page from those that have no place in the navigation yet."""
    left.pop(PurePosixPath(place))
    return place


def as_toml(value: str | Sequence[Any] | Mapping[str, Any]) -> str:
    """Return a text, a list or an inline table in TOML."""
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {as_toml(each)}" for key, each in value.items()) + "}"
    return "[" + ", ".join(map(as_toml, value)) + "]"


def main() -> int:
    """Build the site; with a folder, into that one."""
    try:
        site = build(Path(sys.argv[1]).resolve() if sys.argv[1:] else FOLDER)
    except subprocess.CalledProcessError as error:
        return error.returncode
    print(f"the site: {site / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
