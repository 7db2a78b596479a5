"""The HTML report as a browser shows it: complete, readable, and harmless whatever strangers wrote into its facts."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from release_state.demo.scenarios import SCENARIOS
from release_state.demo.world import World
from tests.cli import suite

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
OURS = ("outcome", "check", "fact", "expected", "found", "action")
HOSTILE = (
    "<script>window.hacked=1</script></textarea><img src=x onerror=window.hacked=2>\"'&lt;"
    "\x1b[31mred\x1b[0m \u202egnp.exe\u2066 \u05e9\u05dc\u05d5\u05dd javascript:alert(1) "
)


def missing(what: str) -> None:
    """Skip where a person has no browser; fail in CI, where this proof must not go missing."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and CI is set")
    pytest.skip(what)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        missing(f"no Chromium ({', '.join(NAMES)})")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("no Playwright (pip install playwright)")
    arguments = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=arguments)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
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
    return folder / "latest.html", json.loads((folder / "latest.json").read_text(encoding="utf-8"))


def report_of(scenario: str, folders: Path) -> tuple[Path, dict[str, Any]]:
    """The page and the document of a run over a demo scenario."""
    folder = folders / scenario

    def make() -> None:
        run = suite("--demo", scenario, "--no-install", "-q", reports_dir=folder)
        assert run.returncode == SCENARIOS[scenario].exit_code, run.stdout + run.stderr

    return report_in(once(folder, make))


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
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def texts(self, selector: str) -> list[str]:
        found: list[str] = self.page.locator(selector).all_inner_texts()
        return [" ".join(text.split()) for text in found]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        wider: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return wider


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Any]:
    pages = []

    def opened(path: Path, **settings: Any) -> Opened:
        pages.append(browser.new_page(**{"viewport": {"width": 1280, "height": 900}, **settings}))
        return Opened(pages[-1], path)

    yield opened
    for page in pages:
        page.close()


def checks_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [check for target in document["targets"] for check in target["checks"]]


@pytest.mark.parametrize("scenario", ["clean", "partial", "released", "rolled-back"])
def test_page_shows_every_check(scenario: str, open_page: Any, folders: Path) -> None:
    path, document = report_of(scenario, folders)
    opened = open_page(path)
    checks = checks_of(document)
    rows = opened.page.locator("#results-table .collapsible:visible")
    assert rows.count() == len(checks) == sum(target["checks_run"] for target in document["targets"])
    cells = {name: opened.texts(f"#results-table td.col-{name}") for name in OURS}
    for name, texts in cells.items():
        assert len(texts) == len(checks), name
        assert all(texts), f"an empty cell in column {name}"
    shown = {check.split()[0]: outcome for check, outcome in zip(cells["check"], cells["outcome"], strict=True)}
    for check in checks:
        assert check["outcome"] in shown[check["id"]]
    found = dict(zip((check.split()[0] for check in cells["check"]), cells["found"], strict=True))
    for check in checks:
        if check["outcome"] != "holds":
            assert found[check["id"]] == " ".join(check["found"].split())
    counts = opened.texts(".counts li")
    assert sum(int(text.split()[0]) for text in counts) == len(checks)
    assert not opened.wrong


@pytest.mark.parametrize("scenario", ["clean", "partial"])
def test_verdict_is_on_top(scenario: str, open_page: Any, folders: Path) -> None:
    path, document = report_of(scenario, folders)
    opened = open_page(path)
    assert opened.page.locator("h1").count() == 1
    [heading] = opened.texts("h1")
    assert heading.startswith(f"{document['verdict']}: orbit-demo 0.2.0")
    assert opened.page.title().startswith(document["verdict"])
    above = opened.page.evaluate(
        """() => { const top = document.querySelector("h1").getBoundingClientRect().top;
        return [...document.querySelectorAll("h2, h3, p, table, section")].filter(
            (e) => e.getClientRects().length && e.getBoundingClientRect().top < top).length }"""
    )
    assert above == 0
    # In words and in colour: neither alone would do.
    colours = {"clean": "rgb(17, 99, 41)", "partial": "rgb(180, 35, 44)"}
    assert opened.page.evaluate("getComputedStyle(document.querySelector('h1')).color") == colours[scenario]
    levels = opened.page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3')].filter(e => e.getClientRects().length).map(e => +e.tagName[1])"
    )
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    assert opened.page.evaluate("document.documentElement.lang") == "en"


def test_findings_come_with_commands(open_page: Any, folders: Path) -> None:
    path, document = report_of("partial", folders)
    opened = open_page(path)
    findings = opened.texts(".finding h3")
    assert any("RELEASE-11 action needed" in finding for finding in findings)
    commands = opened.texts(".verdict pre code")
    assert any(command.startswith("gh release create v0.2.0") for command in commands)
    steps = document["targets"][0]["plan"]["steps"]
    assert len(opened.texts(".plan > ol > li")) == len(steps)


def test_filters_hide_only_what_they_name(open_page: Any, folders: Path) -> None:
    path, document = report_of("partial", folders)
    opened = open_page(path)
    rows = opened.page.locator("#results-table .collapsible:visible")
    everything = rows.count()
    assert everything == len(checks_of(document))
    for result in ("passed", "skipped", "failed"):
        box = opened.page.locator(f"input[data-test-result={result}]")
        named = opened.page.locator(f"#results-table tbody.{result}").count()
        assert named > 0
        assert box.get_attribute("aria-label")
        box.uncheck()
        assert rows.count() == everything - named
        box.check()
        assert rows.count() == everything
    opened.page.locator("th[data-column-type=outcome]").press("Enter")
    assert rows.count() == everything
    assert not opened.wrong


# The contrast of two colours as WCAG 2 defines it; text that the eye does not see is left out.
CONTRAST = """() => {
  const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const bad = [];
  let seen = 0;
  while (walker.nextNode()) {
    const node = walker.currentNode, e = node.parentElement;
    if (!node.textContent.trim() || !e.checkVisibility() || e.closest("script, style")) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    seen += 1;
    if (ratio < 4.5) bad.push(node.textContent.trim().slice(0, 40) + " " + ratio.toFixed(2));
  }
  return [seen, bad];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_page_is_readable(width: int, scheme: str, open_page: Any, folders: Path) -> None:
    path, _ = report_of("partial", folders)
    opened = open_page(path, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert opened.overflow() <= 0
    seen, bad = opened.page.evaluate(CONTRAST)
    assert seen > 50
    assert not bad
    paper = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(13, 17, 23)")


def test_page_prints_dark_on_white(open_page: Any, folders: Path) -> None:
    path, document = report_of("partial", folders)
    opened = open_page(path, color_scheme="dark")
    opened.page.emulate_media(media="print", color_scheme="dark")
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert opened.page.evaluate(CONTRAST)[1] == []
    assert not opened.page.locator(".controls").is_visible()
    assert opened.page.locator("#results-table .collapsible:visible").count() == len(checks_of(document))


def make_hostile(world: World) -> None:
    """A released version, and a next one, with what strangers can write in every place that is shown."""
    long = HOSTILE + "A" * 10_000
    world.release("testpypi", "0.2.0")
    world.release("pypi", "0.2.0", until="pull")
    for channel in ("pypi", "testpypi"):
        world.index.yank(channel, "0.2.0", long)
    # What git allows in the name of a branch; the name of a file may hold nearly anything.
    for branch in ("release/pypi-v0.1.5", "release/<img/src=x/onerror=alert(1)>-v0.3.0"):
        world.remote_git.run("update-ref", f"refs/heads/{branch}", world.main())
    world.github.add_pull("release/pypi-v0.1.5", title=HOSTILE, state="closed", user="mallory")
    with world.github.lock:
        for pull in world.github.pulls.values():
            pull.title = long
    world.sync_clone()
    name = HOSTILE.replace("/", "\N{DIVISION SLASH}")[:120]
    (world.clone / name).write_text("x")
    (world.clone / "<").mkdir()
    (world.clone / "</textarea><b>").write_text("x")
    world.commit(HOSTILE)
    from release_state.demo.github import Job

    world.github.add_run(
        "ci.yml", conclusion="failure", event="push", head_branch="main", head_sha=world.main(),
        jobs=[Job(HOSTILE, conclusion="failure"), Job("B" * 300, conclusion="failure")], check_runs=True,
        created_at=world.tick(), updated_at=world.tick(),
    )  # fmt: skip


def hostile(folders: Path, name: str) -> tuple[Path, dict[str, Any]]:
    """One of two runs: of the released version on both channels, or of the next one."""
    folder = folders / "hostile"

    def make() -> None:
        with World() as world:
            make_hostile(world)
            look_at(world, folder / "released", "--version", "0.2.0", "--channel", "all")
            look_at(world, folder / "next", "--version", "0.3.0")

    return report_in(once(folder, make) / name)


def look_at(world: World, folder: Path, *asked: str) -> None:
    run = suite(
        *asked, "--no-install", "-q", "--repo", str(world.clone), "--remote-url", world.remote_url,
        "--package", world.package, "--repository", world.repository, "--github-api-url", world.github.url,
        "--index-url", f"pypi={world.index_url('pypi')}", "--index-url", f"testpypi={world.index_url('testpypi')}",
        env={"GITHUB_TOKEN": world.token}, reports_dir=folder,
    )  # fmt: skip
    assert run.returncode == 1, run.stdout + run.stderr
    assert world.token not in run.stdout + (folder / "latest.html").read_text(encoding="utf-8")
    for character in "\x1b\u202e\u2066":
        assert character not in run.stdout


@pytest.mark.parametrize(
    ("name", "shown"),
    [("released", ["INDEX-13"]), ("next", ["CLONE-1", "CI-1"])],
)
def test_hostile_text_is_harmless(name: str, shown: list[str], open_page: Any, folders: Path) -> None:
    path, document = hostile(folders, name)
    opened = open_page(path, viewport={"width": 360, "height": 800})
    found = {check["id"]: check["found"] for check in checks_of(document)}
    for check in shown:
        assert "onerror=window.hacked=2" in found[check], "the state no longer shows it: this test would prove nothing"
    opened.page.wait_for_timeout(200)
    assert opened.page.evaluate("window.hacked") is None
    assert not opened.wrong
    # pytest-html's script and ours; its one empty picture is in a template and in the details of each row.
    assert opened.page.locator("script").count() == 2
    assert (
        opened.page.locator("textarea, iframe, object, svg, img[onerror], img[src=x], [href^=javascript]").count() == 0
    )
    text = opened.page.evaluate("document.body.innerText")
    assert "<script>window.hacked=1<" in text and "textarea><img src=x onerror=window.hacked=2>" in text
    for character in "\x1b\u202e\u2066":
        assert character not in text
    assert "\\x1b[31mred" in text and "\\u202egnp.exe" in text
    assert "A" * 2_001 not in text
    assert opened.overflow() <= 0
    assert opened.page.locator("#results-table .collapsible:visible").count() == len(checks_of(document))


def test_several_targets_each_have_their_verdict(open_page: Any, folders: Path) -> None:
    path, document = hostile(folders, "released")
    opened = open_page(path)
    headings = opened.texts(".verdict > h2")
    assert len(headings) == len(document["targets"]) == 2
    for target, heading in zip(document["targets"], headings, strict=True):
        assert heading.startswith(target["verdict"])
        assert heading.endswith(f"on {target['snapshot']['target']['channel']['name']}")
