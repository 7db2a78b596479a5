"""A browser for the tests of the page, the reports that it opens, and what was wrong with a page."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from release_state.demo.scenarios import SCENARIOS
from tests.support.cli import ROOT, clean_environment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
AXE = ROOT / ".tools" / "axe" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENSHOTS = "RELEASE_STATE_SCREENSHOTS"
"""Names a folder: the tests leave pictures there, for a person to look at."""


def missing(what: str) -> None:
    """Skip where a person has no browser; fail in CI, where this proof must not go missing."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and CI is set")
    pytest.skip(what)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium of the system, one for each worker."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        missing(f"no Chromium ({', '.join(NAMES)})")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("no Playwright (pip install playwright)")
    arguments = ["--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-gpu"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=arguments)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for every worker of one test run: each report is written once."""
    own = tmp_path_factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "browser"


def once(folder: Path, make: Callable[[], None]) -> Path:
    """Make the content of a folder unless another worker has."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            make()
            (folder / "made").touch()
    return folder


def report_in(folder: Path) -> tuple[Path, dict[str, Any]]:
    """The page and the document of the last run into a folder."""
    return folder / "latest.html", json.loads((folder / "latest.json").read_text(encoding="utf-8"))


_BY_HAND = tuple(name for name in SCENARIOS if not name.startswith(("tag-driven", "release-", "monorepo")))
"""The scenarios of the project that releases by hand, from a release branch."""
SOME = (*_BY_HAND, "monorepo-failed")
"""With one of another process: what is proven by whole runs takes too long for all."""
#: Runs the suite once for each list of arguments, in a process of its own that need not import everything again.
_RUNS = """
import json, os, sys
import pytest, pytest_html.plugin, release_state.run.versions, release_state.demo.scenarios, release_state.report.page
for arguments in json.loads(sys.argv[1]):
    child = os.fork()
    if child == 0:
        os._exit(pytest.main(arguments))
    print("code", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def report_of(scenario: str, folders: Path) -> tuple[Path, dict[str, Any]]:
    """The page and the document of a run over a demo scenario; what it observed is beside them."""

    def make() -> None:
        given = [(name, str(folders / "demo" / name)) for name in SOME]
        runs = [
            [
                "checks/",
                "--demo",
                name,
                "--no-install",
                "-q",
                "--reports-dir",
                place,
                "--save-snapshot",
                f"{place}.json",
            ]
            for name, place in given
        ]
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run(
                [sys.executable, "-c", _RUNS, json.dumps(runs)],
                cwd=ROOT, env=clean_environment(home), stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
        codes = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("code ")]
        assert codes == [SCENARIOS[name].exit_code for name in SOME], done.stdout + done.stderr

    return report_in(once(folders / "demo", make) / scenario)


class Opened:
    """A page and what went wrong in it."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.wrong: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.wrong.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("dialog", self.dismiss)
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(path.as_uri())
        self.wrong += [f"request: {url}" for url in self.asked if url != path.as_uri()]

    def dismiss(self, dialog: Dialog) -> None:
        """A dialog is wrong, and must not stop the test."""
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def texts(self, selector: str) -> list[str]:
        """The visible texts, white space as one blank."""
        found: list[str] = self.page.locator(selector).all_inner_texts()
        return [" ".join(text.split()) for text in found]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        wider: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return wider

    def look(self, width: int, scheme: Any) -> None:
        """Show it as a window of this width in this colour scheme."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=scheme)

    def picture(self, name: str) -> None:
        """Take a picture: of the whole page where a folder for it is named, for a person to look at."""
        if folder := os.environ.get(SCREENSHOTS):
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True, timeout=120_000)
        else:
            assert len(self.page.screenshot(timeout=120_000)) > 10_000

    def violations(self) -> list[str]:
        """What axe-core finds against WCAG 2.2 AA and its own good practice: landmarks, the order of headings."""
        if not AXE.is_file():
            missing(f"no axe-core at {AXE}")
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        tags = {"runOnly": RULES, "resultTypes": ["violations"]}
        found = self.page.evaluate("async (tags) => (await axe.run(document, tags)).violations", tags)
        return [
            f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
            for violation in found
            for node in violation["nodes"]
        ]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Any]:
    """Opens a page in a window of its own."""
    pages = []

    def opened(path: Path, **settings: Any) -> Opened:
        pages.append(browser.new_page(**{"viewport": {"width": 1280, "height": 900}, **settings}))
        return Opened(pages[-1], path)

    yield opened
    for page in pages:
        page.close()


def checks_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Every check of every target."""
    return [check for target in document["targets"] for check in target["checks"]]
